"""docs/clients.md held to what the tests do: its versions, its table, and its examples in JavaScript and Go.

Its examples in Python run with those of all pages, in tests/e2e/test_docs.py.
"""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.clients.expected import EXPECTED
from tests.clients.published import CLIENTS
from tests.support.golang import compile_program
from tests.support.javascript import run_script
from tests.support.needs import ROOT

PAGE = (ROOT / "docs" / "clients.md").read_text()
HERE = Path(__file__).parent
LABELS = {
    "read": "read messages that our serializer wrote",
    "register": "register schemas",
    "find": "find and list schemas, by id, guid, version and text",
    "subject_names": "subjects that have to be encoded in a path",
    "references": "references",
    "compatibility": "check compatibility",
    "levels": "levels and configs",
    "modes": "modes",
    "contexts": "contexts",
    "contracts": "metadata and rules",
    "normalize": "normal forms",
    "write": "write messages that our deserializer reads",
    "import": "import with ids and versions",
    "delete": "delete, softly and for good",
}


def examples(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("part", EXPECTED)
def test_the_table_says_what_each_client_can_do(part: str) -> None:
    steps = [len(client.expected()[part]) for client in CLIENTS]
    cells = ["all" if made == len(EXPECTED[part]) else "some" if made else "none" for made in steps]
    assert f"| {LABELS[part]} | {' | '.join(cells)} |\n" in PAGE


def test_the_versions_are_those_that_the_tests_run() -> None:
    for client in CLIENTS:
        assert re.search(
            rf"^\| \[{re.escape(client.name)}\].* \| {re.escape(client.version)} \|$", PAGE, re.MULTILINE
        )


def test_the_examples_in_javascript(url: str, tmp_path: Path) -> None:
    written = examples("javascript")
    assert len(written) == 2
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(HERE / "javascript" / name, tmp_path)
    for example in written:
        (tmp_path / "example.mjs").write_text(example.replace("http://127.0.0.1:8081", url))
        assert run_script(tmp_path, "example.mjs", None) == []


def test_the_examples_in_go(url: str, tmp_path: Path) -> None:
    written = examples("go")
    assert len(written) == 2
    for name in ("go.mod", "go.sum"):
        shutil.copy(HERE / "go" / name, tmp_path)
    for example in written:
        (tmp_path / "main.go").write_text(example.replace("http://127.0.0.1:8081", url))
        compile_program(tmp_path, tmp_path / "example")
        subprocess.run([tmp_path / "example"], check=True)
