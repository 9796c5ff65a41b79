"""``fivebyte config``, in this process, in a folder of the test's own."""

import json
from pathlib import Path

import pytest

from fivebyte.cli import run as fivebyte
from registry.configuration import OTHER_VARIABLES
from registry.settings import declared_settings
from tests.support.commands import commands


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_each_setting_and_its_origin(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "fivebyte.toml").write_text('[server]\nthreads = 3\nstore = "redis://user:secret@host/0"\n')
    monkeypatch.setenv("FIVEBYTE_MODE_MUTABILITY", "FALSE")
    assert fivebyte(["config", "--compatibility", "full"]) == 0
    printed = capsys.readouterr().out
    lines = {line.split()[0]: line.split()[1:] for line in printed.splitlines()}
    assert list(lines) == [declared.name for declared in declared_settings()]
    assert lines["port"] == ["8081", "default"]
    assert lines["threads"] == ["3", "fivebyte.toml:2"]
    assert lines["store"] == ["redis://host/0", "fivebyte.toml:3"]
    assert lines["mode_mutability"] == ["false", "FIVEBYTE_MODE_MUTABILITY"]
    assert lines["compatibility"] == ["FULL", "--compatibility"]
    assert lines["tls_key"] == ["default"]
    assert "secret" not in printed


def test_as_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "x.toml").write_text(
        '[server]\nstore = "redis://user:secret@host/0"\nmode_mutability = false\n'
    )
    assert fivebyte(["config", "--json", "--config", "x.toml", "--port", "80"]) == 0
    printed = capsys.readouterr().out
    found = json.loads(printed)
    assert found["file"] == "x.toml"
    assert list(found["settings"]) == [declared.name for declared in declared_settings()]
    assert found["settings"]["store"] == {"value": "redis://host/0", "origin": "x.toml:2"}
    assert found["settings"]["mode_mutability"] == {"value": False, "origin": "x.toml:3"}
    assert found["settings"]["port"] == {"value": 80, "origin": "--port"}
    assert found["settings"]["compatibility"] == {"value": "BACKWARD", "origin": "default"}
    assert found["settings"]["tls_key"] == {"value": None, "origin": "default"}
    assert "secret" not in printed


def test_what_cannot_be_is_one_line_and_exit_code_2(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FIVEBYTE_PROT", "1")
    assert fivebyte(["config"]) == 2
    assert capsys.readouterr() == (
        "",
        "fivebyte: FIVEBYTE_PROT: there is no such setting; did you mean FIVEBYTE_PORT?\n",
    )
    monkeypatch.delenv("FIVEBYTE_PROT")
    (folder / "fivebyte.toml").write_text("[server]\nport = 'x'\n")
    for command in (["config", "--json"], ["serve"]):
        assert fivebyte(command) == 2
        assert capsys.readouterr() == (
            "",
            'fivebyte: fivebyte.toml:2: port = "x": give a whole number from 1 to 65535\n',
        )


def test_the_variables_of_other_commands_are_known_to_the_server() -> None:
    settings = {declared.variable for declared in declared_settings()}
    others = set()
    for command in commands().values():
        for parameter in command.params:
            if isinstance(parameter.envvar, str):
                others.add(parameter.envvar)
    assert {"FIVEBYTE_REGISTRY", "FIVEBYTE_BROKER"} <= others
    assert others <= settings | OTHER_VARIABLES
