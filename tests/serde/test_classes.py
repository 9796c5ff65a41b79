"""Classes through the serializers: objects in place of dicts, on threads and for asyncio."""

import dataclasses
import enum
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import InitVar, dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Generic, NotRequired, TypedDict, TypeVar
from uuid import UUID

import attrs
import pydantic
import pytest

import serde.testing
from serde import (
    AvroDeserializer,
    AvroSerializer,
    DeserializationError,
    InvalidClass,
    RegistryClient,
    SerializationError,
    schema_of,
)
from serde.classes import AvroField, Digits, Float32, Int32, Named, bind, shape_of
from serde.classes.makes import make_of
from serde.codec import compile_encoder, parse_schema
from serde.confluent import avro as confluent
from serde.confluent.serialization import MessageField, SerializationContext
from tests.serde.faces import Client, deserializer, of, on_both, opened, run, serializer
from tests.serde.generated_classes import KINDS, make_class

pytestmark = pytest.mark.usefixtures("each_codec")


class Status(enum.Enum):
    NEW = 1
    PAID = 2


@dataclass
class Line:
    sku: str
    price: Annotated[Decimal, Digits(9, 2)]


@Named(namespace="shop")
@dataclass
class Order:
    id: int
    lines: list[Line]
    at: datetime
    status: Status = Status.NEW
    note: str | None = None


class ModelLine(pydantic.BaseModel):
    sku: str
    price: Decimal = pydantic.Field(max_digits=9, decimal_places=2)


@Named("Order", namespace="shop")
class Model(pydantic.BaseModel):
    id: int
    lines: list[ModelLine]
    at: datetime
    status: Status = Status.NEW
    note: str | None = None


@attrs.define
class AttrsLine:
    sku: str
    price: Annotated[Decimal, Digits(9, 2)]


@Named("Order", namespace="shop")
@attrs.frozen
class Attrs:
    id: int
    lines: list[AttrsLine]
    at: datetime
    status: Status = Status.NEW
    note: str | None = None


class TypedLine(TypedDict):
    sku: str
    price: Annotated[Decimal, Digits(9, 2)]


@Named("Order", namespace="shop")
class Typed(TypedDict):
    id: int
    lines: list[TypedLine]
    at: datetime
    status: Status
    note: str | None


AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
REST: dict[str, Any] = {"id": 7, "at": AT, "status": Status.PAID, "note": "gift"}
LINE: dict[str, Any] = {"sku": "tea", "price": Decimal("9.50")}
SAME = [
    Order(lines=[Line(**LINE)], **REST),
    Model(lines=[ModelLine(**LINE)], **REST),
    Attrs(lines=[AttrsLine(**LINE)], **REST),
    Typed(lines=[TypedLine(**LINE)], **REST),  # type: ignore[typeddict-item]
]
DICT = {**REST, "lines": [LINE], "status": "PAID"}

TEXT = """{"type": "record", "name": "Order", "namespace": "shop", "fields": [
  {"name": "id", "type": "long"},
  {"name": "lines", "type": {"type": "array", "items": {"type": "record", "name": "Line", "fields": [
    {"name": "sku", "type": "string"},
    {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}}
  ]}}},
  {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
  {"name": "status", "default": "NEW",
   "type": {"type": "enum", "name": "Status", "symbols": ["NEW", "PAID"]}},
  {"name": "note", "type": ["null", "string"], "default": null}
]}"""


@pytest.fixture
def client() -> Iterator[RegistryClient]:
    with serde.testing.registry() as found:
        yield found


def through(client: RegistryClient, value: Any, into: Any = None, schema: Any = None) -> Any:
    """`value` as a message, and back as an object of a class, its own if none is given."""
    cls = type(value) if schema is None else schema
    message = AvroSerializer(client, cls)(value, cls.__name__)
    return AvroDeserializer(client, into or type(value))(message)


def test_the_schema_is_the_one_that_a_hand_would_write() -> None:
    assert json.loads(schema_of(Order)) == json.loads(TEXT)


