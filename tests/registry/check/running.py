"""A check run in this process, as the command line runs it."""

from collections.abc import Mapping
from pathlib import Path

from registry.check.against import open_baseline
from registry.check.checking import Report, check, selection
from registry.check.project import FILE, find, load
from registry.check.sources import Skimmed, Sources
from registry.check.trees import FolderTree
from registry.model import CompatibilityLevel


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Write files with all the folders around them."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def checked(
    root: Path,
    against: str | None = None,
    level: str | None = None,
    *paths: str,
    default: str | None = None,
    merge: str | None = None,
) -> Report:
    """What a check of the project in `root` finds."""
    tree = FolderTree(root)
    project = load(find(root), root, [root / path for path in tree.paths() if path.endswith(f"/{FILE}")])
    skimmed: Skimmed = {}
    sources = Sources.read(tree, project, skimmed=skimmed)
    baseline = open_baseline(against, project, skimmed, default=default, merge=merge)
    try:
        return check(
            sources,
            baseline,
            level=None if level is None else CompatibilityLevel(level),
            selected=selection(paths),
        )
    finally:
        baseline.close()


def told(report: Report) -> list[tuple[str, str, str]]:
    """Rule, place and message of each finding."""
    return [(finding.rule, str(finding.place), finding.message) for finding in report.findings]


def found(report: Report) -> list[tuple[str, str]]:
    """Rule and place of each finding."""
    return [(finding.rule, str(finding.place)) for finding in report.findings]
