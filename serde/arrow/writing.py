"""An Arrow batch as the columns that a schema's rows are written from.

Columns are found by name, and may be of another type where no value can
become another one: a string of 64-bit offsets or of a dictionary, an integer of
another width. What would be a guess is an error: a number for a string, a time
without a zone for one in UTC.
"""

from collections.abc import Sequence
from typing import Any, Final

import pyarrow as pa

from serde.arrow.types import VALUE, type_of
from serde.codec.binary import varint
from serde.codec.columns import Buffers, Column, is_wrapped
from serde.codec.columns.layout import Kind, null_branch
from serde.codec.defaults import default_bytes
from serde.codec.fault import FAULTS, Fault, as_fault, nearest
from serde.codec.schema import MISSING, Enum, Field, Record, Union

types = pa.types

_STORED: Final = {
    Kind.BOOLEAN: pa.bool_(),
    Kind.INT: pa.int32(),
    Kind.LONG: pa.int64(),
    Kind.FLOAT: pa.float32(),
    Kind.DOUBLE: pa.float64(),
    Kind.BYTES: pa.binary(),
    Kind.STRING: pa.string(),
}


def columns_of(column: Column, batch: pa.RecordBatch, *, strict: bool = True) -> Buffers:
    """What is there of a layout's columns in a batch; a constant for a field that has a default.

    strict: False leaves out columns that no field is for, and has null for a missing one that may be null.

    Raises Fault for a column that is missing, unknown, or of a type that is not taken.
    """
    found = dict(zip(batch.schema.names, batch.columns, strict=True))
    if len(found) != batch.num_columns:
        raise Fault("two columns have one name")
    if is_wrapped(column):
        if list(found) != [VALUE]:
            raise Fault(f"expected one column, {VALUE!r}, got {', '.join(map(repr, found)) or 'none'}")
        return Buffers(batch.num_rows, children=[_named(VALUE, column.children[0], found[VALUE], strict)])
    return Buffers(batch.num_rows, children=_fields(column, found, strict))


def _fields(column: Column, found: dict[str, pa.Array], strict: bool) -> list[Buffers]:
    node = column.node
    assert isinstance(node, Record)
    for name in found:
        if strict and name not in column.names:
            hint = nearest(name, column.names)
            raise Fault(f"{node.name} has no field {name!r}{hint}")
    return [
        _named(field.name, child, found[field.name], strict)
        if field.name in found
        else _default(node, field, strict)
        for field, child in zip(node.fields, column.children, strict=True)
    ]


def _named(name: str, column: Column, array: pa.Array, strict: bool) -> Buffers:
    try:
        return _buffers(column, array, strict)
    except Fault as fault:
        raise fault.under(f".{name}") from None


def _default(record: Record, field: Field, strict: bool) -> Buffers:
    if field.default is MISSING:
        if not strict and isinstance(field.type, Union) and null_branch(field.type) >= 0:
            return Buffers(0, constant=varint(null_branch(field.type)))
        raise Fault(f"missing: {record.name} gives it no default").under(f".{field.name}")
    try:
        return Buffers(0, constant=default_bytes(field.type, field.default))
    except FAULTS as error:
        reason = (
            f"missing, and the default that {record.name} gives it is no value of its type: {as_fault(error)}"
        )
        raise Fault(reason).under(f".{field.name}") from None


def _buffers(column: Column, array: pa.Array, strict: bool) -> Buffers:
    if isinstance(array.type, pa.BaseExtensionType):
        if array.type != type_of(column):
            raise _mismatch(column, array)
        array = array.storage
    if column.kind is Kind.NULL:
        if not types.is_null(array.type):
            raise _mismatch(column, array)
        return Buffers(len(array))
    if types.is_null(array.type) and column.nullable:
        array = pa.nulls(len(array), type_of(column))
        array = array.storage if isinstance(array.type, pa.BaseExtensionType) else array
    match column.kind:
        case Kind.ENUM:
            return _flat(_symbols(column, array))
        case Kind.LIST | Kind.MAP:
            return _items(column, array, strict)
        case Kind.STRUCT:
            if not types.is_struct(array.type):
                raise _mismatch(column, array)
            # `field` is sliced as the struct is.
            found = {field.name: array.field(number) for number, field in enumerate(array.type)}
            return _flat(array)._replace(children=_fields(column, found, strict))
        case Kind.UNION:
            return _union(column, array, strict)
        case _:
            return _flat(_converted(column, array))


def _flat(array: pa.Array) -> Buffers:
    """The buffers of an array, without its children."""
    valid, *rest = array.buffers()[: {True: 1}.get(types.is_struct(array.type), 3)]
    made = Buffers(len(array), array.null_count, array.offset, valid if array.null_count else None)
    if types.is_string(array.type) or types.is_binary(array.type):
        return made._replace(offsets=rest[0], data=rest[1])
    if types.is_list(array.type) or types.is_map(array.type):
        return made._replace(offsets=rest[0])
    return made._replace(data=rest[0] if rest else None)


