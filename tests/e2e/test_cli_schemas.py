"""``fivebyte lint``, ``format``, ``diff``, ``plan``, ``apply``, ``pull`` and ``init`` as a user runs them."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE

import pytest

from fivebyte.cli import run as run_here
from registry.check.lint.catalogue import LINT
from registry.check.reports import FORMATS
from tests.support.needs import ROOT, need_corpus
from tests.support.repository import GitRepository
from tests.support.server import RunningRegistry

MONEY = """{"type": "record", "name": "Money", "namespace": "shop",
  "fields": [{"name": "cents", "type": "long"}]}
"""
ORDER = """{"type": "record", "name": "Order", "namespace": "shop", "fields": [
  {"name": "total", "type": "Money"},
  {"name": "note", "type": ["null", "string"]}
]}
"""
PROJECT = '[[schemas]]\nfiles = "schemas/*.avsc"\nsubject = "{stem}-value"\n'


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: a project of two schemas."""
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "money.avsc").write_text(MONEY)
    (tmp_path / "schemas" / "order.avsc").write_text(ORDER)
    (tmp_path / "fivebyte.toml").write_text(PROJECT)
    monkeypatch.chdir(tmp_path)
    for name in ("GITHUB_ACTIONS", "GITLAB_CI", "FIVEBYTE_REGISTRY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRegistry]:
    folder = tmp_path_factory.mktemp("registry")
    server = RunningRegistry(f"sqlite:///{folder}/schemas.db", folder, {})
    server.start()
    yield server
    server.kill()


@dataclass
class Printed:
    """What a command printed. code: its exit code."""

    code: int
    out: str
    err: str


Run = Callable[..., Printed]


@pytest.fixture
def fivebyte(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command in this process, as `main` does but for the exit."""

    def call(*arguments: str) -> Printed:
        capsys.readouterr()
        code = run_here(list(arguments))
        captured = capsys.readouterr()
        return Printed(code, captured.out, captured.err)

    return call


def test_lint_finds_reports_and_fixes(project: Path, fivebyte: Run) -> None:
    done = fivebyte("lint")
    assert done.code == 1
    assert done.out == (
        "schemas/order.avsc:3:3: error: the optional field note has no default [OPTIONAL_WITHOUT_DEFAULT]\n"
        ' 3 |   {"name": "note", "type": ["null", "string"]}\n'
        "   |   ^\n"
        '    fix      add "default": null\n'
        "1 error in 2 schemas\n"
    )
    strict = fivebyte(
        "lint", "--rules", "strict", "--format", "json", "--output", "sarif=lint.sarif", "schemas"
    )
    report = json.loads(strict.out)
    assert report["against"] is None
    assert {one["rule"] for one in report["findings"]} == {
        *("OPTIONAL_WITHOUT_DEFAULT", "TYPE_WITHOUT_DOC", "FIELD_WITHOUT_DOC", "FIELD_WITHOUT_DEFAULT")
    }
    rules = json.loads((project / "lint.sarif").read_text())["runs"][0]["results"]
    assert len(rules) == len(report["findings"])

    fixed = fivebyte("lint", "--fix")
    assert (fixed.code, fixed.err) == (0, "fixed schemas/order.avsc\n")
    text = (project / "schemas" / "order.avsc").read_text()
    assert text == ORDER.replace('"string"]}', '"string"], "default": null}')
    assert fivebyte("lint").code == 0


def test_lint_reports_as_check_does(project: Path, fivebyte: Run) -> None:
    for name in FORMATS:
        done = fivebyte("lint", "--format", name)
        assert done.code == 1
        assert "OPTIONAL_WITHOUT_DEFAULT" in done.out
    heads = {
        name: fivebyte("lint", *name, "--format", "markdown").out.splitlines()[:2]
        for name in ((), ("schemas/money.avsc",))
    }
    assert heads == {
        (): ["<!-- fivebyte lint -->", "### ❌ Findings in the schemas"],
        ("schemas/money.avsc",): ["<!-- fivebyte lint -->", "### ✅ Nothing found in the schemas"],
    }


def test_explain_tells_of_every_rule(fivebyte: Run) -> None:
    listed = fivebyte("explain").out
    for rule in LINT:
        assert f"{rule.id} " in listed
        assert rule.example.splitlines()[0] in fivebyte("explain", rule.id.lower()).out
    done = fivebyte("explain", "FIELD_CASE")
    assert (done.code, done.err) == (
        2,
        "fivebyte: there is no rule FIELD_CASE: did you mean FIELD_NAME_CASE?\n",
    )


def test_lint_goes_by_the_project_file(project: Path, fivebyte: Run) -> None:
    (project / "fivebyte.toml").write_text(PROJECT + '[lint]\ndisable = ["OPTIONAL_WITHOUT_DEFAULT"]\n')
    assert fivebyte("lint").code == 0
    (project / "fivebyte.toml").write_text(PROJECT + '[lint]\ndisable = ["OPTIONAL_WITHOUT"]\n')
    done = fivebyte("lint")
    assert done.code == 2
    assert "OPTIONAL_WITHOUT is no rule of the linter: did you mean OPTIONAL_WITHOUT_DEFAULT?" in done.err


def test_a_schema_that_does_not_parse_is_3(project: Path, fivebyte: Run) -> None:
    (project / "schemas" / "order.avsc").write_text(ORDER.replace('"Money"', '"Mony"'))
    for command in (["lint"], ["plan", "--registry", "http://127.0.0.1:9"]):
        done = fivebyte(*command)
        assert done.code == 3, done
        assert 'schemas/order.avsc:2:29: error: unknown type "shop.Mony"' in done.out + done.err
    (project / "schemas" / "order.avsc").write_text("{")
    for command in (["format"], ["lint"], ["diff", "schemas/money.avsc", "schemas/order.avsc"]):
        done = fivebyte(*command)
        assert done.code == 3, done
        assert "schemas/order.avsc:1:2" in done.out + done.err


def test_avro_idl_is_linted_and_compared(project: Path, fivebyte: Run) -> None:
    (project / "a.avdl").write_text("namespace shop;\nschema Order;\nrecord Order {\n  string? note;\n}\n")
    (project / "b.avdl").write_text("namespace shop;\nschema Order;\nrecord Order {\n  string note;\n}\n")
    done = fivebyte("lint", "a.avdl")
    assert (done.code, done.out.splitlines()[0]) == (
        1,
        "a.avdl:4:11: error: the optional field note has no default [OPTIONAL_WITHOUT_DEFAULT]",
    )
    assert fivebyte("diff", "a.avdl", "b.avdl").out.splitlines()[0] == (
        "b.avdl:4:3: note: the type changed: [null, string] -> string"
    )


def test_format_prints_in_one_form(project: Path, fivebyte: Run) -> None:
    checked = fivebyte("format", "--check")
    assert checked.code == 1
    assert checked.out == (
        "would format schemas/money.avsc\nwould format schemas/order.avsc\n0 files left as they are\n"
    )
    assert (project / "schemas" / "money.avsc").read_text() == MONEY
    assert fivebyte("format").code == 0
    assert fivebyte("format", "--check").out == "2 files left as they are\n"
    assert (project / "schemas" / "money.avsc").read_text() == (
        '{\n  "type": "record",\n  "name": "Money",\n  "namespace": "shop",\n'
        '  "fields": [\n    {"name": "cents", "type": "long"}\n  ]\n}\n'
    )


def test_diff_with_a_commit(project: Path, fivebyte: Run) -> None:
    GitRepository(project).commit(message="first")
    (project / "schemas" / "order.avsc").write_text(ORDER.replace('["null", "string"]', '"string"'))
    done = fivebyte("diff", "git:main", "schemas/order.avsc")
    assert done.code == 0
    assert done.out == (
        "schemas/order.avsc:3:28: note: the type changed: [null, string] -> string\n"
        "    breaks new readers of old data [TYPE_MISMATCH]\n"
        "1 change from main:schemas/order.avsc to schemas/order.avsc\n"
        "BACKWARD breaks, FORWARD safe, FULL breaks\n"
    )
    assert fivebyte("diff", "git:main", "schemas/order.avsc", "--level", "FORWARD").code == 0
    assert fivebyte("diff", "git:main", "schemas/order.avsc", "--level", "full").code == 1
    same = fivebyte("diff", "git:main:schemas/money.avsc", "schemas/money.avsc")
    assert same.out == "no change from main:schemas/money.avsc to schemas/money.avsc\n"
    assert fivebyte("diff", "git:nowhere", "schemas/order.avsc").code == 4
    assert fivebyte("diff", "git:main:none.avsc", "schemas/order.avsc").code == 2
    assert fivebyte("diff", "schemas/none.avsc", "schemas/order.avsc").code == 2


def test_hooks_name_files_that_are_no_schemas(project: Path, fivebyte: Run) -> None:
    (project / "vendor").mkdir()
    (project / "vendor" / "ugly.avsc").write_text('{"type":"record","name":"ugly","fields":[]}')
    assert fivebyte("lint", "vendor/ugly.avsc").code == 1
    for command in (["lint"], ["format", "--check"]):
        assert fivebyte(*command, "--force-exclude", "vendor/ugly.avsc").code == 0
    named = fivebyte("lint", "--force-exclude", "vendor/ugly.avsc", "schemas/order.avsc")
    assert named.code == 1
    assert "ugly" not in named.out
    assert fivebyte("lint", "--force-exclude").out == fivebyte("lint").out


def test_plan_apply_and_back_to_nothing_to_do(project: Path, fivebyte: Run, server: RunningRegistry) -> None:
    url = ["--registry", server.url]
    planned = fivebyte("plan", *url, "--out", "plan.json")
    assert planned.code == 0
    assert planned.out == (
        "register money-value the first version\n"
        "register order-value the first version (uses money-value as registered here)\n"
        f"2 steps for {server.url}\nto do this: fivebyte apply plan.json\n"
    )
    assert json.loads(fivebyte("plan", *url, "--json").out) == json.loads((project / "plan.json").read_text())
    applied = fivebyte("apply", "plan.json")
    assert applied.code == 0
    assert [line.rpartition(": ")[2] for line in applied.out.splitlines()] == [
        *("version 1 with id 1", "version 1 with id 2")
    ]
    assert fivebyte("plan", *url).out == f"nothing to do: {server.url} has it all\n"
    assert fivebyte("apply", "plan.json").out.endswith("nothing to do: it is all there\n")

    diffed = fivebyte("diff", "subject:order-value:1", "schemas/order.avsc", *url)
    assert diffed.out == "no change from order-value version 1 to schemas/order.avsc\n"
    pulled = fivebyte("pull", *url, "--to", "pulled", "order-value")
    assert pulled.out == "wrote pulled/money-value.avsc\nwrote pulled/order-value.avsc\n"
    assert fivebyte("pull", *url, "--to", "pulled").out == "2 files as before\n"
    (project / "pulled" / "money-value.avsc").write_text("{}")
    assert fivebyte("pull", *url, "--to", "pulled").code == 2
    assert fivebyte("pull", *url, "--to", "pulled", "--force").code == 0
    assert fivebyte("pull", *url, "none").code == 4

    grown = ORDER.replace('"string"]}', '"string"]}, {"name": "sku", "type": "string"}')
    (project / "schemas" / "order.avsc").write_text(grown)
    refused = fivebyte("apply", *url, "--yes")
    assert refused.code == 1
    assert "schemas/order.avsc:3:58: error:" in refused.err
    assert "[READER_FIELD_MISSING_DEFAULT_VALUE]" in refused.err
    (project / "schemas" / "order.avsc").write_text(
        grown.replace('"type": "string"}', '"type": "string", "default": ""}')
    )
    secret = server.url.replace("://", "://ada:hunter2@")
    assert fivebyte("plan", "--registry", secret, "--out", "secret.json").code == 0
    assert "hunter2" not in (project / "secret.json").read_text()
    assert fivebyte("apply", *url, "--yes").code == 0
    outdated = fivebyte("apply", "plan.json")
    assert outdated.code == 1
    assert "order-value is not as the plan saw it: its versions are 2 (id 3), and were none" in outdated.err


def test_an_apply_whose_registry_is_killed_goes_on_where_it_stopped(
    project: Path, fivebyte: Run, server: RunningRegistry
) -> None:
    for file in sorted((need_corpus() / "datagen").glob("*.avro")):
        (project / "schemas" / f"{file.stem}.avsc").write_text(file.read_text())
    (project / "fivebyte.toml").write_text(f'level = "FULL"\nregistry = "{server.url}"\n{PROJECT}')
    steps = int(fivebyte("plan", "--out", "plan.json").out.splitlines()[-2].split()[0])
    assert steps > 70  # a level and a schema for each
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "fivebyte", "apply", "plan.json"]
    with subprocess.Popen(command, env=environment, stdout=PIPE, stderr=PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        done = [process.stdout.readline() for _ in range(5)]
        server.kill()
        done += process.stdout.readlines()
        assert process.wait() == 4
        assert "Apply the plan again to go on from there" in process.stderr.read()
    server.start()
    lines = fivebyte("apply", "plan.json").out.splitlines()
    assert len(lines) == steps
    before = sum(line.endswith(": done before") for line in lines)
    assert len(done) <= before <= len(done) + 1 < steps  # the answer to one may have been lost
    assert fivebyte("apply", "plan.json").out.endswith("nothing to do: it is all there\n")
    assert fivebyte("plan").out == f"nothing to do: {server.url} has it all\n"


def test_without_a_plan_apply_asks(
    project: Path, fivebyte: Run, server: RunningRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "fivebyte.toml").write_text(f'registry = "{server.url}"\n{PROJECT}')
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda _: "n")
    assert fivebyte("apply").code == 130

    def nobody(_: str) -> str:
        raise EOFError

    monkeypatch.setattr("click.termui.visible_prompt_func", nobody)
    unanswered = fivebyte("apply")
    assert unanswered.code == 2
    assert "nobody answers, and nothing was done: give --yes, or a PLAN" in unanswered.err
    assert fivebyte("plan").out.endswith(f"2 steps for {server.url}\n")
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda _: "y")
    assert fivebyte("apply").code == 0
    assert fivebyte("plan").out == f"nothing to do: {server.url} has it all\n"


def test_who_reads_goes_away(project: Path, fivebyte: Run, server: RunningRegistry) -> None:
    grown = MONEY.replace('"long"}', '"long"}, {"name": "currency", "type": "string"}')
    (project / "grown.avsc").write_text(grown)
    diff = ["diff", "schemas/money.avsc", "grown.avsc", "--level", "BACKWARD"]
    for command, code in ((["apply", "--yes", "--registry", server.url], 0), (diff, 1)):
        reader, writer = os.pipe()
        os.close(reader)
        with os.fdopen(writer, "wb") as closed:
            program = [sys.executable, "-m", "fivebyte", *command]
            assert subprocess.run(program, stdout=closed, check=False).returncode == code
    assert fivebyte("plan", "--registry", server.url).out.startswith("nothing to do")  # it went on to its end


def test_names_that_are_not_utf_8(project: Path, fivebyte: Run) -> None:
    odd = project / "schemas" / os.fsdecode(b"lat\xe9in.avsc")
    odd.write_text('{"type":"fixed","name":"F","namespace":"shop","size":1}')
    assert fivebyte("lint").code == 1
    assert fivebyte("format").out.startswith("formatted schemas/lat?in.avsc\n")


def test_a_registry_that_is_not_there_is_4(project: Path, fivebyte: Run) -> None:
    for command in (["plan"], ["apply", "--yes"], ["pull"], ["diff", "subject:a", "subject:b"]):
        done = fivebyte(*command, "--registry", "http://127.0.0.1:9")
        assert done.code == 4, command
        assert "no schema registry at http://127.0.0.1:9" in done.err
    (project / "plan.json").write_text("{}")
    done = fivebyte("apply", "plan.json")
    assert (done.code, done.err) == (
        2,
        "fivebyte: plan.json is no plan: `fivebyte plan --out FILE` writes one\n",
    )


def test_init_writes_the_project_file(project: Path, fivebyte: Run) -> None:
    assert fivebyte("init").code == 2
    (project / "fivebyte.toml").unlink()
    assert fivebyte("init", "--level", "FUL").code == 2
    assert fivebyte("init", "--subject", "{topik}").code == 2
    assert not (project / "fivebyte.toml").exists()
    done = fivebyte(
        "init", "--level", "full", "--subject", "{topic}-value", "--registry", "http://127.0.0.1:9"
    )
    assert done.code == 0
    assert done.err == "wrote fivebyte.toml: 2 files with schemas found\n"
    assert (
        (project / "fivebyte.toml").read_text()
        == done.out
        == (
            "# The schemas of this project: what fivebyte check, lint, plan and apply go by.\n"
            'level = "FULL"\nregistry = "http://127.0.0.1:9"\n\n'
            '[[schemas]]\nfiles = "schemas/**/*.avsc"\nsubject = "{topic}-value"\n\n'
            '[lint]\nrules = "standard"\n'
        )
    )
    assert fivebyte("lint").code == 1


def test_a_project_file_within_a_project_names_no_registry(
    project: Path, fivebyte: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project / "schemas")
    refused = fivebyte("init", "--registry", "http://127.0.0.1:9")
    assert refused.code == 2
    assert f"this folder belongs to {project / 'fivebyte.toml'}: a registry is named there" in refused.err
    assert fivebyte("init").code == 0
    monkeypatch.chdir(project)
    assert fivebyte("format", "--check").code == 1  # and the project can be read
