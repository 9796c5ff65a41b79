"""Generated classes: the schema that a hand would write, objects out and the same objects in."""

import json
import warnings
from typing import Any

import avro.errors
import avro.schema
import fastavro
import pytest
from hypothesis import given, settings

from registry.languages.avro.parser import parse as parse_in_registry
from serde import schema_of
from serde.classes import bind, shape_of
from serde.codec import compile_decoder, compile_encoder, parse_schema
from tests.serde.generated_classes import classes_with_values, same_classes

EXAMPLES = settings(max_examples=250)


@settings(max_examples=150)
@given(classes_with_values())
def test_the_schema_is_the_one_that_a_hand_would_write(case: tuple[Any, Any, Any, Any]) -> None:
    cls, schema, _, _ = case
    text = schema_of(cls)
    assert json.loads(text) == schema
    assert schema_of(cls) == text
    fastavro.parse_schema(json.loads(text))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", avro.errors.AvroWarning)  # of logical types that it does not know
        avro.schema.parse(text)
    parse_in_registry(text)


@pytest.mark.usefixtures("each_codec")
@EXAMPLES
@given(classes_with_values())
def test_objects_come_back(case: tuple[Any, Any, Any, Any]) -> None:
    cls, schema, value, plain = case
    parsed = parse_schema(json.dumps(schema))
    bound = bind(parsed, cls)
    body = compile_encoder(bound, shape_of=shape_of)(value)
    assert body == compile_encoder(parsed)(plain)
    assert body == compile_encoder(parsed, shape_of=shape_of)(value)
    read = compile_decoder(parsed, bound)(body, 0)
    assert read == value
    assert same_classes(read, value)
