"""Can a reader's schema read what a writer's schema wrote: the rules of Java Avro's SchemaCompatibility.

Verdicts, kinds, details and paths are Java's, with three differences, each a
fault there:

* A pair of types that is compared at several places is reported where it is
  first met, once. (Java repeats the findings of the first place, as often as
  there are places.)
* Java remembers the path at which a pair was first met, even if that was while
  it tried the branches of a union; ours is always the path from the root.
* A reader field that matches several writer fields, by its name and its
  aliases, is a finding, AMBIGUOUS_FIELD_ALIAS. (Java throws.)
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field

from registry.languages.avro.schema import (
    Array,
    Enum,
    Field,
    Fixed,
    Map,
    Named,
    Primitive,
    Record,
    Schema,
    Union,
)
from registry.languages.language import Finding, SchemaFault

DESCRIPTIONS = {
    "READER_FIELD_MISSING_DEFAULT_VALUE": (
        "The field '{detail}' at path '{path}' in the {reader} schema has no default value "
        "and is missing in the {writer} schema"
    ),
    "TYPE_MISMATCH": (
        "The type (path '{path}') of a field in the {reader} schema does not match with the {writer} schema"
    ),
    "NAME_MISMATCH": "The name of the schema has changed (path '{path}')",
    "FIXED_SIZE_MISMATCH": (
        "The size of FIXED type field at path '{path}' in the {reader} schema "
        "does not match with the {writer} schema"
    ),
    "MISSING_ENUM_SYMBOLS": (
        "The {reader} schema is missing enum symbols '{detail}' at path '{path}' in the {writer} schema"
    ),
    "MISSING_UNION_BRANCH": (
        "The {reader} schema is missing a type inside a union field at path '{path}' in the {writer} schema"
    ),
    "AMBIGUOUS_FIELD_ALIAS": (
        "The field at path '{path}' in the {reader} schema matches several fields of the {writer} schema, "
        "by its name and its aliases: '{detail}'"
    ),
}
"""Each kind of finding, and the sentence that describes it."""

MAX_PAIRS = 200_000
"""How many pairs of types one comparison may take: about two seconds; a hostile schema could ask for days."""

_PROMOTIONS = {
    "long": {"int"},
    "float": {"int", "long"},
    "double": {"int", "long", "float"},
    "bytes": {"string"},
    "string": {"bytes"},
}
_NONE: set[str] = set()


Part = tuple[Schema | None, str]
"""A part of a schema: a node that is spelt out somewhere, and a JSON pointer from there (``/fields/2/type``).

None is the whole schema.
"""

_WHOLE: Part = (None, "")


@dataclass(frozen=True, slots=True)
class LocatedFinding:
    """A finding, and which part of the reader's and of the writer's schema it is about.

    names: the way to it from the root of the reader's schema: field names, ``[]`` for the items of an array,
        ``{}`` for the values of a map.
    """

    finding: Finding
    reader: Part
    writer: Part
    names: tuple[str, ...]


@dataclass(slots=True)
class _Item:
    """A finding of a pair, or the result of an inner pair. A part that is None is the pair's own."""

    path: str
    what: "str | _Result"
    detail: str
    reader: Part | None
    writer: Part | None


@dataclass(slots=True, eq=False)
class _Result:
    """What comparing one pair gave. Inner results are shared, not copied: they may hang in several places."""

    compatible: bool = True
    items: list[_Item] = field(default_factory=list)

    def find(
        self, path: str, kind: str, detail: str, reader: Part | None = None, writer: Part | None = None
    ) -> None:
        self.compatible = False
        self.items.append(_Item(path, kind, detail, reader, writer))

    def merge(
        self, path: str, inner: "_Result", reader: Part | None = None, writer: Part | None = None
    ) -> None:
        if not inner.compatible:
            self.compatible = False
            self.items.append(_Item(path, inner, "", reader, writer))


_Steps = Generator[tuple[Schema, Schema], _Result, None]
"""A comparison under way: yields the pairs whose results it needs."""


class _Pair:
    """A pair of types whose comparison is under way."""

    __slots__ = ("key", "result", "steps")

    def __init__(self, reader: Schema, writer: Schema, candidates: "_Candidates") -> None:
        self.key = (id(reader), id(writer))
        self.result = _Result()
        self.steps = _compare(reader, writer, self.result, candidates)


