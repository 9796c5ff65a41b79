"""The log as lines: what is written, and the dumps of other tools that are read."""

import json
from typing import Any

import pytest

from registry.errors import TransferError
from registry.model import Config
from registry.records import ConfigRecord, LogRecord
from registry.store import Entry
from registry.transfer.lines import Line, from_lines, to_lines
from tests.registry.samples import gone, stored

KEY = '{"keytype":"SCHEMA","subject":"s","version":1,"magic":1}'
VALUE = '{"subject":"s","version":1,"id":1,"schema":"\\"int\\"","deleted":false}'
RECORD = LogRecord(json.loads(KEY), json.loads(VALUE))


def read(*lines: str | bytes) -> list[list[Line]]:
    return list(from_lines([line if isinstance(line, bytes) else line.encode() for line in lines], "d"))


def only(text: str) -> Line:
    ((line,),) = read(text)
    return line


def test_a_line_has_the_key_and_the_value_as_the_topic_has_them() -> None:
    entry = Entry(7, 1_700_000_000_123, (stored("é", 1, 4, "int"), gone("é", 1)), "ada")
    first, second = to_lines([entry])
    assert json.loads(first) == {
        "topic": "_schemas",
        "partition": 0,
        "offset": 0,
        "tstype": "create",
        "ts": 1_700_000_000_123,
        "key": '{"keytype":"SCHEMA","subject":"é","version":1,"magic":1}',
        "payload": '{"subject":"é","version":1,"id":4,"schemaType":"AVRO","schema":"int","deleted":false}',
        "entry": 7,
        "principal": "ada",
    }
    assert (json.loads(second)["payload"], json.loads(second)["offset"]) == (None, 1)
    assert first.endswith("}\n")
    assert " " not in first


def test_keys_are_confluents_byte_for_byte() -> None:
    (line,) = to_lines([Entry(1, 0, (ConfigRecord(None, Config()).to_log(),))])
    assert json.loads(line)["key"] == '{"keytype":"CONFIG","subject":null,"magic":0}'


def test_what_was_written_is_read() -> None:
    entries = [
        Entry(1, 5, (stored("s", 1, 1, '"\u2028\\t"'), gone("t", 1)), "ada"),
        Entry(2, 6, (gone("s", 1),)),
        Entry(3, 6, (gone("s", 2),)),
    ]
    found = read(*"".join(to_lines(entries)).encode().splitlines(keepends=True))
    assert [(line[0].time, line[0].principal, tuple(one.record for one in line)) for line in found] == [
        (entry.time, entry.principal, entry.records) for entry in entries
    ]


def an_envelope(**members: Any) -> str:
    return json.dumps({"topic": "_schemas", "partition": 0, "offset": 3, **members})


@pytest.mark.parametrize(
    ("line", "time"),
    [
        (an_envelope(tstype="create", ts=12, broker=1, key=KEY, payload=VALUE), 12),
        (an_envelope(tstype="logappend", ts=12, broker=-1, headers=[], key=KEY, payload=VALUE), 12),
        (an_envelope(broker=1, key=KEY, payload=VALUE), None),
        (an_envelope(tstype="unknown", ts=-1, key=KEY, payload=VALUE), None),
        (an_envelope(key=KEY, value=VALUE, timestamp=12), 12),  # rpk
        (an_envelope(key=json.loads(KEY), payload=json.loads(VALUE), ts=12), 12),
        (f"{KEY}\t{VALUE}", None),
        (f"CreateTime:12\t{KEY}\t{VALUE}", 12),
        (f"LogAppendTime:12\tPartition:0\tOffset:3\tNO_HEADERS\t{KEY}\t{VALUE}", 12),
        (f"NoTimestampType\t{KEY}\t{VALUE}", None),
        (f"\ufeff{KEY}\t{VALUE}\r\n", None),
    ],
)
def test_the_forms_that_are_read(line: str, time: int | None) -> None:
    found = only(line)
    assert (found.record, found.time, found.entry, found.where) == (RECORD, time, None, "d, line 1")


@pytest.mark.parametrize(
    "line",
    [
        an_envelope(key=KEY, payload=None),
        an_envelope(key=KEY, payload=""),  # kcat without -Z
        an_envelope(key=KEY),
        f"{KEY}\tnull",
        f"CreateTime:12\t{KEY}\tnull",
        f"{KEY}\t",
    ],
)
def test_tombstones(line: str) -> None:
    assert only(line).record == LogRecord(json.loads(KEY), None)


def test_records_by_themselves_are_entries_of_their_own() -> None:
    assert [len(entry) for entry in read(f"{KEY}\t{VALUE}\n", "\n", f"{KEY}\tnull\n")] == [1, 1]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (VALUE[:20], "neither a line of fivebyte registry export"),
        (KEY, "neither a line"),
        (f"{KEY}\t{VALUE}\t{VALUE}", "neither a line"),
        (f"{KEY}\t{VALUE[:20]}", r"value of key .* is not a JSON object \(is the line cut off\?\)"),
        (f"{KEY}\t[1]", "is not a JSON object"),
        (f"orders\t{VALUE}", "the key 'orders' is not one of a _schemas topic"),
        (an_envelope(key=None, payload=VALUE), "the key 'None' is not one"),
        (an_envelope(key='{"a":1}', payload=VALUE), "is not one of a _schemas topic"),
        (an_envelope(key=KEY, payload=VALUE, entry="x"), "entry must be a number"),
        (an_envelope(key=KEY, payload=VALUE, principal=1), "principal a text"),
        (b"\xff\xfe", "it is no UTF-8 text"),
        ("[" * 100_000, "neither a line"),
    ],
)
def test_lines_that_cannot_be_read(line: str | bytes, why: str) -> None:
    with pytest.raises(TransferError, match=f"^d, line 2: .*{why}"):
        read(f"{KEY}\t{VALUE}", line)
