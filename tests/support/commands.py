"""The commands of the command line, all of them."""

from collections.abc import Iterator

import click

from fivebyte.cli import cli


def commands() -> dict[tuple[str, ...], click.Command]:
    """Each command and group by the words it is called with, after ``fivebyte``."""
    return dict(_below(cli, ()))


def _below(group: click.Group, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from _below(command, (*path, name))
