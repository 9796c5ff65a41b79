"""Classes in place of dicts: dataclasses, pydantic models, attrs classes and TypedDicts.

    marks.py      what a hint does not say: names, sizes, aliases
    kinds.py      the fields of each kind of class        hints.py    the types of their hints
    derive.py     a class into a schema                   schemas.py  its text, with the defaults
    shapes.py     what the codec writes of an object      makes.py    how it makes one
    bind.py       a schema joined to a class

A serializer takes instances wherever its schema has a record; given a class in
place of a schema, it derives the schema, and a deserializer gives instances.
"""

from serde.classes.bind import bind
from serde.classes.marks import (
    AvroField,
    AvroType,
    BigDecimal,
    DatetimeMillis,
    Digits,
    Fixed,
    Float32,
    Int32,
    LocalDatetime,
    Named,
    TimeMillis,
)
from serde.classes.schemas import schema_of
from serde.classes.shapes import shape_of

__all__ = [
    "AvroField",
    "AvroType",
    "BigDecimal",
    "DatetimeMillis",
    "Digits",
    "Fixed",
    "Float32",
    "Int32",
    "LocalDatetime",
    "Named",
    "TimeMillis",
    "bind",
    "schema_of",
    "shape_of",
]
