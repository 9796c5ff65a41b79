"""A reader's schema that is not the writer's: defaults, aliases, promotions, and what cannot be resolved."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from serde.codec import Fault, compile_decoder, compile_encoder, parse_schema

pytestmark = pytest.mark.usefixtures("each_codec")


def record(*fields: dict[str, Any], name: str = "R", **more: Any) -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": list(fields), **more}


def field(name: str, kind: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, **more}


def resolve(writer: Any, value: Any, reader: Any) -> Any:
    return decoder(writer, reader)(compile_encoder(parse_schema(json.dumps(writer)))(value), 0)


def decoder(writer: Any, reader: Any) -> Any:
    return compile_decoder(parse_schema(json.dumps(writer)), parse_schema(json.dumps(reader)))


POINT = record(field("x", "int", default=1), field("y", "bytes", default="\u00fe"), name="Point")


@pytest.mark.parametrize(
    ("kind", "default", "expected"),
    [
        ("null", None, None),
        ("boolean", True, True),
        ("long", 1 << 40, 1 << 40),
        ("double", 1, 1.0),
        ("bytes", "\u0000\u00ff", b"\x00\xff"),
        ({"type": "fixed", "name": "F", "size": 2}, "\u0001\u0080", b"\x01\x80"),
        ({"type": "enum", "name": "E", "symbols": ["A", "B"]}, "B", "B"),
        ({"type": "array", "items": "bytes"}, ["\u00ff"], [b"\xff"]),
        ({"type": "map", "values": "double"}, {"k": 1}, {"k": 1.0}),
        (POINT, {"x": 5}, {"x": 5, "y": b"\xfe"}),
        (["null", "bytes"], None, None),
        (["bytes", "null"], "\u00ff", b"\xff"),
        # Since Avro 1.12 the default may be of any branch.
        (["null", "bytes"], "\u00ff", b"\xff"),
        ({"type": "int", "logicalType": "date"}, 0, date(1970, 1, 1)),
        ({"type": "long", "logicalType": "timestamp-millis"}, 0, datetime(1970, 1, 1, tzinfo=UTC)),
        ({"type": "bytes", "logicalType": "decimal", "precision": 3, "scale": 1}, "\u0019", Decimal("2.5")),
    ],
)
def test_a_default_is_converted(kind: Any, default: Any, expected: Any) -> None:
    reader = record(field("a", "int"), field("b", kind, default=default))
    found = resolve(record(field("a", "int")), {"a": 1}, reader)
    assert found == {"a": 1, "b": expected}
    assert type(found["b"]) is type(expected)
    # The same bytes are written for a field that the user leaves out.
    assert resolve(reader, {"a": 1}, reader) == found


@pytest.mark.parametrize(
    ("kind", "default"),
    [
        ({"type": "array", "items": "int"}, []),
        ({"type": "map", "values": "int"}, {}),
        (POINT, {"x": 1}),
        ({"type": "array", "items": {"type": "array", "items": "int"}}, [[1]]),
    ],
)
def test_a_default_is_new_in_each_record(kind: Any, default: Any) -> None:
    decode = decoder(record(), record(field("b", kind, default=default)))
    first, second = decode(b"", 0), decode(b"", 0)
    first["b"].clear()
    assert second["b"] == decode(b"", 0)["b"] != first["b"] or default in ([], {})
    assert first["b"] is not second["b"]


def test_a_nested_default_is_new_in_each_record() -> None:
    kind = {"type": "array", "items": {"type": "array", "items": "int"}}
    decode = decoder(record(), record(field("b", kind, default=[[1]])))
    decode(b"", 0)["b"][0].append(2)
    assert decode(b"", 0) == {"b": [[1]]}


@pytest.mark.parametrize(
    ("writer", "value", "reader", "expected"),
    [
        ("int", 5, "long", 5),
        ("int", 5, "double", 5.0),
        ("long", 5, "float", 5.0),
        ("string", "é", "bytes", "é".encode()),
        ("bytes", b"a", "string", "a"),
        ("int", 5, {"type": "long", "logicalType": "timestamp-millis"}, datetime.fromtimestamp(0.005, UTC)),
        # fastavro leaves a number where only the reader knows that it is a time.
        ("long", 0, {"type": "long", "logicalType": "timestamp-micros"}, datetime(1970, 1, 1, tzinfo=UTC)),
        ({"type": "long", "logicalType": "timestamp-micros"}, 7, "long", 7),
        # Another unit of the same thing: the moment stays.
        (
            {"type": "long", "logicalType": "timestamp-millis"},
            1000,
            {"type": "long", "logicalType": "timestamp-micros"},
            datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC),
        ),
        (
            {"type": "bytes", "logicalType": "decimal", "precision": 3, "scale": 1},
            Decimal("1.5"),
            {"type": "bytes", "logicalType": "decimal", "precision": 5, "scale": 3},
            Decimal("1.5"),
        ),
        # The same type goes before a promotion; fastavro takes the first that fits and gives 5.0.
        ("int", 5, ["double", "int"], 5),
        ("int", 5, ["string", "float", "long"], 5.0),
        (["int", "string"], 5, "long", 5),
        (["int", "string"], "x", ["null", "string", "double"], "x"),
        (["null", "int"], None, ["int", "null"], None),
    ],
)
def test_a_value_is_promoted(writer: Any, value: Any, reader: Any, expected: Any) -> None:
    found = resolve(writer, value, reader)
    assert found == expected
    assert type(found) is type(expected)


def test_fields_go_by_name_and_dropped_ones_are_skipped() -> None:
    inner = {"type": "map", "values": {"type": "array", "items": ["null", "string"]}}
    writer = record(field("gone", inner), field("b", "int"), field("when", TIMESTAMP), field("a", "string"))
    reader = record(field("a", "string"), field("b", "long"))
    # The dropped timestamp is one that Python cannot hold: nobody asked for it.
    value = {"gone": {"k": ["x", None]}, "b": 1, "when": 1 << 62, "a": "z"}
    assert resolve(writer, value, reader) == {"a": "z", "b": 1}


TIMESTAMP = {"type": "long", "logicalType": "timestamp-millis"}


def test_aliases_of_fields_and_types() -> None:
    old = record(field("p", record(field("x", "int"), name="old.Point")), field("q", "old.Point"))
    new = record(
        field("start", record(field("x", "long"), name="new.Place", aliases=["old.Point"]), aliases=["p"]),
        field("q", "new.Place"),
    )
    assert resolve(old, {"p": {"x": 1}, "q": {"x": 2}}, new) == {"start": {"x": 1}, "q": {"x": 2}}


def test_the_full_name_goes_before_the_short_one() -> None:
    branches = [record(field("x", "int"), name=name) for name in ("a.R", "b.R")]
    for branch in branches:
        branch["fields"].append(field("from", "string", default=branch["name"]))
    writer = record(field("x", "int"), name="b.R")
    assert resolve(writer, {"x": 1}, branches) == {"x": 1, "from": "b.R"}
    other = record(field("x", "int"), name="c.R")
    assert resolve(other, {"x": 1}, branches) == {"x": 1, "from": "a.R"}


def test_a_name_goes_before_an_alias() -> None:
    writer = record(field("a", "int"), field("b", "int"))
    reader = record(field("b", "int", aliases=["a"]), field("c", "int", aliases=["b", "a"]))
    assert resolve(writer, {"a": 1, "b": 2}, reader) == {"b": 2, "c": 1}


def test_enum_symbols_go_by_name_with_a_default() -> None:
    writer = {"type": "enum", "name": "E", "symbols": ["A", "B", "C"]}
    reader = {"type": "enum", "name": "E", "symbols": ["C", "A"], "default": "A"}
    assert [resolve(writer, symbol, reader) for symbol in "ABC"] == ["A", "A", "C"]
    without = {"type": "enum", "name": "E", "symbols": ["C", "A"]}
    assert resolve(writer, "C", without) == "C"
    with pytest.raises(Fault, match="the reader's E has no symbol 'B' and no default"):
        resolve(writer, "B", without)


def test_a_type_used_again_by_name_inside_a_readers_union() -> None:
    # fastavro ends in TypeError: unhashable type.
    enum = {"type": "enum", "name": "E", "symbols": ["A"]}
    writer = record(field("a", enum), field("b", "E"))
    assert resolve(writer, {"a": "A", "b": "A"}, record(field("b", ["null", enum]))) == {"b": "A"}


def test_a_recursive_record_with_a_default_at_each_level() -> None:
    writer = record(field("v", "int"), field("next", ["null", "R"]))
    reader = record(field("next", ["null", "R"]), field("v", "double"), field("tags", TAGS, default=[]))
    value = {"v": 1, "next": {"v": 2, "next": None}}
    expected = {"v": 1.0, "tags": [], "next": {"v": 2.0, "tags": [], "next": None}}
    assert resolve(writer, value, reader) == expected


TAGS = {"type": "array", "items": "string"}


@pytest.mark.parametrize(
    ("writer", "value", "reader", "message"),
    [
        ("string", "x", "int", "written as string, which the reader's int cannot take"),
        ("long", 1, "int", "written as long, which the reader's int cannot take"),
        (
            "int",
            1,
            ["null", "string"],
            "written as int, which the reader's union of null, string cannot take",
        ),
        (["int", "string"], "x", "int", "written as string, which the reader's int cannot take"),
        (record(name="A"), {}, record(name="B"), "written as A, which the reader's B cannot take"),
        (
            record(field("a", {"type": "array", "items": "int"})),
            {"a": [1]},
            record(field("a", {"type": "array", "items": "string"})),
            "a[0]: written as int, which the reader's string cannot take",
        ),
        (
            record(),
            {},
            record(field("a", "int")),
            "the reader's R needs 'a', which the writer's does not have",
        ),
        (
            record(),
            {},
            record(field("a", "int", default="x")),
            "a: the default of 'a' is no value of its type",
        ),
        (
            {"type": "fixed", "name": "F", "size": 2},
            b"ab",
            {"type": "fixed", "name": "F", "size": 3},
            "written as F, which the reader's F cannot take",
        ),
    ],
)
def test_what_cannot_be_resolved_says_so(writer: Any, value: Any, reader: Any, message: str) -> None:
    with pytest.raises(Fault) as caught:
        resolve(writer, value, reader)
    assert message in str(caught.value)


def test_what_cannot_be_resolved_matters_only_where_it_is_met() -> None:
    assert resolve({"type": "array", "items": "int"}, [], {"type": "array", "items": "string"}) == []
    assert resolve(["int", "string"], 5, "int") == 5


def test_a_schema_with_a_default_of_another_type_still_writes_what_is_given() -> None:
    schema = record(field("a", "int", default="x"))
    assert resolve(schema, {"a": 1}, schema) == {"a": 1}
    with pytest.raises(Fault, match="the default that R gives it is no value of its type: expected int"):
        resolve(schema, {}, schema)
