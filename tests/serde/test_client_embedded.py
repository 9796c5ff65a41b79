"""`embedded:` URLs: the real registry in this process."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from serde import AvroDeserializer, AvroSerializer, RegistryClient, RegistryUnreachable, SubjectNotFound
from tests.serde.faces import Client, of, on_both, opened, run

INT, LONG = '"int"', '"long"'


@on_both
def test_in_memory(kind: type[Client]) -> None:
    async def scenario() -> None:
        async with opened(kind, "embedded:") as client:
            assert client.urls == ("embedded:",)
            assert await of(client.subjects()) == []
            registered = await of(client.register("a/b é", INT))
            assert (await of(client.latest("a/b é"))) == registered
            assert (await of(client.check_compatibility("a/b é", '"string"'))).messages

    run(scenario())


@on_both
def test_clients_of_one_process_share_it_for_as_long_as_one_is_open(kind: type[Client]) -> None:
    async def scenario() -> None:
        async with opened(kind, "embedded:") as one, opened(RegistryClient, "embedded:") as other:
            await of(one.register("s", INT))
            assert other.schema_by_id(1).text == INT
            one_more = RegistryClient("embedded:")
            one_more.close()
            one_more.close()
            with RegistryClient("embedded:") as late:
                assert other.subjects() == late.subjects() == ["s"]
        async with opened(kind, "embedded:") as client:
            assert await of(client.subjects()) == []

    run(scenario())


@on_both
def test_in_a_file(kind: type[Client], tmp_path: Path) -> None:
    url = f"embedded:sqlite:///{tmp_path}/schemas.db"

    async def scenario() -> None:
        async with opened(kind, url) as client:
            await of(client.register("s", INT))
        async with opened(kind, url) as client:
            assert (await of(client.latest("s"))).text == INT
            assert repr(client) == f"{kind.__name__}('{url}')"

    run(scenario())


def test_a_serializer_and_a_deserializer_by_configuration_alone() -> None:
    with RegistryClient("embedded:") as writing, RegistryClient("embedded:") as reading:
        message = AvroSerializer(writing, '"string"')("hello", "greetings")
        assert AvroDeserializer(reading)(message, "greetings") == "hello"


@on_both
def test_a_client_of_a_context(kind: type[Client]) -> None:
    async def scenario() -> None:
        async with opened(kind, "embedded:", context=".eu") as client, opened(kind, "embedded:") as other:
            await of(client.register("s", INT))
            assert await of(other.subjects()) == [":.eu:s"]  # of all contexts
            assert await of(other.subjects(prefix=":.:")) == []

    run(scenario())


@on_both
@pytest.mark.parametrize(
    "url", ["embedded:redis://me:s3cret@one", "embedded:sqlite", "embedded:x", "embedded:s.db"]
)
def test_another_store_is_refused(kind: type[Client], url: str) -> None:
    with pytest.raises(
        ValueError, match=r"give embedded: \(in memory\), embedded:sqlite:///relative"
    ) as caught:
        kind(url)
    assert "s3cret" not in str(caught.value)


@on_both
def test_a_file_that_cannot_be_opened(kind: type[Client], tmp_path: Path) -> None:
    url = f"embedded:sqlite:///{tmp_path}/none/schemas.db"
    with pytest.raises(RegistryUnreachable, match="there is no folder") as caught:
        kind(url)
    assert caught.value.urls == (url,)


def test_it_is_the_only_url() -> None:
    with pytest.raises(ValueError, match="the only URL of a client"):
        RegistryClient("embedded:,http://one")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_after_a_fork_the_child_opens_the_file_itself(tmp_path: Path) -> None:
    program = """
import json, os, sys
from serde import RegistryClient

with RegistryClient(sys.argv[1]) as client, RegistryClient("embedded:") as memory:
    client.register("s", '"int"')
    memory.register("s", '"int"')
    child = os.fork()
    if child == 0:
        code = 1
        try:
            assert client.subjects() == ["s"] and memory.subjects() == []
            client.register("child", '"int"')
            client.close()
            code = 0
        finally:
            os._exit(code)
    end = os.waitpid(child, 0)[1]
    print(json.dumps([end, client.subjects(), memory.subjects()]))
"""
    command = [sys.executable, "-c", program, f"embedded:sqlite:///{tmp_path}/schemas.db"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [0, ["child", "s"], ["s"]]


def test_nothing_of_it_is_imported_before_it_is_opened() -> None:
    program = (
        "import sys, serde; from serde import RegistryClient;"
        "RegistryClient('http://one').close(); before = 'registry' in sys.modules;"
        "RegistryClient('embedded:').close(); print(before, 'registry' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False True\n"


def test_what_is_gone_is_not_kept() -> None:
    with RegistryClient("embedded:") as client:
        client.register("s", INT)
    with RegistryClient("embedded:") as client, pytest.raises(SubjectNotFound):
        client.latest("s")
