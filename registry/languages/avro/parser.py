"""JSON text to the Avro type graph, by the rules of Java Avro 1.12.

What Java accepts is accepted, down to a name used before its definition and a
type defined twice in the same way; what it refuses is refused, with the path,
line and column of the fault.
"""

from collections.abc import Callable, Sequence
from functools import partial

from registry.languages.avro import json_text
from registry.languages.avro.attributes import (
    NO_PROPS,
    alias_texts,
    article,
    excerpt,
    number,
    optional_text,
    order,
    props,
    required,
)
from registry.languages.avro.canonical import structure
from registry.languages.avro.defaults import Defaults
from registry.languages.avro.schema import (
    MISSING,
    PRIMITIVES,
    Array,
    Enum,
    Field,
    Fixed,
    Map,
    Name,
    Named,
    Primitive,
    Record,
    Schema,
    Union,
    Unresolved,
)
from registry.languages.language import ReferencedSchema, SchemaFault

MAX_FIXED_SIZE = 2**31 - 1 - 8
"""The largest ``size`` of a fixed: what an array may hold in Java."""

_SCHEMA_RESERVED = frozenset(
    {"doc", "fields", "items", "name", "namespace", "size", "symbols", "values", "type", "aliases"}
)
_ENUM_RESERVED = _SCHEMA_RESERVED | {"default"}
_FIELD_RESERVED = frozenset({"default", "doc", "name", "order", "type", "aliases"})


def parse(
    text: str, references: Sequence[ReferencedSchema] = (), *, strict: bool = True
) -> tuple[Schema, list[Schema]]:
    """The type graph of `text`, and those of its `references`, whose types it may name.

    strict: names are checked against Avro's grammar, and defaults against their types.

    Raises SchemaFault.
    """
    parser = _Parser(strict=False)
    referenced = []
    for reference in references:
        try:
            referenced.append(parser.parse(reference.text))
        except SchemaFault as fault:
            raise SchemaFault(f'in the referenced schema "{reference.name}": {fault}') from fault
    parser.strict = strict
    return parser.parse(text), referenced


def parse_located(
    text: str, references: Sequence[ReferencedSchema] = (), *, strict: bool = True
) -> tuple[Schema, list[Schema], dict[int, tuple[int, str]]]:
    """As `parse`, and where each type was spelt out: by the ``id`` of its node, the number of the
    text (its place among `references`, or their number for `text`) and the JSON pointer into it.

    Primitive types are not among them: they are where something uses them.
    """
    places: dict[int, tuple[int, str]] = {}
    parser = _Parser(strict=False, places=places)
    referenced = []
    for reference in references:
        referenced.append(parser.parse(reference.text))
        parser.number += 1
    parser.strict = strict
    return parser.parse(text), referenced, places


