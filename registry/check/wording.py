"""A finding of a comparison in words: where it stands in both files, who breaks, and what is to be done."""

from collections.abc import Callable

from registry.check.findings import Breaks, Finding
from registry.check.sources import LocatedSchema
from registry.compatibility import message as registry_message
from registry.languages.avro.compatibility import LocatedFinding, Part
from registry.languages.avro.schema import (
    Array,
    Enum,
    Field,
    Fixed,
    Map,
    Named,
    Record,
    Schema,
    Union,
)

MAX_SHOWN = 100
"""Characters of a type, or of a list of symbols, that are shown."""

_NEW_FAIL = "readers of the new schema cannot read old data"
_OLD_FAIL = "readers of the old schema cannot read new data"
_ZEROES = {
    "int": "0",
    "long": "0",
    "float": "0.0",
    "double": "0.0",
    "boolean": "false",
    "string": '""',
    "bytes": '""',
    "array": "[]",
    "map": "{}",
}


class _Case:
    """A finding with both schemas at hand.

    new, old: the parts that it is about. is_new_reader: whether the new schema is the reader's.
    """

    def __init__(
        self, located: LocatedFinding, breaks: Breaks, new: LocatedSchema, old: LocatedSchema
    ) -> None:
        self.is_new_reader = breaks is Breaks.NEW_READERS
        self.kind = located.finding.kind
        self.reader, self.writer = located.reader, located.writer
        self.new, self.old = (
            (located.reader, located.writer) if self.is_new_reader else (located.writer, located.reader)
        )
        self.roots = new.schema.root, old.schema.root
        root = (self.roots[0] if self.is_new_reader else self.roots[1]).type_name.rpartition(".")[2]
        steps = (name if name in {"[]", "{}"} else f".{name}" for name in located.names)
        self.element = root + "".join(steps)
        self.fails = _NEW_FAIL if self.is_new_reader else _OLD_FAIL

    def new_type(self) -> Schema:
        return _type_at(self.new, self.roots[0])

    def old_type(self) -> Schema:
        return _type_at(self.old, self.roots[1])


Worded = tuple[str, str, str, str]
"""Message, what it was, what it is, and the fix."""


def worded(
    located: LocatedFinding,
    breaks: Breaks,
    new: LocatedSchema,
    old: LocatedSchema,
    *,
    against: str,
    level: str,
) -> Finding:
    """The finding of comparing `new` with `old`, as reports have it."""
    case = _Case(located, breaks, new, old)
    message, was, now, fix = _WORDS[case.kind](case)
    reader, writer = ("new", "old") if case.is_new_reader else ("old", "new")
    return Finding(
        rule=case.kind,
        message=message,
        subject=new.source.subject,
        place=new.place(*case.new),
        old_place=old.place(*case.old),
        against=against,
        breaks=breaks,
        path=located.finding.path,
        element=case.element,
        was=was,
        now=now,
        fix=fix,
        level=level,
        detail=registry_message(located.finding, reader, writer),
    )


def described(schema: Schema) -> str:
    """A type in a few words: ``long``, ``record Money``, ``["null", "string"]``, ``array of Line``."""
    match schema:
        case Union():
            branches = [f'"{_short(branch)}"' for branch in schema.branches]
            return _cut(f"[{', '.join(branches)}]")
        case Array():
            return _cut(f"array of {_short(schema.items)}")
        case Map():
            return _cut(f"map of {_short(schema.values)}")
        case Named():
            return f"{schema.type} {schema.name.simple}"
    return schema.type


def _short(schema: Schema) -> str:
    return schema.name.simple if isinstance(schema, Named) else schema.type


def _cut(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 3]}..."


def _type_at(part: Part, root: Schema) -> Schema:
    """The type that a part is, or that a field has."""
    owner, steps = part
    if owner is None:
        return root
    tokens = steps.split("/")[1:]
    match owner:
        case Record() if tokens[:1] == ["fields"]:
            return owner.fields[int(tokens[1])].schema
        case Array() if tokens:
            return owner.items
        case Map() if tokens:
            return owner.values
    return owner


def _field_at(part: Part) -> Field:
    owner, steps = part
    assert isinstance(owner, Record)
    return owner.fields[int(steps.split("/")[2])]


def _missing_default(case: _Case) -> Worded:
    field = _field_at(case.reader)
    shown = f'"{field.name}": {described(field.schema)}'
    writer = case.writer[0]
    assert isinstance(writer, Record)
    if not case.is_new_reader:
        message = f"{case.element} was removed and had no default: {case.fails}, which lacks it"
        fix = (
            f'put "{field.name}" back; to be rid of it, give it a default first, and remove it when all who '
            "read have that version"
        )
        return message, shown, "", fix
    message = f"{case.element} is new and has no default: {case.fails}, which lacks it"
    fix = _default_for(field.schema)
    reader = case.reader[0]
    assert isinstance(reader, Record)
    gone = [one for one in writer.fields if one.name not in reader.by_name]
    alike = [one.name for one in gone if _is_alike(one.schema, field.schema)]
    if len(alike) == 1:
        fix += f'; if it is "{alike[0]}" renamed, add "aliases": ["{alike[0]}"]'
    return message, "", shown, fix


def _is_alike(one: Schema, other: Schema) -> bool:
    if isinstance(one, Fixed) and isinstance(other, Fixed) and one.size != other.size:
        return False
    return described(one) == described(other)


