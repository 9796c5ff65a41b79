"""Servers that are killed and come back while they are loaded, and clients that know when that excuses them.

A client may go without an answer only while the server that it asks is away; at
any other time that is a fault of the server's.
"""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from tests.support.server import RunningRegistry

_ANSWER_SECONDS = 60.0


class UnansweredError(Exception):
    """The server went away: what was asked of it may have been done or not.

    killed: whether it was killed; if not, it was told to stop and should have answered what it had begun.
    """

    def __init__(self, what: str = "", *, killed: bool = True) -> None:
        super().__init__(what)
        self.killed = killed


class Outages:
    """When something was away: from before it was ended until after it was back."""

    def __init__(self) -> None:
        self._over: list[tuple[float, bool]] = []  # when each was over, and whether it was a kill
        self._now: bool | None = None  # whether it is away, and whether killed
        self._lock = threading.Lock()
        self.changes = 0
        """Goes up when one begins and when it is over: what was connected before is to be left then."""

    @contextmanager
    def one(self, *, killed: bool = True) -> Iterator[None]:
        """It is away inside."""
        with self._lock:
            self._now = killed
            self.changes += 1
        try:
            yield
        finally:
            with self._lock:
                self._over.append((time.monotonic(), killed))
                self._now = None
                self.changes += 1

    @property
    def now(self) -> bool:
        """Whether it is away."""
        return self._now is not None

    def since(self, moment: float) -> set[bool]:
        """For each time that it was away from `moment`, of the monotonic clock, until now: whether killed."""
        with self._lock:
            found = {killed for over, killed in self._over if over >= moment}
            return found if self._now is None else {*found, self._now}


@dataclass
class Node:
    """A registry server that may be ended and started again under load."""

    server: RunningRegistry
    outages: Outages = field(default_factory=Outages)

    def kill_and_start(self) -> None:
        """SIGKILL to all its processes, whatever they are doing."""
        with self.outages.one():
            self.server.kill()
            self.server.start()

    def stop_and_start(self) -> int:
        """SIGTERM; answers its exit code."""
        with self.outages.one(killed=False):
            code = self.server.stop()
            self.server.start()
        return code


@dataclass(frozen=True)
class Answer:
    """What a server answered."""

    status: int
    content: bytes

    @property
    def body(self) -> Any:
        """Its JSON."""
        return json.loads(self.content)


class Caller:
    """One client's connections, which stay open: for one thread.

    A node has several worker processes, and a connection stays with one of them: who names connections
    reads with one worker what another one has written. It speaks no more HTTP than it needs, because
    it shares the machine with the servers that it is to load.
    """

    def __init__(self) -> None:
        self._connections: dict[tuple[int, str], tuple[socket.socket, int]] = {}

    def ask(
        self,
        node: Node,
        method: str,
        path: str,
        body: object = None,
        *,
        connection: str = "",
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> Answer:
        """Ask once. body: as it is sent, or what JSON is made of.

        Raises UnansweredError where the node went away; AssertionError where there is no whole answer
        though it was there all the time.
        """
        key = (node.server.port, connection)
        since = time.monotonic()
        try:
            talking = self._talking(key, node.outages.changes)
            talking.sendall(_request(method, path, body, headers))
            return _answer(talking)
        except OSError as fault:
            self._drop(key)
            reasons = node.outages.since(since)
            if reasons:
                raise UnansweredError(f"{method} {path}: {fault!r}", killed=True in reasons) from fault
            raise AssertionError(f"{method} {path} had no answer: {fault!r}") from fault

    def close(self) -> None:
        """Hang up."""
        for key in list(self._connections):
            self._drop(key)

    def _talking(self, key: tuple[int, str], changes: int) -> socket.socket:
        known = self._connections.get(key)
        if known is not None and known[1] == changes:
            return known[0]
        self._drop(key)
        talking = socket.create_connection(("127.0.0.1", key[0]), timeout=_ANSWER_SECONDS)
        talking.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connections[key] = talking, changes
        return talking

    def _drop(self, key: tuple[int, str]) -> None:
        known = self._connections.pop(key, None)
        if known is not None:
            known[0].close()


def _request(method: str, path: str, body: object, headers: Mapping[str, str]) -> bytes:
    content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(content)}"]
    lines += ["Content-Type: application/json"] if content else []
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + content


def _answer(talking: socket.socket) -> Answer:
    """Raises ConnectionError where it ends early."""
    said = b""
    while b"\r\n\r\n" not in said:
        said += _more(talking)
    head, _, content = said.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0])
    while len(content) < length:
        content += _more(talking)
    return Answer(int(head[9:12]), content)


def _more(talking: socket.socket) -> bytes:
    part = talking.recv(1 << 20)
    if not part:
        raise ConnectionResetError("the server hung up")
    return part


class Crowd:
    """Threads that load servers until their work is done, or one of them has found a fault."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.over = threading.Event()
        self._threads: list[threading.Thread] = []

    def add(self, name: str, work: Callable[..., None], *arguments: Any) -> None:
        """Have `work(*arguments)` done by a thread; what it raises ends the work of all."""

        def run() -> None:
            try:
                work(*arguments)
            except Exception as fault:  # noqa: BLE001 - whatever it is, the test fails with it
                self.faults.append(f"{name}: {type(fault).__name__}: {fault}")
                self.over.set()

        self._threads.append(threading.Thread(target=run, name=name))

    def start(self) -> None:
        """Let them begin."""
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        """Wait until all have ended."""
        for thread in self._threads:
            thread.join()


class Pace:
    """Lets work go on up to the next event and no further, so that each event happens under load.

    work: how many steps there are. events: how many happen meanwhile, evenly.
    """

    def __init__(self, work: int, events: int, over: threading.Event) -> None:
        self._work = work
        self._each = work // (events + 1)
        self._done = 0
        self._happened = 0
        self._events = events
        self._over = over
        self._changed = threading.Condition()

    def step(self) -> bool:
        """A step is done; waits where the event before the next one has not happened. False: that is all."""
        with self._changed:
            self._done += 1
            self._changed.notify_all()
            while not self._over.is_set() and self._is_ahead():
                self._changed.wait(0.1)
            return not self._over.is_set() and self._done < self._work

    def goes_on(self, seconds: float) -> bool:
        """Rest for so long. False: stop."""
        return not self._over.wait(seconds)

    def events(self) -> Iterator[int]:
        """Each event's number, when it is time for it; it has happened when the next one is asked for."""
        for number in range(self._events):
            with self._changed:
                while self._done < (number + 1) * self._each:
                    if self._over.is_set():
                        return
                    self._changed.wait(0.1)
            yield number
            with self._changed:
                self._happened += 1
                self._changed.notify_all()

    def _is_ahead(self) -> bool:
        # Work goes on during an event, until it is time for the next one.
        return self._happened < self._events and self._done >= (self._happened + 2) * self._each
