"""What a message costs on its way to Arrow and back, beside the way by dicts, in one process and one run.

    python -m benchmarks.serde.arrow

Messages of one schema, each another, by whole calls of the serializers, framing
included: ``to_arrow`` beside our own deserializer, fastavro's and confluent-kafka's
decoding to dicts and then pyarrow's ``from_pylist``; ``from_arrow`` beside ``to_pylist``
and our own serializer. The least CPU of seven rounds each, turn about. Also what
many messages at a time save without Arrow, two threads beside one, and what the
first batch costs.
"""

import io
import json
import os
import sys
import time
import tracemalloc
from collections.abc import Callable
from importlib.metadata import version
from threading import Thread
from typing import Any

import fastavro
import pyarrow as pa
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer as TheirDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

from benchmarks.serde.avro import Case, alerts, best_of, big, name_of, small, with_codec
from serde import AvroDeserializer, AvroSerializer, RegistryClient
from serde.arrow import arrow_schema
from serde.codec import native, parse_schema, pure
from serde.codec.columns import compile_program, layout
from tests.support.server import running_registry

LEAST = {"small": 8.0, "big": 5.0, "alert": 0.0}
"""How many times as fast as by our own dicts it is to be."""

MESSAGES = {"small": 10_000, "big": 2_000, "alert": 400}
THREAD_ROUNDS = 10


def records(case: Case) -> list[Any]:
    """Records that differ: in a number of each, so that none is met twice."""
    found = []
    for n in range(MESSAGES[case.name]):
        record = dict(case.value)
        for name, value in case.value.items():
            if type(value) is float:
                record[name] = value + n
            elif type(value) is str and name.startswith(("name", "note", "text")):
                record[name] = f"{value}{n % 100}"
            elif type(value) is int and value > 1000:
                record[name] = value + n % 1000
        found.append(record)
    return found


def measure(case: Case, url: str) -> tuple[dict[str, float], dict[str, float]]:
    """The microseconds a message, of each way to Arrow and of each way back."""
    text = json.dumps(case.schema)
    schema = arrow_schema(text)
    values = records(case)
    with RegistryClient(url) as client:
        serializer = AvroSerializer(client, text)
        messages: list[Any] = serializer.serialize_many(values, case.name)
        deserializer = AvroDeserializer(client)
        with_codec(pure)
        pure_deserializer, pure_serializer = AvroDeserializer(client), AvroSerializer(client, text)
        batch = pure_deserializer.to_arrow(messages)
        pure_serializer.from_arrow(batch, case.name)
        with_codec(native)
        assert deserializer.to_arrow(messages).equals(batch)
        assert serializer.from_arrow(batch, case.name) == messages
        theirs = TheirDeserializer(SchemaRegistryClient({"url": url}))
        context = SerializationContext(case.name, MessageField.VALUE)
        parsed: Any = fastavro.parse_schema(case.schema)

        def by_fastavro() -> list[Any]:
            return [fastavro.schemaless_reader(io.BytesIO(m[5:]), parsed, None) for m in messages]

        def by_arrow(decode: Callable[[], list[Any]]) -> Callable[[], object]:
            return lambda: pa.RecordBatch.from_pylist(decode(), schema=schema)

        def with_pure(call: Callable[[], object]) -> Callable[[], object]:
            def run() -> object:
                with_codec(pure)
                try:
                    return call()
                finally:
                    with_codec(native)

            return run

        to: dict[str, Callable[[], object]] = {
            "native": lambda: deserializer.to_arrow(messages),
            "by dicts": by_arrow(lambda: [deserializer(message) for message in messages]),
            "by many dicts": by_arrow(lambda: deserializer.deserialize_many(messages)),
            "pure": with_pure(lambda: pure_deserializer.to_arrow(messages)),
            "fastavro": by_arrow(by_fastavro),
            "confluent": by_arrow(lambda: [theirs(message, context) for message in messages]),
            "only dicts": lambda: [deserializer(message) for message in messages],
            "only many dicts": lambda: deserializer.deserialize_many(messages),
        }
        back: dict[str, Callable[[], object]] = {
            "native": lambda: serializer.from_arrow(batch, case.name),
            "by dicts": lambda: [
                serializer(row, case.name) for row in batch.to_pylist(maps_as_pydicts="strict")
            ],
            "pure": with_pure(lambda: pure_serializer.from_arrow(batch, case.name)),
            "only dicts": lambda: [serializer(value, case.name) for value in values],
            "only many dicts": lambda: serializer.serialize_many(values, case.name),
        }
        found = best_of(to), best_of(back)
    count = len(messages)
    return tuple({name: micros / count for name, micros in each.items()} for each in found)  # type: ignore[return-value]


