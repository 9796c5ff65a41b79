"""Schemas from a registry into files, with all that they refer to."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from registry.check.errors import BaselineError, ProjectError
from registry.check.formatting import formatted
from registry.check.plan.remote import absolute, reachable, relative
from registry.model import context_of
from serde.client import RegistryClient
from serde.model import RegisteredSchema

SUBJECT = "{stem}"
"""The project file's pattern for the files that are written here."""


@dataclass(slots=True)
class Pulled:
    """What was pulled. written, unchanged: files. notes: what somebody should know."""

    written: list[Path] = field(default_factory=list)
    unchanged: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def file_name(subject: str) -> str:
    """The file for a subject: its name, with what file systems refuse percent-encoded, and ``.avsc``."""
    return quote(subject, safe=" !#$&'()+,;=@[]{}~^") + ".avsc"


def pull(
    client: RegistryClient,
    folder: Path,
    subjects: Sequence[str] = (),
    *,
    force: bool = False,
    context: str | None = None,
) -> Pulled:
    """Write the newest version of each of `subjects`, and of what these refer to, to files in `folder`.

    subjects: none for all that hold Avro. force: also over files that hold another schema. context: the
    client's; subjects of it have no context in their file's name.

    Raises ProjectError where a file is in the way, BaselineError for a subject that is not there. Nothing is
    written then.
    """
    done = Pulled()
    contents: dict[Path, str] = {}
    wanted = [absolute(subject, context) for subject in subjects]
    for schema in _newest(client, wanted, done, context):
        path = folder / file_name(relative(schema.subject, context))
        contents[path] = formatted(schema.text)
    others = [path for path, text in contents.items() if not _holds(path, text)]
    in_the_way = [str(path) for path in others if path.exists()]
    if in_the_way and not force:
        raise ProjectError(
            f"{', '.join(in_the_way)}: holds something else; --force writes over it. Nothing was written"
        )
    for path, text in contents.items():
        if path in others:
            _write(path, text)
            done.written.append(path)
        else:
            done.unchanged.append(path)
    return done


def _newest(
    client: RegistryClient, subjects: Sequence[str], done: Pulled, context: str | None
) -> Iterable[RegisteredSchema]:
    """The newest versions, by subject, with those that they refer to."""
    found: dict[str, RegisteredSchema] = {}
    with reachable("the registry cannot be read"):
        there = {absolute(one.subject, context): one for one in client.schemas(latest_only=True)}
    for subject in subjects:
        if subject not in there:
            with reachable(f"{subject} cannot be pulled"):
                there[subject] = client.schema(subject)
    waiting = list(subjects or there)
    while waiting:
        subject = waiting.pop(0)
        schema = there[subject]
        if subject in found:
            continue
        if schema.schema_type != "AVRO":
            note = f"{subject} is left out: it is {schema.schema_type}, not Avro"
            if subject in subjects:
                raise BaselineError(note)
            done.notes.append(note)
            continue
        found[subject] = schema
        for reference in schema.references:
            needed = absolute(reference.subject, context_of(subject))
            if needed not in there:
                with reachable(f"{subject} refers to {needed}, which cannot be pulled"):
                    there[needed] = client.schema(needed)
            if there[needed].version != reference.version:
                done.notes.append(
                    f"{subject} refers to version {reference.version} of {needed}, and the newest is "
                    f"{there[needed].version}: the file holds the newest"
                )
            waiting.append(needed)
    return [found[subject] for subject in sorted(found)]


def _holds(path: Path, text: str) -> bool:
    try:
        return path.read_text("utf-8-sig") == text
    except (OSError, UnicodeDecodeError):
        return False


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.part")
        part.write_bytes(text.encode())
        part.replace(path)
    except OSError as fault:
        raise ProjectError(f"{path} cannot be written: {fault.strerror or fault}") from None
