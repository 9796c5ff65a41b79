"""The errors of this face, which are serde's too.

    serde.SerdeError
    ├── serde.RegistryError
    │   └── SchemaRegistryError     the registry answered with an error
    ├── OAuthTokenError             also a serde.TokenError
    └── SerializationError          also a ValueError: a value or a message is at fault
        ├── WriteError              also a serde.SerializationError
        │   └── NotRegistered       also a SchemaRegistryError: there is no schema to write with
        └── ReadError               also a serde.DeserializationError: it keeps the message
            └── UnknownSchema       also a SchemaRegistryError: the registry does not have the writer's schema

RegistryUnreachable and InvalidSchema are `serde`'s own.
"""

from typing import Final, TypeVar

from serde import errors


class SchemaRegistryError(errors.RegistryError):
    """The registry answered with an error."""

    UNKNOWN = -1

    def __init__(
        self, http_status_code: int, error_code: int, error_message: str, url: str = "", **more: float | None
    ) -> None:
        super().__init__(http_status_code, error_code, error_message, url, **more)
        self.http_status_code = http_status_code
        self.error_message = error_message

    def __str__(self) -> str:
        return f"{self.error_message} (HTTP status code {self.http_status_code}, SR code {self.error_code})"

    def __repr__(self) -> str:
        return str(self)


class OAuthTokenError(errors.TokenError):
    """There is no token to show to the registry."""

    def __init__(
        self, message: str, status_code: int | None = None, response_text: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status_code = status_code
        self.response_text = response_text


class SerializationError(errors.SerdeError, ValueError):
    """A value that cannot be written, or a message that cannot be read."""


class WriteError(SerializationError, errors.SerializationError):
    """A value that cannot be written: see `serde.SerializationError`."""


class NotRegistered(WriteError, SchemaRegistryError):
    """The registry has no schema to write with."""

    __str__ = WriteError.__str__


class ReadError(SerializationError, errors.DeserializationError):
    """A message that cannot be read: see `serde.DeserializationError`."""


class UnknownSchema(ReadError, SchemaRegistryError):
    """The registry does not have the schema that a message names."""

    __str__ = ReadError.__str__


E = TypeVar("E", bound=errors.SerdeError)

_KEYS: Final = (
    ("auto_register=True", "auto.register.schemas"),
    ("use_latest=True", "use.latest.version"),
    ("subject_strategy", "subject.name.strategy"),
    (
        "with ignore_rules=True they are left out",
        "serde.AvroSerializer(..., ignore_rules=True) leaves them out",
    ),
    ("raw_logical_types would", "serde.AvroDeserializer's raw_logical_types would"),
)
"""What `serde` calls its options in messages, and what is there in this face."""


def theirs(error: errors.SerdeError) -> errors.SerdeError:
    """The error as one of this face, with all that it says; itself where there is none for it."""
    cause = error.__cause__
    match error:
        case errors.SerializationError():
            return _of(error, NotRegistered if isinstance(cause, errors.RegistryError) else WriteError, cause)
        case errors.DeserializationError():
            return _of(error, UnknownSchema if isinstance(cause, errors.RegistryError) else ReadError, cause)
        case errors.RegistryError():
            return _of(error, SchemaRegistryError, error)
        case errors.TokenError():
            token = _of(error, OAuthTokenError, None)
            token.message, token.status_code, token.response_text = error.reason, None, None
            return token
    return error


def _of(error: errors.SerdeError, kind: type[E], answer: BaseException | None) -> E:
    made = kind.__new__(kind, *error.args)
    if isinstance(answer, errors.RegistryError):
        made.__dict__.update(answer.__dict__)
        made.__dict__.update(http_status_code=answer.status, error_message=answer.message)
    made.__dict__.update(error.__dict__)
    if isinstance(error, errors.SerializationError | errors.DeserializationError):
        for option, key in _KEYS:
            made.__dict__["reason"] = made.__dict__["reason"].replace(option, key)
    made.__cause__ = error.__cause__
    made.__suppress_context__ = True
    return made
