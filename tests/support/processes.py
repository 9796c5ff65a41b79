"""What the processes of a server use, as Linux counts it."""

import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from tests.support.needs import need

_PROC = Path("/proc")


class Use(NamedTuple):
    """What a process uses. memory: resident, in bytes."""

    memory: int
    threads: int
    files: int


def need_proc() -> None:
    """Require a system that tells of its processes."""
    need((_PROC / "self" / "status").is_file(), "this system has no /proc to read from what a process uses")


def used_by_group(group: int) -> dict[int, Use]:
    """What each process of a process group uses now, by its id; not those that have ended."""
    found = {}
    for folder in _PROC.iterdir():
        with suppress(ProcessLookupError, FileNotFoundError):  # it has ended meanwhile
            if folder.name.isdecimal() and os.getpgid(int(folder.name)) == group:
                use = _use(folder)
                if use is not None:
                    found[int(folder.name)] = use
    return found


def _use(folder: Path) -> Use | None:
    lines = (folder / "status").read_text().splitlines()
    status = {name: value.split() for name, _, value in (line.partition(":") for line in lines)}
    if "VmRSS" not in status:  # ended, and nobody has asked for its exit code yet
        return None
    return Use(
        memory=int(status["VmRSS"][0]) * 1024,
        threads=int(status["Threads"][0]),
        files=len(list((folder / "fd").iterdir())),
    )
