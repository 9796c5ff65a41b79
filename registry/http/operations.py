"""Every operation of the HTTP API in words: what `registry.http.openapi` and its page are made of.

A route that has no entry here, or an entry whose route is gone, fails a test.
"""

from collections.abc import Mapping
from typing import Any

from registry import errors
from registry.http import bodies
from registry.http.answers import NUMBER, TEXT, array, obj, ref
from registry.http.operation import Fault, Operation, Query


def _flag(name: str, description: str) -> Query:
    return Query(name, {"type": "boolean", "default": False}, description)


def _text(name: str, description: str, **more: Any) -> Query:
    return Query(name, {"type": "string", **more}, description)


def _several(name: str, description: str) -> Query:
    return Query(name, array(TEXT), description, many=True)


_TWICE = "Softly first: ids stay readable, and a schema may come back. Then, with `permanent`, for good."
_PAGE = (
    Query(
        "offset",
        {"type": "integer", "format": "int32", "default": 0},
        "How many to leave out at the beginning.",
    ),
    Query(
        "limit",
        {"type": "integer", "format": "int32", "default": -1},
        "How many at most; none if not above 0.",
    ),
)
_DELETED = (
    _flag("deleted", "Also what is soft-deleted."),
    _flag("lookupDeletedSchema", "The same, by an older name."),
)
_PERMANENT = _flag("permanent", "For good; only what is soft-deleted already.")
_EFFECTIVE = _flag("defaultToGlobal", "Where nothing is set here, what holds around it.")
_FORMAT = _text("format", "`resolved`: with all that it refers to put in.", default="")
_FORM = (
    _FORMAT,
    _text("referenceFormat", "`qualified`: subjects of references with their context.", default=""),
    _several(
        "findTags",
        "Tell which parts of the schema have one of these tags, commas between; `*` is any.",
    ),
)
_NORMALIZE = _flag("normalize", "Take the schema in its normalized form.")
_SUBJECT = _text(
    "subject", "Take the id as one of this subject's context: `:.ctx:name`, `:.ctx:`, or a bare name."
)
_PREFIX = "What the subjects' names begin with: in the default context, in `:.ctx:`, or with `:*:` in all."

_LOG: tuple[Fault, ...] = (errors.StoreError, errors.StoreAwayError)
_WRITE: tuple[Fault, ...] = (*_LOG, errors.WriteTimedOutError, errors.OperationNotPermittedError)
_INCOMPATIBLE: tuple[Fault, ...] = (errors.IncompatibleSchemaError, 40901)
_NO_VERSION: tuple[Fault, ...] = (
    errors.SubjectNotFoundError,
    errors.VersionNotFoundError,
    errors.InvalidVersionError,
    *_LOG,
)
_RESOLVING: tuple[Fault, ...] = (errors.InvalidSchemaError,)
"""With ``format=resolved``: what a schema refers to may be gone for good."""
_READING: tuple[Fault, ...] = (errors.InvalidSchemaError, errors.SchemaTooLargeError)
_PARSING: tuple[Fault, ...] = (*_READING, errors.InvalidSubjectError)

_SUBJECTS = {
    "GET /subjects": Operation(
        "listSubjects",
        "List the subjects",
        "Their names, sorted.",
        array(TEXT),
        _LOG,
        (
            _text("subjectPrefix", _PREFIX, default=":*:"),
            *_DELETED,
            _flag("deletedOnly", "Only those that are soft-deleted."),
            *_PAGE,
        ),
    ),
    "POST /subjects/{subject}": Operation(
        "lookUpSchema",
        "Find the version of a subject that a schema is",
        "The newest version with this content.",
        ref("SubjectSchema"),
        (errors.SubjectNotFoundError, errors.SchemaNotFoundError, *_READING, *_LOG),
        (*_DELETED, _NORMALIZE, *_FORM),
        bodies.SCHEMA,
    ),
    "GET /subjects/{subject}/metadata": Operation(
        "getVersionWithMetadata",
        "Find the newest version with certain properties in its metadata",
        "The version.",
        ref("StoredSchema"),
        (errors.SubjectNotFoundError, errors.SchemaNotFoundError, 422, *_LOG, *_RESOLVING),
        (
            _several("key", "The properties' names."),
            _several("value", "A value for each of them."),
            *_DELETED,
            *_FORM,
        ),
    ),
    "DELETE /subjects/{subject}": Operation(
        "deleteSubject",
        "Delete a subject",
        "The numbers of the versions that were deleted.",
        array(NUMBER),
        (
            errors.SubjectNotFoundError,
            errors.SubjectSoftDeletedError,
            errors.SubjectNotSoftDeletedError,
            errors.ReferenceExistsError,
            *_WRITE,
        ),
        (_PERMANENT,),
        description=_TWICE,
    ),
}

