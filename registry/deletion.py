"""Deleting: what may go, and the records that make it go (reference, section 2.3).

Deleting is done twice: soft, which hides a version but keeps its id readable,
and then for good. Neither is possible while another schema needs it.
"""

from registry.errors import (
    ContextNotEmptyError,
    OperationNotPermittedError,
    ReferenceExistsError,
    SubjectNotFoundError,
    SubjectNotSoftDeletedError,
    SubjectSoftDeletedError,
    VersionNotFoundError,
    VersionNotSoftDeletedError,
    VersionSoftDeletedError,
)
from registry.model import DEFAULT_CONTEXT, LATEST, context_of
from registry.records import (
    ConfigRecord,
    ContextRecord,
    DeleteSubjectRecord,
    ModeRecord,
    Record,
    SchemaRecord,
)
from registry.state import State


def delete_version(state: State, subject: str, number: int, *, permanent: bool) -> tuple[list[Record], int]:
    """Delete one version (-1: the latest); answers its number.

    Raises SubjectNotFoundError, VersionNotFoundError, VersionSoftDeletedError,
    VersionNotSoftDeletedError, ReferenceExistsError, OperationNotPermittedError.
    """
    check_writable(state, subject)
    if not state.versions(subject, deleted=True):
        raise SubjectNotFoundError(subject)
    version = state.version(subject, number, deleted=permanent or number != LATEST)
    if version is None:
        raise VersionNotFoundError(number)
    number = version.version
    if permanent and not version.deleted:
        raise VersionNotSoftDeletedError(subject, number)
    if not permanent and version.deleted:
        raise VersionSoftDeletedError(subject, number)
    if state.referrers(version.key, deleted=permanent):
        raise ReferenceExistsError(subject, number)
    if not permanent:
        return [SchemaRecord(subject, number, version.id, version.content, deleted=True)], number
    records: list[Record] = [SchemaRecord(subject, number)]
    if len(state.versions(subject, deleted=True)) == 1:
        records += _resets(state, subject)
    return records, number


def delete_subject(state: State, subject: str, *, permanent: bool) -> tuple[list[Record], list[int]]:
    """Delete all versions of a subject; answers their numbers, ascending.

    Raises SubjectNotFoundError, SubjectSoftDeletedError,
    SubjectNotSoftDeletedError, ReferenceExistsError, OperationNotPermittedError.
    """
    check_writable(state, subject)
    versions, live = state.versions(subject, deleted=True), state.versions(subject)
    if not versions:
        raise SubjectNotFoundError(subject)
    if permanent and live:
        raise SubjectNotSoftDeletedError(subject)
    if not permanent and not live:
        raise SubjectSoftDeletedError(subject)
    for version in versions:
        if any(other.subject != subject for other in state.referrers(version.key, deleted=permanent)):
            raise ReferenceExistsError(subject, version.version)
    if not permanent:
        return [DeleteSubjectRecord(subject, live[-1].version)], [version.version for version in live]
    records: list[Record] = [SchemaRecord(subject, version.version) for version in reversed(versions)]
    return records + _resets(state, subject), [version.version for version in versions]


def delete_context(state: State, context: str) -> tuple[list[Record], None]:
    """Delete a context and what is set for it. One that is not there is deleted already.

    Raises ContextNotEmptyError, OperationNotPermittedError.
    """
    scope = f":{context}:"
    check_writable(state, scope)
    if any(context_of(subject) == context for subject, _, _ in state.subjects()):
        raise ContextNotEmptyError(context)
    if context == DEFAULT_CONTEXT or context not in state.contexts():
        return [], None
    return [ContextRecord(context, tombstone=True), *_resets(state, scope)], None


def check_writable(state: State, subject: str | None) -> None:
    """Raises OperationNotPermittedError (42205) where the scope is read-only."""
    if state.effective_mode(subject).is_read_only:
        context = context_of(subject or "")
        raise OperationNotPermittedError(f"Subject {subject} in context {context} is in read-only mode")


def _resets(state: State, subject: str) -> list[Record]:
    """A subject or a context that is gone for good takes its config and its mode with it."""
    records: list[Record] = []
    if state.config(subject) is not None:
        records.append(ConfigRecord(subject, None))
    if state.mode(subject) is not None:
        records.append(ModeRecord(subject, None))
    return records
