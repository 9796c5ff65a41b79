"""Reading live registries: ours, while it is written to, and older generations' answers."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import httpx2
import pytest
from hypothesis import given, settings

from registry.errors import TransferError
from registry.http import create_app
from registry.model import SchemaReference
from registry.registry import Registry
from registry.store import MemoryStore, open_store
from registry.transfer import remote
from registry.transfer.importing import import_into
from registry.transfer.remote import read_registry
from registry.transfer.source import Source
from serde.errors import RegistryError, RegistryUnreachable
from tests.registry.histories import Request, folded, histories, played, said
from tests.registry.samples import avro, stored
from tests.support.server import free_port, running_registry


@contextmanager
def served(answer: Callable[[str, dict[str, str]], tuple[int, Any]]) -> Iterator[str]:
    """A server on this machine that answers GETs with what `answer` gives for a path and its query."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            status, value = answer(unquote(parts.path), query)
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/vnd.schemaregistry.v1+json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def ours(store: MemoryStore) -> Callable[[str, dict[str, str]], tuple[int, Any]]:
    """Our own API over a log, in this process."""
    client = create_app(Registry(store)).test_client()
    lock = threading.Lock()

    def answer(path: str, query: dict[str, str]) -> tuple[int, Any]:
        with lock:
            response = client.get(
                httpx2.URL("http://x").copy_with(path=path).raw_path.decode(), query_string=query
            )
            return response.status_code, response.get_json()

    return answer


def read_into_memory(url: str) -> tuple[MemoryStore, Source]:
    store, source = MemoryStore(), read_registry(url)
    import_into(store, source)
    return store, source


NOT_FOUND = 404, {"error_code": 404, "message": "HTTP 404 Not Found"}


@settings(max_examples=25)
@given(histories)
def test_what_a_registry_of_ours_says_is_read(requests: list[Request]) -> None:
    original = played([*requests, ("PUT", "/mode?force=true", {"mode": "READWRITE"})])
    assert isinstance(original, MemoryStore)
    with served(ours(original)) as url:
        got, _ = read_into_memory(url)
        wanted = said(folded(original))
        again = import_into(got, read_registry(url))
    found = said(folded(got))
    assert again.counts == {}
    assert found["versions"] == wanted["versions"]
    assert found["contexts"] == wanted["contexts"]
    known = {subject for subject, _ in wanted["versions"]} | {":.eu:", ":.us:", ":.__GLOBAL:"}
    reachable = {scope for scope in known if not scope.endswith(":") or scope[1:-1] in wanted["contexts"]}
    reachable.add(":.__GLOBAL:")
    for what in ("configs", "modes"):
        for scope in reachable:
            assert found[what].get(scope) == wanted[what].get(scope), (what, scope)


def test_a_running_registry_with_everything(tmp_path: Any) -> None:
    """A real server: metadata, rules, references in their order, aliases, slashes, contexts, modes."""
    rules = {
        "domainRules": [{"name": "r", "kind": "CONDITION", "mode": "WRITE", "type": "CEL", "expr": "1 < 2"}]
    }
    metadata = {"tags": {"a": ["x"]}, "properties": {"owner": "ö"}, "sensitive": ["owner"]}
    with (
        running_registry(f"sqlite:///{tmp_path}/a.db") as server,
        httpx2.Client(base_url=server.url) as client,
    ):
        for name in ("z", "a"):
            client.post(f"/subjects/{name}%2F%41é/versions", json={"schema": avro(name.upper())})
        references = [{"name": n.upper(), "subject": f"{n}/Aé", "version": 1} for n in ("z", "a")]
        body = {
            "schema": avro("Both", z="Z", a="A"),
            "references": references,
            "metadata": metadata,
            "ruleSet": rules,
        }
        for subject in ("both", ":.eu:both"):
            answer = client.post(f"/subjects/{subject}/versions", json=body)
        client.post("/subjects/:.eu:z%2F%41é/versions", json={"schema": avro("Z")})
        client.post("/subjects/:.eu:a%2F%41é/versions", json={"schema": avro("A")})
        answer = client.post("/subjects/:.eu:both/versions", json=body)
        assert answer.status_code == 200
        client.post("/subjects/empty/versions", json={"schema": '"int"', "metadata": {}, "ruleSet": {}})
        client.put("/config/nick", json={"alias": "both"})
        client.put("/config", json={"compatibility": "FULL", "normalize": True})
        client.put("/mode/:.eu:", json={"mode": "READONLY"})
        store, source = read_into_memory(server.url)
        log = open_store(f"sqlite:///{tmp_path}/a.db")
        assert said(folded(store)) == said(folded(log))
        times = [{v.key: v.time for v in _all(folded(each))} for each in (store, log)]
        assert times[0] == times[1]
        log.close()
    assert source.name == server.url
    assert source.notes == {}
    (both,) = folded(store).versions("both")
    assert both.content.references == (SchemaReference("Z", "z/Aé", 1), SchemaReference("A", "a/Aé", 1))


