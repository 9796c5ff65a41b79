"""Registries that misbehave: as a function for what the client sends, as a socket for how it fails."""

import contextlib
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
