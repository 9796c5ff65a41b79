"""Every logical type of Avro 1.12, read and written as Java does, and as fastavro where it can."""

import copy
import io
import json
import pickle
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import fastavro
import pytest

from serde import Duration, NanoDatetime
from serde.codec import LOGICAL_TYPES, Fault, compile_decoder, compile_encoder, parse_schema
from tests.support.java_avro import ask, copy_request

pytestmark = pytest.mark.usefixtures("each_codec")

KEY = UUID("12345678-9abc-def0-1234-56789abcdef0")
MOMENT = datetime(2024, 2, 29, 23, 59, 58, 123456, tzinfo=UTC)
LOCAL = MOMENT.replace(tzinfo=None)


@dataclass(frozen=True)
class Logical:
    """A type, a value, the value as it is stored, and as Java prints it."""

    schema: dict[str, Any]
    value: Any
    stored: Any
    java: str
    fastavro: bool = True


def logical(kind: str, name: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "logicalType": name, **more}


def fixed(size: int, name: str, **more: Any) -> dict[str, Any]:
    return {"type": "fixed", "logicalType": name, "name": "F", "size": size, **more}


DECIMAL = {"precision": 9, "scale": 2}
CASES = [
    Logical(logical("int", "date"), date(2024, 2, 29), 19782, "2024-02-29"),
    Logical(logical("int", "date"), date(1, 1, 1), -719162, "0001-01-01"),
    Logical(logical("int", "date"), date(9999, 12, 31), 2932896, "9999-12-31"),
    Logical(logical("int", "time-millis"), time(23, 59, 59, 999000), 86399999, "23:59:59.999"),
    Logical(logical("long", "time-micros"), time(0, 0, 1, 5), 1000005, "00:00:01.000005"),
    Logical(
        logical("long", "timestamp-millis"),
        MOMENT.replace(microsecond=123000),
        1709251198123,
        "2024-02-29T23:59:58.123Z",
    ),
    Logical(logical("long", "timestamp-micros"), MOMENT, 1709251198123456, "2024-02-29T23:59:58.123456Z"),
    Logical(
        logical("long", "timestamp-millis"),
        datetime(1969, 12, 31, 23, 59, 59, 999000, tzinfo=UTC),
        -1,
        "1969-12-31T23:59:59.999Z",
    ),
    Logical(
        logical("long", "timestamp-nanos"),
        NanoDatetime.of(MOMENT, 789),
        1709251198123456789,
        "2024-02-29T23:59:58.123456789Z",
        fastavro=False,
    ),
    Logical(
        logical("long", "timestamp-nanos"),
        NanoDatetime(1969, 12, 31, 23, 59, 59, 999999, UTC, nanosecond=999),
        -1,
        "1969-12-31T23:59:59.999999999Z",
        fastavro=False,
    ),
    Logical(
        logical("long", "local-timestamp-millis"),
        LOCAL.replace(microsecond=123000),
        1709251198123,
        "2024-02-29T23:59:58.123",
    ),
    Logical(logical("long", "local-timestamp-micros"), LOCAL, 1709251198123456, "2024-02-29T23:59:58.123456"),
    Logical(
        logical("long", "local-timestamp-nanos"),
        NanoDatetime.of(LOCAL, 7),
        1709251198123456007,
        "2024-02-29T23:59:58.123456007",
        fastavro=False,
    ),
    Logical(logical("bytes", "decimal", **DECIMAL), Decimal("-12.34"), b"\xfb\x2e", "-12.34"),
    Logical(logical("bytes", "decimal", **DECIMAL), Decimal("1.28"), b"\x00\x80", "1.28"),
    # fastavro writes -128 in two bytes; Java in one, as we do.
    Logical(logical("bytes", "decimal", **DECIMAL), Decimal("-1.28"), b"\x80", "-1.28", fastavro=False),
    Logical(logical("bytes", "decimal", **DECIMAL), Decimal("0.00"), b"\x00", "0.00"),
    Logical(
        logical("bytes", "decimal", precision=40, scale=1),
        Decimal("-123456789012345678901234567890.1"),
        (-1234567890123456789012345678901).to_bytes(13, "big", signed=True),
        "-123456789012345678901234567890.1",
    ),
    Logical(fixed(4, "decimal", **DECIMAL), Decimal("-12.34"), b"\xff\xff\xfb\x2e", "-12.34"),
    Logical(fixed(10, "decimal", **DECIMAL), Decimal("12.34"), bytes(8) + b"\x04\xd2", "12.34"),
    Logical(
        logical("bytes", "big-decimal"), Decimal("-12.340"), b"\x04\xcf\xcc\x06", "-12.340", fastavro=False
    ),
    Logical(logical("bytes", "big-decimal"), Decimal("7E+3"), b"\x02\x07\x05", "7E+3", fastavro=False),
    Logical(logical("string", "uuid"), KEY, str(KEY), str(KEY)),
    Logical(fixed(16, "uuid"), KEY, KEY.bytes, str(KEY), fastavro=False),
    Logical(
        fixed(12, "duration"),
        Duration(14, 3, 4_000_000_000),
        bytes.fromhex("0e000000 03000000 00286bee"),
        "P1Y2M3T1111:06:40",
        fastavro=False,
    ),
]


