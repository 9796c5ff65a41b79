"""The schema of a class, and the classes that have none."""

import enum
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, make_dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, NewType, TypedDict, TypeVar
from uuid import UUID

import attrs
import pydantic
import pytest

from serde import Duration, InvalidClass, schema_of
from serde.classes import AvroField, AvroType, BigDecimal, Digits, Fixed, Int32, Named


class Kind(enum.Enum):
    A = 1
    B = 2


class Flags(enum.Flag):
    A = 1


@dataclass
class Inner:
    n: int
    m: str = "x"


def of(hint: Any) -> Any:
    return json.loads(schema_of(hint))


def with_default(hint: Any, default: Any) -> Any:
    """The type and the default of a field."""
    cls = make_dataclass("R", [("f", Annotated[hint, AvroField(default=default)])])
    (found,) = of(cls)["fields"]
    return found["type"], found["default"]


def test_types_alone() -> None:
    assert of(list[int]) == {"type": "array", "items": "long"}
    assert of(Int32) == "int"
    assert of(NewType("Id", int)) == "long"
    assert of(Literal[1, 2]) == "long"
    assert of(Literal[True]) == "boolean"
    assert of(Duration) == {"type": "fixed", "name": "Duration", "size": 12, "logicalType": "duration"}
    assert of(Annotated[UUID, Fixed(16, "Key")]) == {
        "type": "fixed",
        "name": "Key",
        "size": 16,
        "logicalType": "uuid",
    }
    decimal = {"logicalType": "decimal", "precision": 9, "scale": 2}
    assert of(Annotated[Decimal, Digits(9, 2)]) == {"type": "bytes", **decimal}
    assert of(Annotated[Decimal, Digits(9, 2), Fixed(4, "D")]) == {
        "type": "fixed",
        "name": "D",
        "size": 4,
        **decimal,
    }


@pytest.mark.parametrize(
    ("hint", "default", "expected"),
    [
        (int, 3, ("long", 3)),
        (float, 3, ("double", 3.0)),
        (bytes, b"a\xff", ("bytes", "a\u00ff")),
        (str | None, None, (["null", "string"], None)),
        (str | None, "x", (["string", "null"], "x")),
        (int | str | None, "x", (["string", "long", "null"], "x")),
        (None | float, 1, (["double", "null"], 1.0)),
        (list[int], (), ({"type": "array", "items": "long"}, [])),
        (dict[str, bytes], {"k": b"\1"}, ({"type": "map", "values": "bytes"}, {"k": "\1"})),
        (Kind, Kind.B, ({"type": "enum", "name": "Kind", "symbols": ["A", "B"]}, "B")),
        (date, date(1970, 1, 3), ({"type": "int", "logicalType": "date"}, 2)),
        (time, time(0, 0, 1), ({"type": "long", "logicalType": "time-micros"}, 1_000_000)),
        (
            datetime,
            datetime(1970, 1, 1, 0, 0, 2, tzinfo=UTC),
            ({"type": "long", "logicalType": "timestamp-micros"}, 2_000_000),
        ),
        (UUID, UUID(int=1), ({"type": "string", "logicalType": "uuid"}, str(UUID(int=1)))),
        (BigDecimal, Decimal("1.5"), ({"type": "bytes", "logicalType": "big-decimal"}, "\2\x0f\2")),
    ],
)
def test_defaults(hint: Any, default: Any, expected: tuple[Any, Any]) -> None:
    assert with_default(hint, default) == expected


def test_an_object_as_a_default_and_the_order_of_a_union() -> None:
    found, default = with_default(Kind | Inner | None, Inner(1))
    assert [branch if isinstance(branch, str) else branch["name"] for branch in found] == [
        "Inner",
        "Kind",
        "null",
    ]
    assert default == {"n": 1, "m": "x"}


