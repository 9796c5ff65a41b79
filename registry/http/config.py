"""``/config`` (reference, section 1.7)."""

from flask import Blueprint, Response

from registry.http import bodies
from registry.http.requests import body, flag
from registry.http.responses import answer
from registry.registry import Registry


def blueprint(registry: Registry) -> Blueprint:
    """The routes."""
    routes = Blueprint("config", __name__)

    @routes.get("/config", defaults={"subject": None})
    @routes.get("/config/<subject:subject>")
    def get(subject: str | None) -> Response:
        return answer(registry.config(subject, effective=flag("defaultToGlobal")).to_json())

    @routes.put("/config", defaults={"subject": None})
    @routes.put("/config/<subject:subject>")
    def put(subject: str | None) -> Response:
        config = registry.set_config(body(bodies.CONFIG), subject).to_json()
        if "compatibilityLevel" in config:
            config["compatibility"] = config.pop("compatibilityLevel")
        return answer(config)

    @routes.delete("/config", defaults={"subject": None})
    @routes.delete("/config/<subject:subject>")
    def delete(subject: str | None) -> Response:
        return answer(registry.delete_config(subject).to_json())

    return routes
