"""Errors as answers: exactly ``{"error_code", "message"}``, since an added key breaks strict clients."""

import logging
from collections.abc import Mapping
from types import MappingProxyType

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.http import HTTP_STATUS_CODES

from registry.errors import RegistryError
from registry.http.context_paths import is_below_a_subject
from registry.http.responses import answer

_log = logging.getLogger("fivebyte.registry.http")

_GENERIC = {404, 405, 406, 415}

_ONLY_READ = "/associations/"
_SUBJECTS = "/subjects/"


def handle_errors(app: Flask, codes: Mapping[int, int] = MappingProxyType({})) -> None:
    """Make `app` answer every error in this form.

    codes: by which code to tell an error, where it is not its own.
    """

    def registry_error(fault: RegistryError) -> Response:
        if fault.status >= 500:
            _log.error("%s %s: %s", request.method, request.path, fault)
        return answer({"error_code": codes.get(fault.code, fault.code), "message": str(fault)}, fault.status)

    app.register_error_handler(RegistryError, registry_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unforeseen)


def _leads_nowhere(path: str) -> bool:
    """Whether it is as good as no path where the method is not allowed.

    Clients take a 404 for a server that does not have a thing, and a 405 for a fault. A path below a subject
    that is none of ours may also be a subject with slashes; but that would not be asked for so, either.
    """
    below = path.startswith(_SUBJECTS) and "/" in path.removeprefix(_SUBJECTS)
    return path.startswith(_ONLY_READ) or (below and not is_below_a_subject(path))


def _http_error(fault: HTTPException) -> Response:
    if isinstance(fault, MethodNotAllowed) and _leads_nowhere(request.path):
        fault = NotFound()
    status = fault.code or 500
    if status in _GENERIC or fault.description is None:
        message = f"HTTP {status} {HTTP_STATUS_CODES.get(status, 'Error')}"
    else:
        message = fault.description
    response = answer({"error_code": status, "message": message}, status)
    for name, value in fault.get_headers(request.environ):
        if name not in {"Content-Type", "Content-Length"}:
            response.headers.add(name, value)  # Allow, for a 405
    return response


def _unforeseen(fault: Exception) -> Response:
    g.pop("media_type", None)
    _log.error("%s %s failed", request.method, request.path, exc_info=fault)
    message = (
        "HTTP 500 Internal Server Error: a fault of the registry's, described in its log; please report it"
    )
    return answer({"error_code": 500, "message": message}, 500)
