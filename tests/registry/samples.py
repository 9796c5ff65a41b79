"""Schemas and records for tests, and what is done with every answer of the API."""

import json
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from registry.model import SchemaContent, SchemaReference
from registry.records import LogRecord, SchemaRecord

INT_GUID = "ef524ea1-b91e-7317-3d93-8ade36c1db32"
"""The GUID of the schema ``"int"``: what md5sum says of those five characters."""


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


def error(response: TestResponse) -> tuple[int, int, str]:
    """Status, code and message; the body must hold exactly the latter two."""
    body = response.get_json()
    assert set(body) == {"error_code", "message"}
    return response.status_code, body["error_code"], body["message"]


def register(client: FlaskClient, subject: str, text: str, **more: Any) -> Any:
    response = client.post(f"/subjects/{subject}/versions", json={"schema": text, **more})
    assert response.status_code == 200, response.text
    return response.get_json()
