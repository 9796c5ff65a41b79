"""What the environment of a CI host says: which host it is, and what a change is to be compared with."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_NO_COMMIT = "0" * 40


@dataclass(frozen=True, slots=True)
class Host:
    """A CI host. format: its report. against: what it says the change began from; None: it does not say.

    summary: the file to which a job summary is added.
    """

    name: str
    format: str
    against: str | None = None
    summary: Path | None = None


def host(environment: Mapping[str, str]) -> Host | None:
    """The host that `environment` is of; None on another, or none."""
    if environment.get("GITHUB_ACTIONS") == "true":
        summary = environment.get("GITHUB_STEP_SUMMARY")
        return Host("GitHub Actions", "github", _github(environment), Path(summary) if summary else None)
    if environment.get("GITLAB_CI") == "true":
        return Host("GitLab CI", "text", _gitlab(environment))
    return None


def _github(environment: Mapping[str, str]) -> str | None:
    if base := environment.get("GITHUB_BASE_REF"):  # a pull request's
        return f"git:origin/{base}..."
    event = _event(environment.get("GITHUB_EVENT_PATH"))
    before = event.get("before")
    if isinstance(before, str) and before != _NO_COMMIT:  # a push's; a new branch has none
        return f"git:{before}"
    return None


def _event(path: str | None) -> dict[str, Any]:
    """The event; empty where it cannot be read, for it only gives a better default."""
    try:
        value = json.loads(Path(path).read_text()) if path else {}
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _gitlab(environment: Mapping[str, str]) -> str | None:
    if base := environment.get("CI_MERGE_REQUEST_DIFF_BASE_SHA"):
        return f"git:{base}"
    before = environment.get("CI_COMMIT_BEFORE_SHA", _NO_COMMIT)
    if before != _NO_COMMIT:
        return f"git:{before}"
    branch = environment.get("CI_DEFAULT_BRANCH")
    return f"git:origin/{branch}..." if branch else None