@on_both
@pytest.mark.parametrize("value", SAME, ids=["dataclass", "pydantic", "attrs", "TypedDict"])
def test_objects_out_and_in(kind: type[Client], value: Any) -> None:
    cls = Typed if isinstance(value, dict) else type(value)

    async def scenario() -> None:
        async with opened(kind, "embedded:") as client:
            message = await of(serializer(client, cls)(value, "orders"))
            read = await of(deserializer(client, cls)(message))
            assert read == value
            assert type(read) is type(value)
            assert type(read["lines"][0] if isinstance(read, dict) else read.lines[0]) is not tuple
            assert await of(deserializer(client)(message)) == DICT
            registered = await of(client.latest("orders-value"))
            assert json.loads(registered.text) == json.loads(schema_of(cls))

    run(scenario())


@pytest.mark.parametrize("value", SAME, ids=["dataclass", "pydantic", "attrs", "TypedDict"])
def test_a_schema_text_takes_objects_anywhere_in_the_value(client: RegistryClient, value: Any) -> None:
    serialize, deserialize = AvroSerializer(client, TEXT), AvroDeserializer(client)
    assert deserialize(serialize(value, "orders")) == DICT
    lines = value["lines"] if isinstance(value, dict) else value.lines
    assert deserialize(serialize({**DICT, "lines": lines}, "orders")) == DICT
    many = json.dumps({"type": "map", "values": {"type": "array", "items": json.loads(TEXT)}})
    message = AvroSerializer(client, many)({"a": [value, DICT]}, "many")
    assert deserialize(message) == {"a": [DICT, DICT]}


@pytest.mark.parametrize("value", SAME[:3], ids=["dataclass", "pydantic", "attrs"])
def test_faults_name_the_path(client: RegistryClient, value: Any) -> None:
    lines: Any = [value.lines[0], value.lines[0]]
    if isinstance(value, pydantic.BaseModel):
        wrong: Any = value.model_copy(update={"lines": [lines[0], lines[1].model_copy(update={"sku": 5})]})
    else:
        replace: Any = dataclasses.replace if isinstance(value, Order) else attrs.evolve
        wrong = replace(value, lines=[lines[0], replace(lines[1], sku=5)])
    with pytest.raises(SerializationError, match=r"lines\[1\]\.sku: expected string, got 5"):
        AvroSerializer(client, type(value))(wrong, "orders")
    slim = '{"type": "record", "name": "Order", "fields": [{"name": "id", "type": "long"}]}'
    with pytest.raises(SerializationError, match="Order has no field 'lines'"):
        AvroSerializer(client, slim)(value, "slim")
    assert AvroSerializer(client, slim, strict=False)(value, "slim") == b"\0\0\0\0\2\x0e"


def test_values_of_a_class_with_other_schemas(client: RegistryClient) -> None:
    """Text with a class, and the newest version with a class."""
    wide = json.loads(TEXT)
    wide["fields"][0]["type"] = ["long", "string"]
    message = AvroSerializer(client, TEXT)(SAME[0], "orders")
    assert AvroDeserializer(client, TEXT, into=Order)(message) == SAME[0]
    assert AvroDeserializer(client, into=Order)(message) == SAME[0]
    assert AvroDeserializer(client, use_latest=True, into=Order)(message, "orders") == SAME[0]
    with pytest.raises(InvalidClass, match=r"Order\.id: int does not go with the schema's string"):
        AvroDeserializer(client, json.dumps(wide), into=Order)


@dataclass
class Cat:
    name: str


@dataclass
class Dog:
    name: str


@dataclass
class Puppy(Dog):
    pass


@dataclass
class Home:
    pet: Cat | Dog | None
    pets: list[Cat | Dog]


