"""``fivebyte serve``: the registry as a server."""

import click

from fivebyte.cli.server_options import server_options


@click.command(epilog="Example: fivebyte serve --store sqlite:///schemas.db --port 8081")
@server_options
def serve(config: str | None, **flags: str | None) -> None:
    """Run the schema registry until it is stopped (Ctrl-C, or SIGTERM).

    Speaks the HTTP API of Confluent Schema Registry. An option goes before its variable in the
    environment, which is named beside it, and that before the key of the same name in the table [server]
    of fivebyte.toml.
    """
    from registry.configuration import load
    from registry.server import serve as run

    raise click.exceptions.Exit(run(load(flags, config=config).settings))
