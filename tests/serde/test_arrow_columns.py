"""Which Arrow columns are written as which Avro type, and which are refused."""

import json
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import pyarrow as pa
import pytest

from serde.arrow import arrow_schema
from serde.arrow.writing import columns_of
from serde.codec import AvroSchema, Fault, compile_encoder, parse_schema
from serde.codec.columns import layout
from serde.errors import InvalidSchema
from tests.serde.columns import ONE, from_batch

pytestmark = pytest.mark.usefixtures("each_codec")

ARRAY = {"type": "array", "items": "int"}
MAP = {"type": "map", "values": "int"}
ENUM = {"type": "enum", "name": "E", "symbols": ["A", "B"]}


def field(kind: Any) -> AvroSchema:
    return parse_schema(json.dumps({"type": "record", "name": "R", "fields": [{"name": "f", "type": kind}]}))


def logical(stored: str, name: str, **more: int) -> Any:
    return {"type": stored, "logicalType": name, **more}


MICROS = logical("long", "timestamp-micros")
LOCAL = logical("long", "local-timestamp-millis")
DECIMAL = logical("bytes", "decimal", precision=6, scale=2)
UTC_TIME = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
KEY = UUID(int=7)
TAKEN: list[tuple[Any, pa.Array, list[Any]]] = [
    ("int", pa.array([1, -2], pa.int8()), [1, -2]),
    ("int", pa.array([1, 2], pa.uint64()), [1, 2]),
    ("long", pa.array([1, 2], pa.int32()), [1, 2]),
    ("double", pa.array([1, 2], pa.int32()), [1.0, 2.0]),
    ("double", pa.array([0.5, 2], pa.float32()), [0.5, 2.0]),
    ("float", pa.array([0.5, 2], pa.float64()), [0.5, 2.0]),
    ("string", pa.array(["a", "bc"], pa.large_string()), ["a", "bc"]),
    ("string", pa.array(["a", "bc"], pa.string_view()), ["a", "bc"]),
    ("string", pa.array(["a", "a"]).dictionary_encode(), ["a", "a"]),
    ("bytes", pa.array([b"a", b"bc"], pa.large_binary()), [b"a", b"bc"]),
    ("bytes", pa.array([b"ab", b"bc"], pa.binary(2)), [b"ab", b"bc"]),
    ({"type": "fixed", "name": "F", "size": 2}, pa.array([b"ab", b"bc"]), [b"ab", b"bc"]),
    (ENUM, pa.array(["B", "A"]), ["B", "A"]),
    (ENUM, pa.array(["B", "A"], pa.large_string()), ["B", "A"]),
    (ENUM, pa.DictionaryArray.from_arrays(pa.array([2, 0]), ["B", "unused", "A"]), ["A", "B"]),
    (["null", ENUM], pa.array(["B", None]), ["B", None]),
    (["string", "null"], pa.array(["a", None]), ["a", None]),
    (["string", "null"], pa.nulls(2), [None, None]),
    (["null", logical("string", "uuid")], pa.nulls(2), [None, None]),
    (ARRAY, pa.array([[1], []], pa.large_list(pa.int64())), [[1], []]),
    (ARRAY, pa.array([[1, 2], [3, 4]], pa.list_(pa.int32(), 2)), [[1, 2], [3, 4]]),
    (MAP, pa.array([[("a", 1)], []], pa.map_(pa.string(), pa.int64())), [{"a": 1}, {}]),
    (logical("int", "date"), pa.array([date(2026, 1, 2)] * 2, pa.date64()), [date(2026, 1, 2)] * 2),
    (logical("int", "date"), pa.array([1, 2]), [1, 2]),
    (logical("int", "time-millis"), pa.array([time(1)] * 2, pa.time64("ns")), [time(1)] * 2),
    (MICROS, pa.array([UTC_TIME] * 2, pa.timestamp("s", "Europe/Rome")), [UTC_TIME] * 2),
    (MICROS, pa.array([5, 6]), [5, 6]),
    (LOCAL, pa.array([datetime(2026, 1, 2)] * 2, pa.timestamp("us")), [datetime(2026, 1, 2)] * 2),
    (DECIMAL, pa.array([Decimal("1.5"), Decimal(2)], pa.decimal256(40, 2)), [Decimal("1.5"), Decimal(2)]),
    (DECIMAL, pa.array([Decimal("1.5"), Decimal(2)], pa.decimal128(4, 1)), [Decimal("1.5"), Decimal(2)]),
    (logical("string", "uuid"), pa.array([KEY.bytes] * 2, pa.binary(16)), [KEY] * 2),
    (logical("string", "uuid"), pa.array([KEY.bytes] * 2, pa.uuid()), [KEY] * 2),
]