class _Candidates:
    """For a union and a type: the union's branches that could possibly read it.

    Trying every branch with every other would make two unions of a thousand records a million pairs.
    """

    def __init__(self) -> None:
        self._by_union: dict[int, dict[str, list[Schema]]] = {}
        self._primitives: dict[int, set[str]] = {}

    def read_primitive(self, union: Union, type_: str) -> bool:
        """Whether some branch of `union` reads the primitive type: what could read it does."""
        readable = self._primitives.get(id(union))
        if readable is None:
            readable = {branch.type for branch in union.branches}
            for branch in union.branches:
                readable |= _PROMOTIONS.get(branch.type, _NONE)
            self._primitives[id(union)] = readable
        return type_ in readable

    def of(self, union: Union, writer: Schema) -> list[Schema]:
        """The branches that could read `writer`, which is not primitive."""
        index = self._by_union.get(id(union))
        if index is None:
            index = self._by_union[id(union)] = self._index(union)
        if not isinstance(writer, Named):
            return index.get(writer.type, [])
        by_name = index.get(f"{writer.type} {writer.name.simple}", [])
        by_alias = index.get(f"{writer.type} aka {writer.name.full}", [])
        return list(dict.fromkeys([*by_name, *by_alias])) if by_alias else by_name

    @staticmethod
    def _index(union: Union) -> dict[str, list[Schema]]:
        index: dict[str, list[Schema]] = {}
        for branch in union.branches:
            if isinstance(branch, Named):
                keys = {f"{branch.type} {branch.name.simple}"}
                keys.update(f"{branch.type} aka {alias.full}" for alias in branch.aliases)
            else:
                keys = {branch.type}
            for key in keys:
                index.setdefault(key, []).append(branch)
        return index


def compare(reader: Schema, writer: Schema) -> list[Finding]:
    """Everything that stops `reader` from reading data of `writer`, in the order of the reader's fields.

    Takes any depth of recursion: pairs under way are kept on a list, not on Python's stack.

    Raises SchemaFault where the two need more than MAX_PAIRS pairs of types to be compared.
    """
    return [located.finding for located in _findings(_evaluate(reader, writer))]


def locate(reader: Schema, writer: Schema) -> list[LocatedFinding]:
    """As `compare`, with the parts of both schemas that each finding is about. Raises SchemaFault."""
    return list(_findings(_evaluate(reader, writer)))


def _evaluate(reader: Schema, writer: Schema) -> _Result:
    candidates = _Candidates()
    results: dict[tuple[int, int], _Result] = {}
    root = _Pair(reader, writer, candidates)
    under_way = [root]
    in_progress = {root.key}
    answer: _Result | None = None
    while under_way:
        pair = under_way[-1]
        try:
            wanted = pair.steps.send(answer) if answer else next(pair.steps)
        except StopIteration:
            under_way.pop()
            in_progress.remove(pair.key)
            results[pair.key] = answer = pair.result
            continue
        key = (id(wanted[0]), id(wanted[1]))
        # A pair under way counts as compatible, unless proven otherwise further up.
        answer = _Result() if key in in_progress else results.get(key)
        if answer is None:
            if len(results) + len(under_way) >= MAX_PAIRS:
                raise SchemaFault(f"too many types to compare: over {MAX_PAIRS:,} pairs of them")
            under_way.append(_Pair(*wanted, candidates))
            in_progress.add(key)
    return root.result


def _compare(reader: Schema, writer: Schema, result: _Result, candidates: _Candidates) -> _Steps:
    if reader.type == writer.type:
        yield from _compare_alike(reader, writer, result, candidates)
    elif isinstance(writer, Union):
        for index, branch in enumerate(writer.branches):
            result.merge(f"/{index}", (yield reader, branch), None, (writer, f"/{index}"))
    elif isinstance(reader, Union):
        if isinstance(writer, Primitive):
            if candidates.read_primitive(reader, writer.type):
                return
        else:
            for branch in candidates.of(reader, writer):
                if (yield branch, writer).compatible:
                    return
        result.find("", "MISSING_UNION_BRANCH", _lacking(writer), (reader, ""))
    elif writer.type not in _PROMOTIONS.get(reader.type, ()):
        result.find(
            "",
            "TYPE_MISMATCH",
            f"reader type: {reader.type.upper()} not compatible with writer type: {writer.type.upper()}",
        )


def _compare_alike(reader: Schema, writer: Schema, result: _Result, candidates: _Candidates) -> _Steps:
    match reader, writer:
        case Record(), Record():
            _compare_names(reader, writer, result)
            yield from _compare_fields(reader, writer, result)
        case Union(), Union():
            for index, branch in enumerate(writer.branches):
                if isinstance(branch, Primitive):
                    compatible = candidates.read_primitive(reader, branch.type)
                else:
                    compatible = (yield reader, branch).compatible
                if not compatible:
                    lacking = _lacking(branch)
                    result.find(
                        f"/{index}", "MISSING_UNION_BRANCH", lacking, (reader, ""), (writer, f"/{index}")
                    )
        case Array(), Array():
            inner = yield reader.items, writer.items
            result.merge("/items", inner, (reader, "/items"), (writer, "/items"))
        case Map(), Map():
            inner = yield reader.values, writer.values
            result.merge("/values", inner, (reader, "/values"), (writer, "/values"))
        case Enum(), Enum():
            _compare_names(reader, writer, result)
            missing = sorted(set(writer.symbols).difference(reader.symbols))
            if missing and reader.default is None:
                symbol = f"/symbols/{writer.symbols.index(missing[0])}"
                detail = f"[{', '.join(missing)}]"
                result.find(
                    "/symbols", "MISSING_ENUM_SYMBOLS", detail, (reader, "/symbols"), (writer, symbol)
                )
        case Fixed(), Fixed():
            _compare_names(reader, writer, result)
            if reader.size != writer.size:
                detail = f"expected: {writer.size}, found: {reader.size}"
                result.find("/size", "FIXED_SIZE_MISMATCH", detail, (reader, "/size"), (writer, "/size"))


