"""Programs in Go, compiled once with their modules and kept under ``.cache/go``, keyed by their sources."""

import hashlib
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests.support.needs import ROOT, need, need_programs

_CACHE = ROOT / ".cache" / "go"
_SECONDS = 300


def run_program(folder: Path, argument: str, given: Any) -> list[dict[str, Any]]:
    """What the program in `folder` prints, a JSON value a line, with `given` as JSON as its input.

    Skips (or, in CI, fails) the test where there is no Go, or no C compiler, which one of the modules needs.
    Fails it with what the program printed where it fails.
    """
    need_programs("go", "gcc")
    _need_version(folder)
    done = subprocess.run(
        [str(_compiled(folder)), argument],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{argument} failed:\n{done.stdout}\n{done.stderr}"
    return [json.loads(line) for line in done.stdout.splitlines()]


def _need_version(folder: Path) -> None:
    command = ["go", "env", "GOVERSION"]
    environment = {**os.environ, "GOTOOLCHAIN": "local"}
    there = subprocess.run(
        command, cwd="/", env=environment, capture_output=True, text=True, check=True
    ).stdout
    wanted = re.search(r"^go (\S+)$", (folder / "go.mod").read_text(), re.MULTILINE)
    assert wanted
    need(_numbers(there) >= _numbers(wanted[1]), f"Go is {there.strip()}, older than {wanted[1]}")


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]


def _compiled(folder: Path) -> Path:
    sources = sorted([*folder.glob("*.go"), folder / "go.mod", folder / "go.sum"])
    contents = b"".join(path.read_bytes() for path in sources)
    program = _CACHE / f"{folder.parent.name}-{hashlib.sha256(contents).hexdigest()[:16]}"
    if program.exists():
        return program
    environment = {
        **os.environ,
        "CGO_ENABLED": "1",
        "GOCACHE": str(_CACHE / "build"),
        "GOMODCACHE": str(_CACHE / "modules"),
        "GOFLAGS": "-mod=readonly -modcacherw -buildvcs=false",  # -modcacherw: it can be deleted
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }
    unfinished = program.with_suffix(".unfinished")
    command = ["go", "build", "-o", str(unfinished), "."]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"go build failed:\n{done.stdout}\n{done.stderr}")
    shutil.move(unfinished, program)
    return program
