"""``/mode`` (reference, section 1.8)."""

from flask import Blueprint, Response

from registry.http import bodies
from registry.http.requests import body, flag
from registry.http.responses import answer
from registry.model import Mode
from registry.registry import Registry


def blueprint(registry: Registry) -> Blueprint:
    """The routes."""
    routes = Blueprint("mode", __name__)

    @routes.get("/mode", defaults={"subject": None})
    @routes.get("/mode/<subject:subject>")
    def get(subject: str | None) -> Response:
        return _answer(registry.mode(subject, effective=flag("defaultToGlobal")))

    @routes.put("/mode", defaults={"subject": None})
    @routes.put("/mode/<subject:subject>")
    def put(subject: str | None) -> Response:
        text = body(bodies.MODE)["mode"]
        registry.set_mode(None if text is None else Mode.parse(text), subject, force=flag("force"))
        return answer({"mode": text})  # as it was sent

    @routes.delete("/mode", defaults={"subject": None})
    @routes.delete("/mode/<subject:subject>")
    def delete(subject: str | None) -> Response:
        return _answer(registry.delete_mode(subject, recursive=flag("recursive")))

    def _answer(mode: Mode) -> Response:
        return answer({"mode": str(mode)})

    return routes
