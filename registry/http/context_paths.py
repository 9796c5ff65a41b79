"""The URL form of contexts: ``/contexts/.ctx/subjects/s`` is ``/subjects/:.ctx:s`` (reference, section 2.7).

So a client that can only be given a base URL works inside one context. This is
done to the WSGI environment, before routing: there is one set of routes, and
the path is decoded already, so that a subject may hold anything.

Here, too, go slashes that mean nothing. One behind a path with a subject, which a
route would take for a part of the subject: Java's client asks at
``/compatibility/subjects/{subject}/versions/``. And one too many before a path,
from a base URL that ends in a slash.
"""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from registry.model import context_name

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_PREFIX = "/contexts/"
_BEFORE_SUBJECTS = ("/subjects/", "/compatibility/subjects/", "/associations/subjects/", "/config/", "/mode/")
_SCOPES = {"/config", "/mode"}
_LISTINGS = {"/subjects", "/schemas"}
_EVERY_CONTEXT = ":*:"
_IDS = "/schemas/ids/"
_BELOW_A_SUBJECT = re.compile(
    r"/(?:compatibility/)?subjects/.+/(?:metadata|versions(?:/[^/]+(?:/(?:schema|referencedby|tags))?)?)",
    re.DOTALL,
)
_OF_THE_SERVER = ("health/", "metrics")
"""What is in no context: with one before it, it is no path."""


class ContextPaths:
    """Puts the context of a path into the subject, or into the query where the path has none.

    And takes slashes from a path that mean nothing there.
    """

    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path.startswith("//"):
            path = "/" + path.lstrip("/")
            environ = {**environ, "PATH_INFO": path}
        if path.startswith(_PREFIX):
            segment, slash, rest = path[len(_PREFIX) :].partition("/")
            rest = rest.lstrip("/")
            # WSGI gives the path as Latin-1, whatever it is; what we add to it has that form too.
            context = context_name(segment)
            # A context's own address answers as the registry's does, for clients that ask if it is there.
            asked = rest or (slash and environ["REQUEST_METHOD"] != "DELETE")
            if context is not None and asked and not rest.startswith(_OF_THE_SERVER):
                environ = {**environ, **_rewritten(f"/{rest}", f":{context}:", environ)}
                path = environ["PATH_INFO"]
        # Elsewhere it may be a part of the subject, which came as %2F.
        if path.endswith("/") and is_below_a_subject(path[:-1]):
            environ = {**environ, "PATH_INFO": path[:-1]}
        return self._app(environ, start_response)


def is_below_a_subject(path: str) -> bool:
    """Whether it is one of our paths below a subject."""
    return _BELOW_A_SUBJECT.fullmatch(path) is not None


def _rewritten(path: str, scope: str, environ: "WSGIEnvironment") -> dict[str, Any]:
    if path.rstrip("/") in _SCOPES:
        return {"PATH_INFO": f"{path.rstrip('/')}/{scope}"}
    for begin in _BEFORE_SUBJECTS:
        if path.startswith(begin) and path != begin:
            return {"PATH_INFO": begin + _qualified(path[len(begin) :], scope)}
    query = environ.get("QUERY_STRING", "")
    if path.rstrip("/") in _LISTINGS:
        query = _with_context(query, "subjectPrefix", scope)
    elif path.startswith(_IDS):
        query = _with_context(query, "subject", scope)
    return {"PATH_INFO": path, "QUERY_STRING": query}


def _with_context(query: str, name: str, scope: str) -> str:
    # Latin-1 both ways keeps every byte as it is, also those that are no UTF-8.
    parts = parse_qsl(query, keep_blank_values=True, encoding="latin-1")
    given = next((value for key, value in parts if key == name), "")
    others = [part for part in parts if part[0] != name]
    value = given if given.startswith(_EVERY_CONTEXT) else _qualified(given, scope)
    return urlencode([*others, (name, value)], encoding="latin-1", errors="replace")


def _qualified(subject: str, scope: str) -> str:
    """`subject` in the context, unless it says itself which one it is in."""
    return subject if subject.startswith(":.") else scope + subject
