"""Many values at a time, or the rows of Arrow batches, to messages."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn

from serde.codec import AvroSchema, Encode, Fault
from serde.codec.columns import Column, write_rows
from serde.errors import SerializationError


def write_many(
    encode: Encode, values: Iterable[Any], refuse: Callable[[Fault], SerializationError]
) -> list[bytes | None]:
    """The messages of values, in their order."""
    found: list[bytes | None] = []
    try:
        for value in values:
            found.append(None if value is None else encode(value))  # noqa: PERF401 - its length is the index
    except Fault as fault:
        error = refuse(fault)
        error.index = len(found)
        raise error from None
    return found


def write_batches(
    schema: AvroSchema,
    column: Column,
    given: Any,
    prefix: bytes,
    refuse: Callable[[Fault], SerializationError],
    *,
    strict: bool,
) -> list[bytes]:
    """The messages of the rows of a record batch or a table, in their order."""
    from serde.arrow.writing import batches_of, columns_of

    found: list[bytes] = []

    def fail(row: int, fault: Fault) -> NoReturn:
        error = refuse(fault)
        error.index = len(found) + row
        raise error

    for batch in batches_of(given):
        try:
            made = columns_of(column, batch, strict=strict)
        except Fault as fault:
            raise refuse(fault) from None
        found += write_rows(schema, column, made, prefix, fail)
    return found


def check_headers(headers: Sequence[Any] | None, count: int) -> None:
    """Check that there are as many as messages. Raises ValueError."""
    if headers is not None and len(headers) != count:
        raise ValueError(f"{count} messages and the headers of {len(headers)}")
