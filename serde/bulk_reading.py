"""Many messages at a time, to values and to Arrow.

The same checks as for one message, and the same errors, which then say which of
the many it is. What is found out about a schema is found out in steps, as for
one message, before anything is read.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from serde import arguments
from serde.bulk_writing import check_headers
from serde.codec import Fault, read_run
from serde.codec.binary import as_message
from serde.codec.columns import frames_of, make_builder
from serde.errors import DeserializationError, FramingError
from serde.framing import GivenHeaders, frame_in_headers
from serde.reading import Columns, Reading
from serde.steps import Steps

if TYPE_CHECKING:
    import pyarrow as pa

ErrorHandler: TypeAlias = Callable[[int, DeserializationError], Any]
"""Takes the number of a message that cannot be read, and why. What it raises is raised instead."""

Nulls: TypeAlias = Literal["refuse", "keep", "drop"]
"""What becomes of a null message in a batch: an error, a row of nulls, or nothing."""

_NULL: Final = "a null message: say with `nulls` whether it is a row"


def read_many(
    reading: Reading[Any],
    values: Iterable[bytes | bytearray | memoryview | None],
    topic: str | None,
    headers: Sequence[GivenHeaders | None] | None,
    on_error: ErrorHandler | None,
) -> Steps[list[Any]]:
    """The values of messages, in their order."""
    arguments.function("on_error", on_error, "index", "error")
    messages = list(values)
    check_headers(headers, len(messages))
    found: list[Any] = []
    kept: set[int] = set()  # what `from_dict` is not for
    while len(found) < len(messages):
        index = len(found)
        data = messages[index]
        if data is None:
            kept.add(index)
            found.append(None)
            continue
        if type(data) is not bytes:
            data = as_message(data)
        given = headers[index] if headers is not None else None
        try:
            frame, start = reading._frame(data, topic, given)
            decode = reading._known(topic, frame) or (yield from reading._prepare(data, topic, frame))
            if headers is None:
                # All that follow and are of the same schema, without a call for each.
                read_run(decode, frame, messages, found)
            if len(found) == index:
                found.append(decode(data, start))
        except Fault as fault:
            kept.add(index)
            refusal = reading._refusal(fault, data, topic, given)
            refusal.__cause__ = fault.__cause__
            found.append(_handled(refusal, index, on_error))
        except DeserializationError as error:
            kept.add(index)
            found.append(_handled(error, index, on_error))
    make = reading._from_dict
    if make is None:
        return found
    return [value if index in kept else make(value) for index, value in enumerate(found)]


def _handled(error: DeserializationError, index: int, on_error: ErrorHandler | None) -> Any:
    error.index = index
    if on_error is None:
        raise error
    return on_error(index, error)


def read_batch(
    reading: Reading[Any],
    values: Iterable[bytes | bytearray | memoryview | None],
    topic: str | None,
    headers: Sequence[GivenHeaders | None] | None,
    nulls: Nulls,
    on_error: ErrorHandler | None,
) -> "Steps[pa.RecordBatch]":
    """The record batch of messages, under one reader's schema."""
    from serde.arrow.reading import record_batch
    from serde.arrow.types import schema_of

    arguments.function("on_error", on_error, "index", "error")
    if nulls not in {"refuse", "keep", "drop"}:
        raise ValueError(f'nulls is "refuse", "keep" or "drop", not {nulls!r}')
    batch = _Batch(reading, list(values), topic, headers, drops_nulls=nulls == "drop")
    columns = yield from batch.prepare(on_error is None, nulls == "refuse")
    keeps = nulls == "keep"
    column = columns.with_nulls if keeps else columns.column
    schema = columns.schemas.get(keeps)
    if schema is None:
        schema = columns.schemas[keeps] = schema_of(column)
    builder = make_builder(column, wrapped=columns.wrapped)
    fail = batch.fail if on_error is not None else batch.refuse
    builder.read(batch.messages, batch.keys, columns.programs, batch.find, fail, nulls=keeps)
    for index, error in sorted(batch.errors.items()):
        _handled(error, index, on_error)
    return record_batch(column, builder.finish(), schema)


class _Batch:
    """The messages of one batch while it is read.

    errors: of messages that cannot be read, by their numbers.
    keys: what the headers say, if there are any.
    """

    def __init__(
        self,
        reading: Reading[Any],
        messages: list[Any],
        topic: str | None,
        headers: Sequence[GivenHeaders | None] | None,
        *,
        drops_nulls: bool,
    ) -> None:
        check_headers(headers, len(messages))
        self.messages: list[bytes | None] = messages
        self.errors: dict[int, DeserializationError] = {}
        self.keys: list[bytes | None] | None = None
        self._reading = reading
        self._topic = topic
        self._headers = headers
        self._drops_nulls = drops_nulls
        # Why the messages of a frame cannot be read.
        self._reasons: dict[bytes, DeserializationError] = {}
        if headers is not None:
            name = reading._header_name
            self.keys = [None if each is None else frame_in_headers(each, name) for each in headers]

    def prepare(self, refuses: bool, refuses_nulls: bool) -> Steps[Columns]:
        """Find out how the messages are read. refuses: a message that cannot be read is an error."""
        reading, topic = self._reading, self._topic
        chosen: Columns | None = None
        for index in frames_of(self.messages, self.keys).values():
            data = self.messages[index]
            assert data is not None
            try:
                frame, _ = reading._frame(data, topic, self._headers_of(index))
                pair = yield from reading._schemas(data, topic, frame)
            except FramingError:
                continue  # `find` says it of each message
            except DeserializationError as error:
                self._reasons[frame] = error
                continue
            columns = reading._batch_columns(topic, frame, pair)
            if chosen is not None and columns is not chosen:
                raise ValueError(
                    "the messages have more than one schema, and a batch has one: give the deserializer a"
                    " reader_schema"
                )
            chosen = columns
        if chosen is None:
            try:
                chosen = yield from reading._columns_of_none(topic)
            except ValueError:
                # What is wrong with the messages says more.
                for index, data in enumerate(self.messages if refuses else ()):
                    if data is not None or refuses_nulls:
                        self.find(index, data)
                        self.refuse_first()
                raise
        return chosen

    def find(self, index: int, data: bytes | None) -> None:
        """Note why there is no program for a message."""
        if data is None:
            if not self._drops_nulls:
                self.errors[index] = DeserializationError(
                    _NULL, data=b"", topic=self._topic, is_key=self._reading._is_key
                )
            return
        try:
            frame, _ = self._reading._frame(data, self._topic, self._headers_of(index))
        except FramingError as error:
            self.errors[index] = error
            return
        known = self._reasons[frame]
        again = self._reading._error(known.reason, data, self._topic, frame)
        again.__cause__ = known.__cause__
        self.errors[index] = again

    def fail(self, index: int, data: bytes, fault: Fault) -> None:
        """Note why a message cannot be read."""
        self.errors[index] = self._reading._refusal(fault, data, self._topic, self._headers_of(index))

    def refuse(self, index: int, data: bytes, fault: Fault) -> None:
        """Raise why a message cannot be read, or one before it."""
        self.fail(index, data, fault)
        self.refuse_first()

    def refuse_first(self) -> None:
        """Raise why the first message that cannot be read is none, if there is one."""
        for first in sorted(self.errors)[:1]:
            self.errors[first].index = first
            raise self.errors[first] from self.errors[first].__cause__

    def _headers_of(self, index: int) -> GivenHeaders | None:
        return self._headers[index] if self._headers is not None else None
