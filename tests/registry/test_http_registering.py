"""Registering, looking up and checking schemas over HTTP: what is answered, and how it says no."""

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from registry.http import create_app
from registry.registry import Limits, Registry
from registry.store import MemoryStore
from tests.registry.samples import INT_GUID, avro, error, register

# Registering


def test_registering_answers_the_whole_entity(client: FlaskClient) -> None:
    response = client.post("/subjects/s/versions", json={"schema": ' {"type": "int"}'})
    assert response.status_code == 200
    assert response.text == (
        '{"id":1,"version":1,"guid":"' + INT_GUID + '","schemaType":"AVRO","schema":"\\"int\\""}'
    )
    assert client.post("/subjects/s/versions", json={"schema": '"int"'}).get_json() == response.get_json()


def test_registering_with_everything_that_a_schema_may_carry(client: FlaskClient) -> None:
    register(client, "inner", avro("Inner"))
    body = {
        "schemaType": "avro",
        "references": [{"name": "Inner", "subject": "inner", "version": -1}],
        "metadata": {"properties": {"owner": "é"}, "tags": {}, "sensitive": None},
        "ruleSet": {
            "domainRules": [
                {"name": "r", "kind": "CONDITION", "mode": "WRITE", "type": "CEL", "disabled": False}
            ]
        },
        "version": 1,
        "id": -1,
        "somethingNew": {"a": 1},
    }
    got = register(client, "outer", avro("Outer", i="Inner"), **body)
    guid = got.pop("guid")
    assert got == {
        "id": 2,
        "version": 1,
        "schemaType": "AVRO",
        "references": [{"name": "Inner", "subject": "inner", "version": 1}],
        "metadata": {"properties": {"confluent:version": "1", "owner": "é"}},
        "ruleSet": body["ruleSet"],
        "schema": avro("Outer", i="Inner"),
    }
    stored = client.get("/schemas/ids/2").get_json()
    assert stored == {**{k: v for k, v in got.items() if k not in {"id", "version"}}, "guid": guid}


def test_metadata_and_rules_that_say_nothing_are_told(client: FlaskClient) -> None:
    plain = register(client, "s", '"int"')
    empty = register(client, "t", '"int"', metadata={}, ruleSet={"domainRules": []})
    assert (empty["metadata"], empty["ruleSet"]) == ({}, {})
    assert empty["guid"] != plain["guid"]
    for path in ("/subjects/t/versions/1", f"/schemas/ids/{empty['id']}", f"/schemas/guids/{empty['guid']}"):
        got = client.get(path).get_json()
        assert (got["metadata"], got["ruleSet"]) == ({}, {})
    # So what was read can be registered elsewhere, and is the same there.
    again = register(client, ":.eu:t", got["schema"], metadata=got["metadata"], ruleSet=got["ruleSet"])
    assert again["guid"] == empty["guid"]
    assert "metadata" not in client.get("/subjects/s/versions/1").get_json()


def test_non_ascii_text_stays_as_it_is(client: FlaskClient) -> None:
    text = '{"type":"string","label":"你好 é 😀"}'
    register(client, "s", text)
    assert text.encode() in client.get("/schemas/ids/1").data.replace(b'\\"', b'"')
    assert client.get("/subjects/s/versions/1/schema").data == text.encode()


def test_an_incompatible_schema_is_a_409(client: FlaskClient) -> None:
    register(client, "s", '"int"')
    status, code, message = error(client.post("/subjects/s/versions", json={"schema": '"string"'}))
    assert (status, code) == (409, 409)
    assert message == (
        'Schema being registered is incompatible with an earlier schema for subject "s", details: ['
        "{errorType:'TYPE_MISMATCH', description:'The type (path '/') of a field in the new schema "
        "does not match with the old schema', "
        "additionalInfo:'reader type: STRING not compatible with writer type: INT'}, "
        "{oldSchemaVersion: 1}, {oldSchema: '\"int\"'}, {validateFields: 'false', compatibility: 'BACKWARD'}]"
    )
    assert (
        client.post("/subjects/s/versions?force=true", json={"schema": '"string"'}).get_json()["version"] == 2
    )


