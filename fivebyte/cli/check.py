"""``fivebyte check``: the schemas in files held against what was there before. And ``fivebyte explain``."""

import os
import sys
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fivebyte.cli.options import say

if TYPE_CHECKING:
    from registry.check.checking import Report
    from registry.check.ci import Host
    from registry.check.project import Project
    from registry.check.trees import FolderTree

FORMATS = ("text", "json", "junit", "sarif", "github", "gitlab", "markdown")
"""As `registry.check.reports` has them; named here so that help needs no import of it."""
LEVELS = (
    "BACKWARD",
    "BACKWARD_TRANSITIVE",
    "FORWARD",
    "FORWARD_TRANSITIVE",
    "FULL",
    "FULL_TRANSITIVE",
    "NONE",
)

config_option = click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The project file: a fivebyte.toml, or a pyproject.toml with [tool.fivebyte]; default: the nearest "
    "one, in this folder or above.",
)
format_option = click.option(
    "--format",
    "format_",
    type=click.Choice(FORMATS),
    help="What to print; default: text, and github in GitHub Actions.",
)
output_option = click.option(
    "--output",
    "outputs",
    multiple=True,
    metavar="FORMAT=FILE",
    help="Also write a report to a file, such as junit=report.xml; may be given several times.",
)
colour_option = click.option(
    "--color/--no-color", "colour", default=None, help="Default: on a terminal that knows them."
)


@click.command(epilog="Example: fivebyte check --against git:main")
@click.argument("paths", nargs=-1)
@click.option(
    "--against",
    metavar="BASELINE",
    help="git:REF, git:REF... (what HEAD and REF have in common), .git#branch=main,subdir=schemas, a folder, "
    "an exported log, a registry's URL or its name in the project file; default: what HEAD and the default "
    "branch have in common.",
)
@click.option(
    "--level",
    type=click.Choice(LEVELS, case_sensitive=False),
    help="For all subjects; default: the project file's, or the registry's, or BACKWARD.",
)
@format_option
@output_option
@config_option
@click.option(
    "--baseline",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A file of findings that are accepted, with reasons.",
)
@click.option(
    "--write-baseline", is_flag=True, help="Accept what is found now: write it to the baseline file."
)
@click.option("--reason", default="", help="Why, with --write-baseline.")
@click.option("--expires", metavar="DAY", help="Until when, with --write-baseline: 2026-05-31.")
@colour_option
def check(
    paths: tuple[str, ...],
    against: str | None,
    level: str | None,
    format_: str | None,
    outputs: tuple[str, ...],
    config: Path | None,
    baseline: Path | None,
    *,
    write_baseline: bool,
    reason: str,
    expires: str | None,
    colour: bool | None,
) -> None:
    """Compare the schemas in files with those that were there before, and say what would break.

    PATHS are files and folders; default: all schemas of the project. Without a project file these are all
    .avsc and .avdl files from here on, each under its full name.

    Exits with 0 if they are compatible, 1 if not, 2 for a wrong option or project file, 3 if a schema does
    not parse, 4 if there is nothing to compare with.
    """
    from registry.check import accepted
    from registry.check.against import open_baseline
    from registry.check.checking import INVALID, selection
    from registry.check.checking import check as run
    from registry.check.ci import host
    from registry.check.sources import Skimmed, Sources
    from registry.model import CompatibilityLevel

    written = parse_outputs(outputs)
    if write_baseline and not reason.strip():
        raise click.UsageError("--write-baseline needs --reason: why are these findings accepted?")
    ends = _day(expires)
    at = host(os.environ)
    tree, project, chosen = open_project(paths, config)
    skimmed: Skimmed = {}
    sources = Sources.read(tree, project, extra=chosen, skimmed=skimmed)
    held = open_baseline(
        against,
        project,
        skimmed,
        default=None if at is None else at.against,
        merge=None if at is None else at.merge,
        working=Path.cwd(),
        extra=chosen,
    )
    try:
        report = run(
            sources,
            held,
            level=None if level is None else CompatibilityLevel.parse(level),
            selected=selection(chosen),
        )
    finally:
        held.close()
    report.prefix = repository_prefix(tree.root)
    file = baseline or (None if project.baseline is None else tree.root / project.baseline)
    if write_baseline and file is None:
        raise click.UsageError("--write-baseline: to which file? Give --baseline FILE")
    if file is not None and (file.exists() or not write_baseline):
        entries = accepted.read(file)
        report = accepted.apply(report, entries, tree.path_of(file), date.today())
    else:
        entries = []
    if write_baseline:
        assert file is not None
        _write(file, accepted.written(report, entries, reason=reason, expires=ends))
        say(f"{counted_findings(accepted.acceptable(report))} accepted in {file}\n")
        report.findings = [one for one in report.findings if one.rule in INVALID]
        if not report.findings:
            return
    show(report, format_, written, at, colour=colour)
    if report.exit_code:
        raise click.exceptions.Exit(report.exit_code)


