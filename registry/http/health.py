"""``/health``: for what starts, watches and balances servers. It is of the server, and in no context."""

from flask import Blueprint, Response

from registry.http.responses import json_text
from registry.readiness import Readiness


def blueprint(readiness: Readiness) -> Blueprint:
    """The routes. They answer whatever media type is asked for."""
    routes = Blueprint("health", __name__)

    @routes.get("/health/live")
    def live() -> Response:
        return _answer({"status": "live"})

    @routes.get("/health/ready")
    def ready() -> Response:
        return _answer({"status": "ready", "position": readiness.check()})

    return routes


def _answer(value: object) -> Response:
    return Response(json_text(value), content_type="application/json")
