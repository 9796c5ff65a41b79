"""Faults that other serializers and clients are known for, each absent here.

Those of confluent-kafka-python up to 2.16, python-schema-registry-client, dataclasses-avroschema, and of
their issue trackers. What concerns rules and encryption is not here: nothing carries them out.
"""

import asyncio
import copy
import http.server
import inspect
import json
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from typing import Any

import httpx2
import pytest

import serde.codec
import serde.reading
import serde.writing
from serde import (
    AvroDeserializer,
    AvroSerializer,
    DeserializationError,
    Reference,
    RegistryBusy,
    RegistryClient,
    RegistryUnreachable,
    SchemaNotFound,
    SerializationError,
    SubjectNotFound,
)
from serde.codec import codec_in_use
from serde.framing import header_name, prefix, read_frame
from serde.testing import registry
from tests.serde.servers import Scripted, answer, error

HEADER = header_name(is_key=False)
INT_RECORD = '{"type": "record", "name": "R", "fields": [{"name": "a", "type": "int"}]}'
EMPTY = '{"type": "record", "name": "Empty", "fields": []}'


@pytest.fixture
def client() -> Iterator[RegistryClient]:
    with registry() as made:
        yield made


def record(*fields: tuple[str, Any], **defaults: Any) -> str:
    made = [{"name": name, "type": kind} for name, kind in fields]
    for field in made:
        if field["name"] in defaults:
            field["default"] = defaults[field["name"]]
    return json.dumps({"type": "record", "name": "R", "fields": made})


# confluent-kafka-python


def test_a_short_body_behind_a_header_is_read(client: RegistryClient) -> None:
    """In header framing it refuses a payload of up to five bytes: an int can be written, never read."""
    serialize, deserialize = AvroSerializer(client, '"int"', framing="header"), AvroDeserializer(client)
    headers: list[tuple[str, bytes]] = []
    assert serialize(1, "t", headers) == b"\x02"
    assert deserialize(b"\x02", "t", headers) == 1
    assert AvroSerializer(client, EMPTY, framing="header")({}, "u", headers) == b""
    assert deserialize(b"", "u", headers) == {}


def test_a_message_of_five_bytes_is_read(client: RegistryClient) -> None:
    """It writes an empty record, and a null, and refuses to read them."""
    for topic, text, value in (("a", EMPTY, {}), ("b", record(("n", "null")), {"n": None})):
        message = AvroSerializer(client, text)(value, topic)
        assert message is not None
        assert len(message) == 5
        assert AvroDeserializer(client)(message) == value


def test_a_topic_has_its_own_id_however_others_are_interleaved() -> None:
    """One serializer for topics A, B, A with other ids stamped B's id on the third message."""
    ids = {"a-value": 3, "b-value": 4}

    def register(request: httpx2.Request) -> httpx2.Response:
        subject = request.url.path.split("/")[2]
        return answer(200, {"id": ids[subject], "version": 1, "schema": '"int"'})

    with Scripted(register).client() as client:
        serialize = AvroSerializer(client, '"int"')
        made = [serialize(1, topic) for topic in "aba"]
    assert [message and message[:5] for message in made] == [prefix(3), prefix(4), prefix(3)]


def test_threads_with_use_latest_never_take_anothers_id() -> None:
    """Up to 2.15, of 10,000 messages of threads with two subjects 261 had the wrong id (issue 2120)."""

    def latest(request: httpx2.Request) -> httpx2.Response:
        subject = request.url.path.split("/")[2]
        number = int(subject.removesuffix("-value"))
        return answer(200, {"id": number, "version": 1, "subject": subject, "schema": '"int"'})

    with Scripted(latest).client() as client, ThreadPoolExecutor(8) as pool:
        serialize = AvroSerializer(client, use_latest=True)

        def work(number: int) -> set[Any]:
            topic = str(number % 2 + 1)
            return {read_frame((serialize(1, topic) or b"")[:5]) == int(topic) for _ in range(500)}

        assert set().union(*pool.map(work, range(8))) == {True}


def test_a_header_is_replaced_and_the_last_one_counts(client: RegistryClient) -> None:
    """It appends a header at each call, so a retried produce has two; it reads the first, Java the last."""
    serialize, deserialize = AvroSerializer(client, '"int"', framing="header"), AvroDeserializer(client)
    headers: list[tuple[str, bytes]] = []
    for _ in range(2):
        serialize(1, "t", headers)
    assert len(headers) == 1
    stale = (HEADER, b"\x01" + bytes(16))
    assert deserialize(b"\x02", "t", [stale, *headers]) == 1
    with pytest.raises(DeserializationError):
        deserialize(b"\x02", "t", [*headers, stale])


