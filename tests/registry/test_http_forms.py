"""Other forms of a schema: normalised, with its references put in, with qualified references."""

import json
from typing import Any

from flask.testing import FlaskClient

from tests.registry.samples import avro, error, register

SPELT = '{"type":"record","name":"a.R","aliases":["z","b"],"p":{"x":2,"y":1},"fields":[]}'
OTHERWISE = (
    '{"name":"R","namespace":"a","p":{"y":1,"x":2},"type":"record","fields":[],"aliases":["a.b","a.z"]}'
)


def check(client: FlaskClient, path: str, text: str) -> Any:
    return client.post(f"/compatibility/subjects/{path}", json={"schema": text}).get_json()


def look_up(client: FlaskClient, path: str, text: str, **more: Any) -> Any:
    return client.post(f"/subjects/{path}", json={"schema": text, **more}).get_json()


def test_spellings_of_one_schema_have_one_normal_form(client: FlaskClient) -> None:
    plain = register(client, "plain", SPELT)
    first = register(client, "s", SPELT)
    normal = client.post("/subjects/s/versions?normalize=True", json={"schema": SPELT}).get_json()
    assert normal["version"] == 2
    assert normal["schema"] != first["schema"] == plain["schema"]
    again = client.post("/subjects/s/versions?normalize=true", json={"schema": OTHERWISE}).get_json()
    assert again == normal
    assert look_up(client, "s?normalize=true", OTHERWISE)["version"] == 2
    assert look_up(client, "s", OTHERWISE)["error_code"] == 40403
    assert client.get("/subjects/s/versions/2").get_json()["schema"] == normal["schema"]


def test_a_config_normalizes_what_is_in_its_scope_but_not_imports(client: FlaskClient) -> None:
    client.put("/config", json={"normalize": True})
    client.put("/config/s", json={"normalize": False})
    client.put("/mode/i", json={"mode": "IMPORT"})
    normal = register(client, "t", OTHERWISE)["schema"]
    assert register(client, "s", OTHERWISE)["schema"] != normal
    assert register(client, "t", SPELT) == register(client, "t", OTHERWISE)
    assert register(client, "i", OTHERWISE, id=9)["schema"] != normal


def test_the_references_of_a_normal_form_are_sorted_and_each_there_once(client: FlaskClient) -> None:
    register(client, "x", avro("X"))
    register(client, "y", avro("Y"))
    references = [
        {"name": name, "subject": subject, "version": -1}
        for name, subject in [("Y", "y"), ("X", "x"), ("Y", "y")]
    ]
    body = {"schema": avro("R", x="X", y="Y"), "references": references}
    got = client.post("/subjects/s/versions?normalize=true", json=body).get_json()
    assert [r["subject"] for r in got["references"]] == ["x", "y"]
    assert [r["subject"] for r in register(client, "t", **body_of(body))["references"]] == ["y", "x", "y"]


def body_of(body: dict[str, Any]) -> dict[str, Any]:
    return {"text": body["schema"], "references": body["references"]}


def test_references_put_in(client: FlaskClient) -> None:
    register(client, "inner", avro("Inner", n="int"))
    references = [{"name": "Inner", "subject": "inner", "version": 1}]
    outer = register(client, "outer", avro("Outer", a="Inner", b="Inner"), references=references)
    whole = avro("Outer", a=json.loads(avro("Inner", n="int")), b="Inner")
    number, guid = outer["id"], outer["guid"]
    for path in (
        f"/schemas/ids/{number}",
        f"/schemas/guids/{guid}",
        "/subjects/outer/versions/1",
        "/subjects/outer/metadata",
    ):
        assert client.get(f"{path}?format=resolved").get_json()["schema"] == whole, path
        assert client.get(f"{path}?format=unheard_of").get_json()["schema"] == outer["schema"]
    for path in (f"/schemas/ids/{number}/schema", "/subjects/outer/versions/latest/schema"):
        assert client.get(f"{path}?format=resolved").text == whole
    assert look_up(client, "outer?format=resolved", outer["schema"], references=references)["schema"] == whole


def test_a_schema_sent_in_one_text_is_the_one_that_was_registered_with_references(
    client: FlaskClient,
) -> None:
    register(client, "inner", avro("Inner", n="int"))
    references = [{"name": "Inner", "subject": "inner", "version": 1}]
    outer = register(client, "outer", avro("Outer", a="Inner"), references=references)
    whole = avro("Outer", a=json.loads(avro("Inner", n="int")))
    assert look_up(client, "outer", whole)["version"] == 1
    assert register(client, "outer", whole) == outer
    assert register(client, "outer", whole, version=-1) == outer
    other = avro("Outer", a=json.loads(avro("Inner", n=("int", 1))))
    assert look_up(client, "outer", other)["error_code"] == 40403
    assert register(client, "elsewhere", whole)["id"] != outer["id"]
    client.delete("/subjects/outer")
    assert look_up(client, "outer", whole)["error_code"] == 40401
    assert look_up(client, "outer?deleted=true", whole)["version"] == 1


def test_what_is_refused_unnormalized_is_refused_normalized(client: FlaskClient) -> None:
    register(client, "s", '"int"')
    assert check(client, "s/versions?normalize=true", '"string"') == {"is_compatible": False}
    refused = client.post("/subjects/s/versions?normalize=true", json={"schema": '"strin"'})
    assert error(refused)[:2] == (422, 42201)


def test_qualified_references(client: FlaskClient) -> None:
    for subject in ("inner", ":.eu:inner"):
        register(client, subject, avro("Inner"))
    references = [{"name": "Inner", "subject": "inner", "version": 1}]
    for subject, qualified in ((":.eu:outer", ":.eu:inner"), ("outer", "inner")):
        number = register(client, subject, avro("Outer", a="Inner"), references=references)["id"]
        for path in (f"/subjects/{subject}/versions/1", f"/schemas/ids/{number}?subject={subject}"):
            joint = "&" if "?" in path else "?"
            (plain,) = client.get(path).get_json()["references"]
            (full,) = client.get(f"{path}{joint}referenceFormat=qualified").get_json()["references"]
            assert (plain["subject"], full["subject"]) == ("inner", qualified)
