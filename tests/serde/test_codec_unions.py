"""Which branch of a union is written."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from serde.codec import Fault, compile_decoder, compile_encoder, parse_schema

pytestmark = pytest.mark.usefixtures("each_codec")


def record(name: str, *fields: str, default: Any = ...) -> dict[str, Any]:
    """A record of int fields; the last has a default if one is given."""
    made: list[dict[str, Any]] = [{"name": field, "type": "int"} for field in fields]
    if default is not ...:
        made[-1]["default"] = default
    return {"type": "record", "name": name, "fields": made}


MAP = {"type": "map", "values": "int"}
ARRAY = {"type": "array", "items": "int"}
MILLIS = {"type": "long", "logicalType": "timestamp-millis"}
DATE = {"type": "int", "logicalType": "date"}
DECIMAL = {"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 1}
FIXED = {"type": "fixed", "name": "F", "size": 2}
ENUM = {"type": "enum", "name": "E", "symbols": ["A", "B"]}


@pytest.mark.parametrize(
    ("union", "value", "branch"),
    [
        (["null", "int"], None, 0),
        (["int", "null"], None, 1),
        (["boolean", "int"], True, 0),
        (["int", "boolean"], True, 1),
        (["float", "int"], 5, 1),
        (["int", "long"], 1 << 40, 1),
        (["int", "long"], 5, 0),
        (["float", "double"], 5, 1),
        (["float", "double"], 0.1, 1),
        (["null", "float"], 5, 1),
        (["null", "float"], 0.1, 1),
        (["int", "double"], 1 << 40, 1),
        (["string", ENUM], "A", 0),
        ([ENUM, "string"], "A", 0),
        ([ENUM, "string"], "other", 1),
        (["bytes", FIXED], b"ab", 0),
        ([FIXED, "bytes"], b"ab", 0),
        ([FIXED, "bytes"], b"abc", 1),
        ([FIXED, "bytes"], bytearray(b"abc"), 1),
        (["null", ARRAY, MAP], [1], 1),
        (["null", ARRAY, MAP], (1, 2), 1),
        (["null", ARRAY, MAP], {"a": 1}, 2),
        ([record("A", "x"), record("B", "x", "y")], {"x": 1}, 0),
        ([record("A", "x"), record("B", "x", "y")], {"x": 1, "y": 2}, 1),
        ([record("B", "x", "y", default=0), record("A", "x")], {"x": 1}, 1),
        ([record("B", "x", "y", default=0), "null"], {"x": 1}, 0),
        ([record("A", "x"), record("B", "x")], {"x": 1}, 0),
        ([record("A", "x"), record("B", "x")], {"x": 1, "-type": "B"}, 1),
        ([record("A", "x"), record("B", "x")], ("B", {"x": 1}), 1),
        ([MAP, record("A", "x")], {"x": 1}, 0),
        ([record("A", "x"), MAP], {"x": 1}, 0),
        ([record("A", "x"), MAP], {"z": 1}, 1),
        (["string", "bytes"], ("bytes", b"a"), 1),
        (["int", "long"], ("long", 5), 1),
        (["null", "int"], ("int", 5), 1),
        ([ARRAY, MAP], ("map", {}), 1),
        (["null", ARRAY], ("array", [1]), 1),
        ([MILLIS, "int"], datetime(2024, 1, 1, tzinfo=UTC), 0),
        ([MILLIS, "int"], 5, 1),
        ([MILLIS, "null"], 5, 0),
        ([DATE, MILLIS], date(2024, 1, 1), 0),
        ([DATE, MILLIS], datetime(2024, 1, 1, tzinfo=UTC), 1),
        ([DATE, "string"], "2024-01-01", 1),
        (["double", DECIMAL], Decimal("1.5"), 1),
        ([DECIMAL, FIXED], b"ab", 1),
    ],
)
def test_the_first_branch_that_is_the_values_own_is_written(union: Any, value: Any, branch: int) -> None:
    assert compile_encoder(parse_schema(json.dumps(union)))(value)[0] == 2 * branch


@pytest.mark.parametrize(
    ("union", "value", "message"),
    [
        (["null", "int"], "5", "expected null or int, got '5'"),
        (["null", "string"], 5, "expected null or string, got 5"),
        (["int", "string"], True, "expected int or string, got True"),
        (["int", "null"], 1 << 40, "expected int, got 1099511627776, which is outside 32 bits"),
        (["int", "string"], ("long", 5), "the union has no branch 'long': it is int or string"),
        (["int", "string"], ("int", "x"), "expected int, got 'x'"),
        ([DATE, "null"], object, "expected int or null, got <class 'object'>"),
        ([], 5, "expected nothing (an empty union), got 5"),
    ],
)
def test_a_value_of_no_branch_is_refused(union: Any, value: Any, message: str) -> None:
    with pytest.raises(Fault) as caught:
        compile_encoder(parse_schema(json.dumps(union)))(value)
    assert str(caught.value) == message


def test_where_several_branches_could_be_meant_each_says_why_not() -> None:
    union = [record("A", "x"), record("B", "x", "y")]
    with pytest.raises(Fault) as caught:
        compile_encoder(parse_schema(json.dumps(union)))({"x": "no"})
    message = str(caught.value)
    assert "A: x: expected int, got 'no'" in message
    assert "B: x: expected int, got 'no'" in message


def test_reasons_within_reasons_stay_short() -> None:
    both = [record("A", "x"), record("B", "x")]
    for branch in both:
        branch["fields"].append({"name": "next", "type": ["null", "A", "B"]})
    value: Any = {"x": "no", "next": None}
    for _ in range(8):
        value = {"x": 1, "next": value}
    with pytest.raises(Fault) as caught:
        compile_encoder(parse_schema(json.dumps(both)))(value)
    assert len(str(caught.value)) < 1000


def test_a_fault_in_the_only_possible_branch_keeps_its_path() -> None:
    union = ["null", {"type": "array", "items": record("A", "x")}]
    with pytest.raises(Fault) as caught:
        compile_encoder(parse_schema(json.dumps(union)))([{"x": 1}, {"x": None}])
    assert str(caught.value) == "[1].x: expected int, got None"


def test_a_union_of_more_branches_than_one_byte_can_tell() -> None:
    union: list[Any] = [{"type": "fixed", "name": f"F{n}", "size": n} for n in range(100)]
    parsed = parse_schema(json.dumps(union))
    for size in (0, 63, 64, 99):
        body = compile_encoder(parsed)(bytes(size))
        assert compile_decoder(parsed)(body, 0) == bytes(size)


def test_an_overlong_branch_number_is_read() -> None:
    assert compile_decoder(parse_schema('["null", "int"]'))(b"\x82\x00\x04", 0) == 2
