"""``fivebyte lint`` and ``fivebyte format``: schemas in files, each by itself."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fivebyte.cli.check import (
    colour_option,
    config_option,
    format_option,
    open_project,
    output_option,
    parse_outputs,
    repository_prefix,
    show,
)
from fivebyte.cli.options import counted, say

if TYPE_CHECKING:
    from registry.check.project import Project
    from registry.check.trees import FolderTree

force_exclude_option = click.option(
    "--force-exclude",
    is_flag=True,
    help="Leave out files among PATHS that are no schemas of the project; for hooks, which name every file.",
)


@click.command(epilog="Example: fivebyte lint --rules strict schemas/")
@click.argument("paths", nargs=-1)
@click.option(
    "--rules",
    "rule_set",
    type=click.Choice(("minimal", "standard", "strict")),
    help="The rule set, in place of the project file's; default: standard.",
)
@click.option(
    "--fix", is_flag=True, help="Put right what is safe, in the files; the rest of them stays as it is."
)
@force_exclude_option
@format_option
@output_option
@config_option
@colour_option
def lint(
    paths: tuple[str, ...],
    rule_set: str | None,
    format_: str | None,
    outputs: tuple[str, ...],
    config: Path | None,
    *,
    fix: bool,
    force_exclude: bool,
    colour: bool | None,
) -> None:
    """Check each schema by itself: names, docs, defaults, logical types, attributes that mean nothing.

    PATHS are files and folders; default: all schemas of the project. A schema ignores rules by an attribute:
    "fivebyte.ignore": ["RULE"]; the project file by [lint].

    Exits with 0 if nothing is found, 1 if something is, 2 for a wrong option or project file, 3 if a schema
    does not parse.
    """
    from registry.check.checking import Report, selection
    from registry.check.ci import host
    from registry.check.coverage import uncovered
    from registry.check.lint.tree import chosen, invalid, lint_files
    from registry.check.sources import Sources
    from registry.check.trees import FolderTree

    written = parse_outputs(outputs)
    tree, project, given = open_project(paths, config)
    if force_exclude and not (given := _of_project(tree, project, given)):
        return
    files = chosen(tree, project, given)
    outcome = lint_files(tree, project, files, rule_set=rule_set, fix=fix)
    for path in outcome.changed:
        click.echo(f"fixed {path}", err=True)
    after = FolderTree(tree.root, also=[tree.root / path for path in given]) if outcome.changed else tree
    sources = Sources.read(after, project, extra=given)
    report = Report(
        sorted(
            [
                *outcome.findings,
                *invalid(sources, files),
                *uncovered(after, project, len(files), selection(given)),
            ],
            key=lambda one: (str(one.place or ""), one.rule),
        ),
        schemas=outcome.files,
        line=sources.line,
        prefix=repository_prefix(tree.root),
    )
    show(report, format_, written, host(os.environ), colour=colour)
    if report.exit_code:
        raise click.exceptions.Exit(report.exit_code)


@click.command("format", epilog="Example: fivebyte format --check")
@click.argument("paths", nargs=-1)
@click.option("--check", "only_check", is_flag=True, help="Change nothing; exit with 1 if something would.")
@force_exclude_option
@config_option
def format(  # noqa: A001
    paths: tuple[str, ...], config: Path | None, *, only_check: bool, force_exclude: bool
) -> None:
    """Print schemas in one form: two spaces a level, a line for what fits on one, and for each field.

    PATHS are files and folders; default: all schemas of the project. The order of attributes and unknown ones
    stay; so do comments, with the whole file that has them, and Avro IDL.

    Exits with 0, 1 if --check found something to change, 2 for a wrong option or project file, 3 if a file is
    not JSON.
    """
    from registry.check.lint.tree import chosen, format_files

    tree, project, given = open_project(paths, config)
    if force_exclude and not (given := _of_project(tree, project, given)):
        return
    files = chosen(tree, project, given)
    outcome = format_files(tree, files, write=not only_check)
    for path in outcome.changed:
        say(f"{'would format' if only_check else 'formatted'} {path}\n")
    for fault in outcome.invalid:
        click.echo(f"{fault.place}: {fault.message}", err=True)
    if not files:
        click.echo("there is no schema here: nothing was looked at", err=True)
    left = outcome.files - len(outcome.changed) - len(outcome.invalid)
    say(f"{counted(left, 'file')} left as {'it is' if left == 1 else 'they are'}\n")
    if outcome.invalid:
        raise click.exceptions.Exit(3)
    if only_check and outcome.changed:
        raise click.exceptions.Exit(1)


def _of_project(tree: "FolderTree", project: "Project", given: list[str]) -> list[str]:
    """The folders, and the files that the project says are schemas; the project's all where none is given."""
    return [
        path for path in given or ["."] if (tree.root / path).is_dir() or project.placement(path) is not None
    ]
