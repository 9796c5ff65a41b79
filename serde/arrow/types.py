"""Arrow's types for Avro's."""

from collections.abc import Collection, Iterable
from typing import Final

from serde.codec import parse_schema
from serde.codec.columns import Column, layout
from serde.codec.columns.layout import Kind
from serde.codec.schema import Fixed, Primitive
from serde.errors import MissingExtra

try:
    import pyarrow as pa
except ImportError as error:
    raise MissingExtra(
        f"Arrow needs pyarrow, which cannot be imported ({error}): pip install 'fivebyte[arrow]'"
    ) from error

VALUE: Final = "value"
ITEM: Final = "item"

_TYPES: Final = {
    Kind.NULL: pa.null(),
    Kind.BOOLEAN: pa.bool_(),
    Kind.INT: pa.int32(),
    Kind.LONG: pa.int64(),
    Kind.FLOAT: pa.float32(),
    Kind.DOUBLE: pa.float64(),
    Kind.BYTES: pa.binary(),
    Kind.STRING: pa.string(),
    Kind.ENUM: pa.dictionary(pa.int32(), pa.string()),
}
_LOGICAL: Final = {
    "date": pa.date32(),
    "time-millis": pa.time32("ms"),
    "time-micros": pa.time64("us"),
    "timestamp-millis": pa.timestamp("ms", "UTC"),
    "timestamp-micros": pa.timestamp("us", "UTC"),
    "timestamp-nanos": pa.timestamp("ns", "UTC"),
    "local-timestamp-millis": pa.timestamp("ms"),
    "local-timestamp-micros": pa.timestamp("us"),
    "local-timestamp-nanos": pa.timestamp("ns"),
    "uuid": pa.uuid(),
    "duration": pa.month_day_nano_interval(),
    "big-decimal": pa.binary(),
}


def arrow_schema(
    schema: str, *, references: Iterable[str] = (), raw_logical_types: Collection[str] = ()
) -> pa.Schema:
    """The schema of the record batches of an Avro schema.

    references: the texts of schemas whose types it uses.
    raw_logical_types: names of logical types to leave as they are stored.

    Raises InvalidSchema for text that is no schema, a recursive one, and one that Arrow cannot hold.
    """
    return schema_of(layout(parse_schema(schema, references, raw=raw_logical_types)))


def schema_of(column: Column) -> pa.Schema:
    """The schema of the batches of a layout."""
    return pa.schema(_fields(column))


def type_of(column: Column) -> pa.DataType:
    """The type of a column."""
    if column.logical == "decimal":
        assert isinstance(column.node, Primitive | Fixed)
        assert column.node.logical is not None
        digits = column.node.logical.precision, column.node.logical.scale
        return pa.decimal128(*digits) if column.width == 16 else pa.decimal256(*digits)
    if column.logical:
        return _LOGICAL[column.logical]
    match column.kind:
        case Kind.FIXED:
            return pa.binary(column.width)
        case Kind.LIST:
            return pa.list_(_field(ITEM, column.children[0]))
        case Kind.MAP:
            return pa.map_(pa.string(), _field(VALUE, column.children[0]))
        case Kind.STRUCT:
            return pa.struct(_fields(column))
        case Kind.UNION:
            return pa.dense_union(_fields(column))
        case kind:
            return _TYPES[kind]


def _fields(column: Column) -> list[pa.Field]:
    return [_field(name, child) for name, child in zip(column.names, column.children, strict=True)]


def _field(name: str, column: Column) -> pa.Field:
    return pa.field(name, type_of(column), nullable=column.nullable or column.kind is Kind.NULL)
