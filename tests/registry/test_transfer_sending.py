"""Imports into a running registry over HTTP."""

from typing import Any

import httpx2
import pytest

from registry.errors import TransferError
from registry.store import MemoryStore, open_store
from registry.transfer.remote import read_registry
from registry.transfer.sending import import_over_http
from registry.transfer.source import Source
from tests.registry.histories import Request, folded, played, said
from tests.registry.samples import avro, gone, stored
from tests.registry.test_transfer_import import dump, exported, source_of
from tests.support.server import RunningRegistry, running_registry

REFERENCE = {"name": "A", "subject": "a", "version": 1}
LIFE: list[Request] = [
    ("PUT", "/config", {"compatibility": "FULL", "normalize": False}),
    ("POST", "/subjects/a/versions", {"schema": avro("A", x="int")}),
    ("POST", "/subjects/z/versions", {"schema": avro("Z", a="A"), "references": [REFERENCE]}),
    ("PUT", "/config/a", {"compatibility": "NONE"}),
    (
        "POST",
        "/subjects/a/versions",
        {"schema": avro("A", y="string"), "metadata": {"properties": {"o": "me"}}},
    ),
    ("POST", "/subjects/b%2Fc/versions", {"schema": '"int"'}),
    ("POST", "/subjects/:.eu:e/versions", {"schema": '"int"'}),
    ("DELETE", "/subjects/b%2Fc", None),
    ("POST", "/subjects/x/versions", {"schema": avro("X")}),
    ("POST", "/subjects/y/versions", {"schema": '"long"', "references": [{**REFERENCE, "subject": "x"}]}),
    ("DELETE", "/subjects/y", None),
    ("DELETE", "/subjects/x", None),
    ("PUT", "/config/nick", {"alias": "a"}),
    ("PUT", "/mode/a", {"mode": "READONLY"}),
]


def a_source(requests: list[Request] = LIFE) -> Source:
    return source_of(exported(played(requests).read(0)), canonical=True)


def state_of(server: RunningRegistry, folder: Any) -> dict[str, Any]:
    store = open_store(f"sqlite:///{folder}/target.db")
    state = said(folded(store))
    store.close()
    return state


def test_a_running_registry_gets_it_all(tmp_path: Any) -> None:
    source = a_source()
    with running_registry(f"sqlite:///{tmp_path}/target.db") as server:
        done = import_over_http(server.url, source)
        assert state_of(server, tmp_path) == said(source.state)
        assert done.counts == {"versions": 7, "soft-deleted versions": 3, "configs": 3, "modes": 1}
        assert done.position is None
        again = import_over_http(server.url, source)
        assert (again.counts, again.notes) == ({}, {})
        # And what is new:
        more = a_source(
            [
                *LIFE,
                ("DELETE", "/config/nick", None),
                ("DELETE", "/mode/a", None),
                ("DELETE", "/subjects/z", None),
                ("PUT", "/config/a", {"compatibility": None, "alias": "q"}),
                ("PUT", "/config/a", {"alias": None, "validateFields": True}),
                ("DELETE", "/subjects/b%2Fc?permanent=true", None),
            ]
        )
        more.contents = {}
        import_over_http(server.url, more)
        got, wanted = state_of(server, tmp_path), said(more.state)
        assert got == wanted
        with httpx2.Client(base_url=server.url) as client:
            assert client.get("/subjects?deleted=true").json() == [":.eu:e", "a", "x", "y", "z"]


def test_ids_are_not_mixed_at_a_running_registry(tmp_path: Any) -> None:
    with running_registry() as server, httpx2.Client(base_url=server.url) as client:
        client.post("/subjects/own/versions", json={"schema": '"bytes"'})
        before = client.get("/schemas").json()
        with pytest.raises(
            TransferError, match=r"id 1 in context \. is version 1 of a at the source and version 1 of own"
        ):
            import_over_http(server.url, a_source())
        assert client.get("/schemas").json() == before
        assert client.get("/mode/a").status_code == 404


def test_what_cannot_be_done_over_http_is_noted() -> None:
    brought_back = dump(stored("s", 1, 1, '"int"'))
    with running_registry() as server, httpx2.Client(base_url=server.url) as client:
        client.post("/subjects/s/versions", json={"schema": '"int"'})
        client.delete("/subjects/s")
        context = {"keytype": "CONTEXT", "tenant": "default", "context": ".eu", "magic": 0}
        text = brought_back + dump(stored("t", 1, 9), gone("t", 1), (context, {"context": ".eu"}))
        done = import_over_http(server.url, source_of(text, canonical=True))
        assert done.counts == {}
        assert sorted(done.notes) == [
            "context .eu left out: it has no subject",
            "id 9 of a schema deleted for good left out: it may be given out again",
            "version 1 of subject s left as it is: over HTTP it cannot be brought back, or replaced",
        ]


def test_what_the_target_refuses_is_said_and_the_import_goes_on_later() -> None:
    text = dump(stored("fine", 1, 1, '"int"'), stored("s", 1, 2, "no schema"))
    mended = dump(stored("fine", 1, 1, '"int"'), stored("s", 1, 2, '"long"'))
    with running_registry() as server:
        with pytest.raises(TransferError, match=r"Invalid schema.*What was imported before stays"):
            import_over_http(server.url, source_of(text, canonical=True))
        assert httpx2.get(f"{server.url}/mode/fine").status_code == 404  # no subject is left in IMPORT mode
        done = import_over_http(server.url, source_of(mended, canonical=True))
        assert done.counts == {"versions": 1}
        store = read_registry(server.url)
        assert {key: v[0] for key, v in said(store.state)["versions"].items()} == {
            ("fine", 1): 1,
            ("s", 1): 2,
        }
        assert said(store.state)["modes"] == {}


def test_from_one_running_registry_to_another(tmp_path: Any) -> None:
    with (
        running_registry(f"sqlite:///{tmp_path}/source.db") as one,
        running_registry(f"sqlite:///{tmp_path}/target.db") as other,
    ):
        source = open_store(f"sqlite:///{tmp_path}/source.db")
        source.extend(list(played(LIFE, MemoryStore()).read(0)))
        import_over_http(other.url, read_registry(one.url, canonical=True))
        assert state_of(other, tmp_path) == said(folded(source))
        source.close()
