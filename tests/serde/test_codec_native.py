"""The native codec beside the pure one: the same of everything, and nothing lost, leaked or broken."""

import gc
import json
import os
import random
import resource
import subprocess
import sys
from collections import UserDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serde.codec import Fault, parse_schema, pure
from tests.serde.conftest import native_codec
from tests.serde.generated import evolutions, schemas_with_values

ROUNDS = 20_000
NODE = {"type": "record", "name": "N", "fields": [{"name": "next", "type": ["null", "N"]}]}
FIELDS: list[tuple[str, Any]] = [
    ("id", "long"),
    ("text", ["null", "string"]),
    ("ratio", "double"),
    ("data", "bytes"),
    ("kind", {"type": "enum", "name": "K", "symbols": ["A", "B"]}),
    ("tags", {"type": "array", "items": "string"}),
    ("map", {"type": "map", "values": "int"}),
    ("one", ["int", "string", {"type": "record", "name": "O", "fields": [{"name": "x", "type": "int"}]}]),
    ("at", {"type": "long", "logicalType": "timestamp-millis"}),
    ("day", {"type": "int", "logicalType": "date"}),
    ("price", {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}),
    ("key", {"type": "string", "logicalType": "uuid"}),
]
SCHEMA = {"type": "record", "name": "R", "fields": [{"name": name, "type": kind} for name, kind in FIELDS]}
NOW = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
VALUE = {
    "id": 1 << 40,
    "text": "snö " * 9,
    "ratio": 0.1,
    "data": bytes(3000),
    "kind": "B",
    "tags": ["a", "b"] * 9,
    "map": {"k": 1},
    "one": {"x": 1000},
    "at": NOW,
    "day": NOW.date(),
    "price": Decimal("-12.34"),
    "key": UUID(int=3),
}


def schema(value: Any) -> Any:
    return parse_schema(json.dumps(value))


@settings(max_examples=300)
@given(st.one_of(schemas_with_values(), evolutions()), st.integers(0, 1 << 32))
def test_both_codecs_give_or_refuse_the_same(case: tuple[Any, ...], seed: int) -> None:
    native = native_codec()
    from tests.fuzz.codec import Case, damaged, odd, outcome

    dice = random.Random(seed)
    evolution = len(case) == 4
    compiled = Case(case[0], case[1] if evolution else None, case[2] if evolution else case[1])
    before = native.left_to_pure()
    for _ in range(10):
        data = damaged(compiled.body, compiled.body, dice)
        found, wanted = (outcome(decode, data, 0) for decode in compiled.decode)
        assert found == wanted
        value = odd(compiled.value, dice)
        found, wanted = (outcome(encode, value) for encode in compiled.encode)
        assert found == wanted
    assert native.left_to_pure() == before


def test_a_message_larger_than_the_stack_and_one_deeper_than_the_native_codec_goes() -> None:
    native = native_codec()
    large = {"type": "array", "items": ["long", "bytes"]}
    value = [*range(5000), bytes(70_000), *range(5000)]
    body = native.compile_encoder(schema(large), prefix=b"12345")(value)
    assert body == b"12345" + pure.compile_encoder(schema(large))(value)
    assert native.compile_decoder(schema(large))(body, 5) == value
    before, deep = native.left_to_pure(), b"\x02" * 250 + b"\x00"
    # In a thread: its stack is empty, so that the pure codec goes as deep as it can.
    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(native.compile_decoder(schema(NODE)), deep, 0).result()
        assert pool.submit(native.compile_encoder(schema(NODE)), found).result() == deep
    assert native.left_to_pure() == before + 2


ENUMS = [{"type": "enum", "name": n, "symbols": [n]} for n in "AB"]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (ENUMS, "B"),
        (["int", "long"], 1 << 40),
        (["bytes", {"type": "fixed", "name": "F", "size": 2}], bytearray(b"ab")),
        (["null", "double"], 5),
        (
            [
                {"type": "record", "name": "A", "fields": [{"name": "x", "type": "int"}]},
                {"type": "map", "values": "int"},
            ],
            {"x": 1, "y": 2},
        ),
        ([{"type": "string", "logicalType": "uuid"}, "bytes", "string"], "no uuid"),
        ([{"type": "int", "logicalType": "date"}, "string"], "2024-02-30"),
        ([{"type": "bytes", "logicalType": "decimal", "precision": 2}, "double"], Decimal(12)),
        ({"type": "record", "name": "R", "fields": [{"name": "a", "type": "int", "default": 1}]}, {}),
        ({"type": "record", "name": "R", "fields": [{"name": "a", "type": "int"}]}, UserDict(a=1)),
        ({"type": "map", "values": "int"}, UserDict(a=True + 1)),
        ({"type": "array", "items": "int"}, range(5)),
    ],
)
def test_what_is_right_is_not_left_to_the_pure_codec(kind: Any, value: Any) -> None:
    native = native_codec()
    before = native.left_to_pure()
    assert native.compile_encoder(schema(kind))(value) == pure.compile_encoder(schema(kind))(value)
    assert native.left_to_pure() == before


