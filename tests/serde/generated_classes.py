"""Generated classes of the four kinds, with the schema that a hand would write for each, and values.

A case knows the answer by how it was made, so that no implementation has to be trusted.
"""

import dataclasses
import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Annotated, Any, Literal, NotRequired, TypedDict
from uuid import UUID

import attrs
import pydantic
from hypothesis import strategies as st

from serde import Duration, NanoDatetime
from serde.classes import (
    BigDecimal,
    DatetimeMillis,
    Digits,
    Fixed,
    Float32,
    Int32,
    LocalDatetime,
    Named,
    TimeMillis,
)
from tests.serde.generated import BYTES, INTS, LONGS, TEXTS

Draw = Callable[[st.SearchStrategy[Any]], Any]
KINDS = ("dataclass", "slots", "frozen", "attrs", "attrs slots", "pydantic", "TypedDict")
MOMENTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))
DECIMALS = st.integers(-(10**9) + 1, 10**9 - 1).map(lambda n: Decimal(n).scaleb(-2))


def logical(kind: str, name: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "logicalType": name, **more}


@dataclass(frozen=True)
class Kind:
    """A type hint, its schema, and values: as the class has them, and as a dict would, with branches named.

    branch: what a union has one of.
    """

    hint: Any
    schema: Any
    values: st.SearchStrategy[Any]
    branch: str


