"""``/openapi.json`` and ``/docs``: the API described to programs and to people. Both are made once."""

import json
import re
import shlex
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response
from jinja2 import Environment
from markupsafe import Markup, escape

from registry.http.operation import Operation
from registry.http.operations import GROUPS
from registry.http.responses import json_text
from registry.registry import Registry

_ADDRESS = "http://localhost:8081"
"""What the page's script replaces by the address it came from."""

_CONTENT_SECURITY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


def blueprint(registry: Registry) -> Blueprint:  # noqa: ARG001 - as all the others
    """The routes."""
    routes = Blueprint("docs", __name__)

    @routes.get("/openapi.json")
    def openapi() -> Response:
        return Response(_document_text(), content_type="application/json")

    @routes.get("/docs")
    def docs() -> Response:
        page = Response(_page(), content_type="text/html; charset=utf-8")
        page.headers["Content-Security-Policy"] = _CONTENT_SECURITY
        return page

    return routes


def _document() -> Mapping[str, Any]:
    # Imported when asked for: most registries never are, and some live for one test only.
    from registry.http.openapi import document

    return document()


@cache
def _document_text() -> str:
    return json_text(_document())


@cache
def _page() -> str:
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters.update(marked=_marked, breakable=_breakable)
    environment.globals["kind"] = _kind
    document = _document()
    template = environment.from_string(files("registry.http").joinpath("pages/docs.html").read_text("utf-8"))
    return template.render(
        info=document["info"],
        context=document["servers"][1]["description"],
        groups={
            group: [_described(route, operation) for route, operation in operations.items()]
            for group, operations in GROUPS.items()
        },
        types=document["components"]["schemas"],
    )


def _described(route: str, operation: Operation) -> dict[str, Any]:
    from registry.http.openapi import codes, why

    method, path = route.split(" ")
    described = _document()["paths"][path][method.lower()]
    body = described.get("requestBody", {}).get("content", {}).get("application/json", {})
    return {
        "name": operation.name,
        "method": method,
        "path": path,
        "summary": operation.summary,
        "description": operation.description,
        "parameters": described["parameters"],
        "body": _type(body.get("schema")),
        "status": operation.status,
        "answers": operation.answers,
        "schema": operation.schema,
        "type": _type(operation.schema),
        "faults": sorted((*codes(fault), why(fault)) for fault in operation.all_faults()),
        "curl": _curl(method, path, described["parameters"], body.get("example")),
    }


def _type(schema: Mapping[str, Any] | None) -> str | None:
    """The name of the type that `schema` refers to, or is an array of."""
    inner = {} if schema is None else schema.get("items", schema)
    return inner["$ref"].rpartition("/")[2] if "$ref" in inner else None


def _curl(method: str, path: str, parameters: list[dict[str, Any]], example: object) -> str:
    for parameter in parameters:
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", quote(str(parameter["example"]), safe=""))
    parts = ["curl", *(["-X", method] if method != "GET" else []), _ADDRESS + path]
    if example is not None:
        parts += ["-H", "Content-Type: application/json", "-d", json.dumps(example)]
    return shlex.join(parts)


def _kind(schema: Mapping[str, Any]) -> Markup | str:
    """A schema's type in a few words, with links to the page's other types."""
    if "$ref" in schema:
        return Markup('<a href="#type-{0}">{0}</a>').format(_type(schema))
    if "anyOf" in schema:
        return Markup(" or ").join(_kind(option) for option in schema["anyOf"])
    kinds = schema.get("type", "string")
    named = [_kind_of(kind, schema) for kind in ([kinds] if isinstance(kinds, str) else kinds)]
    return Markup(" or ").join(named)


def _kind_of(kind: str, schema: Mapping[str, Any]) -> Markup | str:
    if kind == "array":
        return Markup("array of {}").format(_kind(schema["items"]))
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return Markup("{} by name").format(_kind(schema["additionalProperties"]))
    return kind


def _marked(text: str) -> Markup:
    """`text` with what stands between backticks as code."""
    return Markup(re.sub(r"`([^`]*)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped


def _breakable(path: str) -> Markup:
    """A path that a narrow page may break before each slash."""
    return Markup("<wbr>/").join(path.split("/"))
