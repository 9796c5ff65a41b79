"""A real server for those who mean it ill, and what it must still do after them."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2

from tests.support.needs import need_programs
from tests.support.server import RunningRegistry, running_registry

MEGABYTE = 1024
"""In kilobytes, as ps counts."""


@contextmanager
def besieged_registry(**settings: object) -> Iterator[RunningRegistry]:
    """A registry that must answer to the end, say nothing of faults in its log, and not have grown much."""
    need_programs("ps")
    with running_registry("memory:", **settings) as server:
        yield server
        assert httpx2.get(f"{server.url}/subjects", timeout=60).status_code == 200
        assert memory(server) < 500 * MEGABYTE
        assert server.stop() == 0
        assert "Traceback" not in server.output
        assert " ERROR " not in server.output, server.output


def memory(server: RunningRegistry) -> int:
    """Kilobytes that the server's processes hold."""
    listed = subprocess.run(
        ["ps", "-A", "-o", "pgid=,rss="], capture_output=True, text=True, check=True
    ).stdout
    rows = [line.split() for line in listed.splitlines()]
    return sum(int(resident) for group, resident in rows if int(group) == server.pid)
