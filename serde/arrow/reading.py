"""What a builder has built, as an Arrow record batch."""

from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa

from serde.arrow.types import schema_of
from serde.codec.columns import Buffers, Column, is_wrapped
from serde.codec.columns.layout import Kind
from serde.codec.columns.pure import lay_out
from serde.codec.schema import Enum


def record_batch(
    column: Column, built: tuple[Buffers, dict[int, Any]], schema: pa.Schema | None = None
) -> pa.RecordBatch:
    """What a builder has built, as a batch, without a copy.

    schema: `schema_of` the column, where it is at hand.

    Rows that only the pure codec read are put in their places, with one.
    """
    buffers, rare = built
    schema = schema_of(column) if schema is None else schema
    batch = _batch(column, buffers, schema)
    if not rare:
        return batch
    others = _batch(column, lay_out(column, list(rare.values()), is_wrapped(column)), schema)
    places, taken = [], 0
    for place in range(len(batch) + len(others)):
        taken += place in rare
        places.append(len(batch) + taken - 1 if place in rare else place - taken)
    joined = pa.concat_batches([batch, others])
    return joined.take(pa.array(places, pa.int64()))


def _batch(column: Column, buffers: Buffers, schema: pa.Schema) -> pa.RecordBatch:
    arrays = _arrays(column.children, buffers.children, schema.types)
    if arrays:
        return pa.RecordBatch.from_arrays(arrays, schema=schema)
    # A record without fields has rows all the same.
    struct = pa.StructArray.from_buffers(pa.struct([]), buffers.length, [None])
    return pa.RecordBatch.from_struct_array(struct)


def _arrays(columns: Sequence[Column], made: Sequence[Buffers], types: Iterable[Any]) -> list[pa.Array]:
    return [_array(*each) for each in zip(columns, made, types, strict=True)]


def _array(column: Column, made: Buffers, arrow: pa.DataType) -> pa.Array:
    kind, children = column.kind, made.children
    if kind is Kind.NULL:
        return pa.nulls(made.length)
    if kind is Kind.ENUM:
        assert isinstance(column.node, Enum)
        numbers = pa.Array.from_buffers(
            pa.int32(), made.length, [*_valid(made), _buffer(made.data)], made.nulls
        )
        return pa.DictionaryArray.from_arrays(numbers, pa.array(column.node.symbols, pa.string()))
    if kind is Kind.UNION:
        return pa.Array.from_buffers(
            arrow,
            made.length,
            [None, _buffer(made.data), _buffer(made.offsets)],
            children=_arrays(column.children, children, _types(arrow)),
        )
    if kind is Kind.MAP:
        keys, values = children
        key_array = pa.Array.from_buffers(
            pa.string(), keys.length, [None, _buffer(keys.offsets), _buffer(keys.data)]
        )
        pairs = pa.StructArray.from_arrays(
            [key_array, _array(column.children[0], values, arrow.item_type)], fields=list(_entry(arrow))
        )
        return pa.Array.from_buffers(
            arrow, made.length, [*_valid(made), _buffer(made.offsets)], made.nulls, children=[pairs]
        )
    buffers = _valid(made)
    if made.offsets is not None:
        buffers.append(_buffer(made.offsets))
    if made.data is not None:
        buffers.append(_buffer(made.data))
    inner = _arrays(column.children, children, _types(arrow)) if children else None
    storage = arrow.storage_type if isinstance(arrow, pa.BaseExtensionType) else arrow
    array = pa.Array.from_buffers(storage, made.length, buffers, made.nulls, children=inner)
    return array if storage is arrow else pa.ExtensionArray.from_storage(arrow, array)


def _types(arrow: pa.DataType) -> list[pa.DataType]:
    return [arrow.field(number).type for number in range(arrow.num_fields)]


def _entry(arrow: pa.MapType) -> Iterable[pa.Field]:
    return arrow.key_field, arrow.item_field


def _valid(made: Buffers) -> list[pa.Buffer | None]:
    return [None if made.valid is None or not made.nulls else pa.py_buffer(made.valid)]


def _buffer(made: Any) -> pa.Buffer:
    return pa.py_buffer(made)
