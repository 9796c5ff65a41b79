"""``/compatibility`` (reference, section 1.6)."""

from flask import Blueprint, Response

from registry.http.requests import flag, new_schema, version_number
from registry.http.responses import answer
from registry.registry import Registry


def blueprint(registry: Registry) -> Blueprint:
    """The routes."""
    routes = Blueprint("compatibility", __name__)

    @routes.post("/compatibility/subjects/<subject:subject>/versions")
    def check(subject: str) -> Response:
        return _check(subject, None)

    @routes.post("/compatibility/subjects/<subject:subject>/versions/<version>")
    def check_version(subject: str, version: str) -> Response:
        return _check(subject, version_number(version))

    def _check(subject: str, version: int | None) -> Response:
        verbose = flag("verbose")
        messages = registry.incompatibilities(subject, new_schema(), version, verbose=verbose)
        verdict: dict[str, object] = {"is_compatible": not messages}
        if verbose:
            verdict["messages"] = messages
        return answer(verdict)

    return routes
