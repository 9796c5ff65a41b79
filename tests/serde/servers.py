"""Registries that misbehave: as a function for what the client sends, as a socket for how it fails."""

import contextlib
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx2

from serde import RegistryClient

Answer = Callable[[httpx2.Request], httpx2.Response]


class Scripted:
    """Gives the answers in turn, the last for ever, and keeps the requests."""

    def __init__(self, *answers: Answer | httpx2.Response | Exception) -> None:
        self._answers = list(answers)
        self.requests: list[httpx2.Request] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, httpx2.Response):
            # A response is read once; a scripted one may be given more than once.
            return httpx2.Response(answer.status_code, headers=answer.headers, content=answer.content)
        return answer(request)

    @property
    def asked(self) -> list[tuple[str, str]]:
        """Method and path, as sent."""
        return [(request.method, request.url.raw_path.decode()) for request in self.requests]

    def client(self, url: str = "http://one", **options: Any) -> RegistryClient:
        return RegistryClient(url, transport=httpx2.MockTransport(self), **options)


def answer(status: int, body: Any) -> httpx2.Response:
    return httpx2.Response(status, json=body)


def error(status: int, code: int, message: str = "no") -> httpx2.Response:
    return answer(status, {"error_code": code, "message": message})


@contextlib.contextmanager
def listening(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """The URL of a server that hands each connection to `serve`, and closes it when that returns."""
    stop = threading.Event()

    def accept() -> None:
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                connection, _ = listener.accept()
                with connection:
                    connection.settimeout(10)
                    with contextlib.suppress(OSError):
                        serve(connection)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)
        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            stop.set()
            thread.join()


class Behaving:
    """An HTTP server on a socket, of which each request meets the next behaviour, the last for ever.

    A behaviour is what is sent back, after which the connection is closed, or a function of the connection.
    """

    def __init__(self, *behaviours: bytes | Callable[[socket.socket], None]) -> None:
        self._behaviours = list(behaviours)
        self._lock = threading.Lock()
        self.requests: list[bytes] = []
        self.url = ""

    @property
    def asked(self) -> list[str]:
        """The first line of each request, without the protocol."""
        return [request.partition(b" HTTP/")[0].decode() for request in self.requests]

    @contextlib.contextmanager
    def listening(self) -> Iterator[str]:
        """Its URL, while it listens."""
        stop = threading.Event()
        threads: list[threading.Thread] = []

        def accept() -> None:
            while not stop.is_set():
                with contextlib.suppress(TimeoutError):
                    connection, _ = listener.accept()
                    threads.append(threading.Thread(target=self._serve, args=(connection,)))
                    threads[-1].start()

        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(0.05)
            threads.append(threading.Thread(target=accept))
            threads[0].start()
            self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            try:
                yield self.url
            finally:
                stop.set()
                for thread in threads:
                    thread.join()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(10)
            request = _request(connection)
            if not request:
                return
            with self._lock:
                self.requests.append(request)
                behaviour = self._behaviours.pop(0) if len(self._behaviours) > 1 else self._behaviours[0]
            if isinstance(behaviour, bytes):
                connection.sendall(behaviour)
            else:
                behaviour(connection)


def _request(connection: socket.socket) -> bytes:
    """A request, to its end; nothing where the client went away before."""
    read = b""
    while b"\r\n\r\n" not in read:
        part = connection.recv(65536)
        if not part:
            return b""
        read += part
    head, _, body = read.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
    while length and len(body) < int(length[1]):
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def sent(status: int, body: Any, *headers: str, kind: str = "application/json") -> bytes:
    """An answer as it goes over the wire; a `body` that is a string as it is, another as JSON."""
    content = (body if isinstance(body, str) else json.dumps(body)).encode()
    lines = [f"HTTP/1.1 {status} X", f"Content-Type: {kind}", f"Content-Length: {len(content)}"]
    return "\r\n".join([*lines, "Connection: close", *headers, "", ""]).encode() + content


def silent(connection: socket.socket) -> None:
    """Says nothing, until the client goes."""
    while connection.recv(1000):
        pass
