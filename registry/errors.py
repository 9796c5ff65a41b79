"""Everything the registry refuses or fails at.

Each error carries the `code` that Confluent's API knows it by; the HTTP status
is its first three digits (40401 is a 404), but for StoreAwayError::

    RegistryError
    ├── NotFoundError                 404xx  what was asked for is not there
    │   ├── SubjectNotFoundError      40401
    │   ├── VersionNotFoundError      40402
    │   ├── SchemaNotFoundError       40403
    │   ├── SubjectSoftDeletedError   40404
    │   ├── SubjectNotSoftDeletedError   40405
    │   ├── VersionSoftDeletedError   40406
    │   ├── VersionNotSoftDeletedError   40407
    │   ├── NoSubjectConfigError      40408
    │   └── NoSubjectModeError        40409
    ├── IncompatibleSchemaError       409    a reader or writer would break
    ├── RefusedError                  422xx  the request itself is at fault
    │   ├── InvalidSchemaError        42201
    │   ├── InvalidVersionError       42202
    │   ├── InvalidCompatibilityLevelError   42203
    │   ├── InvalidModeError          42204
    │   ├── OperationNotPermittedError   42205
    │   ├── ReferenceExistsError      42206
    │   ├── InvalidSubjectError       42208
    │   ├── SchemaTooLargeError       42209
    │   ├── InvalidRuleSetError       42210
    │   └── ContextNotEmptyError      42211
    ├── StoreError                    50001  the log cannot be read or written
    │   ├── Conflict                         the position is taken: sync and decide again
    │   ├── StoreAwayError                   nobody answers there now; the HTTP status is 503
    │   ├── StoreBusyError                   another process holds the store for too long
    │   └── LogFormatError                   what was read is not a registry's log
    ├── WriteTimedOutError            50002  other writers won every position
    ├── NotReadyError                 503    the log does not answer in time, or was not read to its end
    ├── TransferError                        a log cannot be moved: see what differs; met by commands only
    ├── SettingsError                        a setting is wrong; met at start only
    └── ListenError                          the address is taken, or none of this machine's; at start only
"""

from typing import ClassVar


class RegistryError(Exception):
    """Any refusal or failure of the registry. `str()` is the message for the user."""

    code: ClassVar[int] = 500

    @property
    def status(self) -> int:
        """The HTTP status that goes with `code`."""
        return self.code if self.code < 1000 else self.code // 100


class NotFoundError(RegistryError):
    """What was asked for is not there."""

    code = 404


class SubjectNotFoundError(NotFoundError):
    """The subject has no version that the request may see."""

    code = 40401

    def __init__(self, subject: str) -> None:
        super().__init__(f"Subject '{subject}' not found.")


class VersionNotFoundError(NotFoundError):
    """The subject has no such version that the request may see."""

    code = 40402

    def __init__(self, version: int | str) -> None:
        super().__init__(f"Version {version} not found.")


class SchemaNotFoundError(NotFoundError):
    """No such id, or the subject does not hold the schema."""

    code = 40403

    def __init__(self, which: int | str | None = None) -> None:
        super().__init__("Schema not found" if which is None else f"Schema {which} not found")


class SubjectSoftDeletedError(NotFoundError):
    """A soft delete of what is soft-deleted already."""

    code = 40404

    def __init__(self, subject: str) -> None:
        super().__init__(
            f"Subject '{subject}' was soft deleted.Set permanent=true to delete permanently"
        )  # the missing space is Confluent's


class SubjectNotSoftDeletedError(NotFoundError):
    """A permanent delete needs a soft delete before it."""

    code = 40405

    def __init__(self, subject: str) -> None:
        super().__init__(f"Subject '{subject}' was not deleted first before being permanently deleted")


class VersionSoftDeletedError(NotFoundError):
    """A soft delete of a version that is soft-deleted already."""

    code = 40406

    def __init__(self, subject: str, version: int) -> None:
        super().__init__(
            f"Subject '{subject}' Version {version} was soft deleted.Set permanent=true to delete permanently"
        )


class VersionNotSoftDeletedError(NotFoundError):
    """A permanent delete of a version needs a soft delete before it."""

    code = 40407

    def __init__(self, subject: str, version: int) -> None:
        super().__init__(
            f"Subject '{subject}' Version {version} was not deleted first before being permanently deleted"
        )


class NoSubjectConfigError(NotFoundError):
    """The subject has no config of its own."""

    code = 40408

    def __init__(self, subject: str) -> None:
        super().__init__(f"Subject '{subject}' does not have subject-level compatibility configured")


