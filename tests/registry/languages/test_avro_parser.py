"""Faults in schemas: what is said of them, and where they are."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.languages.avro import AVRO, AvroSchema
from registry.languages.avro.json_text import MAX_NESTING
from registry.languages.language import ReferencedSchema, SchemaFault


def fault(text: str, *, strict: bool = True) -> SchemaFault:
    with pytest.raises(SchemaFault) as caught:
        assert AVRO.parse(text, strict=strict).canonical
    return caught.value


RECORD = """{
  "type": "record",
  "name": "Order",
  "fields": [
    {"name": "id", "type": "long"},
    %s
  ]
}"""


@pytest.mark.parametrize(
    ("field", "message", "path", "column"),
    [
        ('{"name": "x", "type": "strin"}', 'unknown type "strin"', "/fields/1/type", 27),
        ('{"name": "x", "type": {"type": "array", "items": ["null", "Foo"]}}', 'unknown type "Foo"',
         "/fields/1/type/items/1", 63),
        ('{"name": "id", "type": "int"}', 'duplicate field "id" in record "Order"', "/fields/1/name", 14),
        ('{"name": "x", "type": "int", "default": "a"}', 'invalid default for field "x": "a" is not an int',
         "/fields/1/default", 45),
        ('{"name": "x", "type": ["null", "int"], "default": "a"}', "is not of any of the types null, int",
         "/fields/1/default", 55),
        ('{"name": "x-y", "type": "int"}', 'invalid field "x-y"', "/fields/1/name", 14),
        ('{"name": "x"}', 'field "x" has no type', "/fields/1", 5),
        ('{"type": "int"}', 'a field of record "Order" has no name', "/fields/1", 5),
        ('"x"', 'a field is an object, not "x"', "/fields/1", 5),
        ('{"name": "x", "type": {"type": "enum", "name": "E", "symbols": ["A", "A"]}}',
         'duplicate symbol "A" in enum "E"', "/fields/1/type/symbols/1", 74),
        ('{"name": "x", "type": {"type": "enum", "name": "E", "symbols": ["A"], "default": "B"}}',
         'the default "B" of enum "E" is none of its symbols', "/fields/1/type/default", 86),
        ('{"name": "x", "type": {"type": "fixed", "name": "F", "size": -1}}',
         'the size of fixed "F" must be an integer from 0 to 2147483639, not -1', "/fields/1/type/size", 66),
        ('{"name": "x", "type": {"type": "fixed", "name": "F"}}', 'a fixed has no "size"',
         "/fields/1/type", 27),
        ('{"name": "x", "type": {"type": "map"}}', 'a map has no "values"', "/fields/1/type", 27),
        ('{"name": "x", "type": {"name": "F"}}', "the schema has no type", "/fields/1/type", 27),
        ('{"name": "x", "type": ["int", ["null"]]}', "a union directly inside a union",
         "/fields/1/type/1", 35),
        ('{"name": "x", "type": ["int", "int"]}', 'duplicate branch "int" in a union',
         "/fields/1/type/1", 35),
        ('{"name": "x", "type": 5}', "not a schema: 5", "/fields/1/type", 27),
        ('{"name": "x", "type": {"type": "record", "name": "Order", "fields": []}}',
         'type "Order" is defined inside itself', "/fields/1/type", 27),
        ('{"name": "x", "type": {"type": "record", "name": "a..b", "fields": []}}',
         'invalid part of a namespace ""', "/fields/1/type/name", 54),
        ('{"name": "x", "type": {"type": "record", "name": "int", "fields": []}}',
         'a type may not be named "int"', "/fields/1/type/name", 54),
        ('{"name": "x", "type": "int", "order": "up"}', 'the order of field "x" must be',
         "/fields/1/order", 43),
        ('{"name": "x", "type": "int", "aliases": "y"}', "aliases is an array", "/fields/1/aliases", 45),
        ('{"name": "x", "type": "int", "aliases": [1]}', "an alias is a string, not 1", "/fields/1/aliases/0",
         46),
        ('{"name": "x", "type": "double", "default": "much"}', '"much" is not a number',
         "/fields/1/default", 48),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_its_path_line_and_column(
    field: str, message: str, path: str, column: int
) -> None:
    found = fault(RECORD % field)
    assert message in found.message
    assert (found.path, found.line, found.column) == (path, 6, column)
    assert str(found) == f"{found.message} at {path} (line 6, column {column})"


@pytest.mark.parametrize(
    ("text", "message", "line", "column"),
    [
        ("", "not valid JSON", 1, 1),
        ("{", "not valid JSON", 1, 2),
        ('{"type":\n "int",\n}', "not valid JSON", 3, 1),
        ('"int" "int"', "not valid JSON: Extra data", 1, 7),
        ("/* never closed", "not valid JSON", 1, 1),
        ('"never closed \\"', "not valid JSON: Unterminated string", 1, 1),
        ('\ufeff"int"', "not valid JSON", 1, 1),
        ("3", "not a schema: 3", 1, 1),
        ("null", "not a schema: null", 1, 1),
        ('"nowhere.ToBeFound"', 'unknown type "nowhere.ToBeFound"', 1, 1),
        ('// why\n  "nope"', 'unknown type "nope"', 2, 3),
    ],
)
def test_a_text_that_is_no_schema(text: str, message: str, line: int, column: int) -> None:
    found = fault(text)
    assert found.message.startswith(message)
    assert (found.line, found.column) == (line, column)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 5000 + "]" * 5000,
        '{"type":"array","items":' * 5000 + '"int"' + "}" * 5000,
        '{"type":"record","name":"R","fields":[{"name":"f","type":' * 2000 + '"int"' + "}]}" * 2000,
        '{"type":"int","x":' + "[" * 5000 + "]" * 5000 + "}",
        "[" * 5000,
    ],
)
def test_deep_nesting_is_refused_and_does_not_overflow(text: str) -> None:
    assert f"nested more than {MAX_NESTING} levels deep" in str(fault(text))


def test_the_deepest_text_that_is_allowed_is_parsed_and_printed_and_compared() -> None:
    depth = MAX_NESTING - 1
    text = '{"type":"array","items":' * depth + '{"type":"int","x":1}' + "}" * depth
    schema = AVRO.parse(text)
    assert schema.canonical == text
    assert AVRO.compare(schema, AVRO.parse(text)) == []


def test_a_flat_text_whose_types_nest_deeply_when_spelt_out_is_refused() -> None:
    """Each record names the next before it is defined: a chain of 1,000 on one level of the text."""
    records = [
        {"type": "record", "name": f"R{n}", "fields": [{"name": "f", "type": f"R{n + 1}"}]}
        for n in range(1000)
    ]
    records.append({"type": "record", "name": "R1000", "fields": []})
    assert "levels deep when spelt out" in str(fault(json.dumps(records)))


def forward(arrays: int, maps: int) -> str:
    """A record within `arrays` that is defined after it is named, and has an attribute of so many `maps`."""
    attribute: object = 1
    for _ in range(maps):
        attribute = {"x": attribute}
    field = {"name": "f", "type": "int", "x": attribute}
    named: object = "B"
    for _ in range(arrays):
        named = {"type": "array", "items": named}
    return json.dumps([record("A", {"name": "f", "type": named}), record("B", field)])


def test_attributes_count_for_how_deep_a_schema_nests_when_spelt_out() -> None:
    """Neither is deep in the text as it is sent; the text that is stored must be one that can be read."""
    deepest = AVRO.parse(forward(150, 99))  # and a union, two records, and their fields: 256
    assert AVRO.parse(deepest.canonical).canonical == deepest.canonical
    assert "levels deep when spelt out" in str(fault(forward(150, 100)))
    assert "levels deep when spelt out" in str(fault(forward(240, 245)))


def test_the_deepest_schemas_leave_room_on_pythons_stack() -> None:
    """A server has its own frames below; a RecursionError would be answered with 500."""
    unions: object = "int"
    for _ in range(MAX_NESTING // 2 - 1):
        unions = [{"type": "array", "items": unions}]

    def below(frames: int, text: str) -> AvroSchema:
        if frames:
            return below(frames - 1, text)
        schema = AVRO.parse(text)
        assert AVRO.normalize(schema) == AVRO.resolved(schema) == AVRO.with_tags(schema, {}, {})
        assert AVRO.tags(schema) == {}
        assert AVRO.compare(schema, AVRO.parse(schema.canonical)) == []
        return schema

    for text in (forward(150, 99), json.dumps(unions), forward(240, 9)):
        assert below(300, text).name == "union"
    with pytest.raises(SchemaFault):
        below(300, forward(240, 245))


def test_a_long_chain_of_named_types_is_compared_without_overflow() -> None:
    def chain(last: str) -> str:
        records: list[object] = [
            {"type": "record", "name": "R0", "fields": [{"name": "f", "type": last}]},
            *(
                {"type": "record", "name": f"R{n}", "fields": [{"name": "f", "type": f"R{n - 1}"}]}
                for n in range(1, 3000)
            ),
        ]
        top = {"type": "record", "name": "T", "fields": [{"name": "f", "type": "R2999"}]}
        return json.dumps([*records, top])

    reader, writer = (AVRO.parse(chain(last)) for last in ("int", "string"))
    found = AVRO.compare(reader, writer)
    assert {finding.kind for finding in found} == {"MISSING_UNION_BRANCH"}
    assert len(found) == 3001


def test_a_comparison_of_too_many_pairs_is_refused() -> None:
    """Types that agree in their last name and nothing else: each is tried with each."""
    union = [
        {"type": "record", "name": "R", "namespace": f"n{n}", "fields": [{"name": f"f{n}", "type": "int"}]}
        for n in range(700)
    ]
    schema = AVRO.parse(json.dumps(union))
    with pytest.raises(SchemaFault, match="too many types to compare"):
        AVRO.compare(schema, AVRO.parse(json.dumps(union[::-1])))


@pytest.mark.parametrize(
    "text",
    [
        '"\\"' * 200_000,
        "/*" * 200_000,
        '{"a":' + '"\\\\' * 200_000,
        "//" * 200_000,
    ],
)
def test_texts_made_of_quotes_and_slashes_are_refused(text: str) -> None:
    """The scan for comments and brackets must stay linear; a quadratic one would never come back."""
    assert "not valid JSON" in str(fault(text))


def test_an_integer_without_end_and_half_a_surrogate_pair_are_refused() -> None:
    assert "an integer of 5000 digits" in str(fault('{"type":"int","x":' + "1" * 5000 + "}"))
    assert "surrogate" in str(fault('{"type":"int","x":"\\ud800"}'))
    assert "surrogate" in str(fault('{"type":"int","x":"\ud800"}'))
    assert AVRO.parse('{"type":"int","x":"\\ud83d\\ude00"}').canonical == '{"type":"int","x":"\U0001f600"}'


def test_names_and_defaults_are_not_checked_in_stored_schemas() -> None:
    text = '{"type":"record","name":"R","fields":[{"name":"a-b","type":"int","default":"x"}]}'
    assert "invalid field" in str(fault(text))
    assert AVRO.parse(text, strict=False).canonical == text


@pytest.mark.parametrize("name", ["{}", "a{}", "_{}b"])
def test_a_name_is_of_ascii_letters_digits_and_underscores(name: str) -> None:
    grammar = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
    for character in ["", *map(chr, range(0x180)), "\u0660", "\u2118", "\u4e00", "\uff21"]:
        symbol = name.format(character)
        text = json.dumps({"type": "enum", "name": "E", "symbols": [symbol]})
        if grammar.fullmatch(symbol):
            assert AVRO.parse(text).canonical == text.replace(" ", "")
        else:
            assert "invalid enum symbol" in str(fault(text))


def test_a_type_may_be_defined_twice_in_the_same_way_only() -> None:
    text = (
        '{"type":"record","name":"R","fields":[{"name":"a","type":{"type":"fixed","name":"F","size":1}},'
        '{"name":"b","type":{"type":"fixed","name":"F","size":%d}}]}'
    )
    assert AVRO.parse(text % 1).canonical.endswith('{"name":"b","type":"F"}]}')
    assert 'type "F" is already defined, differently' in str(fault(text % 2))


def record(name: str, *fields: dict[str, object]) -> dict[str, object]:
    return {"type": "record", "name": name, "fields": list(fields)}


def test_a_default_that_needs_itself_is_refused() -> None:
    text = '{"type":"record","name":"R","fields":[{"name":"a","type":"R","default":{}}]}'
    assert "its default needs itself" in str(fault(text))


def test_defaults_that_call_for_each_other_twice_are_checked_once() -> None:
    """2^60 ways lead from the last record to the first."""
    records = [record("D0", {"name": "v", "type": "int", "default": 1})]
    for n in range(1, 60):
        inner = {"type": f"D{n - 1}", "default": {}}
        records.append(record(f"D{n}", {"name": "a", **inner}, {"name": "b", **inner}))
    assert AVRO.parse(json.dumps(records)).name == "union"


def test_defaults_that_nest_too_deep_or_take_too_many_checks_are_refused() -> None:
    chain = [record(f"C{n}", {"name": "f", "type": f"C{n + 1}", "default": {}}) for n in range(500)]
    last = record("C500", {"name": "v", "type": "int", "default": 1})
    assert "nests more than 256 levels deep" in str(fault(json.dumps([*chain, last])))
    branches = [record(f"B{n}", {"name": "f", "type": "int"}) for n in range(1000)] + [record("B")]
    values = {"type": "array", "items": branches}
    text = json.dumps(record("R", {"name": "a", "type": values, "default": [{} for _ in range(1000)]}))
    assert "take more than 500,000 checks" in str(fault(text))


def test_a_fault_in_a_reference_says_which() -> None:
    with pytest.raises(SchemaFault, match='in the referenced schema "common": unknown type "x"'):
        AVRO.parse('"int"', [ReferencedSchema("common", '"x"')])


@given(st.text(), st.integers(0, 60))
def test_any_text_is_a_schema_or_a_fault(junk: str, at: int) -> None:
    text = RECORD % '{"name": "x", "type": ["null", "int"], "default": null}'
    for candidate in (junk, text[:at] + junk + text[at:]):
        try:
            schema = AVRO.parse(candidate)
        except SchemaFault:
            continue
        assert AVRO.parse(schema.canonical).canonical == schema.canonical
