"""``/subjects/{subject}/versions`` and below (reference, section 1.4)."""

from flask import Blueprint, Response

from registry.http import bodies
from registry.http.rendering import rendered, text
from registry.http.requests import body, flag, new_schema, page, version_number, wants_deleted
from registry.http.responses import REGISTERED, STORED, answer, entity, text_answer
from registry.registry import Registry


def blueprint(registry: Registry) -> Blueprint:
    """The routes."""
    routes = Blueprint("versions", __name__)

    @routes.get("/subjects/<subject:subject>/versions")
    def list_versions(subject: str) -> Response:
        only, negative = flag("deletedOnly"), flag("deletedAsNegative")
        versions = registry.versions(subject, live=not only, deleted=only or negative or wants_deleted())
        return answer(page([-v.version if v.deleted and negative else v.version for v in versions]))

    @routes.post("/subjects/<subject:subject>/versions")
    def register(subject: str) -> Response:
        found = registry.register(subject, new_schema(), force=flag("force"))
        return answer(rendered(registry, found, *REGISTERED))

    @routes.get("/subjects/<subject:subject>/versions/<version>")
    def get(subject: str, version: str) -> Response:
        found = registry.version(subject, version_number(version), deleted=wants_deleted())
        return answer(rendered(registry, found, *STORED))

    @routes.get("/subjects/<subject:subject>/versions/<version>/schema")
    def get_text(subject: str, version: str) -> Response:
        found = registry.version(subject, version_number(version), deleted=wants_deleted())
        return text_answer(text(registry, found))

    @routes.get("/subjects/<subject:subject>/versions/<version>/referencedby")
    def referrers(subject: str, version: str) -> Response:
        ids = registry.referrers(subject, version_number(version), deleted=wants_deleted())
        return answer(page(ids))

    @routes.post("/subjects/<subject:subject>/versions/<version>/tags")
    def retag(subject: str, version: str) -> Response:
        edit = body(bodies.RETAG)["edit"]
        return answer(entity(registry.retag(subject, version_number(version), edit), *REGISTERED))

    @routes.delete("/subjects/<subject:subject>/versions/<version>")
    def delete(subject: str, version: str) -> Response:
        number = version_number(version)
        return answer(registry.delete_version(subject, number, permanent=flag("permanent")))

    return routes
