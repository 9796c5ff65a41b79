"""Schemas and bodies that are large, deep or twisted, sent to a real server: each gets an answer, and no 500.

A hang would be a timeout of the client's.
"""

import gzip
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from registry.http import create_app
from registry.registry import Registry
from registry.store import MemoryStore
from tests.registry.conforming import ConformingClient
from tests.registry.hostile import besieged_registry
from tests.registry.samples import error, stored

INT = b'{"schema":"\\"int\\""}'


@pytest.fixture(scope="module")
def server() -> Iterator[httpx2.Client]:
    with (
        besieged_registry(max_references=200) as running,
        httpx2.Client(base_url=running.url, timeout=120) as client,
    ):
        yield client


def record(name: str, *types: Any, **more: Any) -> dict[str, Any]:
    fields = [{"name": f"f{place}", "type": kind} for place, kind in enumerate(types)]
    return {"type": "record", "name": name, "fields": fields, **more}


def nested(depth: int, begin: str, inner: str, end: str) -> str:
    return begin * depth + inner + end * depth


def with_default(text: str, kind: str = '{"type":"array","items":"int"}') -> str:
    return f'{{"type":"record","name":"R","fields":[{{"name":"f","type":{kind},"default":{text}}}]}}'


FIXED = [{"type": "fixed", "name": f"F{number}", "size": 1} for number in range(20_000)]

REFUSED: dict[str, Callable[[], str]] = {
    "arrays, 1,000 deep": lambda: nested(1000, '{"type":"array","items":', '"int"', "}"),
    "arrays, 30,000 deep": lambda: nested(30_000, '{"type":"array","items":', '"int"', "}"),
    "maps, 20,000 deep": lambda: nested(20_000, '{"type":"map","values":', '"int"', "}"),
    "records, 9,000 deep": lambda: nested(
        9000, '{"type":"record","name":"R","fields":[{"name":"f","type":', '"int"', "}]}"
    ),
    "brackets": lambda: "[" * 500_000,
    "brackets and their ends": lambda: nested(100_000, "[", "", "]"),
    "objects, 100,000 deep": lambda: nested(100_000, '{"a":', "1", "}"),
    "an attribute, 40,000 deep": lambda: (
        '{"type":"fixed","name":"F","size":1,"p":' + nested(40_000, '{"a":', "1", "}") + "}"
    ),
    "a default value, 50,000 deep": lambda: with_default(nested(50_000, "[", "", "]")),
    "one type 50,000 times in a union": lambda: json.dumps(["int"] * 50_000),
    "one field 20,000 times": lambda: json.dumps(
        {**record("R"), "fields": [{"name": "f", "type": "int"}] * 20_000}
    ),
    "one key 50,000 times": lambda: '{"type":"fixed",' + '"name":"F",' * 50_000 + '"size":-1}',
    "a size of 4,000 digits": lambda: '{"type":"fixed","name":"F","size":' + "9" * 4000 + "}",
    "a size of 900,000 digits": lambda: '{"type":"fixed","name":"F","size":' + "9" * 900_000 + "}",
    "a default value of 100,000 digits": lambda: with_default("9" * 100_000, '"int"'),
    "an attribute of 500,000 digits": lambda: (
        '{"type":"fixed","name":"F","size":1,"p":' + "1" * 500_000 + "}"
    ),
    "no number": lambda: with_default("NaN", '"double"'),
    "10 MB of doc": lambda: json.dumps(record("R", doc="x" * 10_000_000)),
    "half a character": lambda: '{"type":"record","name":"R","fields":[],"doc":"\\ud800"}',
    "a NUL": lambda: '"in\0t"',
    "a NUL in a name": lambda: json.dumps({"type": "fixed", "name": "F\0", "size": 1}),
    "nothing": lambda: " " * 900_000,
}

