"""The command line: ``fivebyte GROUP COMMAND``. One file a group, imported when it is run.

Exit codes: 0 done; 1 refused, incompatible or not reachable, with one line that says why; 2 a wrong
command line or setting; 3 and 4 of `check`, see `registry.check.errors`; 70 a fault of ours, with a
traceback; 130 interrupted.
"""

import importlib
import os
import sys
import traceback
from collections.abc import Sequence

import click

_FAULT_OF_OURS = 70
"""EX_SOFTWARE of sysexits.h: Python's own 1 would say "incompatible"."""

_COMMANDS = {
    "apply": ("fivebyte.cli.plan", "Make a registry match the schemas in files, as a plan says."),
    "check": ("fivebyte.cli.check", "Check schemas in files for what would break readers."),
    "config": ("fivebyte.cli.config", "Show each setting of the server and where it comes from."),
    "consume": ("fivebyte.cli.records", "Read a topic's records as JSON lines."),
    "demo": ("fivebyte.cli.demo", "Run the main job from end to end in a temporary folder."),
    "diff": ("fivebyte.cli.diff", "Tell what changed between two schemas, and whom it breaks."),
    "doctor": ("fivebyte.cli.doctor", "Look for what is wrong with a set-up, and say what to do."),
    "explain": ("fivebyte.cli.check", "Tell what a rule of check is about, with an example."),
    "group": ("fivebyte.cli.group", "List, describe, reset and delete consumer groups."),
    "log": ("fivebyte.cli.log", "Show and check the files of a log, ours or Kafka's."),
    "format": ("fivebyte.cli.lint", "Print schemas in files in one form."),
    "init": ("fivebyte.cli.plan", "Write a project file."),
    "lint": ("fivebyte.cli.lint", "Check schemas in files for what is unwise in them."),
    "plan": ("fivebyte.cli.plan", "Say what makes a registry match the schemas in files."),
    "produce": ("fivebyte.cli.records", "Write JSON lines to a topic as Avro records."),
    "pull": ("fivebyte.cli.plan", "Write schemas from a registry to files."),
    "registry": ("fivebyte.cli.registry", "Copy, export, import and look back on the registry's log."),
    "schema": ("fivebyte.cli.schema", "Register, list, get, check and delete schemas."),
    "serve": ("fivebyte.cli.serve", "Run the schema registry."),
    "topic": ("fivebyte.cli.topic", "Create, list, describe, alter, truncate and delete topics."),
}


class _LazyGroup(click.Group):
    """A group whose commands are imported when one is asked for, so that the start costs nothing."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(_COMMANDS[cmd_name][0])
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_) for name, (_, help_) in sorted(_COMMANDS.items())])


@click.group(
    cls=_LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Example: fivebyte demo",
)
@click.version_option(package_name="fivebyte", prog_name="fivebyte")
def cli() -> None:
    """A schema registry, Avro serializers and a broker in a folder.

    fivebyte serve starts a registry; the other commands talk to it (--registry, or FIVEBYTE_REGISTRY)
    and to a broker (--broker, or FIVEBYTE_BROKER).
    """


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line and exit; a failure that has a cause outside is one line, not a traceback."""
    try:
        code = run(args)
    except Exception:  # noqa: BLE001 - whatever it is, it must not end with a code that means something else
        traceback.print_exc()
        code = _FAULT_OF_OURS
    sys.exit(code)


def run(args: Sequence[str] | None = None) -> int:
    """Run the command line on `args` (default: the process's) and return its exit code."""
    try:
        code = cli.main(args, prog_name="fivebyte", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return 130
    except BrokenPipeError:
        # Who read our output has gone (| head): nothing is left to say, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        message = _explained(error)
        if message is None:
            raise
        click.echo(f"fivebyte: {message}", err=True)
        return _code_of(error)
    return code if isinstance(code, int) else 0  # what a command gave to click.exceptions.Exit


def _explained(error: Exception) -> str | None:
    """What to tell of an error that one of our packages raised on purpose; None for a fault of ours."""
    from broker_adapter.errors import BrokerError
    from registry.errors import RegistryError
    from serde.errors import SerdeError

    return str(error) if isinstance(error, BrokerError | RegistryError | SerdeError) else None


def _code_of(error: Exception) -> int:
    from registry.check.errors import CheckError
    from registry.errors import SettingsError

    if isinstance(error, CheckError):
        return error.exit_code
    return 2 if isinstance(error, SettingsError) else 1
