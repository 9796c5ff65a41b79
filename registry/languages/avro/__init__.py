"""Avro: parsing, canonical text and compatibility, equal to Java Avro 1.12.

``AVRO`` is the language; the rest of the registry needs nothing else of this folder.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from registry.languages.avro.canonical import canonical
from registry.languages.avro.compatibility import compare
from registry.languages.avro.normalized import normalized
from registry.languages.avro.parser import parse
from registry.languages.avro.schema import Record, Schema
from registry.languages.avro.tags import inline_tags, taggable, with_tags
from registry.languages.language import Finding, ParsedSchema, ReferencedSchema, SchemaEntity

__all__ = ["AVRO", "AvroSchema"]


@dataclass(frozen=True, eq=False)
class AvroSchema:
    """A parsed Avro schema.

    name: the full name of a record, enum or fixed; else the type (``string``, ``array``, ``union``).
    root: the type graph.
    references: the type graphs of its references.
    """

    name: str
    root: Schema
    references: tuple[Schema, ...] = ()

    @cached_property
    def canonical(self) -> str:
        """Java's ``Schema.toString()``, with types from references named, not spelt out.

        Raises SchemaFault where it would nest too deep to be read back.
        """
        return canonical(self.root, self.references)


class _Avro:
    """The Avro language (`registry.languages.language.Language`)."""

    type_name = "AVRO"

    def parse(
        self, text: str, references: Sequence[ReferencedSchema] = (), *, strict: bool = True
    ) -> AvroSchema:
        root, referenced = parse(text, references, strict=strict)
        return AvroSchema(root.type_name, root, tuple(referenced))

    def compare(self, reader: ParsedSchema, writer: ParsedSchema) -> list[Finding]:
        return compare(_avro(reader).root, _avro(writer).root)

    def normalize(self, schema: ParsedSchema) -> str:
        return normalized(_avro(schema).root, _avro(schema).references)

    def resolved(self, schema: ParsedSchema) -> str:
        return canonical(_avro(schema).root)

    def tags(self, schema: ParsedSchema) -> dict[SchemaEntity, tuple[str, ...]]:
        return inline_tags(_avro(schema).root)

    def taggable(self, schema: ParsedSchema, entities: Iterable[SchemaEntity]) -> frozenset[SchemaEntity]:
        return taggable(_avro(schema).root, _avro(schema).references, entities)

    def with_tags(
        self,
        schema: ParsedSchema,
        add: Mapping[SchemaEntity, Sequence[str]],
        remove: Mapping[SchemaEntity, Sequence[str]],
    ) -> str:
        return with_tags(_avro(schema).root, _avro(schema).references, add, remove)

    def field_names(self, schema: ParsedSchema) -> frozenset[str]:
        root = _avro(schema).root
        return frozenset(root.by_name) if isinstance(root, Record) else frozenset()


def _avro(schema: ParsedSchema) -> AvroSchema:
    if not isinstance(schema, AvroSchema):
        raise TypeError("only Avro schemas can be worked on here")
    return schema


AVRO = _Avro()
