"""What teams put into CI, run as the hosts run it: GitHub's action, GitLab's job, pre-commit's hooks."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.commands import commands
from tests.support.needs import ROOT
from tests.support.report_schemas import check_junit, check_sarif
from tests.support.repository import GitRepository

GOOD = '{"type": "record", "name": "R", "fields": [\n  {"name": "a", "type": "int"}\n]}'
BREAKS = GOOD.replace('"int"}', '"int"},\n  {"name": "b", "type": "int"}')
PATH = f"{Path(sys.executable).parent}:{os.environ['PATH']}"


@dataclass
class GitHub:
    """A stand-in for GitHub's API: the comments of one pull request, and what was asked."""

    url: str = ""
    comments: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def github() -> Iterator[GitHub]:
    state = GitHub(comments=[{"id": 1, "body": "looks good"}])

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            pass

        def do_GET(self) -> None:
            self.answer(state.comments if self.path.endswith("page=1") else [])

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            state.comments.append({"id": len(state.comments) + 1, **body})
            self.answer({})

        def do_PATCH(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            state.comments[int(self.path.rpartition("/")[2]) - 1].update(body)
            self.answer({})

        def answer(self, value: object) -> None:
            state.asked.append(f"{self.command} {self.path.partition('?')[0]}")
            assert self.headers["Authorization"] == "Bearer secret"
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(value).encode())

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield state
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def clone(tmp_path: Path) -> GitRepository:
    """A clone whose branch breaks what is on the remote's main."""
    GitRepository(tmp_path / "remote").commit({"r.avsc": GOOD})
    clone = GitRepository(tmp_path / "remote").clone(tmp_path / "clone")
    clone.git("checkout", "-q", "-b", "topic")
    clone.commit({"r.avsc": BREAKS})
    return clone