class _Parser:
    """Parses texts one after another; each may use the named types of those before it.

    places: where it notes the places of nodes; see `parse_located`. number: of the text that comes next.
    """

    def __init__(self, *, strict: bool, places: dict[int, tuple[int, str]] | None = None) -> None:
        self.strict = strict
        self.number = 0
        self._places = places
        self._types: dict[str, Named] = {}
        self._open: dict[str, Record] = {}  # records whose fields are being parsed
        self._unresolved: list[tuple[Unresolved, Callable[[Schema], None]]] = []
        self._unions: list[tuple[Union, str]] = []
        self._defaults: list[tuple[Field, str]] = []

    def parse(self, text: str) -> Schema:
        value = json_text.read(text)
        try:
            root = self._schema(value, None, "")
            self._finish(root)
        except SchemaFault as fault:
            line, column = json_text.locate(text, json_text.tokens(fault.path))
            raise SchemaFault(fault.message, path=fault.path, line=line, column=column) from None
        return root

    def _finish(self, root: Schema) -> None:
        """What can be decided only when every name has its type."""
        if isinstance(root, Unresolved):
            raise SchemaFault(_unknown(root.full_name), path=root.path)
        unresolved, self._unresolved = self._unresolved, []
        for name, place in unresolved:
            if name.full_name not in self._types:
                raise SchemaFault(_unknown(name.full_name), path=name.path)
            place(self._types[name.full_name])
        unions, self._unions = self._unions, []
        for union, path in unions:
            _check_branches(union, path)
        defaults, self._defaults = self._defaults, []
        if self.strict:
            checker = Defaults()
            for field, path in defaults:
                checker.check(field, path)

    def _schema(self, value: object, namespace: str | None, path: str) -> Schema:
        if isinstance(value, str):
            return self._named(value, namespace, path)
        if isinstance(value, dict):
            return self._object(value, namespace, path)
        if isinstance(value, list):
            return self._union(value, namespace, path)
        raise SchemaFault(
            f"not a schema: {excerpt(value)}; expected the name of a type, an object or an array", path=path
        )

    def _named(self, name: str, namespace: str | None, path: str) -> Schema:
        if name in PRIMITIVES:
            return Primitive(name, NO_PROPS)
        full = f"{namespace}.{name}" if namespace and "." not in name else name
        # A bare name falls back to the empty namespace, but only to a type already complete: Java's rule.
        known = self._types.get(full) or self._open.get(full) or self._types.get(name)
        return known or Unresolved("unresolved", NO_PROPS, full, path)

    def _located(self, schema: Schema, path: str) -> None:
        if self._places is not None:
            self._places[id(schema)] = self.number, path

    def _placed(self, schema: Schema, place: Callable[..., None], *where: object) -> None:
        """Note where `schema` was put: if it is a name that has no type yet, its type goes there."""
        if isinstance(schema, Unresolved):
            self._unresolved.append((schema, partial(place, *where)))

    def _object(self, value: dict[str, object], namespace: str | None, path: str) -> Schema:
        type_ = value.get("type")
        if not isinstance(type_, str):
            wrong = (
                "has no type" if "type" not in value else f"has a type that is no string: {excerpt(type_)}"
            )
            raise SchemaFault(f"the schema {wrong}", path=f"{path}/type" if "type" in value else path)
        if type_ in PRIMITIVES:
            return Primitive(type_, props(value, _SCHEMA_RESERVED))
        match type_:
            case "record" | "error":
                return self._record(value, namespace, path)
            case "enum":
                return self._enum(value, namespace, path)
            case "fixed":
                return self._fixed(value, namespace, path)
            case "array":
                items = self._schema(required(value, "items", type_, path), namespace, f"{path}/items")
                array = Array("array", props(value, _SCHEMA_RESERVED), items)
                self._located(array, path)
                self._placed(items, setattr, array, "items")
                return array
            case "map":
                values = self._schema(required(value, "values", type_, path), namespace, f"{path}/values")
                map_ = Map("map", props(value, _SCHEMA_RESERVED), values)
                self._located(map_, path)
                self._placed(values, setattr, map_, "values")
                return map_
            case _:  # {"type": "some.Name"}: the attributes beside it are lost, as in Java up to 1.12.1
                return self._named(type_, namespace, f"{path}/type")

    def _union(self, value: list[object], namespace: str | None, path: str) -> Union:
        plain: list[Schema] = [
            Primitive(item, NO_PROPS) for item in value if isinstance(item, str) and item in PRIMITIVES
        ]
        union = Union("union", NO_PROPS, plain)
        self._located(union, path)
        if len(plain) == len(value) == len(set(value)):  # most unions
            return union
        union.branches = []
        for index, item in enumerate(value):
            branch = self._schema(item, namespace, f"{path}/{index}")
            union.branches.append(branch)
            self._placed(branch, union.branches.__setitem__, index)
        self._unions.append((union, path))
        return union

    def _record(self, value: dict[str, object], namespace: str | None, path: str) -> Record:
        name = self._name(value, namespace, path)
        record = Record(
            "record",
            props(value, _SCHEMA_RESERVED),
            name,
            optional_text(value, "doc"),
            self._aliases(value, name, path),
            is_error=value["type"] == "error",
        )
        fields = value.get("fields")
        if not isinstance(fields, list):
            raise SchemaFault(f'record "{name.full}" has no array of fields', path=path)
        if name.full in self._open:
            raise SchemaFault(f'type "{name.full}" is defined inside itself', path=path)
        self._open[name.full] = record
        for index, field in enumerate(fields):
            self._field(record, field, f"{path}/fields/{index}")
        del self._open[name.full]
        self._define(record, path)
        return record

    def _field(self, record: Record, value: object, path: str) -> None:
        if not isinstance(value, dict):
            raise SchemaFault(f"a field is an object, not {excerpt(value)}", path=path)
        name = value.get("name")
        if not isinstance(name, str):
            raise SchemaFault(f'a field of record "{record.name.full}" has no name', path=path)
        self._check_name(name, "field", path, "/name")
        if name in record.by_name:
            raise SchemaFault(f'duplicate field "{name}" in record "{record.name.full}"', path=f"{path}/name")
        if "type" not in value:
            raise SchemaFault(f'field "{name}" has no type', path=path)
        schema = self._schema(value["type"], record.name.namespace, f"{path}/type")
        field = Field(
            name,
            schema,
            optional_text(value, "doc"),
            value.get("default", MISSING),
            order(value, name, path),
            alias_texts(value, path),
            props(value, _FIELD_RESERVED),
        )
        self._placed(schema, setattr, field, "schema")
        if schema.type in ("float", "double") and isinstance(field.default, str):
            field.default = number(field.default, name, path)
        record.fields.append(field)
        record.by_name[name] = field
        if field.has_default:
            self._defaults.append((field, path))

    def _enum(self, value: dict[str, object], namespace: str | None, path: str) -> Enum:
        name = self._name(value, namespace, path)
        symbols = value.get("symbols")
        if not isinstance(symbols, list):
            raise SchemaFault(f'enum "{name.full}" has no array of symbols', path=path)
        seen = set()
        for index, symbol in enumerate(symbols):
            place = f"{path}/symbols/{index}"
            if not isinstance(symbol, str):
                raise SchemaFault(f"an enum symbol is a string, not {excerpt(symbol)}", path=place)
            self._check_name(symbol, "enum symbol", place)
            if symbol in seen:
                raise SchemaFault(f'duplicate symbol "{symbol}" in enum "{name.full}"', path=place)
            seen.add(symbol)
        default = optional_text(value, "default")
        if default is not None and default not in seen:
            raise SchemaFault(
                f'the default "{default}" of enum "{name.full}" is none of its symbols',
                path=f"{path}/default",
            )
        enum = Enum(
            "enum",
            props(value, _ENUM_RESERVED),
            name,
            optional_text(value, "doc"),
            self._aliases(value, name, path),
            symbols,
            default,
        )
        self._define(enum, path)
        return enum

    def _fixed(self, value: dict[str, object], namespace: str | None, path: str) -> Fixed:
        name = self._name(value, namespace, path)
        size = required(value, "size", "fixed", path)
        if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= MAX_FIXED_SIZE:
            raise SchemaFault(
                f'the size of fixed "{name.full}" must be an integer from 0 to {MAX_FIXED_SIZE}, '
                f"not {excerpt(size)}",
                path=f"{path}/size",
            )
        fixed = Fixed(
            "fixed",
            props(value, _SCHEMA_RESERVED),
            name,
            optional_text(value, "doc"),
            self._aliases(value, name, path),
            size,
        )
        self._define(fixed, path)
        return fixed

    def _name(self, value: dict[str, object], namespace: str | None, path: str) -> Name:
        text = value.get("name")
        if not isinstance(text, str):
            raise SchemaFault(f"{article(str(value['type']))} has no name", path=path)
        own = optional_text(value, "namespace")
        name = Name.of(text, namespace if own is None else own)
        if name.full in PRIMITIVES:
            raise SchemaFault(f'a type may not be named "{text}", after a primitive one', path=f"{path}/name")
        self._check_name(name.simple, "name", f"{path}/name")
        if name.namespace is not None:
            place = "name" if "." in text else "namespace"
            for part in name.namespace.split("."):
                self._check_name(part, "part of a namespace", f"{path}/{place}" if place in value else path)
        return name

    def _aliases(self, value: dict[str, object], name: Name, path: str) -> list[Name]:
        aliases: dict[str, Name] = {}
        for index, text in enumerate(alias_texts(value, path)):
            alias = Name.of(text, name.namespace)
            self._check_name(alias.simple, "alias", f"{path}/aliases/{index}")
            aliases.setdefault(alias.full, alias)
        return list(aliases.values())

    def _check_name(self, name: str, what: str, *path: str) -> None:
        """path: in parts, which are only put together for a fault."""
        if self.strict and not (name.isascii() and name.isidentifier()):
            raise SchemaFault(
                f'invalid {what} "{name}": it must start with a letter or "_" '
                'and go on with letters, digits or "_"',
                path="".join(path),
            )

    def _define(self, named: Named, path: str) -> None:
        """Make the type known by its name; a second definition must have the same structure."""
        self._located(named, path)
        known = self._types.setdefault(named.name.full, named)
        if known is not named and structure(known) != structure(named):
            raise SchemaFault(f'type "{named.name.full}" is already defined, differently', path=path)
        if named.name.full in self._open:
            raise SchemaFault(f'type "{named.name.full}" is defined inside itself', path=path)


def _check_branches(union: Union, path: str) -> None:
    seen = set()
    for index, branch in enumerate(union.branches):
        if isinstance(branch, Union):
            raise SchemaFault("a union directly inside a union", path=f"{path}/{index}")
        if branch.type_name in seen:
            raise SchemaFault(f'duplicate branch "{branch.type_name}" in a union', path=f"{path}/{index}")
        seen.add(branch.type_name)


def _unknown(full_name: str) -> str:
    return (
        f'unknown type "{full_name}": neither a primitive type nor defined in this schema or its references'
    )
