"""What a column is made of: buffers in Arrow's layout, as the codecs give and take them."""

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

Buffer: TypeAlias = Any
"""Anything with the buffer protocol: bytes, a block of the native codec, an Arrow buffer."""


class Buffers(NamedTuple):
    """One column.

    length: its values. nulls: how many are null.
    start: the number of the first value within the buffers; the children have their own.
    valid: a bit a value, least significant first, 0 where it is null; None where none is.
    data: values; bits of a boolean; the type ids of a union; None where there are none.
    constant: where there is no column, what is written for each of its values.
    offsets: of 32 bits: length + 1 into `data` or the child, or one a value into a union's branches.
    """

    length: int
    nulls: int = 0
    start: int = 0
    valid: Buffer | None = None
    data: Buffer | None = None
    offsets: Buffer | None = None
    children: Sequence["Buffers"] = ()
    constant: bytes | None = None