@click.command(epilog="Example: fivebyte explain READER_FIELD_MISSING_DEFAULT_VALUE")
@click.argument("rule", required=False)
def explain(rule: str | None) -> None:
    """Tell the whole story of a RULE, with an example; without one, list the rules."""
    from registry.check.rules import catalogue
    from registry.check.rules import rule as find

    if rule is None:
        for one in catalogue().values():
            click.echo(f"{one.id:36} {one.group:14} {one.title}")
        return
    one = find(rule)
    click.echo(f"{one.id} ({one.group}, {one.severity})\n\n{one.title}.\n\n{_wrapped(one.about)}\n")
    click.echo("Example:\n\n" + _indented(one.example))
    click.echo("\nWhat to do:\n\n" + _indented(_wrapped(one.fix)))
    if one.fixed:
        click.echo("\n" + _indented(one.fixed))


def open_project(paths: Sequence[str], config: Path | None) -> "tuple[FolderTree, Project, list[str]]":
    """The project around the working directory, its files, and those `paths` as the tree names them.

    Raises click.BadParameter for a path where nothing is.
    """
    from registry.check.project import FILE, find, load
    from registry.check.trees import FolderTree

    file = config or find(Path.cwd())
    root = Path.cwd() if file is None else file.resolve().parent
    given = [Path(path).absolute() for path in paths]
    for path, absolute in zip(paths, given, strict=True):
        if not absolute.exists():
            raise click.BadParameter(f"{path}: there is no such file or folder", param_hint="PATHS")
    tree = FolderTree(root, also=[path for path in given if path.is_file()])
    nested = [
        root / path for path in tree.paths() if path.endswith(f"/{FILE}") and not path.startswith("../")
    ]
    project = load(file, root, nested)
    return tree, project, [tree.path_of(path) for path in given]


def show(
    report: "Report",
    format_: str | None,
    outputs: "Sequence[tuple[str, Path]]",
    at: "Host | None",
    *,
    colour: bool | None,
) -> None:
    """Print the report, write it to files, and add it to the job's summary where there is one."""
    from registry.check.reports import FORMATS as MAKE
    from registry.check.reports.text import text

    chosen = format_ or ("text" if at is None else at.format)
    if chosen == "text":
        with_colour = colour if colour is not None else _takes_colour(os.environ)
        say(text(report, colour=with_colour))
    else:
        say(MAKE[chosen](report))
    # What cannot be written comes after what was found: that must not be lost with it.
    for name, file in outputs:
        _write(file, MAKE[name](report))
    if at is not None and at.summary is not None:
        _write(at.summary, MAKE["markdown"](report), mode="a")


def _takes_colour(environment: Mapping[str, str]) -> bool:
    """By no-color.org and force-color.org, else whether it is a terminal that knows colours."""
    if environment.get("NO_COLOR"):
        return False
    if environment.get("FORCE_COLOR"):
        return environment["FORCE_COLOR"] != "0"
    return sys.stdout.isatty() and environment.get("TERM") != "dumb"


def repository_prefix(root: Path) -> str:
    """What a CI host puts before paths from `root`: the way to it from the checkout's top; "" elsewhere."""
    workspace = os.environ.get("GITHUB_WORKSPACE") or os.environ.get("CI_PROJECT_DIR")
    if not workspace:
        return ""
    here, top = root.resolve(), Path(workspace).resolve()
    inside = [folder for folder in (here, *here.parents) if folder.is_relative_to(top)]
    # A workspace may hold several checkouts; a submodule's .git is a file, and it is no checkout of its own.
    top = next((folder for folder in inside if (folder / ".git").is_dir()), top)
    relative = os.path.relpath(here, top)
    return "" if relative == "." or relative.startswith("..") else f"{Path(relative).as_posix()}/"


def parse_outputs(outputs: Sequence[str]) -> list[tuple[str, Path]]:
    """The formats and files of ``--output``."""
    found = []
    for output in outputs:
        name, _, file = output.partition("=")
        if name not in FORMATS or not file:
            raise click.BadParameter(
                f"{output!r} is not FORMAT=FILE; the formats are {', '.join(FORMATS)}", param_hint="--output"
            )
        found.append((name, Path(file)))
    return found


def counted_findings(number: int) -> str:
    """``1 finding``, ``2 findings``."""
    return "1 finding" if number == 1 else f"{number} findings"


def _write(file: Path, text: str, mode: str = "w") -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open(mode, encoding="utf-8", errors="replace") as opened:
            opened.write(text)
    except OSError as error:
        raise click.UsageError(f"{file} cannot be written: {error.strerror}") from None


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise click.BadParameter(f"{text!r} is no day: give 2026-05-31", param_hint="--expires") from None


def _wrapped(text: str) -> str:
    import textwrap

    return textwrap.fill(text, 96)


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
