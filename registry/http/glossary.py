"""What the words of the API mean, wherever they stand: in paths, in bodies and in answers."""

from collections.abc import Mapping

from registry.http.answers import NUMBER, JsonSchema

PATH_PARAMETERS: Mapping[str, JsonSchema] = {
    "subject": {
        "schema": {"type": "string", "minLength": 1},
        "description": "A subject, percent-encoded: `name` or `:.ctx:name`.",
        "example": "orders-value",
    },
    "version": {
        "schema": {"type": "string", "pattern": "^(latest|-1|[1-9][0-9]{0,9})$"},
        "description": "A version's number, or `latest` (or -1).",
        "example": "latest",
    },
    "id": {"schema": NUMBER, "description": "A schema id.", "example": 1},
    "guid": {
        "schema": {"type": "string", "format": "uuid"},
        "description": "A schema's guid.",
        "example": "ef524ea1-b91e-7317-3d93-8ade36c1db32",
    },
    "context": {
        "schema": {"type": "string", "pattern": r"^\.[^:/]*$"},
        "description": "A context's name, with its dot.",
        "example": ".eu",
    },
    "resource": {
        "schema": {"type": "string", "minLength": 1},
        "description": "A topic, after the name of its cluster or `-`.",
        "example": "-/orders",
    },
}

BODIES: Mapping[str, object] = {
    "NewSchema": {"schema": '"string"'},
    "Retagging": {
        "tagsToAdd": [{"schemaEntity": {"entityPath": "Order.id", "entityType": "sr_field"}, "tags": ["PII"]}]
    },
    "ConfigChange": {"compatibility": "FULL_TRANSITIVE"},
    "ModeChange": {"mode": "READWRITE"},
}
"""An example of each request's body."""

PROPERTIES: Mapping[str, str] = {
    "alias": "The subject that this one stands for.",
    "aliasForDeks": "Kept for serializers that encrypt.",
    "aliases": "The subjects that stand for this one.",
    "attributes": "None.",
    "clusters": "Their names by kind.",
    "commitId": "Not told.",
    "compatibility": "The compatibility level, in any letter case.",
    "compatibilityGroup": "The metadata property by which versions are in groups, each compared in itself.",
    "compatibilityLevel": "The compatibility level.",
    "compatibilityPolicy": "Kept for other registries.",
    "context": "A context's name; the default one's is `.`.",
    "defaultMetadata": "Put under the metadata of new schemas.",
    "defaultRuleSet": "Put under the rules of new schemas.",
    "deleted": "Whether the version is soft-deleted.",
    "disabled": "Whether the rule is passed over.",
    "doc": "What the rule is for.",
    "domainRules": "Rules for the values of messages.",
    "enableAt": "From when on the rules hold.",
    "encodingRules": "Rules for the bytes of messages.",
    "entityPath": "The record's full name; for a field of it, `.` and the field's name behind that.",
    "entityType": "`sr_record` or `sr_field`.",
    "error_code": "What went wrong.",
    "expr": "The rule, in the language of its type.",
    "guid": "The schema's guid: the same in every registry and context.",
    "id": "The schema's id in its context; in a request, only while importing.",
    "is_compatible": "Whether it could be registered.",
    "kind": "Whether the rule changes a message or judges it.",
    "maxId": "The highest id of the context.",
    "message": "What went wrong, where, and what to do.",
    "messages": "Every reason against it.",
    "metadata": "What else is known of the schema.",
    "migrationRules": "Rules that bring a message to another version.",
    "mode": "What the registry lets happen; of a rule, when it runs.",
    "name": "What it is called.",
    "newVersion": "Which version it is to be; without it, the next one.",
    "normalize": "Whether new schemas are normalized.",
    "onFailure": "What to do when the rule fails.",
    "onSuccess": "What to do when it does not.",
    "overrideMetadata": "Put over the metadata of new schemas.",
    "overrideRuleSet": "Put over the rules of new schemas.",
    "params": "What the rule is given, by name.",
    "path": "Empty.",
    "position": "Of the last entry that was read from the log.",
    "propagateSchemaTags": "Whether the tags of the latest version stay on.",
    "properties": "Texts by name.",
    "references": "The schemas that this one needs.",
    "rulesToMerge": "Rules to put over those of the version.",
    "rulesToRemove": "The names of rules to leave out.",
    "ruleSet": "The rules that serializers keep to.",
    "schema": "The schema's text.",
    "schemaEntity": "What the tags are on.",
    "schemaTags": "Where in the schema the tags are that were asked for.",
    "schemaTagsToAdd": "Tags to put into the schema.",
    "schemaTagsToRemove": "Tags to take out of the schema.",
    "schemaType": "The schema's language; AVRO where it is absent.",
    "scope": "Where the id is unique.",
    "sensitive": "The names of properties to keep secret.",
    "status": "`live` or `ready`.",
    "subject": "A subject.",
    "tags": "Tags; of metadata, by the path of what they are put on.",
    "tagsToAdd": "Tags to put into the schema.",
    "tagsToRemove": "Tags to take out of the schema.",
    "ts": "When it was written: ms since 1970.",
    "type": "The rule's language or executor.",
    "validateFields": "Kept for other registries.",
    "validateNewSchemas": "Whether new schemas must keep to the strict rules of names and default values.",
    "validateRules": "Kept for other registries.",
    "version": "A version's number.",
}

STATUSES: Mapping[int, str] = {
    400: "The body is not JSON, is of another shape, or ends early.",
    404: "A number in the path or the query is none, or the path leads nowhere.",
    406: "None of the types in `Accept` can be answered.",
    413: "The body is longer than the setting `max_body_bytes`.",
    40901: "The same as 409, where the setting `incompatible_error_code` says so.",
    415: "The body's `Content-Type` is not one of those listed.",
    422: "There is no body, or a key in the query has no value.",
}
"""What error codes mean that are no error's of `registry.errors`; most are the HTTP status."""
