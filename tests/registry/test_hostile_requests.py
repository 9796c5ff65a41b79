"""Over ten thousand requests that nobody sends by accident: each answer is one that is described."""

import json
import re
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import Schema

from registry.http import create_app
from registry.http.bodies import CONFIG, MODE, RETAG, SCHEMA
from registry.registry import Registry
from registry.store import MemoryStore
from tests.registry.conforming import OPERATIONS, ConformingClient
from tests.registry.samples import INT_GUID, avro

# The registry is not made anew for each example: routes take long to build, and what came before may matter.
fuzzed = settings(max_examples=1000)
half = settings(max_examples=500)


@pytest.fixture(scope="module")
def hostile() -> ConformingClient:
    """A registry in which some of the requests find something."""
    client = ConformingClient(create_app(Registry(MemoryStore())))
    populate(client)
    return client


def populate(client: ConformingClient) -> None:
    """Have something there, if it is not."""
    line = {"name": "shop.Line", "subject": "a", "version": 1}
    for subject, body in (
        ("a", {"schema": avro("shop.Line", id="long"), "metadata": {"properties": {"owner": "a"}}}),
        ("a", {"schema": avro("shop.Line", id="long", note=("string", ""))}),
        ("a/b", {"schema": avro("shop.Order", line="shop.Line"), "references": [line]}),
        (":.c:a", {"schema": '"int"'}),
    ):
        client.post(f"/subjects/{subject}/versions?force=true", json=body)


def attempt(client: ConformingClient, method: str, path: str, **more: Any) -> None:
    response = client.open(path, method=method, **more)
    assert response.status_code < 500, response.text
    if response.status_code >= 400 and method != "HEAD" and "Content-Encoding" not in response.headers:
        assert set(response.get_json()) == {"error_code", "message"}
    assert client.faults == []


NAMES = ("a", "A", "shop.Line", "R", "x.y.Z", "", ".", "a..b", "é", "a\0", "\U0001f600", "int", "record", "1")
PRIMITIVES = ("null", "boolean", "int", "long", "float", "double", "bytes", "string")
WORDS = (
    "READWRITE",
    "IMPORT",
    "backward",
    "NONE",
    "AVRO",
    "JSON",
    "TRANSFORM",
    "WRITE",
    "CEL",
    "sr_field",
    *NAMES,
)

texts = st.one_of(st.sampled_from(WORDS), st.text(max_size=20))
numbers = st.one_of(
    st.integers(-3, 3),
    st.integers(),
    st.floats(allow_nan=False),
    st.sampled_from([2**31 - 1, 2**31, -(2**31), 2**63, 10**400, 1e308, -0.0]),
)
scalars = st.one_of(st.none(), st.booleans(), numbers, texts)
anything = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=10,
)


