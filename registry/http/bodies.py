"""The bodies of requests. Types are checked; fields that we do not know are ignored, as Confluent does.

A field set to null is as good as absent, except in a config, where it clears.
"""

from typing import Any

from marshmallow import EXCLUDE, Schema, fields, post_load, validate

from registry.contract import Metadata, RuleSet
from registry.errors import InvalidModeError
from registry.model import CONFIG_KEYS, SchemaReference, config_changes
from registry.registry import NewSchema

_INT = validate.Range(-(2**31), 2**31 - 1)


class _Body(Schema):
    class Meta:
        unknown = EXCLUDE


def _text(*allowed: str) -> fields.String:
    return fields.String(allow_none=True, validate=validate.OneOf(allowed) if allowed else None)


class _Flag(fields.Boolean):
    """A boolean and nothing that looks like one."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


def _flag() -> fields.Boolean:
    return _Flag(allow_none=True)


class ReferenceBody(_Body):
    """A reference: the name that the schema uses, and the version that it stands for."""

    name = fields.String(required=True)
    subject = fields.String(required=True)
    version = fields.Integer(required=True, strict=True, validate=_INT)

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> SchemaReference:
        return SchemaReference(**data)


class MetadataBody(_Body):
    """The metadata of a schema."""

    tags = fields.Dict(fields.String(), fields.List(fields.String()), allow_none=True)
    properties = fields.Dict(fields.String(), fields.String(), allow_none=True)
    sensitive = fields.List(fields.String(), allow_none=True)


RuleBody = _Body.from_dict(
    {
        "name": _text(),
        "doc": _text(),
        "kind": _text("TRANSFORM", "CONDITION"),
        "mode": _text("UPGRADE", "DOWNGRADE", "UPDOWN", "WRITE", "READ", "WRITEREAD"),
        "type": _text(),
        "tags": fields.List(fields.String(), allow_none=True),
        "params": fields.Dict(fields.String(), fields.String(), allow_none=True),
        "expr": _text(),
        "onSuccess": _text(),
        "onFailure": _text(),
        "disabled": _flag(),
    },
    name="RuleBody",
)

RuleSetBody = _Body.from_dict(
    {
        "migrationRules": fields.List(fields.Nested(RuleBody), allow_none=True),
        "domainRules": fields.List(fields.Nested(RuleBody), allow_none=True),
        "encodingRules": fields.List(fields.Nested(RuleBody), allow_none=True),
        "enableAt": _text(),
    },
    name="RuleSetBody",
)


class SchemaBody(_Body):
    """A schema to register, to look up or to check. Loads as ``{"new": NewSchema}``."""

    schema = fields.String(allow_none=True)
    schema_type = fields.String(allow_none=True, data_key="schemaType")
    references = fields.List(fields.Nested(ReferenceBody), allow_none=True)
    metadata = fields.Nested(MetadataBody, allow_none=True)
    rule_set = fields.Nested(RuleSetBody, allow_none=True, data_key="ruleSet")
    version = fields.Integer(strict=True, allow_none=True, validate=_INT)
    id = fields.Integer(strict=True, allow_none=True, validate=_INT)

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> dict[str, NewSchema]:
        metadata, rule_set, number = data.get("metadata"), data.get("rule_set"), data.get("id")
        new = NewSchema(
            text=data.get("schema") or "",
            schema_type=(data.get("schema_type") or "AVRO").upper(),
            references=tuple(data.get("references") or ()),
            metadata=None if metadata is None else Metadata.from_json(metadata),
            rule_set=None if rule_set is None else RuleSet.from_json(rule_set),
            version=data.get("version") or 0,
            id=None if number is None or number < 0 else number,
        )
        return {"new": new}


class _ConfigBody(_Body):
    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        if "compatibility" in data:
            data["compatibilityLevel"] = data.pop("compatibility")
        return config_changes({key: value for key, value in data.items() if key in CONFIG_KEYS})


ConfigBody = _ConfigBody.from_dict(
    {
        "compatibility": _text(),
        "compatibilityLevel": _text(),
        "alias": _text(),
        "aliasForDeks": _text(),
        "normalize": _flag(),
        "validateFields": _flag(),
        "validateNewSchemas": _flag(),
        "validateRules": _flag(),
        "compatibilityPolicy": _text("LOGICAL", "STRICT", "LENIENT"),
        "compatibilityGroup": _text(),
        "defaultMetadata": fields.Nested(MetadataBody, allow_none=True),
        "overrideMetadata": fields.Nested(MetadataBody, allow_none=True),
        "defaultRuleSet": fields.Nested(RuleSetBody, allow_none=True),
        "overrideRuleSet": fields.Nested(RuleSetBody, allow_none=True),
    },
    name="ConfigBody",
)


class ModeBody(_Body):
    """A mode to set; null clears it, which its absence does not."""

    mode = fields.String(allow_none=True)

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        if "mode" not in data:
            raise InvalidModeError
        return data


SCHEMA = SchemaBody()
CONFIG = ConfigBody()
"""A change of a config: what is absent stays, null clears. Loads as changes to `Config`'s fields."""
MODE = ModeBody()