@pytest.mark.parametrize(("kind", "array", "values"), TAKEN, ids=lambda part: str(getattr(part, "type", "")))
def test_a_column_of_another_type_is_written_where_no_value_changes(
    kind: Any, array: pa.Array, values: list[Any]
) -> None:
    schema = field(kind)
    encode = compile_encoder(schema, prefix=ONE)
    wanted = [encode({"f": value}) for value in values]
    assert from_batch(schema, pa.record_batch({"f": array})) == wanted
    twice = pa.record_batch({"f": pa.concat_arrays([array, array])})
    assert from_batch(schema, twice.slice(1, 2)) == [wanted[1], wanted[0]]


REFUSED: list[tuple[Any, pa.Array, str]] = [
    ("int", pa.array([1, 1 << 40]), "f: int64 does not fit int32: "),
    ("int", pa.array([1.0]), "f: expected a column of int32, got double"),
    ("int", pa.array([True]), "f: expected a column of int32, got bool"),
    ("int", pa.array([date(2026, 1, 2)]), "f: expected a column of int32, got date32"),
    ("boolean", pa.array([1]), "f: expected a column of bool, got int64"),
    ("string", pa.array([b"a"]), "f: expected a column of string, got binary"),
    ("bytes", pa.array(["a"]), "f: expected a column of binary, got string"),
    ("null", pa.array([1]), "f: expected a column of null, got int64"),
    ("double", pa.array([(1 << 53) + 1]), "f: int64 does not fit double: "),
    (ENUM, pa.array(["A", "C"]), "f: expected a symbol of E, got 'C' in row 1"),
    (ENUM, pa.array(["A", "C"]).dictionary_encode(), "f: expected a symbol of E, got 'C' in row 1"),
    (ENUM, pa.array([0]), "f: expected a column of dictionary"),
    (ARRAY, pa.array([1]), "f: expected a column of list"),
    (MAP, pa.array([{"a": 1}]), "f: expected a column of map"),
    (["int", "string"], pa.array([1]), "f: expected a column of dense_union"),
    (MICROS, pa.array([datetime(2026, 1, 2)]), "f: expected a column of timestamp"),
    (LOCAL, pa.array([UTC_TIME]), "f: expected a column of timestamp"),
    (LOCAL, pa.array([datetime(2026, 1, 2, 0, 0, 0, 1)]), "does not fit timestamp"),
    (DECIMAL, pa.array([Decimal("1.555")]), "does not fit decimal128"),
    (
        logical("string", "uuid"),
        pa.array([str(KEY)]),
        "f: expected a column of extension<arrow.uuid>, got string",
    ),
    ({"type": "fixed", "name": "F", "size": 2}, pa.array([b"abc"]), "does not fit fixed_size_binary"),
]


@pytest.mark.parametrize(
    ("kind", "array", "reason"), REFUSED, ids=lambda part: str(getattr(part, "type", ""))
)
def test_what_would_be_a_guess_is_refused(kind: Any, array: pa.Array, reason: str) -> None:
    with pytest.raises(Fault) as refused:
        columns_of(layout(field(kind)), pa.record_batch({"f": array}))
    assert reason in str(refused.value)


