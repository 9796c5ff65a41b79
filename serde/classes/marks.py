"""What a type hint does not say of a schema: names, sizes, aliases, docs.

    @Named("Order", namespace="shop", aliases=["Purchase"])
    @dataclass
    class Order:
        count: Int32
        price: Annotated[Decimal, Digits(12, 2)]
        source: Annotated[str, AvroField(name="from", aliases=["sender"])]

A mark stands in `Annotated`, or in the metadata of a dataclass's or attrs'
field under the key ``avro``; pydantic and type checkers ignore it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal
from typing import Annotated, Any, Final, TypeVar

from serde.codec.schema import MISSING

MARKED: Final = "__avro__"
"""Where a class keeps what `Named` says of it."""

C = TypeVar("C", bound=type)


@dataclass(frozen=True, slots=True, eq=False)
class AvroType:
    """The schema of a type, in place of the one that the hint would give.

    schema: as in an .avsc file: ``"int"``, ``{"type": "long", "logicalType": "timestamp-millis"}``.
    """

    schema: Any


@dataclass(frozen=True, slots=True, eq=False)
class Digits:
    """The size of a decimal: so many digits in all, so many of them after the point."""

    precision: int
    scale: int = 0

    def __post_init__(self) -> None:
        if self.precision < 1 or not 0 <= self.scale <= self.precision:
            raise ValueError(f"no decimal has {self.precision} digits, {self.scale} of them after the point")


@dataclass(frozen=True, slots=True, eq=False)
class Fixed:
    """Bytes, or a UUID or decimal, stored in just so many bytes.

    name: of the type; None: the class's and the field's.
    """

    size: int
    name: str | None = None

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ValueError(f"a fixed has one byte or more, not {self.size}")


@dataclass(frozen=True, slots=True, eq=False)
class AvroField:
    """A field of a record.

    name: in Avro, if another than in Python. aliases: names it had before. doc: what it is.
    default: in place of the class's, as a Python value; for readers of records without it.
    skip: it is not in the schema: not written, and left to the class's default when read.
    """

    name: str | None = None
    aliases: Sequence[str] = ()
    doc: str | None = None
    default: Any = MISSING
    skip: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Named:
    """A record, an enum or a Literal: its name in Avro.

        @Named("Order", namespace="shop")
        Annotated[Literal["NEW", "PAID"], Named("Status", default="NEW")]

    name: None: the class's. namespace: None: that of the class it is met in, as in Avro.
    aliases: names it had before. doc: what it is; a docstring is not taken, since each change of it would
    be another schema. default: an enum's symbol, which readers get for symbols they do not know.
    """

    name: str | None = None
    namespace: str | None = None
    aliases: Sequence[str] = ()
    doc: str | None = None
    default: str | None = None

    def __call__(self, cls: C) -> C:
        setattr(cls, MARKED, self)
        return cls


Int32 = Annotated[int, AvroType("int")]
"""An int of 32 bits; a plain `int` has 64."""

Float32 = Annotated[float, AvroType("float")]
"""A float of 32 bits, which rounds; a plain `float` has 64."""

BigDecimal = Annotated[Decimal, AvroType({"type": "bytes", "logicalType": "big-decimal"})]
"""A decimal of any size and scale. New in Avro 1.12: older readers see bytes."""

DatetimeMillis = Annotated[datetime, AvroType({"type": "long", "logicalType": "timestamp-millis"})]
"""A moment in milliseconds; a plain `datetime` has microseconds."""

LocalDatetime = Annotated[datetime, AvroType({"type": "long", "logicalType": "local-timestamp-micros"})]
"""A date and time without a zone."""

TimeMillis = Annotated[time, AvroType({"type": "int", "logicalType": "time-millis"})]
"""A time of day in milliseconds; a plain `time` has microseconds."""


def mark_of(cls: type) -> Named:
    """What `Named` says of a class itself; what it says of a base is of the base."""
    found = vars(cls).get(MARKED)
    return found if isinstance(found, Named) else Named()


def names_of(cls: type) -> tuple[str, ...]:
    """The names of a class's record: the full name as far as it is known, and the unqualified one."""
    found = mark_of(cls)
    name = found.name or cls.__name__
    full = f"{found.namespace}.{name}" if found.namespace and "." not in name else name
    return tuple(dict.fromkeys((full, full.rpartition(".")[2])))
