"""Answers held against the API's description: status, media type, error code and shape."""

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import jsonschema_rs
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.exceptions import HTTPException
from werkzeug.http import parse_options_header
from werkzeug.test import TestResponse

from registry.http.context_paths import ContextPaths
from registry.http.openapi import document
from registry.http.operations import GROUPS

OPERATIONS = {route: operation for operations in GROUPS.values() for route, operation in operations.items()}

_BY_RULES = {re.sub(r"{\w+}", "{}", route): route for route in OPERATIONS}


class ConformingClient(FlaskClient):
    """A client that looks at every answer.

    faults: what was not as described, a line each.
    seen: each operation that answered, by its name, with the status and the error code (None: a success).
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.faults: list[str] = []
        self.seen: set[tuple[str, int, int | None]] = set()

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        response = super().open(*args, **kwargs)
        route = _route(self.application, response)
        # A 304 has nothing to look at; and a fault of ours, which some tests provoke, is on no list.
        if route is not None and response.status_code != 304 and b'"error_code":500,' not in response.data:
            try:
                self._check(route, response)
            except (AssertionError, KeyError, jsonschema_rs.ValidationError) as fault:
                self.faults.append(f"{route}: {response.status_code} {response.text[:1000]}: {fault!r}")
        return response

    def _check(self, route: str, response: TestResponse) -> None:
        method, path = route.split(" ")
        responses = document()["paths"][path][method.lower()]["responses"]
        described = _resolved(responses[str(response.status_code)])
        code = None
        if "content" not in described:
            assert response.data == b""
        elif "Content-Encoding" not in response.headers:
            media_type = parse_options_header(response.content_type)[0]
            text = OPERATIONS[route].schema is None and response.status_code == 200
            value: Any = response.text if text else json.loads(response.data)
            _validator(json.dumps(described["content"][media_type]["schema"])).validate(value)
            code = value["error_code"] if response.status_code >= 400 else None
        self.seen.add((OPERATIONS[route].name, response.status_code, code))


@cache
def _validator(schema: str) -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for({**json.loads(schema), "components": document()["components"]})


def route_of(method: str, rule: str) -> str:
    """The description of a method on a Flask rule: what stands in its path may have another name there."""
    key = re.sub(r"<[^>]*>", "{}", f"{method} {rule}")
    assert key in _BY_RULES, f"{method} {rule} is not in registry/http/operations.py"
    return _BY_RULES[key]


def _route(app: Flask, response: TestResponse) -> str | None:
    """The operation that answered; None for one that there is not, or that is none of its own (HEAD)."""
    environ = response.request.environ
    paths: list[str] = []

    def keep_path(rewritten: dict[str, Any], _: object) -> list[bytes]:
        paths.append(rewritten["PATH_INFO"])
        return []

    ContextPaths(keep_path)(environ, lambda *_: print)
    method = environ["REQUEST_METHOD"]
    adapter = app.url_map.bind("localhost")
    try:
        rule, _ = adapter.match(paths[0].encode("latin-1").decode(errors="replace"), method, return_rule=True)
    except HTTPException:
        return None
    return None if method in {"HEAD", "OPTIONS"} else route_of(method, rule.rule)


def _resolved(response: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in response:
        return response
    found: Mapping[str, Any] = document()["components"]["responses"][response["$ref"].rpartition("/")[2]]
    return found
