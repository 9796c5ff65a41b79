"""``fivebyte diff``: what changed between two schemas, and whom it breaks."""

from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fivebyte.cli.check import LEVELS, config_option, open_project
from fivebyte.cli.options import DEFAULT_REGISTRY, say
from fivebyte.cli.plan import registry_option

if TYPE_CHECKING:
    from serde.client import RegistryClient


@click.command(epilog="Example: fivebyte diff git:main schemas/order.avsc")
@click.argument("old", metavar="A")
@click.argument("new", metavar="B")
@click.option(
    "--level",
    type=click.Choice(LEVELS, case_sensitive=False),
    help="Exit with 1 if this level refuses B after A.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@registry_option
@config_option
def diff(
    old: str, new: str, level: str | None, registry: str | None, config: Path | None, *, as_json: bool
) -> None:
    """Tell every change from schema A to schema B, and whether it is safe or breaks somebody.

    Each is a file; git:REF:PATH, a file in a commit (git:REF: the other side's file); or subject:NAME or
    subject:NAME:VERSION, of a registry.

    Exits with 0, 1 if --level is given and refuses B, 2 for a wrong option, 3 if a schema does not parse,
    4 if git or the registry do not have it.
    """
    from registry.check.diff.changes import changes
    from registry.check.diff.report import structured, text
    from registry.check.diff.sides import GIT, SUBJECT, Sides
    from registry.check.remote import open_registry
    from registry.model import CompatibilityLevel

    files = [given for given in (old, new) if not given.startswith((GIT, SUBJECT))]
    tree, project, _ = open_project(files, config)
    with ExitStack() as stack:

        def client() -> "RegistryClient":
            address = project.address(registry or project.registry or DEFAULT_REGISTRY)
            return stack.enter_context(closing(open_registry(address))).client

        sides = Sides(tree, project, client)
        before, after = sides.open(old, new), sides.open(new, old)
    found = changes(before.schema.schema.root, after.schema.schema.root)
    say((structured if as_json else text)(before, after, found))
    if level is not None and any(change.breaks(CompatibilityLevel.parse(level)) for change in found):
        raise click.exceptions.Exit(1)