_VERSIONS = {
    "GET /subjects/{subject}/versions": Operation(
        "listVersions",
        "List the versions of a subject",
        "Their numbers, ascending.",
        array({"type": "integer", "format": "int32"}),
        (errors.SubjectNotFoundError, *_LOG),
        (
            *_DELETED,
            _flag("deletedOnly", "Only those that are soft-deleted."),
            _flag("deletedAsNegative", "Also what is soft-deleted, as -n."),
            *_PAGE,
        ),
    ),
    "POST /subjects/{subject}/versions": Operation(
        "registerSchema",
        "Register a schema as a version of a subject",
        "The version that it is now, or was already.",
        ref("RegisteredSchema"),
        (
            *_INCOMPATIBLE,
            errors.InvalidVersionError,
            errors.InvalidRuleSetError,
            *_PARSING,
            *_WRITE,
        ),
        (_flag("force", "Don't ask whether it is compatible."), _NORMALIZE, *_FORM),
        bodies.SCHEMA,
        description="With `version` in the body, as that version or not at all. `id` only while importing.",
    ),
    "GET /subjects/{subject}/versions/{version}": Operation(
        "getVersion",
        "Get a version of a subject",
        "The version.",
        ref("StoredSchema"),
        (*_NO_VERSION, *_RESOLVING),
        (*_DELETED, *_FORM),
    ),
    "GET /subjects/{subject}/versions/{version}/schema": Operation(
        "getVersionText",
        "Get the text of a version",
        "The schema's text and nothing around it.",
        None,
        (*_NO_VERSION, *_RESOLVING),
        (*_DELETED, _FORMAT),
    ),
    "GET /subjects/{subject}/versions/{version}/referencedby": Operation(
        "listReferrers",
        "List the schemas that refer to a version",
        "Their ids, ascending.",
        array(NUMBER),
        _NO_VERSION,
        (*_DELETED, *_PAGE),
    ),
    "POST /subjects/{subject}/versions/{version}/tags": Operation(
        "retagVersion",
        "Register a version again with other tags, metadata or rules",
        "The version that it is now.",
        ref("RegisteredSchema"),
        (
            errors.SubjectNotFoundError,
            errors.VersionNotFoundError,
            *_INCOMPATIBLE,
            errors.InvalidVersionError,
            errors.InvalidRuleSetError,
            *_PARSING,
            *_WRITE,
        ),
        body=bodies.RETAG,
    ),
    "DELETE /subjects/{subject}/versions/{version}": Operation(
        "deleteVersion",
        "Delete a version of a subject",
        "The number of the version that was deleted.",
        NUMBER,
        (
            *_NO_VERSION,
            errors.VersionSoftDeletedError,
            errors.VersionNotSoftDeletedError,
            errors.ReferenceExistsError,
            *_WRITE,
        ),
        (_PERMANENT,),
        description=_TWICE,
    ),
}

