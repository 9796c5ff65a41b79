"""``/contexts`` (reference, section 1.8); what stands below a context is in `registry.http.context_paths`."""

from flask import Blueprint, Response, request
from werkzeug.exceptions import NotFound

from registry.http.requests import page
from registry.http.responses import answer, text_answer
from registry.model import context_name
from registry.registry import Registry


def blueprint(registry: Registry) -> Blueprint:
    """The routes."""
    routes = Blueprint("contexts", __name__)

    @routes.get("/contexts")
    def list_contexts() -> Response:
        return answer(page(registry.contexts(request.args.get("contextPrefix", ""))))

    @routes.delete("/contexts/<context>")
    def delete(context: str) -> Response:
        name = context_name(context)
        if name is None:
            raise NotFound
        registry.delete_context(name)
        return text_answer("", 204)

    return routes
