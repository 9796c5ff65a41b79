"""Generated Avro schemas with values that fit them, and readers' schemas with the values they must give.

A case knows the answer by how it was made, so that no implementation has to be trusted.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Context, Decimal
from typing import Any

from hypothesis import strategies as st

from serde.codec import Duration, NanoDatetime


def _scaled(number: int, scale: int) -> Decimal:
    return Decimal(number).scaleb(-scale, EXACT)


NAMES = st.text("abcdefgxyz_", min_size=1, max_size=6)
INTS = st.integers(-(1 << 31), (1 << 31) - 1)
LONGS = st.integers(-(1 << 63), (1 << 63) - 1)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
BYTES = st.binary(max_size=12)
PRIMITIVES: dict[str, st.SearchStrategy[Any]] = {
    "null": st.none(),
    "boolean": st.booleans(),
    "int": INTS,
    "long": LONGS,
    "float": st.floats(width=32, allow_nan=False),
    "double": st.floats(allow_nan=False),
    "bytes": BYTES,
    "string": TEXTS,
}
NANO = st.integers(0, 999)
NANOS = st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1))
"""What 64 bits of nanoseconds can tell."""
NANOS_UTC = st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))
EXACT = Context(prec=100)
MILLIS = st.integers(-62_000_000_000_000, 250_000_000_000_000)
LOGICAL: list[tuple[dict[str, Any], st.SearchStrategy[Any]]] = [
    ({"type": "int", "logicalType": "date"}, st.dates()),
    (
        {"type": "int", "logicalType": "time-millis"},
        st.integers(0, 86_399_999).map(
            lambda n: time(n // 3_600_000, n // 60_000 % 60, n // 1000 % 60, n % 1000 * 1000)
        ),
    ),
    ({"type": "long", "logicalType": "time-micros"}, st.times()),
    (
        {"type": "long", "logicalType": "timestamp-millis"},
        st.datetimes(timezones=st.just(UTC)).map(
            lambda d: d.replace(microsecond=d.microsecond // 1000 * 1000)
        ),
    ),
    ({"type": "long", "logicalType": "timestamp-micros"}, st.datetimes(timezones=st.just(UTC))),
    ({"type": "long", "logicalType": "local-timestamp-micros"}, st.datetimes()),
    ({"type": "string", "logicalType": "uuid"}, st.uuids()),
    (
        {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 3},
        st.integers(-(10**12) + 1, 10**12 - 1).map(lambda n: Decimal(n).scaleb(-3)),
    ),
]

EVERY_LOGICAL: list[tuple[dict[str, Any], st.SearchStrategy[Any]]] = [
    *LOGICAL,
    ({"type": "long", "logicalType": "timestamp-nanos"}, st.builds(NanoDatetime.of, NANOS_UTC, NANO)),
    ({"type": "long", "logicalType": "local-timestamp-nanos"}, st.builds(NanoDatetime.of, NANOS, NANO)),
    (
        {"type": "long", "logicalType": "local-timestamp-millis"},
        st.datetimes().map(lambda d: d.replace(microsecond=d.microsecond // 1000 * 1000)),
    ),
    (
        {"type": "bytes", "logicalType": "decimal", "precision": 60, "scale": 30},
        st.integers(-(10**60) + 1, 10**60 - 1).map(lambda n: Decimal(n).scaleb(-30, EXACT)),
    ),
    ({"type": "bytes", "logicalType": "big-decimal"}, st.builds(_scaled, LONGS, st.integers(-40, 40))),
]
ON_FIXED: list[tuple[int, dict[str, Any], st.SearchStrategy[Any]]] = [
    (16, {"logicalType": "uuid"}, st.uuids()),
    (
        12,
        {"logicalType": "duration"},
        st.builds(
            Duration, *(st.integers(0, limit) for limit in ((1 << 31) - 1, (1 << 31) - 1, (1 << 32) - 1))
        ),
    ),
    (
        7,
        {"logicalType": "decimal", "precision": 16, "scale": 5},
        st.integers(-(10**16) + 1, 10**16 - 1).map(lambda n: Decimal(n).scaleb(-5)),
    ),
]
"""All the logical types there are on what has no name; on a fixed: see `Generator`."""


@dataclass(frozen=True)
class Case:
    """A schema as JSON, and pairs: a value as written, with the branches of unions named, and as read."""

    schema: Any
    values: st.SearchStrategy[tuple[Any, Any]]
    kind: str


class Generator:
    """Draws schemas; named types get new names, and are sometimes used again by name."""

    def __init__(
        self, draw: Callable[[st.SearchStrategy[Any]], Any], prefix: str = "", *, every: bool = False
    ) -> None:
        """every: also of the logical types that other implementations lack, and those on fixed."""
        self._draw = draw
        self._every = every
        self._prefix = prefix
        self._count = 0
        self._named: list[Case] = []

    def record(self, depth: int) -> Case:
        name = self._name("Record")
        namespace = self._draw(st.sampled_from([None, "a.b"]))
        names = self._draw(st.lists(NAMES, unique=True, max_size=5))
        cases = [self.any(depth - 1) for _ in names]
        fields = [{"name": field, "type": case.schema} for field, case in zip(names, cases, strict=True)]
        schema = {"type": "record", "name": name, "fields": fields}
        schema["namespace"] = namespace or "top"
        case = Case(schema, _records(names, cases), f"{schema['namespace']}.{name}")
        return self._keep(case)

    def any(self, depth: int, *, union: bool = True) -> Case:
        kinds = ["primitive", "primitive", "logical", "enum", "fixed", "known"]
        if depth > 0:
            kinds += ["array", "map", "record"] + (["union", "union"] if union else [])
        kind = self._draw(st.sampled_from(kinds))
        if kind == "known" and self._named:
            known: Case = self._draw(st.sampled_from(self._named))
            return known
        if kind == "logical":
            schema, values = self._draw(st.sampled_from(EVERY_LOGICAL if self._every else LOGICAL))
            return Case(schema, values.map(_both), schema["type"])
        if kind == "enum":
            symbols = self._draw(st.lists(NAMES, unique=True, min_size=1, max_size=4))
            schema = {"type": "enum", "name": self._name("Enum"), "namespace": "e", "symbols": symbols}
            return self._keep(Case(schema, st.sampled_from(symbols).map(_both), f"e.{schema['name']}"))
        if kind == "fixed" and self._every and self._draw(st.booleans()):
            size, more, values = self._draw(st.sampled_from(ON_FIXED))
            schema = {"type": "fixed", "name": self._name("Fixed"), "namespace": "f", "size": size, **more}
            return self._keep(Case(schema, values.map(_both), f"f.{schema['name']}"))
        if kind == "fixed":
            size = self._draw(st.integers(0, 5))
            schema = {"type": "fixed", "name": self._name("Fixed"), "namespace": "f", "size": size}
            values = st.binary(min_size=size, max_size=size)
            return self._keep(Case(schema, values.map(_both), f"f.{schema['name']}"))
        if kind in {"array", "map"}:
            return self._container(kind, depth)
        if kind == "record":
            return self.record(depth)
        if kind == "union":
            return self._union(depth)
        name = self._draw(st.sampled_from(sorted(PRIMITIVES)))
        return Case(name, PRIMITIVES[name].map(_both), name)

    def _container(self, kind: str, depth: int) -> Case:
        inner = self.any(depth - 1)
        if kind == "array":
            lists = st.lists(inner.values, max_size=4)
            arrays = lists.map(lambda items: ([w for w, _ in items], [r for _, r in items]))
            return Case({"type": "array", "items": inner.schema}, arrays, "array")
        maps = st.dictionaries(TEXTS, inner.values, max_size=4)
        pairs = maps.map(lambda m: ({k: w for k, (w, _) in m.items()}, {k: r for k, (_, r) in m.items()}))
        return Case({"type": "map", "values": inner.schema}, pairs, "map")

    def _union(self, depth: int) -> Case:
        branches: dict[str, Case] = {}
        for _ in range(self._draw(st.integers(1, 4))):
            known = len(self._named)
            branch = self.any(depth - 1, union=False)
            if branch.kind in branches:
                # A union has one branch of a kind; what this one would have defined is not there.
                del self._named[known:]
            branches.setdefault(branch.kind, branch)
        values = st.one_of([branch.values.map(_naming(branch.kind)) for branch in branches.values()])
        return Case([branch.schema for branch in branches.values()], values, "union")

    def _keep(self, case: Case) -> Case:
        self._named.append(Case(case.kind, case.values, case.kind))
        return case

    def _name(self, kind: str) -> str:
        self._count += 1
        return f"{self._prefix}{kind}{self._count}"


@st.composite
def schemas_with_values(draw: Callable[[st.SearchStrategy[Any]], Any]) -> tuple[Any, Any, Any]:
    """(schema, value to write with every union branch named, value that reading gives)."""
    case = Generator(draw).any(3)
    written, read = draw(case.values)
    return case.schema, written, read


@st.composite
def schemas_with_many(
    draw: Callable[[st.SearchStrategy[Any]], Any], count: int | None = None
) -> tuple[Any, list[tuple[Any, Any]]]:
    """(schema, pairs of a value to write and the value that reading gives); of every logical type.

    count: of the pairs; None for up to twelve.
    """
    case = Generator(draw, every=True).any(3)
    return case.schema, draw(st.lists(case.values, min_size=count or 0, max_size=count or 12))


# What a reader may ask for in place of what was written, and what it then gets.
PROMOTIONS: dict[str, list[tuple[Any, Callable[[Any], Any]]]] = {
    "int": [("long", int), ("double", float), (["null", "long"], int), (["double", "int"], int)],
    "long": [("double", float), (["string", "long"], int), (["float", "double"], float)],
    "float": [("double", float), (["null", "float"], float)],
    "string": [("bytes", str.encode), (["int", "string"], str)],
    "bytes": [(["null", "bytes"], bytes)],
    "boolean": [(["boolean", "int"], bool)],
}
DEFAULTS: list[tuple[Any, Any, Any]] = [
    ("int", 7, 7),
    ("double", 2, 2.0),
    ("bytes", "a\u00ff", b"a\xff"),
    (["null", "string"], None, None),
    (["string", "null"], "x", "x"),
    ({"type": "array", "items": "bytes"}, ["\u0001"], [b"\x01"]),
    ({"type": "map", "values": "long"}, {"k": 1}, {"k": 1}),
    ({"type": "int", "logicalType": "date"}, 1, date(1970, 1, 2)),
    (
        {"type": "long", "logicalType": "timestamp-millis"},
        1000,
        datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC),
    ),
    (
        {"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2},
        "\u0001",
        Decimal("0.01"),
    ),
]


def _naming(kind: str) -> Callable[[tuple[Any, Any]], tuple[Any, Any]]:
    return lambda pair: (None if pair[0] is None else (kind, pair[0]), pair[1])


def _both(value: Any) -> tuple[Any, Any]:
    return value, value


def _records(names: list[str], cases: list[Case]) -> st.SearchStrategy[tuple[Any, Any]]:
    return st.tuples(*(case.values for case in cases)).map(
        lambda pairs: (
            {name: pair[0] for name, pair in zip(names, pairs, strict=True)},
            {name: pair[1] for name, pair in zip(names, pairs, strict=True)},
        )
    )


@st.composite
def evolutions(draw: Callable[[st.SearchStrategy[Any]], Any]) -> tuple[Any, Any, Any, Any]:
    """(writer's schema, reader's schema, value written, value the reader gets) of two records."""
    generator = Generator(draw)
    written: dict[str, Any] = {}
    expected: dict[str, Any] = {}
    writer_fields: list[Any] = []
    reader_fields: list[Any] = []
    for name in draw(st.lists(NAMES, unique=True, max_size=5)):
        change = draw(st.sampled_from(["keep", "drop", "rename", "promote", "add"]))
        if change == "add":
            schema, default, value = draw(st.sampled_from(DEFAULTS))
            reader_fields.append({"name": name, "type": schema, "default": default})
            expected[name] = value
            continue
        if change == "promote":
            kind = draw(st.sampled_from(sorted(PROMOTIONS)))
            wanted, convert = draw(st.sampled_from(PROMOTIONS[kind]))
            value = draw(PRIMITIVES[kind])
            writer_fields.append({"name": name, "type": kind})
            reader_fields.append({"name": name, "type": wanted})
            written[name], expected[name] = value, convert(value)
            continue
        # Each field's named types are its own: a dropped field must not take away another's definition.
        case = (Generator(draw, f"Dropped_{name}_") if change == "drop" else generator).any(2)
        given, value = draw(case.values)
        writer_fields.append({"name": name, "type": case.schema})
        written[name] = given
        if change == "keep":
            reader_fields.append({"name": name, "type": case.schema})
            expected[name] = value
        elif change == "rename":
            reader_fields.append({"name": f"{name}_new", "type": case.schema, "aliases": [name]})
            expected[f"{name}_new"] = value
    # In any order: a named type may then be used before it is defined.
    reader_fields = draw(st.permutations(reader_fields))
    record = {"type": "record", "name": "R"}
    return {**record, "fields": writer_fields}, {**record, "fields": reader_fields}, written, expected
