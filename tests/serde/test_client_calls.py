"""Every call of both clients, against a real server: the two have one core, and must not differ."""

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from serde import (
    AsyncRegistryClient,
    Compatibility,
    ContextId,
    Incompatible,
    Metadata,
    NotFound,
    Reference,
    Refused,
    RegistryClient,
    RegistryError,
    Rule,
    RuleSet,
    SchemaNotFound,
    SubjectNotFound,
    SubjectVersion,
    VersionNotFound,
)
from tests.serde.faces import Client, of, on_both, opened, run
from tests.serde.servers import Scripted, answer
from tests.support.server import running_registry

INT, LONG, STRING = '"int"', '"long"', '"string"'
LINE = '{"type":"record","name":"Line","namespace":"shop","fields":[{"name":"sku","type":"string"}]}'
BASKET = '{"type":"record","name":"Basket","namespace":"shop","fields":[{"name":"line","type":"shop.Line"}]}'


@pytest.fixture(scope="module")
def shared_url() -> Iterator[str]:
    """A server for all tests of this file; each uses a context of its own."""
    with running_registry("memory:") as server:
        yield server.url


@pytest.fixture
def url(shared_url: str, request: pytest.FixtureRequest) -> str:
    """A registry of the test's own: a context."""
    name = "".join(letter for letter in request.node.name if letter.isalnum())
    return f"{shared_url}/contexts/.{name}"


def test_both_clients_have_the_same_calls() -> None:
    ways = {"close", "aclose", "__enter__", "__exit__", "__aenter__", "__aexit__"}

    def face(kind: type) -> dict[str, str]:
        found = inspect.getmembers(kind, inspect.isfunction)
        return {name: str(inspect.signature(call)) for name, call in found if name not in ways}

    blocking = face(RegistryClient)
    assert blocking == face(AsyncRegistryClient)
    assert len(blocking) > 25
    assert blocking["schema_by_id"].endswith("-> serde.model.Schema")
    assert inspect.getdoc(RegistryClient.latest) == inspect.getdoc(AsyncRegistryClient.latest)
    assert RegistryClient.latest.__qualname__ == "RegistryClient.latest"


@on_both
def test_registering_and_finding(kind: type[Client], url: str) -> None:
    async def scenario() -> None:
        async with opened(kind, url) as client, opened(kind, url) as other:
            one = await of(client.register("s", INT))
            two = await of(client.register("s", LONG))
            assert (one.version, two.version) == (1, 2)
            assert await of(other.schema("s", 1)) == await of(other.schema("s", 1))
            assert (await of(other.schema("s", 1))).id == one.id
            assert (await of(other.schema("s"))).version == 2
            assert (await of(other.latest("s"))).text == LONG
            assert (await of(other.look_up("s", INT))).version == 1
            by_id = await of(other.schema_by_id(two.id))
            by_guid = await of(other.schema_by_guid(two.guid))
            assert (by_id.text, by_id.guid, by_guid.text) == (LONG, two.guid, LONG)
            assert two.id in [found.id for found in await of(other.ids_by_guid(two.guid))]
            assert [v.version for v in await of(other.versions_by_id(one.id))] == [1]
            assert await of(other.versions("s")) == [1, 2]
            assert [(v.version, v.id) for v in await of(other.schemas())] == [(1, one.id), (2, two.id)]
            assert [v.version for v in await of(other.schemas(latest_only=True))] == [2]
            assert await of(other.schemas(prefix="no")) == []
            assert len(await of(other.subjects())) == 1
            assert "AVRO" in await of(other.schema_types())

    run(scenario())


@on_both
def test_what_is_not_there(kind: type[Client], url: str) -> None:
    async def scenario() -> None:
        async with opened(kind, url) as client:
            await of(client.register("s", INT))
            cases: list[tuple[Callable[[], Any], type[RegistryError]]] = [
                (lambda: client.latest("none"), SubjectNotFound),
                (lambda: client.latest_with_metadata("none", {"a": "b"}), SubjectNotFound),
                (lambda: client.latest_with_metadata("s", {"a": "b"}), SchemaNotFound),
                (lambda: client.schema("none", 1), SubjectNotFound),
                (lambda: client.schema("s", 2), VersionNotFound),
                (lambda: client.schema_by_id(99), SchemaNotFound),
                (lambda: client.schema_by_guid("00000000-0000-0000-0000-000000000000"), SchemaNotFound),
                (lambda: client.versions_by_id(99), SchemaNotFound),
                (lambda: client.look_up("s", LONG), SchemaNotFound),
                (lambda: client.look_up("none", INT), SubjectNotFound),
                (lambda: client.versions("none"), SubjectNotFound),
                (lambda: client.referenced_by("s", 7), VersionNotFound),
                (lambda: client.delete_subject("none"), SubjectNotFound),
                (lambda: client.config("s"), NotFound),
                (lambda: client.mode("s"), NotFound),
                (lambda: client.register("s", '"nothing"'), Refused),
                (lambda: client.set_config("SOMEHOW"), Refused),
                (lambda: client.set_mode("SOMEHOW"), Refused),
                (lambda: client.schema("s", 0), Refused),
            ]
            for call, error in cases:
                with pytest.raises(error) as caught:
                    await of(call())
                assert type(caught.value) is error
                assert not caught.value.is_transient

    run(scenario())


