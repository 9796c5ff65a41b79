"""Avro schema text into a tree of nodes, with the names resolved.

The registry has already checked a schema when it took it; this parser reads
what a codec needs and refuses what a codec cannot work with. Types may be used
before they are defined, and a referenced text's types may be used by name.
Source: Avro 1.12 specification, "Schema Declaration" and "Names".
"""

import json
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from serde import arguments
from serde.codec.fault import closest
from serde.codec.objects import Make
from serde.errors import InvalidSchema

_COMPLEX: Final = frozenset({"array", "map", "enum", "fixed", "record"})
_LARGEST: Final = (1 << 31) - 1
"""The bytes of the largest fixed; its size is an int in Java."""

PRIMITIVES: Final = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})
MISSING: Final = object()
TOO_DEEP: Final = "the schema is nested too deep"


@dataclass(frozen=True, slots=True)
class Logical:
    """A logical type: its name and, for a decimal, its size in digits."""

    name: str
    precision: int = 0
    scale: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Primitive:
    """make: what a value that was read is put through; None of a schema that no class is joined to.

    So too `Enum.members`, what each symbol is read as, `Array.make` and `Record.make`; and `Union.hints`,
    whether a tuple may name a branch. See `serde.classes`.
    """

    kind: str
    logical: Logical | None = None
    make: Callable[[Any], Any] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Fixed:
    name: str
    aliases: frozenset[str]
    size: int
    logical: Logical | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Enum:
    name: str
    aliases: frozenset[str]
    symbols: tuple[str, ...]
    default: str | None = None
    members: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Array:
    items: "Node"
    make: Callable[[list[Any]], Any] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Map:
    values: "Node"


@dataclass(frozen=True, slots=True, eq=False)
class Union:
    branches: tuple["Node", ...]
    hints: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """default: the JSON value in the schema, or MISSING."""

    name: str
    type: "Node"
    default: Any
    aliases: tuple[str, ...]


@dataclass(slots=True, eq=False)
class Record:
    """`fields` is filled after the record is made: a record may hold itself."""

    name: str
    aliases: frozenset[str]
    fields: tuple[Field, ...] = field(default=(), repr=False)
    make: Make | None = None


Node: TypeAlias = Primitive | Fixed | Enum | Array | Map | Union | Record
Named: TypeAlias = Fixed | Enum | Record


@dataclass(frozen=True, slots=True, eq=False)
class AvroSchema:
    """A parsed schema. Immutable; use it from any thread."""

    root: Node

    @property
    def full_name(self) -> str | None:
        """The full name of a record, enum or fixed; None of any other type."""
        return self.root.name if isinstance(self.root, Named) else None


def parse_schema(text: str, references: Iterable[str] = (), *, raw: Collection[str] = ()) -> AvroSchema:
    """Parse schema text.

    references: texts of the schemas whose types it uses, what a text needs before the text itself.
    raw: names of logical types to leave out: their values are written and read as they are stored.

    Raises InvalidSchema: not JSON, no schema, an unknown type, a name defined twice; TypeError for no text.
    """
    parser = _Parser(frozenset(raw))
    try:
        for reference in references:
            parser.parse(_from_json(reference, "a referenced schema"))
        return AvroSchema(parser.parse(_from_json(text, "the schema")))
    except RecursionError:
        raise InvalidSchema(TOO_DEEP) from None


def type_name(node: Node) -> str:
    """The name by which a union's branch is chosen: the full name, or the type's."""
    match node:
        case Primitive():
            return node.kind
        case Fixed() | Enum() | Record():
            return node.name
        case _:
            return type(node).__name__.lower()


def _from_json(text: str, what: str) -> Any:
    arguments.text(text)
    try:
        text.encode()
        return json.loads(text)
    except UnicodeEncodeError as error:
        raise InvalidSchema(
            f"{what} is no valid Unicode: {error.reason} at character {error.start}"
        ) from None
    except ValueError as error:
        raise InvalidSchema(f"{what} is not JSON: {error}{_meant(text.strip())}") from None


def _meant(text: str) -> str:
    """What somebody may have meant by text that is not JSON."""
    if text in PRIMITIVES:
        return f"""; the type itself is '"{text}"'"""
    if text.endswith((".avsc", ".json", ".avdl")) and len(text.splitlines()) == 1:
        return "; it seems to be a file's name: give what is in the file"
    return ""