def first_batch(case: Case) -> float:
    """Milliseconds from schema text to what reads its batches."""
    text = json.dumps(case.schema)

    def compile_it() -> object:
        schema = parse_schema(text)
        return layout(schema), compile_program(schema, schema)

    return best_of({"program": compile_it})["program"] / 1000


def memory(case: Case, url: str) -> tuple[float, float]:
    """Kilobytes that Python counts for a serializer and for a deserializer, after a message and a batch."""
    text = json.dumps(case.schema)
    with RegistryClient(url) as client:
        message = AvroSerializer(client, text)(case.value, case.name)
        batch = AvroDeserializer(client).to_arrow([message])
        found = []
        makes: list[Callable[[], object]] = [
            lambda: _used(AvroSerializer(client, text), case, batch),
            lambda: _read(AvroDeserializer(client), message),
        ]
        for make in makes:
            tracemalloc.start()
            kept = [make() for _ in range(5)]
            found.append(tracemalloc.get_traced_memory()[0] / len(kept) / 1024)
            tracemalloc.stop()
    return found[0], found[1]


def _used(serializer: AvroSerializer, case: Case, batch: Any) -> object:
    serializer(case.value, case.name)
    serializer.from_arrow(batch, case.name)
    return serializer


def _read(deserializer: AvroDeserializer, message: bytes | None) -> object:
    deserializer(message)
    deserializer.to_arrow([message])
    return deserializer


def two_threads(case: Case, url: str) -> tuple[float, float]:
    """How many times as long as one thread two take, for as many messages each: to Arrow, and to dicts."""
    with RegistryClient(url) as client:
        messages = AvroSerializer(client, json.dumps(case.schema)).serialize_many(records(case), case.name)
        deserializer = AvroDeserializer(client)
        calls: list[Callable[[], object]] = [
            lambda: deserializer.to_arrow(messages),
            lambda: deserializer.deserialize_many(messages),
        ]
        return tuple(_two_by_one(call) for call in calls)  # type: ignore[return-value]


def _two_by_one(call: Callable[[], object]) -> float:
    def work() -> None:
        for _ in range(THREAD_ROUNDS):
            call()

    def run(count: int) -> float:
        threads = [Thread(target=work) for _ in range(count)]
        start = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return time.perf_counter() - start

    return min(run(2) for _ in range(5)) / min(run(1) for _ in range(5))


def show(title: str, rows: dict[str, dict[str, float]]) -> None:
    """A table: our microseconds a message, and how many times those each other way takes."""
    columns = list(next(iter(rows.values())))
    print(f"{title:>12}{'native us':>11}", *(f"{name:>16}" for name in columns[1:]))
    for name, found in rows.items():
        print(f"{name:>12}{found['native']:>11.3f}", end="")
        print("", *(f"{found[other] / found['native']:>15.2f}x" for other in columns[1:]))
    print()


def main() -> None:
    """Print the tables."""
    packages = ("pyarrow", "fastavro", "confluent-kafka")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, load average {load:.1f}; Python {sys.version.split()[0]}, {versions}")
    print(f"times the {name_of(native)} codec's microseconds a message; only dicts: without Arrow\n")
    cases = [small(), big(), *alerts()]
    with running_registry() as server:
        found = {case.name: measure(case, server.url) for case in cases}
        show("to Arrow", {name: to for name, (to, _) in found.items()})
        show("from Arrow", {name: back for name, (_, back) in found.items()})
        for case in cases:
            writes, reads = memory(case, server.url)
            print(
                f"{case.name:>12}  first batch: {first_batch(case):.2f} ms; memory of a serializer"
                f" {writes:.0f} KB, of a deserializer {reads:.0f} KB"
            )
        for case in cases[:2]:
            arrow, dicts = two_threads(case, server.url)
            print(
                f"{case.name:>12}  two threads take {arrow:.2f} times as long as one for twice the"
                f" messages to Arrow, {dicts:.2f} times to dicts"
            )
    misses = [
        f"NOT MET: {name}: {to['by dicts'] / to['native']:.1f} times, target {LEAST[name]}"
        for name, (to, _) in found.items()
        if to["by dicts"] / to["native"] < LEAST[name]
    ]
    print("\n".join(["", *misses]) if misses else "\nall targets met")


if __name__ == "__main__":
    main()