def _compare_names(reader: Named, writer: Named, result: _Result) -> None:
    if reader.name.simple == writer.name.simple:
        return
    if all(alias.full != writer.name.full for alias in reader.aliases):
        detail = f"expected: {writer.name.full}"
        result.find("/name", "NAME_MISMATCH", detail, (reader, "/name"), (writer, "/name"))


def _compare_fields(reader: Record, writer: Record, result: _Result) -> _Steps:
    plain, written = _plain_fields(reader), _plain_fields(writer)
    for index, reader_field in enumerate(reader.fields):
        shape = plain.get(reader_field.name)
        if shape is not None and shape == written.get(reader_field.name):
            continue  # most fields of most versions: a transitive check is made of these
        path = f"/fields/{index}"
        matches = _writer_fields(reader_field, writer)
        if len(matches) > 1:
            names = ", ".join(match.name for match in matches)
            result.find(path, "AMBIGUOUS_FIELD_ALIAS", f"[{names}]", (reader, path), (writer, "/name"))
        elif matches:
            schema, writer_schema = reader_field.schema, matches[0].schema
            if schema.type != writer_schema.type or schema.type in _COMPOSITE:
                inner = yield schema, writer_schema
                if not inner.compatible:
                    written_at = f"/fields/{writer.fields.index(matches[0])}/type"
                    result.merge(f"{path}/type", inner, (reader, f"{path}/type"), (writer, written_at))
        elif not reader_field.has_default:
            if isinstance(reader_field.schema, Enum) and reader_field.schema.default is not None:
                # As in Java: an enum with a default of its own is compared with the record that lacks it.
                result.merge(f"{path}/type", (yield reader_field.schema, writer), (reader, f"{path}/type"))
            else:
                kind = "READER_FIELD_MISSING_DEFAULT_VALUE"
                result.find(path, kind, reader_field.name, (reader, f"{path}/name"), (writer, "/name"))


def _plain_fields(record: Record) -> dict[str, str]:
    """The shapes of the fields that have one, and no aliases, by name."""
    if record.plain is None:
        shapes = {field.name: _shape(field.schema) for field in record.fields if not field.aliases}
        record.plain = {name: shape for name, shape in shapes.items() if shape is not None}
    return record.plain


def _shape(schema: Schema) -> str | None:
    """A primitive type, a union of such, or an array or a map of one, in a word; None for others.

    Types of one shape read each other.
    """
    match schema:
        case Primitive():
            return schema.type
        case Union() if all(isinstance(branch, Primitive) for branch in schema.branches):
            return f"[{' '.join([branch.type for branch in schema.branches])}]"
        case Array(items=Primitive() as inner) | Map(values=Primitive() as inner):
            return f"{schema.type} {inner.type}"
    return None


_COMPOSITE = frozenset({"record", "enum", "fixed", "array", "map", "union"})


def _writer_fields(reader_field: Field, writer: Record) -> list[Field]:
    if not reader_field.aliases:
        match = writer.by_name.get(reader_field.name)
        return [match] if match else []
    names = dict.fromkeys([reader_field.name, *reader_field.aliases])
    return [writer.by_name[name] for name in names if name in writer.by_name]


def _lacking(schema: Schema) -> str:
    return f"reader union lacking writer type: {schema.type.upper()}"


_Waiting = tuple[str, _Item, Part, Part, tuple[str, ...]]


def _findings(root: _Result) -> Iterator[LocatedFinding]:
    """The findings under `root` with their paths, depth first; a shared result where it is first met."""
    met: set[int] = set()
    waiting: list[_Waiting] = [("", _Item("", root, "", None, None), _WHOLE, _WHOLE, ())]
    while waiting:
        above, item, reader, writer, names = waiting.pop()
        path, reader, writer = above + item.path, item.reader or reader, item.writer or writer
        if item.reader is not None:
            names = _named(names, item.reader)
        if isinstance(item.what, str):
            yield LocatedFinding(_finding(item.what, path or "/", item.detail), reader, writer, names)
        elif id(item.what) not in met:
            met.add(id(item.what))
            waiting.extend((path, inner, reader, writer, names) for inner in reversed(item.what.items))


def _named(names: tuple[str, ...], part: Part) -> tuple[str, ...]:
    """`names` with the step to `part` added, where that has a name."""
    owner, steps = part
    if isinstance(owner, Record) and steps.startswith("/fields/"):
        return (*names, owner.fields[int(steps.split("/")[2])].name)
    if steps == "/items":
        return (*names, "[]")
    return (*names, "{}") if steps == "/values" else names


def _finding(kind: str, path: str, detail: str) -> Finding:
    description = DESCRIPTIONS[kind].replace("{path}", path).replace("{detail}", detail)
    return Finding(kind, path, detail, description)
