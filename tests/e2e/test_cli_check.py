"""``fivebyte check`` and ``explain`` as commands: exit codes, options, the baseline file, CI hosts."""

import json
import os
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest

from fivebyte.cli import cli, main, run
from fivebyte.cli.check import FORMATS, LEVELS
from registry.check.reports import FORMATS as MADE
from registry.check.rules import catalogue
from registry.model import CompatibilityLevel
from tests.support.repository import GitRepository

GOOD = '{"type": "record", "name": "R", "fields": [\n  {"name": "a", "type": "int"}\n]}'
BREAKS = GOOD.replace('"int"}', '"int"},\n  {"name": "b", "type": "int"}')


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GitRepository:
    """A repository with one schema, which is the working directory, on no CI host."""
    for name in ("GITHUB_ACTIONS", "GITLAB_CI", "GITHUB_WORKSPACE", "CI_PROJECT_DIR"):
        monkeypatch.delenv(name, raising=False)
    repository = GitRepository(tmp_path / "repository")
    repository.commit({"r.avsc": GOOD})
    monkeypatch.chdir(repository.folder)
    return repository


def test_the_exit_codes(repository: GitRepository, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check"]) == 0
    repository.write({"r.avsc": BREAKS})
    assert run(["check"]) == 1
    assert "r.avsc:3:12: error: R.b is new" in capsys.readouterr().out
    assert run(["check", "--level", "forward"]) == 0
    assert run(["check", "--level", "sideways"]) == 2
    assert run(["check", "nowhere.avsc"]) == 2
    repository.write({"fivebyte.toml": "\nlevl = 1\n"})
    assert run(["check"]) == 2
    assert "fivebyte.toml:2: levl: there is no such key; did you mean level?" in capsys.readouterr().err
    repository.write({"fivebyte.toml": None, "r.avsc": GOOD.replace('"int"', '"integer"')})
    assert run(["check"]) == 3
    assert 'r.avsc:2:25: error: unknown type "integer"' in capsys.readouterr().out
    assert run(["check", "--against", "git:nowhere"]) == 4
    assert "there is no commit nowhere" in capsys.readouterr().err
    assert run(["check", "--against", "http://127.0.0.1:9"]) == 3  # the fault is found before one is asked
    repository.write({"r.avsc": GOOD})
    assert run(["check", "--against", "http://127.0.0.1:9"]) == 4
    assert "the registry cannot be compared with" in capsys.readouterr().err


def test_help_names_what_there_is() -> None:
    assert set(FORMATS) == set(MADE)
    assert set(LEVELS) == set(CompatibilityLevel)


def test_paths_and_files_that_no_glob_names(
    repository: GitRepository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.write(
        {"r.avsc": BREAKS, "s/t.json": GOOD.replace('"R"', '"T"'), "s/u.avsc": GOOD.replace('"R"', '"U"')}
    )
    assert run(["check", "s"]) == 0
    assert "in 1 schema (1 new)" in capsys.readouterr().out
    assert run(["check", "s/t.json"]) == 0
    assert "in 1 schema (1 new)" in capsys.readouterr().out
    assert run(["check", "r.avsc", "s"]) == 1
    # Held against what was there before, too; also from a folder beside it.
    repository.commit({"r.avsc": GOOD, "p/fivebyte.toml": '[[schemas]]\nfiles = "x/*.avsc"\n'})
    assert run(["check", "s/t.json"]) == 0
    assert "in 1 schema (1 unchanged)" in capsys.readouterr().out
    repository.write({"s/t.json": BREAKS.replace('"R"', '"T"'), "s/u.avsc": BREAKS.replace('"R"', '"U"')})
    assert run(["check", "s/t.json"]) == 1
    os.chdir("p")
    try:
        for level in ("BACKWARD", "BACKWARD_TRANSITIVE"):
            capsys.readouterr()
            assert run(["check", "../s/t.json", "../s/u.avsc", "--level", level]) == 1
            assert "../s/u.avsc:3:12: error: U.b is new" in capsys.readouterr().out
    finally:
        os.chdir("..")


def test_several_reports_at_once(repository: GitRepository, capsys: pytest.CaptureFixture[str]) -> None:
    repository.write({"r.avsc": BREAKS})
    assert run(["check", "--format", "json", "--output", "junit=a.xml", "--output", "markdown=b.md"]) == 1
    assert json.loads(capsys.readouterr().out)["errors"] == 1
    assert Path("a.xml").read_text().startswith("<?xml")
    assert Path("b.md").read_text().startswith("<!-- fivebyte check -->")
    assert run(["check", "--output", "pdf=x"]) == 2


def test_the_baseline_file(repository: GitRepository, capsys: pytest.CaptureFixture[str]) -> None:
    repository.write({"r.avsc": BREAKS})
    write = ["check", "--baseline", "accepted.json", "--write-baseline"]
    assert run(write) == 2  # no reason
    assert run([*write, "--reason", "nobody reads it", "--expires", "soon"]) == 2
    tomorrow, yesterday = (str(date.today() + timedelta(days=days)) for days in (1, -1))
    assert run([*write, "--reason", "nobody reads it", "--expires", tomorrow]) == 0
    assert "1 finding accepted in accepted.json" in capsys.readouterr().out
    assert run(["check", "--baseline", "accepted.json"]) == 0
    assert "1 finding accepted by the baseline file" in capsys.readouterr().out
    repository.write({"fivebyte.toml": 'baseline = "accepted.json"\n'})
    assert run(["check"]) == 0
    more = BREAKS.replace('"b", "type": "int"}', '"b", "type": "int"},\n  {"name": "c", "type": "int"}')
    repository.write({"r.avsc": more})
    assert run(["check"]) == 1
    assert "R.c is new" in capsys.readouterr().out
    repository.write({"r.avsc": GOOD})
    assert run(["check"]) == 0
    out = capsys.readouterr().out
    assert "accepted.json:11:1: warning: an accepted finding" in out
    assert "does not occur any more" in out
    assert run([*write, "--reason", "x"]) == 0
    assert json.loads(Path("accepted.json").read_text())["accepted"] == []
    repository.write({"r.avsc": BREAKS})
    assert run([*write, "--reason", "old", "--expires", yesterday]) == 0
    assert run(["check"]) == 1
    assert f"expired on {yesterday}" in capsys.readouterr().out
    repository.write({"r.avsc": GOOD[:-1]})
    assert run([*write, "--reason", "x"]) == 3
    assert run(["check"]) == 3  # what does not parse cannot be accepted


def test_what_does_not_parse_is_not_accepted(
    repository: GitRepository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.write({"r.avsc": BREAKS, "s.avsc": "{"})
    accept = ["check", "--baseline", "b.json", "--write-baseline", "--reason", "known"]
    assert run(accept) == 3
    said = capsys.readouterr().out
    assert said.startswith("1 finding accepted in b.json\ns.avsc:1:2: error: not valid JSON")
    repository.write({"s.avsc": None})
    assert run(accept) == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "accepted.json:1:2: not valid JSON"),
        ("[]", "accepted.json:1: not a baseline file of fivebyte"),
        ('{"version": 1, "accepted": [{}]}', "accepted.json: an entry has no fingerprint"),
        (
            '{"version": 1, "accepted": [\n{"fingerprint": "f", "reason": " "}]}',
            "accepted.json:2: an accepted finding needs a reason",
        ),
        (
            '{"version": 1, "accepted": [\n{"fingerprint": "f", "reason": "r", "expires": "x"}]}',
            'accepted.json:2: expires = "x": give a day',
        ),
        (
            '{"version": 1, "accepted": [\n{"fingerprint": "f", "why": "r"}]}',
            "accepted.json:2: why: an entry has no such member",
        ),
    ],
)
def test_a_baseline_file_that_is_wrong(
    repository: GitRepository, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    repository.write({"accepted.json": text})
    assert run(["check", "--baseline", "accepted.json"]) == 2
    assert said in capsys.readouterr().err


def test_nothing_to_look_at_is_told(repository: GitRepository, capsys: pytest.CaptureFixture[str]) -> None:
    repository.write({"fivebyte.toml": '[[schemas]]\nfiles = ["*.avsc",\n  "schema/*.avsc"]\n'})
    assert run(["check"]) == 0
    said = capsys.readouterr().out
    assert 'fivebyte.toml:2:1: warning: "schema/*.avsc" matches no file [GLOB_WITHOUT_FILES]' in said
    assert '"*.avsc" matches no file' not in said
    (repository.folder / "docs").mkdir()
    for command in ("check", "lint"):
        assert run([command, "docs"]) == 0
        said = capsys.readouterr().out
        assert said.startswith("warning: there is no schema here: nothing was looked at [NO_SCHEMAS]")
        assert "GLOB_WITHOUT_FILES" not in said
    assert run(["check", "docs", "--format", "markdown"]) == 0
    assert "### ⚠️ No schema was looked at" in capsys.readouterr().out
    assert run(["format", "docs"]) == 0
    assert "there is no schema here" in capsys.readouterr().err
    assert run(["plan", "docs", "--registry", "http://127.0.0.1:9"]) == 0
    assert "there is no schema here" in capsys.readouterr().err
    repository.write({"r.avsc": None})
    assert run(["check"]) == 1  # it was there: that is a finding
    assert "NO_SCHEMAS" not in capsys.readouterr().out


def test_the_verdict_is_told_whatever_becomes_of_the_report(
    repository: GitRepository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.write({"r.avsc": BREAKS})
    assert run(["check", "--output", "json=reports/ci/check.json"]) == 1
    assert json.loads((repository.folder / "reports/ci/check.json").read_text())["exit_code"] == 1
    capsys.readouterr()
    assert run(["check", "--output", "json=r.avsc/check.json"]) == 2
    told = capsys.readouterr()
    assert "R.b is new" in told.out
    assert "check.json cannot be written: " in told.err
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "fivebyte", "check"]
    with os.fdopen(writer, "wb") as closed:
        assert subprocess.run(command, stdout=closed, check=False).returncode == 1


@pytest.mark.parametrize(
    ("variables", "is_coloured"),
    [
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "0"}, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": ""}, True),
        ({}, False),
    ],
)
def test_colours_by_the_environment(
    repository: GitRepository,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    variables: dict[str, str],
    *,
    is_coloured: bool,
) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    repository.write({"r.avsc": BREAKS})
    assert run(["check"]) == 1
    assert ("\x1b[31m" in capsys.readouterr().out) is is_coloured