def test_bytes_left_over_are_an_error(client: RegistryClient) -> None:
    """Bytes after the Avro body are ignored."""
    message = AvroSerializer(client, INT_RECORD)({"a": 1}, "t")
    assert message is not None
    with pytest.raises(DeserializationError, match="3 bytes are left after the value"):
        AvroDeserializer(client)(message + b"abc")


def test_a_truncated_message_is_one_error_wherever_it_ends(client: RegistryClient) -> None:
    """EOFError here, IndexError there."""
    text = record(("s", "string"), ("d", "double"), ("l", {"type": "array", "items": "long"}), ("i", "int"))
    message = AvroSerializer(client, text)({"s": "text", "d": 1.5, "l": [1 << 40] * 3, "i": 1 << 20}, "t")
    assert message is not None
    deserialize = AvroDeserializer(client)
    for size in range(len(message)):
        with pytest.raises(DeserializationError) as caught:
            deserialize(message[:size], "t")
        assert caught.value.data == message[:size]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("boolean", "false"),
        ("int", 1 << 40),
        ("float", 1e300),
        ("int", 1.5),
        ("long", 1 << 63),
        ("string", 5),
        ("double", "1"),
        ("bytes", "text"),
    ],
)
def test_nothing_is_coerced(client: RegistryClient, kind: str, value: Any) -> None:
    """ "false" is written as true, 2^40 as an int, 1e300 as infinity, 1.5 as 1; 2^63 is an OverflowError."""
    for strict in (True, False):
        with pytest.raises(SerializationError) as caught:
            AvroSerializer(client, record(("a", kind)), strict=strict)({"a": value}, "t")
        assert caught.value.path == "a"


def test_misspelt_and_missing_fields_are_errors(client: RegistryClient) -> None:
    """Unknown fields are dropped, and a missing nullable one without a default becomes null."""
    serialize = AvroSerializer(client, record(("name", "string"), ("note", ["null", "string"])))
    with pytest.raises(SerializationError, match=r"R has no field 'nmae' \(did you mean 'name'"):
        serialize({"name": "x", "nmae": "y", "note": None}, "t")
    with pytest.raises(SerializationError, match="note: missing"):
        serialize({"name": "x"}, "t")


