"""How a version is shown where the query asks for another form of it (reference, section 1.5)."""

from typing import Any

from flask import request

from registry.http.requests import query
from registry.http.responses import entity
from registry.model import QualifiedSubject, context_of
from registry.registry import Registry, SchemaVersion


def rendered(registry: Registry, version: SchemaVersion, *keys: str) -> dict[str, Any]:
    """The `keys` of a version as ``format``, ``referenceFormat`` and ``findTags`` want them.

    Raises InvalidSchemaError where what it refers to is not there any more.
    """
    value = entity(version, *keys)
    if not request.query_string:  # most requests want no other form
        return value
    value["schema"] = text(registry, version)
    if query("referenceFormat") == "qualified":
        for reference in value.get("references", ()):
            subject = QualifiedSubject.parse(reference["subject"], context_of(version.subject))
            reference["subject"] = str(subject)
    # Java's client puts all of them into one parameter, with commas between.
    wanted = {tag for tags in request.args.getlist("findTags") for tag in tags.split(",") if tag}
    found = registry.tags(version) if wanted else {}
    tags = [
        {"schemaEntity": {"entityPath": part.path, "entityType": part.type}, "tags": list(tags)}
        for part, tags in found.items()
        if "*" in wanted or not wanted.isdisjoint(tags)
    ]
    return {**value, "schemaTags": tags} if tags else value


def text(registry: Registry, version: SchemaVersion) -> str:
    """The text of a version; with ``format=resolved``, all that it refers to put in.

    Raises InvalidSchemaError where something of that is not there any more.
    """
    if query("format") == "resolved":
        return registry.resolved_text(version)
    return version.content.text
