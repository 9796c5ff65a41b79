"""Which schema a serializer writes with and a deserializer reads with; threads and asyncio alike."""

import asyncio
import json
import os
from typing import Any

import httpx2
import pytest

from serde import (
    AvroDeserializer,
    AvroSerializer,
    DeserializationError,
    Metadata,
    Reference,
    RegistryClient,
    RegistryUnreachable,
    Rule,
    RuleSet,
    SerializationError,
    SubjectNotFound,
    record_name_strategy,
    topic_record_name_strategy,
)
from serde.framing import prefix
from tests.serde.faces import Client, deserializer, of, on_both, opened, run, serializer, until
from tests.serde.servers import answer, error


def record(name: str = "shop.R", **fields: Any) -> str:
    made = [{"name": field, "type": kind} for field, kind in fields.items()]
    return json.dumps({"type": "record", "name": name, "fields": made})


def with_default(text: str, name: str, kind: Any, default: Any) -> str:
    schema = json.loads(text)
    schema["fields"].append({"name": name, "type": kind, "default": default})
    return json.dumps(schema)


FIRST = record(a="int")
SECOND = with_default(FIRST, "b", "string", "new")
HEADER = "__value_schema_id"


@on_both
def test_a_message_and_back(kind: type[Client]) -> None:
    async def scenario() -> None:
        async with opened(kind, "embedded:") as client:
            serialize, deserialize = serializer(client, FIRST), deserializer(client)
            assert await of(serialize({"a": 1}, "t")) == prefix(1) + b"\x02"
            assert await of(deserialize(prefix(1) + b"\x02", "t")) == {"a": 1}
            assert await of(serialize(None, "t")) is None
            assert await of(deserialize(None, "t")) is None
            assert (await of(serialize.schema_for("t"))).id == 1
            with pytest.raises(SerializationError, match="subject 't-value', schema 1: a: expected int"):
                await of(serialize({"a": "x"}, "t"))
            with pytest.raises(DeserializationError) as caught:
                await of(deserialize(prefix(1), "t", partition=3, offset=9))
            found = caught.value
            assert str(found).startswith("topic 't', partition 3, offset 9, schema 1: a: ")
            assert (found.data, found.topic, found.partition, found.offset) == (prefix(1), "t", 3, 9)
            with pytest.raises(DeserializationError) as caught:
                await of(deserialize(b"", "t", partition=3, offset=9))
            assert (caught.value.partition, caught.value.offset) == (3, 9)

    run(scenario())


@on_both
def test_use_latest_moves_to_a_new_version_and_waits_for_the_registry_once(kind: type[Client]) -> None:
    async def scenario() -> None:
        async with opened(kind, "embedded:") as other, opened(kind, "embedded:", latest_ttl=0.05) as client:
            await of(other.register("t-value", FIRST))
            serialize, deserialize = serializer(client, use_latest=True), deserializer(client)
            first = await of(serialize({"a": 1}, "t"))
            assert await of(deserialize(first)) == {"a": 1}
            newer = await of(other.register("t-value", SECOND))
            message = first
            async with asyncio.timeout(20):
                while message[:5] != prefix(newer.id):
                    await asyncio.sleep(0.005)
                    message = await of(serialize({"a": 1}, "t"))
            assert await of(deserialize(message)) == {"a": 1, "b": "new"}

    run(scenario())


@on_both
def test_the_newest_version_goes_on_to_be_written_while_the_registry_is_away(kind: type[Client]) -> None:
    away = False
    asked = 0

    def serve(_: httpx2.Request) -> httpx2.Response:
        nonlocal asked
        asked += 1
        if away:
            raise httpx2.ConnectError("refused")
        return answer(200, {"subject": "t-value", "version": 1, "id": 7, "schema": '"int"'})

    async def scenario() -> None:
        nonlocal away
        options = {"transport": httpx2.MockTransport(serve), "latest_ttl": 0.02, "retries": 0}
        async with opened(kind, "http://one", **options) as client:
            serialize = serializer(client, use_latest=True)
            assert await of(serialize(1, "t")) == prefix(7) + b"\x02"
            away = True
            before = asked
            await until(lambda: asked > before + 1)
            client._calls.forget_latest()  # as for an entry that nobody wanted for long
            assert await of(serialize(1, "t")) == prefix(7) + b"\x02"
            with pytest.raises(RegistryUnreachable):
                await of(serialize(1, "another"))

    run(scenario())


