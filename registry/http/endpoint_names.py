"""What Confluent's metrics call the endpoints (reference, section 6.1), by method and route."""

from collections.abc import Mapping

_SUBJECT = "/subjects/{subject}"
_VERSION = f"{_SUBJECT}/versions/{{version}}"
_CHECK = "/compatibility/subjects/{subject}/versions"
_VERIFY = "compatibility.subjects.versions.verify"

ENDPOINT_NAMES: Mapping[tuple[str, str], str] = {
    ("GET", "/subjects"): "subjects.list",
    ("POST", _SUBJECT): "subjects.get-schema",
    ("GET", f"{_SUBJECT}/metadata"): "subjects.get-latest-with-metadata",
    ("DELETE", _SUBJECT): "subjects.delete-subject",
    ("GET", f"{_SUBJECT}/versions"): "subjects.versions.list",
    ("POST", f"{_SUBJECT}/versions"): "subjects.versions.register",
    ("GET", _VERSION): "subjects.versions.get-schema",
    ("GET", f"{_VERSION}/schema"): "subjects.versions.get-schema.only",
    ("GET", f"{_VERSION}/referencedby"): "subjects.versions.list-schema-refs",
    ("DELETE", _VERSION): "subjects.versions.deleteSchemaVersion-schema",
    ("POST", f"{_VERSION}/tags"): "subjects.versions.modify.tags",
    ("GET", "/schemas"): "schemas.get-schemas",
    ("GET", "/schemas/ids/{id}"): "schemas.ids.get-schema",
    ("GET", "/schemas/ids/{id}/schema"): "schemas.ids.get-schema.only",
    ("GET", "/schemas/ids/{id}/subjects"): "schemas.get-subjects",
    ("GET", "/schemas/ids/{id}/versions"): "schemas.get-versions",
    ("GET", "/schemas/guids/{guid}"): "schemas.guids.get-schema",
    ("GET", "/schemas/guids/{guid}/ids"): "schemas.guids.get-ids",
    ("GET", "/schemas/types"): "schemas.get-types",
    ("POST", _CHECK): _VERIFY,
    ("POST", f"{_CHECK}/{{version}}"): _VERIFY,
    ("GET", "/contexts"): "contexts.list",
    ("DELETE", "/contexts/{context}"): "context.delete",
    ("GET", "/v1/metadata/id"): "metadata.id",
    ("GET", "/v1/metadata/version"): "metadata.version",
    ("GET", "/v1/metadata/deployment"): "metadata.deployment",
    **{
        (method, f"/{scope}{path}"): f"{scope}.{verb}-{reach}"
        for scope in ("config", "mode")
        for method, verb in (("GET", "get"), ("PUT", "update"), ("DELETE", "delete"))
        for path, reach in (("", "global"), ("/{subject}", "subject"))
    },
}
