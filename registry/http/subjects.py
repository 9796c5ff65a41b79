"""``/subjects`` and ``/subjects/{subject}`` (reference, section 1.3)."""

from flask import Blueprint, Response, request
from werkzeug.exceptions import UnprocessableEntity

from registry.http.rendering import rendered
from registry.http.requests import flag, new_schema, page, wants_deleted
from registry.http.responses import LOOKED_UP, STORED, answer
from registry.registry import Registry


def blueprint(registry: Registry) -> Blueprint:
    """The routes."""
    routes = Blueprint("subjects", __name__)

    @routes.get("/subjects")
    def list_subjects() -> Response:
        only = flag("deletedOnly")
        prefix = request.args.get("subjectPrefix", ":*:")
        return answer(page(registry.subjects(prefix, live=not only, deleted=only or wants_deleted())))

    @routes.post("/subjects/<subject:subject>")
    def look_up(subject: str) -> Response:
        found = registry.look_up(subject, new_schema(), deleted=wants_deleted())
        return answer(rendered(registry, found, *LOOKED_UP))

    @routes.get("/subjects/<subject:subject>/metadata")
    def with_metadata(subject: str) -> Response:
        keys, values = request.args.getlist("key"), request.args.getlist("value")
        if len(keys) != len(values):
            raise UnprocessableEntity("Every key in the query needs a value, and every value a key")
        properties = dict(zip(keys, values, strict=True))
        found = registry.with_properties(subject, properties, deleted=wants_deleted())
        return answer(rendered(registry, found, *STORED))

    @routes.delete("/subjects/<subject:subject>")
    def delete(subject: str) -> Response:
        return answer(registry.delete_subject(subject, permanent=flag("permanent")))

    return routes