def _all(state: Any) -> Iterator[Any]:
    for subject, _, _ in state.subjects():
        yield from state.versions(subject, deleted=True)


# A registry that is written to


def test_versions_that_move_between_pages_are_not_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deleting what is before a page moves what follows up; what was there all along must be read."""
    monkeypatch.setattr(remote, "_PAGE", 5)
    store = MemoryStore()
    for number in range(1, 41):
        store.append(number, [stored(f"s{number:02}", 1, number)])
    api, asked = ours(store), 0

    def answer(path: str, query: dict[str, str]) -> tuple[int, Any]:
        nonlocal asked
        if path == "/schemas":
            asked += 1
            if 2 <= asked <= 4:  # what was read already goes, more than a page of it
                store.append(
                    store.head() + 1,
                    [
                        stored(f"s{n:02}", 1, n)._replace(value=None)
                        for n in range(3 * asked - 5, 3 * asked - 2)
                    ],
                )
            if asked == 6:
                store.append(store.head() + 1, [stored(f"a{n}", 1, 100 + n) for n in range(7)])
        return api(path, query)

    with served(answer) as url:
        got, _ = read_into_memory(url)
    kept = {f"s{number:02}" for number in range(10, 41)}
    assert kept <= {subject for subject, _ in said(folded(got))["versions"]}


def test_what_is_registered_meanwhile_comes_with_what_refers_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "_PAGE", 2)
    store = MemoryStore()
    store.append(1, [stored(f"m{n}", 1, n) for n in range(1, 6)])
    api, asked = ours(store), 0

    def answer(path: str, query: dict[str, str]) -> tuple[int, Any]:
        nonlocal asked
        asked += path == "/schemas"
        if asked == 3 and store.head() == 1:
            store.append(2, [stored("a", 1, 6), stored("b", 1, 7, refs=[("n", "a", 1)])])
            store.append(3, [stored("z", 1, 8, refs=[("n", "b", 1)])])
        return api(path, query)

    with served(answer) as url:
        got, _ = read_into_memory(url)
    assert said(folded(got))["versions"] == said(folded(store))["versions"]


def test_importing_while_clients_register(tmp_path: Any) -> None:
    """What was acknowledged before the import began is in it, and what it has is whole."""
    with running_registry(f"sqlite:///{tmp_path}/a.db", workers=2) as server:
        stop, before = threading.Event(), threading.Event()
        acknowledged: list[tuple[str, int, int]] = []

        def register() -> None:
            with httpx2.Client(base_url=server.url, timeout=30) as client:
                for number in range(100_000):
                    if stop.is_set():
                        return
                    subject = f"s{number % 50}"
                    path = f"/subjects/{subject}/versions?force=true"
                    got = client.post(path, json={"schema": avro(f"R{number}")}).json()
                    acknowledged.append((subject, got["version"], got["id"]))
                    if number % 9 == 0:
                        client.delete(f"/subjects/{subject}/versions/{got['version']}")
                    if number == 150:
                        before.set()

        writer = threading.Thread(target=register)
        writer.start()
        assert before.wait(120)
        known = acknowledged[:150]
        source = read_registry(server.url)
        stop.set()
        writer.join()
        got = MemoryStore()
        import_into(got, source)
        state = folded(got)
        for subject, number, schema_id in known:
            version = state.version(subject, number, deleted=True)
            assert version is not None
            assert version.id == schema_id
        import_into(got, read_registry(server.url))
        log = open_store(f"sqlite:///{tmp_path}/a.db")
        assert said(folded(got))["versions"] == said(folded(log))["versions"]
        log.close()


# Older generations, and others


VERSIONS = {
    ("s", 1): {"subject": "s", "version": 1, "id": 1, "schema": '"int"'},
    ("s", 2): {"subject": "s", "version": 2, "id": 2, "schema": '"long"'},
    ("t/ü", 4): {
        "subject": "t/ü",
        "version": 4,
        "id": 7,
        "schema": "syntax",
        "schemaType": "PROTOBUF",
        "references": [{"name": "s.proto", "subject": "s", "version": 1}],
    },
}
DELETED = {("s", 1), ("t/ü", 4)}


def older(*, pages: bool, deleted: bool = True) -> Callable[[str, dict[str, str]], tuple[int, Any]]:
    """A registry without contexts, guids, times and ``deleted`` in its answers.

    pages: whether it has GET /schemas, of which it does not know offsets. deleted: whether it knows ?deleted.
    """

    def answer(path: str, query: dict[str, str]) -> tuple[int, Any]:
        hidden = set() if query.get("deleted") == "true" and deleted else DELETED
        shown = {key: value for key, value in VERSIONS.items() if key not in hidden}
        prefix = query.get("subjectPrefix", "")
        match path.split("/")[1:]:
            case ["schemas"] if pages:
                return 200, list(shown.values()) if prefix == "" else []
            case ["subjects"]:
                return 200, sorted({subject for subject, _ in shown if subject.startswith(prefix)})
            case ["subjects", *name, "versions"]:
                numbers = [number for subject, number in shown if subject == "/".join(name)]
                return (200, numbers) if numbers else NOT_FOUND
            case ["subjects", *name, "versions", number]:
                found = shown.get(("/".join(name), int(number)))
                return (200, found) if found else NOT_FOUND
            case ["config"]:
                return 200, {"compatibilityLevel": "BACKWARD"}
            case ["config", "s"]:
                return 200, {"compatibilityLevel": "none"}
            case ["mode"]:
                return 405, {"error_code": 405, "message": "HTTP 405 Method Not Allowed"}
        return NOT_FOUND

    return answer


@pytest.mark.parametrize("pages", [True, False])
def test_an_older_generation(pages: bool) -> None:
    with served(older(pages=pages)) as url:
        store, source = read_into_memory(url)
        assert import_into(store, read_registry(url)).counts == {}
    found = said(folded(store))
    assert {key: (number, deleted) for key, (number, _, deleted) in found["versions"].items()} == {
        ("s", 1): (1, True),
        ("s", 2): (2, False),
        ("t/ü", 4): (7, True),
    }
    assert found["versions"]["t/ü", 4][1].references == (SchemaReference("s.proto", "s", 1),)
    assert {scope: str(config.compatibility_level) for scope, config in found["configs"].items()} == {
        None: "BACKWARD",
        "s": "NONE",
    }
    assert found["modes"] == {}
    assert source.notes == {}


def test_a_generation_with_pages_that_do_not_say_what_is_deleted() -> None:
    """As CP 7: contents come from the pages, and what is deleted from the lists of versions."""
    asked: list[str] = []

    def answer(path: str, query: dict[str, str]) -> tuple[int, Any]:
        asked.append(path)
        if path == "/schemas":
            return 200, list(VERSIONS.values())[int(query["offset"]) :]
        return older(pages=False)(path, {name: v for name, v in query.items() if name != "subjectPrefix"})

    with served(answer) as url:
        store, _ = read_into_memory(url)
    deleted = {key for key, (_, _, gone) in said(folded(store))["versions"].items() if gone}
    assert deleted == DELETED
    assert not [path for path in asked if path.endswith(("/versions/1", "/versions/2", "/versions/4"))]


def test_a_registry_that_hides_what_is_deleted_gives_the_rest() -> None:
    with served(older(pages=True, deleted=False)) as url:
        store, _ = read_into_memory(url)
    assert set(said(folded(store))["versions"]) == {("s", 2)}


def test_a_version_that_the_registry_does_not_give_is_noted() -> None:
    def answer(path: str, query: dict[str, str]) -> tuple[int, Any]:
        return NOT_FOUND if path == "/subjects/s/versions/1" else older(pages=False)(path, query)

    with served(answer) as url:
        source = read_registry(url)
    assert source.notes == {"version 1 of subject s left out: the registry does not give it": 1}
    assert len(source.entries) == 4


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/schemas", (200, {"no": "list"})),
        ("/schemas", (200, [{"subject": "s"}])),
        ("/subjects", (200, [1])),
        ("/subjects/s/versions/1", (200, {"subject": "s", "version": 1, "id": 1})),
        ("/subjects/s/versions/1", (200, {**VERSIONS["s", 1], "references": [{}]})),
        ("/config/s", (200, {"compatibilityLevel": "SIDEWAYS"})),
        ("/mode/s", (200, {"mode": "ASLEEP"})),
    ],
)
def test_answers_that_no_registry_gives(path: str, answer: tuple[int, Any]) -> None:
    def meddled(asked: str, query: dict[str, str]) -> tuple[int, Any]:
        return answer if asked == path else older(pages=False)(asked, query)

    with served(meddled) as url, pytest.raises(RegistryUnreachable, match="not a schema registry's"):
        read_registry(url)


def test_what_else_goes_wrong() -> None:
    denied = 401, {"error_code": 401, "message": "who?"}
    with served(lambda *_: denied) as url, pytest.raises(RegistryError, match=r"who\? \(error 401"):
        read_registry(url)
    with pytest.raises(TransferError, match="starts with http"):
        read_registry("ftp://x")
    with pytest.raises(RegistryUnreachable, match="no schema registry at"):
        read_registry(f"http://127.0.0.1:{free_port()}")