class NoSubjectModeError(NotFoundError):
    """The subject has no mode of its own."""

    code = 40409

    def __init__(self, subject: str) -> None:
        super().__init__(f"Subject '{subject}' does not have subject-level mode configured")


class IncompatibleSchemaError(RegistryError):
    """The schema would break readers or writers of an earlier version.

    messages: the reasons, as section 3 of the reference shapes them.
    """

    code = 409

    def __init__(self, subject: str, messages: list[str]) -> None:
        self.messages = messages
        super().__init__(
            "Schema being registered is incompatible with an earlier schema for subject "
            f'"{subject}", details: [{", ".join(messages)}]'
        )


class RefusedError(RegistryError):
    """The request itself is at fault."""

    code = 422


class InvalidSchemaError(RefusedError):
    """The text is no schema, or names a reference that is not there."""

    code = 42201


class InvalidVersionError(RefusedError):
    """Not a version number that could exist, nor ``latest``."""

    code = 42202

    def __init__(self, version: int | str) -> None:
        super().__init__(
            f"The specified version '{version}' is not a valid version id. "
            'Allowed values are between [1, 2^31-1] and the string "latest"'
        )


class InvalidCompatibilityLevelError(RefusedError):
    """Not one of the seven levels."""

    code = 42203

    def __init__(self) -> None:
        super().__init__(
            "Invalid compatibility level. Valid values are none, backward, forward, full, "
            "backward_transitive, forward_transitive, and full_transitive"
        )


class InvalidModeError(RefusedError):
    """Not one of the modes."""

    code = 42204

    def __init__(self) -> None:
        super().__init__("Invalid mode. Valid values are READWRITE, READONLY, IMPORT and FORWARD.")


class OperationNotPermittedError(RefusedError):
    """The mode of the subject does not allow it, or an id already stands for something else."""

    code = 42205


class ReferenceExistsError(RefusedError):
    """Another schema refers to the version that was to be deleted."""

    code = 42206

    def __init__(self, subject: str, version: int) -> None:
        super().__init__(
            "One or more references exist to the schema "
            f"{{magic=1,keytype=SCHEMA,subject={subject},version={version}}}."
        )


class InvalidSubjectError(RefusedError):
    """A name that no subject may have."""

    code = 42208

    def __init__(self, subject: str) -> None:
        super().__init__(f"The specified subject '{subject}' is not a valid.")  # sic


class SchemaTooLargeError(RefusedError):
    """The schema's text is longer than the setting allows. Sizes in bytes of UTF-8."""

    code = 42209

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(
            f"Register operation failed because schema is too large: {size} bytes, and the limit is {limit} "
            "(FIVEBYTE_MAX_SCHEMA_BYTES)"
        )


class InvalidRuleSetError(RefusedError):
    """A rule without a name or a type, with the name of another, or of a mode that its phase has not."""

    code = 42210

    def __init__(self, why: str) -> None:
        super().__init__(f"Invalid rule set: {why}")


class ContextNotEmptyError(RefusedError):
    """A context that is to be deleted has a subject, live or soft-deleted."""

    code = 42211

    def __init__(self, context: str) -> None:
        super().__init__(f"The specified context '{context}' is not empty.")


class StoreError(RegistryError):
    """The log cannot be read or written. The message names the store and what to do."""

    code = 50001


class Conflict(StoreError):
    """The position is not the one after the head: another writer was faster."""

    def __init__(self, position: int) -> None:
        super().__init__(f"position {position} of the log is taken by another writer; read on and try again")


class StoreAwayError(StoreError):
    """The store does not answer. What was asked of it last may or may not have been done.

    It goes on by itself when the store is back, so the HTTP status is 503: try again.
    """

    @property
    def status(self) -> int:
        """503."""
        return 503


class StoreBusyError(StoreError):
    """Another process kept the store locked for longer than the busy timeout."""


class LogFormatError(StoreError):
    """What was read is not a registry's log, or one that only a newer release understands."""


class WriteTimedOutError(RegistryError):
    """Other writers won every position that this write tried to take."""

    code = 50002


class NotReadyError(RegistryError):
    """The log does not answer in time, or was not read to its end."""

    code = 503


class TransferError(RegistryError):
    """A log cannot be copied, exported or imported. The message says what stands in the way, and where."""


class SettingsError(RegistryError):
    """A setting is wrong. The message names it, its value and what is allowed."""


class ListenError(RegistryError):
    """The server cannot listen at its address. The message says why, and what to do."""
