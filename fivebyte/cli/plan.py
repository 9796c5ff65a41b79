"""``fivebyte plan``, ``apply``, ``pull`` and ``init``: schemas in files, and a registry that has the same."""

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fivebyte.cli.check import config_option, open_project
from fivebyte.cli.options import DEFAULT_REGISTRY, counted, say

if TYPE_CHECKING:
    from registry.check.plan.model import Plan, Step
    from registry.check.project import Project, RegistryAddress
    from registry.check.sources import Sources
    from serde.client import RegistryClient

registry_option = click.option(
    "--registry",
    envvar="FIVEBYTE_REGISTRY",
    show_envvar=True,
    metavar="URL",
    help="The registry: a URL, or a name of the project file; default: the project file's registry, or "
    f"{DEFAULT_REGISTRY}.",
)


@click.command(epilog="Example: fivebyte plan --out plan.json")
@click.argument("paths", nargs=-1)
@registry_option
@config_option
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the plan to this file, for `fivebyte apply FILE`.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the plan as it stands in a file.")
def plan(
    paths: tuple[str, ...], registry: str | None, config: Path | None, out: Path | None, *, as_json: bool
) -> None:
    """Say what makes the registry have the schemas of the files, with the levels and modes of the project.

    What a schema refers to comes before it. Nothing is deleted. A change that would break readers is told as
    `fivebyte check --against` the registry tells it, and there is no plan then.

    Exits with 0, 1 if a schema is incompatible, 2 for a wrong option or project file, 3 if a schema does not
    parse, 4 if the registry does not answer.
    """
    project, sources, given = _sources(paths, config)
    with _opened(project, registry) as (client, address):
        made = _plan(client, address, sources, given)
    if out is not None:
        _write(out, made.dump())
    if as_json:
        say(made.dump())
        return
    _show(made, sources)
    if out is not None and made.steps:
        say(f"to do this: fivebyte apply {out}\n")


@click.command(epilog="Example: fivebyte apply plan.json")
@click.argument("plan_file", metavar="[PLAN]", required=False, type=click.Path(exists=True, path_type=Path))
@registry_option
@config_option
@click.option("--yes", is_flag=True, help="Make a plan and carry it out without asking.")
def apply(plan_file: Path | None, registry: str | None, config: Path | None, *, yes: bool) -> None:
    """Carry out PLAN, a file of `fivebyte plan --out`; without one, make a plan, show it and ask.

    A plan is carried out only where the registry is as the plan saw it, or on the way that the plan says: one
    that was interrupted goes on where it stopped, and one that is done does nothing.

    Exits with 0, 1 if the registry is not as the plan saw it or refuses a step, 2 for a wrong option or plan,
    3 if a schema does not parse, 4 if the registry does not answer.
    """
    from registry.check.plan.applying import apply as run
    from registry.check.plan.model import Plan

    if plan_file is None:
        project, sources, given = _sources((), config)
        with _opened(project, registry) as (client, address):
            made = _plan(client, address, sources, given)
            _show(made, sources)
            if made.steps and not yes:
                _ask()
            run(client, made, _tell, context=address.context)
        return
    made = Plan.load(_read(plan_file), str(plan_file))
    _, project, _ = open_project((), config)
    with _opened(project, registry or made.registry) as (client, address):
        done = run(client, made, _tell, context=address.context)
    if not done:
        say("nothing to do: it is all there\n")


@click.command(epilog="Example: fivebyte pull orders-value --to schemas")
@click.argument("subjects", nargs=-1)
@click.option(
    "--to",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("schemas"),
    show_default=True,
    help="The folder for the files.",
)
@click.option("--force", is_flag=True, help="Write over files that hold something else.")
@registry_option
@config_option
def pull(
    subjects: tuple[str, ...], folder: Path, registry: str | None, config: Path | None, *, force: bool
) -> None:
    """Write the newest version of each of SUBJECTS, and of what these refer to, to files; default: all.

    A file has its subject's name: give the files of the folder subject = "{stem}" in the project file.

    Exits with 0, 2 if a file is in the way, 4 if the registry does not answer or a subject is not there.
    """
    from registry.check.plan.pulling import pull as run

    _, project, _ = open_project((), config)
    with _opened(project, registry) as (client, address):
        done = run(client, folder, subjects, force=force, context=address.context)
    for path in done.written:
        say(f"wrote {path}\n")
    for note in done.notes:
        click.echo(note, err=True)
    if done.unchanged or not done.written:
        say(f"{counted(len(done.unchanged), 'file')} as before\n")


