"""The bodies of answers, as JSON Schema: what `registry.http.openapi` says of them."""

from collections.abc import Mapping
from typing import Any

from registry.http.responses import BY_ID, LOOKED_UP, REGISTERED, STORED
from registry.model import CompatibilityLevel, Mode

JsonSchema = Mapping[str, Any]

TEXT: JsonSchema = {"type": "string"}
FLAG: JsonSchema = {"type": "boolean"}
NUMBER: JsonSchema = {"type": "integer", "format": "int32", "minimum": 0, "maximum": 2**31 - 1}


def ref(name: str) -> JsonSchema:
    """The component called `name`."""
    return {"$ref": f"#/components/schemas/{name}"}


def array(items: JsonSchema) -> JsonSchema:
    """Any number of `items`."""
    return {"type": "array", "items": items}


def obj(properties: Mapping[str, JsonSchema], *optional: str) -> JsonSchema:
    """An object with these properties and no others; those in `optional` may be absent."""
    required = [name for name in properties if name not in optional]
    whole = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    return {**whole, "required": required} if required else whole


_ENTITY: Mapping[str, JsonSchema] = {
    "subject": TEXT,
    "version": {**NUMBER, "minimum": 1},
    "id": NUMBER,
    "guid": {"type": "string", "format": "uuid"},
    "schemaType": TEXT,
    "references": array(ref("Reference")),
    "metadata": ref("Metadata"),
    "ruleSet": ref("RuleSet"),
    "schema": TEXT,
    "ts": {"type": "integer", "format": "int64", "minimum": 0},
    "deleted": FLAG,
    "maxId": NUMBER,
    "aliases": array(TEXT),
    "schemaTags": array(ref("Tags")),
}
_NOT_ALWAYS = ("subject", "references", "metadata", "ruleSet", "aliases", "schemaTags")
"""Left out where they are empty; and the empty subject has an empty name."""


def _entity(*keys: str, optional: tuple[str, ...] = ()) -> JsonSchema:
    return obj({key: _ENTITY[key] for key in keys}, *_NOT_ALWAYS, *optional)


def config(change: JsonSchema, level: str) -> JsonSchema:
    """A config as it is answered: what a `change` may set, but nothing is null; its `level` by this key."""
    set_here = {
        name: _never_null(schema)
        for name, schema in change["properties"].items()
        if name not in {"compatibility", "compatibilityLevel"}
    }
    return obj({level: {"enum": [str(level) for level in CompatibilityLevel]}, **set_here}, level, *set_here)


def _never_null(schema: JsonSchema) -> JsonSchema:
    if "anyOf" in schema:
        return next(option for option in schema["anyOf"] if "$ref" in option)
    kind = next(kind for kind in schema["type"] if kind != "null")
    choices = {"enum": [value for value in schema["enum"] if value is not None]} if "enum" in schema else {}
    return {**schema, "type": kind, **choices}


ANSWERS: Mapping[str, JsonSchema] = {
    "RegisteredSchema": _entity(*REGISTERED, "schemaTags"),
    "SubjectSchema": _entity(*LOOKED_UP, "schemaTags"),
    "StoredSchema": _entity(*STORED, "schemaTags"),
    "ListedSchema": _entity(*STORED, "aliases"),
    "SchemaById": _entity("subject", "version", *BY_ID, "maxId", "schemaTags", optional=("version", "maxId")),
    "SubjectVersion": _entity("subject", "version"),
    "ContextId": obj({"context": TEXT, "id": NUMBER}),
    "Compatibility": obj({"is_compatible": FLAG, "messages": array(TEXT)}, "messages"),
    "Mode": obj({"mode": {"enum": [str(mode) for mode in Mode]}}),
    "ChangedMode": obj({"mode": {"type": ["string", "null"]}}),
    "ClusterId": obj({"id": TEXT, "scope": obj({"path": array(TEXT), "clusters": {"type": "object"}})}),
    "Release": obj({"version": TEXT, "commitId": TEXT}),
    "Deployment": obj({"attributes": array(TEXT)}),
    "Error": obj({"error_code": {"type": "integer"}, "message": TEXT}),
}
"""The components that no request has, by name; but for those that `config` gives."""