_BY_ID: tuple[Fault, ...] = (404, errors.SchemaNotFoundError, *_LOG)
_SCHEMAS = {
    "GET /schemas": Operation(
        "listSchemas",
        "List the versions of many subjects",
        "The versions, by subject and number; at most 1000 at once.",
        array(ref("ListedSchema")),
        _LOG,
        (
            _text("subjectPrefix", _PREFIX, default=""),
            *_DELETED,
            _flag("latestOnly", "Only the newest of each subject."),
            _text("ruleType", "Only those with a rule of this type.", default=""),
            _flag("aliases", "Tell the aliases of each one's subject."),
            *_PAGE,
        ),
    ),
    "GET /schemas/ids/{id}": Operation(
        "getSchemaById",
        "Get the schema with an id",
        "The schema; with subject and version if a subject was given.",
        ref("SchemaById"),
        (*_BY_ID, *_RESOLVING),
        (_SUBJECT, _flag("fetchMaxId", "Tell the highest id of the context."), *_FORM),
    ),
    "GET /schemas/ids/{id}/schema": Operation(
        "getSchemaTextById",
        "Get the text of the schema with an id",
        "The schema's text and nothing around it.",
        None,
        (*_BY_ID, *_RESOLVING),
        (_SUBJECT, _FORMAT),
    ),
    "GET /schemas/ids/{id}/subjects": Operation(
        "listSubjectsOfId",
        "List the subjects that have an id",
        "Their names, sorted.",
        array(TEXT),
        _BY_ID,
        (_SUBJECT, *_DELETED, *_PAGE),
    ),
    "GET /schemas/ids/{id}/versions": Operation(
        "listVersionsOfId",
        "List the versions that have an id",
        "The versions, by subject and number.",
        array(ref("SubjectVersion")),
        _BY_ID,
        (_SUBJECT, *_DELETED, *_PAGE),
    ),
    "GET /schemas/guids/{guid}": Operation(
        "getSchemaByGuid",
        "Get the schema with a guid",
        "The schema. Its guid is the same in every registry and context.",
        ref("SchemaById"),
        (errors.SchemaNotFoundError, *_LOG, *_RESOLVING),
        _FORM,
    ),
    "GET /schemas/guids/{guid}/ids": Operation(
        "listIdsOfGuid",
        "List the ids of the schema with a guid",
        "Its contexts, and its id in each.",
        array(ref("ContextId")),
        (errors.SchemaNotFoundError, *_LOG),
    ),
    "GET /schemas/types": Operation(
        "listTypes", "List the schema types", "The types that this registry knows.", array(TEXT)
    ),
}

_VERBOSE = _flag("verbose", "Tell the reasons as `messages`; also why a text is no schema.")
_COMPATIBILITY = {
    "POST /compatibility/subjects/{subject}/versions": Operation(
        "checkSchema",
        "Could this schema be registered?",
        "Whether it is compatible.",
        ref("Compatibility"),
        (*_PARSING, *_LOG),
        (_VERBOSE, _NORMALIZE),
        bodies.SCHEMA,
    ),
    "POST /compatibility/subjects/{subject}/versions/{version}": Operation(
        "checkSchemaWithVersion",
        "Is this schema compatible with one version?",
        "Whether it is compatible.",
        ref("Compatibility"),
        (errors.VersionNotFoundError, errors.InvalidVersionError, *_PARSING, *_LOG),
        (_VERBOSE, _NORMALIZE),
        bodies.SCHEMA,
    ),
}

_CHANGE_CONFIG: tuple[Fault, ...] = (
    errors.InvalidCompatibilityLevelError,
    errors.InvalidRuleSetError,
    errors.InvalidSubjectError,
    *_WRITE,
)
_PARTIAL = "What is absent stays as it is; null clears it."
_CONFIG = {
    "GET /config": Operation(
        "getConfig", "Get the registry's config", "The config.", ref("Config"), _LOG, (_EFFECTIVE,)
    ),
    "PUT /config": Operation(
        "setConfig",
        "Change the registry's config",
        "What is set now.",
        ref("ChangedConfig"),
        _CHANGE_CONFIG,
        body=bodies.CONFIG,
        description=_PARTIAL,
    ),
    "DELETE /config": Operation(
        "deleteConfig", "Reset the registry's config", "What was set before.", ref("Config"), _WRITE
    ),
    "GET /config/{subject}": Operation(
        "getSubjectConfig",
        "Get a subject's config, or with `:.ctx:` a context's",
        "What is set for it.",
        ref("Config"),
        (errors.NoSubjectConfigError, *_LOG),
        (_EFFECTIVE,),
    ),
    "PUT /config/{subject}": Operation(
        "setSubjectConfig",
        "Change a subject's config, or with `:.ctx:` a context's",
        "What is set for it now.",
        ref("ChangedConfig"),
        _CHANGE_CONFIG,
        body=bodies.CONFIG,
        description=_PARTIAL,
    ),
    "DELETE /config/{subject}": Operation(
        "deleteSubjectConfig",
        "Clear a subject's config, or with `:.ctx:` a context's",
        "What was set for it.",
        ref("Config"),
        (errors.SubjectNotFoundError, *_WRITE),
    ),
}

