"""Programs in Go, compiled once with their modules and kept under ``.cache/go``, keyed by their sources."""

import hashlib
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

from tests.support.needs import ROOT, need, need_programs

_CACHE = ROOT / ".cache" / "go"
_SECONDS = 300
_ENVIRONMENT = {
    **os.environ,
    "CGO_ENABLED": "1",
    "GOCACHE": str(_CACHE / "build"),
    "GOMODCACHE": str(_CACHE / "modules"),
    "GOFLAGS": "-mod=readonly -modcacherw -buildvcs=false",  # -modcacherw: it can be deleted
    "GOTOOLCHAIN": "local",
    "GOWORK": "off",
}


def run_program(folder: Path, argument: str, given: Any) -> list[dict[str, Any]]:
    """What the program in `folder` prints, a JSON value a line, with `given` as JSON as its input.

    Skips (or, in CI, fails) the test where it can't be compiled; see `compile_program`. Fails it with what
    the program printed where it fails.
    """
    sources = sorted([*folder.glob("*.go"), folder / "go.mod", folder / "go.sum"])
    contents = b"".join(path.read_bytes() for path in sources)
    program = _CACHE / hashlib.sha256(contents).hexdigest()[:16]
    if not program.exists():
        unfinished = program.with_suffix(".unfinished")
        compile_program(folder, unfinished)
        unfinished.rename(program)
    done = subprocess.run(
        [str(program), argument],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{argument} failed:\n{done.stdout}\n{done.stderr}"
    return [json.loads(line) for line in done.stdout.splitlines()]


def compile_program(folder: Path, program: Path) -> None:
    """Compile the package main in `folder` to the file `program`.

    Skips (or, in CI, fails) the test where there is no Go as new as ``go.mod`` asks for, or no C compiler,
    which one of the modules needs. Raises RuntimeError with what the compiler says.
    """
    need_programs("go", "gcc")
    _need_version(folder)
    command = ["go", "build", "-o", str(program), "."]
    done = subprocess.run(command, cwd=folder, env=_ENVIRONMENT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"go build failed:\n{done.stdout}\n{done.stderr}")


def _need_version(folder: Path) -> None:
    command = ["go", "env", "GOVERSION"]
    there = subprocess.run(
        command, cwd="/", env=_ENVIRONMENT, capture_output=True, text=True, check=True
    ).stdout
    wanted = re.search(r"^go (\S+)$", (folder / "go.mod").read_text(), re.MULTILINE)
    assert wanted
    need(_numbers(there) >= _numbers(wanted[1]), f"Go is {there.strip()}, older than {wanted[1]}")


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]