@on_both
def test_metadata_and_rules(kind: type[Client], url: str) -> None:
    rules = RuleSet(
        domain_rules=(Rule("positive", "CEL", kind="CONDITION", mode="WRITE", expr="message > 0", doc="why"),)
    )

    async def scenario() -> None:
        async with opened(kind, url) as client, opened(kind, url) as other:
            await of(client.register("s", INT, metadata=Metadata({"stage": "prod"})))
            with_rules = await of(
                client.register("s", LONG, metadata=Metadata({"stage": "test"}), rule_set=rules)
            )
            assert with_rules.rule_set == rules
            assert with_rules.metadata == Metadata({"stage": "test"})
            found = await of(other.latest_with_metadata("s", {"stage": "prod"}))
            assert (found.version, found.metadata) == (1, Metadata({"stage": "prod"}))
            assert (await of(other.latest_with_metadata("s", {"stage": "test"}))).version == 2
            assert (await of(other.latest_with_metadata("s", {}))).version == 2
            assert (await of(other.schema_by_id(with_rules.id))).rule_set == rules
            assert hash(found) != hash(with_rules)

    run(scenario())


@on_both
def test_normalizing(kind: type[Client], url: str) -> None:
    spellings = [
        '{"type":"record","name":"R","fields":[],"b":1,"a":2}',
        '{"type":"record","name":"R","fields":[],"a":2,"b":1}',
    ]

    async def scenario() -> None:
        async with opened(kind, url) as client:
            found = [await of(client.register("s", text, normalize=True)) for text in spellings]
            assert found[0] == found[1]
            assert (await of(client.look_up("s", spellings[0], normalize=True))).version == 1

    run(scenario())


@on_both
def test_references(kind: type[Client], url: str) -> None:
    async def scenario() -> None:
        async with opened(kind, url) as client:
            await of(client.register("line", LINE))
            reference = Reference("shop.Line", "line", 1)
            basket = await of(client.register("basket", BASKET, references=[reference]))
            assert basket.references == (reference,)
            assert await of(client.referenced_by("line", 1)) == [basket.id]
            assert await of(client.referenced_texts([reference])) == (LINE,)
            with pytest.raises(Refused) as caught:
                await of(client.delete_subject("line"))
            assert caught.value.error_code == 42206

    run(scenario())


@on_both
def test_checking_says_why_not(kind: type[Client], url: str) -> None:
    async def scenario() -> None:
        async with opened(kind, url) as client:
            await of(client.register("s", INT))
            assert await of(client.check_compatibility("s", LONG)) == Compatibility(True)
            verdict = await of(client.check_compatibility("s", STRING))
            assert not verdict.is_compatible
            assert "reader type: STRING not compatible with writer type: INT" in verdict.messages[0]
            assert not (await of(client.check_compatibility("s", STRING, version=1))).is_compatible
            with pytest.raises(Incompatible) as caught:
                await of(client.register("s", STRING))
            assert caught.value.error_code == 409

    run(scenario())


@on_both
def test_deleting(kind: type[Client], url: str) -> None:
    async def scenario() -> None:
        async with opened(kind, url) as client:
            one = await of(client.register("s", INT))
            await of(client.register("s", LONG))
            assert (await of(client.latest("s"))).version == 2
            assert await of(client.delete_version("s", "latest")) == 2
            assert (await of(client.latest("s"))).version == 1
            assert await of(client.versions("s", deleted=True)) == [1, 2]
            assert (await of(client.schema("s", 2, deleted=True))).text == LONG
            assert await of(client.delete_version("s", 2, permanent=True)) == 2
            assert await of(client.delete_subject("s")) == [1]
            assert (await of(client.look_up("s", INT, deleted=True))).id == one.id
            with pytest.raises(NotFound) as caught:
                await of(client.delete_subject("s"))
            assert caught.value.error_code == 40404
            assert await of(client.delete_subject("s", permanent=True)) == [1]
            assert await of(client.subjects(deleted=True)) == []

    run(scenario())


