"""What the encoder refuses, in the words it does, and what it takes."""

import json
import time as clock
from array import array
from collections import OrderedDict, UserDict
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import IntEnum
from typing import Any
from uuid import UUID

import pytest

from serde.codec import Fault, compile_decoder, compile_encoder, parse_schema

pytestmark = pytest.mark.usefixtures("each_codec")

ORDER = {
    "type": "record",
    "name": "shop.Order",
    "fields": [
        {"name": "id", "type": "int"},
        {
            "name": "lines",
            "type": {
                "type": "array",
                "items": {
                    "type": "record",
                    "name": "Line",
                    "fields": [
                        {"name": "price", "type": "double"},
                        {"name": "note", "type": ["null", "string"], "default": None},
                    ],
                },
            },
        },
        {"name": "attributes", "type": {"type": "map", "values": "long"}, "default": {}},
    ],
}
LINE = {"price": 1.0, "note": None}


class Level(IntEnum):
    HIGH = 3


def logical(kind: str, logical_type: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "logicalType": logical_type, **more}


def encode(schema: Any, value: Any) -> bytes:
    return compile_encoder(parse_schema(json.dumps(schema)))(value)


def round_trip(schema: Any, value: Any) -> Any:
    return compile_decoder(parse_schema(json.dumps(schema)))(encode(schema, value), 0)


