"""The Flask application."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException, NotAcceptable, UnsupportedMediaType

from registry.errors import IncompatibleSchemaError
from registry.http import (
    compatibility,
    config,
    contexts,
    docs,
    health,
    metrics,
    mode,
    root,
    schemas,
    subjects,
    versions,
)
from registry.http.caching import say_what_lasts
from registry.http.compression import compress_answers
from registry.http.context_paths import ContextPaths
from registry.http.errors import handle_errors
from registry.http.front import Front, tell_route
from registry.http.negotiation import is_readable, negotiate
from registry.http.requests import SubjectConverter, has_body
from registry.readiness import Readiness
from registry.registry import Registry
from registry.tally import Tally

MAX_BODY_BYTES = 16 * 1024 * 1024
"""Default for the longest request body. Longer ones get a 413."""

_ANY_TYPE = {"docs", "health", "metrics"}
"""Whose answers have a type of their own, whatever is accepted."""


class _Application(Flask):
    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """What Flask is to call instead of `func`: nothing here is a coroutine, so it need not be asked."""
        return func


def create_app(
    registry: Registry,
    *,
    max_body_bytes: int = MAX_BODY_BYTES,
    incompatible_error_code: int = IncompatibleSchemaError.code,
    tally: Tally | None = None,
) -> Flask:
    """A WSGI application that answers for `registry`. It has no state of its own but what it counts.

    max_body_bytes: the longest request body it reads.
    incompatible_error_code: of the answer to an incompatible schema; newer servers say 40901.
    tally: where requests are counted, with those of other processes perhaps; None: by itself.
    """
    tally = tally or Tally()
    readiness = Readiness(registry.replica)
    app = _Application("registry", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = max_body_bytes
    app.url_map.converters["subject"] = SubjectConverter
    app.url_map.merge_slashes = False
    app.url_map.strict_slashes = False
    tell_route(app)
    app.before_request(_negotiate)
    app.after_request(_read_on)
    compress_answers(app)  # what is done last comes first
    say_what_lasts(app)
    handle_errors(app, {IncompatibleSchemaError.code: incompatible_error_code})
    for room in (root, subjects, versions, schemas, compatibility, config, mode, contexts, docs):
        app.register_blueprint(room.blueprint(registry))
    app.register_blueprint(health.blueprint(readiness))
    app.register_blueprint(metrics.blueprint(registry, tally, readiness))
    # Flask's own way to put a layer around it, which mypy takes for a replaced method.
    app.wsgi_app = Front(ContextPaths(app.wsgi_app), registry.replica, tally)  # type: ignore[method-assign]
    return app


def _read_on(response: Response) -> Response:
    """Read the body to its end, or the limit, where nobody did.

    The server hangs up on a client that is in the midst of one: it might never see this answer, and what it
    asks next on this connection is lost.
    """
    if has_body(request.environ):
        with suppress(HTTPException):
            if request.stream.tell() != request.content_length:
                request.get_data()
    return response


def _negotiate() -> Response | None:
    """Choose the answer's media type; what has no route gets its 404 or 405 before any talk of types."""
    media_type = negotiate(request.environ.get("HTTP_ACCEPT"))
    if media_type is not None:
        g.media_type = media_type
    if request.routing_exception is not None:
        return None
    if media_type is None and request.blueprint not in _ANY_TYPE:
        raise NotAcceptable
    if request.method in {"POST", "PUT"} and not is_readable(request.environ.get("CONTENT_TYPE")):
        raise UnsupportedMediaType
    return None