@on_both
def test_a_ttl_of_nothing_asks_for_each_message(kind: type[Client]) -> None:
    asked = 0

    def serve(_: httpx2.Request) -> httpx2.Response:
        nonlocal asked
        asked += 1
        return answer(200, {"subject": "t-value", "version": asked, "id": asked, "schema": '"int"'})

    async def scenario() -> None:
        transport = httpx2.MockTransport(serve)
        async with opened(kind, "http://one", transport=transport, latest_ttl=0) as client:
            serialize = serializer(client, use_latest=True)
            made = [await of(serialize(1, "t")) for _ in range(3)]
            assert [message[:5] for message in made] == [prefix(1), prefix(2), prefix(3)]

    run(scenario())


@on_both
def test_the_newest_version_with_metadata(kind: type[Client]) -> None:
    async def scenario() -> None:
        async with opened(kind, "embedded:") as client:
            major = [Metadata(properties={"major": number}) for number in "12"]
            first = await of(client.register("t-value", FIRST, metadata=major[0]))
            await of(client.register("t-value", SECOND, metadata=major[1]))
            serialize = serializer(client, latest_with_metadata={"major": "1"})
            assert await of(serialize({"a": 1}, "t")) == prefix(first.id) + b"\x02"
            absent = serializer(client, latest_with_metadata={"major": "3"})
            with pytest.raises(SerializationError, match="no schema with the metadata major=3"):
                await of(absent({"a": 1}, "t"))
            message = await of(serializer(client, use_latest=True)({"a": 1, "b": "x"}, "t"))
            reads = deserializer(client, latest_with_metadata={"major": "1"})
            assert await of(reads(message, "t")) == {"a": 1}
            reads = deserializer(client, use_latest=True)
            assert await of(reads(prefix(first.id) + b"\x02", "t")) == {"a": 1, "b": "new"}
            with pytest.raises(TypeError, match="give the topic"):
                await of(reads(message))
            with pytest.raises(SubjectNotFound):
                await of(reads(message, "unknown"))

    run(scenario())


@on_both
def test_a_reader_moves_to_a_new_version(kind: type[Client]) -> None:
    async def scenario() -> None:
        async with opened(kind, "embedded:") as other, opened(kind, "embedded:", latest_ttl=0.05) as client:
            message = await of(serializer(other, FIRST)({"a": 1}, "t"))
            deserialize = deserializer(client, use_latest=True)
            assert await of(deserialize(message, "t")) == {"a": 1}
            await of(other.register("t-value", SECOND))
            async with asyncio.timeout(20):
                while await of(deserialize(message, "t")) != {"a": 1, "b": "new"}:
                    await asyncio.sleep(0.005)
            by_record = deserializer(client, use_latest=True, subject_strategy=record_name_strategy)
            await of(other.register("shop.R", record(a="double")))
            assert await of(by_record(message, "t")) == {"a": 1.0}

    run(scenario())


@on_both
def test_a_fixed_id_and_a_fixed_guid(kind: type[Client]) -> None:
    async def scenario() -> None:
        async with opened(kind, "embedded:") as client:
            await of(client.register("one", '"string"'))
            found = await of(client.register("elsewhere", FIRST))
            for which in ({"schema_id": found.id}, {"schema_guid": found.guid}):
                for strategy in ({}, {"subject_strategy": topic_record_name_strategy}):
                    serialize = serializer(client, **which, **strategy)
                    assert await of(serialize({"a": 1}, "t")) == prefix(found.id) + b"\x02"
                assert await of(client.subjects()) == ["elsewhere", "one"]  # nothing was registered
                with pytest.raises(SerializationError, match=r"subject 't-shop\.R', schema 2: a: exp"):
                    await of(serialize({"a": "x"}, "t"))
            for which, named in (({"schema_id": 99}, "id 99"), ({"schema_guid": "0" * 32}, "0000")):
                with pytest.raises(SerializationError, match=f"has no schema {named}"):
                    await of(serializer(client, **which)(1, "t"))

    run(scenario())


