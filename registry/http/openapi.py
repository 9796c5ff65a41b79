"""The API described for programs: an OpenAPI document.

Made of `registry.http.operations`, of the marshmallow bodies that the routes
load, and of what the errors say of themselves. It is OpenAPI 3.1, in which a
schema is JSON Schema: null, which bodies may hold, is a type like the others.
"""

import inspect
import re
from collections.abc import Iterable, Mapping
from functools import cache
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import Schema

from registry.http import bodies
from registry.http.answers import ANSWERS, config
from registry.http.glossary import BODIES, PATH_PARAMETERS, PROPERTIES, STATUSES
from registry.http.negotiation import MEDIA_TYPES
from registry.http.operation import Fault, Operation, Query
from registry.http.operations import GROUPS

Json = dict[str, Any]

_ABOUT = (
    "The API of Confluent Schema Registry. Bodies are JSON in UTF-8. Fields that are not known are "
    "passed over, and null is as good as absent, except in a config or a mode, where it clears. Flags are "
    "true or false in any letter case. An error is exactly `error_code` and `message`."
)
_SERVERS = [
    {"url": "/", "description": "All contexts. A name without one is of the default context."},
    {
        "url": "/contexts/{context}",
        "description": "Before any path, `/contexts/{context}` is the address of a registry of its own.",
        "variables": {"context": {"default": ".eu", "description": "The context's name, with its dot."}},
    },
]
_REQUESTS = {
    "NewSchema": bodies.SCHEMA,
    "Retagging": bodies.RETAG,
    "ConfigChange": bodies.CONFIG,
    "ModeChange": bodies.MODE,
}
_NAMES: Mapping[type[Schema], str] = {type(body): name for name, body in _REQUESTS.items()}


@cache
def document() -> Mapping[str, Any]:
    """The whole API as an OpenAPI document."""
    spec = APISpec(
        title="fivebyte schema registry",
        version=version("fivebyte"),
        openapi_version="3.1.0",
        plugins=[MarshmallowPlugin(schema_name_resolver=_name)],
        info={"description": _ABOUT},
        servers=_SERVERS,
        tags=[{"name": group} for group in GROUPS],
    )
    _add_schemas(spec)
    for group, operations in GROUPS.items():
        for route, operation in operations.items():
            method, path = route.split(" ")
            spec.path(path, operations={method.lower(): _operation(operation, path, group, spec)})
    return spec.to_dict()


def why(fault: Fault) -> str:
    """When it is answered, in a sentence."""
    if isinstance(fault, int):
        return STATUSES[fault]
    text = (inspect.getdoc(fault) or "").partition("\n\n")[0]
    return " ".join(text.replace("``", "`").split())


def codes(fault: Fault) -> tuple[int, int]:
    """The HTTP status and the ``error_code``."""
    if isinstance(fault, int):
        return (fault if fault < 1000 else fault // 100), fault
    # `status` is a property that asks only for the error's class: one that was never raised will do.
    return fault.__new__(fault).status, fault.code


def _name(schema: Any) -> str:
    kind = schema if isinstance(schema, type) else type(schema)
    return _NAMES.get(kind, kind.__name__.removesuffix("Body"))


def _add_schemas(spec: APISpec) -> None:
    for name, body in _REQUESTS.items():
        spec.components.schema(name, schema=body)
    change = spec.components.schemas["ConfigChange"]
    answers = {
        **ANSWERS,
        "Config": config(change, "compatibilityLevel"),
        "ChangedConfig": config(change, "compatibility"),
    }
    for name, schema in answers.items():
        spec.components.schema(name, dict(schema))
    for schema in spec.components.schemas.values():
        for name, part in schema["properties"].items():
            # In JSON Schema 2020-12, what stands beside a $ref counts.
            schema["properties"][name] = {**part, "description": PROPERTIES[name]}


def _operation(operation: Operation, path: str, group: str, spec: APISpec) -> Json:
    described: Json = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [group],
        "parameters": [*_in_path(path), *map(_in_query, operation.query)],
        "responses": {str(operation.status): _success(operation), **_failures(operation, spec)},
    }
    if operation.description:
        described["description"] = operation.description
    if operation.body is not None:
        body = {"schema": operation.body, "example": BODIES[_name(operation.body)]}
        described["requestBody"] = {
            "required": True,
            "content": dict.fromkeys(MEDIA_TYPES, body),
        }
    return described


def _in_path(path: str) -> Iterable[Json]:
    for name in re.findall(r"{(\w+)}", path):
        yield {"name": name, "in": "path", "required": True, **PATH_PARAMETERS[name]}


def _in_query(query: Query) -> Json:
    return {"name": query.name, "in": "query", "schema": query.schema, "description": query.description}


def _success(operation: Operation) -> Json:
    response: Json = {"description": operation.answers}
    if operation.status != HTTPStatus.NO_CONTENT:
        body = {"schema": {"type": "string"} if operation.schema is None else operation.schema}
        response["content"] = dict.fromkeys(operation.media_types, body)
    return response


def _failures(operation: Operation, spec: APISpec) -> Json:
    """The answers to its faults by status. Many operations fail alike, so each is a component."""
    by_status: dict[int, dict[int, str]] = {}
    for fault in operation.all_faults():
        status, code = codes(fault)
        by_status.setdefault(status, {})[code] = why(fault)
    failures: Json = {}
    for status, reasons in sorted(by_status.items()):
        name = "_".join(["Error", str(status), *map(str, sorted(reasons))])
        if name not in spec.components.responses:
            spec.components.response(name, _failure(reasons))
        failures[str(status)] = {"$ref": f"#/components/responses/{name}"}
    return failures


def _failure(reasons: Mapping[int, str]) -> Json:
    schema = {"$ref": "#/components/schemas/Error", "properties": {"error_code": {"enum": sorted(reasons)}}}
    return {
        "description": "\n".join(f"- `{code}`: {reason}" for code, reason in sorted(reasons.items())),
        "content": {media_type: {"schema": schema} for media_type in MEDIA_TYPES},
    }
