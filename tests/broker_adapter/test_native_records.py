"""The records in C are those in Python: the same bytes, the same records, and no more is taken."""

import subprocess
import sys
from types import ModuleType
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from broker_adapter.broker import Record
from broker_adapter.errors import CorruptBatch
from broker_adapter.filelog import batch
from broker_adapter.filelog.batch import (
    HEADER_SIZE,
    NewRecord,
    decode_batch,
    decode_records,
    encode_batch,
    encode_records,
    read_header,
)
from tests.broker_adapter.logs import NOW
from tests.support.needs import ROOT, need

INT64 = st.integers(-(1 << 63), (1 << 63) - 1)
DATA = st.none() | st.binary(max_size=200) | st.integers(60, 9_000).map(bytes)
HEADERS = st.lists(st.tuples(st.text(max_size=80), DATA), max_size=3).map(tuple)
TIMES = st.integers(NOW - 5_000, NOW + 5_000) | st.integers(0, 1 << 62)
RECORDS: st.SearchStrategy[list[NewRecord]] = st.lists(
    st.tuples(TIMES, DATA, DATA, HEADERS), min_size=1, max_size=40
)


@pytest.fixture(autouse=True)
def native() -> ModuleType:
    """The native records, which are there unless there was no compiler."""
    need(batch._native is not None, "the native records were not built: no C compiler")
    assert batch._native is not None
    return batch._native


def by_python(records: list[NewRecord], base: int) -> bytes:
    """The records' bytes by the code in Python."""
    return b"".join(batch._encode_records(enumerate(records), base))


def taken(body: bytes, header: batch.BatchHeader) -> list[Any] | None:
    """What the native code makes of a body; None if it leaves it to Python."""
    kind = header.timestamp_type
    append_time = header.max_timestamp if kind else None
    try:
        found: list[Any] = batch._native.decode_records(  # type: ignore[union-attr]
            body,
            Record,
            "t",
            3,
            header.base_offset,
            header.base_timestamp,
            append_time,
            kind,
            header.records_count,
        )
    except ValueError:
        return None
    return found


@given(RECORDS)
@settings(deadline=None)
def test_the_same_bytes_and_the_same_records(records: list[NewRecord]) -> None:
    base = records[0][0]
    body = encode_records(records, base)
    assert body == by_python(records, base)
    assert batch._native.encode_records(records, base) == body  # type: ignore[union-attr]
    header = read_header(encode_batch(records))._replace(base_offset=77)
    found = taken(body, header)
    assert found == batch._decode_records(body, header, "t", 3)
    assert found is not None
    assert [type(each) for each in found] == [Record] * len(records)
    assert [(r.timestamp, r.key, r.value, r.headers) for r in found] == records


@given(RECORDS, st.data())
@settings(deadline=None, max_examples=300)
def test_nothing_is_taken_that_python_refuses(records: list[NewRecord], data: st.DataObject) -> None:
    body = bytearray(encode_records(records, records[0][0]))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(body) - 1))
        how = data.draw(st.sampled_from(["byte", "cut", "insert"]))
        if how == "byte":
            body[at] = data.draw(st.sampled_from([0, 1, 2, 0x7F, 0x80, 0xFF]) | st.integers(0, 255))
        elif how == "cut":
            del body[at : at + data.draw(st.integers(1, 3))]
        else:
            body[at:at] = data.draw(st.binary(min_size=1, max_size=11))
        if not body:
            return
    header = read_header(encode_batch(records))
    found = taken(bytes(body), header)
    if found is not None:
        assert found == batch._decode_records(bytes(body), header, "t", 3)


@given(st.binary(max_size=200), INT64, st.integers(0, 1 << 62), st.integers(0, 3))
@example(b"\x0a\x00\x00\x00\x01\x01\x00", (1 << 63) - 1, (1 << 63) - 1, 1)
@settings(deadline=None)
def test_noise(body: bytes, base_timestamp: int, base_offset: int, count: int) -> None:
    header = read_header(encode_batch([(NOW, None, None, ())]))._replace(
        base_timestamp=base_timestamp, base_offset=base_offset, records_count=count
    )
    found = taken(body, header)
    if found is not None:
        assert found == batch._decode_records(body, header, "t", 3)


@pytest.mark.parametrize(
    "record",
    [
        (NOW, bytearray(b"k"), b"v", ()),
        (NOW, b"k", memoryview(b"v"), ()),
        (NOW, b"k", b"v", [("h", b"x")]),
        (NOW, b"k", b"v", (["h", b"x"],)),
    ],
)
def test_what_is_not_plain_is_left_to_python(native: ModuleType, record: Any) -> None:
    with pytest.raises(ValueError, match=r"^$"):
        native.encode_records([record], NOW)
    assert encode_records([record], NOW) == by_python([record], NOW)
    assert decode_batch(encode_batch([record]))[0].value == b"v"


def test_append_time_is_every_records() -> None:
    data = batch.with_append_time(encode_batch([(NOW + n, b"k", b"v", ()) for n in range(3)]), NOW + 50)
    assert [each.timestamp for each in decode_batch(data)] == [NOW + 50] * 3


def test_a_wrong_count_is_told_as_python_does() -> None:
    header = read_header(encode_batch([(NOW, b"k", b"v", ())]))
    body = encode_batch([(NOW, b"k", b"v", ())])[HEADER_SIZE:]
    with pytest.raises(CorruptBatch, match="says 2 records and holds 1"):
        decode_records(body, header._replace(records_count=2), "t", 0)


def test_the_environment_can_ask_for_python() -> None:
    program = "from broker_adapter.filelog import batch; print(batch._native)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={"FIVEBYTE_CODEC": "pure"},
        capture_output=True,
        check=True,
    )
    assert done.stdout == b"None\n"