def test_factories() -> None:
    @dataclass
    class Made:
        a: list[int] = field(default_factory=list)
        b: dict[str, int] = field(default_factory=dict)
        c: datetime = field(default_factory=lambda: datetime.now(UTC))

    assert [found.get("default", "none") for found in of(Made)["fields"]] == [[], {}, "none"]


def test_marks_in_metadata() -> None:
    mark = AvroField(name="from", aliases=["sender"], doc="who")
    expected = {"name": "from", "type": "int", "doc": "who", "aliases": ["sender"]}

    @dataclass
    class Data:
        source: int = field(metadata={"avro": (mark, AvroType("int"))})

    @attrs.define
    class Attrs:
        source: int = attrs.field(metadata={"avro": (mark, AvroType("int"))})

    assert of(Data)["fields"] == of(Attrs)["fields"] == [expected]


def test_names_and_namespaces() -> None:
    @Named("b.Deep")
    @dataclass
    class Deep:
        n: int

    @dataclass
    class Middle:
        deep: Deep
        literal: Literal["X"]

    @Named("Top", namespace="a")
    @dataclass
    class Outer:
        middle: Middle
        again: Sequence[Middle]
        deep: Deep

    assert of(Outer) == {
        "type": "record",
        "name": "Top",
        "namespace": "a",
        "fields": [
            {
                "name": "middle",
                "type": {
                    "type": "record",
                    "name": "Middle",
                    "fields": [
                        {
                            "name": "deep",
                            "type": {
                                "type": "record",
                                "name": "Deep",
                                "namespace": "b",
                                "fields": [{"name": "n", "type": "long"}],
                            },
                        },
                        {
                            "name": "literal",
                            "type": {"type": "enum", "name": "MiddleLiteral", "symbols": ["X"]},
                        },
                    ],
                },
            },
            {"name": "again", "type": {"type": "array", "items": "a.Middle"}},
            {"name": "deep", "type": "b.Deep"},
        ],
    }


class Bad(TypedDict):
    n: Annotated[int, AvroField(name="m")]


class Extra(pydantic.BaseModel, extra="allow"):
    n: int


class Root(pydantic.RootModel[list[int]]):
    pass


class Kebab(enum.StrEnum):
    A = "a-b"


T = TypeVar("T")
S = TypeVar("S")


class Plain:
    pass


@dataclass
class Box(Generic[T]):
    held: T


@dataclass
class Pair(Box[list[S]], Generic[S, T]):
    first: S
    second: Annotated[T | None, Named()] = None


class ModelBox(pydantic.BaseModel, Generic[T]):
    held: T


def test_a_generic_class_has_a_schema_where_it_has_a_name() -> None:
    @dataclass
    class Amounts(Pair[int, str]):
        note: str = ""

    assert [(field["name"], field["type"]) for field in of(Amounts)["fields"]] == [
        ("held", {"type": "array", "items": "long"}),
        ("first", "long"),
        ("second", ["null", "string"]),
        ("note", "string"),
    ]

    class Amount(ModelBox[float]):
        pass

    @attrs.define
    class Held(Generic[T]):
        held: list[T]

    @attrs.define
    class Times(Held[datetime]):
        pass

    class Keyed(TypedDict, Generic[T]):
        held: T

    class Counted(Keyed[Int32]):
        count: int

    times = {"type": "array", "items": {"type": "long", "logicalType": "timestamp-micros"}}
    assert of(Amount)["fields"] == [{"name": "held", "type": "double"}]
    assert of(Times)["fields"] == [{"name": "held", "type": times}]
    assert [field["type"] for field in of(Counted)["fields"]] == ["int", "long"]


def test_the_size_of_a_decimal_that_may_be_none() -> None:
    class Priced(pydantic.BaseModel):
        price: Decimal | None = pydantic.Field(None, max_digits=9, decimal_places=2)

    decimal = {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}
    assert of(Priced)["fields"] == [{"name": "price", "type": ["null", decimal], "default": None}]
    key = {"type": "fixed", "name": "Key", "size": 16, "logicalType": "uuid"}
    assert of(Annotated[UUID | None, Fixed(16, "Key")]) == ["null", key]