def _default_for(schema: Schema) -> str:
    if schema.type == "null":
        return 'add "default": null'
    if isinstance(schema, Union):
        types = [branch.type for branch in schema.branches]
        if types[:1] == ["null"]:
            return 'add "default": null'
        if "null" in types:
            return 'put "null" first in its type, and add "default": null'
        zero = _zero(schema.branches[0]) if types else None
    else:
        zero = _zero(schema)
    if isinstance(schema, Enum) and schema.symbols:
        zero = f'"{schema.symbols[0]}"'
    optional = 'make it optional: a union with "null" first, and "default": null'
    return optional if zero is None else f'add a default, such as "default": {zero}; or {optional}'


def _zero(schema: Schema) -> str | None:
    """A default that readers of the logical type take as well."""
    logical = schema.props.get("logicalType")
    if logical == "uuid":
        return None
    if logical == "decimal" and schema.type == "bytes":
        return '"\\u0000"'
    return _ZEROES.get(schema.type)


def _type_mismatch(case: _Case) -> Worded:
    was, now = described(case.old_type()), described(case.new_type())
    message = f"{case.element} was {was} and is {now}: {case.fails}"
    if isinstance(case.old_type(), Union) != isinstance(case.new_type(), Union):
        branch = _branch_at(case.writer)
        which = " with no value" if branch == "null" else f" that is {branch}"
        message += which if branch else ""
    return message, was, now, f"keep {was}; to change it, add a field with another name and a default"


def _branch_at(part: Part) -> str:
    owner, steps = part
    if isinstance(owner, Union) and steps:
        return _short(owner.branches[int(steps[1:])])
    return ""


def _name_mismatch(case: _Case) -> Worded:
    new, old = case.new[0], case.old[0]
    assert isinstance(new, Named)
    assert isinstance(old, Named)
    was, now = old.name.full, new.name.full
    message = f"the {new.type} {was} at {case.element} is named {now} now: {case.fails}"
    if case.is_new_reader:
        return message, was, now, f'keep the name, or add "aliases": ["{was}"]'
    return message, was, now, f"keep the name {was}: who reads with the old schema knows no other"


def _fixed_size(case: _Case) -> Worded:
    new, old = case.new[0], case.old[0]
    assert isinstance(new, Fixed)
    assert isinstance(old, Fixed)
    message = (
        f"the fixed {new.name.simple} at {case.element} had {old.size} bytes and has {new.size}: {case.fails}"
    )
    return (
        message,
        str(old.size),
        str(new.size),
        f"keep the size {old.size}, or add a field of a new fixed type",
    )


def _enum_symbols(case: _Case) -> Worded:
    new, old = case.new[0], case.old[0]
    assert isinstance(new, Enum)
    assert isinstance(old, Enum)
    was, now = _cut(", ".join(old.symbols)), _cut(", ".join(new.symbols))
    if case.is_new_reader:
        lost = _cut(", ".join(sorted(set(old.symbols) - set(new.symbols))))
        message = f"the enum {new.name.simple} at {case.element} has lost {lost}: {case.fails} that has it"
        default = f'"default": "{new.symbols[0]}"' if new.symbols else "a default"
        return message, was, now, f"keep {lost}, or give the enum {default} for symbols it does not know"
    got = _cut(", ".join(sorted(set(new.symbols) - set(old.symbols))))
    message = f"the enum {new.name.simple} at {case.element} has got {got}: {case.fails} that has it"
    fix = "leave it out until all who read have a version of the enum with a default"
    return message, was, now, fix


def _union_branch(case: _Case) -> Worded:
    was, now = described(case.old_type()), described(case.new_type())
    lacking = _branch_at(case.writer) or _short(_type_at(case.writer, case.roots[int(case.is_new_reader)]))
    readers = _type_at(case.reader, case.roots[int(not case.is_new_reader)])
    if isinstance(readers, Union) and lacking in map(_short, readers.branches):
        message = f"{lacking} at {case.element} is another one now: {case.fails} that is {lacking}"
        return message, was, now, f"put right what is found in {lacking}, or keep it as it was"
    if case.is_new_reader:
        message = f"{case.element} no longer takes {lacking}: {case.fails} that is {lacking}"
        return message, was, now, f'keep "{lacking}" among the types of {case.element}'
    message = f"{case.element} takes {lacking} now: {case.fails} that is {lacking}"
    return message, was, now, f'leave "{lacking}" out until all who read have a version that takes it'


def _ambiguous(case: _Case) -> Worded:
    field = _field_at(case.reader)
    writer = case.writer[0]
    assert isinstance(writer, Record)
    names = [name for name in (field.name, *field.aliases) if name in writer.by_name]
    listed = " and ".join(f'"{name}"' for name in names)
    message = (
        f"{case.element} matches the fields {listed} of the data, by its name and its aliases: {case.fails}"
    )
    return message, listed, f'"{field.name}"', "remove the alias that names a field which is there besides"


_WORDS: dict[str, Callable[[_Case], Worded]] = {
    "READER_FIELD_MISSING_DEFAULT_VALUE": _missing_default,
    "TYPE_MISMATCH": _type_mismatch,
    "NAME_MISMATCH": _name_mismatch,
    "FIXED_SIZE_MISMATCH": _fixed_size,
    "MISSING_ENUM_SYMBOLS": _enum_symbols,
    "MISSING_UNION_BRANCH": _union_branch,
    "AMBIGUOUS_FIELD_ALIAS": _ambiguous,
}