def test_a_union_keeps_the_class_though_two_look_alike(client: RegistryClient) -> None:
    home = Home(Dog("Rex"), [Cat("Tom"), Dog("Rex"), Cat("Kit")])
    assert through(client, home) == home
    assert through(client, Home(None, [])) == Home(None, [])
    assert through(client, Home(Puppy("Max"), [])) == Home(Dog("Max"), [])
    # And with the text alone, where the class's name says it.
    message = AvroSerializer(client, schema_of(Home))(home, "homes")
    assert AvroDeserializer(client, Home)(message) == home
    with pytest.raises(SerializationError, match=r"pet: expected null or Cat or Dog, got .*Line"):
        AvroSerializer(client, Home)(Home(Line("a", Decimal(1)), []), "homes")  # type: ignore[arg-type]


class PydanticCat(pydantic.BaseModel):
    name: str


class PydanticDog(pydantic.BaseModel):
    name: str


class PydanticHome(pydantic.BaseModel):
    pets: list[PydanticCat | PydanticDog]


def test_pydantic_does_not_guess_either(client: RegistryClient) -> None:
    home = PydanticHome(pets=[PydanticDog(name="Rex"), PydanticCat(name="Tom")])
    assert [type(pet) for pet in through(client, home).pets] == [PydanticDog, PydanticCat]


class Color(enum.StrEnum):
    RED = "red"


class Mood(enum.StrEnum):
    RED = "red"


@dataclass
class Painted:
    by: Mood | Color | str
    pair: tuple[str, ...] | None


def test_enums_and_tuples_in_unions(client: RegistryClient) -> None:
    for value in (Painted(Color.RED, ("array", "x")), Painted(Mood.RED, None), Painted("red", ("null", "y"))):
        read = through(client, value)
        assert read == value
        assert type(read.by) is type(value.by)


class Dated(pydantic.BaseModel):
    aware: pydantic.AwareDatetime
    naive: list[pydantic.NaiveDatetime]
    born: pydantic.PastDate | None = None


def test_dates_that_pydantic_checks(client: RegistryClient) -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 678901)
    dated = Dated(aware=moment.replace(tzinfo=UTC), naive=[moment], born=date(2020, 2, 29))
    assert through(client, dated) == dated
    local = {"type": "long", "logicalType": "local-timestamp-micros"}
    assert json.loads(schema_of(Dated))["fields"][1]["type"] == {"type": "array", "items": local}


class Kebab(str, enum.Enum):  # noqa: UP042 - its members are strings, and no symbols
    IN_TRANSIT = "in-transit"
    SENT = "SENT"


@dataclass
class Parcel:
    state: Kebab
    others: list[Kebab | None] = field(default_factory=list)


def test_an_enum_whose_values_are_no_symbols_is_written_by_its_names(client: RegistryClient) -> None:
    parcel = Parcel(Kebab.IN_TRANSIT, [Kebab.SENT, None, Kebab.IN_TRANSIT])
    assert through(client, parcel) == parcel
    message = AvroSerializer(client, Parcel)(parcel, "Parcel")
    assert AvroDeserializer(client)(message) == {
        "state": "IN_TRANSIT",
        "others": ["SENT", None, "IN_TRANSIT"],
    }


def test_an_object_that_says_nothing_of_its_fields(client: RegistryClient) -> None:
    class Plain:
        value = 1

    with pytest.raises(SerializationError, match=r"expected Plain \(a dict, or an object of a dataclass"):
        AvroSerializer(client, '{"type": "record", "name": "Plain", "fields": []}')(Plain(), "t")


class Node(pydantic.BaseModel):
    value: int
    next: "Node | None" = None


@dataclass
class Tree:
    value: int
    children: list["Tree"]


def test_classes_that_hold_themselves(client: RegistryClient) -> None:
    tree = Tree(1, [Tree(2, []), Tree(3, [Tree(4, [])])])
    assert through(client, tree) == tree
    chain = Node(value=1, next=Node(value=2))
    assert through(client, chain) == chain


# Classes whose objects take more than setting attributes.


