"""What a message costs, beside the serializers and codecs that others publish, in one process and one run.

    python -m benchmarks.serde.avro

Ours is measured with both codecs. Ours, confluent-kafka's and
python-schema-registry-client's are whole calls, framing included, to a real
registry that is asked before the clock starts; fastavro and cavro write and
read the bare record. The least CPU of seven rounds each, turn about. ``alert`` is a
real alert, left out where the corpus is not beside the project.
"""

import gc
import io
import json
import os
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from threading import Thread
from types import ModuleType
from typing import Any
from uuid import UUID

import fastavro
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer as TheirDeserializer
from confluent_kafka.schema_registry.avro import AvroSerializer as TheirSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from schema_registry.client import SchemaRegistryClient as PlainClient
from schema_registry.client.schema import AvroSchema
from schema_registry.serializers.message_serializer import AvroMessageSerializer

import serde.codec
from serde import AvroDeserializer, AvroSerializer, RegistryClient
from serde.codec import LOGICAL_TYPES, compile_decoder, compile_encoder, native, parse_schema, pure
from tests.support.server import running_registry

cavro: Any = import_module("cavro")

ROUNDS = 7
SECONDS_A_ROUND = 0.15
THREAD_CALLS = 20_000
# The least asked for: confluent-kafka's time and fastavro's by ours, confluent-kafka's by the pure codec's.
LEAST: dict[str, dict[str, tuple[float, float, float]]] = {
    "write": {"small": (15, 8, 1.3), "big": (8, 7, 1.05), "alert": (5, 0, 0)},
    "read": {"small": (15, 3.5, 3), "big": (8, 3, 2), "alert": (5, 0, 0)},
}
MOST_ADDED = 1.3
MOST_FIRST_MS = 5
ALERTS = Path(__file__).resolve().parents[3] / "shared" / "corpus" / "ztf" / "alerts"


@dataclass(frozen=True)
class Case:
    """A schema and a record of it."""

    name: str
    schema: dict[str, Any]
    value: dict[str, Any]


def small() -> Case:
    """Five fields."""
    fields = [("id", "long"), ("name", "string"), ("price", "double"), ("open", "boolean")]
    schema = _record("Small", [*fields, ("note", ["null", "string"])])
    value = {"id": 123_456, "name": "widget", "price": 9.5, "open": True, "note": "a note"}
    return Case("small", schema, value)


def big() -> Case:
    """Thirty fields: unions, a map, arrays, a nested record, logical types."""
    fields: list[tuple[str, Any]] = [(f"text_{n}", "string") for n in range(8)]
    fields += [(f"maybe_{n}", ["null", "long"]) for n in range(8)]
    fields += [(f"number_{n}", "double") for n in range(7)]
    fields += [
        ("items", {"type": "array", "items": "int"}),
        ("labels", {"type": "map", "values": "string"}),
        ("kind", {"type": "enum", "name": "Kind", "symbols": ["A", "B", "C"]}),
        ("lines", {"type": "array", "items": _record("Line", [("n", "int"), ("sku", ["null", "string"])])}),
        ("at", {"type": "long", "logicalType": "timestamp-millis"}),
        ("price", {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}),
        ("key", {"type": "string", "logicalType": "uuid"}),
    ]
    value: dict[str, Any] = {f"text_{n}": f"some text {n}" for n in range(8)}
    value |= {f"maybe_{n}": n * 1000 if n % 2 else None for n in range(8)}
    value |= {f"number_{n}": n * 1.5 for n in range(7)}
    value |= {
        "items": list(range(20)),
        "labels": {f"k{n}": "v" for n in range(5)},
        "kind": "B",
        "lines": [{"n": n, "sku": "x"} for n in range(5)],
        "at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        "price": Decimal("12.34"),
        "key": UUID(int=2**100 + 7),
    }
    return Case("big", _record("Big", fields), value)


def alerts() -> Iterator[Case]:
    """The newest of the corpus's alerts."""
    for path in sorted(ALERTS.glob("*.avro"))[-1:]:
        with path.open("rb") as file:
            reader = fastavro.reader(file)
            value: Any = next(reader)
            yield Case("alert", json.loads(reader.metadata["avro.schema"]), value)


def _record(name: str, fields: list[tuple[str, Any]]) -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": [{"name": f, "type": t} for f, t in fields]}


