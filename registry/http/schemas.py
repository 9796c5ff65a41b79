"""``/schemas`` (reference, section 1.5)."""

from typing import Any

from flask import Blueprint, Response, request

from registry.http.rendering import rendered, text
from registry.http.requests import flag, page, path_number, wants_deleted
from registry.http.responses import BY_ID, STORED, answer, entity, text_answer
from registry.model import QualifiedSubject
from registry.registry import Registry, SchemaVersion

MAX_SCHEMAS = 1000
"""Schemas in one answer; those beyond are reached with ``offset``."""


def blueprint(registry: Registry) -> Blueprint:
    """The routes."""
    routes = Blueprint("schemas", __name__)
    _add_ids(routes, registry)

    @routes.get("/schemas")
    def list_schemas() -> Response:
        found = registry.schemas(
            request.args.get("subjectPrefix", ""),
            deleted=wants_deleted(),
            latest=flag("latestOnly"),
            rule_type=request.args.get("ruleType") or None,
        )
        listed = [entity(version, *STORED) for version in page(found, MAX_SCHEMAS)]
        if flag("aliases"):
            aliases = registry.aliases()
            listed = [{**schema, **_some(aliases=aliases.get(schema["subject"]))} for schema in listed]
        return answer(listed)

    @routes.get("/schemas/types")
    def types() -> Response:
        return answer(registry.types)

    @routes.get("/schemas/guids/<guid>")
    def by_guid(guid: str) -> Response:
        return answer(rendered(registry, registry.by_guid(guid), *BY_ID))

    @routes.get("/schemas/guids/<guid>/ids")
    def ids_of_guid(guid: str) -> Response:
        return answer([{"context": context, "id": number} for context, number in registry.ids_of_guid(guid)])

    return routes


def _add_ids(routes: Blueprint, registry: Registry) -> None:
    @routes.get("/schemas/ids/<number>")
    def get(number: str) -> Response:
        subject = request.args.get("subject")
        found = registry.by_id(path_number(number), subject)
        asked = _is_of(found, subject) or (subject and _is_of(found, registry.target(subject)))
        value = rendered(registry, found, *(("subject", "version", *BY_ID) if asked else BY_ID))
        if flag("fetchMaxId"):
            value["maxId"] = registry.max_id(found.subject)
        return answer(value)

    @routes.get("/schemas/ids/<number>/schema")
    def get_text(number: str) -> Response:
        found = registry.by_id(path_number(number), request.args.get("subject"))
        return text_answer(text(registry, found))

    @routes.get("/schemas/ids/<number>/subjects")
    def subjects(number: str) -> Response:
        return answer(page(list(dict.fromkeys(version.subject for version in _holders(number)))))

    @routes.get("/schemas/ids/<number>/versions")
    def versions(number: str) -> Response:
        holders: list[dict[str, Any]] = [
            {"subject": version.subject, "version": version.version} for version in _holders(number)
        ]
        return answer(page(holders))

    def _holders(number: str) -> list[SchemaVersion]:
        subject = request.args.get("subject")
        return registry.versions_with_id(path_number(number), subject, deleted=wants_deleted())


def _some(**parts: Any) -> dict[str, Any]:
    return {key: part for key, part in parts.items() if part}


def _is_of(version: SchemaVersion, subject: str | None) -> bool:
    """Whether it is a version of the subject that was asked for, be it in another context."""
    if not subject:
        return False
    return QualifiedSubject.parse(version.subject).name == QualifiedSubject.parse(subject).name