@dataclass
class Counted:
    n: int
    twice: int = field(init=False, default=0)
    seen: ClassVar[list[int]] = []

    def __post_init__(self) -> None:
        Counted.seen.append(self.n)
        self.twice = 2 * self.n


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class Frozen:
    n: int
    cache: Annotated[dict[str, int], AvroField(skip=True)] = field(default_factory=dict, compare=False)
    unit: Annotated[str, AvroField(skip=True)] = "m"


@dataclass
class WithInitVar:
    n: int
    factor: InitVar[int] = 3

    def __post_init__(self, factor: int) -> None:
        self.product = self.n * factor


@dataclass(init=False)
class Own:
    n: int

    def __init__(self, n: int) -> None:
        self.n = n
        self.made = True


@dataclass
class Guarded:
    n: int

    def __setattr__(self, name: str, value: Any) -> None:
        if value < 0:
            raise ValueError("below zero")
        super().__setattr__(name, value)


T = TypeVar("T")


@dataclass
class Base(Generic[T]):
    n: int


@dataclass
class Derived(Base[str]):
    m: str = "x"


def _half(value: int) -> int:
    return value // 2


@attrs.define
class Converted:
    n: int = attrs.field(converter=_half)


@attrs.define
class Validated:
    n: int = attrs.field(validator=attrs.validators.lt(100))


@attrs.define
class Private:
    _n: int
    made: bool = attrs.field(init=False, default=False)

    def __attrs_post_init__(self) -> None:
        self.made = True


@attrs.define
class AttrsPlain:
    n: int
    names: Annotated[list[str], AvroField(skip=True)] = attrs.field(factory=list)


@attrs.frozen(cache_hash=True)
class Hashed:
    n: int


class Aliased(pydantic.BaseModel):
    n: int = pydantic.Field(alias="number", description="how many")
    secret: str = pydantic.Field(default="s", exclude=True)


@pydantic.dataclasses.dataclass
class PydanticDataclass:
    n: int


def test_what_a_class_does_when_it_is_made_is_done(client: RegistryClient) -> None:
    Counted.seen.clear()
    assert through(client, Counted(4)).twice == 8
    assert Counted.seen == [4, 4]
    frozen = through(client, Frozen(n=1, cache={"a": 1}, unit="km"))
    assert (frozen, frozen.cache, frozen.unit) == (Frozen(n=1), {}, "m")
    with pytest.raises(dataclasses.FrozenInstanceError):
        frozen.n = 2
    assert through(client, WithInitVar(5, 1)).product == 15
    assert through(client, Own(3)).made
    assert through(client, Guarded(3)) == Guarded(3)
    assert through(client, Derived(1, "y")) == Derived(1, "y")
    assert through(client, Converted(8)) == Converted(4)
    assert through(client, Private(3)) == Private(3)
    assert through(client, AttrsPlain(3, ["x"])) == AttrsPlain(3)
    assert hash(through(client, Hashed(3))) == hash(Hashed(3))
    assert through(client, Aliased(number=3, secret="x")) == Aliased(number=3)
    assert json.loads(schema_of(Aliased))["fields"] == [{"name": "n", "type": "long", "doc": "how many"}]
    assert through(client, PydanticDataclass(3)) == PydanticDataclass(3)


def test_two_objects_share_nothing(client: RegistryClient) -> None:
    one, other = (through(client, AttrsPlain(3)) for _ in range(2))
    one.names.append("x")
    assert other.names == []


def test_init_is_spared_only_where_it_would_set_and_no_more() -> None:
    spared = [Line, Order, Frozen, Attrs, AttrsLine, AttrsPlain, Derived, Tree]
    assert [cls.__name__ for cls in spared if make_of(cls).direct is None] == []
    called = [
        Counted,
        WithInitVar,
        Own,
        Guarded,
        Converted,
        Validated,
        Private,
        Hashed,
        PydanticDataclass,
        Model,
    ]
    assert [cls.__name__ for cls in called if make_of(cls).direct is not None] == []


