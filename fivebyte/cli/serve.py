"""``fivebyte serve``: the registry as a server."""

from typing import Any

import click

from registry.model import CompatibilityLevel


@click.command(epilog="Example: fivebyte serve --store sqlite:///schemas.db --port 8081")
@click.option(
    "--store",
    metavar="URL",
    help="Where the schemas are kept: sqlite:///PATH (sqlite:////PATH from the root), "
    "redis://[USER:PASSWORD@]HOST:PORT/DB (rediss:// for TLS), or memory:, which forgets. "
    "FIVEBYTE_STORE. [default: sqlite:///fivebyte.db]",
)
@click.option("--host", help="The address to listen on. FIVEBYTE_HOST. [default: 127.0.0.1]")
@click.option("--port", type=int, help="The port to listen on. FIVEBYTE_PORT. [default: 8081]")
@click.option(
    "--compatibility",
    type=click.Choice(CompatibilityLevel, case_sensitive=False),
    help="The level where none is set by the API. FIVEBYTE_COMPATIBILITY. [default: BACKWARD]",
)
@click.option("--workers", type=int, help="Processes to serve with. FIVEBYTE_WORKERS. [default: 1]")
@click.option(
    "--threads", type=int, help="Requests that a process handles at once. FIVEBYTE_THREADS. [default: 8]"
)
def serve(**flags: Any) -> None:
    """Run the schema registry until it is stopped (Ctrl-C, or SIGTERM).

    Speaks the HTTP API of Confluent Schema Registry. A flag goes before the variable in the environment
    that is named beside it.
    """
    from registry.server import serve as run
    from registry.settings import Settings

    raise click.exceptions.Exit(run(Settings.from_environment(**flags)))