def encode(schema: Any, value: Any) -> bytes:
    return compile_encoder(parse_schema(json.dumps(schema)))(value)


def decode(schema: Any, body: bytes, raw: Any = ()) -> Any:
    return compile_decoder(parse_schema(json.dumps(schema), raw=raw))(body, 0)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.schema['logicalType']} {case.value!r}")
def test_a_value_is_stored_as_the_specification_says(case: Logical) -> None:
    body = encode(case.schema, case.value)
    assert body == encode(case.schema, case.stored)
    found = decode(case.schema, body)
    assert (found, type(found)) == (case.value, type(case.value))
    assert str(found) == str(case.value)
    assert decode(case.schema, body, raw={case.schema["logicalType"]}) == case.stored
    assert decode(case.schema, body, raw=LOGICAL_TYPES - {case.schema["logicalType"]}) == case.value
    # In a union it is chosen by its class, before the others.
    assert (
        decode(["null", "int", case.schema], encode(["null", "int", case.schema], case.value)) == case.value
    )


@pytest.mark.parametrize("case", [case for case in CASES if case.fastavro], ids=lambda case: repr(case.value))
def test_fastavro_reads_and_writes_the_same(case: Logical) -> None:
    body = encode(case.schema, case.value)
    parsed: Any = fastavro.parse_schema(case.schema)
    written = io.BytesIO()
    fastavro.schemaless_writer(written, parsed, case.value)
    assert written.getvalue() == body
    assert fastavro.schemaless_reader(io.BytesIO(body), parsed, None) == case.value


def test_java_reads_and_writes_the_same() -> None:
    bodies = [encode(case.schema, case.value) for case in CASES]
    requests = [
        copy_request(json.dumps(case.schema), body, logical=True)
        for case, body in zip(CASES, bodies, strict=True)
    ]
    answers = ask(requests, "Codec")
    assert [(answer.get("text"), answer.get("body", answer)) for answer in answers] == [
        (case.java, body.hex()) for case, body in zip(CASES, bodies, strict=True)
    ]


@pytest.mark.parametrize(
    ("schema", "value", "message"),
    [
        (
            fixed(12, "duration"),
            Duration(-1),
            "the months of a duration are a whole number from 0 to 4294967295, not -1",
        ),
        (fixed(12, "duration"), Duration(0, 1 << 32), "the days of a duration are a whole number from 0"),
        (fixed(12, "duration"), timedelta(1), "expected 12 bytes for F or Duration, got datetime.timedelta"),
        (fixed(16, "uuid"), "nonsense", "expected a UUID, got 'nonsense'"),
        (logical("bytes", "big-decimal"), Decimal("Infinity"), "expected a decimal, got Infinity"),
        (logical("bytes", "big-decimal"), Decimal("1E-2147483648"), "the scale of the decimal"),
        (logical("long", "timestamp-nanos"), datetime.max.replace(tzinfo=UTC), "which is outside 64 bits"),
    ],
)
def test_what_does_not_fit_is_refused(schema: Any, value: Any, message: str) -> None:
    with pytest.raises(Fault) as caught:
        encode(schema, value)
    assert message in str(caught.value)


