"""How a pair of schemas becomes something that fills columns: what both codecs decide alike.

Resolution is that of `serde.codec.readers`. What differs from reading values:
a value of a union must know its branch, since that is where it is put, and
a logical type is not turned into Python's but into what Arrow stores.
"""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from serde.codec.columns.layout import is_dense
from serde.codec.decimals import MAX_BYTES, big_decimal_from_bytes, big_decimal_to_bytes, decimal_to_bytes
from serde.codec.fault import Fault
from serde.codec.logical import Conversion, conversion
from serde.codec.match import best_branch
from serde.codec.readers import Readers
from serde.codec.schema import Enum, Node, Primitive, Union

R = TypeVar("R")

_TIMES: Final = frozenset({"time", "timestamp", "local-timestamp"})
_DAY: Final = 86_400_000_000_000  # nanoseconds
LONG_MIN: Final = -(1 << 63)
LONG_MAX: Final = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Scaling:
    """A number in the writer's unit to the reader's: times, then divided by, rounded down.

    below: it must be at least 0 and less than this, before; 0 for any.
    """

    times: int
    by: int
    below: int

    def __call__(self, number: int) -> int:
        if self.below and not 0 <= number < self.below:
            raise Fault(f"the time of day {number} is not within a day")
        found = number * self.times // self.by
        if not LONG_MIN <= found <= LONG_MAX:
            raise Fault(f"the timestamp {number} is outside 64 bits in the reader's unit")
        return found


@dataclass(frozen=True, slots=True)
class Digits:
    """The unscaled number of a decimal, as Avro has it, to `width` bytes, little-endian."""

    precision: int
    width: int

    def __call__(self, raw: bytes) -> bytes:
        if len(raw) > MAX_BYTES:
            raise Fault(f"a decimal of {len(raw)} bytes, which the column has no room for")
        number = int.from_bytes(raw, "big", signed=True)
        if abs(number) >= 10**self.precision:
            raise Fault(f"a decimal of more than {self.precision} digits, which the column has no room for")
        return number.to_bytes(self.width, "little", signed=True)


class Pairs(Readers[R]):
    """Makes the parts that fill columns, for one pair of schemas."""

    def _make(self, writer: Node, reader: Node, logical: bool) -> R:
        if isinstance(writer, Union) and writer is reader:
            return self.union(
                [
                    self._branch(reader, number, self.reader(branch, branch, logical=logical))
                    for number, branch in enumerate(writer.branches)
                ]
            )
        if isinstance(reader, Union) and not isinstance(writer, Union):
            branch = best_branch(writer, reader)
            if branch is None:
                return self._refuse(writer, reader)
            number = next(n for n, each in enumerate(reader.branches) if each is branch)
            return self._branch(reader, number, self.reader(writer, branch, logical=logical))
        return super()._make(writer, reader, logical)

    def _branch(self, reader: Union, number: int, read: R) -> R:
        # A column of a union with null and one other has no branches: it has nulls.
        return self.branch(read, number) if is_dense(reader) else read

    def _converted(self, read: R, writer: Node, reader: Node, logical: bool) -> R:
        wanted = conversion(reader) if logical else None
        if wanted is None:
            return read
        stored = conversion(writer)
        # As in `Readers`: the writer's unit or scale is the true one.
        true = stored if stored is not None and stored.family == wanted.family else wanted
        if wanted.family == "date":
            return read
        if wanted.family in _TIMES:
            return self.scaled(read, _scaling(true, wanted))
        if wanted.family == "decimal":
            return self._decimal(read, true, wanted)
        if wanted.family == "uuid":
            is_text = isinstance(writer, Primitive) and writer.kind == "string"
            if is_text or (isinstance(writer, Primitive) and writer.kind == "bytes"):
                return self.uuid_text(read)
            return read
        return self.duration(read)

    def _decimal(self, read: R, true: Conversion, wanted: Conversion) -> R:
        if wanted.logical is None:
            if true.logical is None:
                return self.big_decimal(read)
            return self.decoded(read, lambda raw: big_decimal_to_bytes(true.decode(raw)))
        digits = Digits(wanted.logical.precision, 16 if wanted.logical.precision <= 38 else 32)
        scale = wanted.logical.scale
        if true.logical is not None and true.logical.scale == scale:
            return self.decimal(read, digits)
        return self.decoded(
            read, lambda raw: decimal_to_bytes(true.decode(raw), digits.precision, scale, digits.width)[::-1]
        )

    def enum(self, writer: Enum, reader: Enum, values: Sequence[str | None]) -> R:
        places = {symbol: number for number, symbol in enumerate(reader.symbols)}
        return self.symbols(writer, reader, [-1 if value is None else places[value] for value in values])

    @abstractmethod
    def symbols(self, writer: Enum, reader: Enum, places: Sequence[int]) -> R:
        """places: the number of the reader's symbol for each of the writer's; -1 where it takes none."""

    @abstractmethod
    def branch(self, read: R, number: int) -> R:
        """What `read` reads is of this branch of the reader's union."""

    @abstractmethod
    def scaled(self, read: R, scaling: Scaling) -> R:
        """A number in another unit."""

    @abstractmethod
    def decimal(self, read: R, digits: Digits) -> R:
        """Bytes that are an unscaled number at the reader's scale."""

    @abstractmethod
    def big_decimal(self, read: R) -> R:
        """Bytes that are a big-decimal, kept as they are stored, but checked."""

    @abstractmethod
    def uuid_text(self, read: R) -> R:
        """A string that is a UUID, to 16 bytes."""

    @abstractmethod
    def duration(self, read: R) -> R:
        """Twelve bytes to Arrow's months, days and nanoseconds."""

    @abstractmethod
    def decoded(self, read: R, convert: Callable[[Any], Any]) -> R:
        """What else there is, and rare: bytes through a function."""


def check_big_decimal(raw: bytes) -> bytes:
    """`raw`; Fault if it is no big-decimal."""
    big_decimal_from_bytes(raw)
    return raw


def _scaling(true: Conversion, wanted: Conversion) -> Scaling:
    times, by = (true.unit // wanted.unit, 1) if true.unit >= wanted.unit else (1, wanted.unit // true.unit)
    return Scaling(times, by, _DAY // true.unit if wanted.family == "time" else 0)
