"""Messages to Arrow and back: what comes of generated schemas, and both codecs the same."""

import json
import random
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import serde.codec
from serde.arrow import arrow_schema
from serde.codec import AvroSchema, compile_decoder, compile_encoder, parse_schema, pure
from tests.serde.columns import ONE, TWO, from_batch, plain, rows_of, text_of, to_batch
from tests.serde.generated import evolutions, schemas_with_many
from tests.serde.test_codec_java import same

pytestmark = pytest.mark.usefixtures("each_codec")

EXAMPLES = settings(max_examples=100)
# Arrow has no Python type for these: `rows_of` has them as Avro stores them.
AS_STORED = ["timestamp-nanos", "local-timestamp-nanos", "big-decimal"]


def written(schema: Any, values: list[tuple[Any, Any]]) -> list[bytes]:
    encode = compile_encoder(parse_schema(json.dumps(schema)), bare_bytes=True, prefix=ONE)
    return [encode(value) for value, _ in values]


def decoded(schema: Any, messages: list[bytes]) -> list[Any]:
    """The rows by the way of dicts."""
    parsed = parse_schema(json.dumps(schema), raw=AS_STORED)
    decode = compile_decoder(parsed, bare_bytes=True)
    is_record = isinstance(schema, dict) and schema["type"] == "record"
    values = [plain(decode(message, 5)) for message in messages]
    return values if is_record else [{"value": value} for value in values]


@EXAMPLES
@given(schemas_with_many())
def test_a_batch_has_what_dicts_have_and_gives_the_messages_back(
    case: tuple[Any, list[tuple[Any, Any]]],
) -> None:
    schema, values = case
    parsed = parse_schema(json.dumps(schema))
    messages = written(schema, values)
    batch, faults = to_batch(parsed, messages, {ONE: parsed})
    batch.validate(full=True)
    assert not faults
    assert batch.schema == arrow_schema(json.dumps(schema))
    assert rows_of(batch) == decoded(schema, messages)
    assert from_batch(parsed, batch) == messages
    half = len(messages) // 2
    assert from_batch(parsed, batch.slice(half)) == messages[half:]


@EXAMPLES
@given(schemas_with_many())
def test_pyarrow_makes_the_same_of_the_dicts(case: tuple[Any, list[tuple[Any, Any]]]) -> None:
    schema, values = case
    parsed = parse_schema(json.dumps(schema))
    messages = written(schema, values)
    batch, _ = to_batch(parsed, messages, {ONE: parsed})
    if "union" in str(batch.schema) or "extension" in str(batch.schema) or not batch.num_columns:
        return  # which pyarrow makes none of from Python's values, and without columns there are no rows
    theirs = pa.RecordBatch.from_pylist(decoded(schema, messages), schema=batch.schema)
    # Its dictionaries have only the symbols that it met: rows are compared.
    assert rows_of(batch) == rows_of(theirs)
    # What it made is written as ours is, whatever its dictionaries are.
    assert from_batch(parsed, theirs) == messages


@EXAMPLES
@given(evolutions(), st.lists(st.booleans(), max_size=10))
def test_messages_of_two_schemas_are_rows_of_the_readers(
    case: tuple[Any, Any, Any, Any], order: list[bool]
) -> None:
    writer_schema, reader_schema, value, expected = case
    writer, reader = parse_schema(json.dumps(writer_schema)), parse_schema(json.dumps(reader_schema))
    old = compile_encoder(writer, prefix=ONE)(value)
    new = compile_encoder(reader, prefix=TWO)(expected)
    batch, faults = to_batch(reader, [old if each else new for each in order], {ONE: writer, TWO: reader})
    batch.validate(full=True)
    assert not faults
    decode = compile_decoder(writer, reader), compile_decoder(reader)
    wanted = [plain(decode[0](old, 5) if each else decode[1](new, 5)) for each in order]
    # A whole number promoted to float is exact in a dict, and of 32 bits in a column, as in Java.
    assert same(rows_of(batch), wanted)


@settings(max_examples=100)
@given(schemas_with_many(), st.integers(0, 1 << 32))
def test_damaged_messages_are_left_out_and_both_codecs_agree(
    case: tuple[Any, list[tuple[Any, Any]]], seed: int
) -> None:
    from tests.fuzz.codec import damaged

    schema, values = case
    parsed, dice = parse_schema(json.dumps(schema)), random.Random(seed)
    sound = written(schema, values)
    messages = [
        message if dice.random() < 0.3 else message[:5] + damaged(message[5:], sound[0][5:], dice)
        for message in sound
    ]
    found, faults = to_batch(parsed, messages, {ONE: parsed})
    found.validate(full=True)
    assert found.num_rows == len(messages) - len(faults)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(serde.codec, "_codec", pure)
        wanted, reasons = to_batch(parsed, messages, {ONE: parsed})
    assert faults == reasons
    assert found.schema == wanted.schema
    assert text_of(found) == text_of(wanted)


