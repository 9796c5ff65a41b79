"""Java from Maven Central: class paths by pom, and small programs of ours compiled against them.

A folder of ``tests/jvm`` holds a ``pom.xml`` (what to fetch) and perhaps a
``.java`` file (what to run). Both are prepared once and kept under
``.cache/jvm``, keyed by their contents.
"""

import hashlib
import shutil
import subprocess
from pathlib import Path

from tests.support.needs import ROOT, need_programs

_SOURCES = ROOT / "tests" / "jvm"
_CACHE = ROOT / ".cache" / "jvm"


def class_path(name: str) -> str:
    """The class path of ``tests/jvm/<name>``: its Maven dependencies and its own compiled classes.

    Skips (or, in CI, fails) the test where there is no JDK or no Maven.
    """
    need_programs("java", "javac", "mvn")
    source = _SOURCES / name
    files = sorted(path for path in source.iterdir() if path.suffix in {".xml", ".java"})
    key = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]
    prepared = _CACHE / f"{name}-{key}"
    if not prepared.exists():
        _prepare(source, files, prepared)
    return f"{prepared / 'lib' / '*'}:{prepared / 'classes'}"


def _prepare(source: Path, files: list[Path], prepared: Path) -> None:
    unfinished = prepared.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    (unfinished / "classes").mkdir(parents=True)
    maven = ["mvn", "-q", "-B", "-f", str(source / "pom.xml")]
    goal = [
        "dependency:copy-dependencies",
        f"-DoutputDirectory={unfinished / 'lib'}",
        "-DincludeScope=runtime",
    ]
    _run([*maven, *goal])
    java = [str(path) for path in files if path.suffix == ".java"]
    if java:
        _run(["javac", "-cp", f"{unfinished / 'lib' / '*'}", "-d", str(unfinished / "classes"), *java])
    unfinished.rename(prepared)


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[:3])} … failed:\n{done.stdout}\n{done.stderr}")
