"""Writing answers: JSON without spaces, in UTF-8, under the negotiated media type."""

import json
from typing import Any

from flask import Response, g

from registry.http.negotiation import MEDIA_TYPES
from registry.state import SchemaVersion

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def answer(value: object, status: int = 200) -> Response:
    """`value` as JSON."""
    return text_answer(json_text(value), status)


def json_text(value: object) -> str:
    """`value` as the JSON that answers are made of."""
    return _ENCODER.encode(value)


def text_answer(text: str, status: int = 200) -> Response:
    """`text` as it is; the raw text of a schema, say."""
    return Response(text, status, content_type=g.get("media_type", MEDIA_TYPES[0]))


def entity(version: SchemaVersion, *keys: str) -> dict[str, Any]:
    """The `keys` of a version that have a value: null, and an empty list, is left out (NON_EMPTY).

    Metadata and rules that say nothing are no empty list: with them it is another schema than without.
    """
    content = version.content
    whole = {
        "subject": version.subject,
        "version": version.version,
        "id": version.id,
        "guid": version.guid,
        "schemaType": content.schema_type,
        "references": [reference.to_json() for reference in content.references],
        "metadata": None if content.metadata is None else content.metadata.to_json(),
        "ruleSet": None if content.rule_set is None else content.rule_set.to_json(),
        "schema": content.text,
        "ts": version.time,
        "deleted": version.deleted,
    }
    return {key: whole[key] for key in keys if whole[key] is not None and whole[key] != []}


CONTENT = ("guid", "schemaType", "references", "metadata", "ruleSet", "schema")
REGISTERED = ("id", "version", *CONTENT)
LOOKED_UP = ("subject", *REGISTERED)
STORED = (*LOOKED_UP, "ts", "deleted")
BY_ID = CONTENT
"""Without what may change: these answers are kept by caches."""
