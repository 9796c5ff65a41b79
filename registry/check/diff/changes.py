"""Two type graphs compared change by change: unlike compatibility it has no direction, and sees docs, too."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from registry.languages.avro import json_text
from registry.languages.avro.attributes import excerpt
from registry.languages.avro.compatibility import LocatedFinding, Part, locate
from registry.languages.avro.schema import (
    MISSING,
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
from registry.model import CompatibilityLevel as Level

KINDS = (
    "FIELD_ADDED",
    "FIELD_REMOVED",
    "FIELD_RENAMED",
    "FIELDS_REORDERED",
    "TYPE_CHANGED",
    "TYPE_RENAMED",
    "NAMESPACE_CHANGED",
    "SYMBOL_ADDED",
    "SYMBOL_REMOVED",
    "SYMBOLS_REORDERED",
    "SIZE_CHANGED",
    "BRANCH_ADDED",
    "BRANCH_REMOVED",
    "BRANCHES_REORDERED",
    "DEFAULT_CHANGED",
    "DOC_CHANGED",
    "ALIASES_CHANGED",
    "ORDER_CHANGED",
    "ATTRIBUTE_CHANGED",
)
"""What a change can be."""

_CAUSES: Mapping[str, Sequence[str]] = {
    "READER_FIELD_MISSING_DEFAULT_VALUE": ("FIELD_ADDED", "FIELD_REMOVED", "FIELD_RENAMED"),
    "NAME_MISMATCH": ("TYPE_RENAMED",),
    "FIXED_SIZE_MISMATCH": ("SIZE_CHANGED",),
    "MISSING_ENUM_SYMBOLS": ("SYMBOL_REMOVED", "SYMBOL_ADDED"),
    "MISSING_UNION_BRANCH": ("BRANCH_REMOVED", "BRANCH_ADDED", "TYPE_CHANGED"),
    "TYPE_MISMATCH": ("TYPE_CHANGED", "BRANCH_REMOVED", "BRANCH_ADDED"),
    "AMBIGUOUS_FIELD_ALIAS": ("FIELD_RENAMED", "ALIASES_CHANGED", "FIELD_ADDED", "FIELD_REMOVED"),
}
"""For a finding of a comparison, the changes that it may be about, the likeliest first."""

_FORWARD = {Level.FORWARD, Level.FORWARD_TRANSITIVE, Level.FULL, Level.FULL_TRANSITIVE}
_BACKWARD = {Level.BACKWARD, Level.BACKWARD_TRANSITIVE, Level.FULL, Level.FULL_TRANSITIVE}


@dataclass(slots=True, eq=False)
class Change:
    """One difference.

    kind: of KINDS. message: one sentence. was, now: before and after, in a few characters; "" for nothing.
    old, new: the parts that it is about; None for one that is not there.
    old_names, new_names: the way to them in names, as `LocatedFinding.names`.
    backward: the rules by which new readers fail on old data; forward: by which old readers fail on new data.
    """

    kind: str
    message: str
    was: str
    now: str
    old: Part | None
    new: Part | None
    old_names: tuple[str, ...]
    new_names: tuple[str, ...]
    backward: dict[str, None] = field(default_factory=dict)
    forward: dict[str, None] = field(default_factory=dict)

    def breaks(self, level: Level) -> bool:
        """Whether the level refuses a new version for this change."""
        return bool(self.backward and level in _BACKWARD) or bool(self.forward and level in _FORWARD)

    @property
    def element(self) -> str:
        """The way to what changed, in names: ``lines[].price``; "" is the whole."""
        names = self.new_names or self.old_names
        return "".join(f".{name}" if name not in ("[]", "{}") else name for name in names).removeprefix(".")


def changes(old: Schema, new: Schema) -> list[Change]:
    """Every difference, in the order of the new schema; each finding of a comparison is on one of them.

    Raises SchemaFault where the two are too large to be compared.
    """
    found = list(_Walk().walk(old, new))
    for finding in locate(new, old):
        _blame(found, finding, is_backward=True)
    for finding in locate(old, new):
        _blame(found, finding, is_backward=False)
    return found


def _blame(found: list[Change], finding: LocatedFinding, *, is_backward: bool) -> None:
    """Put a finding on the change that it comes of: of those nearest to it, the likeliest kind."""
    causes = _CAUSES[finding.finding.kind]

    def rank(change: Change) -> tuple[int, int]:
        names = change.new_names if is_backward else change.old_names
        common = 0
        for one, other in zip(names, finding.names, strict=False):
            if one != other:
                break
            common += 1
        away = len(names) + len(finding.names) - 2 * common
        return away, causes.index(change.kind) if change.kind in causes else len(causes)

    if found:
        change = min(found, key=rank)
    if not found or (rank(change)[0] > 0 and rank(change)[1] == len(causes)):
        change = Change(
            "TYPE_CHANGED",
            _sentence(finding, "new" if is_backward else "old", "old" if is_backward else "new"),
            *("", ""),
            finding.writer if is_backward else finding.reader,
            finding.reader if is_backward else finding.writer,
            finding.names,
            finding.names,
        )
        found.append(change)
    (change.backward if is_backward else change.forward)[finding.finding.kind] = None


def _sentence(finding: LocatedFinding, reader: str, writer: str) -> str:
    return finding.finding.description.replace("{reader}", reader).replace("{writer}", writer)


@dataclass(slots=True, eq=False)
class _Pair:
    """Two types that stand for each other, and where."""

    old: Schema
    new: Schema
    old_at: Part
    new_at: Part
    old_names: tuple[str, ...]
    new_names: tuple[str, ...]

    def inner(self, old: Schema, new: Schema, steps: tuple[str, str], names: tuple[str, str]) -> "_Pair":
        return _Pair(
            old,
            new,
            (self.old, steps[0]),
            (self.new, steps[1]),
            (*self.old_names, *filter(None, names[:1])),
            (*self.new_names, *filter(None, names[1:])),
        )

    def change(self, kind: str, message: str, was: object = MISSING, now: object = MISSING) -> Change:
        return Change(
            kind,
            message,
            _shown(was),
            _shown(now),
            self.old_at,
            self.new_at,
            self.old_names,
            self.new_names,
        )

    def of_type(self, kind: str, message: str, was: object = MISSING, now: object = MISSING) -> Change:
        """A change of the named types themselves, where they are defined."""
        change = self.change(kind, message, was, now)
        change.old, change.new = (self.old, ""), (self.new, "")
        return change


def _shown(value: object) -> str:
    return "" if value is MISSING or value is None else value if isinstance(value, str) else excerpt(value)


class _Walk:
    """Walks two graphs together. Each pair of types is looked at once, where it is met first."""

    def __init__(self) -> None:
        self._met: set[tuple[int, int]] = set()

    def walk(self, old: Schema, new: Schema) -> Iterator[Change]:
        # Pairs wait in a list of their own: schemas refer to themselves, and nest deep.
        waiting = [_Pair(old, new, (None, ""), (None, ""), (), ())]
        while waiting:
            pair = waiting.pop()
            key = (id(pair.old), id(pair.new))
            if key in self._met:
                continue
            self._met.add(key)
            inner: list[_Pair] = []
            yield from _compare(pair, inner)
            waiting += reversed(inner)


def _compare(pair: _Pair, inner: list[_Pair]) -> Iterator[Change]:
    match pair.old, pair.new:
        case Record() as old, Record() as new:
            yield from _named(pair, old, new)
            yield from _fields(pair, old, new, inner)
        case Enum() as old, Enum() as new:
            yield from _named(pair, old, new)
            yield from _symbols(pair, old, new)
        case Fixed() as old, Fixed() as new:
            yield from _named(pair, old, new)
            if old.size != new.size:
                yield pair.of_type(
                    "SIZE_CHANGED", f"the size of {new.name.simple} changed", old.size, new.size
                )
        case Array() as old, Array() as new:
            inner.append(pair.inner(old.items, new.items, ("/items", "/items"), ("[]", "[]")))
            yield from _props(pair, old.props, new.props)
        case Map() as old, Map() as new:
            inner.append(pair.inner(old.values, new.values, ("/values", "/values"), ("{}", "{}")))
            yield from _props(pair, old.props, new.props)
        case (Union(), _) | (_, Union()):
            yield from _branches(pair, inner)
        case Primitive() as old, Primitive() as new if old.type == new.type:
            yield from _props(pair, old.props, new.props)
        case _:
            yield pair.change("TYPE_CHANGED", "the type changed", type_text(pair.old), type_text(pair.new))


def _named(pair: _Pair, old: Named, new: Named) -> Iterator[Change]:
    name = new.name.simple
    if old.name.simple != name:
        yield pair.of_type(
            "TYPE_RENAMED", f"{old.name.full} became {new.name.full}", old.name.full, new.name.full
        )
    elif old.name.namespace != new.name.namespace:
        was, now = old.name.namespace or "", new.name.namespace or ""
        yield pair.of_type("NAMESPACE_CHANGED", f"{name} moved to another namespace", was, now)
    if old.doc != new.doc:
        yield pair.of_type("DOC_CHANGED", f"the doc of {name} changed", old.doc, new.doc)
    before, after = [one.full for one in old.aliases], [one.full for one in new.aliases]
    if before != after:
        yield pair.of_type("ALIASES_CHANGED", f"the aliases of {name} changed", before, after)
    yield from _props(pair, old.props, new.props)


def _props(pair: _Pair, old: Mapping[str, object], new: Mapping[str, object]) -> Iterator[Change]:
    for name in dict.fromkeys([*new, *old]):
        was, now = old.get(name, MISSING), new.get(name, MISSING)
        if _json(was) != _json(now):
            yield pair.change("ATTRIBUTE_CHANGED", f"the attribute {name} {_verb(was, now)}", was, now)


def _verb(was: object, now: object) -> str:
    return "was added" if was is MISSING else "was removed" if now is MISSING else "changed"


def _json(value: object) -> str:
    return "" if value is MISSING else json_text.write(value)


def _symbols(pair: _Pair, old: Enum, new: Enum) -> Iterator[Change]:
    name = new.name.simple
    for symbol in new.symbols:
        if symbol not in old.symbols:
            yield pair.of_type("SYMBOL_ADDED", f"the symbol {symbol} of {name} was added", now=symbol)
    for symbol in old.symbols:
        if symbol not in new.symbols:
            yield pair.of_type("SYMBOL_REMOVED", f"the symbol {symbol} of {name} was removed", was=symbol)
    if _is_reordered(old.symbols, new.symbols):
        yield pair.of_type("SYMBOLS_REORDERED", f"the symbols of {name} have another order")
    if old.default != new.default:
        yield pair.of_type("DEFAULT_CHANGED", f"the default of {name} changed", old.default, new.default)


def _is_reordered(old: Sequence[str], new: Sequence[str]) -> bool:
    return [one for one in old if one in new] != [one for one in new if one in old]


def _fields(pair: _Pair, old: Record, new: Record, inner: list[_Pair]) -> Iterator[Change]:
    name = new.name.simple
    matched: dict[str, Field] = {}  # old fields by the names of the new ones that they are
    for one in new.fields:
        before = old.by_name.get(one.name) or _renamed(one, old, new)
        if before is not None:
            matched[one.name] = before
    at_old = {one.name: index for index, one in enumerate(old.fields)}
    for index, after in enumerate(new.fields):
        before = matched.get(after.name)
        where = pair.inner(pair.old, pair.new, ("", f"/fields/{index}"), ("", after.name))
        if before is None:
            default = (
                f" with the default {excerpt(after.default)}" if after.has_default else " without a default"
            )
            change = where.change("FIELD_ADDED", f"the field {after.name} of {name} was added{default}")
            change.old, change.now = None, type_text(after.schema)
            yield change
            continue
        steps = (f"/fields/{at_old[before.name]}", f"/fields/{index}")
        where = pair.inner(pair.old, pair.new, steps, (before.name, after.name))
        yield from _field(where, before, after)
        types = (f"{steps[0]}/type", f"{steps[1]}/type")
        inner.append(pair.inner(before.schema, after.schema, types, (before.name, after.name)))
    kept = {one.name for one in matched.values()}
    for index, gone in enumerate(old.fields):
        if gone.name not in kept:
            where = pair.inner(pair.old, pair.new, (f"/fields/{index}", ""), (gone.name, ""))
            change = where.change("FIELD_REMOVED", f"the field {gone.name} of {name} was removed")
            change.new, change.was = None, type_text(gone.schema)
            yield change
    order = [matched[one.name].name for one in new.fields if one.name in matched]
    if order != sorted(order, key=at_old.__getitem__):
        yield pair.of_type("FIELDS_REORDERED", f"the fields of {name} have another order")


def _renamed(field_: Field, old: Record, new: Record) -> Field | None:
    """The old field that became `field_`: an alias of either says so, and its name is gone."""
    for one in old.fields:
        if one.name not in new.by_name and (one.name in field_.aliases or field_.name in one.aliases):
            return one
    return None


def _field(where: _Pair, old: Field, new: Field) -> Iterator[Change]:
    if old.name != new.name:
        yield where.change("FIELD_RENAMED", f"the field {old.name} became {new.name}", old.name, new.name)
    if _json(old.default) != _json(new.default):
        verb = _verb(old.default, new.default)
        change = where.change("DEFAULT_CHANGED", f"the default of {new.name} {verb}")
        change.was, change.now = _json(old.default), _json(new.default)
        yield change
    if old.doc != new.doc:
        yield where.change("DOC_CHANGED", f"the doc of {new.name} changed", old.doc, new.doc)
    if old.order != new.order:
        yield where.change("ORDER_CHANGED", f"the sort order of {new.name} changed", old.order, new.order)
    if old.aliases != new.aliases:
        yield where.change("ALIASES_CHANGED", f"the aliases of {new.name} changed", old.aliases, new.aliases)
    yield from _props(where, old.props, new.props)


def _branches(pair: _Pair, inner: list[_Pair]) -> Iterator[Change]:
    """Two unions, or a union and what it was or became a union with."""
    before, after = _of(pair.old), _of(pair.new)
    if not isinstance(pair.old, Union) or not isinstance(pair.new, Union):
        yield pair.change("TYPE_CHANGED", "the type changed", type_text(pair.old), type_text(pair.new))
    matched = {name: _match(name, branch, before) for name, (_, branch) in after.items()}
    for name, (index, branch) in after.items():
        old_name = matched[name]
        if old_name is not None:
            old_index, old_branch = before[old_name]
            steps = (
                f"/{old_index}" if isinstance(pair.old, Union) else "",
                f"/{index}" if isinstance(pair.new, Union) else "",
            )
            within = pair.inner(old_branch, branch, steps, ("", ""))
            within.old_at = within.old_at if isinstance(pair.old, Union) else pair.old_at
            within.new_at = within.new_at if isinstance(pair.new, Union) else pair.new_at
            inner.append(within)
        elif isinstance(pair.old, Union) and isinstance(pair.new, Union):
            yield pair.change("BRANCH_ADDED", f"the union takes {name} now", now=name)
    if isinstance(pair.old, Union) and isinstance(pair.new, Union):
        kept = set(matched.values())
        for name in before:
            if name not in kept:
                yield pair.change("BRANCH_REMOVED", f"the union does not take {name} any more", was=name)
        order = [one for one in matched.values() if one is not None]
        if order != [name for name in before if name in kept]:
            yield pair.change(
                "BRANCHES_REORDERED",
                "the branches of the union have another order",
                type_text(pair.old),
                type_text(pair.new),
            )


def _match(name: str, branch: Schema, before: Mapping[str, tuple[int, Schema]]) -> str | None:
    """The old branch that a new one stands for: of its name, or without the namespace, or by an alias."""
    if name in before:
        return name
    if isinstance(branch, Named):
        for other, (_, one) in before.items():
            if isinstance(one, Named) and one.type == branch.type:
                aliases = {alias.full for alias in branch.aliases}
                if one.name.simple == branch.name.simple or other in aliases:
                    return other
    return None


def _of(schema: Schema) -> dict[str, tuple[int, Schema]]:
    branches = schema.branches if isinstance(schema, Union) else [schema]
    return {branch.type_name: (index, branch) for index, branch in enumerate(branches)}


def type_text(schema: Schema) -> str:
    """A type in a few characters: ``["null", "shop.Line"]``."""
    match schema:
        case Union():
            return f"[{', '.join(type_text(branch) for branch in schema.branches)}]"
        case Array():
            return f"array<{type_text(schema.items)}>"
        case Map():
            return f"map<{type_text(schema.values)}>"
    logical = schema.props.get("logicalType")
    return f"{schema.type_name} ({logical})" if isinstance(logical, str) else schema.type_name