def test_a_readers_defaults_are_converted_and_fresh(client: RegistryClient) -> None:
    """Defaults come back unconverted (bytes as str, a date as int), and a list is the same for all messages.

    Decimal defaults were wrong in Java's registry too (issues 833, 695, 1430).
    """
    fields = [
        ("a", "int"),
        ("raw", "bytes"),
        ("day", {"type": "int", "logicalType": "date"}),
        ("sum", {"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}),
        ("tags", {"type": "array", "items": "string"}),
    ]
    reader = record(*fields, raw="\u00ff", day=1, sum="\u0004\u00d2", tags=["new"])
    message = AvroSerializer(client, INT_RECORD)({"a": 1}, "t")
    deserialize = AvroDeserializer(client, reader)
    expected = {"a": 1, "raw": b"\xff", "day": date(1970, 1, 2), "sum": Decimal("12.34"), "tags": ["new"]}
    first = deserialize(message)
    assert first == expected
    first["tags"].append("changed")
    assert deserialize(message) == expected


def test_an_unknown_id_is_asked_for_once() -> None:
    """One request a message: a poison message hammers the registry."""
    server = Scripted(error(404, 40403, "Schema 9 not found"))
    with server.client() as client:
        for _ in range(5):
            with pytest.raises(DeserializationError) as caught:
                AvroDeserializer(client)(prefix(9) + b"\x02")
            assert isinstance(caught.value.__cause__, SchemaNotFound)
    assert len(server.requests) == 1


def test_the_newest_version_is_asked_for_again_after_a_minute_by_default() -> None:
    """Without a setting it is kept for ever. That it moves on is in test_serializers."""
    assert inspect.signature(RegistryClient).parameters["latest_ttl"].default == 60


def test_a_version_that_this_client_registered_is_written_at_once(client: RegistryClient) -> None:
    """The latest version stayed the old one after a new one was registered (schema-registry issue 4021)."""
    client.register("t-value", INT_RECORD)
    serialize, reads = AvroSerializer(client, use_latest=True), AvroDeserializer(client, use_latest=True)
    message = serialize({"a": 1}, "t")
    assert message is not None
    assert reads(message, "t") == {"a": 1}
    newer = client.register("t-value", record(("a", "int"), ("b", "int"), b=7))
    after = serialize({"a": 1}, "t")
    assert after is not None
    assert after[:5] == prefix(newer.id)
    assert reads(message, "t") == {"a": 1, "b": 7}


def test_waiting_ends_by_default() -> None:
    """Its timeout is none (issues 905, 1682)."""
    parameters = inspect.signature(RegistryClient).parameters
    assert (parameters["timeout"].default, parameters["deadline"].default) == (5, 30)


def test_a_dead_url_is_not_asked_first_for_ever() -> None:
    """It begins with the first URL at each request, and spends all attempts on it before the next."""

    def serve(request: httpx2.Request) -> httpx2.Response:
        if request.url.host == "one":
            raise httpx2.ConnectError("refused")
        return answer(200, {"id": 1, "version": 1, "schema": '"int"'})

    server = Scripted(serve)
    with server.client("http://one,http://two") as client:
        serialize = AvroSerializer(client, '"int"')
        for topic in "abc":
            serialize(1, topic)
    assert Counter(request.url.host for request in server.requests) == {"one": 1, "two": 3}


def test_the_caches_have_an_end() -> None:
    """Those by id and guid are unbounded."""
    server = Scripted(lambda _: answer(200, {"schema": '"int"'}))
    with server.client(cache_capacity=10) as client:
        for number in range(50):
            client.schema_by_id(number)
        assert len(client._calls._schemas) == 10
        client.schema_by_id(0)
        assert len(server.requests) == 51


def test_the_tables_of_a_serializer_have_an_end(
    client: RegistryClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serde.writing, "TABLE_SIZE", 10)
    serialize = AvroSerializer(client, '"int"')
    for number in range(50):
        assert serialize(1, f"t{number}") == prefix(1) + b"\x02"
    assert len(serialize._encode) <= 10
    assert len(serialize._entries) <= 10


def test_what_was_deleted_for_good_is_not_remembered(client: RegistryClient) -> None:
    """A permanent delete leaves the schema in the cache (issue 1950), and the latest version too."""
    found = client.register("t-value", INT_RECORD)
    assert client.latest("t-value") == client.schema("t-value")
    client.delete_subject("t-value")
    with pytest.raises(SubjectNotFound):
        client.latest("t-value")
    client.delete_subject("t-value", permanent=True)
    with pytest.raises(SchemaNotFound):
        client.schema_by_id(found.id)


def test_the_callers_record_is_left_as_it_is(client: RegistryClient) -> None:
    """Transforms change the caller's dict in place: encryption overwrites the plain text."""
    inner = {"type": "record", "name": "I", "fields": [{"name": "n", "type": "int", "default": 5}]}
    text = record(("i", inner), ("l", {"type": "array", "items": "I"}), ("x", ["null", "int"]), x=None)
    value: dict[str, Any] = {"i": {}, "l": [{"n": 1}, {}]}
    before = copy.deepcopy(value)
    AvroSerializer(client, text)(value, "t")
    assert value == before


@pytest.mark.parametrize("answered", [error(503, 503), error(500, 50001), httpx2.ReadError("reset")])
def test_a_fault_of_the_registry_is_not_the_messages(answered: Any) -> None:
    """It came out as an error of the message, and consumption went on behind it (issue 1334)."""
    with (
        Scripted(answered).client(retries=0) as client,
        pytest.raises(serde.SerdeError) as caught,
    ):
        AvroDeserializer(client)(prefix(1) + b"\x02", "t")
    assert not isinstance(caught.value, DeserializationError)
    assert caught.value.is_transient  # type: ignore[attr-defined]
    with Scripted(answered, answer(200, {"schema": '"int"'})).client(retries=1) as client:
        if not isinstance(answered, httpx2.Response) or answered.status_code == 503:
            assert AvroDeserializer(client)(prefix(1) + b"\x02", "t") == 1


def test_a_schema_is_parsed_once(client: RegistryClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once a message, in several versions (issues 193, 518, 626), and in dataclasses-avroschema."""
    parsed: Counter[str] = Counter()

    def counting(text: str, *args: Any, **options: Any) -> Any:
        parsed[text] += 1
        return real(text, *args, **options)

    real = serde.codec.parse_schema
    monkeypatch.setattr(serde.writing, "parse_schema", counting)
    monkeypatch.setattr(serde.reading, "parse_schema", counting)
    serialize, deserialize = AvroSerializer(client, '"int"'), AvroDeserializer(client, '"long"')
    for number in range(20):
        assert deserialize(serialize(number, f"t{number % 3}"), "t") == number
    assert set(parsed.values()) == {1, 2}  # the reader's text, and the writer's for writing and for reading
    assert sum(parsed.values()) == 3


def test_which_codec_is_in_use_can_be_seen() -> None:
    """fastavro's slow half was in use, and nothing said so (issue 616)."""
    assert codec_in_use() in {"native", "pure"}


def test_a_cache_is_safe_for_threads() -> None:
    """cachetools' are not (issue 2178)."""
    server = Scripted(lambda _: answer(200, {"schema": '"int"'}))
    with server.client(cache_capacity=5) as client, ThreadPoolExecutor(8) as pool:

        def work(start: int) -> None:
            for number in range(start, start + 200):
                assert client.schema_by_id(number % 20).text == '"int"'

        list(pool.map(work, range(8)))


def test_a_diamond_of_references(client: RegistryClient) -> None:
    """A schema referred to on two ways was defined twice (issues 2238, 2254)."""

    def named(name: str, *fields: tuple[str, str]) -> str:
        made = [{"name": field, "type": kind} for field, kind in fields]
        return json.dumps({"type": "record", "name": f"n.{name}", "fields": made})

    client.register("base", named("Base", ("v", "int")))
    base = Reference("n.Base", "base", 1)
    for side in ("Left", "Right"):
        client.register(side, named(side, ("b", "n.Base")), references=[base])
    uses = [Reference("n.Left", "Left", 1), Reference("n.Right", "Right", 1), base]
    top = named("Top", ("left", "n.Left"), ("right", "n.Right"), ("base", "n.Base"))
    value = {"left": {"b": {"v": 1}}, "right": {"b": {"v": 2}}, "base": {"v": 3}}
    message = AvroSerializer(client, top, references=uses)(value, "t")
    assert (
        AvroDeserializer(client)(message) == AvroDeserializer(client, top, references=uses)(message) == value
    )


# python-schema-registry-client


def test_a_readers_schema_is_text_and_may_have_references(client: RegistryClient) -> None:
    """Its own AvroSchema as the reader's is a TypeError, and there are no references."""
    client.register("part", '{"type": "fixed", "name": "n.Part", "size": 1}')
    text = record(("part", "n.Part"))
    uses = [Reference("n.Part", "part", 1)]
    message = AvroSerializer(client, text, references=uses)({"part": b"x"}, "t")
    assert AvroDeserializer(client, text, references=uses)(message) == {"part": b"x"}


def test_requests_share_a_connection() -> None:
    """It makes an HTTP client, and a TLS context, for each request."""
    connections: list[object] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            connections.append(self)
            super().setup()

        def do_GET(self) -> None:
            body = b'{"schema": "\\"int\\""}'
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            with RegistryClient(f"http://127.0.0.1:{server.server_port}") as client:
                deserialize = AvroDeserializer(client)
                assert [deserialize(prefix(n) + b"\x02") for n in range(5)] == [1] * 5
        finally:
            server.shutdown()
            thread.join()
    assert len(connections) == 1


def test_a_known_schema_is_not_looked_up_by_its_text(client: RegistryClient) -> None:
    """It renders the whole schema as text to find the id, at each message."""
    serialize = AvroSerializer(client, INT_RECORD)
    message = serialize({"a": 1}, "t")
    client.close()  # what would ask, or look into the client's cache, fails
    assert serialize({"a": 1}, "t") == message


# dataclasses-avroschema


def test_a_union_takes_the_record_that_fits_not_the_first(client: RegistryClient) -> None:
    """The first class that can be made of the value is taken (issue 584)."""
    branches = [
        {"type": "record", "name": "A", "fields": [{"name": "x", "type": "int"}]},
        {
            "type": "record",
            "name": "B",
            "fields": [{"name": "x", "type": "int"}, {"name": "y", "type": "int", "default": 0}],
        },
    ]
    for strict in (True, False):
        serialize = AvroSerializer(client, record(("u", branches)), strict=strict)
        deserialize = AvroDeserializer(client, named_records=True)
        for value, name in (({"x": 1}, "A"), ({"x": 1, "y": 2}, "B")):
            assert deserialize(serialize({"u": value}, "t")) == {"u": (name, value)}


# Of this kind: what an async client must not be


def test_a_cached_message_waits_for_nothing() -> None:
    """Its async serializer awaits at each message; ours runs to its end in one step once a topic is known."""

    async def scenario() -> None:
        async with serde.AsyncRegistryClient("embedded:") as client:
            serialize, deserialize = (
                serde.AsyncAvroSerializer(client, '"int"'),
                serde.AsyncAvroDeserializer(client),
            )
            message = await serialize(1, "t")
            assert await deserialize(message) == 1
            for coroutine, expected in ((serialize(1, "t"), message), (deserialize(message), 1)):
                with pytest.raises(StopIteration) as ended:
                    coroutine.send(None)
                assert ended.value.value == expected

    asyncio.run(scenario())


def test_a_registry_that_is_busy_says_so() -> None:
    with Scripted(error(429, 429)).client(retries=0) as client, pytest.raises(RegistryBusy):
        AvroSerializer(client, '"int"')(1, "t")
    with (
        Scripted(httpx2.ConnectError("x")).client(retries=0) as client,
        pytest.raises(RegistryUnreachable),
    ):
        AvroSerializer(client, '"int"')(1, "t")
