"""Avro: parsing, canonical text and compatibility, equal to Java Avro 1.12.

``AVRO`` is the language; the rest of the registry needs nothing else of this folder.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from registry.languages.avro.canonical import canonical
from registry.languages.avro.compatibility import compare
from registry.languages.avro.parser import parse
from registry.languages.avro.schema import Schema
from registry.languages.language import Finding, ParsedSchema, ReferencedSchema

__all__ = ["AVRO", "AvroSchema"]


@dataclass(frozen=True, slots=True, eq=False)
class AvroSchema:
    """A parsed Avro schema.

    canonical: Java's ``Schema.toString()``, with types from references named, not spelt out.
    name: the full name of a record, enum or fixed; else the type (``string``, ``array``, ``union``).
    root: the type graph.
    """

    canonical: str
    name: str
    root: Schema


class _Avro:
    """The Avro language (`registry.languages.language.Language`)."""

    type_name = "AVRO"

    def parse(
        self, text: str, references: Sequence[ReferencedSchema] = (), *, strict: bool = True
    ) -> AvroSchema:
        root, referenced = parse(text, references, strict=strict)
        return AvroSchema(canonical(root, referenced), root.type_name, root)

    def compare(self, reader: ParsedSchema, writer: ParsedSchema) -> list[Finding]:
        if not isinstance(reader, AvroSchema) or not isinstance(writer, AvroSchema):
            raise TypeError("only two Avro schemas can be compared here")
        return compare(reader.root, writer.root)


AVRO = _Avro()
