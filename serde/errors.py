"""Everything that serde raises.

    SerdeError
    ├── SerializationError          a value that does not fit its schema, or has none
    ├── DeserializationError        a message that cannot be read; keeps its bytes
    │   └── FramingError            nothing says its schema: too short, another magic byte
    ├── InvalidSchema               text that is no Avro schema
    ├── InvalidClass                a class that Avro has no schema for, or that a schema does not go with
    ├── RegistryError               the registry answered with an error
    │   ├── Unauthorized            401, 403: it does not know who asks, or does not let them
    │   ├── NotFound                404
    │   │   ├── SubjectNotFound     40401
    │   │   ├── VersionNotFound     40402
    │   │   └── SchemaNotFound      40403: no schema has the id, or the subject does not have the schema
    │   ├── Incompatible            409: the schema would break readers
    │   ├── Refused                 422: no valid schema, level, version or operation
    │   └── RegistryBusy            429, 502, 503, 504: later, perhaps
    ├── MissingExtra                a part of fivebyte that was not installed (an ImportError, too)
    ├── RegistryUnreachable         no answer: no connection, too slow, closed early, or not a registry
    └── TokenError                  there is no token to show to the registry

A wrong argument is a plain ValueError or TypeError. What `to_dict` and
`from_dict` raise passes through as it is.
"""

from collections.abc import Sequence
from typing import Any, Final

_TRANSIENT: Final = frozenset({408, 425, 429, 500, 502, 503, 504})


class SerdeError(Exception):
    """The base of every error here. All of them can be pickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), self.args, self.__dict__)


class InvalidSchema(SerdeError):
    """Text that is no Avro schema.

    reason: what is wrong, without the place.
    path: JSON pointer to the fault in the text; "" is the whole.
    """

    def __init__(self, reason: str, path: str = "") -> None:
        self.reason = reason
        self.path = path
        super().__init__(reason, path)

    def __str__(self) -> str:
        return f"{self.reason} at {self.path}" if self.path else self.reason


class InvalidClass(SerdeError):
    """A class that has no Avro schema, or that does not go with the schema it was given with.

    reason: what is wrong. path: where in the class: ``Order.lines[].price``.
    """

    def __init__(self, reason: str, path: str = "") -> None:
        self.reason = reason
        self.path = path
        super().__init__(reason, path)

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}" if self.path else self.reason


class SerializationError(SerdeError):
    """A value that cannot be written.

    reason: what is wrong. path: where in the value (``order.lines[3].price``); "" is all of it.
    topic, subject: what it was to be written to. schema_id: the schema, None if it has no id yet.
    index: which of many values it is, from 0; None of a single one.
    """

    def __init__(
        self,
        reason: str,
        *,
        path: str = "",
        topic: str | None = None,
        subject: str | None = None,
        schema_id: int | None = None,
        index: int | None = None,
    ) -> None:
        self.reason = reason
        self.path = path
        self.index = index
        self.topic = topic
        self.subject = subject
        self.schema_id = schema_id
        super().__init__(reason)

    def __str__(self) -> str:
        where = f"topic {self.topic!r}" if self.topic is not None else ""
        if self.subject is not None:
            where = f"subject {self.subject!r}"
        return _placed([_number("value", self.index), where, _schema(self.schema_id)], self.path, self.reason)


class DeserializationError(SerdeError):
    """A message that cannot be read.

    reason: what is wrong. path: where in the value; "" is all of it.
    data: the message's bytes, whole, so that it can be put aside.
    topic, partition, offset: where it came from, as far as that was said. is_key: whether it is a message's
    key.
    schema_id, schema_guid: the writer's schema, whichever the message names; both None if unknown.
    index: which of many messages it is, from 0; None of a single one.
    """

    def __init__(
        self,
        reason: str,
        *,
        data: bytes,
        path: str = "",
        topic: str | None = None,
        partition: int | None = None,
        offset: int | None = None,
        is_key: bool = False,
        schema_id: int | None = None,
        schema_guid: str | None = None,
        index: int | None = None,
    ) -> None:
        self.reason = reason
        self.data = data
        self.index = index
        self.path = path
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.is_key = is_key
        self.schema_id = schema_id
        self.schema_guid = schema_guid
        super().__init__(reason)

    def __str__(self) -> str:
        about = [
            _number("message", self.index),
            f"topic {self.topic!r}" if self.topic is not None else "",
            f"partition {self.partition}" if self.partition is not None else "",
            f"offset {self.offset}" if self.offset is not None else "",
            "key" if self.is_key else "",
            _schema(self.schema_id if self.schema_guid is None else self.schema_guid),
        ]
        return _placed(about, self.path, self.reason)


class FramingError(DeserializationError):
    """A message that does not say its schema in one of Confluent's wire formats."""


