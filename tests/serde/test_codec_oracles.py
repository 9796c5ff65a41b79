"""Both codecs beside fastavro and cavro: bytes and values of generated schemas. (Java: `test_codec_java`.)

The others get schemas without logical types, and the values as Avro stores them, since neither has all of
them: fastavro lacks the nanoseconds, durations and big-decimals, cavro the local timestamps as well. What
logical types mean is compared in `test_codec_generated` and `test_codec_logical`.
"""

import functools
import io
import json
from importlib import import_module
from typing import Any

import fastavro

from serde.codec import LOGICAL_TYPES, AvroSchema, parse_schema, pure
from tests.serde.conftest import native_codec
from tests.serde.oracles import CASES, Case, cases, define_first, stored, without_logical
from tests.serde.test_codec_java import same

cavro: Any = import_module("cavro")
OPTIONS = cavro.DEFAULT_OPTIONS.replace(
    record_decodes_to_dict=True,
    allow_tuple_notation=True,
    allow_union_default_any_member=True,
    # As in Java and here: what cannot be resolved is a fault when a value of it is met.
    defer_schema_promotion_errors=True,
)


def raw(schema: Any) -> AvroSchema:
    return parse_schema(json.dumps(schema), raw=LOGICAL_TYPES)


def bodies(case: Case) -> bytes:
    """What both codecs write, from Python's types and from the stored values."""
    found = {
        codec.compile_encoder(schema)(value)
        for codec in (native_codec(), pure)
        for schema, value in (
            (parse_schema(json.dumps(case.writer)), case.written),
            (raw(case.writer), stored(case.writer, case.written)),
        )
    }
    assert len(found) == 1, case
    return bytes(found.pop())


def read(case: Case, body: bytes) -> Any:
    """What both codecs read; checked to be what the case was made to give."""
    writer, reader = parse_schema(json.dumps(case.writer)), parse_schema(json.dumps(case.reader))
    values = []
    for codec in (native_codec(), pure):
        decode = codec.compile_decoder(writer, None if case.reader is case.writer else reader)
        assert decode(body, 0) == case.expected
        values.append(codec.compile_decoder(raw(case.writer), raw(case.reader))(body, 0))
    assert same(values[0], values[1])
    return values[0]


@functools.cache
def ours() -> list[tuple[Case, bytes, Any]]:
    """Each case with the body that both codecs write, and the stored value that both read."""
    found = [(case, bodies(case)) for case in cases()]
    return [(case, body, read(case, body)) for case, body in found]


def agree(case: Case, theirs: dict[str, Any], value: dict[str, Any], *, converts_defaults: bool) -> None:
    """Where another resolves otherwise than Java and we do, take ours for its value if that is as known."""
    for field in case.reader["fields"]:
        name = field["name"]
        if "default" in field:
            # fastavro gives a default as it stands in JSON, a string for bytes; cavro 2 for a double's 2.0.
            assert theirs[name] == (value[name] if converts_defaults else field["default"]), case
            theirs[name] = value[name]
        elif promoted(theirs[name], value[name]):
            theirs[name] = value[name]


def promoted(theirs: Any, value: Any) -> bool:
    """Whether another took the first branch of a reader's union that a value can be promoted to.

    It gives 1.0 for 1 where the union has double and then int. Java takes the value's own type, as we do.
    """
    if isinstance(theirs, dict) and isinstance(value, dict):
        return theirs.keys() == value.keys() and all(promoted(theirs[key], value[key]) for key in value)
    if isinstance(theirs, list) and isinstance(value, list):
        return len(theirs) == len(value) and all(map(promoted, theirs, value))
    if isinstance(theirs, bytes) and isinstance(value, str):
        return theirs == value.encode()
    if isinstance(theirs, float) and isinstance(value, int):
        return same(theirs, float(value))
    return same(theirs, value)


def test_fastavro_writes_and_reads_the_same() -> None:
    assert len(ours()) >= CASES
    unreadable = 0
    for case, body, value in ours():
        writer = fastavro.parse_schema(without_logical(case.writer))
        out = io.BytesIO()
        fastavro.schemaless_writer(out, writer, stored(case.writer, case.written))
        assert out.getvalue() == body, case
        theirs: Any = fastavro.schemaless_reader(io.BytesIO(body), writer, None)
        if case.reader is not case.writer:
            reader = fastavro.parse_schema(without_logical(define_first(case.writer, case.reader)))
            try:
                theirs = fastavro.schemaless_reader(io.BytesIO(body), writer, reader)
            except UnicodeDecodeError:
                # A reader's union with string before bytes: it takes the first that bytes can be promoted to.
                text = json.dumps(case.reader)
                assert 0 <= text.find('"string"') < text.rfind('"bytes"'), case
                unreadable += 1
                continue
            agree(case, theirs, value, converts_defaults=False)
        assert same(theirs, value), (case, theirs, value)
    assert unreadable < CASES // 100


def without_array_hints(value: Any) -> Any:
    """cavro does not know ``("array", items)``, though ``("map", entries)``. A list says it as well."""
    if isinstance(value, dict):
        return {key: without_array_hints(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_array_hints(item) for item in value]
    if isinstance(value, tuple):
        kind, inner = value
        return without_array_hints(inner) if kind == "array" else (kind, without_array_hints(inner))
    return value


def names_a_branch(value: Any) -> bool:
    """Whether a union's branch is named in a value."""
    if isinstance(value, dict):
        return any(map(names_a_branch, value.values()))
    return isinstance(value, tuple) or (isinstance(value, list) and any(map(names_a_branch, value)))


def test_cavro_takes_the_name_of_a_branch_for_an_item() -> None:
    # ("E", "A") is the symbol A of E; where an array stands before E it writes the array of both.
    enum, array = {"type": "enum", "name": "E", "symbols": ["A"]}, {"type": "array", "items": "string"}
    assert cavro.Schema(json.dumps([enum, array]), OPTIONS).binary_encode(("E", "A")) == b"\x00\x00"
    mistaken = cavro.Schema(json.dumps([array, enum]), OPTIONS).binary_encode(("E", "A"))
    assert mistaken == b"\x00\x04\x02E\x02A\x00"


def test_cavro_writes_and_reads_the_same() -> None:
    mistaken = 0
    for case, body, value in ours():
        writer = cavro.Schema(json.dumps(without_logical(case.writer)), OPTIONS)
        given = without_array_hints(stored(case.writer, case.written))
        if writer.binary_encode(given) != body:
            # See above.
            assert names_a_branch(given), case
            assert '"type": "array"' in json.dumps(case.writer), case
            mistaken += 1
        theirs = writer.binary_decode(body)
        if case.reader is not case.writer:
            text = json.dumps(without_logical(define_first(case.writer, case.reader)))
            theirs = cavro.Schema(text, OPTIONS).reader_for_writer(writer).binary_decode(body)
            agree(case, theirs, value, converts_defaults=True)
        assert same(theirs, value), (case, theirs, value)
    assert mistaken < CASES // 100
