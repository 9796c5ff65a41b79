"""Schemas by id as ready bytes, before Flask is entered.

What an id stands for never changes, so the first request for it makes the
bytes of the answer and the others get them. What can change is whether the id
is there: the fold is looked at each time. All that is out of the ordinary (a
query, a condition, a body, an id that is not known) is left to Flask, whose answers
these are, byte for byte.

Where the log is on this machine, its head is looked at as well, so what another
process deleted for good is gone at once, or with SQLite half a millisecond
later: to look each time would be half of what an answer costs. Where looking
is a round trip, the fold is as fresh as `registry.follower` keeps it, and these
answers go on while the store is away.
"""

import re
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from registry.http.caching import LASTING, VARY, etag
from registry.http.compression import LEAST_BYTES, accepts_gzip, compressed
from registry.http.negotiation import MEMORABLE, negotiate
from registry.http.requests import has_body
from registry.http.responses import BY_ID, entity, json_text
from registry.model import DEFAULT_CONTEXT
from registry.replica import Replica
from registry.state import State

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

MAX_BYTES = 64 * 1024 * 1024
"""The bytes of answers that a process keeps. Beyond that the oldest go, and come again when asked for."""

_PREFIX = "/schemas/ids/"
_PATH = re.compile(r"/schemas/ids/([1-9][0-9]{0,9})(/schema)?")
_SAYS_NOTHING = {"", "fetchMaxId=false", "fetchMaxId=False"}
"""Queries as good as none: the Java client sends its default."""
_OVERHEAD = 1000  # bytes, of what is kept beside a body

Header = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Ready:
    """An answer: its headers, its body, and the route it is counted under."""

    headers: list[Header]
    body: bytes
    route: str


@dataclass(slots=True)
class _Answers:
    """The answers to one path, made as they are asked for: by media type, and compressed or not."""

    number: int
    route: str
    body: bytes
    made: dict[tuple[str, bool], Ready] = field(default_factory=dict)
    zipped: bytes = b""

    def get(self, media_type: str, *, zipped: bool) -> Ready:
        return self.made.get((media_type, zipped)) or self._make(media_type, zipped=zipped)

    def _make(self, media_type: str, *, zipped: bool) -> Ready:
        body = self.body
        if zipped:
            body = self.zipped = self.zipped or compressed(self.body)
        headers = [
            ("Content-Type", media_type),
            ("Content-Length", str(len(body))),
            ("Vary", VARY),
            ("Cache-Control", LASTING),
            ("ETag", f'W/"{etag(self.body)}"'),
        ]
        if zipped:
            headers.insert(1, ("Content-Encoding", "gzip"))
        ready = self.made[media_type, zipped] = Ready(headers, body, self.route)
        return ready


class _Table:
    """The answers from one fold. A fold that takes its place, after a failover, gets its own table."""

    def __init__(self, state: State | None) -> None:
        self.state = state
        self.answers: dict[str, _Answers] = {}
        self._bytes = 0
        self._adding = threading.Lock()  # reading needs none

    def add(self, path: str, answers: _Answers) -> None:
        """Keep `answers`, and let go of the oldest where they are too many."""
        with self._adding:
            if path not in self.answers:
                self.answers[path] = answers
                self._bytes += _weight(answers)
            while self._bytes > MAX_BYTES:
                self._bytes -= _weight(self.answers.pop(next(iter(self.answers))))


class FastPath:
    """The answers that `replica` is good for without Flask. Safe to use from several threads."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self._table = _Table(None)

    def find(self, method: str, environ: "WSGIEnvironment") -> Ready | None:
        """The answer to a request; None where Flask has to find it."""
        path = environ.get("PATH_INFO", "")
        if not path.startswith(_PREFIX) or method not in {"GET", "HEAD"}:
            return None
        if environ.get("QUERY_STRING", "") not in _SAYS_NOTHING or "HTTP_IF_NONE_MATCH" in environ:
            return None
        if has_body(environ):
            return None
        state = self._replica.peek()
        media_type = _media_type(environ.get("HTTP_ACCEPT"))
        if state is None or media_type is None:
            return None
        answers = self._answers(path, state)
        if answers is None:
            return None
        zipped = len(answers.body) >= LEAST_BYTES and accepts_gzip(environ.get("HTTP_ACCEPT_ENCODING"))
        return answers.get(media_type, zipped=zipped)

    def _answers(self, path: str, state: State) -> _Answers | None:
        table = self._table
        if table.state is not state:
            table = self._table = _Table(state)
        answers = table.answers.get(path)
        if answers is None:
            answers = _make_answers(path, state)
            if answers is not None:
                table.add(path, answers)
        elif not state.has_id(DEFAULT_CONTEXT, answers.number):
            return None
        return answers


def _make_answers(path: str, state: State) -> _Answers | None:
    match = _PATH.fullmatch(path)
    number = int(match[1]) if match else 0
    version = state.some_holder(DEFAULT_CONTEXT, number)
    if match is None or version is None:
        return None
    if match[2]:
        return _Answers(number, f"{_PREFIX}{{id}}/schema", version.content.text.encode())
    return _Answers(number, f"{_PREFIX}{{id}}", json_text(entity(version, *BY_ID)).encode())


def _weight(answers: _Answers) -> int:
    """Once and a half its length: the other half is for gzip, whether or not it was made yet."""
    return len(answers.body) * 3 // 2 + _OVERHEAD


def _media_type(accept: str | None) -> str | None:
    """None also for what is too long to be remembered."""
    return negotiate(accept) if accept is None or len(accept) < MEMORABLE else None