_FORCE = _flag("force", "To IMPORT also where there are subjects.")
_RECURSIVE = _flag("recursive", "Also the modes of all that is in it.")
_CHANGE_MODE: tuple[Fault, ...] = (
    errors.InvalidModeError,
    errors.InvalidSubjectError,
    errors.ReferenceExistsError,
    *_WRITE,
)
_MODE = {
    "GET /mode": Operation(
        "getMode", "Get the registry's mode", "The mode.", ref("Mode"), _LOG, (_EFFECTIVE,)
    ),
    "PUT /mode": Operation(
        "setMode",
        "Set the registry's mode",
        "The mode as it was sent.",
        ref("ChangedMode"),
        _CHANGE_MODE,
        (_FORCE,),
        bodies.MODE,
    ),
    "DELETE /mode": Operation(
        "deleteMode", "Reset the registry's mode", "What was set before.", ref("Mode"), _WRITE, (_RECURSIVE,)
    ),
    "GET /mode/{subject}": Operation(
        "getSubjectMode",
        "Get a subject's mode, or with `:.ctx:` a context's",
        "What is set for it.",
        ref("Mode"),
        (errors.NoSubjectModeError, *_LOG),
        (_EFFECTIVE,),
    ),
    "PUT /mode/{subject}": Operation(
        "setSubjectMode",
        "Set a subject's mode, or with `:.ctx:` a context's",
        "The mode as it was sent.",
        ref("ChangedMode"),
        _CHANGE_MODE,
        (_FORCE,),
        bodies.MODE,
    ),
    "DELETE /mode/{subject}": Operation(
        "deleteSubjectMode",
        "Clear a subject's mode, or with `:.ctx:` a context's",
        "What was set for it.",
        ref("Mode"),
        (errors.SubjectNotFoundError, *_WRITE),
        (_RECURSIVE,),
    ),
}

_CONTEXTS = {
    "GET /contexts": Operation(
        "listContexts",
        "List the contexts",
        "Their names, sorted. The default one is `.`.",
        array(TEXT),
        _LOG,
        (_text("contextPrefix", "What the names begin with.", default=""), *_PAGE),
    ),
    "DELETE /contexts/{context}": Operation(
        "deleteContext",
        "Delete a context",
        "Nothing.",
        None,
        (404, errors.ContextNotEmptyError, *_WRITE),
        status=204,
        description="It must have no subject, not even a soft-deleted one.",
    ),
}

_SERVER = {
    "GET /": Operation("root", "Is it there?", "An empty object.", obj({})),
    "POST /": Operation("postRoot", "Is it there?", "An empty object.", obj({}), (415,)),
    "GET /v1/metadata/id": Operation(
        "getClusterId",
        "Say which cluster it is",
        "Fixed names: there is no Kafka behind it.",
        ref("ClusterId"),
    ),
    "GET /v1/metadata/version": Operation(
        "getRelease", "Say which release it is", "fivebyte's version.", ref("Release")
    ),
    "GET /v1/metadata/deployment": Operation(
        "getDeployment", "Say how it is deployed", "Nothing of note.", ref("Deployment")
    ),
    "GET /associations/resources/{resource}": Operation(
        "listAssociationsOfResource", "List the associations of a topic", "None are kept.", array(obj({}))
    ),
    "GET /associations/subjects/{subject}": Operation(
        "listAssociationsOfSubject", "List the associations of a subject", "None are kept.", array(obj({}))
    ),
    "GET /health/live": Operation(
        "getLiveness",
        "Is the server alive?",
        "It is.",
        obj({"status": {"const": "live"}}),
        media_types=("application/json",),
    ),
    "GET /health/ready": Operation(
        "getReadiness",
        "Can the server take requests?",
        "The log answers, and was read to this position.",
        obj({"status": {"const": "ready"}, "position": {"type": "integer", "minimum": 0}}),
        (errors.NotReadyError,),
        media_types=("application/json",),
    ),
    "GET /metrics": Operation(
        "getMetrics",
        "Measure the server",
        "What Prometheus gathers.",
        None,
        media_types=("text/plain", "application/openmetrics-text"),
    ),
    "GET /openapi.json": Operation(
        "getOpenApi",
        "Describe the API",
        "This document.",
        {"type": "object"},
        media_types=("application/json",),
    ),
    "GET /docs": Operation(
        "getDocs", "Describe the API to a person", "A page.", None, media_types=("text/html",)
    ),
}

GROUPS: Mapping[str, Mapping[str, Operation]] = {
    "Subjects": _SUBJECTS,
    "Versions": _VERSIONS,
    "Schemas": _SCHEMAS,
    "Compatibility": _COMPATIBILITY,
    "Config": _CONFIG,
    "Mode": _MODE,
    "Contexts": _CONTEXTS,
    "Server": _SERVER,
}
"""The operations under the headings of the page, each by its method and path."""