@pytest.mark.parametrize(
    ("text", "details"),
    [
        ("{not json", "(line 1, column 2)"),
        ('{"a": 1}', ""),
        (
            '{"type": "record", "name": "R", "fields": [\n {"name": "a", "type": "strin"}]}',
            (
                'unknown type "strin": neither a primitive type nor defined in this schema or its references '
                "at /fields/0/type (line 2, column 24)"
            ),
        ),
        (avro()[:-2] + '{"name":"a","type":"int"},{"name":"a","type":"int"}]}', "/fields/1"),
        (avro(a=("int", "x")), "/fields/0/default"),
        ("[" * 5000 + "]" * 5000, ""),
        ('{"type":"array","items":' * 5000 + '"int"' + "}" * 5000, ""),
        ('"nope"', 'unknown type "nope"'),
    ],
    ids=["not JSON", "no schema", "unknown type", "duplicate field", "bad default", "deep", "deeper", "name"],
)
def test_what_is_no_schema_is_refused_with_the_place_of_its_fault(
    client: FlaskClient, text: str, details: str
) -> None:
    for path in ("/subjects/s/versions", "/compatibility/subjects/s/versions/latest"):
        status, code, message = error(client.post(path, json={"schema": text}))
        assert (status, code) == (422, 42201)
        assert message.startswith(
            "Invalid schema {subject=s,version=0,id=-1,schemaType=AVRO,references=[],schema="
        )
        assert "with refs [] of type AVRO, details: " in message
        assert details in message
        assert len(message) < 2000
    assert client.get("/subjects").get_json() == []


@pytest.mark.parametrize("body", [{}, {"schema": ""}, {"schema": None}])
def test_no_schema_at_all(client: FlaskClient, body: dict[str, Any]) -> None:
    assert error(client.post("/subjects/s/versions", json=body)) == (422, 42201, "Empty schema")


def test_an_unknown_schema_type(client: FlaskClient) -> None:
    response = client.post("/subjects/s/versions", json={"schema": "{}", "schemaType": "thrift"})
    assert error(response) == (422, 42201, "Invalid schema type THRIFT; this registry knows AVRO")


def test_a_reference_to_nothing(client: FlaskClient) -> None:
    body = {"schema": avro(i="Inner"), "references": [{"name": "Inner", "subject": "inner", "version": 3}]}
    for path in ("/subjects/s/versions", "/compatibility/subjects/s/versions"):
        status, code, message = error(client.post(path, json=body))
        assert (status, code) == (422, 42201)
        assert message.startswith("Invalid schema {subject=s,")
        assert "references=[{name='Inner', subject='inner', version=3}]" in message
        assert 'details: No schema reference found for subject "inner" and version 3' in message


@pytest.mark.parametrize("subject", ["a%0Ab", "%00", "__GLOBAL", "__EMPTY", ":.__GLOBAL:x"])
def test_a_name_that_no_subject_may_have(client: FlaskClient, subject: str) -> None:
    for path in (f"/subjects/{subject}/versions", f"/compatibility/subjects/{subject}/versions"):
        status, code, message = error(client.post(path, json={"schema": '"int"'}))
        assert (status, code) == (422, 42208)
        assert message.startswith("The specified subject '")
    assert error(client.post(f"/subjects/{subject}", json={"schema": '"int"'}))[:2] == (404, 40401)


def test_a_version_that_is_not_the_next(client: FlaskClient) -> None:
    status, code, message = error(client.post("/subjects/s/versions", json={"schema": '"int"', "version": 7}))
    assert (status, code) == (422, 42201)
    assert message.startswith("Version is not one more than previous version")
    assert error(client.post("/subjects/s/versions", json={"schema": '"int"', "version": -2}))[1] == 42202


def test_an_id_needs_import_mode(client: FlaskClient) -> None:
    response = client.post("/subjects/s/versions", json={"schema": '"int"', "id": 9})
    assert error(response) == (422, 42205, "Subject s in context . is not in import mode")


def test_a_large_schema_works_up_to_the_limit() -> None:
    client = create_app(Registry(MemoryStore(), limits=Limits(schema_bytes=100_000))).test_client()

    def schema(size: int) -> str:
        frame = '{"type":"string","doc":""}'
        return frame.replace('""', '"' + "x" * (size - len(frame)) + '"')

    assert register(client, "s", schema(100_000))["id"] == 1
    for path in ("/subjects/s/versions", "/subjects/s", "/compatibility/subjects/s/versions"):
        status, code, message = error(client.post(path, json={"schema": schema(100_001)}))
        assert (status, code) == (422, 42209)
        assert message == (
            "Register operation failed because schema is too large: 100001 bytes, and the limit is 100000 "
            "(FIVEBYTE_MAX_SCHEMA_BYTES)"
        )


