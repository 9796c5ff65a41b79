"""Inline tags: which there are, and adding and removing them."""

import json
import random
from typing import Any

import pytest

from registry.languages.avro import AVRO, AvroSchema
from registry.languages.language import (
    FIELD_ENTITY,
    RECORD_ENTITY,
    ReferencedSchema,
    SchemaEntity,
    SchemaFault,
)
from tests.support.avro_generator import AvroGenerator
from tests.support.java_avro import ask, parse_request


def record(path: str) -> SchemaEntity:
    return SchemaEntity(path, RECORD_ENTITY)


def field(path: str) -> SchemaEntity:
    return SchemaEntity(path, FIELD_ENTITY)


INNER = {
    "type": "record",
    "name": "Inner",
    "namespace": "b",
    "confluent:tags": ["IN"],
    "fields": [{"name": "x", "type": "int", "confluent:tags": ["X", "Y", "X", 3]}],
}
OUTER = {
    "type": "record",
    "name": "a.Outer",
    "fields": [
        {"name": "i", "type": ["null", {"type": "map", "values": {"type": "array", "items": INNER}}]},
        {"name": "j", "type": "b.Inner", "confluent:tags": ["J"]},
        {"name": "k", "type": "int", "confluent:tags": []},
        {"name": "l", "type": {"type": "int", "confluent:tags": ["LOST"]}, "confluent:tags": "no list"},
    ],
    "confluent:tags": ["OUT"],
}


def parsed(value: Any, *references: Any) -> AvroSchema:
    texts = [ReferencedSchema(f"reference {at}", json.dumps(text)) for at, text in enumerate(references)]
    return AVRO.parse(json.dumps(value), texts)


def test_tags_of_records_and_fields_are_found_in_the_order_of_the_schema() -> None:
    assert list(AVRO.tags(parsed(OUTER)).items()) == [
        (record("a.Outer"), ("OUT",)),
        (record("b.Inner"), ("IN",)),
        (field("b.Inner.x"), ("X", "Y", "3")),
        (field("a.Outer.j"), ("J",)),
    ]


def test_tags_of_a_reference_are_found_but_cannot_be_edited_through_the_schema_that_names_it() -> None:
    schema = parsed({"type": "array", "items": "b.Inner"}, INNER)
    assert set(AVRO.tags(schema)) == {record("b.Inner"), field("b.Inner.x")}
    assert AVRO.taggable(schema, [record("b.Inner"), field("b.Inner.x")]) == frozenset()
    with pytest.raises(SchemaFault, match=r'has the path "b\.Inner\.x" in this schema'):
        AVRO.with_tags(schema, {field("b.Inner.x"): ["Z"]}, {})


def test_tags_are_added_behind_those_there_are_and_then_removed() -> None:
    schema = parsed(OUTER)
    add = {field("b.Inner.x"): ["Z", "Y", "Z"], record("a.Outer"): ["NEW", "GONE"], field("a.Outer.k"): ["K"]}
    remove = {record("a.Outer"): ["OUT", "GONE"], record("b.Inner"): ["IN", "never there"]}
    edited = AVRO.parse(AVRO.with_tags(schema, add, remove))
    assert AVRO.tags(edited) == {
        record("a.Outer"): ("NEW",),
        field("b.Inner.x"): ("X", "Y", "3", "Z"),
        field("a.Outer.j"): ("J",),
        field("a.Outer.k"): ("K",),
    }


def test_tags_keep_their_place_among_the_attributes_and_new_ones_come_last() -> None:
    schema = parsed(
        {
            "type": "record",
            "name": "R",
            "confluent:tags": ["A"],
            "p": 1,
            "aliases": ["O"],
            "fields": [{"name": "f", "type": "int", "p": 1}],
        }
    )
    assert AVRO.with_tags(schema, {record("R"): ["B"], field("R.f"): ["C"]}, {}) == (
        '{"type":"record","name":"R","fields":[{"name":"f","type":"int","p":1,"confluent:tags":["C"]}],'
        '"confluent:tags":["A","B"],"p":1,"aliases":["O"]}'
    )


def test_removing_the_last_tag_removes_the_attribute() -> None:
    schema = parsed({"type": "record", "name": "R", "fields": [], "confluent:tags": ["A"]})
    assert AVRO.with_tags(schema, {}, {record("R"): ["A"]}) == '{"type":"record","name":"R","fields":[]}'