@pytest.mark.parametrize(
    ("schema", "value", "message"),
    [
        ("null", 0, "expected null, got 0"),
        ("boolean", "false", "expected boolean, got 'false'"),
        ("boolean", 1, "expected boolean, got 1"),
        ("int", 1.5, "expected int, got 1.5"),
        ("int", 2.0, "expected int, got 2.0"),
        ("int", True, "expected int, got True"),
        ("int", "5", "expected int, got '5'"),
        ("int", 1 << 40, "expected int, got 1099511627776, which is outside 32 bits"),
        ("int", -(1 << 31) - 1, "expected int, got -2147483649, which is outside 32 bits"),
        ("long", 1 << 63, "expected long, got 9223372036854775808, which is outside 64 bits"),
        ("long", None, "expected long, got None"),
        ("float", 1e300, "expected float, got 1e+300, which is outside 32 bits"),
        ("float", "NaN", "expected float, got 'NaN'"),
        ("double", "x", "expected double, got 'x'"),
        ("double", False, "expected double, got False"),
        ("double", Decimal("1.5"), "expected double, got Decimal('1.5')"),
        ("bytes", "text", "expected bytes, got 'text'"),
        ("bytes", [1], "expected bytes, got [1]"),
        ("string", b"raw", "expected string, got b'raw'"),
        ("string", 5, "expected string, got 5"),
        ("string", "\ud800", "cannot be written as UTF-8: surrogates not allowed at character 0"),
        ({"type": "fixed", "name": "F", "size": 3}, b"ab", "expected 3 bytes for F, got 2"),
        ({"type": "fixed", "name": "F", "size": 3}, "abc", "expected 3 bytes for F, got 'abc'"),
        (
            {"type": "enum", "name": "E", "symbols": ["RED", "BLUE"]},
            "RDE",
            "expected a symbol of E (did you mean 'RED'?), got 'RDE'",
        ),
        ({"type": "enum", "name": "E", "symbols": ["A"]}, ["A"], "expected a symbol of E, got ['A']"),
        (
            {"type": "enum", "name": "E", "symbols": ["NEW", "PAID"]},
            "paid",
            "expected a symbol of E (did you mean 'PAID'?), got 'paid'",
        ),
        (ORDER, {"ID": 1, "lines": []}, "shop.Order has no field 'ID' (did you mean 'id'?)"),
        ({"type": "array", "items": "int"}, "12", "expected array, got '12'"),
        ({"type": "array", "items": "int"}, b"12", "expected array, got b'12'"),
        ({"type": "array", "items": "int"}, {"a": 1}, "expected array, got {'a': 1}"),
        ({"type": "array", "items": "int"}, [1, "x"], "[1]: expected int, got 'x'"),
        ({"type": "map", "values": "int"}, [("a", 1)], "expected map, got [('a', 1)]"),
        ({"type": "map", "values": "int"}, {1: 1}, "[1]: expected string, got 1"),
        ({"type": "map", "values": "int"}, {"a b": None}, "['a b']: expected int, got None"),
        (ORDER, [1], "expected shop.Order, got [1]"),
        (ORDER, {"id": 1}, "lines: missing: shop.Order gives it no default"),
        (ORDER, {}, "id: missing: shop.Order gives it no default"),
        (
            ORDER,
            {"id": 1, "lines": [LINE], "atributes": {}},
            "shop.Order has no field 'atributes' (did you mean 'attributes'?)",
        ),
        (
            ORDER,
            {"id": 1, "lines": [LINE], "attributes": {}, "zzz": 1},
            "shop.Order has no field 'zzz'",
        ),
        (
            ORDER,
            {"id": 1, "lines": [LINE, {"price": "x", "note": None}], "attributes": {}},
            "lines[1].price: expected double, got 'x'",
        ),
        (
            ORDER,
            {"id": 1, "lines": [LINE, {"price": 1.0, "note": 5}]},
            "lines[1].note: expected null or string, got 5",
        ),
        (ORDER, {"id": 1, "lines": [], "attributes": {"k": 1.0}}, "attributes['k']: expected long, got 1.0"),
        (
            ORDER,
            {"id": 1, "lines": [], "-type": "shop.Other"},
            "expected shop.Order, got a record of type 'shop.Other'",
        ),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_its_path(schema: Any, value: Any, message: str) -> None:
    with pytest.raises(Fault) as caught:
        encode(schema, value)
    assert str(caught.value) == message


def test_a_nullable_field_without_default_may_not_be_left_out() -> None:
    schema = {"type": "record", "name": "R", "fields": [{"name": "a", "type": ["null", "int"]}]}
    with pytest.raises(Fault, match="a: missing: R gives it no default"):
        encode(schema, {})


def test_a_value_that_holds_itself_is_refused() -> None:
    node: dict[str, Any] = {}
    node["next"] = node
    schema = {"type": "record", "name": "N", "fields": [{"name": "next", "type": ["null", "N"]}]}
    with pytest.raises(Fault, match="nested too deep, or holds itself"):
        encode(schema, node)


@pytest.mark.parametrize(
    ("schema", "value", "expected"),
    [
        ("int", Level.HIGH, 3),
        ("double", 3, 3.0),
        ("float", 1 << 20, float(1 << 20)),
        ("bytes", bytearray(b"ab"), b"ab"),
        ("bytes", memoryview(b"ab"), b"ab"),
        ({"type": "array", "items": "int"}, (1, 2), [1, 2]),
        ({"type": "array", "items": "int"}, array("i", [1, 2]), [1, 2]),
        ({"type": "map", "values": "int"}, UserDict({"a": 1}), {"a": 1}),
        ({"type": "array", "items": "int"}, range(200), list(range(200))),
        ({"type": "fixed", "name": "F", "size": 2}, bytearray(b"ab"), b"ab"),
        (ORDER, {"id": 1, "lines": []}, {"id": 1, "lines": [], "attributes": {}}),
        (
            ORDER,
            OrderedDict(lines=[UserDict(price=2.0)], id=1, attributes={"a": 1}),
            {"id": 1, "lines": [{"price": 2.0, "note": None}], "attributes": {"a": 1}},
        ),
        (
            ORDER,
            {"-type": "shop.Order", "id": 1, "lines": []},
            {"id": 1, "lines": [], "attributes": {}},
        ),
    ],
)
def test_what_stands_for_the_type_is_taken(schema: Any, value: Any, expected: Any) -> None:
    assert round_trip(schema, value) == expected


def test_nan_and_infinities_come_back() -> None:
    nan = round_trip("double", float("nan"))
    assert nan != nan
    assert round_trip("float", float("-inf")) == float("-inf")


DECIMAL = logical("bytes", "decimal", precision=4, scale=2)
FIXED_DECIMAL = logical("fixed", "decimal", name="D", size=2, precision=4, scale=2)
PARIS = timezone(timedelta(hours=2))
NOON = datetime(2024, 5, 6, 12, 0, 0, 123456, tzinfo=PARIS)


@pytest.mark.parametrize(
    ("schema", "value", "expected"),
    [
        (logical("int", "date"), date(1969, 12, 31), date(1969, 12, 31)),
        (logical("int", "date"), -1, date(1969, 12, 31)),
        (logical("int", "date"), "2024-05-06", date(2024, 5, 6)),
        (logical("int", "time-millis"), time(23, 59, 59, 999999), time(23, 59, 59, 999000)),
        (logical("long", "time-micros"), time(1, 2, 3, 4), time(1, 2, 3, 4)),
        (logical("long", "time-micros"), 1, time(0, 0, 0, 1)),
        (logical("long", "timestamp-micros"), NOON, NOON.astimezone(UTC)),
        (
            logical("long", "timestamp-millis"),
            NOON,
            datetime(2024, 5, 6, 10, 0, 0, 123000, tzinfo=UTC),
        ),
        (logical("long", "timestamp-millis"), -1, datetime(1969, 12, 31, 23, 59, 59, 999000, tzinfo=UTC)),
        (logical("long", "local-timestamp-micros"), NOON, NOON.replace(tzinfo=None)),
        (logical("long", "local-timestamp-millis"), 1500, datetime(1970, 1, 1, 0, 0, 1, 500000)),
        (DECIMAL, Decimal("12.34"), Decimal("12.34")),
        (DECIMAL, Decimal("-1.28"), Decimal("-1.28")),
        (DECIMAL, Decimal("1.500"), Decimal("1.5")),
        (DECIMAL, Decimal("1E+1"), Decimal(10)),
        (DECIMAL, b"\xff\x80", Decimal("-1.28")),
        (FIXED_DECIMAL, Decimal("-99.99"), Decimal("-99.99")),
        (FIXED_DECIMAL, Decimal(0), Decimal(0)),
        (
            logical("string", "uuid"),
            UUID("12345678123456781234567812345678"),
            UUID("12345678-1234-5678-1234-567812345678"),
        ),
        (
            logical("string", "uuid"),
            "12345678-1234-5678-1234-567812345678",
            UUID("12345678-1234-5678-1234-567812345678"),
        ),
        # Logical types that are unknown, or not valid, are their stored type.
        (logical("string", "no-such-type"), "x", "x"),
        (logical("string", "timestamp-nanos"), "x", "x"),
        (logical("fixed", "uuid", name="U", size=4), b"abcd", b"abcd"),
        (logical("fixed", "duration", name="D", size=4), b"abcd", b"abcd"),
        (logical("bytes", "decimal"), b"x", b"x"),
        (logical("bytes", "decimal", precision=2, scale=3), b"x", b"x"),
    ],
)
def test_logical_types_take_pythons_type_or_the_stored_value(schema: Any, value: Any, expected: Any) -> None:
    assert round_trip(schema, value) == expected


def test_a_datetime_without_a_zone_is_local_time(monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        with monkeypatch.context() as patch:
            patch.setenv("TZ", "EAST-05:00")
            clock.tzset()
            found = round_trip(logical("long", "timestamp-micros"), datetime(2024, 1, 1, 12))
    finally:
        clock.tzset()
    assert found == datetime(2024, 1, 1, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("number", "size"), [("-1.28", 1), ("1.27", 1), ("1.28", 2), ("-1.29", 2), ("0", 1), ("-0.01", 1)]
)
def test_a_decimal_takes_as_few_bytes_as_java_writes(number: str, size: int) -> None:
    assert encode(DECIMAL, Decimal(number))[0] == 2 * size


@pytest.mark.parametrize(
    ("schema", "value", "message"),
    [
        (logical("int", "date"), NOON, "whose time of day would be lost"),
        (logical("int", "date"), "yesterday", "expected a date"),
        (logical("int", "date"), 1.0, "expected int or date, got 1.0"),
        (logical("long", "timestamp-millis"), date(2024, 1, 1), "expected long or datetime, got"),
        (logical("long", "timestamp-millis"), "2024", "expected long or datetime, got '2024'"),
        (logical("int", "time-millis"), NOON, "expected int or time"),
        (DECIMAL, Decimal("0.001"), "more than 2 digits after the point"),
        (DECIMAL, Decimal("1E-9999999"), "more than 2 digits after the point"),
        (DECIMAL, Decimal("1E+9999999"), "more than 4 digits"),
        (DECIMAL, Decimal("123.45"), "more than 4 digits at scale 2"),
        (DECIMAL, Decimal("NaN"), "expected a decimal, got NaN"),
        (DECIMAL, 1.5, "expected bytes or Decimal, got 1.5"),
        (logical("string", "uuid"), "not-a-uuid", "expected a UUID, got 'not-a-uuid'"),
        (logical("string", "uuid"), 5, "expected string or UUID, got 5"),
    ],
)
def test_logical_types_refuse_what_would_be_lost(schema: Any, value: Any, message: str) -> None:
    with pytest.raises(Fault) as caught:
        encode(schema, value)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("schema", "stored", "raw"),
    [
        (logical("long", "timestamp-millis"), "long", 253_402_300_800_000),
        (logical("long", "timestamp-micros"), "long", (1 << 63) - 1),
        (logical("int", "date"), "int", -800_000),
        (logical("int", "time-millis"), "int", -1),
        (logical("int", "time-millis"), "int", 86_400_000),
        (logical("string", "uuid"), "string", "nonsense"),
    ],
)
def test_a_stored_value_that_python_cannot_hold_is_a_fault(schema: Any, stored: str, raw: Any) -> None:
    with pytest.raises(Fault):
        compile_decoder(parse_schema(json.dumps(schema)))(encode(stored, raw), 0)
