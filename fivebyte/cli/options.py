"""Options that several commands share, and what they open."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

if TYPE_CHECKING:
    from serde import Reference, RegistryClient

DEFAULT_REGISTRY = "http://127.0.0.1:8081"
DEFAULT_BROKER = "file:./data"

registry_option = click.option(
    "--registry",
    envvar="FIVEBYTE_REGISTRY",
    default=DEFAULT_REGISTRY,
    show_default=True,
    show_envvar=True,
    metavar="URL",
    help="The schema registry: ours or any Confluent-compatible one; several with commas between.",
)

broker_option = click.option(
    "--broker",
    envvar="FIVEBYTE_BROKER",
    default=DEFAULT_BROKER,
    show_default=True,
    show_envvar=True,
    metavar="URL",
    help="The broker: file: and the folder of a file log, or kafka://HOST:PORT.",
)


def say(text: str) -> None:
    """Print `text`. Where who reads has gone (``| head``), what is under way goes on to its exit code."""
    # A name of a file need not be UTF-8; what is printed is.
    try:
        click.echo(text.encode("utf-8", "replace").decode(), nl=False, color=True)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def opened_registry(url: str) -> "Iterator[RegistryClient]":
    """A client of the registry that was given by --registry; a usage error where the URL is none."""
    from serde import RegistryClient

    try:
        client = RegistryClient(url)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--registry") from None
    with client:
        yield client


class _ReferenceType(click.ParamType["Reference"]):
    """NAME=SUBJECT:VERSION, the version being a number; the subject may have colons itself."""

    name = "reference"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> "Reference":
        from serde import Reference

        name, equals, target = str(value).partition("=")
        subject, colon, version = target.rpartition(":")
        if not (name and equals and subject and colon and version.isdecimal()):
            self.fail(
                f"{value!r} is not NAME=SUBJECT:VERSION, such as com.acme.Line=line-value:1", param, ctx
            )
        return Reference(name, subject, int(version))


references_option = click.option(
    "--reference",
    "references",
    type=_ReferenceType(),
    multiple=True,
    metavar="NAME=SUBJECT:VERSION",
    help="A registered schema whose types this one uses; may be given several times.",
)


def read_schema(file: TextIO) -> str:
    """The schema text in `file`; one line that says so where it is empty or not text."""
    try:
        text = file.read()
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{file.name} is not UTF-8 text: {error.reason}") from None
    except OSError as error:
        raise click.ClickException(f"{file.name} cannot be read: {error.strerror}") from None
    if not text.strip():
        raise click.ClickException(f"{file.name} is empty; it should hold an Avro schema")
    return text


def pretty(text: str) -> str:
    """A schema's text over several lines."""
    return json.dumps(json.loads(text), indent=2, ensure_ascii=False)


def example_folder() -> Path:
    """Where the example schemas are: in the package, which in a checkout is a link to ``examples/``."""
    return Path(__file__).parents[1] / "examples"


def counted(number: int, noun: str) -> str:
    """``1 record``, ``2 records``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
