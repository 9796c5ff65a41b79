"""``fivebyte schema``: what a registry is asked for by hand and in scripts."""

from typing import TextIO

import click

from fivebyte.cli.findings import readable
from fivebyte.cli.options import (
    opened_registry,
    pretty,
    read_schema,
    references_option,
    registry_option,
)
from serde import Incompatible, Reference


@click.group(epilog="Example: fivebyte schema list")
def schema() -> None:
    """Register, list, get, check and delete schemas."""


@schema.command(epilog="Example: fivebyte schema register orders-value order.avsc")
@click.argument("subject")
@click.argument("file", type=click.File(encoding="utf-8-sig"))
@references_option
@registry_option
def register(subject: str, file: TextIO, references: tuple[Reference, ...], registry: str) -> None:
    """Make the schema in FILE (- is standard input) the next version of SUBJECT.

    A schema that is a version already stays that version. Exits with 1 if it is refused.
    """
    text = read_schema(file)
    with opened_registry(registry) as client:
        try:
            registered = client.register(subject, text, references=references)
        except Incompatible:
            click.echo(f"refused: it is incompatible with what is registered under {subject}", err=True)
            for line in readable(client.check_compatibility(subject, text, references=references).messages):
                click.echo(f"  {line}", err=True)
            raise click.exceptions.Exit(1) from None
    click.echo(f"{registered.subject} version {registered.version} id {registered.id}")


@schema.command("list", epilog="Example: fivebyte schema list orders-value --deleted")
@click.argument("subject", required=False)
@click.option("--deleted", is_flag=True, help="Show also what is deleted, but not permanently.")
@registry_option
def list_(subject: str | None, deleted: bool, registry: str) -> None:
    """List the subjects with their versions, or the versions of SUBJECT with their ids."""
    with opened_registry(registry) as client:
        if subject is None:
            for name in client.subjects(deleted=deleted):
                versions = client.versions(name, deleted=deleted)
                click.echo(f"{name} versions {','.join(map(str, versions))}")
            return
        for version in client.versions(subject, deleted=deleted):
            found = client.schema(subject, version, deleted=deleted)
            click.echo(f"{found.subject} version {found.version} id {found.id}")


@schema.command(epilog="Example: fivebyte schema get orders-value 2 --pretty")
@click.argument("subject", required=False)
@click.argument("version", default="latest")
@click.option("--id", "schema_id", type=click.IntRange(min=1), help="Get the schema with this id instead.")
@click.option("--pretty", "spread", is_flag=True, help="Spread the text over several lines.")
@registry_option
def get(subject: str | None, version: str, schema_id: int | None, spread: bool, registry: str) -> None:
    """Print the schema that is VERSION (a number, or latest) of SUBJECT."""
    if (subject is None) == (schema_id is None):
        raise click.UsageError("give a SUBJECT, or --id and nothing else")
    with opened_registry(registry) as client:
        if schema_id is not None:
            text = client.schema_by_id(schema_id).text
        else:
            text = client.schema(str(subject), version).text
    click.echo(pretty(text) if spread else text)


@schema.command(epilog="Example: fivebyte schema check orders-value order.avsc")
@click.argument("subject")
@click.argument("file", type=click.File(encoding="utf-8-sig"))
@click.option("--version", help="Compare with this version alone (a number, or latest).")
@references_option
@registry_option
def check(
    subject: str, file: TextIO, version: str | None, references: tuple[Reference, ...], registry: str
) -> None:
    """Say whether the schema in FILE could be registered under SUBJECT; nothing is registered.

    Exits with 0 if it could, and with 1 and the reasons if not.
    """
    with opened_registry(registry) as client:
        verdict = client.check_compatibility(
            subject, read_schema(file), version=version, references=references
        )
    click.echo("compatible" if verdict.is_compatible else "incompatible")
    for line in readable(verdict.messages):
        click.echo(f"  {line}")
    if not verdict.is_compatible:
        raise click.exceptions.Exit(1)


@schema.command(epilog="Example: fivebyte schema delete orders-value 2")
@click.argument("subject")
@click.argument("version", required=False)
@click.option("--permanent", is_flag=True, help="Delete for good what was deleted without this before.")
@registry_option
def delete(subject: str, version: str | None, permanent: bool, registry: str) -> None:
    """Delete VERSION (a number, or latest) of SUBJECT, or all versions if none is given.

    A deleted schema still serves readers of the messages that carry its id, until it is deleted with
    --permanent.
    """
    with opened_registry(registry) as client:
        if version is None:
            deleted = client.delete_subject(subject, permanent=permanent)
        else:
            deleted = [client.delete_version(subject, version, permanent=permanent)]
    click.echo(f"deleted {subject} versions {','.join(map(str, deleted))}")
