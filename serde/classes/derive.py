"""A class into the Avro schema that one would write for it by hand."""

import copy
import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import Enum, Flag
from typing import Any, Final, Literal, NamedTuple, TypeVar, get_args, get_origin
from uuid import UUID

from serde.classes.hints import MAPS, PRIMITIVES, distance, is_array, is_union, shown
from serde.classes.kinds import Member, is_record_class, members_of, split
from serde.classes.marks import AvroType, Digits, Fixed, Named, mark_of
from serde.codec.objects import symbols_of
from serde.codec.schema import MISSING
from serde.codec.values import Duration
from serde.errors import InvalidClass

Json = Any
M = TypeVar("M")

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_FULL_NAME: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_]*\.)*[A-Za-z_][A-Za-z0-9_]*\Z")
_INSTEAD: Final[Mapping[Any, str]] = {
    timedelta: "a timedelta is no Avro duration, which counts months and days: use serde.Duration or an int",
    Decimal: "a Decimal needs its digits: Annotated[Decimal, Digits(12, 2)], or BigDecimal",
    set: "Avro has no sets: use a list",
    frozenset: "Avro has no sets: use a list",
    tuple: "Avro has no tuples of given parts: use tuple[T, ...], a list or a class",
    Any: "Avro has no type for any value: say which it is",
    object: "Avro has no type for any value: say which it is",
    list: "say what the list holds",
    dict: "say what the dict holds",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a class a type stands. owner, field: the record and the field that it is in, for names."""

    path: str
    namespace: str = ""
    owner: str = ""
    field: str = ""

    def item(self) -> "Place":
        return dataclasses.replace(self, path=f"{self.path}[]")

    def error(self, reason: str) -> InvalidClass:
        return InvalidClass(reason, self.path)

    def own_name(self) -> str:
        """A name for a type that has none but where it stands."""
        if not self.field:
            raise self.error("it needs a name: Annotated[..., Named('Status')], or Fixed(16, 'Digest')")
        return self.owner + "".join(word[:1].upper() + word[1:] for word in self.field.split("_"))


class Given(NamedTuple):
    """A field's default as Python has it, and the JSON of the field, which is to have it too."""

    record: str
    field: dict[str, Json]
    value: Any
    place: Place


class Derivation:
    """The schema of one class, with all that it holds; each named type is spelt out where it is met first."""

    def __init__(self) -> None:
        self.defaults: list[Given] = []
        self._met: dict[object, str] = {}

    def schema(self, hint: Any, place: Place, outer: Sequence[object] = (), default: Any = MISSING) -> Json:
        """default: what a union's first branch must take."""
        bare, marks = split(hint)
        marks = (*marks, *outer)
        given = mark(marks, AvroType)
        if given is not None:
            return copy.deepcopy(given.schema)
        if is_union(bare):
            return self._union(
                get_args(bare), place, default, [m for m in marks if isinstance(m, Digits | Fixed)]
            )
        digits, fixed = mark(marks, Digits), mark(marks, Fixed)
        if bare is Decimal and digits is not None:
            size = {"precision": digits.precision, "scale": digits.scale}
            return self._bytes(fixed, {"logicalType": "decimal", **size}, place)
        if bare is UUID and fixed is not None:
            return self._bytes(fixed, {"logicalType": "uuid"}, place)
        if bare is bytes and fixed is not None:
            return self._bytes(fixed, {}, place)
        if bare is Duration:
            return self._bytes(Fixed(12, "Duration"), {"logicalType": "duration"}, place)
        if bare in PRIMITIVES:
            return copy.copy(PRIMITIVES[bare])
        if get_origin(bare) is Literal:
            return self._literal(get_args(bare), mark(marks, Named) or Named(), place)
        return self._container(bare, place)

    def _container(self, bare: Any, place: Place) -> Json:
        if is_array(bare):
            return {"type": "array", "items": self.schema(get_args(bare)[0], place.item())}
        if get_origin(bare) in MAPS:
            key, value = get_args(bare)
            if key is not str:
                raise place.error("the keys of an Avro map are strings")
            return {"type": "map", "values": self.schema(value, place.item())}
        if isinstance(bare, type) and issubclass(bare, Enum):
            return self._enum(bare, place)
        if is_record_class(bare):
            return self._record(bare, place)
        if not isinstance(bare, type | TypeVar) and get_origin(bare) is None and _is_no_hint(bare):
            raise place.error(
                f"{type(bare).__name__} is no class, nor a schema's text: an object has no Avro type"
            )
        raise place.error(
            _INSTEAD.get(get_origin(bare) or bare) or f"{shown(bare)} has no Avro type{_why(bare)}"
        )

    def _union(self, hints: Sequence[Any], place: Place, default: Any, marks: Sequence[object]) -> Json:
        """null first, or the branch that takes the default. marks: sizes, for the branch that has one."""
        branches: list[Json] = []
        kinds: dict[str, Any] = {}
        first = None if default is MISSING else default
        for hint in sorted(hints, key=lambda hint: distance(hint, first)):
            schema = self.schema(hint, place, marks)
            for branch in schema if isinstance(schema, list) else [schema]:
                kind = _kind(branch)
                if kind in kinds:
                    both = f"{shown(kinds[kind])} and {shown(hint)}"
                    raise place.error(f"a union has one {kind} in Avro, and {both} are both")
                kinds[kind] = hint
                branches.append(branch)
        return branches

    def _bytes(self, fixed: Fixed | None, logical: dict[str, Json], place: Place) -> Json:
        if fixed is None:
            return {"type": "bytes", **logical}
        named = Named(fixed.name or place.own_name())
        key = (named.name, fixed.size, *logical.items())
        known, head = self._named("fixed", key, named, place)
        return known or {**head, "size": fixed.size, **logical}

    def _literal(self, values: Sequence[Any], named: Named, place: Place) -> Json:
        kinds = {type(value) for value in values}
        if kinds in ({int}, {bool}):
            return PRIMITIVES[kinds.pop()]
        if kinds != {str}:
            raise place.error("only a Literal of strings, of ints or of bools has an Avro type")
        named = dataclasses.replace(named, name=named.name or place.own_name())
        return self._symbols((named.name, *values), values, named, place)

    def _enum(self, cls: type[Enum], place: Place) -> Json:
        if issubclass(cls, Flag):
            raise place.error(f"{cls.__name__} is a Flag, which no Avro enum can express: use an int")
        named = mark_of(cls)
        named = dataclasses.replace(named, name=named.name or cls.__name__)
        return self._symbols(cls, list(symbols_of(cls)), named, place)

    def _symbols(self, key: object, symbols: Sequence[str], named: Named, place: Place) -> Json:
        for symbol in symbols:
            if not _NAME.match(symbol):
                raise place.error(f"{symbol!r} is no symbol in Avro: use letters, digits and _")
        if named.default is not None and named.default not in symbols:
            raise place.error(f"the default {named.default!r} is none of the symbols {', '.join(symbols)}")
        default = {} if named.default is None else {"default": named.default}
        known, head = self._named("enum", key, named, place)
        return known or {**head, "symbols": list(symbols), **default}

    def _record(self, cls: type, place: Place) -> Json:
        named = mark_of(cls)
        named = dataclasses.replace(named, name=named.name or cls.__name__)
        known, head = self._named("record", cls, named, place)
        if known:
            return known
        full = self._met[cls]
        namespace, _, name = full.rpartition(".")
        fields = []
        for member in members_of(cls):
            within = Place(f"{place.path or cls.__name__}.{member.attribute}", namespace, name, member.name)
            fields.append(self._field(member, full, within))
        return {**head, "fields": fields}

    def _field(self, member: Member, record: str, place: Place) -> Json:
        about = member.field
        if not _NAME.match(member.name):
            raise place.error(f"{member.name!r} is no name in Avro: AvroField(name=...) gives it another")
        default = member.default if about.default is MISSING else about.default
        hint = member.hint | None if member.optional else member.hint
        field: dict[str, Json] = {"name": member.name}
        field["type"] = self.schema(hint, place, member.marks, default)
        if about.doc is not None:
            field["doc"] = about.doc
        if about.aliases:
            field["aliases"] = list(about.aliases)
        if default is not MISSING:
            self.defaults.append(Given(record, field, default, place))
        return field

    def _named(self, kind: str, key: object, named: Named, place: Place) -> tuple[str, dict[str, Json]]:
        """The name of a type that was met before, "" if it was not; and what its definition begins with."""
        if key in self._met:
            return self._met[key], {}
        name, namespace = named.name or "", named.namespace
        if "." in name:
            namespace, _, name = name.rpartition(".")
        inherited = namespace is None or namespace == place.namespace
        namespace = place.namespace if namespace is None else namespace
        full = f"{namespace}.{name}" if namespace else name
        if not _FULL_NAME.match(full):
            hint = "a class of its own, class Amounts(Box[int])," if "[" in name else "Named(...)"
            raise place.error(f"{full!r} is no name in Avro: {hint} gives it another")
        if full in self._met.values():
            raise place.error(f"{full!r} names another type already: Named(...) gives it another name")
        self._met[key] = full
        head: dict[str, Json] = {"type": kind, "name": name}
        if not inherited:
            head["namespace"] = namespace
        if named.doc is not None:
            head["doc"] = named.doc
        if named.aliases:
            head["aliases"] = list(named.aliases)
        return "", head


def _is_no_hint(given: object) -> bool:
    """Whether something is neither of typing's nor a string that stands for a hint."""
    return given is not None and type(given).__module__.partition(".")[0] not in {"typing", "builtins"}


def _why(bare: Any) -> str:
    """Why a hint that looks like a class of one of the four kinds is none, and what to do."""
    if isinstance(bare, TypeVar):
        return ": say which type it stands for, in a class of its own: class Amounts(Box[int])"
    if is_record_class(get_origin(bare)):
        return " without a name: class Amounts(Box[int]) gives it one"
    if isinstance(bare, type) and bare.__module__ != "builtins":
        return ": it is no dataclass, pydantic model, attrs class, TypedDict or Enum"
    return ""


def mark(marks: Sequence[object], kind: type[M]) -> M | None:
    return next((found for found in marks if isinstance(found, kind)), None)


def _kind(schema: Json) -> str:
    """What a union may have only one of: a named type, or a kind of unnamed ones."""
    if isinstance(schema, str):
        return schema
    kind = schema["type"]
    if kind in {"record", "enum", "fixed"}:
        return f"{kind} {schema.get('namespace', '')}.{schema['name']}"
    return _kind(kind)
