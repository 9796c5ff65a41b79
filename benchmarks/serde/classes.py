"""What an object costs in place of a dict, and beside dataclasses-avroschema, in one process and one run.

    python -m benchmarks.serde.classes

Ours are whole calls of a serializer and a deserializer, framing included, with a registry in this process;
with a dict in place of the object they are the measure. dataclasses-avroschema's `serialize` and
`deserialize` write and read the bare record. ``init`` is what it takes to call the class with the values.
The least CPU of seven rounds each, turn about.
"""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import make_dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import attrs
import pydantic
from dataclasses_avroschema import AvroModel
from dataclasses_avroschema.pydantic import AvroBaseModel

import serde.testing
from benchmarks.serde.avro import best_of
from serde import AvroDeserializer, AvroSerializer, RegistryClient

SMALL: dict[str, Any] = {"id": int, "name": str, "price": float, "open": bool, "note": str | None}
SMALL_VALUE: dict[str, Any] = {"id": 123_456, "name": "widget", "price": 9.5, "open": True, "note": "a note"}
LINE: dict[str, Any] = {"n": int, "sku": str | None}
LINES = 20

MakeClass = Callable[[str, Mapping[str, Any]], Any]


def dataclasses_of(*bases: type, **options: Any) -> MakeClass:
    return lambda name, fields: make_dataclass(name, list(fields.items()), bases=bases, **options)


def models_of(base: type[pydantic.BaseModel]) -> MakeClass:
    def make(name: str, fields: Mapping[str, Any]) -> Any:
        made: Any = {field: (hint, ...) for field, hint in fields.items()}
        return pydantic.create_model(name, __base__=base, **made)

    return make


def attrs_of(name: str, fields: Mapping[str, Any]) -> Any:
    return attrs.make_class(name, {field: attrs.field(type=hint) for field, hint in fields.items()})


OURS: dict[str, MakeClass] = {
    "dataclass": dataclasses_of(),
    "with slots": dataclasses_of(slots=True),
    "frozen": dataclasses_of(frozen=True),
    "attrs": attrs_of,
    "pydantic": models_of(pydantic.BaseModel),
}
THEIRS: dict[str, MakeClass] = {
    "DCA dataclass": dataclasses_of(AvroModel),
    "DCA pydantic": models_of(AvroBaseModel),
}


def values_of(make: MakeClass) -> Iterator[tuple[str, type, dict[str, Any]]]:
    """(title, class, what to call it with): five fields, and an order with twenty lines."""
    yield "small", make("Small", SMALL), SMALL_VALUE
    line = make("Line", LINE)
    order = make("Order", {"id": int, "at": datetime, "first": line | None, "lines": list[line]})  # type: ignore[valid-type]
    lines = [line(n=n, sku="x") for n in range(LINES)]
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    yield "order", order, {"id": 7, "at": at, "first": lines[0], "lines": lines}


Calls = dict[str, Callable[[], object]]


def ours(
    client: RegistryClient, name: str, title: str, cls: Any, fields: dict[str, Any]
) -> tuple[Calls, Calls]:
    """Calls that write and that read; those with dicts too, for the first kind of class."""
    value, topic = cls(**fields), f"{title}-{name}"
    serialize, deserialize = AvroSerializer(client, cls), AvroDeserializer(client, cls)
    message = serialize(value, topic)
    assert deserialize(message, topic) == value
    writing: Calls = {name: lambda: serialize(value, topic)}
    reading: Calls = {name: lambda: deserialize(message, topic), f"{name} init": lambda: cls(**fields)}
    if name != "dataclass":
        return writing, reading
    plain = AvroDeserializer(client)
    record = plain(message, topic)
    assert serialize(record, topic) == message
    return (
        {"dict": lambda: serialize(record, topic), **writing},
        {"dict": lambda: plain(message, topic), **reading},
    )


def theirs(name: str, cls: Any, fields: dict[str, Any]) -> tuple[Calls, Calls]:
    value = cls(**fields)
    body = value.serialize()
    assert cls.deserialize(body) == value
    return {name: value.serialize}, {name: lambda: cls.deserialize(body)}


def show(title: str, found: dict[str, float]) -> None:
    """Microseconds a call, and how many times a dict's."""
    print(title)
    for name, micros in found.items():
        print(f"{name:>18}{micros:>10.3f} us{micros / found['dict']:>9.2f} x")
    print()


def main() -> None:
    """Print the tables."""
    packages = ("dataclasses-avroschema", "pydantic", "attrs")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, load average {load:.1f}; Python {sys.version.split()[0]}, {versions}")
    print(f"{serde.codec.codec_in_use()} codec; x: times a dict's microseconds\n")
    writing: dict[str, Calls] = {}
    reading: dict[str, Calls] = {}
    with serde.testing.registry() as client:
        for name, make in {**OURS, **THEIRS}.items():
            for title, cls, fields in values_of(make):
                calls = ours(client, name, title, cls, fields) if name in OURS else theirs(name, cls, fields)
                writing.setdefault(title, {}).update(calls[0])
                reading.setdefault(title, {}).update(calls[1])
        for title, calls_to_write in writing.items():
            show(f"write {title}", best_of(calls_to_write))
            show(f"read {title}", best_of(reading[title]))


if __name__ == "__main__":
    main()
