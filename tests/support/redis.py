"""A real Redis as a subprocess, on a free port of this machine: it can be stopped, killed and frozen."""

import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import redis

from tests.support.needs import need_programs
from tests.support.server import free_port

_START_SECONDS = 60.0

FORGETFUL = ("--save", "", "--appendonly", "no")
DURABLE = ("--save", "", "--appendonly", "yes", "--appendfsync", "always")


class RunningRedis:
    """A Redis with its files in `folder`. options: as redis-server takes them."""

    def __init__(self, folder: Path, options: tuple[str, ...]) -> None:
        self.port = free_port()
        self._folder = folder
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, query: str = "", *, credentials: str = "") -> str:
        """What `open_store` takes. query: from the ``?`` on. credentials: up to the ``@``."""
        return f"redis://{credentials}127.0.0.1:{self.port}/0{query}"

    def client(self, **settings: str) -> redis.Redis:
        """A client of redis-py's, to look behind a store's back."""
        return redis.Redis(port=self.port, **settings)  # type: ignore[arg-type]  # only strings are given here

    def start(self) -> None:
        """Start it and wait until it answers. Raises RuntimeError, with its output, if it ends instead."""
        log = self._folder / "redis.log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", *self._options],
                cwd=self._folder,
                stdout=output,
                stderr=output,
            )
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"Redis did not start:\n{log.read_text()}")
            time.sleep(0.01)

    def kill(self) -> None:
        """Kill it with SIGKILL, also when it is frozen. May be called again."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """From here on it is silent, but its connections stay."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on, with what it was sent meanwhile."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _answers(self) -> bool:
        """Whether it has its data in memory, or at least refuses who has no password."""
        with (
            suppress(OSError),
            socket.create_connection(("127.0.0.1", self.port), timeout=5) as probe,
        ):
            probe.sendall(b"PING\r\n")
            return probe.recv(100).startswith((b"+PONG", b"-NOAUTH"))
        return False


@contextmanager
def running_redis(*options: str) -> Iterator[RunningRedis]:
    """A Redis that is killed at the end, whatever happened. It keeps nothing unless `options` say so."""
    need_programs("redis-server")
    with tempfile.TemporaryDirectory(prefix="fivebyte-redis-") as folder:
        server = RunningRedis(Path(folder), options or FORGETFUL)
        try:
            server.start()
            yield server
        finally:
            server.kill()