def measure(case: Case, url: str) -> tuple[int, dict[str, float], dict[str, float]]:
    """The message's size, and the microseconds that each takes to write it and to read it."""
    text = json.dumps(case.schema)
    value, topic = case.value, case.name
    with RegistryClient(url) as client:
        writers, readers = {}, {}
        for codec in (native, pure):
            with_codec(codec)
            writers[name_of(codec)] = AvroSerializer(client, text)
            readers[name_of(codec)] = AvroDeserializer(client)
            message = writers[name_of(codec)](value, topic)
            readers[name_of(codec)](message, topic)
        with_codec(native)
        assert message is not None
        theirs = theirs_with(url, text, case)
        fields = [*case.schema["fields"], {"name": "added", "type": "string", "default": "x"}]
        wider = AvroDeserializer(client, json.dumps({**case.schema, "fields": fields}))
        raw = AvroDeserializer(client, raw_logical_types=LOGICAL_TYPES)
        writing: dict[str, Callable[[], object]] = {
            "native": lambda: writers["native"](value, topic),
            "pure": lambda: writers["pure"](value, topic),
            **theirs[0],
        }
        reading: dict[str, Callable[[], object]] = {
            "native": lambda: readers["native"](message, topic),
            "pure": lambda: readers["pure"](message, topic),
            "raw": lambda: raw(message, topic),
            "added": lambda: wider(message, topic),
            **theirs[1],
        }
        assert writing["native"]() == writing["pure"]() == message
        bodies = (writing["confluent"](), writing["registry-client"]())
        assert all(isinstance(body, bytes) and body[5:] == message[5:] for body in bodies)
        return len(message), best_of(writing), best_of(reading)


def theirs_with(
    url: str, text: str, case: Case
) -> tuple[dict[str, Callable[[], object]], dict[str, Callable[[], object]]]:
    """The calls of the others, with their caches filled."""
    value, context = case.value, SerializationContext(case.name, MessageField.VALUE)
    confluent = SchemaRegistryClient({"url": url})
    write, read = TheirSerializer(confluent, text), TheirDeserializer(confluent)
    plain = AvroMessageSerializer(PlainClient({"url": url}))
    plain_schema, subject = AvroSchema(text), f"{case.name}-value"
    parsed: Any = fastavro.parse_schema(json.loads(text))
    # It refuses a default that is not of a union's first branch; the alert has such.
    bare = cavro.Schema(without_defaults(json.loads(text)))
    message = write(value, context)

    def write_fastavro() -> bytes:
        buffer = io.BytesIO()
        fastavro.schemaless_writer(buffer, parsed, value)
        return buffer.getvalue()

    body = write_fastavro()
    assert body == bare.binary_encode(value) == message[5:]
    return {
        "confluent": lambda: write(value, context),
        "fastavro": write_fastavro,
        "cavro": lambda: bare.binary_encode(value),
        "registry-client": lambda: plain.encode_record_with_schema(subject, plain_schema, value),
    }, {
        "confluent": lambda: read(message, context),
        "fastavro": lambda: fastavro.schemaless_reader(io.BytesIO(body), parsed, None),
        "cavro": lambda: bare.binary_decode(body),
        "registry-client": lambda: plain.decode_message(message),
    }


def without_defaults(schema: Any) -> Any:
    if isinstance(schema, list):
        return [without_defaults(part) for part in schema]
    if isinstance(schema, dict):
        return {key: without_defaults(part) for key, part in schema.items() if key != "default"}
    return schema


def with_codec(codec: ModuleType) -> None:
    """Let the serializers made from here on use one codec."""
    serde.codec._codec = codec


def name_of(codec: ModuleType) -> str:
    return codec.__name__.rpartition(".")[2]


def best_of(functions: dict[str, Callable[[], object]]) -> dict[str, float]:
    """The least microseconds a call of each function."""
    repeats = {
        name: max(1, int(SECONDS_A_ROUND / max(_seconds(function, 3), 1e-7)))
        for name, function in functions.items()
    }
    best = dict.fromkeys(functions, float("inf"))
    for _ in range(ROUNDS):
        for name, function in functions.items():
            best[name] = min(best[name], _seconds(function, repeats[name]))
    return {name: seconds * 1e6 for name, seconds in best.items()}


