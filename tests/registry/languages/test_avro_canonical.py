"""The canonical text: a schema's identity. Pinned texts; the differential test is test_avro_java.py."""

import json
import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.languages.avro import AVRO, json_text
from registry.languages.language import ReferencedSchema, SchemaFault
from tests.support.avro_generator import AvroGenerator
from tests.support.corpus import arg_properties
from tests.support.needs import need_corpus


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"string"', '"string"'),
        ('{"type": "string"}', '"string"'),
        ('{"type": "string", "java": "String"}', '{"type":"string","java":"String"}'),
        (
            '{"name":"a.b.R","doc":"d","aliases":["Q","c.P"],"z":1,"fields":[],"type":"record","namespace":"no"}',
            '{"type":"record","name":"R","namespace":"a.b","doc":"d","fields":[],"z":1,"aliases":["Q","c.P"]}',
        ),
        (
            '{"type":"error","name":"R","fields":[{"aliases":["o"],"order":"ignore","p":0,"default":1,"doc":"d",\
"type":"int","name":"f"}]}',
            '{"type":"error","name":"R","fields":[{"name":"f","type":"int","doc":"d","default":1,\
"order":"ignore","aliases":["o"],"p":0}]}',
        ),
        (
            '{"type":"enum","name":"E","default":"A","symbols":["A"],"x":{},"aliases":["O"]}',
            '{"type":"enum","name":"E","symbols":["A"],"default":"A","x":{},"aliases":["O"]}',
        ),
        (
            '{"type":"record","name":"a.R","fields":[{"name":"f","type":{"type":"fixed","name":"F","size":1,\
"namespace":""}},{"name":"g","type":"F"}]}',
            '{"type":"record","name":"R","namespace":"a","fields":[{"name":"f","type":{"type":"fixed",\
"name":"F","namespace":"","size":1}},{"name":"g","type":"F"}]}',
        ),
        (
            '{"type":"record","name":"a.map","fields":[{"name":"f","type":["null","map"]}]}',
            '{"type":"record","name":"map","namespace":"a","fields":[{"name":"f","type":["null","a.map"]}]}',
        ),
        (
            '[{"type":"record","name":"R","fields":[{"name":"f","type":"E"}]},\
{"type":"enum","name":"E","symbols":[]}]',
            '[{"type":"record","name":"R","fields":[{"name":"f","type":\
{"type":"enum","name":"E","symbols":[]}}]},"E"]',
        ),
        ('{"type":"int","a":1,"b":2,"a":3}', '{"type":"int","a":3,"b":2}'),
    ],
)
def test_canonical_text(text: str, expected: str) -> None:
    assert AVRO.parse(text).canonical == expected


def test_only_the_top_level_type_of_a_reference_stays_a_name() -> None:
    """A type that a reference defines further in is spelt out again: Confluent's identity has it so."""
    reference = ReferencedSchema(
        "Outer",
        '{"type":"record","name":"Outer","fields":[{"name":"i","type":{"type":"fixed","name":"Inner","size":2}}]}',
    )
    using = '{"type":"record","name":"U","fields":[{"name":"o","type":"Outer"},{"name":"i","type":"Inner"}]}'
    assert AVRO.parse(using, [reference]).canonical == (
        '{"type":"record","name":"U","fields":[{"name":"o","type":"Outer"},'
        '{"name":"i","type":{"type":"fixed","name":"Inner","size":2}}]}'
    )


def test_printing_is_idempotent() -> None:
    generator = AvroGenerator(seed=7)
    printed = [
        found for found in map(canonical, (json.dumps(generator.schema()) for _ in range(400))) if found
    ]
    assert len(printed) > 300
    assert [canonical(text) for text in printed] == printed


def canonical(text: str) -> str | None:
    try:
        return AVRO.parse(text).canonical
    except SchemaFault:
        return None


def test_real_schemas_keep_what_is_in_them() -> None:
    paths = sorted((need_corpus() / "datagen").glob("*.avro"))
    assert len(paths) == 38
    for path in paths:
        text = path.read_text()
        schema = AVRO.parse(text)
        assert AVRO.parse(schema.canonical).canonical == schema.canonical
        assert arg_properties(json.loads(schema.canonical)) == arg_properties(json_text.read(text))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_doubles_are_printed_so_that_they_read_back(value: float) -> None:
    printed = json_text.java_double(value)
    assert struct.pack(">d", float(printed)) == struct.pack(">d", value)
    digits = printed.lstrip("-").partition("E")[0].replace(".", "").strip("0")
    shortest = repr(abs(value)).partition("e")[0].replace(".", "").strip("0")
    assert len(digits) <= max(len(shortest), 2)
    assert ("E" in printed) == (value != 0 and not 1e-3 <= abs(value) < 1e7)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1.5", 1.5), ("1.5f", 1.5), ("1.D", 1.0), (".5e1", 5.0), (" 2\n", 2.0), ("0x1p3", 8.0),
        ("-0x.8P0d", -0.5), ("-Infinity", -math.inf), ("1_0", None), ("inf", None), ("", None), ("0x1", None),
    ],
)  # fmt: skip
def test_numbers_in_quotes_are_read_as_java_does(text: str, number: float | None) -> None:
    assert json_text.parse_java_double(text) == number


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner)
        ),
        max_leaves=20,
    )
)
def test_written_json_reads_back_and_every_element_is_found(value: object) -> None:
    text = json_text.write(value)
    assert json.loads(text) == value
    pretty = json.dumps(value, indent=2)
    for tokens, element in walk(value):
        line, column = json_text.locate(pretty, tokens)
        start = sum(len(earlier) + 1 for earlier in pretty.split("\n")[: line - 1]) + column - 1
        assert json.JSONDecoder().raw_decode(pretty, start)[0] == element


def walk(value: object, tokens: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], object]]:
    members = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    inner = [found for key, item in members for found in walk(item, (*tokens, str(key)))]
    return [(tokens, value), *inner]