RECORD = {"type": "record", "name": "R", "fields": []}


def record(**fields: Any) -> AvroSchema:
    return parse_schema(
        json.dumps({**RECORD, "fields": [{"name": name, "type": kind} for name, kind in fields.items()]})
    )


def test_a_row_of_nulls_has_one_in_every_column() -> None:
    schema = record(
        a="int",
        b=["int", "string"],
        c={"type": "array", "items": "boolean"},
        d={"type": "map", "values": "null"},
        e=["null", "int", "string"],
        f={**RECORD, "name": "S", "fields": [{"name": "x", "type": "bytes"}]},
        g="null",
        h={"type": "enum", "name": "E", "symbols": ["X"]},
        i={"type": "fixed", "name": "F", "size": 3},
    )
    value = {"a": 1, "b": "x", "c": [True, False], "d": {"k": None}, "e": None}
    value |= {"f": {"x": b"y"}, "g": None, "h": "X", "i": b"abc"}
    message = compile_encoder(schema, prefix=ONE)(value)
    batch, faults = to_batch(schema, [None, message, None], {ONE: schema}, nulls=True)
    batch.validate(full=True)
    assert not faults
    assert rows_of(batch) == [dict.fromkeys(value), value, dict.fromkeys(value)]


def test_a_uuid_in_another_form_keeps_its_place() -> None:
    kind = {"type": "string", "logicalType": "uuid"}
    schema, text = record(key=kind, n="int"), record(key="string", n="int")
    usual = "00112233-4455-6677-8899-aabbccddeeff"
    forms = [usual, usual.replace("-", ""), usual.upper(), "{" + usual + "}", "urn:uuid:" + usual, usual]
    encode = compile_encoder(text, prefix=ONE)
    messages = [encode({"key": form, "n": n}) for n, form in enumerate(forms)]
    messages.insert(2, encode({"key": "no uuid", "n": 9}))
    batch, faults = to_batch(schema, messages, {ONE: schema})
    assert batch["n"].to_pylist() == [0, 1, 2, 3, 4, 5]
    assert {str(key) for key in batch["key"].to_pylist()} == {usual}
    assert faults == [(2, "key: expected a UUID, got 'no uuid'")]


TIMES: list[tuple[Any, int, Any, Any]] = [
    (
        {"type": "long", "logicalType": "timestamp-millis"},
        -1,
        {"type": "long", "logicalType": "timestamp-micros"},
        -1000,
    ),
    (
        {"type": "long", "logicalType": "timestamp-micros"},
        -1,
        {"type": "long", "logicalType": "timestamp-millis"},
        -1,
    ),
    (
        {"type": "long", "logicalType": "timestamp-nanos"},
        2500,
        {"type": "long", "logicalType": "timestamp-micros"},
        2,
    ),
    ({"type": "int", "logicalType": "time-millis"}, 5, {"type": "long", "logicalType": "time-micros"}, 5000),
    (
        {"type": "int", "logicalType": "time-millis"},
        5,
        {"type": "long", "logicalType": "timestamp-millis"},
        5,
    ),
    (
        {"type": "long", "logicalType": "timestamp-millis"},
        7,
        {"type": "long", "logicalType": "local-timestamp-micros"},
        7,
    ),
]


@pytest.mark.parametrize(("writer", "number", "reader", "expected"), TIMES)
def test_the_writers_unit_is_the_true_one(writer: Any, number: int, reader: Any, expected: int) -> None:
    message = compile_encoder(record(t=writer), prefix=ONE)({"t": number})
    batch, faults = to_batch(record(t=reader), [message], {ONE: record(t=writer)})
    assert not faults
    assert batch["t"].cast(pa.int64()).to_pylist() == [expected]


def test_a_time_outside_the_day_or_a_moment_outside_64_bits_is_a_fault() -> None:
    millis, nanos = ({"type": "long", "logicalType": f"timestamp-{unit}"} for unit in ("millis", "nanos"))
    time = {"type": "int", "logicalType": "time-millis"}
    encode = compile_encoder(record(t="int", m="long"), prefix=ONE)
    messages = [encode({"t": t, "m": m}) for t, m in [(0, 1), (86_400_000, 1), (-1, 1), (5, 1 << 62)]]
    batch, faults = to_batch(record(t=time, m=nanos), messages, {ONE: record(t=time, m=millis)})
    assert batch.num_rows == 1
    assert faults == [
        (1, "t: the time of day 86400000 is not within a day"),
        (2, "t: the time of day -1 is not within a day"),
        (3, f"m: the timestamp {1 << 62} is outside 64 bits in the reader's unit"),
    ]


