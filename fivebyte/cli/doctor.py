"""``fivebyte doctor``: is a set-up in order, and what to do if not."""

import json
import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.text import Text

from fivebyte.checkup.finding import Finding, Verdict
from fivebyte.cli.options import DEFAULT_BROKER, DEFAULT_REGISTRY
from fivebyte.cli.server_options import server_options

if TYPE_CHECKING:
    from registry.settings import Settings

_COLOURS = {Verdict.OK: "green", Verdict.WARNING: "yellow", Verdict.PROBLEM: "bold red"}


@click.command(epilog="Example: fivebyte doctor --store redis://redis.internal:6379/0")
@click.option("--ready", is_flag=True, help="Only ask the running server whether it is ready.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@server_options
def doctor(ready: bool, as_json: bool, config: str | None, **flags: str | None) -> None:
    """Look at the set-up of a registry server and say what is wrong and what to do.

    Looks at what is installed, the settings, the store, the address, and at FIVEBYTE_REGISTRY and
    FIVEBYTE_BROKER. Takes the options of fivebyte serve, and changes nothing. Exits with 1 if there is a
    problem; a warning is none.
    """
    from fivebyte.checkup.finding import told
    from registry.configuration import load
    from registry.errors import SettingsError

    try:
        settings = load(flags, config=config).settings
    except SettingsError as fault:
        findings = [told(fault)]
    else:
        findings = _ready(settings) if ready else list(_all(settings))
    if as_json:
        click.echo(json.dumps([_object(finding) for finding in findings], indent=2))
    else:
        _print(findings)
    if any(finding.verdict is Verdict.PROBLEM for finding in findings):
        raise click.exceptions.Exit(1)


def _ready(settings: "Settings") -> list[Finding]:
    from fivebyte.checkup import address

    return [address.ready(settings)]


def _all(settings: "Settings") -> Iterator[Finding]:
    from fivebyte.checkup import address, client, machine
    from fivebyte.checkup.finding import ok

    yield from machine.check()
    yield ok("the settings can be used: fivebyte config shows them")
    yield from _store(settings.store)
    yield from address.check(settings)
    yield from client.check_registry(os.environ.get("FIVEBYTE_REGISTRY"), DEFAULT_REGISTRY)
    yield from client.check_broker(os.environ.get("FIVEBYTE_BROKER", DEFAULT_BROKER))


def _store(url: str) -> Iterator[Finding]:
    from fivebyte.checkup.finding import told, warning
    from registry.errors import RegistryError
    from registry.store import open_store

    if url.startswith("sqlite:///"):
        from fivebyte.checkup import sqlite

        yield from sqlite.check(url)
    elif url.startswith(("redis://", "rediss://")):
        from fivebyte.checkup import redis

        yield from redis.check(url)
    else:
        try:
            open_store(url).close()
        except RegistryError as fault:
            yield told(fault)
        else:
            yield warning(
                f"store {url}: forgets every schema when it ends", "give sqlite:///PATH as the store"
            )


def _print(findings: Iterable[Finding]) -> None:
    console = Console(soft_wrap=True, highlight=False)
    for finding in findings:
        line = Text(f"{finding.verdict:8} ", style=_COLOURS[finding.verdict])
        line.append(finding.what, style="default")
        if finding.advice:
            line.append(f"; {finding.advice}", style="default")
        console.print(line)


def _object(finding: Finding) -> dict[str, str]:
    return {"verdict": finding.verdict, "what": finding.what, "advice": finding.advice}