def test_a_value_that_a_class_refuses_is_an_error_that_keeps_the_message(client: RegistryClient) -> None:
    @dataclass
    class Box:
        items: list[Guarded | Validated]

    items = '{"type": "record", "name": "%s", "fields": [{"name": "n", "type": "long"}]}'
    text = (
        '{"type": "record", "name": "Box", "fields": [{"name": "items", "type": {"type": "array", "items": ['
        + ", ".join(items % name for name in ("Guarded", "Validated"))
        + "]}}]}"
    )
    write, read = AvroSerializer(client, text), AvroDeserializer(client, text, into=Box)
    good, low, high = ("Guarded", {"n": 1}), ("Guarded", {"n": -1}), ("Validated", {"n": 100})
    assert read(write({"items": [good]}, "boxes")) == Box([Guarded(1)])
    message = write({"items": [good, low]}, "boxes")
    with pytest.raises(
        DeserializationError, match=r"items\[1\]: its class refuses it: ValueError: below zero"
    ) as caught:
        read(message, "boxes")
    assert caught.value.data == message
    assert isinstance(caught.value.__cause__, ValueError)
    with pytest.raises(DeserializationError, match=r"items\[0\]: its class refuses it: .*'n' must be < 100"):
        read(write({"items": [high]}, "boxes"))


class Adult(pydantic.BaseModel):
    age: int = pydantic.Field(ge=18)
    name: str = pydantic.Field(min_length=1)


class Club(pydantic.BaseModel):
    members: list[Adult]


def test_pydantic_validates_and_its_error_names_the_path(client: RegistryClient) -> None:
    members = [{"age": 20, "name": "a"}, {"age": 17, "name": ""}]
    message = AvroSerializer(client, Club)({"members": members}, "clubs")
    reason = r"members\[1\]\.age: Club refuses it: Input should be greater than or equal to 18 \(and 1 more\)"
    with pytest.raises(DeserializationError, match=reason) as caught:
        AvroDeserializer(client, Club)(message)
    assert isinstance(caught.value.__cause__, pydantic.ValidationError)
    assert caught.value.data == message


class Member(pydantic.BaseModel, strict=True):
    person: Adult
    kept: Annotated[Adult, pydantic.InstanceOf()]


class Registered(pydantic.BaseModel):
    by_name: dict[str, Adult]
    first: Adult | None
    either: Adult | dict[str, int]
    member: Member
    born: Annotated[Adult, pydantic.InstanceOf()]
    aliased: list[Aliased]


def test_models_in_models(client: RegistryClient) -> None:
    ada = Adult(age=36, name="Ada")
    value = Registered(
        by_name={"ada": ada},
        first=ada,
        either={"age": 3},
        member=Member(person=ada, kept=ada),
        born=ada,
        aliased=[Aliased(number=3)],
    )
    assert through(client, value) == value
    other = value.model_copy(update={"either": ada, "first": None})
    assert through(client, other) == other


class Loose(TypedDict):
    id: int
    note: NotRequired[str]
    size: NotRequired[int | None]


def test_keys_that_may_be_absent(client: RegistryClient) -> None:
    write, read = AvroSerializer(client, Loose), AvroDeserializer(client, Loose)
    assert read(write({"id": 1}, "t")) == {"id": 1, "size": None}
    assert read(write({"id": 1, "note": "x", "size": 3}, "t")) == {"id": 1, "note": "x", "size": 3}


def test_the_drop_in_for_confluent_kafka_takes_classes(client: RegistryClient) -> None:
    context = SerializationContext("orders", MessageField.VALUE)
    message = confluent.AvroSerializer(client, Order)(SAME[0], context)
    assert confluent.AvroDeserializer(client, Order)(message, context) == SAME[0]
    latest = {"use.latest.version": True}
    assert confluent.AvroDeserializer(client, Order, conf=latest)(message, context) == SAME[0]
    text = confluent.AvroSerializer(client, TEXT)
    assert text(SAME[1], context) == message


