"""Node and packages from npm: scripts of ours beside the packages they use.

A folder holds a ``package.json``, its lock file, an ``.npmrc`` and ``.mjs`` scripts. The packages are fetched
once and kept under ``.cache/javascript``, keyed by the contents of the first three.
"""

import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests.support.needs import ROOT, need, need_programs

_CACHE = ROOT / ".cache" / "javascript"
_PACKAGE_FILES = ("package.json", "package-lock.json", ".npmrc")
_OLDEST_NODE = 20
_SECONDS = 300


def run_script(folder: Path, name: str, given: Any) -> list[dict[str, Any]]:
    """What the script `name` of `folder` prints, a JSON value a line, with `given` as JSON as its input.

    Skips (or, in CI, fails) the test where there is no Node 20 or later, or no npm. Fails it with what the
    script printed where it fails.
    """
    need_programs("node", "npm")
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    major = re.match(r"v(\d+)", version)
    need(major is not None and int(major[1]) >= _OLDEST_NODE, f"Node is {version}, older than {_OLDEST_NODE}")
    prepared = _packages(folder)
    for script in folder.glob("*.mjs"):  # an import is resolved from where its script is
        shutil.copy(script, prepared)
    done = subprocess.run(
        ["node", name],
        cwd=prepared,
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{name} failed:\n{done.stdout}\n{done.stderr}"
    return [json.loads(line) for line in done.stdout.splitlines()]


def _packages(folder: Path) -> Path:
    contents = b"".join((folder / name).read_bytes() for name in _PACKAGE_FILES)
    prepared = _CACHE / hashlib.sha256(contents).hexdigest()[:16]
    if prepared.exists():
        return prepared
    unfinished = prepared.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    for name in _PACKAGE_FILES:
        shutil.copy(folder / name, unfinished)
    # No package of ours needs its install scripts.
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run(command, cwd=unfinished, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"npm ci failed:\n{done.stdout}\n{done.stderr}")
    unfinished.rename(prepared)
    return prepared
