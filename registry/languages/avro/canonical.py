"""The type graph back to text, as Java Avro 1.12's ``Schema.toString(references, false)`` prints it.

This text is the schema's identity: ids and guids are given by it. Key order:

* record: type, name, namespace (only where it differs from the enclosing one), doc, fields, other
  attributes, aliases
* field: name, type, doc, default, order (unless ascending), aliases, other attributes
* enum: type, name, namespace, doc, symbols, default, other attributes, aliases
* fixed: type, name, namespace, doc, size, other attributes, aliases
"""

from collections.abc import Iterable, Mapping, Sequence

from registry.languages.avro.json_text import MAX_NESTING, nests_too_deep, write, write_string
from registry.languages.avro.schema import (
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
from registry.languages.language import SchemaFault

TOO_DEEP = (
    f"its types nest more than {MAX_NESTING} levels deep when spelt out: "
    "define them before they are used, or in schemas of their own"
)


def canonical(schema: Schema, references: Iterable[Schema] = ()) -> str:
    """The text of `schema`. The top-level types of `references` are named in it, never spelt out.

    Raises SchemaFault where types that were used before they were defined,
    put in their places, nest deeper than a text may.
    """
    return Writer(references).text(schema)


class Writer:
    """Prints one schema. Those who print it with some attributes changed override how these are read."""

    def __init__(self, references: Iterable[Schema]) -> None:
        self.parts: list[str] = []
        self._known = {reference.type_name for reference in references}

    def text(self, schema: Schema) -> str:
        """The text of `schema`. Raises SchemaFault where it would nest too deep to be read back."""
        self.schema(schema, None, 0)
        text = "".join(self.parts)
        if nests_too_deep(text):
            raise SchemaFault(TOO_DEEP)
        return text

    def props(self, node: Schema | Field) -> Mapping[str, object]:
        """The attributes that the specification does not know."""
        return node.props

    def keyword(self, schema: Named) -> str:
        """What stands for the type: record, error, enum or fixed."""
        return "error" if isinstance(schema, Record) and schema.is_error else schema.type

    def doc(self, schema: Named) -> str | None:
        """The documentation of a named type."""
        return schema.doc

    def aliases(self, schema: Named) -> Sequence[Name]:
        """The aliases of a named type."""
        return schema.aliases

    def field_aliases(self, field: Field) -> list[str]:
        """The aliases of a field."""
        return field.aliases

    def default(self, field: Field) -> object:
        """The default of a field that has one."""
        return field.default

    def schema(self, schema: Schema, namespace: str | None, depth: int) -> None:
        # One frame of Python's stack a level, at most: see MAX_NESTING.
        if depth > MAX_NESTING:
            raise SchemaFault(TOO_DEEP)
        match schema:
            case Primitive():
                opening = f'{{"type":"{schema.type}"'
                props = self._props(schema)
                self.parts.append(f"{opening}{props}}}" if props else f'"{schema.type}"')
            case Union():
                opening = "["
                for branch in schema.branches:
                    if isinstance(branch, Primitive) and not self.props(branch):  # most branches
                        self.parts.append(f'{opening}"{branch.type}"')
                    else:
                        self.parts.append(opening)
                        self.schema(branch, namespace, depth + 1)
                    opening = ","
                self.parts.append("]" if schema.branches else "[]")
            case Named():
                self._named(schema, namespace, depth)
            case Array():
                self.parts.append('{"type":"array","items":')
                self.schema(schema.items, namespace, depth + 1)
                self.parts.append(self._props(schema) + "}")
            case Map():
                self.parts.append('{"type":"map","values":')
                self.schema(schema.values, namespace, depth + 1)
                self.parts.append(self._props(schema) + "}")

    def _named(self, schema: Named, namespace: str | None, depth: int) -> None:
        full = schema.name.full
        if full in self._known:
            self.parts.append(write_string(schema.name.within(namespace)))
            return
        self._known.add(full)
        self.parts.append(self._head(schema, namespace))
        match schema:
            case Record():
                self._fields(schema, depth)
            case Enum():
                self.parts.append(f',"symbols":{write(schema.symbols)}')
                if schema.default is not None:
                    self.parts.append(f',"default":{write_string(schema.default)}')
            case Fixed():
                self.parts.append(f',"size":{schema.size}')
        self.parts.append(self._props(schema))
        if aliases := self.aliases(schema):
            names = [alias.within(schema.name.namespace) for alias in aliases]
            self.parts.append(f',"aliases":{write(names)}')
        self.parts.append("}")

    def _head(self, schema: Named, namespace: str | None) -> str:
        head = f'{{"type":"{self.keyword(schema)}","name":{write_string(schema.name.simple)}'
        if schema.name.namespace != namespace:
            head += f',"namespace":{write_string(schema.name.namespace or "")}'
        doc = self.doc(schema)
        return head if doc is None else f'{head},"doc":{write_string(doc)}'

    def _fields(self, record: Record, depth: int) -> None:
        opening = ',"fields":['
        for field in record.fields:
            self.parts.append(f'{opening}{{"name":{write_string(field.name)},"type":')
            self.schema(field.schema, record.name.namespace, depth + 3)
            self.parts.append(self._field_tail(field))
            opening = ","
        self.parts.append("]" if record.fields else ',"fields":[]')

    def _field_tail(self, field: Field) -> str:
        tail = "" if field.doc is None else f',"doc":{write_string(field.doc)}'
        if field.has_default:
            tail += f',"default":{write(self.default(field))}'
        if field.order != "ascending":
            tail += f',"order":"{field.order}"'
        if field.aliases:
            tail += f',"aliases":{write(self.field_aliases(field))}'
        return f"{tail}{self._props(field)}}}"

    def _props(self, node: Schema | Field) -> str:
        props = self.props(node)
        if not props:
            return ""
        return "".join([f",{write_string(name)}:{write(value)}" for name, value in props.items()])


def structure(schema: Schema) -> object:
    """What must be equal for two definitions of one name to be the same: everything but docs and aliases.

    Named types within are told by name alone; each has its own definition to agree with.
    """
    match schema:
        case Record():
            return [
                schema.name.full,
                _sorted(schema.props),
                [_field_structure(field) for field in schema.fields],
            ]
        case Enum():
            return [schema.name.full, _sorted(schema.props), schema.symbols]
        case Fixed():
            return [schema.name.full, _sorted(schema.props), schema.size]
    raise TypeError(f"only named types are defined: {schema.type}")


def _field_structure(field: Field) -> object:
    default = write(field.default) if field.has_default else None
    return [field.name, _type_structure(field.schema), default, field.order, _sorted(field.props)]


def _type_structure(schema: Schema) -> object:
    match schema:
        case Named():
            return schema.name.full
        case Unresolved():
            return schema.full_name
        case Array():
            return ["array", _type_structure(schema.items), _sorted(schema.props)]
        case Map():
            return ["map", _type_structure(schema.values), _sorted(schema.props)]
        case Union():
            return [_type_structure(branch) for branch in schema.branches]
    return [schema.type, _sorted(schema.props)]


def _sorted(props: Mapping[str, object]) -> list[tuple[str, str]]:
    return sorted((name, write(value)) for name, value in props.items())
