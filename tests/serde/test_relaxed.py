"""What `strict=False` relaxes, and that it relaxes nothing else; with both codecs."""

import json
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import pytest

from serde.classes import shape_of
from serde.codec import Encode, Fault, compile_decoder, compile_encoder, parse_schema
from tests.serde.conftest import native_codec

pytestmark = pytest.mark.usefixtures("each_codec")


def record(name: str, *fields: dict[str, Any]) -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": list(fields)}


def field(name: str, kind: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, **more}


def encoder(schema: Any, *, strict: bool = False) -> Encode:
    return compile_encoder(parse_schema(json.dumps(schema)), strict=strict)


ORDER = record(
    "Order",
    field("id", "int"),
    field("note", ["string", "null"]),
    field("nothing", "null"),
    field("state", ["null", "string"], default=None),
    field("inner", record("Inner", field("n", "int"), field("m", ["null", "int"]))),
)


@pytest.mark.parametrize("of", [dict, MappingProxyType])
def test_extra_fields_are_left_out_and_missing_nullable_ones_are_null(of: Any) -> None:
    encode = encoder(ORDER)
    # note is the second branch of its union: index 1 is 0x02 by zig-zag.
    assert (
        encode(of({"id": 1, "inner": of({"n": 2, "extra": 1}), "other": object()})).hex() == "020200" + "0400"
    )
    whole = {"id": 1, "note": "a", "nothing": None, "state": None, "inner": {"n": 2, "m": 3}}
    assert encode(of(whole)) == encoder(ORDER, strict=True)(whole)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"id": 1}, "inner: missing: Order gives it no default"),
        ({"inner": {"n": 1}}, "id: missing"),
        ({"id": "1", "inner": {"n": 1}}, "id: expected int, got '1'"),
        ({"id": 1, "note": 5, "inner": {"n": 1}}, "note: expected"),
        ({"id": 1, "inner": {"n": 1 << 40}}, "inner.n: "),
        ({"id": 1, "inner": {"n": 1.5}}, "inner.n: expected int, got 1.5"),
        ({"id": 1, "inner": {"n": 1, "m": "x"}}, "inner.m: expected"),
        ({"id": 1, "inner": {"n": 1}, "-type": "Basket"}, "expected Order, got a record of type 'Basket'"),
        ({"id": 1, "inner": {"n": 1}, "-type": None}, "expected Order, got a record of type None"),
        ([1], "expected Order, got"),
    ],
)
def test_all_else_is_as_strict_as_before(value: Any, words: str) -> None:
    with pytest.raises(Fault) as caught:
        encoder(ORDER)(value)
    assert words in str(caught.value)


@dataclass
class Basket:
    n: int
    more: str


def test_what_an_object_has_beside_the_fields_is_not_even_looked_at() -> None:
    schema = parse_schema(json.dumps(record("Basket", field("n", "int"))))
    half_made = Basket.__new__(Basket)
    half_made.n = 1
    assert compile_encoder(schema, strict=False, shape_of=shape_of)(half_made) == b"\x02"
    with pytest.raises(Fault, match="Basket has no"):
        compile_encoder(schema, shape_of=shape_of)(half_made)


def test_strict_is_strict() -> None:
    strict = encoder(ORDER, strict=True)
    whole = {"id": 1, "note": "a", "nothing": None, "state": None, "inner": {"n": 2, "m": 3}}
    with pytest.raises(Fault, match="Order has no field 'other'"):
        strict({**whole, "other": 1})
    del whole["note"]
    with pytest.raises(Fault, match="note: missing"):
        strict(whole)


def test_the_branch_with_most_of_the_keys_is_chosen() -> None:
    text = ["null", "string"]
    union = [
        record("A", field("x", text)),
        record("B", field("x", text), field("y", text), field("z", text)),
        record("C", field("x", text), field("y", text)),
    ]
    encode = encoder(union)
    # B and C have two keys of it, A one; B is first.
    assert encode({"x": "1", "y": "2", "other": 0})[0] == 2
    assert encode({"x": "1", "y": "2"})[0] == 4  # C, whose fields are just these
    assert encode({"x": "1", "other": 0})[0] == 0
    assert encode({"-type": "B", "x": "1"})[0] == 2


def test_bytes_after_the_value_are_ignored() -> None:
    schema = parse_schema(json.dumps(ORDER))
    body = encoder(ORDER)({"id": 1, "inner": {"n": 2}})
    relaxed = compile_decoder(schema, strict=False)
    assert relaxed(body + b"trailing", 0) == relaxed(body, 0)
    assert relaxed(b"\x00prefix"[:1] + body + b"!", 1) == relaxed(body, 0)
    with pytest.raises(Fault, match="8 bytes are left after the value"):
        compile_decoder(schema)(body + b"trailing", 0)
    with pytest.raises(Fault, match="ends inside this value"):
        relaxed(body[:-1], 0)


def test_the_native_codec_leaves_nothing_of_it_to_the_pure_one() -> None:
    native = native_codec()
    before = native.left_to_pure()
    schema = parse_schema(json.dumps(ORDER))
    encode = native.compile_encoder(schema, strict=False)
    decode = native.compile_decoder(schema, strict=False)
    for _ in range(3):
        assert decode(encode({"id": 1, "inner": {"n": 2, "extra": 1}, "other": 5}) + b"more", 0)["id"] == 1
    assert native.left_to_pure() == before