@pytest.mark.parametrize("inner", ["", "04cf", "04cfcc", "0207", "02070500"])
def test_a_broken_big_decimal_is_refused(inner: str) -> None:
    with pytest.raises(Fault):
        decode(logical("bytes", "big-decimal"), encode("bytes", bytes.fromhex(inner)))


@pytest.mark.parametrize(
    "schema", [logical("bytes", "big-decimal"), logical("bytes", "decimal", precision=9)]
)
def test_a_decimal_of_very_many_digits_is_refused(schema: Any) -> None:
    # It would be minutes of arithmetic.
    raw = encode("bytes", bytes(1_000_000))
    body = encode("bytes", raw + b"\x00") if schema["logicalType"] == "big-decimal" else raw
    with pytest.raises(Fault, match="more than 4300 digits are not read"):
        decode(schema, body)
    with pytest.raises(Fault, match="digits"):
        encode(schema, Decimal("7" * 4301))
    largest = Decimal("9" * 4300)
    if schema["logicalType"] == "big-decimal":
        assert decode(schema, encode(schema, largest)) == largest


def test_a_uuid_may_be_text_in_any_form_python_takes() -> None:
    text = "{12345678-9ABC-def0-1234-56789abcdef0}"
    assert decode(logical("string", "uuid"), encode("string", text)) == KEY
    assert decode(fixed(16, "uuid"), encode(fixed(16, "uuid"), text)) == KEY


@pytest.mark.parametrize("form", ["{{{}}}", "urn:uuid:{}", "{.hex}"])
def test_a_uuid_is_written_in_the_form_that_others_read(form: str) -> None:
    # Java's UUID.fromString takes this one alone, in either case.
    schema = logical("string", "uuid")
    assert encode(schema, form.format(KEY)) == encode("string", str(KEY))
    assert encode(schema, str(KEY).upper()) == encode("string", str(KEY).upper())


@pytest.mark.parametrize(
    ("schema", "number", "message"),
    [
        (logical("long", "timestamp-millis"), 1 << 62, "the timestamp 4611686018427387904 is outside"),
        (logical("long", "timestamp-micros"), -(1 << 62), "is outside the years 1 to 9999: raw_logical"),
        (logical("int", "date"), 1 << 30, "the date 1073741824 is outside the years 1 to 9999"),
        (logical("int", "time-millis"), 86_400_000, "the time of day 86400000 is after midnight"),
        (logical("long", "time-micros"), -1, "the time of day -1 is before midnight"),
    ],
)
def test_a_number_that_pythons_type_cannot_hold_is_named(schema: Any, number: int, message: str) -> None:
    body = encode(schema, number)
    with pytest.raises(Fault) as caught:
        decode(schema, body)
    assert message in str(caught.value)


def test_a_moment_with_nanoseconds_behaves_as_a_datetime() -> None:
    moment = NanoDatetime.of(MOMENT, 789)
    assert moment.isoformat() == "2024-02-29T23:59:58.123456789+00:00"
    assert str(moment) == "2024-02-29 23:59:58.123456789+00:00"
    assert repr(moment).endswith("nanosecond=789)")
    assert NanoDatetime.of(MOMENT, 0) == MOMENT
    assert hash(NanoDatetime.of(MOMENT, 0)) == hash(MOMENT)
    assert moment != MOMENT
    assert MOMENT < moment < NanoDatetime.of(MOMENT, 790) <= NanoDatetime.of(MOMENT, 790)
    assert moment > MOMENT
    assert max(moment, MOMENT) >= moment
    assert (moment + timedelta(days=1)).nanosecond == 789
    assert (moment - timedelta(days=1)).nanosecond == 789
    assert moment - MOMENT == timedelta(0)
    tokyo = moment.astimezone(timezone(timedelta(hours=9)))
    assert (tokyo.hour, tokyo.nanosecond, tokyo) == (8, 789, moment)
    assert moment.replace(nanosecond=1) == NanoDatetime.of(MOMENT, 1)
    assert moment.replace(year=2028).nanosecond == 789
    assert pickle.loads(pickle.dumps(moment)) == copy.deepcopy(moment) == moment
    with pytest.raises(ValueError, match="nanosecond must be in"):
        NanoDatetime.of(MOMENT, 1000)
    with pytest.raises(TypeError):
        assert moment < 5
