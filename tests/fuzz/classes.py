"""Classes for the fuzzer: objects of every kind that the codec sets attributes of, or has made for it."""

import dataclasses
import enum
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, NotRequired, TypedDict
from uuid import UUID

import attrs
import pydantic

from serde import schema_of
from serde.classes import AvroField, Digits, bind, shape_of
from serde.codec import AvroSchema, native, parse_schema, pure


class Kind(enum.Enum):
    A = 1
    B = 2


@dataclass(frozen=True, slots=True)
class Line:
    n: int
    sku: str | None
    price: Annotated[Decimal, Digits(9, 2)]


@attrs.define
class Note:
    text: str
    kept: Annotated[list[str], AvroField(skip=True)] = attrs.field(factory=list)


class Model(pydantic.BaseModel):
    text: str
    age: int = pydantic.Field(ge=0)
    inner: "Model | None" = None


class Keys(TypedDict):
    a: int
    b: NotRequired[str]


@dataclass
class Even:
    n: int

    def __post_init__(self) -> None:
        if type(self.n) is int and self.n % 2:
            raise ValueError("odd")


@dataclass
class Whole:
    id: int
    kind: Kind
    lines: list[Line]
    names: dict[str, Note]
    either: Line | Note | Model | Even | str | None
    pair: tuple[str, ...] | None
    model: Model
    keys: Keys
    even: Even
    at: datetime
    key: UUID
    next: "Whole | None" = None
    tags: list[str] = field(default_factory=list)


def _whole(rest: Whole | None) -> Whole:
    line, note = Line(1, "x", Decimal("1.50")), Note("n")
    model = Model(text="t", age=3, inner=Model(text="u", age=4))
    return Whole(
        id=7,
        kind=Kind.B,
        lines=[line, Line(2, None, Decimal("-0.01"))],
        names={"k": note},
        either=note,
        pair=("array", "x"),
        model=model,
        keys={"a": 1},
        even=Even(2),
        at=datetime(2026, 1, 2, tzinfo=UTC),
        key=UUID(int=5),
        next=rest,
        tags=["a", "b"],
    )


class ClassCase:
    """As `tests.fuzz.codec.Case`, of a class. changed: the class's schema with a field less and one more."""

    batch = None

    def __init__(self, *, changed: bool) -> None:
        text = schema_of(Whole)
        self.writer = parse_schema(text.replace('"name": "tags"', '"name": "gone"') if changed else text)
        self.reader: AvroSchema | None = bind(parse_schema(text), Whole)
        # With a schema that is joined to the class, and with one that is not.
        written = self.writer if changed else self.reader
        self.encode = (
            native.compile_encoder(written, shape_of=shape_of),
            pure.compile_encoder(written, shape_of=shape_of),
        )
        self.decode = (
            native.compile_decoder(self.writer, self.reader),
            pure.compile_decoder(self.writer, self.reader),
        )
        self.value: Any = _whole(_whole(None))
        self.body = native.compile_encoder(self.reader, shape_of=shape_of)(self.value)


def odd_object(value: Any, odd: Callable[[Any], Any], dice: random.Random) -> Any:
    """An object like `value` with one of its attributes another thing."""
    if isinstance(value, pydantic.BaseModel):
        name = dice.choice(list(type(value).model_fields))
        return value.model_copy(update={name: odd(getattr(value, name))})
    if attrs.has(type(value)):
        name = dice.choice([found.name for found in attrs.fields(type(value))])
        return attrs.evolve(value, **{name: odd(getattr(value, name))})
    name = dice.choice([found.name for found in dataclasses.fields(value)])
    try:
        return dataclasses.replace(value, **{name: odd(getattr(value, name))})
    except (ValueError, TypeError):
        return value  # the class itself does not take it


def is_object(value: Any) -> bool:
    return isinstance(value, Whole | Line | Note | Model | Even)
