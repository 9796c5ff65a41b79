"""Messages to columns and back: whole batches, without a Python object for each value.

A `layout` says which columns a reader's schema has. A `Program` reads one
writer's messages into them, and a `Builder` gathers the rows of a batch from
messages of as many writers as there are. Both codecs give the same.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn, Protocol, TypeAlias

from serde.codec import codec_in_use
from serde.codec.binary import read_bytes
from serde.codec.columns import pure
from serde.codec.columns.buffers import Buffers
from serde.codec.columns.layout import Column, is_wrapped, layout, with_nulls
from serde.codec.columns.rows import compile_rows, write_all, write_one, writing
from serde.codec.fault import Fault
from serde.codec.pure import is_bytes
from serde.codec.schema import AvroSchema

__all__ = [
    "Buffers",
    "Builder",
    "Column",
    "Program",
    "compile_program",
    "compile_rows",
    "frames_of",
    "is_wrapped",
    "layout",
    "make_builder",
    "with_nulls",
    "write_all",
    "write_one",
    "write_rows",
    "writing",
]

Program: TypeAlias = Any
"""A pair of schemas compiled by the codec in use. Share it between threads."""


class Builder(Protocol):
    """Gathers the rows of one batch. Not for use by two threads."""

    def read(
        self,
        values: Sequence[bytes | None],
        keys: Sequence[bytes | None] | None,
        programs: Mapping[bytes, Program],
        find: Callable[[int, bytes | None], Program | None],
        fail: Callable[[int, bytes, Fault], None],
        *,
        nulls: bool,
    ) -> None:
        """Add messages as rows.

        keys: for each message what says its schema's id, if that is not in front of it.
        programs: by the bytes that say it.
        find: asked for a program that is not among them, with the message's number; None leaves it out.
        fail: told of each message that is faulty; the row is left out if it returns.
        nulls: whether None is a row of nulls (see `with_nulls`); otherwise `find` is asked about it.

        Raises ValueError if a column gets too large for offsets of 32 bits; then the batch is of no use.
        """

    def finish(self) -> tuple[Buffers, dict[int, Any]]:
        """The columns, and cells of rows that are not in them, by their place among all (`pure.lay_out`)."""


def compile_program(writer: AvroSchema, reader: AvroSchema, *, strict: bool = True) -> Program:
    """Compile a pair of schemas. A writer that is just ``bytes`` has them without a length, as Confluent's.

    strict: bytes that are left after a value are a fault.

    Raises InvalidSchema if one is nested too deep.
    """
    if _is_native():
        from serde.codec.native import column_parts

        return column_parts.compile_program(writer, reader, strict=strict)
    return pure.compile_cells(writer, reader, strict=strict)


def frames_of(messages: list[bytes | None], keys: Sequence[bytes | None] | None) -> dict[bytes, int]:
    """What says which schema a message has, and the number of the first message that has it.

    messages: other buffers among them are put there as bytes. keys: as of `Builder.read`.

    Raises TypeError for a message that is neither bytes nor None.
    """
    if _is_native():
        from serde.codec.native import columns

        return columns.frames_of(messages, keys)
    return pure.frames_of(messages, keys)


def make_builder(column: Column, *, wrapped: bool, most: int = pure.MOST) -> Builder:
    """A builder of batches of a layout, for programs compiled by the codec in use.

    wrapped: whether the layout's root was made for a schema that is no record.
    most: as many bytes or items as a column's offsets may count.
    """
    if _is_native():
        from serde.codec.native import columns

        return columns.Builder(column, wrapped=wrapped, most=most)
    return pure.Builder(column, wrapped=wrapped, most=most)


def write_rows(
    schema: AvroSchema, column: Column, made: Buffers, prefix: bytes, fail: Callable[[int, Fault], NoReturn]
) -> list[bytes]:
    """The messages of a batch's rows, each with `prefix` in front.

    column: the layout of the schema. made: what is there of it.
    fail: told of a row that cannot be written, and why; it raises.
    """
    bare = is_bytes(schema)
    how = writing(column, made, bare=bare)
    write = compile_rows(how, made)
    if bare and column.children[0].logical:
        # A decimal that is a whole message: rare, and its bytes are without their length, too.
        with_length = write

        def write_bare(row: int) -> bytes:
            return read_bytes(with_length(row), 0)[0]

        return write_all(write_bare, made.length, prefix, fail)
    if not _is_native():
        return write_all(write, made.length, prefix, fail)
    from serde.codec.native import rows

    def write_pure(row: int) -> bytes:
        return write_one(write, row, prefix, fail)

    return rows.Rows(how, made, prefix, write_pure).write()


def _is_native() -> bool:
    # The native builder copies numbers from messages as they are.
    return codec_in_use() == "native" and sys.byteorder == "little"
