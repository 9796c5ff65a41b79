"""The bodies of requests. Types are checked; fields that we do not know are ignored, as Confluent does.

A field set to null is as good as absent, except in a config, where it clears.
"""

from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from registry.contract import Metadata, RuleSet
from registry.errors import InvalidModeError
from registry.languages.language import SchemaEntity
from registry.model import CONFIG_KEYS, SchemaReference, config_changes
from registry.registry import NewSchema, Retag

_NO_TEXT = "Not a string: give the text of the schema as one, with the quotes in it escaped."
_INT = validate.Range(-(2**31), 2**31 - 1)


class _Body(Schema):
    class Meta:
        unknown = EXCLUDE

    def load(self, data: Any, **options: Any) -> Any:
        """What `make` makes of the checked `data`. Raises ValidationError.

        marshmallow's own way through a body is a long one, so it is left to what is at fault: it says where.
        """
        values = self._faultless(data)
        return self.make(super().load(data, **options) if values is None else values)

    def make(self, data: dict[str, Any]) -> Any:
        """What a body is loaded as, of the values of its fields."""
        return data

    def _faultless(self, data: Any) -> dict[str, Any] | None:
        """The values of the fields that are there; None where a field refuses one, or is missing."""
        if not isinstance(data, dict):
            return None
        values = {}
        for name, field in self.load_fields.items():
            key = field.data_key or name
            if key in data:
                try:
                    values[name] = field.deserialize(data[key], key, data)
                except ValidationError:
                    return None
            elif field.required:
                return None
        return values


def _text(*allowed: str) -> fields.String:
    return fields.String(allow_none=True, validate=validate.OneOf(allowed) if allowed else None)


class _Flag(fields.Boolean):
    """A boolean and nothing that looks like one."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class _Integer(fields.Integer):
    """A number without a fraction; ``1.0`` is one, as JSON Schema has it, and Confluent."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        return super()._deserialize(value, attr, data, **kwargs)


def _flag() -> fields.Boolean:
    return _Flag(allow_none=True)


class _Word(fields.String):
    """One of some words, in any letter case."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return super()._deserialize(value, attr, data, **kwargs).upper()


class ReferenceBody(_Body):
    """A reference: the name that the schema uses, and the version that it stands for."""

    name = fields.String(required=True)
    subject = fields.String(required=True)
    version = _Integer(required=True, strict=True, validate=_INT)

    def make(self, data: dict[str, Any]) -> SchemaReference:
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


class EntityBody(_Body):
    """What within a schema is tagged: a record or a field of one, by its path."""

    path = fields.String(required=True, data_key="entityPath")
    type = fields.String(required=True, data_key="entityType")

    def make(self, data: dict[str, Any]) -> SchemaEntity:
        return SchemaEntity(data["path"], data["type"].lower())


class TagsBody(_Body):
    """Tags of one part of a schema."""

    entity = fields.Nested(EntityBody, required=True, data_key="schemaEntity")
    tags = fields.List(fields.String(), required=True)


def _tags(name: str) -> fields.List[Any]:
    return fields.List(fields.Nested(TagsBody), allow_none=True, data_key=name)


class SchemaBody(_Body):
    """A schema to register, to look up or to check. Loads as ``{"new": NewSchema}``."""

    schema = fields.String(allow_none=True, error_messages={"invalid": _NO_TEXT})
    schema_type = fields.String(allow_none=True, data_key="schemaType")
    references = fields.List(fields.Nested(ReferenceBody), allow_none=True)
    metadata = fields.Nested(MetadataBody, allow_none=True)
    rule_set = fields.Nested(RuleSetBody, allow_none=True, data_key="ruleSet")
    version = _Integer(strict=True, allow_none=True, validate=_INT)
    id = _Integer(strict=True, allow_none=True, validate=_INT)
    tags_to_add = _tags("schemaTagsToAdd")
    tags_to_remove = _tags("schemaTagsToRemove")
    propagate_tags = _Flag(allow_none=True, data_key="propagateSchemaTags")

    def make(self, data: dict[str, Any]) -> dict[str, NewSchema]:
        number = data.get("id")
        new = NewSchema(
            text=data.get("schema") or "",
            schema_type=(data.get("schema_type") or "AVRO").upper(),
            references=tuple(data.get("references") or ()),
            metadata=_metadata(data.get("metadata")),
            rule_set=_rule_set(data.get("rule_set")),
            version=data.get("version") or 0,
            id=None if number is None or number < 0 else number,
            tags_to_add=_by_entity(data.get("tags_to_add")),
            tags_to_remove=_by_entity(data.get("tags_to_remove")),
            propagate_tags=data.get("propagate_tags") or False,
        )
        return {"new": new}


class RetagBody(_Body):
    """A change of a version's tags, metadata and rules. Loads as ``{"edit": Retag}``."""

    version = _Integer(strict=True, allow_none=True, validate=_INT, data_key="newVersion")
    tags_to_add = _tags("tagsToAdd")
    tags_to_remove = _tags("tagsToRemove")
    metadata = fields.Nested(MetadataBody, allow_none=True)
    rule_set = fields.Nested(RuleSetBody, allow_none=True, data_key="ruleSet")
    rules_to_merge = fields.Nested(RuleSetBody, allow_none=True, data_key="rulesToMerge")
    rules_to_remove = fields.List(fields.String(), allow_none=True, data_key="rulesToRemove")

    def make(self, data: dict[str, Any]) -> dict[str, Retag]:
        edit = Retag(
            version=data.get("version") or 0,
            tags_to_add=_by_entity(data.get("tags_to_add")),
            tags_to_remove=_by_entity(data.get("tags_to_remove")),
            metadata=_metadata(data.get("metadata")),
            rule_set=_rule_set(data.get("rule_set")),
            rules_to_merge=_rule_set(data.get("rules_to_merge")),
            rules_to_remove=data.get("rules_to_remove"),
        )
        return {"edit": edit}


def _metadata(value: dict[str, Any] | None) -> Metadata | None:
    return None if value is None else Metadata.from_json(value)


def _rule_set(value: dict[str, Any] | None) -> RuleSet | None:
    return None if value is None else RuleSet.from_json(value)


def _by_entity(tags: list[dict[str, Any]] | None) -> dict[SchemaEntity, list[str]]:
    found: dict[SchemaEntity, list[str]] = {}
    for one in tags or ():
        found.setdefault(one["entity"], []).extend(one["tags"])
    return found


class _ConfigBody(_Body):
    def make(self, data: dict[str, Any]) -> dict[str, Any]:
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
        "compatibilityPolicy": _Word(
            allow_none=True, validate=validate.OneOf(("LOGICAL", "STRICT", "LENIENT"))
        ),
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

    def make(self, data: dict[str, Any]) -> dict[str, Any]:
        if "mode" not in data:
            raise InvalidModeError
        return data


SCHEMA = SchemaBody()
RETAG = RetagBody()
CONFIG = ConfigBody()
"""A change of a config: what is absent stays, null clears. Loads as changes to `Config`'s fields."""
MODE = ModeBody()