TAKEN: dict[str, Callable[[], str]] = {
    "20,000 types in a union": lambda: json.dumps(FIXED),
    "60 unions of 200 types": lambda: json.dumps(
        record("R", *[["null", *FIXED[place * 200 : place * 200 + 200]] for place in range(60)])
    ),
    "90,000 symbols": lambda: json.dumps(
        {"type": "enum", "name": "E", "symbols": [f"s{number}" for number in range(90_000)]}
    ),
    "15,000 fields": lambda: json.dumps(record("R", *["int"] * 15_000)),
    "60,000 aliases": lambda: json.dumps(record("R", aliases=[f"a{number}" for number in range(60_000)])),
    "a name of 900,000 characters": lambda: json.dumps({"type": "fixed", "name": "n" * 900_000, "size": 1}),
    "a name of 400,000 parts": lambda: json.dumps({"type": "fixed", "name": "a." * 400_000 + "b", "size": 1}),
    "a record of itself": lambda: json.dumps(record("R", ["null", "R"], {"type": "array", "items": "R"})),
    "two records of each other": lambda: json.dumps(
        record(
            "A", {"type": "array", "items": record("B", ["null", "A"], {"type": "map", "values": ["A", "B"]})}
        )
    ),
    "each record with all before it": lambda: json.dumps(
        [record(f"R{n}", *[f"R{before}" for before in range(max(0, n - 40), n)]) for n in range(300)]
    ),
    "a record of itself alone, which has no value": lambda: json.dumps(record("R", "R")),
    "an infinite default": lambda: with_default("1e999", '"double"'),
    "an escaped NUL in a doc": lambda: json.dumps(record("R", doc="a\0b")),
}


@pytest.mark.parametrize("name", REFUSED)
def test_schemas_that_are_refused(server: httpx2.Client, name: str) -> None:
    body = {"schema": REFUSED[name]()}
    for path in (
        "/subjects/r/versions",
        "/subjects/r/versions?normalize=true",
        "/compatibility/subjects/r/versions",
    ):
        answer = server.post(path, json=body)
        assert answer.status_code == 422, answer.text[:500]
        assert answer.json()["error_code"] in {42201, 42209}
        assert len(answer.content) < 10_000
    assert server.get("/subjects/r/versions").status_code == 404


@pytest.mark.parametrize("name", TAKEN)
def test_schemas_that_are_odd_but_schemas(server: httpx2.Client, name: str) -> None:
    subject = f"taken-{list(TAKEN).index(name)}"
    body = {"schema": TAKEN[name]()}
    registered = server.post(f"/subjects/{subject}/versions", json=body)
    assert registered.status_code == 200, registered.text[:500]
    again = server.post(f"/subjects/{subject}/versions", json={"schema": registered.json()["schema"]})
    assert again.json()["id"] == registered.json()["id"]
    for path in (
        f"/subjects/{subject}",
        f"/compatibility/subjects/{subject}/versions?verbose=true&normalize=true",
    ):
        assert server.post(path, json=body).status_code == 200
    for path in ("latest", "latest?format=resolved&findTags=*", "latest/schema"):
        assert server.get(f"/subjects/{subject}/versions/{path}").status_code == 200


BODIES: dict[str, Callable[[], bytes]] = {
    "10 MB of text": lambda: b'{"schema":"' + b"x" * 10_000_000 + b'"}',
    "20 MB of text": lambda: b'{"schema":"' + b"x" * 20_000_000 + b'"}',
    "10 MB of key": lambda: b'{"' + b"k" * 10_000_000 + b'":1}',
    "brackets": lambda: b'{"schema":' + b"[" * 5_000_000,
    "brackets and their ends": lambda: b'{"x":' + b"[" * 3_000_000 + b"]" * 3_000_000 + b"}",
    "references, 50,000 deep": lambda: b'{"references":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "20,000 references to nothing": lambda: json.dumps(
        {"schema": '"int"', "references": refer(*(f"n{number}" for number in range(20_000)))}
    ).encode(),
    "one reference 20,000 times": lambda: json.dumps(
        {"schema": '"int"', "references": refer("n") * 20_000}
    ).encode(),
    "20,000 rules without a name": lambda: json.dumps(
        {"schema": '"int"', "ruleSet": {"domainRules": [{"name": 1}] * 20_000}}
    ).encode(),
    "20,000 tags for nothing": lambda: json.dumps(
        {
            "schema": '"int"',
            "schemaTagsToAdd": [
                {"schemaEntity": {"entityPath": "a", "entityType": "sr_field"}, "tags": ["x"]},
            ]
            * 20_000,
        }
    ).encode(),
    "an id of 5,000 digits": lambda: b'{"schema":"\\"int\\"","id":' + b"9" * 5000 + b"}",
    "an infinite id": lambda: b'{"schema":"\\"int\\"","id":1e400}',
    "bytes that are no UTF-8": lambda: b'{"schema":"\xff\xfe"}',
    "UTF-16": lambda: INT.decode().encode("utf-16"),
    "NULs": lambda: b"\0" * 1_000_000,
    "gzip": lambda: gzip.compress(INT),
    "a gzip bomb": lambda: gzip.compress(b" " * 100_000_000),
}


