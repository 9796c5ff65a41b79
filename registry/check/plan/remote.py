"""What a registry has of the subjects that a tree is about, read over HTTP in few requests."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from registry.check.errors import BaselineError
from registry.check.plan.model import SubjectState, Version
from registry.check.remote import asks_for_secrets
from registry.model import DEFAULT_CONTEXT, context_of
from serde.client import RegistryClient
from serde.errors import NotFound, RegistryUnreachable, TokenError
from serde.errors import RegistryError as Answered


@contextmanager
def reachable(what: str) -> Iterator[None]:
    """Raise BaselineError where the registry does not answer, or with an error, while it is asked `what`."""
    try:
        yield
    except (Answered, RegistryUnreachable, TokenError) as fault:
        raise BaselineError(f"{what}: {fault}{asks_for_secrets(fault)}") from None


def absolute(subject: str, context: str | None) -> str:
    """A subject with its context, where it is one of `context` and does not say so; the default has none."""
    if subject.startswith(":.") or context in {None, DEFAULT_CONTEXT}:
        return subject
    return f":{context}:{subject}"


def relative(subject: str, context: str | None) -> str:
    """A subject as one of `context` is called there."""
    return subject.removeprefix(f":{context}:") if context else subject


def read_states(
    client: RegistryClient,
    subjects: Iterable[str],
    settings: Iterable[str] = (),
    *,
    context: str | None = None,
) -> dict[str, SubjectState]:
    """What there is of each of `subjects`; level and mode only of those in `settings`.

    context: the client's. The references of versions are absolute.

    Raises BaselineError.
    """
    states = {subject: SubjectState() for subject in subjects}
    by_name = {absolute(subject, context): state for subject, state in states.items()}
    contexts = {context_of(subject) for subject in by_name}
    with reachable("the registry cannot be read"):
        for each in sorted(contexts):
            prefix = None if each == DEFAULT_CONTEXT else f":{each}:"
            for one in client.schemas(prefix=prefix):
                name = absolute(one.subject, context)
                state = by_name.get(name)
                if state is not None:
                    within = context_of(name)
                    references = frozenset((absolute(u.subject, within), u.version) for u in one.references)
                    state.versions.append(Version(one.version, one.id, one.text, references))
        for subject in settings:
            states[subject].level = _level(client, subject)
            states[subject].mode = _mode(client, subject)
    for state in states.values():
        state.versions.sort(key=lambda version: version.version)
    return states


def _level(client: RegistryClient, subject: str) -> str | None:
    try:
        return client.config(subject).compatibility
    except NotFound:
        return None


def _mode(client: RegistryClient, subject: str) -> str | None:
    try:
        return client.mode(subject)
    except NotFound:
        return None
