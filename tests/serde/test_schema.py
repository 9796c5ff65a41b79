"""Schema text into nodes: names, namespaces, references, and what is refused."""

import pytest

from serde import InvalidSchema
from serde.codec import compile_decoder, compile_encoder, parse_schema


def round_trip(text: str, value: object, references: tuple[str, ...] = ()) -> object:
    schema = parse_schema(text, references)
    return compile_decoder(schema)(compile_encoder(schema)(value), 0)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('{"type": "record", "name": "R", "fields": []}', "R"),
        ('{"type": "record", "name": "R", "namespace": "a.b", "fields": []}', "a.b.R"),
        ('{"type": "record", "name": "c.R", "namespace": "a.b", "fields": []}', "c.R"),
        ('{"type": "record", "name": ".R", "namespace": "a", "fields": []}', "R"),
        ('{"type": "error", "name": "Oops", "fields": []}', "Oops"),
        ('{"type": "fixed", "name": "F", "size": 0}', "F"),
        ('"string"', None),
        ('{"type": "array", "items": "int"}', None),
        ('["null", "int"]', None),
    ],
)
def test_the_full_name(text: str, name: str | None) -> None:
    assert parse_schema(text).full_name == name


def test_names_are_looked_up_in_the_enclosing_namespace_then_alone() -> None:
    text = """{"type": "record", "name": "a.R", "fields": [
        {"name": "x", "type": {"type": "fixed", "name": "F", "size": 1}},
        {"name": "y", "type": "F"},
        {"name": "z", "type": "a.F"},
        {"name": "w", "type": {"type": "F"}},
        {"name": "n", "type": {"type": "record", "name": "b.S", "fields": [{"name": "g", "type": "a.F"}]}}
    ]}"""
    value = {"x": b"1", "y": b"2", "z": b"3", "w": b"4", "n": {"g": b"5"}}
    assert round_trip(text, value) == value


def test_a_type_may_be_used_before_it_is_defined() -> None:
    text = """{"type": "record", "name": "R", "fields": [
        {"name": "a", "type": "E"},
        {"name": "b", "type": {"type": "enum", "name": "E", "symbols": ["X"]}}
    ]}"""
    assert round_trip(text, {"a": "X", "b": "X"}) == {"a": "X", "b": "X"}


def test_types_of_referenced_texts_are_known() -> None:
    first = '{"type": "enum", "name": "n.E", "symbols": ["X"]}'
    second = '{"type": "record", "name": "n.S", "fields": [{"name": "e", "type": "E"}]}'
    text = """{"type": "record", "name": "n.R",
        "fields": [{"name": "s", "type": "S"}, {"name": "e", "type": "E"}]}"""
    value = {"s": {"e": "X"}, "e": "X"}
    assert round_trip(text, value, (first, second)) == value
    assert round_trip('"n.S"', {"e": "X"}, (first, second)) == {"e": "X"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "the schema is not JSON: Expecting property name enclosed in double quotes"),
        ("5", "expected a schema, got 5"),
        ("{}", '"type" is missing'),
        ('"strin"', 'unknown type "strin"'),
        ('{"type": "record", "fields": []}', '"name" is missing'),
        ('{"type": "record", "name": 5, "fields": []}', '"name" must be a string'),
        ('{"type": "record", "name": "R"}', '"fields" is missing'),
        ('{"type": "record", "name": "R", "fields": {}}', '"fields" must be an array'),
        ('{"type": "record", "name": "R", "fields": [5]}', "expected a schema, got 5 at /fields/0"),
        (
            '{"type": "record", "name": "R", "fields": [{"name": "a", "type": "in"}]}',
            'unknown type "in" (did you mean "int"?) at /fields/0/type',
        ),
        ('"String"', 'unknown type "String" (did you mean "string"?)'),
        (
            '{"type": "record", "name": "R", "fields": [{"name": "a", "type": "array", "items": "int"}]}',
            'an object of its own says what it holds, {"type": {"type": "array", ...}} at /fields/0/type',
        ),
        (
            '["null", {"type": "fixed", "name": "a.Key", "size": 1}, "a.Keys"]',
            '(did you mean "a.Key"?) at /2',
        ),
        ('{"type": "fixed", "name": "F", "size": 1e9}', "the size of F must be a whole number"),
        ('{"type": "fixed", "name": "F", "size": 2147483648}', "the size of F must be a whole number"),
        ('{"type": "enum", "name": "E", "symbols": [{}]}', '"symbols" must be an array of strings'),
        (
            '{"type": "enum", "name": "E", "symbols": [], "aliases": 5}',
            '"aliases" must be an array of strings',
        ),
        (
            '{"type": "record", "name": "R", "fields": [{"name": "a", "type": "int", "aliases": [null]}]}',
            '"aliases" must be an array of strings at /fields/0',
        ),
        (
            """{"type": "error", "name": "R", "fields":
            [{"name": "a", "type": "int"}, {"name": "a", "type": "int"}]}""",
            "R has two fields 'a' at /fields/1",
        ),
        (
            '[{"type": "fixed", "name": "F", "size": 1}, {"type": "fixed", "name": "F", "size": 1}]',
            "the type F is defined twice at /1",
        ),
        ('{"type": "fixed", "name": "F", "size": -1}', "the size of F must be a whole number, not -1"),
        ('{"type": "enum", "name": "E"}', '"symbols" is missing'),
        ('{"type": "array"}', '"items" is missing'),
        ('{"type": "array", "items": "x"}', 'unknown type "x" at /items'),
        ('{"type": "map", "values": ["null", "x"]}', 'unknown type "x" at /values/1'),
        ('{"type": ["x"]}', 'unknown type "x" at /type/0'),
        ("[" * 100_000, "the schema is nested too deep"),
    ],
)
def test_what_is_no_schema_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(InvalidSchema) as caught:
        parse_schema(text)
    assert message in str(caught.value)


def test_a_schema_that_is_no_text_is_refused() -> None:
    with pytest.raises(TypeError, match=r"as dict: json\.dumps"):
        parse_schema({"type": "int"})  # type: ignore[arg-type]


@pytest.mark.parametrize("depth", [600, 900, 5000])
def test_a_schema_nested_deeper_than_python_goes_is_refused(depth: int) -> None:
    text = '{"type": "array", "items": ' * depth + '"int"' + "}" * depth
    with pytest.raises(InvalidSchema, match="the schema is nested too deep"):
        compile_encoder(parse_schema(text))
    with pytest.raises(InvalidSchema, match="the schema is nested too deep"):
        compile_decoder(parse_schema(text))