@pytest.mark.parametrize(
    ("entity", "found"),
    [
        (record(".a.Outer"), record("a.Outer")),
        (record("Inner"), record("b.Inner")),
        (field("Inner.x"), field("b.Inner.x")),
        (field(".b.Inner.x"), field("b.Inner.x")),
    ],
)
def test_a_dot_in_front_and_a_missing_namespace_make_no_difference(
    entity: SchemaEntity, found: SchemaEntity
) -> None:
    edited = AVRO.parse(AVRO.with_tags(parsed(OUTER), {entity: ["NEW"]}, {}))
    assert "NEW" in AVRO.tags(edited)[found]


def test_a_simple_name_stands_for_the_first_record_breadth_first() -> None:
    deep = {"type": "record", "name": "deep.R", "fields": []}
    near = {"type": "record", "name": "near.R", "fields": []}
    middle = {"type": "record", "name": "M", "fields": [{"name": "d", "type": deep}]}
    fields = [{"name": "m", "type": middle}, {"name": "n", "type": near}]
    schema = parsed({"type": "record", "name": "Top", "fields": fields})
    edited = AVRO.parse(AVRO.with_tags(schema, {record("R"): ["T"]}, {}))
    assert AVRO.tags(edited) == {record("near.R"): ("T",)}


@pytest.mark.parametrize(
    ("entity", "message"),
    [
        (record("a.Other"), 'no record has the path "a.Other"'),
        (record("c.Inner"), 'no record has the path "c.Inner"'),
        (record("a.Outer.i"), "no record has"),
        (record(""), "no record has"),
        (field("a.Outer.nope"), 'no field of a record has the path "a.Outer.nope"'),
        (field("i"), "no field of a record has"),
        (field(""), "no field of a record has"),
        (SchemaEntity("a.Outer", "SR_MESSAGE"), 'unknown type of entity "SR_MESSAGE"'),
    ],
)
def test_an_entity_that_is_not_there_is_refused(entity: SchemaEntity, message: str) -> None:
    for add, remove in [({entity: ["T"]}, {}), ({}, {entity: ["T"]})]:
        with pytest.raises(SchemaFault) as caught:
            AVRO.with_tags(parsed(OUTER), add, remove)
        assert message in str(caught.value)


def test_what_was_added_is_found_and_removing_it_gives_the_canonical_text_back() -> None:
    generator = AvroGenerator(seed=40)
    source = random.Random(40)
    texts: list[str] = []
    while len(texts) < 400:
        try:
            schema = parsed(generator.schema())
        except SchemaFault:
            continue
        entities = entities_of(schema)
        assert AVRO.taggable(schema, [*entities, record("not.there")]) == set(entities)
        chosen = source.sample(entities, min(len(entities), 4))
        add = {entity: source.sample(["A", "B", "C"], source.randint(1, 3)) for entity in chosen}
        text = AVRO.with_tags(schema, add, {})
        edited = AVRO.parse(text)
        assert edited.canonical == text
        assert AVRO.tags(edited) == {entity: tuple(tags) for entity, tags in add.items()}
        assert AVRO.with_tags(edited, {}, add) == schema.canonical
        texts.append(text)
    assert sum("confluent:tags" in text for text in texts) > 150
    for text, answer in zip(texts, ask(map(parse_request, texts)), strict=True):
        assert answer.get("canonical") == text


def entities_of(schema: AvroSchema) -> list[SchemaEntity]:
    """Every record and field, found in the text."""
    found: list[SchemaEntity] = []

    def walk(value: Any, namespace: str) -> None:
        if isinstance(value, list):
            for item in value:
                walk(item, namespace)
        elif isinstance(value, dict):
            if value.get("type") in ("record", "error") and "fields" in value:
                namespace = value.get("namespace", namespace)
                full = f"{namespace}.{value['name']}" if namespace else value["name"]
                found.append(record(full))
                found.extend(field(f"{full}.{member['name']}") for member in value["fields"])
                for member in value["fields"]:
                    walk(member["type"], namespace)
            for key in ("items", "values"):
                walk(value.get(key), namespace)

    walk(json.loads(schema.canonical), "")
    return found


def test_a_long_name_in_the_paths_of_many_fields_is_refused() -> None:
    fields = [{"name": f"f{n}", "type": "int", "confluent:tags": ["A"]} for n in range(5000)]
    schema = parsed({"type": "record", "name": "R" * 1000, "fields": fields})
    with pytest.raises(SchemaFault, match="take more than 4,194,304 characters"):
        AVRO.tags(schema)


def test_the_names_of_top_level_fields() -> None:
    assert AVRO.field_names(parsed(OUTER)) == {"i", "j", "k", "l"}
    assert AVRO.field_names(parsed({"type": "array", "items": OUTER})) == frozenset()
