"""What the registry asks of a schema language.

A language turns text into a `ParsedSchema` and knows how to compare two of
them. It does no I/O and keeps no state: referenced schemas are handed to it as
text, already resolved. ``avro/`` is the first; JSON Schema and Protobuf
follow the same protocol.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason why data of a writer schema cannot be read with a reader schema.

    kind: the stable name of the rule, as Java Avro names it (``TYPE_MISMATCH``, ...).
    path: a JSON pointer into the reader schema (``/fields/2/type``; ``/`` is the root).
    detail: what was met there, in Java Avro's words
        (``reader type: INT not compatible with writer type: STRING``).
    description: one sentence with ``{reader}`` and ``{writer}`` still to be filled ("new", "old").
    """

    kind: str
    path: str
    detail: str
    description: str


@dataclass(frozen=True, slots=True)
class ReferencedSchema:
    """A schema that another one names: the reference's name and the text it stands for.

    Sequences of these are in dependency order: what a text needs comes before it.
    """

    name: str
    text: str


RECORD_ENTITY = "sr_record"
FIELD_ENTITY = "sr_field"


@dataclass(frozen=True, slots=True, order=True)
class SchemaEntity:
    """A part of a schema that can carry tags: what Confluent's JSON calls entityPath and entityType.

    path: for Avro the full name of a record, and behind it a field's (``com.shop.Order.id``).
        A dot in front is ignored.
    type: RECORD_ENTITY or FIELD_ENTITY, spelt as in Confluent's JSON: in small letters.
    """

    path: str
    type: str


class SchemaFault(Exception):
    """The text is not a schema of the language.

    message: what is wrong, without the position.
    path: JSON pointer to the faulty element in the text, "" for the whole.
    line, column: where that element starts, from 1; 0 where the text has no positions to tell.

    ``str()`` gives all of it: ``unknown type "strin" at /fields/2/type (line 5, column 31)``.
    """

    def __init__(self, message: str, *, path: str = "", line: int = 0, column: int = 0) -> None:
        self.message = message
        self.path = path
        self.line = line
        self.column = column
        super().__init__(message, path, line, column)

    def __str__(self) -> str:
        place = f" at {self.path}" if self.path else ""
        position = f" (line {self.line}, column {self.column})" if self.line else ""
        return f"{self.message}{place}{position}"


class ParsedSchema(Protocol):
    """A schema of some language, parsed and immutable."""

    @property
    def canonical(self) -> str:
        """The text by which the registry identifies, stores and returns the schema.

        It is worked out when it is asked for. Raises SchemaFault where it would nest too deep.
        """

    @property
    def name(self) -> str:
        """The full name of the type it defines, or the name of the unnamed type (``string``, ``array``)."""


class Language(Protocol):
    """A schema language."""

    @property
    def type_name(self) -> str:
        """As in the registry's ``schemaType``: ``AVRO``."""

    def parse(
        self, text: str, references: Sequence[ReferencedSchema] = (), *, strict: bool = True
    ) -> ParsedSchema:
        """Parse `text`, which may use the types that `references` define.

        strict: also check names and default values, as for a schema that is new
        to the registry. Stored schemas are parsed without.

        Raises SchemaFault.
        """

    def compare(self, reader: ParsedSchema, writer: ParsedSchema) -> list[Finding]:
        """Everything that stops `reader` from reading data of `writer`; empty if nothing does.

        Both must come from this language's `parse`.

        Raises SchemaFault where they are too large to be compared.
        """

    def normalize(self, schema: ParsedSchema) -> str:
        """The text that ``normalize=true`` registers for it (reference, 4.3).

        Two texts that differ only in what has no meaning give one. It is
        canonical: parsed and printed again, it stays as it is.

        Raises SchemaFault where it would nest too deep to be read back.
        """

    def resolved(self, schema: ParsedSchema) -> str:
        """Its text with the types of its references spelt out, so that it needs none (``format=resolved``).

        Raises SchemaFault where that would nest too deep to be read back.
        """

    def tags(self, schema: ParsedSchema) -> dict[SchemaEntity, tuple[str, ...]]:
        """The inline tags of what has some, types of its references too; in the order of the schema.

        Raises SchemaFault where there are too many to be listed.
        """

    def taggable(self, schema: ParsedSchema, entities: Iterable[SchemaEntity]) -> frozenset[SchemaEntity]:
        """Those of `entities` that `with_tags` can tag: its text spells them out, not its references."""

    def with_tags(
        self,
        schema: ParsedSchema,
        add: Mapping[SchemaEntity, Sequence[str]],
        remove: Mapping[SchemaEntity, Sequence[str]],
    ) -> str:
        """The canonical text with inline tags added, and then removed.

        Raises SchemaFault for an entity that the text has not: types of its references are not in it.
        """

    def field_names(self, schema: ParsedSchema) -> frozenset[str]:
        """The top-level fields, which may not have the names that ``confluent:reserved`` lists."""