def decimal(precision: int, scale: int) -> Any:
    return {"type": "bytes", "logicalType": "decimal", "precision": precision, "scale": scale}


def test_a_decimal_is_given_at_the_readers_scale_and_never_rounded() -> None:
    writer, reader = record(d=decimal(9, 2)), record(d=decimal(5, 1))
    encode = compile_encoder(writer, prefix=ONE)
    messages = [
        encode({"d": pa.scalar(text).cast(pa.decimal128(9, 2)).as_py()}) for text in ("1.50", "-2.00")
    ]
    messages += [
        encode({"d": pa.scalar(text).cast(pa.decimal128(9, 2)).as_py()}) for text in ("1.25", "99999.00")
    ]
    batch, faults = to_batch(reader, messages, {ONE: writer})
    assert [str(each) for each in batch["d"].to_pylist()] == ["1.5", "-2.0"]
    assert faults == [
        (2, "d: the decimal 1.25 has more than 1 digits after the point"),
        (3, "d: the decimal 99999.00 has more than 5 digits at scale 1"),
    ]
    # More digits than the schema says are read as dicts; a column has no room for them.
    raw = compile_encoder(record(d="bytes"), prefix=ONE)
    edges = [n.to_bytes(4, "big", signed=True) for n in (99_999, -99_999, 100_000, -100_000)]
    batch, faults = to_batch(reader, [raw({"d": edge}) for edge in edges], {ONE: reader})
    assert [str(each) for each in batch["d"].to_pylist()] == ["9999.9", "-9999.9"]
    assert [index for index, _ in faults] == [2, 3]


@pytest.mark.parametrize("precision", [1, 9, 18, 19, 38, 39, 57, 58, 76])
def test_decimals_at_the_edges_of_their_precision(precision: int) -> None:
    schema = record(d=decimal(precision, 0))
    raw = compile_encoder(record(d="bytes"), prefix=ONE)
    limit = 10**precision
    numbers = [0, limit - 1, 1 - limit, limit, -limit, limit << 64, -(limit << 64)]
    # With more bytes than it takes, too: signs in front change nothing.
    messages = [raw({"d": n.to_bytes(size, "big", signed=True)}) for n in numbers for size in (44, 60)]
    batch, faults = to_batch(schema, messages, {ONE: schema})
    assert [int(d) for d in batch["d"].to_pylist()] == [n for n in numbers[:3] for _ in range(2)]
    assert [index for index, _ in faults] == list(range(6, 14))
    again, _ = to_batch(schema, from_batch(schema, batch), {ONE: schema})
    assert again == batch


def test_a_column_larger_than_its_offsets_can_count_is_refused() -> None:
    schema = record(a="string", b={"type": "array", "items": "null"}, c={"type": "map", "values": "int"})
    encode = compile_encoder(schema, prefix=ONE)
    values = [{"a": "x" * 60, "b": [], "c": {}}, {"a": "", "b": [None] * 60, "c": {}}]
    values.append({"a": "", "b": [], "c": {str(n): n for n in range(31)}})
    for value in values:
        messages = [encode(value)] * 4
        assert to_batch(schema, messages[:3], {ONE: schema}, most=200)[0].num_rows == 3
        with pytest.raises(ValueError, match="give fewer at a time"):
            to_batch(schema, messages, {ONE: schema}, most=200)


def test_a_length_that_the_message_does_not_have_allocates_nothing() -> None:
    schema = record(a={"type": "array", "items": "int"}, b="string", c={"type": "array", "items": "null"})
    huge = b"\xfe\xff\xff\xff\xff\xff\xff\xff\x7f"
    messages = [ONE + huge, ONE + b"\x00" + huge, ONE + b"\x00\x00" + huge]
    batch, faults = to_batch(schema, messages, {ONE: schema})
    assert batch.num_rows == 0
    assert len(faults) == 3


def test_the_whole_of_a_message_is_the_value_of_just_bytes() -> None:
    schema = parse_schema('"bytes"')
    messages = [ONE, ONE + b"x" * 300]
    batch, _ = to_batch(schema, messages, {ONE: schema})
    assert batch["value"].to_pylist() == [b"", b"x" * 300]
    assert from_batch(schema, batch) == messages
    wider, faults = to_batch(parse_schema('["null", "string"]'), [*messages, ONE + b"\xff"], {ONE: schema})
    assert wider["value"].to_pylist() == ["", "x" * 300]
    assert [index for index, _ in faults] == [2]
