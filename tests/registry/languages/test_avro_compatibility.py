"""Compatibility of Avro schemas: pinned cases, and two Python implementations beside ours."""

import io
import json
import warnings
from collections import Counter
from typing import Any

import avro.compatibility
import avro.schema
import fastavro
import pytest
from fastavro.utils import generate_many

from registry.languages.avro import AVRO, AvroSchema
from registry.languages.avro.compatibility import DESCRIPTIONS
from registry.languages.language import SchemaFault
from tests.support.avro_generator import AvroGenerator


def record(*fields: str, name: str = "R", more: str = "") -> str:
    return f'{{"type":"record","name":"{name}","fields":[{",".join(fields)}]{more}}}'


def of_type(type_: str) -> str:
    return record(f'{{"name":"f","type":{type_}}}')


ENUM = '{"type":"enum","name":"E","symbols":[%s]%s}'
FIXED = '{"type":"fixed","name":"%s","size":%d}'

CASES: dict[str, tuple[str, str, list[tuple[str, str, str]]]] = {
    "the same": (of_type('"int"'), of_type('"int"'), []),
    "a field with a default more": (record('{"name":"f","type":"int","default":0}'), record(), []),
    "a field without a default more": (
        of_type('"int"'),
        record(),
        [("READER_FIELD_MISSING_DEFAULT_VALUE", "/fields/0", "f")],
    ),
    "a field less": (record(), of_type('"int"'), []),
    "promotion": (of_type('"double"'), of_type('"int"'), []),
    "promotion the wrong way": (
        of_type('"int"'),
        of_type('"double"'),
        [("TYPE_MISMATCH", "/fields/0/type", "reader type: INT not compatible with writer type: DOUBLE")],
    ),
    "string and bytes": (of_type('"string"'), of_type('"bytes"'), []),
    "null to nullable": (of_type('["null","int"]'), of_type('"int"'), []),
    "nullable to not": (
        of_type('"int"'),
        of_type('["null","int"]'),
        [("TYPE_MISMATCH", "/fields/0/type/0", "reader type: INT not compatible with writer type: NULL")],
    ),
    "a branch less": (
        of_type('["null","int"]'),
        of_type('["null","int","string"]'),
        [("MISSING_UNION_BRANCH", "/fields/0/type/2", "reader union lacking writer type: STRING")],
    ),
    "a branch promoted": (of_type('["null","long"]'), of_type('["null","int"]'), []),
    "a symbol less": (
        of_type(ENUM % ('"A"', "")),
        of_type(ENUM % ('"C","A","B"', "")),
        [("MISSING_ENUM_SYMBOLS", "/fields/0/type/symbols", "[B, C]")],
    ),
    "a symbol less, with a default": (
        of_type(ENUM % ('"A"', ',"default":"A"')),
        of_type(ENUM % ('"A","B"', "")),
        [],
    ),
    "another size": (
        of_type(FIXED % ("F", 8)),
        of_type(FIXED % ("F", 4)),
        [("FIXED_SIZE_MISMATCH", "/fields/0/type/size", "expected: 4, found: 8")],
    ),
    "another name": (
        record(name="a.New"),
        record(name="a.Old"),
        [("NAME_MISMATCH", "/name", "expected: a.Old")],
    ),
    "another name, with an alias": (
        record(name="a.New", more=',"aliases":["Old"]'),
        record(name="a.Old"),
        [],
    ),
    "another namespace": (record(name="a.R"), record(name="b.R"), []),
    "a field renamed, with an alias": (
        record('{"name":"new","type":"int","aliases":["old"]}'),
        record('{"name":"old","type":"int"}'),
        [],
    ),
    "another precision": (
        of_type('{"type":"bytes","logicalType":"decimal","precision":9}'),
        of_type('{"type":"bytes","logicalType":"decimal","precision":4}'),
        [],
    ),
    "items and values": (
        of_type('{"type":"map","values":{"type":"array","items":"int"}}'),
        of_type('{"type":"map","values":{"type":"array","items":"string"}}'),
        [
            (
                "TYPE_MISMATCH",
                "/fields/0/type/values/items",
                "reader type: INT not compatible with writer type: STRING",
            )
        ],
    ),
    "every finding": (
        record('{"name":"a","type":"int"}', '{"name":"b","type":"int"}', '{"name":"c","type":"boolean"}'),
        record('{"name":"a","type":"string"}', '{"name":"c","type":"null"}', name="Q"),
        [
            ("NAME_MISMATCH", "/name", "expected: Q"),
            ("TYPE_MISMATCH", "/fields/0/type", "reader type: INT not compatible with writer type: STRING"),
            ("READER_FIELD_MISSING_DEFAULT_VALUE", "/fields/1", "b"),
            ("TYPE_MISMATCH", "/fields/2/type", "reader type: BOOLEAN not compatible with writer type: NULL"),
        ],
    ),
    "the root": (
        '"int"',
        '"string"',
        [("TYPE_MISMATCH", "/", "reader type: INT not compatible with writer type: STRING")],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_findings(case: str) -> None:
    reader, writer, expected = CASES[case]
    found = AVRO.compare(AVRO.parse(reader), AVRO.parse(writer))
    assert [(finding.kind, finding.path, finding.detail) for finding in found] == expected


def test_a_recursive_type_is_compared_once() -> None:
    def tree(type_: str) -> AvroSchema:
        return AVRO.parse(
            record(f'{{"name":"v","type":{type_}}}', '{"name":"l","type":["null","T"]}', name="T")
        )

    assert AVRO.compare(tree('"long"'), tree('"int"')) == []
    assert len(AVRO.compare(tree('"int"'), tree('"long"'))) == 1


def test_a_type_used_at_two_places_is_reported_at_the_first() -> None:
    def twice(type_: str) -> AvroSchema:
        inner = record(f'{{"name":"x","type":"{type_}"}}', name="I")
        return AVRO.parse(record(f'{{"name":"a","type":{inner}}}', '{"name":"b","type":"I"}'))

    assert [found.path for found in AVRO.compare(twice("int"), twice("string"))] == [
        "/fields/0/type/fields/0/type"
    ]


def test_findings_in_a_lattice_of_types_do_not_multiply() -> None:
    """Each record uses the next twice: 2^40 ways lead to the last, and one finding is made of it."""

    def lattice(type_: str) -> AvroSchema:
        text = record(f'{{"name":"x","type":"{type_}"}}', name="R0")
        for n in range(1, 41):
            text = record(f'{{"name":"a","type":{text}}}', f'{{"name":"b","type":"R{n - 1}"}}', name=f"R{n}")
        return AVRO.parse(text)

    assert len(AVRO.compare(lattice("int"), lattice("string"))) == 1


def test_every_kind_has_a_description_and_it_names_path_and_sides() -> None:
    reader, writer = AVRO.parse(of_type('"int"')), AVRO.parse(record())
    (found,) = AVRO.compare(reader, writer)
    assert found.description == (
        "The field 'f' at path '/fields/0' in the {reader} schema has no default value "
        "and is missing in the {writer} schema"
    )
    assert all("{path}" in description for description in DESCRIPTIONS.values())


def generated_pairs(seed: int, count: int) -> list[tuple[AvroSchema, AvroSchema]]:
    generator = AvroGenerator(seed)
    pairs: list[tuple[AvroSchema, AvroSchema]] = []
    while len(pairs) < count:
        schema = generator.schema()
        try:
            pairs.append((AVRO.parse(json.dumps(generator.changed(schema))), AVRO.parse(json.dumps(schema))))
        except SchemaFault:
            continue
    return pairs


def test_verdicts_agree_with_the_avro_package() -> None:
    """Where that package can: it can't read "error" records, nor some names in the empty namespace."""
    checker: Any = avro.compatibility.ReaderWriterCompatibilityChecker
    met: Counter[bool] = Counter()
    for reader, writer in generated_pairs(31, 500):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                other_reader, other_writer = map(avro.schema.parse, (reader.canonical, writer.canonical))
                other: Any = checker().get_compatibility(other_reader, other_writer)
        except (avro.errors.AvroException, AttributeError):
            continue
        ours = AVRO.compare(reader, writer)
        if any(found.kind == "AMBIGUOUS_FIELD_ALIAS" for found in ours):
            continue  # a matter that package does not know of
        compatible = other.compatibility == avro.compatibility.SchemaCompatibilityType.compatible
        assert compatible == (not ours), (reader.canonical, writer.canonical, ours)
        met[compatible] += 1
    assert min(met[True], met[False]) > 100


def test_fastavro_reads_what_we_call_compatible() -> None:
    read = 0
    for reader, writer in generated_pairs(32, 400):
        if AVRO.compare(reader, writer):
            continue
        try:
            fast_reader, fast_writer = (
                fastavro.parse_schema(json.loads(schema.canonical)) for schema in (reader, writer)
            )
            records = list(generate_many(fast_writer, 2))
        except (
            fastavro.schema.SchemaParseException,
            fastavro.schema.UnknownType,
            RecursionError,
            ValueError,
        ):
            continue  # names in the empty namespace, defaults of another branch; generating the endless
        for value in records:
            buffer = io.BytesIO()
            fastavro.schemaless_writer(buffer, fast_writer, value)
            buffer.seek(0)
            try:
                fastavro.schemaless_reader(buffer, fast_writer, fast_reader)
            except UnicodeDecodeError:
                continue  # bytes read as a string: allowed, but not for these bytes
            read += 1
    assert read > 200
