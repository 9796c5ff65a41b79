"""What the environment of a CI host says: which host it is, and what a change is to be compared with."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_NO_COMMIT = "0" * 40
_MERGE = re.compile(r"refs/pull/\d+/merge")


@dataclass(frozen=True, slots=True)
class Host:
    """A CI host. format: its report. against: what it says the change began from; None: it does not say.

    merge: the commit that it has checked out, where that merges the change into `against`.
    summary: the file to which a job summary is added.
    """

    name: str
    format: str
    against: str | None = None
    merge: str | None = None
    summary: Path | None = None


def host(environment: Mapping[str, str]) -> Host | None:
    """The host that `environment` is of; None on another, or none."""
    if environment.get("GITHUB_ACTIONS") == "true":
        summary = environment.get("GITHUB_STEP_SUMMARY")
        is_merge = _MERGE.fullmatch(environment.get("GITHUB_REF", ""))
        return Host(
            "GitHub Actions",
            "github",
            _github(environment),
            environment.get("GITHUB_SHA") if is_merge else None,
            Path(summary) if summary else None,
        )
    if environment.get("GITLAB_CI") == "true":
        return Host("GitLab CI", "text", _gitlab(environment))
    return None


def _github(environment: Mapping[str, str]) -> str | None:
    if base := environment.get("GITHUB_BASE_REF"):  # a pull request's
        return f"git:origin/{base}..."
    event = _event(environment.get("GITHUB_EVENT_PATH"))
    before = event.get("before")
    default = _of(event, "repository").get("default_branch")
    is_default = event.get("ref") == f"refs/heads/{default}"
    # A push's. A new branch has none, and after a forced push nobody may have it any more.
    if isinstance(before, str) and before != _NO_COMMIT and (is_default or event.get("forced") is not True):
        return f"git:{before}"
    return f"git:origin/{default}..." if isinstance(default, str) and default else None


def _of(event: dict[str, Any], name: str) -> dict[str, Any]:
    value = event.get(name)
    return value if isinstance(value, dict) else {}


def _event(path: str | None) -> dict[str, Any]:
    """The event; empty where it cannot be read, for it only gives a better default."""
    try:
        value = json.loads(Path(path).read_text()) if path else {}
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _gitlab(environment: Mapping[str, str]) -> str | None:
    # Where GitLab checks the merged result out, the target branch's own changes are in it.
    if target := environment.get("CI_MERGE_REQUEST_TARGET_BRANCH_SHA"):
        return f"git:{target}"
    if base := environment.get("CI_MERGE_REQUEST_DIFF_BASE_SHA"):
        return f"git:{base}"
    before = environment.get("CI_COMMIT_BEFORE_SHA", _NO_COMMIT)
    if before != _NO_COMMIT:
        return f"git:{before}"
    branch = environment.get("CI_DEFAULT_BRANCH")
    return f"git:origin/{branch}..." if branch else None
