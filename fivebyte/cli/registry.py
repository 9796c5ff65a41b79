"""``fivebyte registry``: the registry's log, moved and told. Works on its store, with or without a server."""

import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

import click

from fivebyte.cli.moments import moment
from fivebyte.cli.options import counted
from fivebyte.cli.server_options import config_option
from registry.transfer.writing import Progress

if TYPE_CHECKING:
    from registry.transfer.source import Source

F = TypeVar("F", bound=Callable[..., Any])


def _store_options(command: F) -> F:
    """``--store`` and ``--config``, which say where the log is as for `fivebyte serve`; see `_store`."""
    store = click.option(
        "--store",
        metavar="URL",
        help="Where the log is: sqlite:///PATH or redis://HOST, as `fivebyte serve` takes it. "
        "[FIVEBYTE_STORE; default: the server's, sqlite:///fivebyte.db]",
    )
    return store(config_option(command))


def _store(store: str | None, config: str | None) -> str:
    from registry.configuration import load

    return load({"store": store}, config=config).settings.store


@click.group(epilog="Example: fivebyte registry history orders-value")
def registry() -> None:
    """Copy, export, import and look back on the registry's log."""


@registry.command(epilog="Example: fivebyte registry copy sqlite:///fivebyte.db redis://127.0.0.1:6379/0")
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
def copy(source: str, target: str) -> None:
    """Copy the log of the store FROM to the store TO, entry by entry, and verify the copy.

    TO must be empty, or hold what an earlier copy wrote: then the rest is added. FROM may be written to
    meanwhile; what comes after the start is for the next copy. Stop the registry on TO.
    """
    from registry.transfer.copying import copy as run
    from registry.transfer.opening import open_source, open_target

    with closing(open_source(source)) as from_, closing(open_target(target)) as to, _progress() as progress:
        done = run(from_, to, progress)
    before = done.position - done.added
    there = f", {before} of them were there before" if before else ""
    click.echo(f"copied up to position {done.position}, and verified: {_entries(done.position)}{there}")
    if done.behind:
        click.echo(f"the source has got {_entries(done.behind)} since; copy again to add what is new")


@registry.command(epilog="Example: fivebyte registry export --store sqlite:///fivebyte.db backup.jsonl")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
@_store_options
def export(file: Path | None, store: str | None, config: str | None) -> None:
    """Write the log to FILE: a line of JSON for each record, in the log's order.

    Without a FILE, or with - in its place, the lines go to standard output.

    Lines are as `kcat -J` prints a _schemas topic, with key and payload as Confluent's registry writes
    them. FILE appears when it is whole.
    """
    from registry.transfer.lines import to_lines
    from registry.transfer.opening import open_source

    with closing(open_source(_store(store, config))) as log:
        if file is None or str(file) == "-":
            for line in to_lines(log.read(0)):
                sys.stdout.buffer.write(line.encode())
            return
        lines = 0
        with _replacing(file) as out:
            for line in to_lines(log.read(0)):
                out.write(line.encode())
                lines += 1
    click.echo(f"exported {counted(lines, 'record')} to {file}")


@registry.command(
    "import", epilog="Example: fivebyte registry import http://old-registry:8081 --store sqlite:///new.db"
)
@click.argument("source")
@_store_options
@click.option(
    "--registry",
    "target_url",
    metavar="URL",
    help="Import over HTTP into this running registry, any Confluent-compatible one, instead of a store.",
)
@click.option(
    "--canonical",
    is_flag=True,
    help="Bring Avro texts into the form in which this registry writes them: for registries that keep them "
    "as they were sent (Karapace, Redpanda, Apicurio). Always so with --registry.",
)
def import_(
    source: str, store: str | None, config: str | None, target_url: str | None, canonical: bool
) -> None:
    """Import what SOURCE has: ids, versions (deleted ones too), configs, modes, contexts.

    SOURCE is a file (`-` is standard input) of `fivebyte registry export`, `kcat -J`, or the console
    consumer with keys; or the URL of a running registry (http://[USER:PASSWORD@]HOST:PORT).

    Nothing is written where an id or a version would get another content. Run it again to go on after an
    interruption, or to take what is new.
    """
    if store is not None and target_url is not None:
        raise click.UsageError("give --store or --registry: one of them is the target")
    from registry.transfer.importing import import_into
    from registry.transfer.opening import open_target
    from registry.transfer.remote import read_registry
    from registry.transfer.sending import import_over_http

    with _progress() as progress:
        if source.startswith(("http://", "https://")):
            read = read_registry(source, progress, canonical=canonical or target_url is not None)
        else:
            read = _read_dump(source, canonical=canonical or target_url is not None)
        if target_url is not None:
            done = import_over_http(target_url, read, progress)
        else:
            with closing(open_target(_store(store, config))) as target:
                done = import_into(target, read, progress)
    _say(done.counts)
    for note, times in done.notes.items():
        click.echo(f"{note} ({times} times)" if times > 1 else note)
    if done.position is not None:
        click.echo(f"the log is at position {done.position}")


@registry.command(epilog="Example: fivebyte registry history orders-value --since 7d")
@click.argument("subject", required=False)
@click.option(
    "--since", metavar="WHEN", help="Only from here on: 2026-05-31, 2026-05-31T12:00Z, 90m, 36h or 7d."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines.")
@_store_options
def history(
    subject: str | None, since: str | None, as_json: bool, store: str | None, config: str | None
) -> None:
    """Tell who changed what and when, from the log; the newest last. Times are UTC.

    SUBJECT may be a context (:.ctx:), for all that is in it.
    """
    from registry.transfer.history import history as told
    from registry.transfer.opening import open_source

    start = 0 if since is None else moment(since, "--since")
    with closing(open_source(_store(store, config))) as log:
        for event in told(log.read(0), subject, since=start):
            if as_json:
                click.echo(json.dumps(event.to_json(), ensure_ascii=False))
                continue
            by = "" if event.principal is None else f"  by {event.principal}"
            where = "(registry)" if event.scope is None else event.scope
            click.echo(f"{event.moment}  {event.position:>6}  {where}  {event.text}{by}")


def _read_dump(source: str, *, canonical: bool) -> "Source":
    from registry.transfer.lines import from_lines
    from registry.transfer.source import gather

    name = "standard input" if source == "-" else source
    try:
        with closing(sys.stdin.buffer if source == "-" else Path(source).open("rb")) as file:
            return gather(name, from_lines(file, name), canonical=canonical)
    except OSError as error:
        raise click.ClickException(f"{name} cannot be read: {error.strerror}") from None


@contextmanager
def _replacing(file: Path) -> Iterator[BinaryIO]:
    """A file that takes the place of `file` when it is whole and on the disk."""
    part = file.with_name(f".{file.name}.part")
    try:
        with part.open("wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        part.replace(file)
    except OSError as error:
        raise click.ClickException(f"{file} cannot be written: {error.strerror}") from None
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _progress() -> Iterator[Progress]:
    """A bar on a terminal; nothing elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bars

    console = Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with Bars(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        tasks = {}

        def progress(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what)
            bars.update(tasks[what], completed=done, total=total or None)

        yield progress


def _say(counts: Counter[str]) -> None:
    listed = ", ".join(f"{what} {number}" for what, number in counts.items())
    click.echo(f"imported: {listed}" if listed else "nothing was to be imported: it is all there")


def _entries(number: int) -> str:
    return "1 entry" if number == 1 else f"{number} entries"
