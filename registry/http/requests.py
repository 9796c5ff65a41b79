"""Reading requests: the JSON body, and what stands in paths and queries."""

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from flask import request
from marshmallow import Schema, ValidationError
from werkzeug.exceptions import BadRequest, NotFound, RequestEntityTooLarge, UnprocessableEntity
from werkzeug.routing import BaseConverter

from registry.errors import InvalidVersionError
from registry.http import bodies
from registry.model import LATEST, MAX_VERSION
from registry.registry import NewSchema

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

T = TypeVar("T")

_SHOWN = 20
"""Faults of a body that a message lists."""

_PIECE = 64 * 1024
"""Bytes of a body that are asked for at once."""

_INTEGER = re.compile(r"-?[0-9]{1,10}")


class SubjectConverter(BaseConverter):
    """A subject in a path. The server decodes ``%2F`` before we see the path, so it may hold slashes.

    Where two routes fit, the shortest subject wins: one that ends in
    ``/versions`` cannot be told from the route of that name.
    """

    regex = r"[\s\S]+?"
    part_isolating = False


def has_body(environ: "WSGIEnvironment") -> bool:
    """Whether the client says that a body comes."""
    return environ.get("CONTENT_LENGTH", "") not in {"", "0"} or "HTTP_TRANSFER_ENCODING" in environ


def body(schema: Schema) -> dict[str, Any]:
    """The request's JSON body, checked by `schema`.

    Raises BadRequest where it is not JSON or of the wrong shape, UnprocessableEntity where it is missing,
    RequestEntityTooLarge where it is longer than the application takes.
    """
    raw = _whole()
    if not raw.strip():
        raise UnprocessableEntity("The request needs a JSON object as its body, and it has none")
    value = _parse_json(raw)
    if value is None:
        raise UnprocessableEntity("The request needs a JSON object as its body, and it is null")
    if not isinstance(value, dict):
        raise BadRequest(f"The body must be a JSON object, and it is {_kind(value)}")
    try:
        loaded: dict[str, Any] = schema.load(value)
    except ValidationError as fault:
        faults = _flatten(fault.messages_dict)
        more = [f"and {len(faults) - _SHOWN} more"] if len(faults) > _SHOWN else []
        raise BadRequest("; ".join([*faults[:_SHOWN], *more])) from None
    return loaded


def new_schema() -> NewSchema:
    """The schema in the request's body, to be normalized if the query says so. Raises what `body` does."""
    new: NewSchema = body(bodies.SCHEMA)["new"]
    return replace(new, normalize=True) if flag("normalize") else new


def query(name: str) -> str:
    """The query's value for `name`, the first one; empty where it has none."""
    if not request.query_string:  # most requests
        return ""
    return request.args.get(name, "")


def flag(name: str) -> bool:
    """A query's flag: ``true`` in any letter case; anything else, and its absence, is no."""
    return query(name).lower() == "true"


def wants_deleted() -> bool:
    """Whether soft-deleted versions count, too."""
    return flag("deleted") or flag("lookupDeletedSchema")


def number(name: str, default: int) -> int:
    """A query's number, or `default` for none or an empty one.

    Raises NotFound for anything else, as JAX-RS does.
    """
    text = request.args.get(name, "")
    return path_number(text) if text.strip() else default


def path_number(text: str) -> int:
    """A number in a path. Raises NotFound for anything else, as JAX-RS does."""
    if not _INTEGER.fullmatch(text) or not -(2**31) <= int(text) < 2**31:
        raise NotFound
    return int(text)


def version_number(text: str) -> int:
    """``latest`` in any letter case, -1, or a number from 1.

    Raises InvalidVersionError (42202).
    """
    text = text.strip()
    if text.lower() == "latest":
        return LATEST
    if not _INTEGER.fullmatch(text) or not (int(text) == LATEST or 1 <= int(text) <= MAX_VERSION):
        raise InvalidVersionError(text)
    return int(text)


def page(items: list[T], most: int = MAX_VERSION) -> list[T]:
    """The part of `items` that the query asks for with ``offset`` and ``limit``.

    most: the limit where none is asked for (0 or less), or a higher one.
    """
    offset, limit = max(number("offset", 0), 0), number("limit", -1)
    return items[offset : offset + (limit if 0 < limit <= most else most)]


def _whole() -> bytes:
    """The body, all of it. The server doesn't say when a client left in the midst of one."""
    promised = request.content_length
    if promised is None:
        raw, most = request.get_data(), request.max_content_length
        if most is not None and len(raw) >= most:
            raise RequestEntityTooLarge  # of a body without a length, nothing more than this is read
        return raw
    raw = request.stream.read(min(promised, _PIECE))  # most bodies; `get_data` would read on, for an end
    if len(raw) < promised:
        raw += request.get_data()
    if len(raw) < promised:
        raise BadRequest(f"The body ends early: {len(raw)} bytes came, and Content-Length says {promised}")
    return raw


def _parse_json(raw: bytes) -> object:
    try:
        value: object = _DECODER.decode(raw.decode("utf-8-sig"))
        if b"\\u" in raw:
            # Half of a surrogate pair can be written as an escape, but is no text that could be stored.
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise BadRequest("The body is JSON that is nested too deep") from None
    except UnicodeEncodeError:
        raise BadRequest("The body is not valid: a \\u escape stands for half a character") from None
    except UnicodeDecodeError as fault:
        encoding = request.headers.get("Content-Encoding")
        if encoding:
            raise BadRequest(f"The body is encoded ({encoding}): send it as plain JSON") from None
        raise BadRequest(f"The body is not UTF-8: byte {fault.start} is wrong") from None
    except ValueError as fault:
        raise BadRequest(f"The body is not JSON: {fault}") from None
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


def _kind(value: object) -> str:
    kinds = {list: "an array", str: "a string", bool: "a boolean", int: "a number", float: "a number"}
    return kinds[type(value)]


def _flatten(messages: Any, path: str = "") -> list[str]:
    if isinstance(messages, dict):
        texts: list[str] = []
        for key, value in messages.items():
            # "_schema" is marshmallow's name for the whole object
            inner = path if key == "_schema" else f"{path}.{key}" if path else str(key)
            texts += _flatten(value, inner)
        return texts
    return [f"{path}: {text}" for text in messages]
