"""Registries to compare with: one that runs, ours or any Confluent-compatible one, or an exported log."""

from collections.abc import Iterator
from pathlib import Path

from registry.check.baselines import Stored
from registry.check.errors import BaselineError
from registry.check.project import RegistryAddress
from registry.errors import TransferError
from registry.languages.language import ReferencedSchema, SchemaFault
from registry.model import Config, context_of
from registry.schemas import resolve
from registry.transfer.lines import from_lines
from registry.transfer.source import Source, gather
from serde.auth import BearerToken
from serde.client import RegistryClient
from serde.errors import NotFound, RegistryUnreachable, SubjectNotFound, TokenError
from serde.errors import RegistryError as RefusedError
from serde.model import Reference, RegisteredSchema


def open_registry(address: RegistryAddress) -> "RemoteRecords":
    """The registry at `address`; nothing is asked yet. Raises BaselineError where the URL is none."""
    secrets = address.secrets()
    try:
        client = RegistryClient(
            address.url,
            auth=BearerToken(secrets) if isinstance(secrets, str) else secrets,
            context=address.context,
            retries=2,
        )
    except ValueError as fault:
        raise BaselineError(f"{address.name}: {fault}") from None
    return RemoteRecords(client)


class RemoteRecords:
    """The versions of a running registry, asked for when they are wanted."""

    def __init__(self, client: RegistryClient) -> None:
        self.client = client

    def level(self, subject: str) -> str | None:
        """The subject's level, or that of all."""
        try:
            return self.client.config(subject, default_to_global=True).compatibility
        except NotFound:
            return self._global_level()
        except (RefusedError, RegistryUnreachable, TokenError) as fault:
            raise _unreachable(fault) from None

    def versions(self, subject: str) -> Iterator[Stored]:
        """The live versions, newest first; none for a subject that is not there."""
        try:
            for number in reversed(self.client.versions(subject)):
                found = self.client.schema(subject, number)
                yield Stored(number, found.text, found.schema_type, self._needed(found))
        except SubjectNotFound:
            return
        except (RefusedError, RegistryUnreachable, TokenError) as fault:
            raise _unreachable(fault) from None

    def close(self) -> None:
        """Close the connections."""
        self.client.close()

    def _global_level(self) -> str | None:
        try:
            return self.client.config().compatibility
        except (RefusedError, RegistryUnreachable, TokenError) as fault:
            raise _unreachable(fault) from None

    def _needed(self, user: RegisteredSchema) -> tuple[ReferencedSchema, ...]:
        """What the schema refers to, directly or not, each after what it refers to itself."""
        found: dict[str, str] = {}

        def collect(references: tuple[Reference, ...], referrer: str, above: tuple[str, ...]) -> None:
            for reference in references:
                if reference.name in found or reference.name in above:
                    continue
                subject = reference.subject
                if referrer.startswith(":.") and not subject.startswith(":."):
                    subject = f":{context_of(referrer)}:{subject}"
                target = self.client.schema(subject, reference.version, deleted=True)
                collect(target.references, subject, (*above, reference.name))
                found[reference.name] = target.text

        collect(user.references, user.subject, ())
        return tuple(ReferencedSchema(name, text) for name, text in found.items())


def open_log(file: Path) -> "LogRecords":
    """The log that was exported to `file`. Raises BaselineError where it is none."""
    try:
        if not file.stat().st_size:
            raise BaselineError(f"{file} is empty: write it with fivebyte registry export {file}")
        with file.open("rb") as lines:
            return LogRecords(file, gather(str(file), from_lines(lines, str(file))))
    except (OSError, TransferError) as fault:
        raise BaselineError(f"{file} is no exported log: {fault}") from None


class LogRecords:
    """The versions that an exported log gives."""

    def __init__(self, file: Path, source: Source) -> None:
        self._file = file
        self._state = source.state

    def level(self, subject: str) -> str | None:
        """What the log sets for the subject or around it; None where it sets nothing."""
        return self._state.effective_config(subject, Config()).compatibility_level

    def versions(self, subject: str) -> Iterator[Stored]:
        """The live versions, newest first."""
        for version in reversed(self._state.versions(subject)):
            content = version.content
            try:
                needed = resolve(content.references, subject, self._state)
            except SchemaFault as fault:
                raise BaselineError(f"{self._file}: {subject} version {version.version}: {fault}") from None
            yield Stored(version.version, content.text, content.schema_type, needed)

    def close(self) -> None:
        """Nothing is held."""


def _unreachable(fault: Exception) -> BaselineError:
    return BaselineError(f"the registry cannot be compared with: {fault}{asks_for_secrets(fault)}")


def asks_for_secrets(fault: Exception) -> str:
    """What to do where a registry does not know who asks; else nothing."""
    if isinstance(fault, RefusedError) and fault.status in {401, 403}:
        return (
            "; who may ask is said in the project file, in [registries.NAME]: user_variable and "
            "password_variable, or token_variable"
        )
    return ""
