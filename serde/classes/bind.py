"""A schema joined to a class: what is read becomes objects, and a union's branch is known by the class.

The class and the schema are walked together. A schema that was derived from the
class always goes with it; one that was given must have the same fields, and at
each a type whose values the hint allows.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from decimal import Decimal
from enum import Enum as PythonEnum
from typing import Any, Final, Literal, get_args, get_origin

from serde.classes.hints import MAPS, PRIMITIVES, is_array, is_tuple, is_union, shown
from serde.classes.kinds import is_model, is_record_class, is_strict, members_of, split
from serde.classes.makes import make_of
from serde.classes.marks import AvroType, Named, names_of
from serde.codec.logical import conversion
from serde.codec.objects import symbols_of
from serde.codec.schema import (
    Array,
    AvroSchema,
    Enum,
    Fixed,
    Map,
    Node,
    Primitive,
    Record,
    Union,
    type_name,
)
from serde.codec.values import Duration, NanoDatetime
from serde.errors import InvalidClass

_PYTHON: Final[dict[str, tuple[type, ...]]] = {
    "null": (type(None),),
    "boolean": (bool,),
    "int": (int, float),
    "long": (int, float),
    "float": (float,),
    "double": (float,),
    "bytes": (bytes,),
    "string": (str,),
}
"""The hints that each type's values fit: an int is a float to type checkers too."""


def bind(schema: AvroSchema, hint: Any, *, raw: bool = False) -> AvroSchema:
    """`schema`, for values that are what `hint` says: a class of the four kinds, or what holds such.

    raw: some logical types are given as Avro stores them, so that a hint for one may be for the other.

    Raises InvalidClass where they do not go together, with the path.
    """
    path = getattr(hint, "__name__", "")
    return AvroSchema(_Binder(raw).node(schema.root, hint, path))


class _Binder:
    def __init__(self, raw: bool) -> None:
        self._raw = raw
        self._records: dict[tuple[int, type, bool], Record] = {}

    def node(
        self, node: Node, hint: Any, path: str, outer: Sequence[object] = (), *, in_model: bool = False
    ) -> Node:
        """outer: marks that stand around the hint.

        in_model: it is in a pydantic model, which makes the models in it of dicts: so all are validated in
        one go.
        """
        bare, marks = split(hint)
        marks = (*marks, *outer)
        in_model = in_model and not any(map(_is_pydantic, marks))
        if bare is Any or bare is object:
            return node
        if isinstance(node, Union) or is_union(bare):
            hints = get_args(bare) if is_union(bare) else [hint]
            return self._union(node, hints, path, in_model=in_model and _has_no_choice(hints))
        match node:
            case Record() if is_record_class(bare):
                return self._record(node, bare, path, in_model=in_model and is_model(bare))
            case Enum():
                return _enum(node, bare, path)
            case Array() if is_array(bare):
                items = self.node(node.items, get_args(bare)[0], f"{path}[]", in_model=in_model)
                return Array(items, tuple if is_tuple(bare) else None)
            case Map() if get_origin(bare) in MAPS:
                return Map(self.node(node.values, get_args(bare)[1], f"{path}[]", in_model=in_model))
            case Primitive() | Fixed():
                return self._single(node, bare, any(isinstance(m, AvroType) for m in marks), path)
        raise _mismatch(node, bare, path)

    def _record(self, node: Record, cls: type, path: str, *, in_model: bool) -> Record:
        key = (id(node), cls, in_model)
        if key in self._records:
            return self._records[key]
        make = replace(make_of(cls), build=None) if in_model else make_of(cls)
        bound = self._records[key] = Record(node.name, node.aliases, (), make)
        makes_models = is_model(cls) and not is_strict(cls)
        members = {member.name: member for member in members_of(cls)}
        for name in sorted(members.keys() - {field.name for field in node.fields}):
            raise InvalidClass(f"the schema's {node.name} has no field {name!r}", f"{path}.{name}")
        fields = []
        for field in node.fields:
            within = f"{path}.{field.name}"
            member = members.get(field.name)
            if member is None:
                raise InvalidClass(f"{cls.__name__} has no field for it", within)
            hint = member.hint | None if member.optional else member.hint
            bound_type = self.node(field.type, hint, within, member.marks, in_model=makes_models)
            fields.append(replace(field, type=bound_type))
        bound.fields = tuple(fields)
        return bound

    def _union(self, node: Node, hints: Sequence[Any], path: str, *, in_model: bool) -> Node:
        if not isinstance(node, Union):
            return self._branch(node, [node], hints, path, in_model=in_model)
        branches = [
            self._branch(branch, node.branches, hints, path, in_model=in_model) for branch in node.branches
        ]
        return Union(tuple(branches), hints=False)

    def _branch(
        self, node: Node, beside: Sequence[Node], hints: Sequence[Any], path: str, *, in_model: bool
    ) -> Node:
        """A branch with the hint that it goes with: a record with the class of its name."""
        if isinstance(node, Record):
            hint = _class_for(node, beside, hints)
            if hint is not None:
                return self.node(node, hint, path, in_model=in_model)
        else:
            for hint in sorted(hints, key=lambda hint: _is_another(node, *split(hint))):
                try:
                    return self.node(node, hint, path, in_model=in_model)
                except InvalidClass as error:
                    if len(hints) == 1:
                        raise error from None
        allowed = " or ".join(map(shown, hints))
        raise InvalidClass(f"the schema allows {type_name(node)}, the class only {allowed}", path)

    def _single(self, node: Primitive | Fixed, bare: Any, given: bool, path: str) -> Node:
        """given: the user says what the type is; a class that is not known here may then be one of it."""
        if isinstance(bare, type) and issubclass(bare, PythonEnum) and isinstance(node, Primitive):
            if not issubclass(bare, _PYTHON[node.kind]):
                raise InvalidClass(f"{bare.__name__} must be an IntEnum or a StrEnum to be {node.kind}", path)
            return replace(node, make=bare)
        if self._raw:
            return node
        convert = conversion(node)
        if convert is not None:
            fits = bare is convert.python or (bare is NanoDatetime and convert.unit == 1)
        else:
            kinds = (bytes,) if isinstance(node, Fixed) else _PYTHON[node.kind]
            values = get_args(bare) if get_origin(bare) is Literal else ()
            fits = bare in kinds or (bool(values) and all(type(value) in kinds for value in values))
        if fits or (given and bare not in PRIMITIVES and bare not in {Decimal, Duration}):
            return node
        raise _mismatch(node, bare, path)


