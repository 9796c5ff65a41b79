"""Every real alert through serializer and deserializer: equal to what fastavro reads from its file."""

import io
import json
from pathlib import Path
from typing import Any

import fastavro
import pytest

from serde import AvroDeserializer, AvroSerializer, RegistryClient
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


def round_trip(client: RegistryClient, path: Path, topic: str) -> int:
    schema, records = read_file(path)
    serializer, deserializer = AvroSerializer(client, json.dumps(schema)), AvroDeserializer(client)
    parsed = fastavro.parse_schema(schema)
    for record in records:
        message = serializer(record, topic)
        assert message is not None
        body = io.BytesIO()
        fastavro.schemaless_writer(body, parsed, record)
        assert message[5:] == body.getvalue()
        assert same(deserializer(message, topic), record)
    return len(records)


@pytest.mark.parametrize("pattern", ["ztf/alerts/*.avro", "lsst/**/sample_data/*.avro"])
def test_real_alerts_come_back(pattern: str) -> None:
    with registry() as client:
        client.set_config("NONE")
        assert all(round_trip(client, path, "alerts") >= 1 for path in alerts(pattern))


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