def run(command: list[str], folder: Path, environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("GITHUB_", "CI_", "FIVEBYTE_"))
    }
    return subprocess.run(
        command,
        cwd=folder,
        env={**kept, "PATH": PATH, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def action() -> dict[str, Any]:
    value: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
    return value


def test_the_action_annotates_sums_up_and_keeps_one_comment(
    clone: GitRepository, github: GitHub, tmp_path: Path
) -> None:
    (step,) = [step for step in action()["runs"]["steps"] if step.get("id") == "check"]
    script = step["run"].replace("$GITHUB_ACTION_PATH", str(ROOT))
    event, summary, output = tmp_path / "event.json", tmp_path / "summary.md", tmp_path / "output"
    event.write_text(json.dumps({"pull_request": {"number": 7}}))
    environment = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_API_URL": github.url,
        "GITHUB_BASE_REF": "main",
        "GITHUB_EVENT_PATH": str(event),
        "GITHUB_OUTPUT": str(output),
        "GITHUB_REPOSITORY": "acme/shop",
        "GITHUB_STEP_SUMMARY": str(summary),
        "GITHUB_TOKEN": "secret",
        "GITHUB_WORKSPACE": str(clone.folder),
        "INPUT_COMMENT": "true",
        "RUNNER_TEMP": str(tmp_path),
    }
    clone.git("stash", "-q", "--all")
    done = run(["bash", "-c", script], clone.folder, {**environment, "INPUT_LEVEL": "NONE"})
    assert done.returncode == 0, done.stderr
    assert "POST /repos/acme/shop/issues/7/comments" not in github.asked  # nothing to say
    github.asked.clear()
    summary.unlink()
    output.unlink()
    done = run(["bash", "-c", script], clone.folder, {**environment, "INPUT_PATHS": "r.avsc\n.\n"})
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith(
        "::error file=r.avsc,line=3,col=12,title=READER_FIELD_MISSING_DEFAULT_VALUE::R.b"
    )
    assert "### ❌ Schemas are incompatible" in summary.read_text()
    assert output.read_text() == f"exit-code=1\nsarif={tmp_path}/fivebyte.sarif\n"
    check_sarif((tmp_path / "fivebyte.sarif").read_text())
    assert github.asked == ["GET /repos/acme/shop/issues/7/comments"] * 2 + [
        "POST /repos/acme/shop/issues/7/comments"
    ]
    assert "R.b is new" in github.comments[1]["body"]

    clone.commit({"r.avsc": GOOD})
    github.asked.clear()
    done = run(["bash", "-c", script], clone.folder, environment)
    assert done.returncode == 0, done.stderr
    assert github.asked[-1] == "PATCH /repos/acme/shop/issues/comments/2"
    assert len(github.comments) == 2
    assert "✅ Schemas are compatible" in github.comments[1]["body"]

    github.asked.clear()
    event.write_text(json.dumps({"before": clone.git("rev-parse", "HEAD~1")}))
    push = {**environment, "GITHUB_BASE_REF": "", "INPUT_LEVEL": "NONE", "INPUT_PATHS": "r.avsc ."}
    assert run(["bash", "-c", script], clone.folder, push).returncode == 0
    assert github.asked == []

    event.write_text(json.dumps({"pull_request": {"number": 7}}))
    done = run(["bash", "-c", script], clone.folder, {**environment, "GITHUB_API_URL": "http://127.0.0.1:9"})
    assert done.returncode == 0  # the verdict is the check's, not the comment's
    assert "Connection refused> (the job needs the permission pull-requests: write" in done.stdout
    assert "::warning::the comment on the pull request could not be written" in done.stdout


def test_the_action_says_why_nothing_was_compared(clone: GitRepository, tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    environment = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_BASE_REF": "100%",
        "GITHUB_STEP_SUMMARY": str(summary),
        "INPUT_PATHS": "nowhere.avsc",
        "RUNNER_TEMP": str(tmp_path),
    }
    script = ["bash", str(ROOT / "scripts" / "github-check")]
    done = run(script, clone.folder, environment)
    assert done.returncode == 2
    said = "Error: Invalid value for PATHS: nowhere.avsc: there is no such file or folder"
    assert done.stdout.startswith("::error title=fivebyte check::Usage: fivebyte check ")
    assert done.stdout.endswith(f"%0A%0A{said}\n")
    environment["INPUT_PATHS"] = "."
    done = run(script, clone.folder, environment)
    assert done.returncode == 4
    assert "::error title=fivebyte check::fivebyte: there is no commit origin/100%25 in " in done.stdout
    assert "```\nfivebyte: there is no commit origin/100% in " in summary.read_text()


def test_the_action_hands_all_its_inputs_on() -> None:
    used = json.dumps(action()["runs"])
    assert [name for name in action()["inputs"] if f"inputs.{name} " not in used] == []
    script = (ROOT / "scripts" / "github-check").read_text()
    (step,) = [step for step in action()["runs"]["steps"] if step.get("id") == "check"]
    assert [name for name in step["env"] if name.startswith("INPUT_") and name not in script] == []


def test_the_gitlab_job_under_its_runners_shell(clone: GitRepository) -> None:
    job = yaml.safe_load((ROOT / "examples" / "ci" / "fivebyte.gitlab-ci.yml").read_text())["fivebyte-check"]
    script = "\n".join(job["script"])
    base = clone.git("rev-parse", "origin/main")
    environment = {
        "GITLAB_CI": "true",
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": base,
        "CI_PROJECT_DIR": str(clone.folder),
    }
    done = run(["bash", "-eo", "pipefail", "-c", script], clone.folder, environment)
    assert done.returncode == 1
    assert "r.avsc:3:12: error: R.b is new" in done.stdout
    reports = job["artifacts"]["reports"]
    (issue,) = json.loads((clone.folder / reports["codequality"]).read_text())
    assert issue["location"] == {"path": "r.avsc", "lines": {"begin": 3}}
    check_junit((clone.folder / reports["junit"]).read_text())
    clone.commit({"r.avsc": GOOD})
    assert run(["bash", "-eo", "pipefail", "-c", script], clone.folder, environment).returncode == 0


def test_pre_commits_hooks_are_commands() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert [hook["id"] for hook in hooks] == ["fivebyte-check", "fivebyte-lint", "fivebyte-format"]
    for hook in hooks:
        program, command, *options = hook["entry"].split()
        assert program == "fivebyte"
        known = {name for option in commands()[(command,)].params for name in option.opts}
        assert set(options) <= known