class MissingExtra(SerdeError, ImportError):
    """Needs a part of fivebyte that was not installed; the message has the command that does."""


class RegistryError(SerdeError):
    """The registry answered with an error.

    status: the HTTP status. error_code: the registry's (40401, ...), the status if it gave none.
    message: the registry's words. url: what was asked. retry_after: the seconds after which it wants to be
    asked again; None if it did not say.
    """

    def __init__(
        self, status: int, error_code: int, message: str, url: str, *, retry_after: float | None = None
    ) -> None:
        self.status = status
        self.error_code = error_code
        self.message = message
        self.url = url
        self.retry_after = retry_after
        super().__init__(status, error_code, message, url)

    @property
    def is_transient(self) -> bool:
        """Whether the same call may succeed later, with nothing changed by the caller."""
        return self.status in _TRANSIENT

    def __str__(self) -> str:
        return f"{self.message} (error {self.error_code}, HTTP {self.status}, {self.url})"


class Unauthorized(RegistryError):
    """The registry does not know who asks (401), or does not let them do this (403)."""


class NotFound(RegistryError):
    """No such subject, version, schema or setting."""


class SubjectNotFound(NotFound):
    """No subject has the name, or none that is not deleted."""


class VersionNotFound(NotFound):
    """The subject has no such version, or it is deleted."""


class SchemaNotFound(NotFound):
    """The registry does not have a schema.

    schema_id: the id that was asked for; None if it was looked up by its text or its guid.
    """

    def __init__(
        self,
        status: int,
        error_code: int,
        message: str,
        url: str,
        *,
        retry_after: float | None = None,
        schema_id: int | None = None,
    ) -> None:
        super().__init__(status, error_code, message, url, retry_after=retry_after)
        self.schema_id = schema_id


class Incompatible(RegistryError):
    """The schema breaks the subject's compatibility level; `message` says where and why."""


class Refused(RegistryError):
    """The registry does not take the schema, the level, the version or the operation."""


class RegistryBusy(RegistryError):
    """The registry, or what stands before it, cannot answer now. It was asked again, within bounds."""


class RegistryUnreachable(SerdeError):
    """No registry answered.

    urls: all that were tried. reason: what the last one did. The cause is the
    error of the HTTP client, where there is one.
    """

    is_transient = True
    """Whether the same call may succeed later, with nothing changed by the caller."""

    def __init__(self, urls: Sequence[str], reason: str) -> None:
        self.urls = tuple(urls)
        self.reason = reason
        super().__init__(self.urls, reason)

    def __str__(self) -> str:
        return f"no schema registry at {', '.join(self.urls).removesuffix(':')}: {self.reason}"


class TokenError(SerdeError):
    """There is no token to show to the registry.

    reason: what the token's function or endpoint gave instead; never the token or the client's secret.
    is_transient: whether the same call may succeed later, with nothing changed by the caller.
    """

    def __init__(self, reason: str, *, is_transient: bool = False) -> None:
        self.reason = reason
        self.is_transient = is_transient
        super().__init__(reason)

    def __str__(self) -> str:
        return f"no token for the schema registry: {self.reason}"


def _restore(kind: type[SerdeError], args: tuple[Any, ...], state: dict[str, Any]) -> SerdeError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error


def _number(what: str, index: int | None) -> str:
    return f"{what} {index}" if index is not None else ""


def _schema(schema_id: int | str | None) -> str:
    return f"schema {schema_id}" if schema_id is not None else ""


def _placed(about: Sequence[str], path: str, reason: str) -> str:
    place = ", ".join(part for part in about if part)
    return ": ".join(part for part in (place, path, reason) if part)