def test_a_value_that_does_not_fit_says_its_row_and_its_place() -> None:
    schema = field(
        {"type": "array", "items": {"type": "record", "name": "S", "fields": [{"name": "x", "type": "int"}]}}
    )
    array = pa.array([[{"x": 1}], [{"x": 2}, {"x": None}]])
    with pytest.raises(Fault, match=r"^row 1\.f\[1\]\.x: expected a value, got null"):
        from_batch(schema, pa.record_batch({"f": array}))
    duration = field({"type": "fixed", "name": "D", "size": 12, "logicalType": "duration"})
    for parts in ([-1, 0, 0], [0, -1, 0], [0, 0, -1], [0, 0, 1], [0, 0, 1_000_000 << 32]):
        batch = pa.record_batch({"f": pa.array([pa.MonthDayNano([1, 2, 3_000_000]), pa.MonthDayNano(parts)])})
        with pytest.raises(Fault, match="whole milliseconds"):
            from_batch(duration, batch)
    times = field(logical("int", "time-millis"))
    with pytest.raises(Fault, match="not within a day"):
        from_batch(times, pa.record_batch({"f": pa.array([86_400_000], pa.int32())}))
    raw = pa.Array.from_buffers(pa.decimal128(6, 2), 1, [None, pa.py_buffer((10**6).to_bytes(16, "little"))])
    with pytest.raises(Fault, match="more digits"):
        from_batch(field(DECIMAL), pa.record_batch({"f": raw}))
    broken = pa.Array.from_buffers(
        pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\1\0\0\0"), pa.py_buffer(b"\xff")]
    )
    with pytest.raises(Fault, match="not UTF-8"):
        from_batch(field("string"), pa.record_batch({"f": broken}))
    big = field(logical("bytes", "big-decimal"))
    assert from_batch(big, pa.record_batch({"f": [b"\x02\x05\x02"]})) == [ONE + b"\x06\x02\x05\x02"]
    with pytest.raises(Fault):
        from_batch(big, pa.record_batch({"f": [b"\x02\x05"]}))


def test_columns_are_found_by_name_and_defaults_are_written() -> None:
    inner = {"type": "record", "name": "S", "fields": [{"name": "x", "type": "int", "default": 7}]}
    schema = parse_schema(
        json.dumps(
            {
                "type": "record",
                "name": "R",
                "fields": [
                    {"name": "a", "type": "int"},
                    {"name": "b", "type": {"type": "array", "items": "int"}, "default": [1]},
                    {"name": "c", "type": inner},
                ],
            }
        )
    )
    empty = pa.array([{}, {}], pa.struct([]))
    batch = pa.record_batch({"c": empty, "a": [1, 2]})
    encode = compile_encoder(schema, prefix=ONE)
    assert from_batch(schema, batch) == [encode({"a": n, "c": {}}) for n in (1, 2)]
    for columns, reason in (
        ({"c": empty}, "a: missing: R gives it no default"),
        ({"a": [1, 2], "c": empty, "d": [1, 2]}, "R has no field 'd'"),
        ({"A": [1, 2], "c": empty}, "R has no field 'A'"),
    ):
        with pytest.raises(Fault) as refused:
            columns_of(layout(schema), pa.record_batch(columns))
        assert reason in str(refused.value)


def test_what_arrow_cannot_hold_has_no_schema() -> None:
    many = [{"type": "fixed", "name": f"F{n}", "size": 1} for n in range(128)]
    for kind, reason in (
        (logical("bytes", "decimal", precision=77), "Arrow's have at most 76"),
        (many, "a union of 128 branches"),
        ([], "a union of 0 branches"),
        (
            {
                "type": "record",
                "name": "N",
                "fields": [{"name": "n", "type": {"type": "map", "values": "N"}}],
            },
            "N holds itself",
        ),
    ):
        with pytest.raises(InvalidSchema, match=reason):
            arrow_schema(
                json.dumps({"type": "record", "name": "Top", "fields": [{"name": "f", "type": kind}]})
            )
    assert arrow_schema('"int"') == pa.schema([pa.field("value", pa.int32(), nullable=False)])
