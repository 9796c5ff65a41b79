"""Histories of a registry, made up by hypothesis: what clients may ask for, played against the HTTP API."""

from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st

from registry.http import create_app
from registry.registry import Registry
from registry.state import State
from registry.store import MemoryStore, Store
from tests.registry.samples import avro

Request = tuple[str, str, dict[str, Any] | None]
"""A method, a path with its query, and a body."""

SUBJECTS = ("a", "b/c", ":.eu:a", ":.eu:é")
SCOPES = (*SUBJECTS, ":.eu:", ":.us:", ":.__GLOBAL:", None)

_subjects = st.sampled_from(SUBJECTS)
_numbers = st.integers(1, 3)
_texts = st.sampled_from(['"int"', '"long"', '"string"', avro("R", f=("int", 0)), avro("Ü", g="string")])
_contract = st.fixed_dictionaries(
    {},
    optional={
        "metadata": st.sampled_from([{"properties": {"owner": "x"}}, {"tags": {"a.b": ["PII"]}}]),
        "ruleSet": st.sampled_from(
            [
                {
                    "domainRules": [
                        {"name": "r", "kind": "CONDITION", "mode": "WRITE", "type": "CEL", "expr": "1"}
                    ]
                }
            ]
        ),
    },
)


@st.composite
def _registering(draw: st.DrawFn) -> Request:
    body: dict[str, Any] = {"schema": draw(_texts), **draw(_contract)}
    if draw(st.booleans()):
        target = draw(st.sampled_from(("a", "b/c")))
        body["references"] = [{"name": "unused", "subject": target, "version": draw(_numbers)}]
    return "POST", f"{_subject(draw(_subjects))}/versions?force=true", body


@st.composite
def _importing(draw: st.DrawFn) -> Request:
    body = {"schema": draw(_texts), "id": draw(st.integers(1, 50)), "version": draw(st.integers(1, 9))}
    return "POST", f"{_subject(draw(_subjects))}/versions", body


@st.composite
def _deleting(draw: st.DrawFn) -> Request:
    path = _subject(draw(_subjects))
    if draw(st.booleans()):
        path += f"/versions/{draw(_numbers)}"
    return "DELETE", f"{path}?permanent={draw(st.booleans())}", None


@st.composite
def _deleting_for_good(draw: st.DrawFn) -> list[Request]:
    path = _subject(draw(_subjects))
    if draw(st.booleans()):
        path += f"/versions/{draw(_numbers)}"
    return [("DELETE", path, None), ("DELETE", f"{path}?permanent=true", None)]


@st.composite
def _setting(draw: st.DrawFn) -> Request:
    what, scope = draw(st.sampled_from(("config", "mode"))), draw(st.sampled_from(SCOPES))
    path = f"/{what}" if scope is None else f"/{what}/{quote(scope, safe='')}"
    if draw(st.integers(0, 3)) == 0:
        return "DELETE", path, None
    if what == "mode":
        mode = draw(st.sampled_from(("READWRITE", "READWRITE", "READONLY", "IMPORT")))
        return "PUT", f"{path}?force={draw(st.booleans())}", {"mode": mode}
    changes: tuple[dict[str, Any], ...] = (
        {"compatibility": "FULL"},
        {"compatibility": None, "normalize": True},
        {"alias": "elsewhere"},
        {"alias": None},
        {"defaultMetadata": {"properties": {"team": "t"}}},
    )
    return "PUT", path, draw(st.sampled_from(changes))


def _subject(subject: str) -> str:
    return f"/subjects/{quote(subject, safe='')}"


_one = st.one_of(_registering(), _registering(), _importing(), _deleting(), _setting())
histories = st.lists(st.one_of(_one.map(lambda request: [request]), _deleting_for_good()), max_size=40).map(
    lambda parts: [request for part in parts for request in part]
)
"""Requests in sequence; any may be refused."""


def played(requests: list[Request], store: Store | None = None) -> Store:
    """A log with what came of the requests."""
    store = MemoryStore() if store is None else store
    client = create_app(Registry(store)).test_client()
    for method, path, body in requests:
        answer = client.open(path, method=method, json=body)
        assert answer.status_code < 500, (method, path, body, answer.text)
    return store


def folded(store: Store) -> State:
    """What the log in `store` says."""
    state = State()
    for entry in store.read(0):
        state.apply(entry.position, entry.time, entry.records)
    return state


def said(state: State) -> dict[str, Any]:
    """What a state says, but for times and positions."""
    versions = {
        version.key: (version.id, version.content, version.deleted)
        for subject, _, _ in state.subjects()
        for version in state.versions(subject, deleted=True)
    }
    return {
        "contexts": state.contexts(),
        "versions": versions,
        "ids": set(state.ids()),
        "configs": {scope: state.config(scope) for scope in state.scopes_with_config()},
        "modes": {scope: state.mode(scope) for scope in state.scopes_with_mode(":.__GLOBAL:")},
    }