@on_both
def test_config_and_mode(kind: type[Client], url: str) -> None:
    async def scenario() -> None:
        async with opened(kind, url) as client:
            assert (await of(client.set_config("FULL", "s"))).compatibility == "FULL"
            assert (await of(client.config("s"))).compatibility == "FULL"
            changed = await of(client.set_config(subject="s", properties={"normalize": True}))
            assert changed.properties["normalize"] is True
            found = await of(client.config("s"))
            assert (found.compatibility, found.properties["normalize"]) == ("FULL", True)
            assert (await of(client.delete_config("s"))).compatibility == "FULL"
            assert (await of(client.config("s", default_to_global=True))).compatibility == "BACKWARD"
            assert (await of(client.set_config("NONE"))).compatibility == "NONE"
            assert (await of(client.config())).compatibility == "NONE"

            assert await of(client.set_mode("READONLY", "s")) == "READONLY"
            assert await of(client.mode("s")) == "READONLY"
            with pytest.raises(Refused) as caught:
                await of(client.register("s", INT))
            assert caught.value.error_code == 42205
            assert await of(client.delete_mode("s")) == "READONLY"
            assert await of(client.mode("s", default_to_global=True)) == "READWRITE"
            await of(client.register("s", INT))
            with pytest.raises(Refused):
                await of(client.set_mode("IMPORT"))
            assert await of(client.set_mode("IMPORT", force=True)) == "IMPORT"
            assert await of(client.delete_mode(recursive=True)) == "IMPORT"

    run(scenario())


@on_both
def test_a_client_of_a_context(kind: type[Client], shared_url: str) -> None:
    context = f".only{kind.__name__}"

    async def scenario() -> None:
        async with (
            opened(kind, shared_url, context=context) as inside,
            opened(kind, shared_url) as outside,
        ):
            await of(outside.register(f"out{kind.__name__}", STRING))
            found = await of(inside.register("s", INT))
            assert found.id == 1
            assert await of(inside.subjects()) == [f":{context}:s"]
            assert (await of(inside.schema_by_id(1))).text == INT
            assert (await of(inside.latest("s"))).id == 1
            assert context in await of(inside.contexts())
            qualified = await of(outside.latest(f":{context}:s"))
            assert (qualified.subject, qualified.id) == (f":{context}:s", 1)
            assert (await of(outside.schema_by_id(1, subject=f":{context}:"))).text == INT
            assert ContextId(context, 1) in await of(outside.ids_by_guid(found.guid))
            assert await of(outside.versions_by_id(1, subject=f":{context}:")) == [
                SubjectVersion(f":{context}:s", 1)
            ]
            await of(inside.delete_subject("s"))
            await of(inside.delete_subject("s", permanent=True))
            await of(outside.delete_context(context))
            assert context not in await of(outside.contexts())

    run(scenario())


@on_both
def test_an_id_of_another_context_is_not_taken_for_one_of_its_own(
    kind: type[Client], shared_url: str
) -> None:
    context = f".other{kind.__name__}"

    async def scenario() -> None:
        async with opened(kind, shared_url) as client:
            mine = await of(client.register(f"mine{kind.__name__}", f'{{"type":"int","mine":"{context}"}}'))
            others = [
                await of(client.register(f":{context}:s{n}", f'{{"type":"int","n":{n}}}'))
                for n in range(mine.id)
            ]
            assert others[-1].id == mine.id
            assert (await of(client.schema_by_id(mine.id))).text == mine.text

    run(scenario())


@pytest.mark.parametrize("context", ["eu", "", ":eu:", ".a:b"])
def test_a_context_that_is_none_is_refused(context: str) -> None:
    with pytest.raises(ValueError, match=r"begins with a dot, as in \.eu"):
        RegistryClient("http://one", context=context)


def test_a_call_with_wrong_arguments_says_which() -> None:
    with RegistryClient("http://one") as client, pytest.raises(TypeError, match="'subjct'"):
        client.register(subjct="s", text=INT)  # type: ignore[call-arg]


def test_a_listing_of_many_pages_is_whole() -> None:
    whole = [{"subject": f"s{n}", "version": 1, "id": 1, "schema": INT} for n in range(2500)]

    def page(request: httpx2.Request) -> httpx2.Response:
        offset, limit = (int(request.url.params[name]) for name in ("offset", "limit"))
        return answer(200, whole[offset : offset + limit])

    server = Scripted(page)
    with server.client() as client:
        assert [found.subject for found in client.schemas()] == [found["subject"] for found in whole]
    assert len(server.requests) == 3
    # An old registry, which knows no pages.
    with Scripted(answer(200, whole)).client() as client:
        assert len(client.schemas()) == 2500
