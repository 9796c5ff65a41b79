"""``/schemas`` (reference, section 1.5)."""

from flask import Blueprint, Response, request

from registry.http.requests import flag, path_number
from registry.http.responses import BY_ID, answer, entity, text_answer
from registry.registry import Registry


def blueprint(registry: Registry) -> Blueprint:
    """The routes."""
    routes = Blueprint("schemas", __name__)

    @routes.get("/schemas/types")
    def types() -> Response:
        return answer(registry.types)

    @routes.get("/schemas/ids/<number>")
    def get(number: str) -> Response:
        subject = request.args.get("subject")
        found = registry.by_id(path_number(number), subject)
        keys = ("subject", "version", *BY_ID) if found.subject == subject else BY_ID
        value = entity(found, *keys)
        if flag("fetchMaxId"):
            value["maxId"] = registry.max_id(subject)
        return answer(value)

    @routes.get("/schemas/ids/<number>/schema")
    def get_text(number: str) -> Response:
        found = registry.by_id(path_number(number), request.args.get("subject"))
        return text_answer(found.content.text)

    return routes
