"""The text of an entry's records: a JSON array of ``{"key": …, "value": …}``."""

import json
from collections.abc import Sequence

from registry.errors import LogFormatError
from registry.records import LogRecord

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def encode_records(records: Sequence[LogRecord]) -> str:
    """One line of JSON without spaces; keys in the order in which they are given."""
    if not records:
        raise ValueError("an entry needs at least one record")
    return _ENCODER.encode([record.to_json() for record in records])


def decode_records(text: str, store: str, position: int) -> tuple[LogRecord, ...]:
    """The records of the entry at `position` of `store`; both are named where the text is damaged.

    Raises LogFormatError.
    """
    try:
        records = tuple([LogRecord(record["key"], record["value"]) for record in json.loads(text)])
    except (ValueError, TypeError, KeyError, RecursionError) as fault:
        raise LogFormatError(
            f"{store}: the entry at position {position} of the log is damaged ({fault}). "
            "Restore the store from a backup"
        ) from fault
    if not all(isinstance(record.key, dict) for record in records):
        raise LogFormatError(
            f"{store}: the entry at position {position} of the log holds a record without a key"
        )
    return records
