"""Every real alert through every face of the serializers: equal to what fastavro reads from its file."""

import asyncio
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fastavro
import pytest

from serde import (
    AsyncAvroDeserializer,
    AsyncAvroSerializer,
    AsyncRegistryClient,
    AvroDeserializer,
    AvroSerializer,
    RegistryClient,
    confluent,
)
from serde.confluent import avro as confluent_avro
from serde.testing import registry
from tests.support.needs import need_corpus

pytestmark = pytest.mark.usefixtures("each_codec")


def alerts(pattern: str) -> list[Path]:
    found = sorted(need_corpus().glob(pattern))
    assert found
    return found


def read_file(path: Path) -> tuple[Any, list[Any]]:
    """The writer's schema as it stands in the file, and its records."""
    with path.open("rb") as file:
        reader = fastavro.reader(file)
        records = list(reader)
    return json.loads(reader.metadata["avro.schema"]), records


def same(left: Any, right: Any) -> bool:
    """Equal, with NaN equal to itself and each value of the same class."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return type(left) is type(right) and (left == right or (left != left and right != right))


Face = Callable[[Any, str, list[tuple[str, bytes]]], tuple[bytes, Any]]
"""Writes a record and reads the message; the headers are those of both."""


class Faces:
    """All the ways from a record to a message and back, over one registry."""

    def __init__(self, url: str, runner: asyncio.Runner) -> None:
        self.client = RegistryClient(url)
        self._runner = runner
        self._later = AsyncRegistryClient(url)
        self._drop_in = confluent.SchemaRegistryClient({"url": url})
        self._read = AvroDeserializer(self.client)
        self._read_later = AsyncAvroDeserializer(self._later)
        self._read_drop_in = confluent_avro.AvroDeserializer(self._drop_in)

    def of(self, text: str) -> tuple[list[Face], list[Face]]:
        """Those that put the id in front, and those that put the GUID into a header."""
        header = {"schema.id.serializer": confluent.header_schema_id_serializer}
        return [
            self._sync(AvroSerializer(self.client, text)),
            self._tasks(AsyncAvroSerializer(self._later, text)),
            self._context(confluent_avro.AvroSerializer(self._drop_in, text)),
        ], [
            self._sync(AvroSerializer(self.client, text, framing="header")),
            self._tasks(AsyncAvroSerializer(self._later, text, framing="header")),
            self._context(confluent_avro.AvroSerializer(self._drop_in, text, conf=header)),
        ]

    def close(self) -> None:
        self.client.close()
        self._drop_in.close()
        self._runner.run(self._later.aclose())

    def _sync(self, write: AvroSerializer) -> Face:
        read = self._read

        def both(record: Any, topic: str, headers: list[tuple[str, bytes]]) -> tuple[bytes, Any]:
            message = write(record, topic, headers)
            assert message is not None
            return message, read(message, topic, headers)

        return both

    def _tasks(self, write: AsyncAvroSerializer) -> Face:
        read = self._read_later

        async def later(record: Any, topic: str, headers: list[tuple[str, bytes]]) -> tuple[bytes, Any]:
            message = await write(record, topic, headers)
            assert message is not None
            return message, await read(message, topic, headers)

        return lambda *given: self._runner.run(later(*given))

    def _context(self, write: confluent_avro.AvroSerializer) -> Face:
        read = self._read_drop_in

        def both(record: Any, topic: str, headers: list[tuple[str, bytes]]) -> tuple[bytes, Any]:
            context = confluent.SerializationContext(topic, confluent.MessageField.VALUE, headers)
            message = write(record, context)
            assert message is not None
            return message, read(message, context)

        return both


def round_trip(faces: Faces, path: Path) -> int:
    schema, records = read_file(path)
    in_prefix, in_header = faces.of(json.dumps(schema))
    parsed = fastavro.parse_schema(schema)
    for record in records:
        body = io.BytesIO()
        fastavro.schemaless_writer(body, parsed, record)
        first = None
        for start, some in ((5, in_prefix), (0, in_header)):
            for face in some:
                headers: list[tuple[str, bytes]] = []
                message, value = face(record, "alerts", headers)
                assert message[start:] == body.getvalue()
                assert len(headers) == (start == 0)
                # What equals a value that was compared in every part needs no more.
                assert (first is not None and value == first) or same(value, record)
                first = value
    return len(records)


@pytest.mark.parametrize("pattern", ["ztf/alerts/*.avro", "lsst/**/sample_data/*.avro"])
def test_real_alerts_come_back_through_every_face(pattern: str) -> None:
    with RegistryClient("embedded:") as client, asyncio.Runner() as runner:
        client.set_config("NONE")
        faces = Faces("embedded:", runner)
        try:
            assert all(round_trip(faces, path) >= 1 for path in alerts(pattern))
        finally:
            faces.close()


def test_real_alerts_are_read_with_a_reader_schema() -> None:
    """A reader that wants no earlier candidates and no template, and knows a field of its own."""
    dropped = {"prv_candidates", "cutoutTemplate"}
    with registry() as client:
        client.set_config("NONE")
        for path in alerts("ztf/alerts/*.avro"):
            schema, records = read_file(path)
            fields = [field for field in schema["fields"] if field["name"] not in dropped]
            fields.append({"name": "mark", "type": "bytes", "default": "\u00ff"})
            text = json.dumps({**schema, "fields": fields})
            serializer = AvroSerializer(client, json.dumps(schema))
            deserializer = AvroDeserializer(client, text)
            for record in records:
                found = deserializer(serializer(record, "alerts"))
                kept = {key: value for key, value in record.items() if key not in dropped}
                assert same(found, {**kept, "mark": b"\xff"})
