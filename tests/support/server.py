"""A real registry server as a subprocess, on a free port of this machine."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support.needs import ROOT

_START_SECONDS = 60.0
_STOP_SECONDS = 30.0


class RunningRegistry:
    """A registry server that answers requests at `url`.

    store_url: where its log is; a relative path is one in `folder`.
    settings: as `registry.settings.Settings` names them (``max_schema_bytes=1000``).
    """

    def __init__(self, store_url: str, folder: Path, settings: dict[str, object]) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = folder / "server.log"
        self._folder = folder
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("FIVEBYTE_")},
            **{f"FIVEBYTE_{name.upper()}": str(value) for name, value in settings.items()},
            "FIVEBYTE_PORT": str(self.port),
            "FIVEBYTE_STORE": store_url,
            "PYTHONPATH": str(ROOT),
            "TMPDIR": str(folder),  # what is left of it when it is killed goes with the folder
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def output(self) -> str:
        """What the server has written so far, over all its lives."""
        return self._log.read_text()

    @property
    def pid(self) -> int:
        """The parent process; its workers are in the process group of the same number."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it and wait until it answers. Raises RuntimeError, with its output, if it ends instead."""
        seen = self._log.stat().st_size if self._log.exists() else 0
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "fivebyte", "serve"],
                cwd=self._folder,
                env=self._environment,
                stdout=log,
                stderr=log,
                start_new_session=True,  # so that kill() can reach the workers too
            )
        deadline = time.monotonic() + _START_SECONDS
        while b"fivebyte registry on " not in self._log.read_bytes()[seen:]:
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"the registry did not start:\n{self.output}")
            time.sleep(0.01)

    def stop(self) -> int:
        """Stop it with SIGTERM; answers its exit code."""
        assert self._process is not None
        self._process.terminate()
        try:
            return self._process.wait(_STOP_SECONDS)
        finally:
            self.kill()

    def kill(self) -> None:
        """Kill it and its workers with SIGKILL, whatever they are doing. May be called again."""
        process = self._process
        if process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self._process = None

    def restart(self) -> None:
        """Start it again, at the same address, on the same store."""
        if self._process is not None:
            self.stop()
        self.start()


@contextmanager
def running_registry(store_url: str = "memory:", **settings: object) -> Iterator[RunningRegistry]:
    """A registry server that is stopped at the end, whatever happened.

    >>> with running_registry("sqlite:////tmp/x.db", threads=4) as registry:
    ...     requests_to(registry.url)
    """
    with tempfile.TemporaryDirectory(prefix="fivebyte-registry-") as folder:
        registry = RunningRegistry(store_url, Path(folder), settings)
        try:
            registry.start()
            yield registry
        finally:
            registry.kill()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
