"""What the registry client takes and gives: plain, immutable values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Reference:
    """A schema that another one uses.

    name: the full name of the type that is used. subject, version: where it is registered.
    """

    name: str
    subject: str
    version: int


@dataclass(frozen=True, slots=True)
class Schema:
    """A schema as the registry keeps it.

    id: what messages carry. text: the canonical text, not the text that was sent.
    schema_type: ``AVRO``, ``JSON`` or ``PROTOBUF``. guid: None from a registry that has none.
    """

    id: int
    text: str
    references: tuple[Reference, ...] = ()
    schema_type: str = "AVRO"
    guid: str | None = None


@dataclass(frozen=True, slots=True)
class RegisteredSchema:
    """A schema as a version of a subject; the other fields are `Schema`'s."""

    subject: str
    version: int
    id: int
    text: str
    references: tuple[Reference, ...] = ()
    schema_type: str = "AVRO"
    guid: str | None = None


@dataclass(frozen=True, slots=True)
class Compatibility:
    """The verdict on a schema. messages: why not, in the registry's words; empty if compatible."""

    is_compatible: bool
    messages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of a subject, or of all.

    compatibility: the level (``BACKWARD``, ...), None if it is not set here.
    properties: everything the registry said, by its own names.
    """

    compatibility: str | None
    properties: Mapping[str, Any]
