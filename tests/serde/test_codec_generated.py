"""The codec on generated schemas and values: bytes against fastavro's, values against how they were made."""

import io
import json
from typing import Any

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serde.codec import Fault, compile_decoder, compile_encoder, parse_schema
from tests.serde.generated import evolutions, schemas_with_values

pytestmark = pytest.mark.usefixtures("each_codec")

EXAMPLES = settings(max_examples=150)


def fastavro_bytes(schema: Any, value: Any) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema), value)
    return out.getvalue()


@EXAMPLES
@given(schemas_with_values())
def test_bytes_equal_fastavros_and_values_come_back(case: tuple[Any, Any, Any]) -> None:
    schema, written, expected = case
    parsed = parse_schema(json.dumps(schema))
    body = compile_encoder(parsed)(written)
    assert body == fastavro_bytes(schema, written)
    assert compile_decoder(parsed)(body, 0) == expected
    assert compile_decoder(parsed, parse_schema(json.dumps(schema)))(body, 0) == expected


@EXAMPLES
@given(schemas_with_values())
def test_a_union_chosen_by_the_value_gives_the_value_back(case: tuple[Any, Any, Any]) -> None:
    schema, _, plain = case
    parsed = parse_schema(json.dumps(schema))
    assert compile_decoder(parsed)(compile_encoder(parsed)(plain), 0) == plain


@EXAMPLES
@given(evolutions())
def test_a_reader_gets_what_its_schema_says(case: tuple[Any, Any, Any, Any]) -> None:
    writer_schema, reader_schema, written, expected = case
    writer, reader = parse_schema(json.dumps(writer_schema)), parse_schema(json.dumps(reader_schema))
    body = compile_encoder(writer)(written)
    assert compile_decoder(writer, reader)(body, 0) == expected


@EXAMPLES
@given(schemas_with_values())
def test_every_cut_is_a_fault(case: tuple[Any, Any, Any]) -> None:
    schema, written, _ = case
    parsed = parse_schema(json.dumps(schema))
    body, decode = compile_encoder(parsed)(written), compile_decoder(parsed)
    for length in range(len(body)):
        try:
            decode(body[:length], 0)
        except Fault:
            continue
        raise AssertionError(f"{body[:length]!r} of {body!r} was read")


@settings(max_examples=400)
@given(schemas_with_values(), st.data())
def test_damaged_bytes_are_a_fault_or_another_value(case: tuple[Any, Any, Any], data: st.DataObject) -> None:
    schema, written, _ = case
    parsed = parse_schema(json.dumps(schema))
    body = bytearray(compile_encoder(parsed)(written))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(body)))
        body[place : place + 1] = data.draw(st.binary(max_size=2))
    try:
        value = compile_decoder(parsed)(bytes(body), 0)
    except Fault:
        return
    if "decimal" not in json.dumps(schema):
        # What was read is a value of the schema: it can be written again. (A decimal may have
        # more digits than the schema says: they are read, as they are there, and not written.)
        compile_encoder(parsed)(value)