def _seconds(function: Callable[[], object], repeats: int) -> float:
    """Of this thread's CPU, so that what else the machine does counts little."""
    start = time.thread_time()
    for _ in range(repeats):
        function()
    return (time.thread_time() - start) / repeats


def first_message(case: Case) -> tuple[float, float]:
    """Milliseconds from schema text to an encoder, and to a decoder."""
    text = json.dumps(case.schema)
    calls: dict[str, Callable[[], object]] = {
        "encoder": lambda: compile_encoder(parse_schema(text)),
        "decoder": lambda: compile_decoder(parse_schema(text)),
    }
    found = best_of(calls)
    return found["encoder"] / 1000, found["decoder"] / 1000


def memory(case: Case) -> float:
    """Kilobytes that Python counts for a schema, an encoder and a decoder of it."""
    text = json.dumps(case.schema)
    gc.collect()
    tracemalloc.start()
    kept: list[object] = []
    for _ in range(10):
        schema = parse_schema(text)
        kept.append((compile_encoder(schema), compile_decoder(schema)))
    del schema
    gc.collect()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return size / len(kept) / 1024


def two_threads(case: Case) -> float:
    """How many times as long as one thread two take, for as many messages each; 1.0 is the best."""
    schema = parse_schema(json.dumps(case.schema))
    encode, decode = compile_encoder(schema), compile_decoder(schema)

    def work() -> None:
        for _ in range(THREAD_CALLS):
            decode(encode(case.value), 0)

    def run(count: int) -> float:
        threads = [Thread(target=work) for _ in range(count)]
        start = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return time.perf_counter() - start

    return min(run(2) for _ in range(3)) / min(run(1) for _ in range(3))


def missed(title: str, name: str, found: dict[str, float]) -> Iterator[str]:
    """The targets that were not reached."""
    ratios = (
        ("confluent", found["confluent"] / found["native"]),
        ("fastavro", found["fastavro"] / found["native"]),
        ("confluent by the pure codec", found["confluent"] / found["pure"]),
    )
    for (peer, ratio), least in zip(ratios, LEAST[title][name], strict=True):
        if ratio < least:
            yield f"{title} {name}: {ratio:.2f} times {peer}, target {least}"
    if "added" in found and found["added"] / found["native"] > MOST_ADDED:
        cost = found["added"] / found["native"]
        yield f"{title} {name}: a field more costs {cost:.2f}, target {MOST_ADDED}"


def show(title: str, rows: dict[str, tuple[int, dict[str, float]]]) -> None:
    """A table: our microseconds, and how many times those each other takes."""
    columns = list(next(iter(rows.values()))[1])
    print(f"{title:>12}{'bytes':>7}{'native us':>11}", *(f"{name:>16}" for name in columns[1:]))
    for name, (size, found) in rows.items():
        print(f"{name:>12}{size:>7}{found['native']:>11.3f}", end="")
        print("", *(f"{found[other] / found['native']:>15.2f}x" for other in columns[1:]))
    print()


def main() -> None:
    """Print the tables."""
    packages = ("confluent-kafka", "fastavro", "cavro", "python-schema-registry-client")
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, load average {load:.1f}; Python {sys.version.split()[0]}, {versions}")
    print(
        "times native's microseconds; raw: no logical types; added: a reader's schema with one field more\n"
    )
    cases = [small(), big(), *alerts()]
    with running_registry() as server:
        found = {case.name: measure(case, server.url) for case in cases}
    show("write", {name: (size, writing) for name, (size, writing, _) in found.items()})
    show("read", {name: (size, reading) for name, (size, _, reading) in found.items()})
    misses = [
        miss
        for name, (_, writing, reading) in found.items()
        for title, times in (("write", writing), ("read", reading))
        for miss in missed(title, name, times)
    ]
    for case in cases:
        encoder, decoder = first_message(case)
        if max(encoder, decoder) > MOST_FIRST_MS:
            misses.append(f"first message of {case.name}: target {MOST_FIRST_MS} ms")
        print(f"{case.name:>12}  first message: encoder {encoder:.2f} ms, decoder {decoder:.2f} ms;", end=" ")
        print(f"memory of both {memory(case):.0f} KB")
    print(f"two threads take {two_threads(small()):.2f} times as long as one, for twice the messages")
    print("\n".join(["", *(f"NOT MET: {miss}" for miss in misses)]) if misses else "\nall targets met")


if __name__ == "__main__":
    main()