@pytest.mark.parametrize("name", BODIES)
def test_bodies_that_are_refused(server: httpx2.Client, name: str) -> None:
    headers = {"Content-Type": "application/json"} | ({"Content-Encoding": "gzip"} if "gzip" in name else {})
    for path in ("/subjects/b/versions", "/subjects/b", "/compatibility/subjects/b/versions"):
        answer = server.post(path, content=BODIES[name](), headers=headers)
        assert answer.status_code in {400, 404, 413, 422}, answer.text[:500]
        assert set(answer.json()) == {"error_code", "message"}
        assert len(answer.content) < 20_000


def test_large_contracts(server: httpx2.Client) -> None:
    """As large as a body may be; they are no schema, so the limit of those is not theirs."""
    rules = [{"name": f"r{n}", "type": "CEL", "kind": "CONDITION", "mode": "WRITE"} for n in range(20_000)]
    properties = {f"p{n}": "v" for n in range(100_000)}
    contract = {"metadata": {"properties": properties}, "ruleSet": {"domainRules": rules}}
    registered = server.post("/subjects/contract/versions", json={"schema": '"int"', **contract}).json()
    assert len(registered["ruleSet"]["domainRules"]) == 20_000
    config = {"overrideMetadata": contract["metadata"], "defaultRuleSet": contract["ruleSet"]}
    assert server.put("/config/contract", json=config).status_code == 200


def towers(depth: int, leaf: str) -> list[Any]:
    """Records of which each has the one before it twice: 2 ** depth ways to the leaf."""
    return [record("r0", leaf), *[record(f"r{n}", f"r{n - 1}", f"r{n - 1}") for n in range(1, depth)]]


def product(count: int, name: str) -> dict[str, Any]:
    """Records that all hold all others."""
    inner = [
        record(f"{name}{n}", ["null", "P"], {"type": "array", "items": ["P", "null"]}) for n in range(count)
    ]
    return record("P", {"type": "array", "items": ["null", *inner]})


def branching(depth: int, leaf: str) -> Any:
    kind: Any = leaf
    for _ in range(depth):
        kind = ["null", {"type": "array", "items": kind}, {"type": "map", "values": kind}]
    return kind


