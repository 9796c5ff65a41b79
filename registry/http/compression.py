"""gzip, for answers that are large and clients that take it."""

import gzip
from functools import lru_cache

from flask import Flask, Response, request
from werkzeug.http import parse_accept_header

LEAST_BYTES = 1400
"""The shortest body that is compressed: a shorter one fits in one packet as it is."""


def compress_answers(app: Flask) -> None:
    """Make `app` compress what is worth it."""
    app.after_request(_compress)


def accepts_gzip(accept_encoding: str | None) -> bool:
    """Whether a client with this ``Accept-Encoding`` takes gzip, and likes it no less than plain bytes."""
    if not accept_encoding:
        return False
    return _accepts_gzip(accept_encoding) if len(accept_encoding) < 200 else _parse(accept_encoding)


def compressed(body: bytes) -> bytes:
    """`body` as gzip. The same body always gives the same bytes."""
    return gzip.compress(body, 6, mtime=0)


def _parse(accept_encoding: str) -> bool:
    weights = {name.lower(): weight for name, weight in parse_accept_header(accept_encoding)}
    weight = weights.get("gzip", weights.get("*", 0))
    return weight > 0 and weight >= weights.get("identity", 0)


_accepts_gzip = lru_cache(maxsize=256)(_parse)


def _compress(response: Response) -> Response:
    if (
        response.status_code != 304
        and len(response.get_data()) >= LEAST_BYTES
        and accepts_gzip(request.environ.get("HTTP_ACCEPT_ENCODING"))
    ):
        response.set_data(compressed(response.get_data()))
        response.headers["Content-Encoding"] = "gzip"
    return response
