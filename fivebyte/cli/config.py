"""``fivebyte config``: the server's settings, and where each comes from."""

import json
from enum import Enum

import click

from fivebyte.cli.server_options import server_options


@click.command(epilog="Example: fivebyte config --port 9000")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@server_options
def config(as_json: bool, config: str | None, **flags: str | None) -> None:
    """Show each setting of the server and where it comes from.

    That is: an option, a variable in the environment, a line of fivebyte.toml, or the default. Takes the
    options of fivebyte serve, and starts nothing. A user and a password in a URL are not shown.
    """
    from registry.configuration import load
    from registry.settings import declared_settings

    found = load(flags, config=config)
    settings = {
        declared.name: (declared.show(getattr(found.settings, declared.name)), found.origins[declared.name])
        for declared in declared_settings()
    }
    if as_json:
        values = {
            name: {"value": _value(getattr(found.settings, name), shown), "origin": origin}
            for name, (shown, origin) in settings.items()
        }
        file = None if found.file is None else str(found.file)
        click.echo(json.dumps({"file": file, "settings": values}, indent=2))
        return
    names, values_wide = max(map(len, settings)), max(len(shown) for shown, _ in settings.values())
    for name, (shown, origin) in settings.items():
        click.echo(f"{name:{names}}  {shown:{values_wide}}  {origin}")


def _value(value: object, shown: str) -> object:
    """What JSON has a word for stays what it is; a text and an enum are as they are shown."""
    return shown if isinstance(value, str | Enum) else value