PAIRS: dict[str, Callable[[], tuple[Any, Any]]] = {
    "2 ** 500 ways to one leaf": lambda: (towers(500, "int"), towers(500, "string")),
    "unions of 10,000 types": lambda: (FIXED[:10_000], [{**fixed, "size": 2} for fixed in FIXED[:10_000]]),
    "unions of 2,000 records": lambda: (
        [record(f"R{n}", "int") for n in range(2000)],
        [record(f"S{n}", "int") for n in range(2000)],
    ),
    "records of one short name": lambda: (
        [record("R", "int", namespace=f"n{n}") for n in range(600)],
        [record("R", "string", namespace=f"m{n}") for n in range(600)],
    ),
    "records that all hold all others": lambda: (product(300, "A"), product(300, "B")),
    "unions in unions": lambda: (branching(11, "int"), branching(11, "string")),
    "12,000 other fields": lambda: (
        record("R", *["int"] * 12_000),
        {**record("R"), "fields": [{"name": f"g{n}", "type": "int"} for n in range(12_000)]},
    ),
    "60,000 other symbols": lambda: (
        {"type": "enum", "name": "E", "symbols": [f"s{n}" for n in range(60_000)]},
        {"type": "enum", "name": "E", "symbols": [f"t{n}" for n in range(60_000)]},
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_comparing(server: httpx2.Client, name: str) -> None:
    subject = f"pair-{list(PAIRS).index(name)}"
    old, new = PAIRS[name]()
    assert server.put(f"/config/{subject}", json={"compatibility": "FULL_TRANSITIVE"}).status_code == 200
    registered = server.post(f"/subjects/{subject}/versions", json={"schema": json.dumps(old)})
    assert registered.status_code == 200, registered.text[:500]
    checked = server.post(
        f"/compatibility/subjects/{subject}/versions?verbose=true", json={"schema": json.dumps(new)}
    )
    assert checked.status_code == 200
    assert not checked.json()["is_compatible"]
    refused = server.post(f"/subjects/{subject}/versions", json={"schema": json.dumps(new)})
    assert refused.status_code in {409, 422}


def refer(*names: str) -> list[dict[str, Any]]:
    return [{"name": name, "subject": name, "version": 1} for name in names]


def test_a_long_chain_of_references(server: httpx2.Client) -> None:
    """Refused where it is longer than the setting allows, and never a recursion too deep."""
    before: list[str] = []
    for number in range(300):
        schema = json.dumps(record(f"chain{number}", *before))
        answer = server.post(
            f"/subjects/chain{number}/versions", json={"schema": schema, "references": refer(*before)}
        )
        if answer.status_code != 200:
            break
        before = [f"chain{number}"]
    assert (answer.status_code, answer.json()["error_code"]) == (422, 42201)
    assert "FIVEBYTE_MAX_REFERENCES" in answer.json()["message"]
    assert number > 200
    for query in ("", "?format=resolved"):
        assert server.get(f"/subjects/{before[0]}/versions/1{query}").status_code in {200, 422}


def test_diamonds_of_references(server: httpx2.Client) -> None:
    """Each refers to both below it: 2 ** 60 ways down, and 120 schemas."""
    below: list[str] = []
    for layer in range(60):
        names = [f"d{layer}l", f"d{layer}r"]
        for name in names:
            body = {"schema": json.dumps(record(name, *below)), "references": refer(*below)}
            answer = server.post(f"/subjects/{name}/versions", json=body)
            assert answer.status_code == 200, answer.text[:500]
        below = names
    resolved = server.get(f"/subjects/{below[0]}/versions/1?format=resolved")
    assert resolved.status_code in {200, 422}
    assert len(resolved.content) < 100_000
    assert server.post("/compatibility/subjects/d59l/versions", json=body).status_code == 200


def test_a_log_whose_schemas_refer_to_each_other_in_a_circle() -> None:
    """None can be registered so; a log from elsewhere could hold it."""
    store = MemoryStore()
    text = json.dumps(record("A", "B"))
    store.append(1, [stored("a", 1, 1, text, refs=[("B", "b", 1)])])
    store.append(2, [stored("b", 1, 2, json.dumps(record("B", "A")), refs=[("A", "a", 1)])])
    store.append(3, [stored("self", 1, 3, json.dumps(record("S", "S")), refs=[("S", "self", 1)])])
    client = ConformingClient(create_app(Registry(store)))
    assert client.get("/subjects/a/versions/1").get_json()["schema"] == text
    for subject in ("a", "b", "self"):
        assert client.get(f"/subjects/{subject}/versions/1?format=resolved").status_code in {200, 422}
        assert client.get(f"/subjects/{subject}/versions/1?findTags=*").status_code in {200, 422}
        new = {
            "schema": json.dumps(record("N", "A")),
            "references": [{"name": "A", "subject": "a", "version": 1}],
        }
        assert client.post(f"/subjects/{subject}/versions", json=new).status_code in {200, 409, 422}
        assert client.post(f"/compatibility/subjects/{subject}/versions", json=new).status_code in {200, 422}
        assert client.post(f"/subjects/{subject}", json=new).status_code in {404, 422, 200}
    assert error(client.delete("/subjects/a/versions/1"))[1] == 42206
    assert client.faults == []