PLAIN = [
    Kind(bool, "boolean", st.booleans(), "boolean"),
    Kind(int, "long", LONGS, "long"),
    Kind(Int32, "int", INTS, "int"),
    Kind(float, "double", st.floats(allow_nan=False), "double"),
    Kind(Float32, "float", st.floats(width=32, allow_nan=False), "float"),
    Kind(str, "string", TEXTS, "string"),
    Kind(bytes, "bytes", BYTES, "bytes"),
    Kind(date, logical("int", "date"), st.dates(), "int"),
    Kind(time, logical("long", "time-micros"), st.times(), "long"),
    Kind(
        TimeMillis,
        logical("int", "time-millis"),
        st.times().map(lambda t: t.replace(microsecond=t.microsecond // 1000 * 1000)),
        "int",
    ),
    Kind(datetime, logical("long", "timestamp-micros"), MOMENTS, "long"),
    Kind(
        DatetimeMillis,
        logical("long", "timestamp-millis"),
        MOMENTS.map(lambda t: t.replace(microsecond=t.microsecond // 1000 * 1000)),
        "long",
    ),
    Kind(LocalDatetime, logical("long", "local-timestamp-micros"), st.datetimes(), "long"),
    Kind(UUID, logical("string", "uuid"), st.uuids(), "string"),
    Kind(
        Annotated[Decimal, Digits(9, 2)],
        logical("bytes", "decimal", precision=9, scale=2),
        DECIMALS,
        "bytes",
    ),
    Kind(BigDecimal, logical("bytes", "big-decimal"), DECIMALS, "bytes"),
]
# pydantic knows no Duration, and gives a plain datetime for a NanoDatetime.
NOT_PYDANTIC = [
    Kind(
        NanoDatetime,
        logical("long", "timestamp-nanos"),
        st.builds(
            NanoDatetime.of,
            st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),
            st.integers(0, 999),
        ),
        "long",
    )
]


class Generator:
    """Draws classes; each named type is defined where it is met first, and used by name after."""

    def __init__(self, draw: Draw, kind: str) -> None:
        self._draw = draw
        self._kind = kind
        self._count = 0
        self._named: list[Kind] = []

    def record(self, depth: int) -> Kind:
        name = self._name("Record")
        kinds = {f"f{n}": self.any(depth - 1) for n in range(self._draw(st.integers(1, 5)))}
        cls = make_class(self._kind, name, {field: kind.hint for field, kind in kinds.items()})
        schema = {
            "type": "record",
            "name": name,
            "fields": [{"name": field, "type": kind.schema} for field, kind in kinds.items()],
        }
        values = st.fixed_dictionaries({field: kind.values for field, kind in kinds.items()})
        pairs = values.map(lambda fields: (cls(**_firsts(fields)), _seconds(fields)))
        return self._keep(Kind(cls, schema, pairs, name))

    def any(self, depth: int, *, union: bool = True) -> Kind:
        choices = ["plain"] * 4 + ["enum", "literal", "fixed", "known"]
        if depth > 0:
            choices += ["list", "tuple", "dict", "record", "record"] + ["union"] * 3 * union
        choice = self._draw(st.sampled_from(choices))
        if choice == "known" and self._named:
            known: Kind = self._draw(st.sampled_from(self._named))
            return known
        if choice in {"plain", "known"}:
            plain = PLAIN if self._kind == "pydantic" else [*PLAIN, *NOT_PYDANTIC]
            found: Kind = self._draw(st.sampled_from(plain))
            return dataclasses.replace(found, values=found.values.map(_both))
        if choice == "union":
            return self._union(depth)
        made: Kind = getattr(self, f"_{choice}" if choice != "record" else choice)(depth)
        return made

    def _enum(self, _depth: int) -> Kind:
        name = self._name("Enum")
        kind: Any = self._draw(st.sampled_from([enum.Enum, enum.IntEnum, enum.StrEnum]))
        symbols = [f"RED{name}", f"GREEN{name}", "BLUE"][: self._draw(st.integers(1, 3))]
        values: dict[str, Any] = {symbol: n for n, symbol in enumerate(symbols)}
        if kind is enum.StrEnum:
            values = {symbol: symbol.lower() for symbol in symbols}
            symbols = [symbol.lower() for symbol in symbols]
        cls = kind(name, values)
        default = {"default": symbols[0]} if self._draw(st.booleans()) else {}
        Named(**default)(cls)
        schema = {"type": "enum", "name": name, "symbols": symbols, **default}
        members = st.sampled_from(list(zip(cls, symbols, strict=True)))
        return self._keep(Kind(cls, schema, members, name))

    def _literal(self, _depth: int) -> Kind:
        name = self._name("Literal")
        hint = Annotated[Literal["A", "B"], Named(name, aliases=["Old"], default="B", doc="what")]
        schema = {"type": "enum", "name": name, "symbols": ["A", "B"]}
        schema |= {"aliases": ["Old"], "default": "B", "doc": "what"}
        return self._keep(Kind(hint, schema, st.sampled_from(["A", "B"]).map(_both), name))

    def _fixed(self, _depth: int) -> Kind:
        name = self._name("Fixed")
        size = self._draw(st.integers(1, 5))
        fixed = {"type": "fixed", "name": name, "size": size}
        kinds = [
            Kind(Annotated[bytes, Fixed(size, name)], fixed, st.binary(min_size=size, max_size=size), name)
        ]
        uuid = {"type": "fixed", "name": name, "size": 16, "logicalType": "uuid"}
        kinds.append(Kind(Annotated[UUID, Fixed(16, name)], uuid, st.uuids(), name))
        found: Kind = self._draw(st.sampled_from(kinds))
        return self._keep(dataclasses.replace(found, values=found.values.map(_both)))

    def _list(self, depth: int) -> Kind:
        inner = self.any(depth - 1)
        hint = self._draw(st.sampled_from([list[inner.hint], Sequence[inner.hint]]))  # type: ignore[name-defined]
        schema = {"type": "array", "items": inner.schema}
        values = st.lists(inner.values, max_size=3)
        pairs = values.map(lambda items: ([item for item, _ in items], [plain for _, plain in items]))
        return Kind(hint, schema, pairs, "array")

    def _tuple(self, depth: int) -> Kind:
        inner = self.any(depth - 1)
        values = st.lists(inner.values, max_size=3).map(
            lambda items: (tuple(item for item, _ in items), [plain for _, plain in items])
        )
        return Kind(tuple[inner.hint, ...], {"type": "array", "items": inner.schema}, values, "array")  # type: ignore[name-defined]

    def _dict(self, depth: int) -> Kind:
        inner = self.any(depth - 1)
        hint = self._draw(st.sampled_from([dict[str, inner.hint], Mapping[str, inner.hint]]))  # type: ignore[name-defined]
        values = st.dictionaries(TEXTS, inner.values, max_size=3)
        pairs = values.map(lambda entries: (_firsts(entries), _seconds(entries)))
        return Kind(hint, {"type": "map", "values": inner.schema}, pairs, "map")

    def _union(self, depth: int) -> Kind:
        branches: dict[str, Kind] = {}
        for _ in range(self._draw(st.integers(1, 4))):
            known = len(self._named)
            branch = self.any(depth - 1, union=False)
            if branch.branch in branches or self._is_ambiguous(branch, branches):
                # A union has one branch of a kind; what this one would have defined is not there.
                del self._named[known:]
                continue
            branches[branch.branch] = branch
        kinds = list(branches.values())
        hint: Any = kinds[0].hint
        for kind in kinds[1:]:
            hint = hint | kind.hint
        if len(kinds) == 1 or self._draw(st.booleans()):
            none = Kind(None, "null", st.just((None, None)), "null")
            hint = hint | None
            kinds = [none, *kinds]
        values = st.one_of([kind.values.map(_naming(kind.branch)) for kind in kinds])
        return Kind(hint, [kind.schema for kind in kinds], values, "union")

    def _is_ambiguous(self, branch: Kind, others: Mapping[str, Kind]) -> bool:
        """Whether a value of one could be meant for another: the class of a Python value does not tell."""
        families = [
            {"int", "long", "float", "double", "boolean"},
            {"bytes", *(name for name in [branch.branch, *others] if name.startswith("Fixed"))},
            {"string", *(n for n in [branch.branch, *others] if n.startswith(("Literal", "Fixed")))},
            {"map", *(n for n in [branch.branch, *others] if n.startswith("Record"))}
            if self._kind == "TypedDict"
            else set(),
        ]
        return any(branch.branch in family and family & others.keys() for family in families)

    def _keep(self, kind: Kind) -> Kind:
        self._named.append(dataclasses.replace(kind, schema=kind.branch))
        return kind

    def _name(self, kind: str) -> str:
        self._count += 1
        return f"{kind}{self._count}"


def _both(value: Any) -> tuple[Any, Any]:
    return value, value


def _naming(branch: str) -> Callable[[tuple[Any, Any]], tuple[Any, Any]]:
    return lambda pair: (pair[0], None if branch == "null" else (branch, pair[1]))


def _firsts(pairs: Mapping[str, tuple[Any, Any]]) -> dict[str, Any]:
    return {key: pair[0] for key, pair in pairs.items()}


def _seconds(pairs: Mapping[str, tuple[Any, Any]]) -> dict[str, Any]:
    return {key: pair[1] for key, pair in pairs.items()}


def make_class(
    kind: str, name: str, fields: Mapping[str, Any], defaults: Mapping[str, Any] | None = None
) -> Any:
    """A class of a kind with fields; those with defaults come last."""
    given = defaults or {}
    ordered = {field: fields[field] for field in sorted(fields, key=lambda field: field in given)}
    match kind:
        case "dataclass" | "slots" | "frozen":
            listed = [
                (field, hint, dataclasses.field(default=given[field])) if field in given else (field, hint)
                for field, hint in ordered.items()
            ]
            return dataclasses.make_dataclass(name, listed, slots=kind == "slots", frozen=kind == "frozen")
        case "attrs" | "attrs slots":
            made = {
                field: attrs.field(type=hint, default=given.get(field, attrs.NOTHING))
                for field, hint in ordered.items()
            }
            return attrs.make_class(name, made, slots=kind == "attrs slots")
        case "pydantic":
            config = pydantic.ConfigDict(arbitrary_types_allowed=True)
            listed_fields: Any = {field: (hint, given.get(field, ...)) for field, hint in ordered.items()}
            return pydantic.create_model(name, __config__=config, **listed_fields)
        case _:
            keys = {field: NotRequired[hint] if field in given else hint for field, hint in ordered.items()}
            return TypedDict(name, keys)  # type: ignore[operator]


@st.composite
def classes(draw: Draw) -> Kind:
    """A class, the schema of it, and values."""
    generator = Generator(draw, draw(st.sampled_from(KINDS)))
    return generator.record(3)


@st.composite
def classes_with_values(draw: Draw) -> tuple[Any, Any, Any, Any]:
    """(class, its schema as JSON, an object of the class, the same as a dict with every branch named)."""
    kind = draw(classes())
    return kind.hint, kind.schema, *draw(kind.values)


def fields_of(value: Any) -> list[str] | None:
    if isinstance(value, pydantic.BaseModel):
        return list(type(value).model_fields)
    if attrs.has(type(value)):
        return [field.name for field in attrs.fields(type(value))]
    if dataclasses.is_dataclass(value) and not isinstance(value, Duration):
        return [field.name for field in dataclasses.fields(value)]
    return None


def same_classes(one: Any, other: Any) -> bool:
    """Whether equal values are of the same classes as well, all the way down."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return all(same_classes(one[key], other[key]) for key in other)
    if isinstance(one, list | tuple):
        return all(map(same_classes, one, other))
    return all(same_classes(getattr(one, name), getattr(other, name)) for name in fields_of(one) or ())