@click.command(epilog="Example: fivebyte init --level BACKWARD_TRANSITIVE --subject '{topic}-value'")
@click.option("--registry", metavar="URL", help="The registry that plan, apply and pull work with.")
@click.option(
    "--level", default="BACKWARD", show_default=True, help="The compatibility level of all subjects."
)
@click.option(
    "--subject", default="{full_name}", show_default=True, metavar="PATTERN", help="The subject of a schema."
)
def init(registry: str | None, level: str, subject: str) -> None:
    """Write fivebyte.toml, the project file, to this folder, with the schemas that are found here.

    Exits with 2 if there is one already.
    """
    from registry.check.plan.starting import start

    text, found = start(Path.cwd(), registry=registry, level=level, subject=subject)
    click.echo(text, nl=False)
    click.echo(f"wrote fivebyte.toml: {counted(len(found), 'file')} with schemas found", err=True)


@contextmanager
def _opened(project: "Project", registry: str | None) -> "Iterator[tuple[RegistryClient, RegistryAddress]]":
    """A client of the registry with this name or URL, or of the project's, and its address."""
    from registry.check.remote import open_registry

    address = project.address(registry or project.registry or DEFAULT_REGISTRY)
    with closing(open_registry(address)) as records:
        yield records.client, address


def _sources(paths: tuple[str, ...], config: Path | None) -> "tuple[Project, Sources, list[str]]":
    from registry.check.sources import Sources

    tree, project, given = open_project(paths, config)
    return project, Sources.read(tree, project, extra=given), given


def _plan(
    client: "RegistryClient", address: "RegistryAddress", sources: "Sources", given: list[str]
) -> "Plan":
    """The plan; an exit with the report where a schema does not parse, or would break somebody."""
    from registry.check.baselines import RegistryBaseline
    from registry.check.checking import Report, check, selection
    from registry.check.findings import Severity
    from registry.check.lint.tree import invalid
    from registry.check.plan.planning import make_plan
    from registry.check.remote import RemoteRecords
    from registry.check.reports.text import text

    is_selected = selection(given)
    faults = invalid(sources, [path for path in sources.tree.paths() if is_selected(path)])
    report = Report(faults, schemas=len(sources.schemas), line=sources.line)
    if not faults:
        report = check(sources, RegistryBaseline(address.name, RemoteRecords(client)), selected=is_selected)
    if report.exit_code:
        click.echo(text(report), nl=False, err=True)
        raise click.exceptions.Exit(report.exit_code)
    for one in report.findings:
        if one.severity is Severity.WARNING:
            click.echo(f"{f'{one.place}: ' if one.place else ''}warning: {one.message}", err=True)
    return make_plan(client, sources, name=address.name, context=address.context, selected=is_selected)


def _show(made: "Plan", sources: "Sources") -> None:
    for step in made.steps:
        say(f"{step}\n")
    for note in made.notes:
        click.echo(note, err=True)
    if made.steps:
        say(f"{counted(len(made.steps), 'step')} for {made.registry}\n")
    elif sources.schemas:
        say(f"nothing to do: {made.registry} has it all\n")
    else:
        say("nothing to do: there is no schema here\n")


def _ask() -> None:
    try:
        answer = click.confirm("Do this?", err=True)
    except click.Abort:
        if sys.stdin.isatty():
            raise
        raise click.UsageError("nobody answers, and nothing was done: give --yes, or a PLAN") from None
    if not answer:
        raise click.Abort


def _tell(step: "Step", said: str) -> None:
    say(f"{step}: {said}\n")


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise click.UsageError(f"{file} cannot be read: {fault}") from None


def _write(file: Path, text: str) -> None:
    part = file.with_name(f".{file.name}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(file)
    except OSError as fault:
        raise click.UsageError(f"{file} cannot be written: {fault.strerror or fault}") from None