class Changing(UserDict[str, int]):
    """A record that, when it is read, changes what it is held by."""

    def __init__(self, change: Callable[[], object]) -> None:
        super().__init__(x=1)
        self.change = change

    def get(self, key: str, default: Any = None) -> Any:
        if key == "x":
            self.change()
        return super().get(key, default)


@pytest.mark.parametrize("change", ["clear", "grow"])
@pytest.mark.parametrize("kind", ["array", "map"])
def test_a_value_that_changes_while_it_is_written(kind: str, change: str) -> None:
    record = {"type": "record", "name": "O", "fields": [{"name": "x", "type": "int"}]}
    container = schema({"type": kind, "items": record, "values": record})
    encode, decode = native_codec().compile_encoder(container), pure.compile_decoder(container)
    array: list[Any] = []
    entries: dict[str, Any] = {}
    if kind == "array":
        array += [Changing(array.clear if change == "clear" else lambda: array.append({"x": 1}))] * 9
    else:
        grow = lambda: entries.update({str(len(entries)): {"x": 1}})  # noqa: E731
        entries.update({str(n): Changing(entries.clear if change == "clear" else grow) for n in range(9)})
    try:
        body = encode(array if kind == "array" else entries)
    except Fault as fault:
        assert "changed while it was written" in str(fault)  # noqa: PT017
    else:
        # What it was at one moment.
        assert len(decode(body, 0)) in {0, *range(9, 40)}


def rounds(native: Any) -> Callable[[], None]:
    """Every path once: written, read, with another schema, and refused early and late."""
    writer = schema(SCHEMA)
    added = [{"name": "new", "type": {"type": "array", "items": "int"}, "default": [1]}]
    reader = schema({**SCHEMA, "fields": [*SCHEMA["fields"][3:], *added]})
    encode, decode = native.compile_encoder(writer), native.compile_decoder(writer)
    resolve, body = native.compile_decoder(writer, reader), encode(VALUE)
    broken = [{**VALUE, "one": {"x": "y"}}, {**VALUE, "key": "no"}, {**VALUE, "tags": ["a", 5]}, 5]

    def once() -> None:
        assert encode(decode(body, 0)) == body
        assert resolve(body, 0)["new"] == [1]
        for number, value in enumerate(broken):
            try:
                encode(value)
            except Fault:
                continue
            raise AssertionError(number)
        for end in (3, 90, len(body) - 1):
            try:
                decode(body[:end], 0)
            except Fault:
                continue
            raise AssertionError(end)

    return once


def test_nothing_leaks() -> None:
    once = rounds(native_codec())
    watched = [None, True, "id", "x", Decimal, UUID, Fault, UTC, NOW.tzinfo, ValueError]

    def held() -> list[int]:
        gc.collect()
        return [sys.getallocatedblocks(), *map(sys.getrefcount, watched)]

    for _ in range(200):
        once()
    before, size = held(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(ROUNDS // 10):
        once()
    grown = [now - then for now, then in zip(held(), before, strict=True)]
    # A leak of one in a round would be 2000; caches and the collector move a few.
    assert all(abs(number) < 500 for number in grown), grown
    # Kilobytes: a buffer of 3 KB that is not freed would be 6000 each time.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - size < 5000


def test_threads_share_a_codec() -> None:
    once = rounds(native_codec())

    def work() -> None:
        for _ in range(100):
            once()

    switch = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            for done in [pool.submit(work) for _ in range(8)]:
                done.result()
    finally:
        sys.setswitchinterval(switch)


@pytest.mark.parametrize(
    ("wanted", "missing", "said"),
    [
        ("", False, "native"),
        ("native", False, "native"),
        ("pure", False, "pure"),
        ("", True, "pure"),
        ("native", True, "ImportError: FIVEBYTE_CODEC=native, but the native codec was not built"),
        ("fast", False, "ImportError: FIVEBYTE_CODEC=fast: give native or pure, or leave it out"),
    ],
)
def test_the_environment_chooses_the_codec(wanted: str, missing: bool, said: str) -> None:
    native_codec()
    hide = "sys.modules['serde.codec.native'] = None;" if missing else ""
    code = f"import sys; {hide} import serde.codec; print(serde.codec.codec_in_use())"
    environment = {**os.environ, "FIVEBYTE_CODEC": wanted}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert said in done.stdout + done.stderr