@on_both
def test_the_schema_to_write_with_must_read_what_the_given_one_writes(kind: type[Client]) -> None:
    async def scenario() -> None:
        async with opened(kind, "embedded:") as client:
            latest = await of(client.register("t-value", record(a="int", c="string")))
            for which in ({"use_latest": True}, {"schema_id": latest.id}):
                refuses = serializer(client, FIRST, **which)
                with pytest.raises(SerializationError) as caught:
                    await of(refuses({"a": 1}, "t"))
                assert "the reader's shop.R needs 'c'" in str(caught.value)
                assert (caught.value.subject, caught.value.schema_id) == ("t-value", latest.id)
                lax = serializer(client, FIRST, check_compatibility=False, **which)
                assert await of(lax({"a": 1, "c": ""}, "t")) == prefix(latest.id) + b"\x02\x00"
            # What the latest one has besides is no fault: it has a default.
            wider = await of(client.register("u-value", SECOND))
            serialize = serializer(client, FIRST, use_latest=True)
            assert await of(serialize({"a": 1}, "u")) == prefix(wider.id) + b"\x02\x06new"

    run(scenario())


@on_both
def test_a_context_has_ids_of_its_own(kind: type[Client]) -> None:
    async def scenario() -> None:
        async with opened(kind, "embedded:") as client:
            for name in ("x", "y"):
                await of(client.register(name, f'"{"int" if name == "x" else "long"}"'))
            part = '{"type": "fixed", "name": "n.Part", "size": 1}'
            await of(client.register(":.eu:part", part))
            uses = [Reference("n.Part", "part", 1)]
            text = record("n.Whole", part="n.Part")
            await of(client.register(":.eu:whole", text, references=uses))
            top = record("n.Top", whole="n.Whole")
            writing = {"references": [Reference("n.Whole", "whole", 1)], "context": ".eu"}
            message = await of(serializer(client, top, **writing)({"whole": {"part": b"x"}}, "t"))
            assert message == prefix(3) + b"x"
            assert await of(client.versions(":.eu:t-value")) == [1]
            assert await of(deserializer(client, context=".eu")(message, "t")) == {"whole": {"part": b"x"}}
            with pytest.raises(DeserializationError, match="no schema with this id"):
                await of(deserializer(client)(prefix(3), "t"))

            # By topic: the same ids are other schemas.
            def by_topic(topic: str) -> str | None:
                return ".eu" if topic.startswith("eu-") else None

            schema_id_2 = deserializer(client, context=by_topic)
            assert await of(schema_id_2(prefix(2) + b"x", "eu-t")) == {"part": b"x"}
            assert await of(schema_id_2(prefix(2) + b"\x02", "us-t")) == 1
            assert await of(schema_id_2(prefix(2) + b"x", "eu-t")) == {"part": b"x"}
            fixed = serializer(client, schema_id=2, context=by_topic)
            assert await of(fixed({"part": b"x"}, "eu-t")) == prefix(2) + b"x"
            assert await of(fixed(1, "us-t")) == prefix(2) + b"\x02"
            guid = (await of(client.schema_by_id(2, subject=":.eu:"))).guid
            by_guid = serializer(client, schema_guid=guid, context=".eu")
            assert await of(by_guid({"part": b"x"}, "t")) == prefix(2) + b"x"
            with pytest.raises(SerializationError, match=rf"the context \. has no schema {guid}"):
                await of(serializer(client, schema_guid=guid)({"part": b"x"}, "t"))
            for make in (serializer, deserializer):
                with pytest.raises(ValueError, match="begins with a dot"):
                    make(client, context="eu")

    run(scenario())


@on_both
def test_an_own_strategy(kind: type[Client]) -> None:
    def strategy(topic: str, is_key: bool, record_name: str | None) -> str:
        return f"{record_name}/{topic}/{'k' if is_key else 'v'}"

    async def scenario() -> None:
        async with opened(kind, "embedded:") as client:
            for is_key in (False, True):
                serialize = serializer(client, FIRST, is_key=is_key, subject_strategy=strategy)
                await of(serialize({"a": 1}, "t"))
            assert await of(client.subjects()) == ["shop.R/t/k", "shop.R/t/v"]

    run(scenario())