def _items(column: Column, array: pa.Array, strict: bool) -> Buffers:
    if column.kind is Kind.MAP:
        if not types.is_map(array.type):
            raise _mismatch(column, array)
        pairs = array.values
        keys = _text(pairs.field(0))
        if keys is None:
            raise _mismatch(column, array)
        return _flat(array)._replace(
            children=[_flat(keys), _buffers(column.children[0], pairs.field(1), strict)]
        )
    if types.is_large_list(array.type) or types.is_fixed_size_list(array.type):
        array = _cast(array, pa.list_(array.type.value_field))
    if not types.is_list(array.type):
        raise _mismatch(column, array)
    return _flat(array)._replace(children=[_buffers(column.children[0], array.values, strict)])


def _union(column: Column, array: pa.Array, strict: bool) -> Buffers:
    is_dense = types.is_union(array.type) and array.type.mode == "dense"
    names = [array.type.field(n).name for n in range(array.type.num_fields)] if is_dense else None
    if names != list(column.names) or array.type.type_codes != list(range(len(names))):
        raise _mismatch(column, array)
    _, kinds, offsets = array.buffers()[:3]
    children = [_buffers(child, array.field(number), strict) for number, child in enumerate(column.children)]
    return Buffers(len(array), 0, array.offset, None, kinds, offsets, children)


def _symbols(column: Column, array: pa.Array) -> pa.Array:
    """The numbers of symbols, in the schema's order."""
    import pyarrow.compute as pc

    assert isinstance(column.node, Enum)
    known = pa.array(column.node.symbols, pa.string())
    if types.is_dictionary(array.type):
        values, indices = _text(array.dictionary), array.indices
    else:
        values, indices = _text(array), None
    if values is None:
        raise _mismatch(column, array)
    numbers = pc.index_in(values, value_set=known)
    if indices is not None:
        numbers = numbers.take(indices)
    for row in range(len(array)) if numbers.null_count > array.null_count else ():
        if array[row].is_valid and not numbers[row].is_valid:
            raise Fault(f"expected a symbol of {column.node.name}, got {array[row].as_py()!r} in row {row}")
    return numbers


def _text(array: pa.Array) -> pa.Array | None:
    """Strings of any kind, with offsets of 32 bits."""
    if types.is_string(array.type):
        return array
    is_text = types.is_large_string(array.type) or types.is_string_view(array.type)
    if types.is_dictionary(array.type):
        is_text = types.is_string(array.type.value_type) or types.is_large_string(array.type.value_type)
    return _cast(array, pa.string()) if is_text else None


def _converted(column: Column, array: pa.Array) -> pa.Array:
    wanted = type_of(column)
    wanted = wanted.storage_type if isinstance(wanted, pa.BaseExtensionType) else wanted
    if array.type == wanted:
        return array
    if column.kind is Kind.STRING:
        text = _text(array)
        if text is None:
            raise _mismatch(column, array)
        return text
    if not _is_taken(column, array.type, wanted):
        raise _mismatch(column, array)
    # A whole number for a date or a time is the number that Avro stores.
    if types.is_integer(array.type) and column.kind in {Kind.INT, Kind.LONG}:
        return _cast(array, _STORED[column.kind])
    return _cast(array, wanted)


def _is_taken(column: Column, given: pa.DataType, wanted: pa.DataType) -> bool:
    """Whether values of a type can become those of the column, one by one."""
    match column.kind:
        case Kind.INT | Kind.LONG:
            return (
                types.is_integer(given)
                or (types.is_date(given) and types.is_date(wanted))
                or (types.is_time(given) and types.is_time(wanted))
                or (
                    types.is_timestamp(given)
                    and types.is_timestamp(wanted)
                    and (given.tz is None) == (wanted.tz is None)
                )
            )
        case Kind.FLOAT | Kind.DOUBLE:
            return bool(types.is_floating(given) or types.is_integer(given))
        case Kind.BYTES:
            return _is_binary(given)
        case Kind.FIXED:
            if column.logical == "decimal":
                return bool(types.is_decimal(given))
            return column.logical in {"", "uuid"} and _is_binary(given)
    return False


def _is_binary(given: pa.DataType) -> bool:
    return bool(
        types.is_binary(given)
        or types.is_large_binary(given)
        or types.is_binary_view(given)
        or types.is_fixed_size_binary(given)
    )


def _cast(array: pa.Array, wanted: pa.DataType) -> pa.Array:
    try:
        return array.cast(wanted)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise Fault(f"{array.type} does not fit {wanted}: {error}") from None


def _mismatch(column: Column, array: pa.Array) -> Fault:
    return Fault(f"expected a column of {type_of(column)}, got {array.type}")


def batches_of(given: Any) -> Sequence[pa.RecordBatch]:
    """The record batches of a batch, or of a table."""
    if isinstance(given, pa.RecordBatch):
        return [given]
    if isinstance(given, pa.Table):
        return list(given.to_batches())
    raise TypeError(f"expected a pyarrow.RecordBatch or Table, not {type(given).__name__}")
