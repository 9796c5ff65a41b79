"""The Flask application."""

from flask import Flask, Response, g, request
from werkzeug.exceptions import NotAcceptable, UnsupportedMediaType

from registry.http import compatibility, config, contexts, docs, mode, root, schemas, subjects, versions
from registry.http.context_paths import ContextPaths
from registry.http.errors import handle_errors
from registry.http.negotiation import is_readable, negotiate
from registry.http.requests import SubjectConverter
from registry.registry import Registry

MAX_BODY_BYTES = 16 * 1024 * 1024
"""Default for the longest request body. Longer ones get a 413."""


def create_app(registry: Registry, *, max_body_bytes: int = MAX_BODY_BYTES) -> Flask:
    """A WSGI application that answers for `registry`. It has no state of its own.

    max_body_bytes: the longest request body it reads.
    """
    app = Flask("registry", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = max_body_bytes
    app.url_map.converters["subject"] = SubjectConverter
    app.url_map.merge_slashes = False
    app.url_map.strict_slashes = False
    app.before_request(_negotiate)
    handle_errors(app)
    for room in (root, subjects, versions, schemas, compatibility, config, mode, contexts, docs):
        app.register_blueprint(room.blueprint(registry))
    # Flask's own way to put a layer around it, which mypy takes for a replaced method.
    app.wsgi_app = ContextPaths(app.wsgi_app)  # type: ignore[method-assign]
    return app


def _negotiate() -> Response | None:
    """Choose the answer's media type; what has no route gets its 404 or 405 before any talk of types."""
    media_type = negotiate(request.headers.get("Accept"))
    if media_type is not None:
        g.media_type = media_type
    if request.routing_exception is not None:
        return None
    if media_type is None and request.blueprint != "docs":
        raise NotAcceptable
    if request.method in {"POST", "PUT"} and not is_readable(request.headers.get("Content-Type")):
        raise UnsupportedMediaType
    return None