@on_both
def test_a_guid_goes_into_a_header_once(kind: type[Client]) -> None:
    async def scenario() -> None:
        async with opened(kind, "embedded:") as client:
            found = await of(client.register("t-value", FIRST))
            frame = b"\x01" + bytes.fromhex(found.guid.replace("-", ""))
            serialize = serializer(client, FIRST, framing="header")
            listed: list[tuple[str, bytes]] = [("trace", b"1")]
            for _ in range(2):
                assert await of(serialize({"a": 1}, "t", listed)) == b"\x02"
                assert listed == [("trace", b"1"), (HEADER, frame)]
            doubled = [(HEADER, b"old"), ("trace", b"1"), (HEADER, b"older")]
            await of(serialize({"a": 1}, "t", doubled))
            assert doubled == [(HEADER, frame), ("trace", b"1")]
            mapped = {"trace": b"1", HEADER: b"old"}
            await of(serialize({"a": 1}, "t", mapped))
            assert mapped == {"trace": b"1", HEADER: frame}
            with pytest.raises(TypeError, match="give the message's headers"):
                await of(serialize({"a": 1}, "t"))
            empty: list[tuple[str, bytes]] = []
            with pytest.raises(SerializationError):
                await of(serialize({"a": "x"}, "t", empty))
            assert empty == []
            keys = serializer(client, FIRST, framing="header", is_key=True)
            await of(keys({"a": 1}, "t", empty))
            assert empty == [("__key_schema_id", frame)]

            # A message that is written again with a prefix: the header would be believed.
            forwarded = [*listed]
            assert await of(serializer(client, '"int"')(1, "u", forwarded)) == prefix(2) + b"\x02"
            assert forwarded == [("trace", b"1")]

    run(scenario())


@on_both
def test_a_reader_finds_out_by_itself_where_the_schema_is_named(kind: type[Client]) -> None:
    async def scenario() -> None:
        async with opened(kind, "embedded:") as client:
            found = [await of(client.register(f"{each}", each)) for each in ('"int"', '"string"', '"null"')]
            frames = [b"\x01" + bytes.fromhex(each.guid.replace("-", "")) for each in found]
            deserialize = deserializer(client)

            async def read(data: bytes, headers: Any, **options: Any) -> Any:
                return await of(deserialize(data, "t", headers, **options))

            assert await read(b"\x02", [(HEADER, frames[0])]) == 1
            assert await read(b"\x02", {HEADER: frames[0]}) == 1
            assert await read(b"\x02", ((HEADER, frames[1]), ("x", None), (HEADER, frames[0]))) == 1
            assert await read(b"\x02", [(HEADER, prefix(1))]) == 1
            assert await read(b"", [(HEADER, frames[2])]) is None
            assert await read(prefix(3), []) is None
            assert await read(prefix(1) + b"\x02", [("trace", b"1")]) == 1
            assert await read(prefix(1) + b"\x02", [(HEADER, None)]) == 1
            assert await read(prefix(1) + b"\x02", [("__key_schema_id", frames[1])]) == 1
            assert await read(frames[0] + b"\x02", None) == 1
            assert (
                await of(deserializer(client, is_key=True)(b"\x02", "t", [("__key_schema_id", frames[0])]))
                == 1
            )

            for wrong, words in (
                (b"", "an empty message"),
                (b"\x05abc", "starts with the byte 0x05"),
                (frames[0][:-1], "it is 16 bytes long, too short for the 17 of a schema GUID"),
                (frames[0] + b"\x00", "18 bytes long, more than"),
            ):
                with pytest.raises(DeserializationError) as caught:
                    await read(b"\x02", [(HEADER, wrong)], partition=1, offset=2)
                assert f"the header {HEADER}: " in str(caught.value)
                assert words in str(caught.value)
                assert (caught.value.data, caught.value.offset) == (b"\x02", 2)
            assert await read(b"\x02", [(HEADER, bytearray(frames[0]))]) == 1
            with pytest.raises(TypeError, match=f"the header {HEADER} is bytes, not str"):
                await read(b"\x02", [(HEADER, "text")])
            with pytest.raises(DeserializationError) as caught:
                await read(b"\x02", [(HEADER, b"\x01" + bytes(16))])
            assert caught.value.schema_guid == "00000000-0000-0000-0000-000000000000"
            assert "has no schema with this GUID" in str(caught.value)
            with pytest.raises(DeserializationError, match=f"schema {found[0].guid}: the message ends"):
                await read(b"", [(HEADER, frames[0])])

    run(scenario())


