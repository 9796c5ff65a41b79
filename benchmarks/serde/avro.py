"""What a message costs, beside bare fastavro and confluent-kafka's serializers in the same run.

    python benchmarks/serde/avro.py

Microseconds a call, the best of seven rounds each, turn about, and how many
times ours the others take. Ours and confluent-kafka's are whole calls, framing
included; fastavro writes and reads the bare record. The registry is in the
process and is asked before the clock starts. ``alert`` is a real alert, left
out where the corpus is not beside the project.
"""

import io
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import fastavro
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer as TheirDeserializer
from confluent_kafka.schema_registry.avro import AvroSerializer as TheirSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

from serde import AvroDeserializer, AvroSerializer
from serde.testing import registry

ROUNDS = 7
SECONDS_A_ROUND = 0.15
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


def best_of(functions: list[Callable[[], object]]) -> list[float]:
    """The least microseconds a call of each function."""
    repeats = [max(1, int(SECONDS_A_ROUND / _seconds(function, 3))) for function in functions]
    best = [float("inf")] * len(functions)
    for _ in range(ROUNDS):
        for number, function in enumerate(functions):
            best[number] = min(best[number], _seconds(function, repeats[number]))
    return [seconds * 1e6 for seconds in best]


def _seconds(function: Callable[[], object], repeats: int) -> float:
    start = time.perf_counter()
    for _ in range(repeats):
        function()
    return (time.perf_counter() - start) / repeats


def measure(case: Case) -> tuple[int, list[float], list[float]]:
    """The message's size, and what ours, confluent-kafka's and fastavro take to write and to read it."""
    text = json.dumps(case.schema)
    parsed = fastavro.parse_schema(json.loads(text))
    context = SerializationContext("topic", MessageField.VALUE)
    with registry() as client:
        write, read = AvroSerializer(client, text), AvroDeserializer(client)
        message = write(case.value, "topic")
        assert message is not None
        # Their client with the caches filled: from here on neither asks a registry.
        theirs: Any = SchemaRegistryClient.new_client({"url": "mock://"})
        their_write, their_read = TheirSerializer(theirs, text), TheirDeserializer(theirs)
        their_message = their_write(case.value, context)
        assert their_message[5:] == message[5:]

        def write_bare() -> bytes:
            buffer = io.BytesIO()
            fastavro.schemaless_writer(buffer, parsed, case.value)
            return buffer.getvalue()

        body = write_bare()
        writing = best_of(
            [
                lambda: write(case.value, "topic"),
                lambda: their_write(case.value, context),
                write_bare,
            ]
        )
        reading = best_of(
            [
                lambda: read(message, "topic"),
                lambda: their_read(their_message, context),
                lambda: fastavro.schemaless_reader(io.BytesIO(body), parsed, None),
            ]
        )
        return len(message), writing, reading


def main() -> None:
    """Print a table."""
    print(f"{'':>8}{'bytes':>7}  {'write us':>9}{'confluent':>11}{'fastavro':>10}", end="")
    print(f"  {'read us':>9}{'confluent':>11}{'fastavro':>10}")
    for case in [small(), big(), *alerts()]:
        size, writing, reading = measure(case)
        row = f"{case.name:>8}{size:>7}"
        for ours, confluent, bare in (writing, reading):
            row += f"  {ours:>9.2f}{confluent / ours:>10.1f}x{bare / ours:>9.1f}x"
        print(row)


if __name__ == "__main__":
    main()
