"""The settings of the server as options, for the commands that run it or look at it."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from registry.setting import Setting
from registry.settings import declared_settings

F = TypeVar("F", bound=Callable[..., Any])

config_option = click.option(
    "--config",
    metavar="FILE",
    help="Read this file of settings instead of fivebyte.toml in the working directory. [FIVEBYTE_CONFIG]",
)


def server_options(command: F) -> F:
    """An option for each setting, and ``--config``, which give what `registry.configuration.load` takes.

    Their values are texts: they are read and checked where those of the other places are.
    """
    for declared in reversed(declared_settings()):
        command = _option(declared)(command)
    return config_option(command)


def _option(declared: Setting) -> Callable[[F], F]:
    about = declared.about[0].upper() + declared.about[1:]
    default = declared.show(declared.default)
    source = f"{declared.variable}; default: {default}" if default else declared.variable
    return click.option(declared.flag, declared.name, metavar=declared.takes, help=f"{about}. [{source}]")
