"""Real schemas and real records through the whole house: registry over HTTP, serdes, file log."""

import json
import math
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fastavro
import pytest

from broker_adapter import Broker, GroupMember, connect
from registry.languages.avro import json_text
from registry.languages.avro.schema import PRIMITIVES
from serde import AvroDeserializer, AvroSerializer, Reference, RegistryClient
from tests.broker_adapter.reading import wait_for
from tests.support.corpus import Folder, arg_properties, lsst_folders, ztf_folders
from tests.support.needs import ROOT, need_corpus
from tests.support.server import running_registry


@pytest.fixture
def client(tmp_path: Path) -> Iterator[RegistryClient]:
    with (
        running_registry(f"sqlite:///{tmp_path / 'registry.db'}") as server,
        RegistryClient(server.url) as client,
    ):
        yield client


def register(client: RegistryClient, folder: Folder) -> dict[str, Reference]:
    """Register the schemas of a folder, a subject a record type, what a schema refers to before it."""
    references: dict[str, Reference] = {}
    for name in folder.in_dependency_order():
        needed = [references[other] for other in folder.direct_references(name)]
        registered = client.register(folder.subject(name), folder.texts[name], references=needed)
        assert registered.references == tuple(needed)
        references[name] = Reference(name, registered.subject, registered.version)
    return references


@pytest.mark.parametrize(("folders", "versions"), [(lsst_folders, 14), (ztf_folders, 29)])
def test_every_version_is_registered_with_references_and_reads_back_and_resolves(
    client: RegistryClient, folders: Callable[[], list[Folder]], versions: int
) -> None:
    client.set_config("NONE")
    known = [(folder, register(client, folder)) for folder in folders()]
    assert len(known) == versions
    for folder, references in known:
        for name, reference in references.items():
            by_version = client.schema(reference.subject, reference.version)
            by_id = client.schema_by_id(by_version.id)
            assert (by_id.text, by_id.references) == (by_version.text, by_version.references)
            # As published, but for white space, the order of keys and how far names are spelt out.
            assert in_full(json.loads(by_id.text)) == in_full(json_text.read(folder.texts[name]))
            texts = client.referenced_texts(by_id.references)
            assert full_names(by_id.text, texts) >= {name, *folder.direct_references(name)}


def in_full(schema: Any, namespace: str | None = None) -> Any:
    """A schema with what may be written in several ways written in one: names in full, bare primitives."""
    match schema:
        case str():
            qualified = "." in schema or schema in PRIMITIVES or not namespace
            return schema if qualified else f"{namespace}.{schema}"
        case list():
            return [in_full(branch, namespace) for branch in schema]
        case {"type": "record" | "enum" | "fixed"}:
            own = schema.get("namespace", namespace)
            name = schema["name"] if "." in schema["name"] or not own else f"{own}.{schema['name']}"
            space = name.rpartition(".")[0]
            fields = [{**field, "type": in_full(field["type"], space)} for field in schema.get("fields", [])]
            unnamed = {key: value for key, value in schema.items() if key != "namespace"}
            return {**unnamed, "name": name, "fields": fields}
        case {"type": "array", **rest}:
            return {**rest, "type": "array", "items": in_full(rest["items"], namespace)}
        case {"type": type_, **rest}:
            return {**rest, "type": type_} if rest else in_full(type_, namespace)
    raise AssertionError(schema)


def full_names(text: str, needed: tuple[str, ...]) -> set[str]:
    """The types that fastavro knows once it has read the schema and those it refers to."""
    named: dict[str, Any] = {}
    for one in (*needed, text):
        fastavro.parse_schema(json.loads(one), named_schemas=named)
    return set(named)


def test_generator_schemas_keep_their_properties(client: RegistryClient) -> None:
    paths = sorted((need_corpus() / "datagen").glob("*.avro"))
    assert len(paths) == 38
    for path in paths:
        text = path.read_text()
        registered = client.register(f"{path.stem}-value", text)
        stored = json.loads(client.schema_by_id(registered.id).text)
        expected = arg_properties(json_text.read(text))
        assert arg_properties(stored) == expected


@dataclass
class Alert:
    """A record of the corpus: what fastavro reads from its container file, and its writer's schema.

    key: the objectId; the alerts of the first schema versions have none yet, only an alertId.
    """

    key: str
    schema: str
    value: Any


def ztf_alerts() -> list[Alert]:
    paths = sorted((need_corpus() / "ztf" / "alerts").glob("*.avro"))
    assert len(paths) == 20
    return [alert for path in paths for alert in alerts_of(path, "objectId", "alertId")]


def lsst_alerts() -> list[Alert]:
    paths = sorted((need_corpus() / "lsst").rglob("sample_data/*.avro"))
    assert len(paths) >= 14
    return [alert for path in paths for alert in alerts_of(path, "alertId", "diaSourceId")]


