"""The Avro type graph.

A schema is made of nodes that compare by identity: a named type is one node
however often it is named, and a recursive type refers to itself. The parser
builds the nodes; nobody changes them afterwards.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

MISSING: object = object()
"""The default of a field that has none (None is the default ``null``)."""

PRIMITIVES = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})

TYPE_NAMES = PRIMITIVES | {"record", "enum", "array", "map", "union", "fixed"}


@dataclass(slots=True, eq=False)
class Name:
    """A name and the namespace it is in; `namespace` is None for the empty one."""

    simple: str
    namespace: str | None

    @classmethod
    def of(cls, name: str, namespace: str | None) -> "Name":
        """`name` as written where `namespace` is in force: its own dots, if it has any, decide."""
        own, dot, simple = name.rpartition(".")
        return cls(simple, (own if dot else namespace) or None)

    @property
    def full(self) -> str:
        """``namespace.simple``, or `simple` alone in the empty namespace."""
        return f"{self.namespace}.{self.simple}" if self.namespace else self.simple

    def within(self, namespace: str | None) -> str:
        """The shortest form that still means this name where `namespace` is in force."""
        if self.namespace is not None and self.namespace == namespace and self.simple not in TYPE_NAMES:
            return self.simple
        return self.full


@dataclass(slots=True, eq=False)
class Schema:
    """A node. `type` is Avro's word for it; `props` are the attributes the specification does not know."""

    type: str
    props: Mapping[str, object]

    @property
    def type_name(self) -> str:
        """The full name of a named type, else `type`: what must differ between the branches of a union."""
        return self.type


@dataclass(slots=True, eq=False)
class Primitive(Schema):
    """null, boolean, int, long, float, double, bytes or string."""


@dataclass(slots=True, eq=False)
class Array(Schema):
    """An array of `items`."""

    items: Schema


@dataclass(slots=True, eq=False)
class Map(Schema):
    """A map from strings to `values`."""

    values: Schema


@dataclass(slots=True, eq=False)
class Union(Schema):
    """One of several `branches`."""

    branches: list[Schema]


@dataclass(slots=True, eq=False)
class Named(Schema):
    """A type with a name, by which it is known from there on."""

    name: Name
    doc: str | None
    aliases: list[Name]

    @property
    def type_name(self) -> str:
        return self.name.full


@dataclass(slots=True, eq=False)
class Enum(Named):
    """One of `symbols`; readers take `default` for a symbol they don't know."""

    symbols: list[str]
    default: str | None


@dataclass(slots=True, eq=False)
class Fixed(Named):
    """`size` bytes."""

    size: int


@dataclass(slots=True, eq=False)
class Field:
    """A field of a record. `default` is JSON, or MISSING."""

    name: str
    schema: Schema
    doc: str | None
    default: object
    order: str
    aliases: list[str]
    props: Mapping[str, object]

    @property
    def has_default(self) -> bool:
        return self.default is not MISSING


@dataclass(slots=True, eq=False)
class Record(Named):
    """Named fields in order. ``type`` is "record" for an error too; `is_error` tells them apart."""

    is_error: bool
    fields: list[Field] = field(default_factory=list)
    by_name: dict[str, Field] = field(default_factory=dict)
    plain: dict[str, str] | None = None
    """What comparing finds out about the fields once, and keeps here."""


@dataclass(slots=True, eq=False)
class Unresolved(Schema):
    """A name whose type has not been met yet; the parser replaces it before it is done."""

    full_name: str
    path: str