class _Parser:
    """Two passes over each text: the names it defines, then what they mean."""

    def __init__(self, raw: frozenset[str]) -> None:
        self._raw = raw
        self._named: dict[str, Named] = {}

    def parse(self, schema: Any) -> Node:
        self._declare(schema, "", "")
        return self._build(schema, "", "")

    def _declare(self, schema: Any, namespace: str, at: str) -> None:
        """Make a shell for each record, and the whole of each enum and fixed."""
        if isinstance(schema, list):
            for index, branch in enumerate(schema):
                self._declare(branch, namespace, f"{at}/{index}")
            return
        if not isinstance(schema, dict):
            return
        kind = schema.get("type")
        if not isinstance(kind, str):
            self._declare(kind, namespace, f"{at}/type")
        elif kind in {"record", "error", "enum", "fixed"}:
            name = _full_name(schema, namespace, at)
            if name in self._named:
                raise InvalidSchema(f"the type {name} is defined twice", at)
            self._named[name] = _shell(kind, name, schema, self._raw, at)
            namespace = name.rpartition(".")[0]
            fields = _list(schema, "fields", at) if kind in {"record", "error"} else []
            for index, item in enumerate(fields):
                where = f"{at}/fields/{index}"
                self._declare(_get(item, "type", where), namespace, f"{where}/type")
        elif kind == "array":
            self._declare(schema.get("items"), namespace, f"{at}/items")
        elif kind == "map":
            self._declare(schema.get("values"), namespace, f"{at}/values")

    def _build(self, schema: Any, namespace: str, at: str) -> Node:
        if isinstance(schema, str):
            return self._by_name(schema, namespace, at)
        if isinstance(schema, list):
            return Union(tuple(self._build(s, namespace, f"{at}/{n}") for n, s in enumerate(schema)))
        kind = _get(schema, "type", at)
        if not isinstance(kind, str):
            return self._build(kind, namespace, f"{at}/type")
        if kind in PRIMITIVES:
            return Primitive(kind, _logical(schema, kind, self._raw))
        if kind == "array":
            return Array(self._build(_get(schema, "items", at), namespace, f"{at}/items"))
        if kind == "map":
            return Map(self._build(_get(schema, "values", at), namespace, f"{at}/values"))
        if kind not in {"record", "error", "enum", "fixed"}:
            return self._by_name(kind, namespace, f"{at}/type")
        node = self._named[_full_name(schema, namespace, at)]
        if isinstance(node, Record):
            node.fields = self._fields(node, schema["fields"], f"{at}/fields")
        return node

    def _fields(self, record: Record, fields: Sequence[Any], at: str) -> tuple[Field, ...]:
        namespace = record.name.rpartition(".")[0]
        built: dict[str, Field] = {}
        for index, item in enumerate(fields):
            # Interned, as are names in a program: to find one in a dict is then to compare pointers.
            name = sys.intern(_text(item, "name", f"{at}/{index}"))
            if name in built:
                raise InvalidSchema(f"{record.name} has two fields {name!r}", f"{at}/{index}")
            built[name] = Field(
                name,
                self._build(item["type"], namespace, f"{at}/{index}/type"),
                item.get("default", MISSING),
                _names(item, "aliases", f"{at}/{index}"),
            )
        return tuple(built.values())

    def _by_name(self, name: str, namespace: str, at: str) -> Node:
        if name in PRIMITIVES:
            return Primitive(name)
        node = self._named.get(f"{namespace}.{name}") if namespace and "." not in name else None
        node = node or self._named.get(name)
        if node is None:
            raise InvalidSchema(f'unknown type "{name}"{_hint(name, self._named)}', at)
        return node


def _hint(name: str, named: Collection[str]) -> str:
    """What somebody may have meant by the name of a type that there is not."""
    if name in _COMPLEX:
        return f': an object of its own says what it holds, {{"type": {{"type": "{name}", ...}}}}'
    meant = closest(name, (*named, *PRIMITIVES))
    return "" if meant is None else f' (did you mean "{meant}"?)'


def _shell(kind: str, name: str, schema: dict[str, Any], raw: frozenset[str], at: str) -> Named:
    namespace = name.rpartition(".")[0]
    aliases = frozenset(
        alias if "." in alias or not namespace else f"{namespace}.{alias}"
        for alias in _names(schema, "aliases", at)
    )
    if kind == "enum":
        _list(schema, "symbols", at)
        return Enum(name, aliases, _names(schema, "symbols", at), schema.get("default"))
    if kind == "fixed":
        size = _get(schema, "size", at)
        if type(size) is not int or not 0 <= size <= _LARGEST:
            raise InvalidSchema(f"the size of {name} must be a whole number, not {size!r}", at)
        return Fixed(name, aliases, size, _logical(schema, kind, raw))
    return Record(name, aliases)


def _full_name(schema: dict[str, Any], namespace: str, at: str) -> str:
    name = _text(schema, "name", at)
    if "." in name:
        return name.removeprefix(".")
    given = schema.get("namespace", namespace)
    return f"{given}.{name}" if given else name


def _logical(schema: dict[str, Any], kind: str, raw: frozenset[str]) -> Logical | None:
    """The logical type, or None where it is not valid: the specification says to ignore it then."""
    name = schema.get("logicalType")
    if not isinstance(name, str) or name in raw:
        return None
    if name != "decimal":
        return Logical(name)
    precision, scale = schema.get("precision"), schema.get("scale", 0)
    if type(precision) is not int or type(scale) is not int or kind not in {"bytes", "fixed"}:
        return None
    if precision < 1 or not 0 <= scale <= precision:
        return None
    return Logical(name, precision, scale)


def _get(schema: Any, key: str, at: str) -> Any:
    if not isinstance(schema, dict):
        raise InvalidSchema(f"expected a schema, got {json.dumps(schema)}", at)
    if key not in schema:
        raise InvalidSchema(f'"{key}" is missing', at)
    return schema[key]


def _text(schema: Any, key: str, at: str) -> str:
    value = _get(schema, key, at)
    if not isinstance(value, str) or not value:
        raise InvalidSchema(f'"{key}" must be a string', at)
    return value


def _names(schema: Any, key: str, at: str) -> tuple[str, ...]:
    """A list of names, which need not be there."""
    found = schema.get(key, [])
    if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
        raise InvalidSchema(f'"{key}" must be an array of strings', at)
    return tuple(found)


def _list(schema: Any, key: str, at: str) -> list[Any]:
    value = _get(schema, key, at)
    if not isinstance(value, list):
        raise InvalidSchema(f'"{key}" must be an array', at)
    return value