def _enum(node: Enum, bare: Any, path: str) -> Node:
    if bare is str:
        return node
    if isinstance(bare, type) and issubclass(bare, PythonEnum):
        members = symbols_of(bare)
        known: Collection[str] = members.keys()
    elif get_origin(bare) is Literal:
        members, known = None, get_args(bare)
    else:
        raise _mismatch(node, bare, path)
    unknown = [symbol for symbol in node.symbols if symbol not in known]
    if unknown:
        raise InvalidClass(f"{shown(bare)} lacks {', '.join(unknown)} of the schema's {node.name}", path)
    return replace(node, members=members)


def _is_another(node: Node, bare: Any, marks: Sequence[object]) -> bool:
    """Whether a branch may go with a hint only if it goes with none better."""
    is_enum = isinstance(bare, type) and issubclass(bare, PythonEnum)
    if not isinstance(node, Enum):
        return is_enum
    named = [mark.name for mark in marks if isinstance(mark, Named)]
    names = names_of(bare) if is_enum else [name for name in named if name is not None]
    return node.name not in names and node.name.rpartition(".")[2] not in names


def _has_no_choice(hints: Sequence[Any]) -> bool:
    """Whether a dict could only be of one class."""
    bare = [split(hint)[0] for hint in hints]
    return sum(is_record_class(hint) or get_origin(hint) in MAPS for hint in bare) <= 1


def _is_pydantic(mark: object) -> bool:
    """Whether a mark is one that pydantic acts on: it may want an instance, or do as it pleases."""
    return type(mark).__module__.partition(".")[0] == "pydantic"


def _class_for(node: Record, beside: Sequence[Node], hints: Sequence[Any]) -> Any:
    classes = [bare for bare, _ in map(split, hints) if is_record_class(bare)]
    if len(classes) == 1 and sum(isinstance(branch, Record) for branch in beside) == 1:
        return classes[0]
    names = {cls: names_of(cls) for cls in classes}
    for name in (node.name, node.name.rpartition(".")[2]):
        found = [cls for cls in classes if name in names[cls]]
        if found:
            return found[0]
    return None


def _mismatch(node: Node, bare: Any, path: str) -> InvalidClass:
    kind = type_name(node)
    logical = node.logical.name if isinstance(node, Primitive | Fixed) and node.logical is not None else ""
    return InvalidClass(f"{shown(bare)} does not go with the schema's {kind} {logical}".rstrip(), path)
