"""The outermost layer: names a request, answers it from ready bytes or has Flask do so, counts and logs."""

import logging
import re
from collections.abc import Iterable
from functools import cache
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

from flask import Flask, request

from registry.http import request_id
from registry.http.fast_path import FastPath
from registry.logs import current_request
from registry.replica import Replica
from registry.tally import Tally

if TYPE_CHECKING:
    from _typeshed import OptExcInfo
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_NOTES = "fivebyte.notes"
"""Where Flask's side finds a dict in the WSGI environment, to note the route in once it is known."""
NO_ROUTE = "none"

_METHODS = {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"}
_log = logging.getLogger("fivebyte.access")


def tell_route(app: Flask) -> None:
    """Make `app` leave the route of a request where the front finds it."""
    app.before_request(_tell_route)


def _tell_route() -> None:
    if request.url_rule is not None:
        request.environ.setdefault(_NOTES, {})["route"] = readable(request.url_rule.rule)


@cache
def readable(rule: str) -> str:
    """A rule of Flask's as routes are written elsewhere: ``/schemas/ids/{id}``."""
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule).replace("{number}", "{id}")


class Front:
    """A WSGI application around `app`, which answers what the fast path does not."""

    def __init__(self, app: "WSGIApplication", replica: Replica, tally: Tally) -> None:
        self.app = app
        self._replica = replica
        self._fast_path = FastPath(replica)
        self._tally = tally
        self._ids = request_id.RequestIds()
        self._note()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        started = perf_counter_ns()
        name = self._ids.choose(environ.get("HTTP_X_REQUEST_ID"))
        method = environ["REQUEST_METHOD"]
        try:
            ready = self._fast_path.find(method, environ)
        except Exception:  # noqa: BLE001 - whatever it is: if Flask fails as well, it says so in our form
            _log.exception("the fast path failed; Flask goes on", extra={"facts": {"request_id": name}})
            ready = None
        if ready is None:
            return self._ask_flask(environ, start_response, started, name)
        start_response("200 OK", [*ready.headers, (request_id.HEADER, name)])
        took = perf_counter_ns() - started
        self._tally.add((method, ready.route, 200), took)
        if _log.isEnabledFor(logging.INFO):
            self._say(environ, name, ready.route, 200, took)
        return [ready.body] if method == "GET" else []

    def _ask_flask(
        self, environ: "WSGIEnvironment", start_response: "StartResponse", started: int, name: str
    ) -> Iterable[bytes]:
        status, notes = 500, dict[str, str]()
        environ[_NOTES] = notes

        def start(line: str, headers: list[tuple[str, str]], fault: "OptExcInfo | None" = None) -> Any:
            nonlocal status
            status = int(line[:3])
            return start_response(line, [*headers, (request_id.HEADER, name)], fault)

        token = current_request.set(name)
        try:
            return _in_one_piece(self.app(environ, start))
        finally:
            took = perf_counter_ns() - started
            method, route = environ["REQUEST_METHOD"], notes.get("route", NO_ROUTE)
            self._tally.add((method if method in _METHODS else "other", route, status), took)
            self._note()
            if _log.isEnabledFor(logging.INFO):
                self._say(environ, name, route, status, took)
            current_request.reset(token)

    def _note(self) -> None:
        self._tally.note(self._replica.state.position, self._replica.conflicts)

    def _say(self, environ: "WSGIEnvironment", name: str, route: str, status: int, took: int) -> None:
        # WSGI gives the path as Latin-1, whatever it is. The query is left out: it may be anybody's secret.
        path = environ.get("PATH_INFO", "").encode("latin-1", "replace").decode("utf-8", "replace")
        facts = {
            "request_id": name,
            "method": environ["REQUEST_METHOD"],
            "path": path,
            "route": route,
            "status": status,
            "duration_ms": round(took / 1e6, 3),
        }
        _log.info("%(method)s %(path)s %(status)d %(duration_ms)g ms", facts, extra={"facts": facts})


def _in_one_piece(answer: Iterable[bytes]) -> list[bytes]:
    """All of an answer. granian sends a list at once, and asks anything else for piece after piece."""
    try:
        return [b"".join(answer)]
    finally:
        close = getattr(answer, "close", None)
        if close is not None:
            close()
