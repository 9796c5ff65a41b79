"""The log as lines of JSON: one record a line, as a Kafka tool dumps a ``_schemas`` topic.

What is written is the form of ``kcat -J``: key and payload are strings with
the bytes that the topic has. Two members are ours: ``entry`` is the position
in the log, shared by the records that took effect together, and ``principal``
who asked for them, where that is known.

What is read is that, kcat's own, rpk's (``value`` and ``timestamp`` for
``payload`` and ``ts``), and what the console consumer prints with keys: key,
TAB, value, and before them whatever ``print.timestamp``, ``print.partition``,
``print.offset`` and ``print.headers`` add.
"""

import json
import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, NamedTuple

from registry.errors import TransferError
from registry.records import LogRecord
from registry.store import Entry

TOPIC = "_schemas"

_ADDED = re.compile(r"(CreateTime|LogAppendTime):(?P<time>\d+)|NoTimestampType|\w+:-?\d+|NO_HEADERS")
"""What the console consumer prints before the key."""


class Line(NamedTuple):
    """A record that was read.

    where: file and line, for messages. time: milliseconds since 1970; None where the dump has none.
    entry: records in sequence that share one took effect together; None for a record by itself.
    """

    where: str
    time: int | None
    record: LogRecord
    entry: int | None = None
    principal: str | None = None


def to_lines(entries: Iterable[Entry]) -> Iterator[str]:
    """A line, with its line feed, for each record of `entries`."""
    offset = 0
    for entry in entries:
        for record in entry.records:
            line = {
                "topic": TOPIC,
                "partition": 0,
                "offset": offset,
                "tstype": "create",
                "ts": entry.time,
                "key": compact(record.key),
                "payload": None if record.value is None else compact(record.value),
                "entry": entry.position,
            }
            if entry.principal is not None:
                line["principal"] = entry.principal
            yield compact(line) + "\n"
            offset += 1


def compact(value: Any) -> str:
    """JSON as the topic has it: no spaces, members in their order, all characters as they are."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def from_lines(lines: Iterable[bytes], name: str) -> Iterator[list[Line]]:
    """The entries of a dump, as the lines of each; `name` is the dump's, for messages.

    Raises TransferError for a line that is none of the forms that can be read.
    """
    numbered = (
        _read(raw, f"{name}, line {number}") for number, raw in enumerate(lines, 1) if raw.strip(b"\r\n ")
    )
    alone = 0

    def group(line: Line) -> object:
        nonlocal alone
        alone += 1
        return ("alone", alone) if line.entry is None else line.entry

    for _, together in groupby(numbered, group):
        yield list(together)


def _read(raw: bytes, where: str) -> Line:
    try:
        text = raw.decode("utf-8-sig").strip("\r\n ")
    except UnicodeDecodeError as fault:
        raise TransferError(f"{where}: it is no UTF-8 text ({fault.reason})") from None
    value = _json(text)
    if isinstance(value, dict) and "key" in value:
        return _from_envelope(value, where)
    return _from_columns(text.split("\t"), where)


def _from_envelope(line: dict[str, Any], where: str) -> Line:
    payload = line["payload"] if "payload" in line else line.get("value")
    time = line["ts"] if "ts" in line else line.get("timestamp")
    entry, principal = line.get("entry"), line.get("principal")
    # kcat says -1, or nothing, where the topic has no timestamps.
    usable = type(time) is int and time >= 0
    if not isinstance(entry, int | None) or not isinstance(principal, str | None):
        raise TransferError(f"{where}: entry must be a number, and principal a text")
    return Line(where, time if usable else None, _record(line["key"], payload, where), entry, principal)


def _from_columns(columns: list[str], where: str) -> Line:
    time = None
    while len(columns) > 2 and (added := _ADDED.fullmatch(columns[0])):
        time = int(added["time"]) if added["time"] else time
        columns = columns[1:]
    if len(columns) != 2:
        raise TransferError(
            f"{where}: it is neither a line of fivebyte registry export, nor of kcat -J, nor a key, TAB and "
            "value as the console consumer prints them with print.key=true (is it cut off?)"
        )
    key, payload = columns
    return Line(where, time, _record(key, payload, where))


def _record(key: object, payload: object, where: str) -> LogRecord:
    """A key, and a value that is null, nothing or ``null`` for a tombstone."""
    read = _json(key) if isinstance(key, str) else key
    if not isinstance(read, dict) or "keytype" not in read:
        raise TransferError(f"{where}: the key {str(key)[:100]!r} is not one of a {TOPIC} topic")
    if payload is None or payload in ("", "null"):
        return LogRecord(read, None)
    value = _json(payload) if isinstance(payload, str) else payload
    if not isinstance(value, dict):
        raise TransferError(f"{where}: the value of key {key} is not a JSON object (is the line cut off?)")
    return LogRecord(read, value)


def _json(text: str) -> Any:
    """What the text says in JSON; None if it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
