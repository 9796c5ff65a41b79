"""Answers held against the API's description: status, media type, error code and shape."""

import json
import re
from collections.abc import Mapping
from typing import Any

import jsonschema_rs
from flask import Flask, Response, request
from werkzeug.http import parse_options_header

from registry.http.openapi import document
from registry.http.operations import GROUPS

OPERATIONS = {route: operation for operations in GROUPS.values() for route, operation in operations.items()}


class Conformity:
    """Looks at every answer of an application.

    faults: what was not as described, a line each.
    seen: each operation that answered, by its name, with the status and the error code (None: a success).
    """

    def __init__(self, app: Flask) -> None:
        self.faults: list[str] = []
        self.seen: set[tuple[str, int, int | None]] = set()
        app.after_request(self._look)

    def _look(self, response: Response) -> Response:
        if request.url_rule is None or request.method not in {"GET", "POST", "PUT", "DELETE"}:
            return response
        route = f"{request.method} {described_path(request.url_rule.rule)}"
        try:
            self._check(route, response)
        except (AssertionError, KeyError, jsonschema_rs.ValidationError) as fault:
            self.faults.append(f"{request.method} {request.full_path}: {response.status_code} {fault!r}")
        return response

    def _check(self, route: str, response: Response) -> None:
        method, path = route.split(" ")
        responses = document()["paths"][path][method.lower()]["responses"]
        described = _resolved(responses[str(response.status_code)])
        body, code = response.get_data(), None
        if "content" not in described:
            assert body == b""
        else:
            media_type = parse_options_header(response.content_type)[0]
            schema = described["content"][media_type]["schema"]
            text = OPERATIONS[route].schema is None and response.status_code == 200
            value: Any = body.decode() if text else json.loads(body)
            jsonschema_rs.validate({**schema, "components": document()["components"]}, value)
            code = value["error_code"] if response.status_code >= 400 else None
        self.seen.add((OPERATIONS[route].name, response.status_code, code))


def described_path(rule: str) -> str:
    """The path under which a Flask rule is described: what stands in it may have another name there."""
    pattern = re.escape(re.sub(r"<[^>]*>", "{}", rule)).replace(r"\{\}", r"\{\w+\}")
    found = [path for path in document()["paths"] if re.fullmatch(pattern, path)]
    assert len(found) == 1, f"{rule} is described {len(found)} times in registry/http/operations.py"
    return str(found[0])


def _resolved(response: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in response:
        return response
    found: Mapping[str, Any] = document()["components"]["responses"][response["$ref"].rpartition("/")[2]]
    return found
