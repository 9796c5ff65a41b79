"""Mistakes in what a user gives: an error that names the argument, before anything is sent."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from serde import (
    AsyncAvroSerializer,
    AsyncRegistryClient,
    AvroDeserializer,
    AvroSerializer,
    DeserializationError,
    InvalidSchema,
    Reference,
    RegistryClient,
    RegistryError,
    Schema,
    SchemaNotFound,
    SerializationError,
)
from serde.framing import guid_bytes, prefix
from tests.serde.servers import Scripted, answer, error

URL = "http://one"


@pytest.fixture
def silent() -> Iterator[Any]:
    """A client whose registry must not be asked."""
    scripted = Scripted(answer(200, {}))
    with scripted.client() as client:
        yield client
    assert scripted.asked == []


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"timeout": "5"}, "timeout is a number of seconds, not '5'"),
        ({"deadline": None}, "deadline is a number of seconds, not None"),
        ({"timeout": float("nan")}, "timeout is a number of seconds, not nan"),
        ({"latest_ttl": "60"}, "latest_ttl is a number of seconds, not '60'"),
        ({"missing_ttl": True}, "missing_ttl is a number of seconds, not True"),
        ({"retries": 1.5}, "retries is a whole number, not 1.5"),
        ({"cache_capacity": None}, "the capacity of a cache is a whole number, not None"),
        ({"headers": "x"}, "headers is a dict"),
        ({"headers": {"a": 1}}, "the header 'a' is text"),
        ({"auth": (1, "p")}, "a user and a password are text"),
        ({"tls": "ca.pem"}, "tls is TlsFiles"),
        ({"context": 5}, "a context's name is text"),
        ({"url": None}, "a registry URL is text, several are a list of it, not None"),
        ({"url": [5]}, "a registry URL is text"),
    ],
)
def test_a_clients_option_of_another_type(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(TypeError, match=problem):
        RegistryClient(**{"url": URL, **options})


@pytest.mark.parametrize("url", [f"{URL}?a=b", f"{URL}/api#top", "http://user:secret@one/?a=b"])
def test_a_url_has_no_query(url: str) -> None:
    with pytest.raises(ValueError, match="ends with its path") as caught:
        RegistryClient(url)
    assert "secret" not in str(caught.value)


def test_a_user_with_a_colon_could_not_be_told_from_the_password() -> None:
    with pytest.raises(ValueError, match="no colon") as caught:
        RegistryClient(URL, auth=("u:x", "secret"))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("call", "kind", "problem"),
    [
        (lambda client: client.register("s", {"type": "string"}), TypeError, "as dict: json.dumps"),
        (lambda client: client.register("s", b'"string"'), TypeError, "as bytes: decode"),
        (lambda client: client.look_up("s", Path("x.avsc")), TypeError, "Path: read_text"),
        (lambda client: client.check_compatibility("s", None), TypeError, "as NoneType"),
        (lambda client: client.register(None, '"int"'), TypeError, "a subject is text, not None"),
        (lambda client: client.latest(""), ValueError, "a subject is not empty"),
        (lambda client: client.latest("a\ud800"), ValueError, "a subject is text that UTF-8 can hold"),
        (lambda client: client.schema("s", 1.5), TypeError, "a version is text, not 1.5"),
        (lambda client: client.schema_by_id("1"), TypeError, "a schema id is a whole number, not '1'"),
        (lambda client: client.latest_with_metadata("s", ["a"]), TypeError, "properties is a dict"),
        (lambda client: client.register("s", '"int"', references=[{}]), TypeError, "a list of Reference"),
        (lambda client: client.register("s", '"int"', metadata={}), TypeError, "metadata is Metadata"),
        (lambda client: client.register("s", '"int"', rule_set={}), TypeError, "rule_set is RuleSet"),
    ],
)
def test_a_calls_argument_of_another_type(
    silent: RegistryClient, call: Callable[[Any], object], kind: type[Exception], problem: str
) -> None:
    with pytest.raises(kind, match=problem):
        call(silent)


@pytest.mark.parametrize(
    ("schema", "options", "problem"),
    [
        ({"type": "string"}, {}, "as dict: json.dumps"),
        (["null", "string"], {}, "as list: json.dumps"),
        (b'"string"', {}, "as bytes: decode"),
        (Path("x.avsc"), {}, "Path: read_text"),
        (Schema(1, '"int"'), {}, "as Schema: its `text` is that"),
        ('"int"', {"references": [{"name": "a"}]}, "references are a list of Reference"),
        ('"int"', {"references": Reference("a", "b", 1)}, "not a single one"),
        ('"int"', {"subject_strategy": "record"}, "subject_strategy is record_name_strategy, or another"),
        (None, {"latest_with_metadata": ["a"]}, "latest_with_metadata is a dict"),
        ('"int"', {"raw_logical_types": "date"}, "raw_logical_types are a list of names, not 'date'"),
    ],
)
def test_an_option_of_another_type(
    silent: RegistryClient, schema: Any, options: dict[str, Any], problem: str
) -> None:
    for kind in (AvroSerializer, AvroDeserializer):
        with pytest.raises(TypeError, match=problem):
            kind(silent, schema, **options)


def test_the_options_that_only_one_has(silent: RegistryClient) -> None:
    with pytest.raises(TypeError, match="schema_id is a whole number, not '1'"):
        AvroSerializer(silent, schema_id="1")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"to_dict is a function, to_dict\(value\), not 3"):
        AvroSerializer(silent, '"int"', to_dict=3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="from_dict is a function"):
        AvroDeserializer(silent, from_dict=3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="into is a class"):
        AvroDeserializer(silent, '"int"', into='"int"')


def test_what_is_done_with_errors_is_a_function(silent: RegistryClient) -> None:
    reads = AvroDeserializer(silent)
    for call in (reads.deserialize_many, reads.to_arrow):
        with pytest.raises(TypeError, match=r"on_error is a function, on_error\(index, error\), not 'skip'"):
            call([b"x"], on_error="skip")  # type: ignore[arg-type]


def test_a_keyword_that_there_is_not(silent: RegistryClient) -> None:
    for name, call in (
        ("RegistryClient", lambda: RegistryClient(URL, verify=False)),  # type: ignore[call-arg]
        ("AvroSerializer", lambda: AvroSerializer(silent, '"int"', autoregister=True)),  # type: ignore[call-arg]
        ("AvroDeserializer", lambda: AvroDeserializer(silent, schema='"int"')),  # type: ignore[call-arg]
    ):
        with pytest.raises(TypeError, match=rf"^{name}\.__init__\(\) got an unexpected keyword argument"):
            call()


def test_the_client_comes_first_and_is_of_the_same_kind(silent: RegistryClient) -> None:
    for given, problem in (
        ('"string"', "first argument of AvroSerializer is its RegistryClient, not str"),
        (URL, r"not str: RegistryClient\('http://one'\) is one"),
        (None, "not NoneType"),
        (AsyncRegistryClient(URL), "not AsyncRegistryClient"),
    ):
        with pytest.raises(TypeError, match=problem):
            AvroSerializer(given, silent)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="AsyncAvroSerializer is its AsyncRegistryClient, not RegistryClient"):
        AsyncAvroSerializer(silent, '"string"')  # type: ignore[arg-type]


def test_what_is_meant_by_text_that_is_no_schema(silent: RegistryClient) -> None:
    for text, hint in (
        ("schemas/order.avsc", "it seems to be a file's name: give what is in the file"),
        ("string", """the type itself is '"string"'"""),
        ('{"type": "string", "doc": "\ud800"}', "no valid Unicode: surrogates not allowed at character 27"),
    ):
        with pytest.raises(InvalidSchema) as caught:
            AvroSerializer(silent, text)
        assert hint in str(caught.value)


def test_the_value_and_the_topic_the_wrong_way_round(silent: RegistryClient) -> None:
    serialize = AvroSerializer(silent, '"string"')
    for call in (serialize, serialize.serialize_many):
        with pytest.raises(TypeError, match="the topic is a string, not dict"):
            call("orders", {"id": 7})  # type: ignore[arg-type]
    with pytest.raises(SerializationError, match="the topic is empty"):
        serialize("x", "")


@pytest.mark.parametrize("given", [None, 5, ""])
def test_a_strategy_that_gives_no_subject(silent: RegistryClient, given: Any) -> None:
    serialize = AvroSerializer(silent, '"string"', subject_strategy=lambda *_: given)
    with pytest.raises(SerializationError, match=f"subject_strategy gave {given!r}, which is no subject"):
        serialize("x", "t")


def test_headers_that_nothing_can_be_added_to() -> None:
    found = {"subject": "t-value", "id": 1, "version": 1, "schema": '"string"'}
    with Scripted(answer(200, {**found, "guid": "12345678-1234-5678-1234-567812345678"})).client() as client:
        serialize = AvroSerializer(client, '"string"', framing="header")
        for _ in range(2):
            with pytest.raises(TypeError, match="give the message's headers, a list or a dict"):
                serialize("x", "t", ())  # type: ignore[arg-type]


NO_ROUTE = error(404, 404, "HTTP 404 Not Found")


@pytest.mark.parametrize("schema_id", [1 << 31, (1 << 32) - 1])
def test_an_id_that_no_registry_counts_to_is_the_messages_fault(schema_id: int) -> None:
    # Their routes do not even know such a number for an id: a 404 without a code.
    scripted = Scripted(NO_ROUTE)
    with scripted.client() as client:
        for _ in range(3):
            with pytest.raises(DeserializationError, match="has no schema with this id") as caught:
                AvroDeserializer(client)(prefix(schema_id) + b"\x02")
            assert isinstance(caught.value.__cause__, SchemaNotFound)
    assert len(scripted.asked) == 1


def test_a_guid_in_front_of_a_value_where_the_registry_has_none_is_the_messages_fault() -> None:
    frame = guid_bytes("12345678-1234-5678-1234-567812345678")
    with Scripted(NO_ROUTE).client() as client:
        deserialize = AvroDeserializer(client)
        with pytest.raises(DeserializationError, match="knows no schema by a GUID: HTTP 404 Not Found"):
            deserialize(frame + b"\x02")
        # In a header it is what a serializer writes: then the registry is another one, or too old.
        with pytest.raises(RegistryError):
            deserialize(b"\x02", "t", [("__value_schema_id", frame)])


def test_a_404_for_everything_is_not_the_messages_fault() -> None:
    with Scripted(NO_ROUTE).client() as client, pytest.raises(RegistryError):
        AvroDeserializer(client)(prefix(1) + b"\x02")


def test_an_int_of_more_digits_than_python_writes_out(silent: RegistryClient) -> None:
    text = json.dumps({"type": "record", "name": "R", "fields": [{"name": "a", "type": "long"}]})
    found = {"subject": "t-value", "id": 1, "version": 1, "schema": text}
    with Scripted(answer(200, found)).client() as client:
        serialize = AvroSerializer(client, text)
        with pytest.raises(SerializationError, match="a: expected long, got an integer of 16610 bits"):
            serialize({"a": 10**5000}, "t")
        with pytest.raises(SerializationError, match=r"expected R, got \[an integer of 16610 bits\]"):
            serialize([10**5000], "t")
