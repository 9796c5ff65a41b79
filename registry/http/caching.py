"""What caches may keep: answers that never change, for a while; of all others, none without asking.

What an id or a guid stands for never changes, so those answers carry an
``ETag`` and may be kept. For how long is a promise of another kind: a log that
was restored from a backup, or a new one at the same address, may give the id
to another schema, and what was deleted for good should be gone some day. So it
is an hour, and not for ever. ``public`` is not said: what was answered to
somebody with an Authorization is not for others.

The tag is a weak one: it is the same for each media type and encoding.
"""

from hashlib import blake2b

from flask import Flask, Response, request

from registry.http.requests import flag
from registry.model import QualifiedSubject

LASTING = "max-age=3600, immutable"
CHANGING = "no-cache"
VARY = "Accept, Accept-Encoding"

_LASTING_VIEWS = {"schemas.get", "schemas.get_text", "schemas.by_guid"}


def say_what_lasts(app: Flask) -> None:
    """Make `app` say of each answer whether it may be kept, and spare what the client has."""
    app.after_request(_say_what_lasts)


def etag(body: bytes) -> str:
    """The tag of an answer with this body, before it is compressed; without quotes."""
    return blake2b(body, digest_size=16).hexdigest()


def _say_what_lasts(response: Response) -> Response:
    response.headers["Vary"] = VARY
    if response.status_code != 200 or not _lasts():
        response.headers["Cache-Control"] = CHANGING
        return response
    tag = etag(response.get_data())
    response.headers["Cache-Control"] = LASTING
    response.set_etag(tag, weak=True)
    if request.if_none_match.contains_weak(tag):
        response.status_code = 304
        response.set_data(b"")
    return response


def _lasts() -> bool:
    """A subject may have the id in one version today and in another tomorrow; a context has no such part."""
    if request.endpoint not in _LASTING_VIEWS or not request.args.keys() <= {"subject", "fetchMaxId"}:
        return False
    named = any(QualifiedSubject.parse(subject).name for subject in request.args.getlist("subject"))
    return not named and not flag("fetchMaxId")