def test_a_schema_of_2_mb_is_too_large_by_default(client: FlaskClient) -> None:
    text = json.dumps({"type": "string", "doc": "x" * 2_000_000})
    assert error(client.post("/subjects/s/versions", json={"schema": text}))[:2] == (422, 42209)


def test_a_body_beyond_the_limit_is_a_413() -> None:
    client = create_app(Registry(MemoryStore()), max_body_bytes=1000).test_client()
    assert client.post("/subjects/s/versions", json={"schema": '"int"', "x": "y" * 900}).status_code == 200
    assert error(client.post("/subjects/s/versions", json={"schema": '"int"', "x": "y" * 1000}))[:2] == (
        413,
        413,
    )


# Looking up


def test_looking_up(client: FlaskClient) -> None:
    register(client, "other", '"long"')
    registered = register(client, "s", '"int"')
    found = client.post("/subjects/s", json={"schema": '{"type":"int"}'})
    assert found.get_json() == {"subject": "s", **registered}
    response = client.post("/subjects/s", json={"schema": '"long"'})
    assert error(response) == (404, 40403, "Schema not found")
    response = client.post("/subjects/nope", json={"schema": '"int"'})
    assert error(response) == (404, 40401, "Subject 'nope' not found.")
    assert error(client.post("/subjects/s", json={"schema": '"nope"'}))[:2] == (422, 42201)


def test_looking_up_what_is_soft_deleted(client: FlaskClient) -> None:
    register(client, "s", '"int"')
    register(client, "s", '"long"')
    client.delete("/subjects/s/versions/1")
    assert error(client.post("/subjects/s", json={"schema": '"int"'}))[1] == 40403
    assert client.post("/subjects/s?deleted=True", json={"schema": '"int"'}).get_json()["version"] == 1
    client.delete("/subjects/s")
    assert error(client.post("/subjects/s", json={"schema": '"int"'}))[1] == 40401
    assert client.post("/subjects/s?deleted=TRUE", json={"schema": '"int"'}).get_json()["version"] == 1


# Compatibility


def test_checking(client: FlaskClient) -> None:
    def check(path: str, text: str) -> Any:
        return client.post(f"/compatibility/subjects/{path}", json={"schema": text}).get_json()

    register(client, "s", '"int"')
    register(client, "s", '"long"')
    assert check("s/versions/latest", '"long"') == {"is_compatible": True}
    assert check("s/versions/latest?verbose=true", '"long"') == {"is_compatible": True, "messages": []}
    assert check("s/versions/latest", '"int"') == {"is_compatible": False}
    assert check("s/versions/1", '"int"') == {"is_compatible": True}
    assert check("s/versions", '"int"') == {"is_compatible": False}
    assert (
        check("nope/versions/latest", '"int"') == check("nope/versions", '"int"') == {"is_compatible": True}
    )
    verbose = check("s/versions?verbose=TRUE", '"int"')
    assert verbose["is_compatible"] is False
    assert verbose["messages"][0].startswith("{errorType:'TYPE_MISMATCH', description:'")
    assert verbose["messages"][1:3] == ["{oldSchemaVersion: 2}", "{oldSchema: '\"long\"'}"]


def test_checking_all_versions_takes_a_transitive_level(client: FlaskClient) -> None:
    register(client, "s", '"int"')
    client.put("/config/s", json={"compatibility": "NONE"})
    register(client, "s", '"string"')
    for level, verdict in [("BACKWARD", True), ("BACKWARD_TRANSITIVE", False), ("NONE", True)]:
        client.put("/config/s", json={"compatibility": level})
        got = client.post("/compatibility/subjects/s/versions", json={"schema": '"bytes"'}).get_json()
        assert got == {"is_compatible": verdict}


def test_checking_against_a_version_that_is_not_there(client: FlaskClient) -> None:
    for subject in ("s", "nope"):
        register(client, "s", '"int"')
        response = client.post(f"/compatibility/subjects/{subject}/versions/2", json={"schema": '"int"'})
        assert error(response) == (404, 40402, "Version 2 not found.")


def test_checking_what_is_no_schema_verbosely(client: FlaskClient) -> None:
    response = client.post(
        "/compatibility/subjects/s/versions/latest?verbose=true", json={"schema": '"nope"'}
    )
    assert response.status_code == 200
    assert response.get_json()["is_compatible"] is False
    assert 'details: unknown type "nope"' in response.get_json()["messages"][0]