@dataclass
class Lost:
    n: "NoSuchType"  # type: ignore[name-defined]  # noqa: F821


@pytest.mark.parametrize(
    ("hint", "path", "reason"),
    [
        (set[int], "R.f", "Avro has no sets: use a list"),
        (list[timedelta], "R.f[]", "a timedelta is no Avro duration"),
        (dict[str, Decimal], "R.f[]", "a Decimal needs its digits"),
        (dict[int, str], "R.f", "the keys of an Avro map are strings"),
        (tuple[int, str], "R.f", "Avro has no tuples of given parts"),
        (list, "R.f", "say what the list holds"),
        (Any, "R.f", "Avro has no type for any value"),
        (complex, "R.f", "complex has no Avro type"),
        (list[int] | list[str], "R.f", "a union has one array in Avro, and list"),
        (int | datetime, "R.f", "a union has one long in Avro, and int and datetime are both"),
        (Flags, "R.f", "Flags is a Flag"),
        (Literal["a-b"], "R.f", "'a-b' is no symbol in Avro"),
        (Plain(), "R.f", "Plain is no class, nor a schema's text: an object has no Avro type"),
        (Plain, "R.f", "Plain has no Avro type: it is no dataclass, pydantic model"),
        (Box[int], "R.f", "tests.serde.test_classes_schema.Box[int] has no Avro type without a name: class"),
        (Box, "R.f.held", "~T has no Avro type: say which type it stands for, in a class of its own"),
        (ModelBox[int], "R.f", "'ModelBox[int]' is no name in Avro: a class of its own"),
        (Literal[1, "a"], "R.f", "only a Literal of strings, of ints or of bools"),
        (Annotated[int, AvroType("strin")], "R", 'an AvroType is no Avro schema: unknown type "strin"'),
        (Annotated[int, AvroType("string")], "R.f", "int does not go with the schema's string"),
        (
            Annotated[int, AvroField(default="x")],
            "R.f",
            "the default is not of its type: expected long, got 'x'",
        ),
        (Annotated[float, AvroField(default=float("nan"))], "R.f", "a schema cannot have the default nan"),
        (Annotated[int, AvroField(name="a-b")], "R.f", "'a-b' is no name in Avro"),
        (Annotated[Literal["A"], Named("S", default="B")], "R.f", "the default 'B' is none of the symbols A"),
        (Annotated[Literal["A"], Named("R")], "R.f", "'R' names another type already"),
        (
            Annotated[int, AvroType("int")] | Annotated[int, AvroType("int")],
            "R.f",
            "a union has one int in Avro",
        ),
        (list[Bad], "Bad.n", "the key of a TypedDict is the name in Avro too"),
        (Extra, "Extra", "extra='allow' lets in fields that no schema names"),
        (Root, "Root", "a RootModel is no record"),
        (Lost, "Lost", "a type hint leads nowhere: name 'NoSuchType' is not defined"),
    ],
)
def test_what_has_no_schema(hint: Any, path: str, reason: str) -> None:
    with pytest.raises(InvalidClass) as caught:
        schema_of(make_dataclass("R", [("f", hint)]))
    assert (caught.value.path, reason) == (path, caught.value.reason[: len(reason)])


def test_what_is_no_class_of_ours() -> None:
    with pytest.raises(InvalidClass, match="give the class Inner, not an object of it"):
        schema_of(Inner(1))
    for given in ({"type": "string"}, [1]):
        with pytest.raises(InvalidClass, match="a class is wanted, not a "):
            schema_of(given)
    with pytest.raises(InvalidClass, match="it needs a name"):
        schema_of(Literal["A", "B"])
    with pytest.raises(InvalidClass, match="Avro has no type for any value"):
        schema_of(object)
    with pytest.raises(ValueError, match="no decimal has 2 digits"):
        Digits(2, 3)
    with pytest.raises(ValueError, match="one byte or more"):
        Fixed(0)