def mostly(usual: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """What is usual, and one time in thirty anything at all."""
    return st.integers(0, 29).flatmap(lambda chance: usual if chance else anything)


def objects(
    required: dict[str, st.SearchStrategy[Any]], **more: st.SearchStrategy[Any]
) -> st.SearchStrategy[dict[str, Any]]:
    """Objects of these keys and `more`, with values that need not be what they should."""
    fields = {key: mostly(value) for key, value in required.items()}
    return st.fixed_dictionaries(fields, optional={key: mostly(value) for key, value in more.items()})


names = st.sampled_from(NAMES)


def _schemas_of(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    field = objects({"name": names, "type": inner}, default=anything, aliases=st.lists(names), order=texts)
    fields = st.lists(field, max_size=4)
    return st.one_of(
        objects({"type": st.just("record"), "name": names, "fields": fields}, namespace=names),
        objects({"type": st.just("array"), "items": inner}),
        objects({"type": st.just("map"), "values": inner}),
        objects({"type": st.just("enum"), "name": names, "symbols": st.lists(names)}, default=names),
        objects(
            {"type": st.just("fixed"), "name": names, "size": numbers}, logicalType=texts, precision=numbers
        ),
        st.lists(inner, max_size=4),
        objects({"type": inner}, logicalType=st.sampled_from(["decimal", "uuid", "date"]), scale=numbers),
    )


schemas = st.recursive(st.sampled_from([*PRIMITIVES, *NAMES]), _schemas_of, max_leaves=12)
subjects = st.sampled_from(["a", ":.c:a", "", "a/b"])
tags = st.dictionaries(texts, st.lists(texts, max_size=3), max_size=3)
tagged = st.lists(
    objects({"schemaEntity": objects({"entityPath": names, "entityType": texts}), "tags": st.lists(texts)}),
    max_size=2,
)
properties = st.dictionaries(texts, texts, max_size=3)
metadata = objects({}, properties=properties, tags=tags, sensitive=st.lists(texts, max_size=3))
rules = st.lists(
    objects({"name": names, "type": texts}, kind=texts, mode=texts, params=properties), max_size=3
)
rule_sets = objects({}, domainRules=rules, migrationRules=rules, encodingRules=rules, enableAt=texts)
flags = st.one_of(st.none(), st.booleans())
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "schema": st.one_of(schemas.map(json.dumps), schemas.map(json.dumps), st.text(max_size=30)),
    "schemaType": st.sampled_from(["AVRO", "avro", "JSON", "PROTOBUF", "", None]),
    "references": st.lists(
        objects({"name": names, "subject": subjects, "version": st.integers(-2, 3)}), max_size=3
    ),
    "version": st.integers(-2, 9),
    "newVersion": st.integers(-2, 9),
    "id": st.integers(-2, 9),
    "mode": texts,
    "rulesToRemove": st.lists(names),
    "compatibility": texts,
    "compatibilityLevel": texts,
    "compatibilityGroup": texts,
    "compatibilityPolicy": st.sampled_from(["STRICT", "LENIENT", "LOGICAL", "x"]),
    "alias": subjects,
    "aliasForDeks": texts,
}


def _values_of(key: str) -> st.SearchStrategy[Any]:
    if key in VALUES:
        return VALUES[key]
    if "etadata" in key:
        return metadata
    if "ule" in key and "Tags" not in key and key != "validateRules":
        return rule_sets
    return tagged if "ToAdd" in key or "ToRemove" in key else flags


def bodies(schema: Schema) -> st.SearchStrategy[bytes]:
    """Bodies as JSON, some of them cut, or with bytes that do not belong there."""
    keys = [field.data_key or name for name, field in schema.fields.items()]
    return damaged(objects({}, **{key: _values_of(key) for key in keys}))


@st.composite
def damaged(draw: st.DrawFn, values: st.SearchStrategy[Any]) -> bytes:
    """`values` as JSON; one in five cut, or with bytes that do not belong there."""
    raw = json.dumps(draw(values), ensure_ascii=draw(st.booleans())).encode(errors="surrogatepass")
    how, place = draw(st.integers(0, 14)), draw(st.integers(0, len(raw)))
    if how == 0:
        return raw[:place]
    if how in {1, 2}:
        return raw[:place] + draw(st.binary(min_size=1, max_size=4)) + raw[place + how :]
    return raw


@fuzzed
@given(body=bodies(SCHEMA), query=st.sampled_from(["", "?normalize=true", "?deleted=true&verbose=true"]))
def test_bodies_with_schemas(hostile: ConformingClient, body: bytes, query: str) -> None:
    for path in (
        "/subjects/a/versions",
        "/subjects/a",
        "/compatibility/subjects/a/versions",
        "/compatibility/subjects/a/versions/1",
        "/subjects/:.c:new/versions",
    ):
        attempt(hostile, "POST", path + query, data=body, content_type="application/json")


@half
@given(retag=bodies(RETAG), config=bodies(CONFIG), mode=bodies(MODE))
def test_other_bodies(hostile: ConformingClient, retag: bytes, config: bytes, mode: bytes) -> None:
    attempt(hostile, "POST", "/subjects/a/versions/1/tags", data=retag)
    attempt(hostile, "PUT", "/config", data=config)
    attempt(hostile, "PUT", "/config/c", data=config)
    for scope in ("/mode", "/mode/m"):
        attempt(hostile, "PUT", scope, data=mode)
        attempt(hostile, "DELETE", scope)


segments = st.one_of(
    st.sampled_from(
        [":.c:", ":.:a", ":*:", ":.__GLOBAL:", "__GLOBAL", "new", "0", "2147483648", ".", "..", "%zz"]
    ),
    st.sampled_from(["", "9" * 5000, "x" * 5000]),
    st.text(max_size=8),
    st.binary(max_size=8).map(lambda raw: raw.decode("latin-1")),
)
FITTING = {
    "subject": ("a", "a/b", ":.c:a", "c", "m"),
    "version": ("latest", "-1", "1", "2"),
    "id": ("1", "2", "3"),
    "guid": (INT_GUID,),
    "context": (".c", ".empty"),
    "resource": ("-/a",),
}
routes = st.sampled_from(
    [*[route.split(" ")[1] for route in OPERATIONS], "/{subject}/{subject}", "/{subject}"]
)


@st.composite
def paths(draw: st.DrawFn) -> str:
    """A path with a route or nearly so, of this context or another, and in it anything."""
    path = re.sub(
        r"{(\w+)}",
        lambda part: draw(st.one_of(*[st.sampled_from(FITTING[part[1]])] * 3, segments)),
        draw(routes),
    )
    return (
        draw(st.sampled_from([*[""] * 5, "/contexts/.c", "/contexts/.", f"/contexts/{draw(segments)}"]))
        + path
    )


queries = st.dictionaries(
    st.sampled_from(sorted({query.name for operation in OPERATIONS.values() for query in operation.query})),
    st.one_of(
        st.sampled_from(["true", "TRUE", "1", "-1", "9" * 50, "", "*", "resolved", "qualified"]), segments
    ),
    max_size=2,
).map(lambda query: "&".join(f"{name}={quote(value, safe='%')}" for name, value in query.items()))

headers = st.dictionaries(
    st.sampled_from(
        ["Accept", "Accept-Encoding", "Content-Type", "If-None-Match", "X-Request-ID", "Host", "Cookie"]
    ),
    st.one_of(
        st.sampled_from(
            ["application/json", "*/*", "*/*;q=0", "text/html", "a/b;q=nan", ";;,,=", 'x/y;a="', "gzip"]
        ),
        st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=20),
    ),
    max_size=1,
)


def test_paths_queries_and_headers(hostile: ConformingClient) -> None:
    @half
    @given(path=paths(), query=queries, extra=headers)
    def each(path: str, query: str, extra: dict[str, str]) -> None:
        # As a server gives it to WSGI: percent-decoded, and every byte a character.
        environ = {"PATH_INFO": path.encode(errors="replace").decode("latin-1"), "QUERY_STRING": query}
        populate(hostile)
        for method in ("GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "DELETE"):
            attempt(hostile, method, "/", headers=extra, environ_overrides=environ)

    hostile.seen.clear()
    each()
    succeeded = {name for name, _, code in hostile.seen if code is None}
    assert len(succeeded) > 20, "too odd to get anywhere"
