"""Messages to Arrow and back by the codec in use, beneath the serializers."""

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import pyarrow as pa

from serde.arrow.reading import record_batch
from serde.arrow.writing import columns_of
from serde.codec import AvroSchema, Duration, Fault
from serde.codec.columns import (
    Program,
    compile_program,
    is_wrapped,
    layout,
    make_builder,
    with_nulls,
    write_rows,
)

ONE = b"\x00\x00\x00\x00\x01"
TWO = b"\x00\x00\x00\x00\x02"


def to_batch(
    reader: AvroSchema,
    messages: Sequence[bytes | None],
    writers: Mapping[bytes, AvroSchema],
    *,
    nulls: bool = False,
    most: int = (1 << 31) - 1,
) -> tuple[pa.RecordBatch, list[tuple[int, str]]]:
    """The batch, and the number and the fault of each message that is not in it."""
    column = layout(reader)
    wrapped = is_wrapped(column)
    if nulls:
        column = with_nulls(column)
    faults: list[tuple[int, str]] = []

    def find(index: int, data: bytes | None) -> Program | None:
        writer = None if data is None else writers.get(data[:5])
        if writer is None:
            faults.append((index, "no schema"))
            return None
        return compile_program(writer, reader)

    builder = make_builder(column, wrapped=wrapped, most=most)
    builder.read(
        messages, None, {}, find, lambda index, _data, fault: faults.append((index, str(fault))), nulls=nulls
    )
    return record_batch(column, builder.finish()), faults


def from_batch(schema: AvroSchema, batch: pa.RecordBatch, prefix: bytes = ONE) -> list[bytes]:
    """The messages of a batch. Raises Fault, with the row in front of its path."""
    column = layout(schema)

    def fail(row: int, fault: Fault) -> NoReturn:
        raise fault.under(f"row {row}")

    return write_rows(schema, column, columns_of(column, batch), prefix, fail)


def rows_of(batch: pa.RecordBatch) -> list[Any]:
    """A batch's rows as Python has them; maps are dicts, and nanoseconds since 1970 are ints."""
    arrays = [_plain(array) for array in batch.columns]
    names = batch.schema.names
    lists = [array.to_pylist(maps_as_pydicts="strict") for array in arrays]
    return [dict(zip(names, row, strict=True)) for row in zip(*lists, strict=True)] or [{}] * batch.num_rows


def text_of(batch: pa.RecordBatch) -> list[str]:
    """All values as pyarrow shows them: NaN equals itself, and a year may be beyond Python's last."""
    return [column.to_string(window=10_000, container_window=10_000) for column in batch.columns]


def _plain(array: pa.Array) -> pa.Array:
    """Without timestamps of nanoseconds, which Python cannot have, wherever they are."""
    kind = array.type
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        return array.view(pa.int64())
    if pa.types.is_struct(kind):
        fields = [_plain(array.field(number)) for number in range(kind.num_fields)]
        names = [field.name for field in kind]
        if not fields:
            return array
        return pa.StructArray.from_arrays(fields, names, mask=array.is_null())
    if pa.types.is_map(kind):
        pairs = array.values
        return pa.MapArray.from_arrays(_offsets(array), pairs.field(0), _plain(pairs.field(1)))
    if pa.types.is_list(kind):
        return pa.ListArray.from_arrays(_offsets(array), _plain(array.values), mask=array.is_null())
    if pa.types.is_union(kind):
        children = [_plain(array.field(number)) for number in range(kind.num_fields)]
        types = pa.Array.from_buffers(pa.int8(), len(array), [None, array.buffers()[1]], offset=array.offset)
        offsets = pa.Array.from_buffers(
            pa.int32(), len(array), [None, array.buffers()[2]], offset=array.offset
        )
        return pa.UnionArray.from_dense(types, offsets, children)
    return array


def _offsets(array: pa.Array) -> pa.Array:
    """With a null where the list is null, as `from_arrays` takes it."""
    offsets = array.offsets
    if not array.null_count or pa.types.is_list(array.type):
        return offsets
    there = [*array.is_valid().to_pylist(), True]
    return pa.array([n if ok else None for n, ok in zip(offsets.to_pylist(), there, strict=True)], pa.int32())


def plain(value: Any) -> Any:
    """What reading gives, as `rows_of` has it."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, Duration):
        return pa.MonthDayNano([value.months, value.days, value.millis * 1_000_000])
    return value
