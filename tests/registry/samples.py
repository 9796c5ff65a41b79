"""Schemas and records for tests."""

import json
from typing import Any

from registry.model import SchemaContent, SchemaReference
from registry.records import LogRecord, SchemaRecord


def avro(name: str = "Order", **fields: Any) -> str:
    """The canonical text of a record with `fields`, each given by its type; ``(type, default)`` sets one."""
    described = []
    for field, kind in fields.items():
        if isinstance(kind, tuple):
            described.append({"name": field, "type": kind[0], "default": kind[1]})
        else:
            described.append({"name": field, "type": kind})
    return json.dumps({"type": "record", "name": name, "fields": described}, separators=(",", ":"))


def stored(
    subject: str, version: int, number: int, text: str | None = None, *, deleted: bool = False, refs: Any = ()
) -> LogRecord:
    """A SCHEMA record; its text is its id's unless given."""
    content = SchemaContent(
        "AVRO", text or avro(f"R{number}"), tuple(SchemaReference(*reference) for reference in refs)
    )
    return SchemaRecord(subject, version, number, content, deleted).to_log()


def gone(subject: str, version: int) -> LogRecord:
    """The tombstone of a version."""
    return SchemaRecord(subject, version).to_log()
