"""What other ways to a message cost: the drop-in, a GUID in a header, the newest version, asyncio.

    python -m benchmarks.serde.faces

Beside confluent-kafka's own serializers set up alike, in one process and one run, framing included, turn
about. Coroutines are run to their end by hand: no event loop is in the figures.
"""

import asyncio
import json
import os
from collections.abc import Callable, Coroutine
from typing import Any

from confluent_kafka.schema_registry import SchemaRegistryClient as TheirClient
from confluent_kafka.schema_registry import header_schema_id_serializer
from confluent_kafka.schema_registry.avro import AvroDeserializer as TheirDeserializer
from confluent_kafka.schema_registry.avro import AvroSerializer as TheirSerializer

from benchmarks.serde.avro import Case, best_of, big, small
from serde import (
    AsyncAvroDeserializer,
    AsyncAvroSerializer,
    AsyncRegistryClient,
    AvroDeserializer,
    AvroSerializer,
    RegistryClient,
    confluent,
)
from serde.confluent import MessageField, SerializationContext
from serde.confluent import avro as drop_in
from tests.support.server import running_registry

LATEST: dict[str, Any] = {"auto.register.schemas": False, "use.latest.version": True}


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """What a coroutine that waits for nothing comes to."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    raise RuntimeError("it waits for something")


def measure(case: Case, url: str) -> tuple[dict[str, float], dict[str, float]]:
    """The microseconds that each takes to write a message and to read it; theirs after ``their``."""
    text, value, topic = json.dumps(case.schema), case.value, case.name
    context = SerializationContext(topic, MessageField.VALUE)
    headers: list[tuple[str, bytes]] = []
    empty: list[tuple[str, bytes]] = []
    in_header = SerializationContext(topic, MessageField.VALUE, empty)
    with (
        RegistryClient(url) as client,
        RegistryClient("embedded:") as embedded,
        confluent.SchemaRegistryClient({"url": url}) as like_theirs,
        TheirClient({"url": url}) as theirs,
    ):
        plain, newest = AvroSerializer(client, text), AvroSerializer(client, use_latest=True)
        header, read = AvroSerializer(client, text, framing="header"), AvroDeserializer(client)
        like, like_read = drop_in.AvroSerializer(like_theirs, text), drop_in.AvroDeserializer(like_theirs)
        their, their_read = TheirSerializer(theirs, text), TheirDeserializer(theirs)
        their_newest = TheirSerializer(theirs, conf=LATEST)
        their_header = TheirSerializer(
            theirs, text, conf={"schema.id.serializer": header_schema_id_serializer}
        )
        message, body = plain(value, topic), header(value, topic, headers)
        later = AsyncRegistryClient("embedded:")
        AvroSerializer(embedded, text)(value, topic)
        write_later, read_later = AsyncAvroSerializer(later, text), AsyncAvroDeserializer(later)

        async def first() -> bytes | None:
            made = await write_later(value, topic)
            await read_later(made, topic)
            return made

        with asyncio.Runner() as runner:
            other = runner.run(first())
            writing: dict[str, Callable[[], object]] = {
                "native": lambda: plain(value, topic),
                "drop-in": lambda: like(value, context),
                "latest": lambda: newest(value, topic),
                "header": lambda: (header(value, topic, empty), empty.pop())[0],
                "async": lambda: run(write_later(value, topic)),
                "their": lambda: their(value, context),
                "their latest": lambda: their_newest(value, context),
                "their header": lambda: (their_header(value, in_header), empty.pop())[0],
            }
            reading: dict[str, Callable[[], object]] = {
                "native": lambda: read(message, topic),
                "drop-in": lambda: like_read(message, context),
                "header": lambda: read(body, topic, headers),
                "async": lambda: run(read_later(other, topic)),
                "their": lambda: their_read(message, context),
            }
            assert writing["drop-in"]() == writing["their"]() == writing["latest"]() == message
            found = best_of(writing), best_of(reading)
            runner.run(later.aclose())
    return found


def main() -> None:
    """Print the tables: native's microseconds, and the others' as times that."""
    print(f"{os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}\n")
    with running_registry() as server:
        for case in (small(), big()):
            for title, found in zip(("write", "read"), measure(case, server.url), strict=True):
                native = found.pop("native")
                rest = ", ".join(f"{name} {took / native:.2f}x" for name, took in found.items())
                print(f"{title} {case.name}: native {native:.3f} us; {rest}")


if __name__ == "__main__":
    main()
