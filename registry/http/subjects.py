"""``/subjects`` and ``/subjects/{subject}`` (reference, section 1.3)."""

from flask import Blueprint, Response, request

from registry.http import bodies
from registry.http.requests import body, flag, page
from registry.http.responses import LOOKED_UP, answer, entity
from registry.registry import Registry


def blueprint(registry: Registry) -> Blueprint:
    """The routes."""
    routes = Blueprint("subjects", __name__)

    @routes.get("/subjects")
    def list_subjects() -> Response:
        only = flag("deletedOnly")
        prefix = request.args.get("subjectPrefix", ":*:")
        return answer(page(registry.subjects(prefix, live=not only, deleted=only or flag("deleted"))))

    @routes.post("/subjects/<subject:subject>")
    def look_up(subject: str) -> Response:
        new = body(bodies.SCHEMA)["new"]
        return answer(entity(registry.look_up(subject, new, deleted=flag("deleted")), *LOOKED_UP))

    @routes.delete("/subjects/<subject:subject>")
    def delete(subject: str) -> Response:
        return answer(registry.delete_subject(subject, permanent=flag("permanent")))

    return routes
