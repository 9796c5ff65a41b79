"""Generated classes: the schema that a hand would write, objects out and the same objects in."""

import enum
import gc
import json
import random
import sys
import warnings
from dataclasses import dataclass, field
from typing import Annotated, Any

import avro.errors
import avro.schema
import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.languages.avro.parser import parse as parse_in_registry
from serde import schema_of
from serde.classes import AvroField, bind, shape_of
from serde.codec import Fault, compile_decoder, compile_encoder, parse_schema, pure
from tests.serde.conftest import native_codec
from tests.serde.generated_classes import classes_with_values, fields_of, same_classes

EXAMPLES = settings(max_examples=150)


class Kind(enum.Enum):
    A = 1
    B = 2


@settings(max_examples=100)
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


@settings(max_examples=100)
@given(classes_with_values(), st.integers(0, 1 << 32))
def test_both_codecs_give_or_refuse_the_same(case: tuple[Any, Any, Any, Any], seed: int) -> None:
    native = native_codec()
    from tests.fuzz.codec import ODDITIES, damaged, outcome

    cls, schema, value, _ = case
    parsed, dice = parse_schema(json.dumps(schema)), random.Random(seed)
    bound = bind(parsed, cls)
    encoders = [codec.compile_encoder(bound, shape_of=shape_of) for codec in (native, pure)]
    decoders = [codec.compile_decoder(parsed, bound) for codec in (native, pure)]
    body, before = encoders[0](value), native.left_to_pure()
    for _ in range(10):
        data = damaged(body, body, dice)
        found, wanted = (outcome(decode, data, 0) for decode in decoders)
        assert found == wanted
    for name in fields_of(value) or ():
        given_value, oddity = getattr(value, name), dice.choice(ODDITIES)
        object.__setattr__(value, name, oddity)
        found, wanted = (outcome(encode, value) for encode in encoders)
        object.__setattr__(value, name, given_value)
        assert found == wanted, (name, oddity)
    assert native.left_to_pure() == before


def test_nothing_leaks() -> None:
    native = native_codec()

    @dataclass
    class Line:
        n: int
        kind: Kind

    @dataclass(slots=True)
    class Order:
        lines: list[Line]
        either: Line | str | None
        names: Annotated[list[str], AvroField(skip=True)] = field(default_factory=list)

    parsed = parse_schema(schema_of(Order))
    bound = bind(parsed, Order)
    encode = native.compile_encoder(bound, shape_of=shape_of)
    decode = native.compile_decoder(parsed, bound)
    order = Order([Line(n, Kind.A) for n in range(5)], Line(7, Kind.B))
    body = encode(order)
    watched = [None, Kind.A, Order, Line, "n", "lines"]

    def once() -> None:
        assert decode(body, 0) == order
        for bad in (Order([Line("x", Kind.A)], None), Order([Line(1, Kind.A), 5], None)):  # type: ignore[arg-type,list-item]
            with pytest.raises(Fault):
                encode(bad)
        for end in (3, len(body) - 1):
            with pytest.raises(Fault):
                decode(body[:end], 0)

    def held() -> list[int]:
        gc.collect()
        return [sys.getallocatedblocks(), *map(sys.getrefcount, watched)]

    for _ in range(100):
        once()
    before = held()
    for _ in range(1000):
        once()
    grown = [now - then for now, then in zip(held(), before, strict=True)]
    # A leak of one in a round would be 1000; caches and the collector move a few.
    assert all(abs(number) < 300 for number in grown), grown