@on_both
def test_a_registry_without_guids_cannot_be_written_for(kind: type[Client]) -> None:
    async def scenario() -> None:
        transport = httpx2.MockTransport(lambda _: answer(200, {"id": 1, "version": 1, "schema": '"int"'}))
        async with opened(kind, "http://one", transport=transport) as client:
            with pytest.raises(SerializationError, match="the registry gives schemas no GUID"):
                await of(serializer(client, '"int"', framing="header")(1, "t", []))
        with pytest.raises(ValueError, match='framing is "prefix" or "header", not \'suffix\''):
            serializer(client, '"int"', framing="suffix")

    run(scenario())


@on_both
def test_many_that_meet_a_topic_together_ask_once(kind: type[Client]) -> None:
    asked: list[str] = []

    async def serve(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.path)
        await asyncio.sleep(0.01)
        return error(404, 40403) if request.url.path.endswith("99") else answer(200, {"schema": '"int"'})

    async def scenario() -> None:
        if kind.__name__ != "AsyncRegistryClient":
            return  # threads: tests/serde/test_threads.py
        async with opened(kind, "http://one", transport=httpx2.MockTransport(serve)) as client:
            deserialize = deserializer(client)
            assert await asyncio.gather(*(deserialize(prefix(1) + b"\x02") for _ in range(50))) == [1] * 50
            gone = await asyncio.gather(*(deserialize(prefix(99)) for _ in range(50)), return_exceptions=True)
            assert {type(each) for each in gone} == {DeserializationError}
        assert asked == ["/schemas/ids/1", "/schemas/ids/99"]

    run(scenario())


@on_both
def test_a_schema_with_rules_for_writing_is_refused_unless_they_are_to_be_ignored(kind: type[Client]) -> None:
    async def scenario() -> None:
        async with opened(kind, "embedded:") as client:
            rules = [
                Rule("encrypt", "ENCRYPT", mode="WRITEREAD", tags=("PII",)),
                Rule("off", "CEL", kind="CONDITION", mode="WRITE", expr="true", disabled=True),
                Rule("reading", "CEL", kind="CONDITION", mode="READ", expr="true"),
            ]
            found = await of(client.register("t-value", FIRST, rule_set=RuleSet(domain_rules=tuple(rules))))
            await of(client.register("u-value", FIRST, rule_set=RuleSet(domain_rules=tuple(rules[1:]))))
            for which in ({"use_latest": True}, {"schema_id": found.id}):
                with pytest.raises(SerializationError, match=r"rules for writing \(encrypt\), which are not"):
                    await of(serializer(client, **which)({"a": 1}, "t"))
                ignores = serializer(client, ignore_rules=True, **which)
                assert await of(ignores({"a": 1}, "t")) == prefix(found.id) + b"\x02"
            assert await of(serializer(client, use_latest=True)({"a": 1}, "u"))

    run(scenario())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system does not fork")
def test_a_child_process_does_not_wait_for_a_lock_of_its_parents() -> None:
    with RegistryClient("embedded:") as client:
        serialize, deserialize = AvroSerializer(client, '"int"'), AvroDeserializer(client)
        message = serialize(1, "t")
        with serialize._lock, deserialize._lock:
            child = os.fork()
            if child == 0:
                free = not serialize._lock.locked() and not deserialize._lock.locked()
                os._exit(0 if free and serialize(1, "t") == message else 1)
        assert os.waitpid(child, 0)[1] == 0
