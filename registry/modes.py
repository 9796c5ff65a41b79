"""Changing modes: what stands in the way, and the records that do it (reference, section 2.6)."""

from registry.errors import OperationNotPermittedError, ReferenceExistsError, SubjectNotFoundError
from registry.model import GLOBAL_SCOPE, Mode
from registry.records import ClearSubjectRecord, ModeRecord, Record
from registry.state import State


def set_mode(
    state: State, scope: str | None, mode: Mode | None, *, force: bool
) -> tuple[list[Record], Mode | None]:
    """Set the mode of a scope (None clears it); answers `mode`.

    An import begins where nothing is, unless `force`: soft-deleted versions go for good.

    Raises OperationNotPermittedError for an import over live subjects and for FORWARD anywhere but on
    ``:.__GLOBAL:``; ReferenceExistsError where a soft-deleted version that must go is needed elsewhere.
    """
    if mode is Mode.FORWARD and scope != GLOBAL_SCOPE:
        raise OperationNotPermittedError("Forward mode only supported on global level")
    if mode is state.mode(scope):
        return [], mode
    records: list[Record] = []
    if mode is Mode.IMPORT and not force:
        records += _cleared(state, scope)
    return [*records, ModeRecord(scope, mode)], mode


def delete_mode(state: State, scope: str | None, *, recursive: bool) -> tuple[list[Record], Mode]:
    """Reset the mode of a scope, and of all that is in it with `recursive`; answers what was set there.

    Raises SubjectNotFoundError where nothing was, but for the registry's own.
    """
    before = state.mode(scope)
    if before is None and scope is not None:
        raise SubjectNotFoundError(scope)
    reset = [scope] if before is not None else []
    if recursive:
        reset += [inner for inner in state.scopes_with_mode(scope) if inner != scope]
    return [ModeRecord(one, None) for one in reset], before or Mode.READWRITE


def _cleared(state: State, scope: str | None) -> list[Record]:
    """The record that drops what is soft-deleted in a scope; none if nothing is."""
    subjects = state.subjects_in(scope)
    remains = [version for subject in subjects for version in state.versions(subject, deleted=True)]
    if not all(version.deleted for version in remains):
        raise OperationNotPermittedError("Cannot import since found existing subjects")
    going = set(subjects)
    for version in remains:
        if any(other.subject not in going for other in state.referrers(version.key, deleted=True)):
            raise ReferenceExistsError(version.subject, version.version)
    return [ClearSubjectRecord(scope)] if remains else []