def alerts_of(path: Path, *key_fields: str) -> list[Alert]:
    with path.open("rb") as file:
        reader = fastavro.reader(file)
        schema = reader.metadata["avro.schema"]
        return [Alert(key_of(value, key_fields), schema, value) for value in reader]


def key_of(value: Any, fields: tuple[str, ...]) -> str:
    return str(next(value[field] for field in fields if field in value))


@pytest.mark.parametrize("alerts", [ztf_alerts, lsst_alerts])
def test_real_alerts_come_back_as_they_were_after_everything_was_closed(
    alerts: Callable[[], list[Alert]], tmp_path: Path
) -> None:
    originals = alerts()
    store = f"sqlite:///{tmp_path / 'registry.db'}"
    with running_registry(store) as server, RegistryClient(server.url) as client:
        client.set_config("NONE")
        produce(client, tmp_path, originals)
        server.kill()
    # Another server on the same store, another opening of the same folder: nothing is held in memory.
    with running_registry(store) as server, RegistryClient(server.url) as client:
        consumed = consume(client, tmp_path)
    by_key: dict[str, list[Any]] = defaultdict(list)
    for alert in originals:
        by_key[alert.key].append(alert.value)
    assert len(consumed) == len(originals)
    assert {
        key: len({partition for partition, _ in found}) for key, found in consumed_by(consumed).items()
    } == dict.fromkeys(by_key, 1)
    for key, found in consumed_by(consumed).items():
        assert [value for _, value in found] == [Same(value) for value in by_key[key]]


def produce(client: RegistryClient, folder: Path, alerts: list[Alert]) -> None:
    with connect(f"file:{folder / 'data'}") as broker:
        broker.admin.create_topic("alerts", partitions=4)
        for alert in alerts:
            with broker.producer(value_serializer=AvroSerializer(client, alert.schema)) as producer:
                producer.send("alerts", alert.value, key=alert.key.encode())


def consume(client: RegistryClient, folder: Path) -> list[tuple[str, int, Any]]:
    with (
        connect(f"file:{folder / 'data'}") as broker,
        broker.consumer(
            "alerts", group="astronomers", value_deserializer=AvroDeserializer(client)
        ) as consumer,
    ):
        return [
            (record.key.decode(), record.partition, record.value)
            for records in iter(consumer.poll, [])
            for record in records
        ]


def consumed_by(consumed: list[tuple[str, int, Any]]) -> dict[str, list[tuple[int, Any]]]:
    by_key: dict[str, list[tuple[int, Any]]] = defaultdict(list)
    for key, partition, value in consumed:
        by_key[key].append((partition, value))
    return by_key


class Same:
    """Equal to what holds the same, where not-a-number is the same as itself."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return same(self.value, other)

    def __hash__(self) -> int:
        raise TypeError("not for sets")

    def __repr__(self) -> str:
        return repr(self.value)


def same(one: Any, other: Any) -> bool:
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float):
        return one == other or (math.isnan(one) and math.isnan(other))
    return bool(one == other)


def test_alerts_of_three_processes_read_by_a_group_of_three(client: RegistryClient, tmp_path: Path) -> None:
    client.set_config("NONE")
    url = f"file:{tmp_path / 'data'}"
    results = [tmp_path / f"result-{n}" for n in range(3)]
    count = 20_000
    with connect(url) as broker:
        broker.admin.create_topic("alerts", partitions=6)
        readers = [alerts_program("consume", url, client.urls[0], result) for result in results]
        writers: list[subprocess.Popen[bytes]] = []
        try:
            wait_for(lambda: [len(each.partitions) for each in members(broker)] == [2, 2, 2])
            writers = [alerts_program("produce", url, client.urls[0], n, 3, count) for n in range(3)]
            for writer in writers:
                assert writer.wait() == 0
            wait_for(lambda: sum(broker.admin.describe_group("astronomers").offsets.values()) == count)
            for result in results:
                Path(f"{result}.stop").touch()
            assert [reader.wait() for reader in readers] == [0, 0, 0]
        finally:
            for process in [*readers, *writers]:
                process.kill()
                process.wait()
    found = [[line.split() for line in result.read_text().splitlines()] for result in results]
    assert all(found)
    # Each came once, and was equal; no key's alerts came to two, or in another order.
    assert sorted(int(number) for lines in found for *_, number in lines) == list(range(count))
    by_key: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for reader, lines in enumerate(found):
        for _, _, key, number in lines:
            by_key[key].append((reader, int(number)))
    assert len(by_key) >= 20
    for arrived in by_key.values():
        assert arrived == sorted(arrived)
        assert len({reader for reader, _ in arrived}) == 1


def members(broker: Broker) -> tuple[GroupMember, ...]:
    return broker.admin.describe_group("astronomers").members if broker.admin.groups() else ()


def alerts_program(*arguments: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "tests.e2e.alerts", *map(str, arguments)], cwd=ROOT)
