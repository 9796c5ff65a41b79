"""Inline tags: the attribute ``confluent:tags`` of records and of their fields.

An entity's path is the record's full name, and for a field its name behind
that, as in Confluent's AvroSchema: ``com.shop.Order``, ``com.shop.Order.id``.
A dot in front changes nothing. A record's simple name alone stands for the
first record of that name, breadth first.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence

from registry.languages.avro.canonical import Writer
from registry.languages.avro.json_text import write
from registry.languages.avro.schema import Array, Field, Map, Record, Schema, Union
from registry.languages.language import FIELD_ENTITY, RECORD_ENTITY, SchemaEntity, SchemaFault

TAGS = "confluent:tags"

MAX_PATHS = 4 * 1024 * 1024
"""Characters of the paths that are listed: a record's name, which may be long, stands in each field's."""

_Edits = Mapping[SchemaEntity, Sequence[str]]


def inline_tags(root: Schema) -> dict[SchemaEntity, tuple[str, ...]]:
    """The tags of every record and field that has some, depth first, each tag once.

    Raises SchemaFault where the paths are longer than MAX_PATHS together.
    """
    found: dict[SchemaEntity, tuple[str, ...]] = {}
    length = 0
    for entity_type, names, node in _nodes(root):
        if tags := tuple(_tags(node)):
            length += sum(map(len, names))
            if length > MAX_PATHS:
                raise SchemaFault(f"the paths of what has tags take more than {MAX_PATHS:,} characters")
            found[SchemaEntity(".".join(names), entity_type)] = tags
    return found


def _nodes(root: Schema) -> Iterator[tuple[str, tuple[str, ...], Record | Field]]:
    """Every record and field once, depth first: its type, the names of its path, and itself."""
    met: set[str] = set()
    waiting: list[tuple[str, Schema | Field]] = [("", root)]
    while waiting:
        within, node = waiting.pop()
        if isinstance(node, Field):
            yield FIELD_ENTITY, (within, node.name), node
            waiting.append(("", node.schema))
        elif not isinstance(node, Record):
            waiting.extend(("", inner) for inner in reversed(_inner(node)))
        elif node.name.full not in met:
            full = node.name.full
            met.add(full)
            yield RECORD_ENTITY, (full,), node
            waiting.extend((full, field) for field in reversed(node.fields))


def taggable(
    root: Schema, references: Iterable[Schema], entities: Iterable[SchemaEntity]
) -> frozenset[SchemaEntity]:
    """Those of `entities` that the text of `root` spells out."""
    records = _Records(root, references)
    return frozenset(entity for entity in entities if records.get(entity) is not None)


def with_tags(root: Schema, references: Iterable[Schema], add: _Edits, remove: _Edits) -> str:
    """The canonical text of `root`, with the tags of `add` behind those there are, without those of `remove`.

    Raises SchemaFault for an entity that is not spelt out in this text.
    """
    references = tuple(references)
    records = _Records(root, references)
    tags: dict[int, dict[str, None]] = {}  # a set in order, for the id of each node that is edited
    for entity, names in add.items():
        node = records.find(entity)
        tags.setdefault(id(node), _tags(node)).update(dict.fromkeys(names))
    for entity, names in remove.items():
        node = records.find(entity)
        left = tags.setdefault(id(node), _tags(node))
        for name in names:
            left.pop(name, None)
    return _TaggingWriter(references, tags).text(root)


class _TaggingWriter(Writer):
    """Prints a schema with the tags of some nodes, given by their ids, replaced."""

    def __init__(self, references: Iterable[Schema], tags: Mapping[int, Iterable[str]]) -> None:
        super().__init__(references)
        self._tags = tags

    def props(self, node: Schema | Field) -> Mapping[str, object]:
        tags = self._tags.get(id(node))
        if tags is None:
            return node.props
        if tags:
            return {**node.props, TAGS: list(tags)}
        return {name: value for name, value in node.props.items() if name != TAGS}


class _Records:
    """The records that a schema's text spells out, by their names."""

    def __init__(self, root: Schema, references: Iterable[Schema]) -> None:
        self._by_name: dict[str, Record] = {}
        self._by_simple_name: dict[str, Record] = {}
        for record in _spelt_out(root, {reference.type_name for reference in references}):
            self._by_name[record.name.full] = record
            self._by_simple_name.setdefault(record.name.simple, record)

    def get(self, entity: SchemaEntity) -> Record | Field | None:
        path = entity.path.removeprefix(".")
        if entity.type == RECORD_ENTITY:
            return self._record(path)
        name, _, field = path.rpartition(".")
        record = self._record(name) if entity.type == FIELD_ENTITY else None
        return record.by_name.get(field) if record else None

    def find(self, entity: SchemaEntity) -> Record | Field:
        found = self.get(entity)
        if found is not None:
            return found
        if entity.type not in {RECORD_ENTITY, FIELD_ENTITY}:
            raise SchemaFault(
                f'unknown type of entity "{entity.type}": tags go to "{RECORD_ENTITY}" or "{FIELD_ENTITY}"'
            )
        what = "record" if entity.type == RECORD_ENTITY else "field of a record"
        raise SchemaFault(f'no {what} has the path "{entity.path}" in this schema')

    def _record(self, name: str) -> Record | None:
        return self._by_name.get(name) or self._by_simple_name.get(name)


def _spelt_out(root: Schema, known: set[str]) -> Iterator[Record]:
    """The records in the text of `root`, breadth first; those `known` are only named there."""
    met = set(known)
    waiting = deque([root])
    while waiting:
        node = waiting.popleft()
        if isinstance(node, Record):
            if node.name.full in met:
                continue
            met.add(node.name.full)
            yield node
            waiting.extend(field.schema for field in node.fields)
        else:
            waiting.extend(_inner(node))


def _inner(schema: Schema) -> Sequence[Schema]:
    match schema:
        case Array():
            return [schema.items]
        case Map():
            return [schema.values]
        case Union():
            return schema.branches
    return ()


def _tags(node: Record | Field) -> dict[str, None]:
    """The tags of one node. What is no list holds none, and what is no text is taken as JSON."""
    tags = node.props.get(TAGS)
    if not isinstance(tags, list):
        return {}
    return dict.fromkeys(tag if isinstance(tag, str) else write(tag) for tag in tags)