def test_pydantic_and_attrs_are_not_asked_for() -> None:
    program = """
import sys
sys.modules.update({"pydantic": None, "attr": None, "attrs": None})  # as where they are not installed
from dataclasses import dataclass
import serde.testing
from serde import AvroDeserializer, AvroSerializer

@dataclass
class Thing:
    n: int

with serde.testing.registry() as client:
    message = AvroSerializer(client, Thing)(Thing(1), "t")
    assert AvroDeserializer(client, Thing)(message) == Thing(1)
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_many_classes_are_made_while_a_program_runs() -> None:
    """What is remembered of classes is bounded, and forgetting takes nothing else away."""
    union = f'["null", "string", {schema_of(Cat)}, {schema_of(Dog)}]'
    encode = compile_encoder(parse_schema(union), shape_of=shape_of)
    expected = {kind: encode(kind("x")) for kind in (Cat, Dog)}
    for _ in range(5000):
        kind = type("Dog", (Dog,), {})
        assert encode(kind("x")) == expected[Dog]
    assert (encode("x"), encode(None), encode(Cat("x"))) == (b"\x02\x02x", b"\0", expected[Cat])


# Versions of a class.


@Named("Person")
@dataclass
class PersonV1:
    id: Int32
    surname: str
    fax: str = ""


@Named("Person")
@dataclass
class PersonV2:
    id: int
    name: Annotated[str, AvroField(aliases=["surname"])]
    tags: list[str] = field(default_factory=list)
    born: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    key: UUID = UUID(int=1)  # noqa: RUF009 - it cannot be changed
    part: Annotated[Line, AvroField(default=Line("none", Decimal("0.00")))] = field(
        default_factory=lambda: Line("", Decimal(0))
    )


def test_a_class_reads_what_its_versions_wrote(client: RegistryClient) -> None:
    message = AvroSerializer(client, PersonV1)(PersonV1(1, "Ada", "555"), "people")
    read = AvroDeserializer(client, PersonV2)
    person = read(message)
    assert person == PersonV2(1, "Ada", part=Line("none", Decimal("0.00")))
    person.tags.append("x")
    person.part.sku = "changed"
    assert read(message) == PersonV2(1, "Ada", part=Line("none", Decimal("0.00")))
    # The registry's default level, BACKWARD, takes the second after the first; the first still writes.
    newer = AvroSerializer(client, PersonV2)(PersonV2(2, "Bo", ["a"]), "people")
    assert read(newer) == PersonV2(2, "Bo", ["a"])
    assert client.versions("people-value") == [1, 2]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_class_evolves(client: RegistryClient, kind: str) -> None:
    first = make_class(kind, "Thing", {"n": Int32, "gone": list[str], "old": str, "ratio": Float32})
    renamed = Annotated[str, AvroField(aliases=["old"])]
    fields = {"n": float, "new": renamed, "ratio": float, "tags": tuple[str, ...] | None, "unit": str}
    second = make_class(kind, "Thing", fields, {"tags": None, "unit": "m"})
    written = first(n=3, gone=["x"], old="o", ratio=0.5)
    read = through(client, written, into=second, schema=first)
    unit = {} if kind == "TypedDict" else {"unit": "m"}
    assert read == second(n=3.0, new="o", ratio=0.5, tags=None, **unit)
    assert type(read["n"] if isinstance(read, dict) else read.n) is float


def test_schemas_of_classes_are_joined_to_classes_only_where_they_go_together() -> None:
    schema = parse_schema('{"type": "record", "name": "Line", "fields": [{"name": "sku", "type": "string"}]}')
    with pytest.raises(InvalidClass, match=r"Line\.price: the schema's Line has no field 'price'"):
        bind(schema, Line)
    with pytest.raises(InvalidClass, match=r"Dog\.sku: Dog has no field for it|Dog\.name: the schema's"):
        bind(schema, Dog)
    for hint, text in [
        (int, '"string"'),
        (datetime, '"long"'),
        (list[int], '{"type": "map", "values": "int"}'),
        (Status, '{"type": "enum", "name": "E", "symbols": ["NEW", "OLD"]}'),
        (str, '["null", "string"]'),
    ]:
        with pytest.raises(InvalidClass):
            bind(parse_schema(text), hint)