def test_a_fault_of_ours_has_a_code_of_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fault(*_: object, **__: object) -> None:
        raise RuntimeError("oops")

    monkeypatch.setattr(cli, "main", fault)
    with pytest.raises(SystemExit) as ended:
        main(["check"])
    assert ended.value.code == 70
    assert "RuntimeError: oops" in capsys.readouterr().err


def test_github_and_gitlab_are_recognised(
    repository: GitRepository,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    before = repository.git("rev-parse", "HEAD")
    repository.commit({"r.avsc": BREAKS})
    assert run(["check"]) == 0  # main itself: nothing is uncommitted
    event, summary = tmp_path / "event.json", tmp_path / "summary.md"
    event.write_text(json.dumps({"before": before}))
    with monkeypatch.context() as github:
        github.setenv("GITHUB_ACTIONS", "true")
        github.setenv("GITHUB_EVENT_PATH", str(event))
        github.setenv("GITHUB_STEP_SUMMARY", str(summary))
        github.setenv("GITHUB_WORKSPACE", str(tmp_path))
        capsys.readouterr()
        assert run(["check"]) == 1
        assert capsys.readouterr().out.startswith("::error file=r.avsc,line=3,col=12,title=")
        (repository.folder / "sub").mkdir()
        repository.write({"sub/fivebyte.toml": ""})
        github.chdir(repository.folder / "sub")
        assert run(["check", "../r.avsc"]) == 1  # the path as the repository has it
        assert capsys.readouterr().out.startswith("::error file=r.avsc,line=3,col=12,title=")
        repository.write({"sub/s.avsc": "{"})
        assert run(["check"]) == 3
        assert capsys.readouterr().out.startswith("::error file=sub/s.avsc,line=1,col=2,title=")
        repository.write({"sub/s.avsc": None, "sub/fivebyte.toml": None})
        github.chdir(repository.folder)
        assert "### ❌ Schemas are incompatible" in summary.read_text()
        github.setenv("GITHUB_BASE_REF", "main")
        assert run(["check"]) == 4  # a pull request whose base was not fetched
        assert "git fetch origin main:refs/remotes/origin/main" in capsys.readouterr().err
        github.delenv("GITHUB_BASE_REF")
        gone = "1" * 40  # what a forced push left is nowhere any more
        repository.git("update-ref", "refs/remotes/origin/trunk", before)
        forced = {"before": gone, "forced": True, "repository": {"default_branch": "trunk"}}
        event.write_text(json.dumps({**forced, "ref": "refs/heads/topic"}))
        assert run(["check"]) == 1
        assert "compared with origin/trunk at " in capsys.readouterr().out
        event.write_text(json.dumps({**forced, "ref": "refs/heads/trunk"}))
        assert run(["check"]) == 4  # compared with itself, it would always pass
        assert f"git fetch origin {gone}" in capsys.readouterr().err
        event.write_text(json.dumps({**forced, "before": "0" * 40, "ref": "refs/heads/topic"}))
        assert run(["check"]) == 1
    monkeypatch.setenv("GITLAB_CI", "true")
    with monkeypatch.context() as merged:  # a pipeline for merged results
        merged.setenv("CI_MERGE_REQUEST_DIFF_BASE_SHA", before)
        merged.setenv("CI_MERGE_REQUEST_TARGET_BRANCH_SHA", repository.git("rev-parse", "HEAD"))
        assert run(["check"]) == 0
        merged.setenv("CI_MERGE_REQUEST_TARGET_BRANCH_SHA", "")
        assert run(["check"]) == 1
    monkeypatch.setenv("CI_COMMIT_BEFORE_SHA", before)
    assert run(["check"]) == 1
    assert "r.avsc:3:12: error" in capsys.readouterr().out


@pytest.mark.parametrize("rule", list(catalogue()))
def test_every_rule_is_explained(rule: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", rule]) == 0
    told = capsys.readouterr().out
    assert told.startswith(f"{rule} (")
    assert "Example:" in told
    assert "What to do:" in told


def test_the_rules_are_listed_and_a_wrong_name_has_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(catalogue())
    assert run(["explain", "type-mismatch"]) == 0
    assert run(["explain", "TYPE_MISSMATCH"]) == 2
    assert "did you mean TYPE_MISMATCH?" in capsys.readouterr().err
