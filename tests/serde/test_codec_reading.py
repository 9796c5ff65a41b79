"""What the decoder refuses. Where fastavro reads on without a word, the test says so."""

import io
import json
from typing import Any

import fastavro
import pytest

from serde.codec import Fault, compile_decoder, parse_schema

pytestmark = pytest.mark.usefixtures("each_codec")

ENUM = {"type": "enum", "name": "E", "symbols": ["A", "B"]}
PAIR = {
    "type": "record",
    "name": "Pair",
    "fields": [{"name": "a", "type": "int"}, {"name": "b", "type": {"type": "array", "items": "string"}}],
}


def decode(schema: Any, data: bytes, start: int = 0) -> Any:
    return compile_decoder(parse_schema(json.dumps(schema)))(data, start)


@pytest.mark.parametrize(
    ("schema", "data", "message"),
    [
        ("int", b"", "the message ends inside this value"),
        ("int", b"\x80", "the message ends inside this value"),
        ("int", b"\xfe\xff\xff\xff\x1f", "expected an int and met 4294967295, which is outside 32 bits"),
        ("long", b"\xff" * 10, "a number of more than ten bytes"),
        ("long", b"\xff" * 9 + b"\x02", "a number outside 64 bits"),
        ("boolean", b"\x02", "expected a boolean, which is 0 or 1, and met the byte 0x02"),
        ("double", b"1234567", "the message ends inside this value"),
        ("bytes", b"\x04a", "the message ends inside this value: it should be 2 bytes long, 1 are left"),
        ("bytes", b"\x03abc", "a length of -2"),
        ("string", b"\x02\xff", "not UTF-8: invalid start byte at byte 0 of the string"),
        ({"type": "fixed", "name": "F", "size": 4}, b"abc", "the message ends inside this value: 4 bytes"),
        (ENUM, b"\x04", "E has 2 symbols, and symbol 2 is asked for"),
        (["null", "int"], b"\x04", "a union of 2 branches, and branch 2 is asked for"),
        ("null", b"\x00", "1 bytes are left after the value"),
        (PAIR, b"\x02\x00\x00", "1 bytes are left after the value"),
        (PAIR, b"\x02", "b: the message ends inside this value"),
        (PAIR, b"\x02\x04\x02x", "b[1]: the message ends inside this value"),
        (PAIR, b"\x02\x04\x02x\x0ay", "b[1]: the message ends inside this value: it should be 5 bytes"),
        ({"type": "map", "values": "int"}, b"\x02\x02k\x80", "['k']: the message ends inside this value"),
    ],
)
def test_a_broken_body_is_refused_with_its_path(schema: Any, data: bytes, message: str) -> None:
    with pytest.raises(Fault) as caught:
        decode(schema, data)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("schema", "data", "wrong"),
    [(["null", "string"], b"\x01\x02a", "a"), (ENUM, b"\x01", "B"), ("boolean", b"\x07", True)],
)
def test_what_fastavro_takes_for_the_last_one_is_refused(schema: Any, data: bytes, wrong: Any) -> None:
    parsed: Any = fastavro.parse_schema(schema)
    assert fastavro.schemaless_reader(io.BytesIO(data), parsed, None) == wrong
    with pytest.raises(Fault):
        decode(schema, data)


@pytest.mark.parametrize("items", ["null", {"type": "record", "name": "Empty", "fields": []}])
def test_items_of_no_size_are_bounded_over_the_whole_message(items: Any) -> None:
    schema = {"type": "array", "items": {"type": "array", "items": items}}
    a_million = b"\x80\x89\x7a" + b"\x00"
    assert len(decode(schema, b"\x02" + a_million + b"\x00")[0]) == 1_000_000
    with pytest.raises(Fault, match="more than 1048576 items that take no bytes"):
        decode(schema, b"\x04" + a_million * 2 + b"\x00")
    with pytest.raises(Fault, match="more than 1048576 items that take no bytes"):
        decode(schema["items"], b"\xfe\xff\xff\xff\xff\xff\xff\xff\x7f\x00")


@pytest.mark.parametrize("items", ["int", {"type": "fixed", "name": "F", "size": 2}])
def test_a_count_that_the_message_cannot_hold_allocates_nothing(items: Any) -> None:
    huge = b"\xfe\xff\xff\xff\xff\xff\xff\xff\x7f"
    with pytest.raises(Fault, match="which the message is too short for"):
        decode({"type": "array", "items": items}, huge + b"\x00")
    with pytest.raises(Fault, match="which the message is too short for"):
        decode({"type": "map", "values": items}, huge + b"\x00")


def test_a_body_nested_without_end_is_refused() -> None:
    schema = {"type": "record", "name": "N", "fields": [{"name": "next", "type": ["null", "N"]}]}
    assert decode(schema, b"\x02" * 50 + b"\x00")["next"]["next"] is not None
    with pytest.raises(Fault, match="nested too deep"):
        decode(schema, b"\x02" * 100_000 + b"\x00")


def test_blocks_with_their_length_in_front_are_read() -> None:
    assert decode({"type": "array", "items": "int"}, b"\x03\x04\x02\x04\x02\x06\x00") == [1, 2, 3]
    assert decode({"type": "map", "values": "int"}, b"\x01\x06\x02a\x02\x00") == {"a": 1}


def test_arrays_of_values_without_size_are_read() -> None:
    assert decode({"type": "array", "items": "null"}, b"\x06\x00") == [None] * 3


def test_reading_starts_where_it_is_told() -> None:
    assert decode("int", b"\xff\xff\x04", 2) == 2
