"""The type graph back to text, as Java Avro 1.12's ``Schema.toString(references, false)`` prints it.

This text is the schema's identity: ids and guids are given by it. Key order:

* record: type, name, namespace (only where it differs from the enclosing one), doc, fields, other
  attributes, aliases
* field: name, type, doc, default, order (unless ascending), aliases, other attributes
* enum: type, name, namespace, doc, symbols, default, other attributes, aliases
* fixed: type, name, namespace, doc, size, other attributes, aliases
"""

from collections.abc import Iterable, Mapping

from registry.languages.avro.json_text import MAX_NESTING, write, write_string
from registry.languages.avro.schema import (
    Array,
    Enum,
    Field,
    Fixed,
    Map,
    Name,
    Named,
    Record,
    Schema,
    Union,
    Unresolved,
)
from registry.languages.language import SchemaFault


def canonical(schema: Schema, references: Iterable[Schema] = ()) -> str:
    """The text of `schema`. The top-level types of `references` are named in it, never spelt out.

    Raises SchemaFault where types that were used before they were defined,
    put in their places, nest deeper than a text may.
    """
    writer = _Writer({reference.type_name for reference in references})
    writer.schema(schema, None, 0)
    return "".join(writer.parts)


class _Writer:
    def __init__(self, known: set[str]) -> None:
        self.parts: list[str] = []
        self._known = known

    def schema(self, schema: Schema, namespace: str | None, depth: int) -> None:
        if depth > MAX_NESTING:
            raise SchemaFault(f"its types nest more than {MAX_NESTING} levels deep when spelt out")
        match schema:
            case Named():
                self._named(schema, namespace, depth)
            case Array():
                self._container("array", "items", schema.items, schema, namespace, depth)
            case Map():
                self._container("map", "values", schema.values, schema, namespace, depth)
            case Union():
                opening = "["
                for branch in schema.branches:
                    self.parts.append(opening)
                    self.schema(branch, namespace, depth + 1)
                    opening = ","
                self.parts.append("]" if schema.branches else "[]")
            case _:
                self._primitive(schema)

    def _primitive(self, schema: Schema) -> None:
        if schema.props:
            self.parts.append(f'{{"type":"{schema.type}"{_props(schema.props)}}}')
        else:
            self.parts.append(f'"{schema.type}"')

    def _container(
        self, type_: str, key: str, inner: Schema, schema: Schema, namespace: str | None, depth: int
    ) -> None:
        self.parts.append(f'{{"type":"{type_}","{key}":')
        self.schema(inner, namespace, depth + 1)
        self.parts.append(_props(schema.props) + "}")

    def _named(self, schema: Named, namespace: str | None, depth: int) -> None:
        if schema.name.full in self._known:
            self.parts.append(write_string(schema.name.within(namespace)))
            return
        self._known.add(schema.name.full)
        self.parts.append(_head(schema, namespace))
        match schema:
            case Record():
                self._fields(schema, depth)
            case Enum():
                self.parts.append(f',"symbols":{write(schema.symbols)}')
                if schema.default is not None:
                    self.parts.append(f',"default":{write_string(schema.default)}')
            case Fixed():
                self.parts.append(f',"size":{schema.size}')
        self.parts.append(_props(schema.props) + _aliases(schema.aliases, schema.name.namespace) + "}")

    def _fields(self, record: Record, depth: int) -> None:
        self.parts.append(',"fields":[')
        for index, field in enumerate(record.fields):
            self.parts.append(f'{"," if index else ""}{{"name":{write_string(field.name)},"type":')
            self.schema(field.schema, record.name.namespace, depth + 3)
            self.parts.append(_field_tail(field) + "}")
        self.parts.append("]")


def _head(schema: Named, namespace: str | None) -> str:
    type_ = "error" if isinstance(schema, Record) and schema.is_error else schema.type
    head = f'{{"type":"{type_}","name":{write_string(schema.name.simple)}'
    if schema.name.namespace != namespace:
        head += f',"namespace":{write_string(schema.name.namespace or "")}'
    if schema.doc is not None:
        head += f',"doc":{write_string(schema.doc)}'
    return head


def _field_tail(field: Field) -> str:
    tail = "" if field.doc is None else f',"doc":{write_string(field.doc)}'
    if field.has_default:
        tail += f',"default":{write(field.default)}'
    if field.order != "ascending":
        tail += f',"order":"{field.order}"'
    if field.aliases:
        tail += f',"aliases":{write(field.aliases)}'
    return tail + _props(field.props)


def _props(props: Mapping[str, object]) -> str:
    return "".join(f",{write_string(name)}:{write(value)}" for name, value in props.items())


def _aliases(aliases: list[Name], namespace: str | None) -> str:
    return f',"aliases":{write([alias.within(namespace) for alias in aliases])}' if aliases else ""


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
