"""The API's endpoints: what each answers, and how it says no."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from registry.http import create_app
from registry.model import Mode
from registry.records import ModeRecord
from registry.registry import NewSchema, Registry
from registry.store import MemoryStore
from tests.registry.samples import avro

INT_GUID = "ef524ea1-b91e-7317-3d93-8ade36c1db32"


def error(response: TestResponse) -> tuple[int, int, str]:
    """Status, code and message; the body must hold exactly the latter two."""
    body = response.get_json()
    assert set(body) == {"error_code", "message"}
    return response.status_code, body["error_code"], body["message"]


def register(client: FlaskClient, subject: str, text: str, **more: Any) -> Any:
    response = client.post(f"/subjects/{subject}/versions", json={"schema": text, **more})
    assert response.status_code == 200, response.text
    return response.get_json()


# Root and what clients ask for first


def test_root(client: FlaskClient) -> None:
    assert client.get("/").get_json() == {}
    assert client.post("/").get_json() == {}


def test_types_are_those_that_are_truly_supported(client: FlaskClient) -> None:
    assert client.get("/schemas/types").get_json() == ["AVRO"]


def test_no_associations(client: FlaskClient) -> None:
    # confluent-kafka's serializers ask this with their first message
    path = "/associations/resources/-/orders?resourceType=topic&associationType=value"
    assert client.get(path).get_json() == []
    assert client.get("/associations/subjects/a%2Fb").get_json() == []


def test_the_mode(client: FlaskClient, store: MemoryStore) -> None:
    assert client.get("/mode").get_json() == {"mode": "READWRITE"}
    store.append(1, [ModeRecord(None, Mode.READONLY).to_log()])
    assert client.get("/mode").get_json() == {"mode": "READONLY"}


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
        "ruleSet": {"domainRules": [{"name": "r", "kind": "CONDITION", "mode": "WRITE", "disabled": False}]},
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
        "metadata": {"properties": {"owner": "é"}},
        "ruleSet": body["ruleSet"],
        "schema": avro("Outer", i="Inner"),
    }
    stored = client.get("/schemas/ids/2").get_json()
    assert stored.pop("ts") > 0
    assert stored == {
        **{k: v for k, v in got.items() if k not in {"id", "version"}},
        "guid": guid,
        "deleted": False,
    }


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
    for path in (
        f"/subjects/{subject}/versions",
        f"/subjects/{subject}",
        f"/compatibility/subjects/{subject}/versions",
    ):
        status, code, message = error(client.post(path, json={"schema": '"int"'}))
        assert (status, code) == (422, 42208)
        assert message.startswith("The specified subject '")


def test_a_version_that_is_not_the_next(client: FlaskClient) -> None:
    status, code, message = error(client.post("/subjects/s/versions", json={"schema": '"int"', "version": 7}))
    assert (status, code) == (422, 42201)
    assert message.startswith("Version is not one more than previous version")
    assert error(client.post("/subjects/s/versions", json={"schema": '"int"', "version": -2}))[1] == 42202


def test_an_id_needs_import_mode(client: FlaskClient) -> None:
    response = client.post("/subjects/s/versions", json={"schema": '"int"', "id": 9})
    assert error(response) == (422, 42205, "Subject s in context . is not in import mode")


def test_a_large_schema_works_up_to_the_limit() -> None:
    client = create_app(Registry(MemoryStore(), max_schema_bytes=100_000)).test_client()

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


# Subjects and versions


def test_listing_subjects(client: FlaskClient) -> None:
    assert client.get("/subjects").get_json() == []
    for subject in ("b", "a", "ab", ":.eu:c"):
        register(client, subject, '"int"')
    client.delete("/subjects/ab")

    def listed(query: str) -> Any:
        return client.get(f"/subjects{query}").get_json()

    assert listed("") == [":.eu:c", "a", "b"]
    assert listed("/") == [":.eu:c", "a", "b"]
    assert listed("?deleted=true") == [":.eu:c", "a", "ab", "b"]
    assert listed("?deletedOnly=true") == listed("?deletedOnly=true&deleted=true") == ["ab"]
    assert listed("?subjectPrefix=a&deleted=true") == ["a", "ab"]
    assert listed("?subjectPrefix=:.eu:") == [":.eu:c"]
    assert listed("?offset=1&limit=1") == ["a"]
    assert listed("?offset=9") == []
    assert listed("?limit=0") == listed("?limit=-1") == listed("?offset=-5") == [":.eu:c", "a", "b"]


@pytest.mark.parametrize(
    "query", ["offset=x", "limit=1.5", "limit=", "offset=99999999999", "limit=3000000000"]
)
def test_a_number_in_a_query_that_is_none(client: FlaskClient, query: str) -> None:
    assert error(client.get(f"/subjects?{query}")) == (404, 404, "HTTP 404 Not Found")


def test_listing_versions(client: FlaskClient) -> None:
    for text in ('"int"', '"long"', '"float"'):
        register(client, "s", text)
    client.delete("/subjects/s/versions/2")

    def listed(query: str) -> Any:
        return client.get(f"/subjects/s/versions{query}").get_json()

    assert listed("") == [1, 3]
    assert listed("?deleted=true") == [1, 2, 3]
    assert listed("?deletedOnly=true") == [2]
    assert listed("?deletedAsNegative=true") == [1, -2, 3]
    assert listed("?deleted=true&offset=1&limit=1") == [2]
    assert error(client.get("/subjects/t/versions")) == (404, 40401, "Subject 't' not found.")
    assert error(client.get("/subjects/t/versions?deleted=true"))[1] == 40401


def test_getting_a_version(client: FlaskClient) -> None:
    register(client, "s", '"int"')
    register(client, "s", '"long"')
    got = client.get("/subjects/s/versions/1").get_json()
    assert got.pop("ts") > 1_700_000_000_000
    assert got == {
        "subject": "s",
        "id": 1,
        "version": 1,
        "guid": INT_GUID,
        "schemaType": "AVRO",
        "schema": '"int"',
        "deleted": False,
    }
    for latest in ("latest", "LATEST", "-1", "%20latest%20", "2"):
        assert client.get(f"/subjects/s/versions/{latest}").get_json()["version"] == 2
        assert client.get(f"/subjects/s/versions/{latest}/schema").text == '"long"'


def test_getting_a_version_that_is_not_there(client: FlaskClient) -> None:
    register(client, "s", '"int"')
    register(client, "s", '"long"')
    for suffix in ("", "/schema"):
        assert error(client.get(f"/subjects/s/versions/3{suffix}")) == (404, 40402, "Version 3 not found.")
        assert error(client.get(f"/subjects/t/versions/1{suffix}")) == (404, 40401, "Subject 't' not found.")
    client.delete("/subjects/s/versions/2")
    assert error(client.get("/subjects/s/versions/2"))[1] == 40402
    deleted = client.get("/subjects/s/versions/2?deleted=true").get_json()
    assert (deleted["version"], deleted["deleted"]) == (2, True)
    assert client.get("/subjects/s/versions/latest").get_json()["version"] == 1
    assert client.get("/subjects/s/versions/latest?deleted=true").get_json()["version"] == 2
    client.delete("/subjects/s/versions/1")
    assert error(client.get("/subjects/s/versions/1"))[1] == 40401


@pytest.mark.parametrize(
    "version", ["0", "-2", "newest", "1.0", "2147483648", "99999999999999", "1_0", "%D9%A1"]
)
def test_what_is_no_version(client: FlaskClient, version: str) -> None:
    register(client, "s", '"int"')
    responses = [
        client.get(f"/subjects/s/versions/{version}"),
        client.get(f"/subjects/s/versions/{version}/schema"),
        client.delete(f"/subjects/s/versions/{version}"),
        client.post(f"/compatibility/subjects/s/versions/{version}", json={"schema": '"int"'}),
    ]
    for response in responses:
        status, code, message = error(response)
        assert (status, code) == (422, 42202)
        assert message.endswith(
            'is not a valid version id. Allowed values are between [1, 2^31-1] and the string "latest"'
        )


# Deleting


def test_deleting_versions(client: FlaskClient) -> None:
    for text in ('"int"', '"long"', '"float"'):
        register(client, "s", text)
    assert client.delete("/subjects/s/versions/latest").get_json() == 3
    assert client.delete("/subjects/s/versions/1").get_json() == 1
    assert error(client.delete("/subjects/s/versions/1")) == (
        404,
        40406,
        "Subject 's' Version 1 was soft deleted.Set permanent=true to delete permanently",
    )
    assert error(client.delete("/subjects/s/versions/2?permanent=true")) == (
        404,
        40407,
        "Subject 's' Version 2 was not deleted first before being permanently deleted",
    )
    assert client.delete("/subjects/s/versions/1?permanent=True").get_json() == 1
    assert error(client.delete("/subjects/s/versions/1"))[:2] == (404, 40402)
    assert error(client.delete("/subjects/t/versions/1")) == (404, 40401, "Subject 't' not found.")
    assert error(client.get("/schemas/ids/1")) == (404, 40403, "Schema 1 not found")
    assert client.get("/schemas/ids/3").get_json()["deleted"] is True


def test_deleting_subjects(client: FlaskClient) -> None:
    register(client, "s", '"int"')
    register(client, "s", '"long"')
    assert error(client.delete("/subjects/s?permanent=true")) == (
        404,
        40405,
        "Subject 's' was not deleted first before being permanently deleted",
    )
    client.delete("/subjects/s/versions/1")
    assert client.delete("/subjects/s").get_json() == [2]
    assert error(client.delete("/subjects/s")) == (
        404,
        40404,
        "Subject 's' was soft deleted.Set permanent=true to delete permanently",
    )
    assert client.delete("/subjects/s?permanent=true").get_json() == [1, 2]
    assert error(client.delete("/subjects/s")) == (404, 40401, "Subject 's' not found.")


def test_deleting_what_is_referred_to(client: FlaskClient) -> None:
    register(client, "inner", avro("Inner"))
    reference = {"name": "Inner", "subject": "inner", "version": 1}
    register(client, "outer", avro("Outer", i="Inner"), references=[reference])
    message = "One or more references exist to the schema {magic=1,keytype=SCHEMA,subject=inner,version=1}."
    assert error(client.delete("/subjects/inner")) == (422, 42206, message)
    assert error(client.delete("/subjects/inner/versions/1")) == (422, 42206, message)


# Schemas by id


def test_a_schema_by_id(client: FlaskClient) -> None:
    register(client, "s", '"int"')
    got = client.get("/schemas/ids/1").get_json()
    assert got.pop("ts") > 1_700_000_000_000
    assert got == {"guid": INT_GUID, "schemaType": "AVRO", "schema": '"int"', "deleted": False}
    assert client.get("/schemas/ids/1/schema").text == '"int"'
    with_subject = client.get("/schemas/ids/1?subject=s&fetchMaxId=true").get_json()
    assert (with_subject["subject"], with_subject["version"], with_subject["maxId"]) == ("s", 1, 1)
    assert "subject" not in client.get("/schemas/ids/1?subject=t").get_json()
    assert error(client.get("/schemas/ids/1?subject=:.eu:s"))[1] == 40403


def test_an_id_that_does_not_exist(client: FlaskClient) -> None:
    for suffix in ("", "/schema"):
        assert error(client.get(f"/schemas/ids/100000{suffix}")) == (404, 40403, "Schema 100000 not found")
        assert error(client.get(f"/schemas/ids/-1{suffix}"))[1] == 40403


@pytest.mark.parametrize("number", ["abc", "1.0", "99999999999", "%D9%A1"])
def test_what_is_no_id(client: FlaskClient, number: str) -> None:
    assert error(client.get(f"/schemas/ids/{number}")) == (404, 404, "HTTP 404 Not Found")


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


# Configs


def test_the_global_config(client: FlaskClient) -> None:
    assert client.get("/config").get_json() == {"compatibilityLevel": "BACKWARD"}
    assert client.put("/config", json={"compatibility": "full"}).get_json() == {"compatibility": "FULL"}
    assert client.get("/config").get_json() == {"compatibilityLevel": "FULL"}
    assert client.put("/config", json={}).get_json() == {"compatibility": "FULL"}
    assert client.delete("/config").get_json() == {"compatibilityLevel": "FULL"}
    assert client.get("/config").get_json() == {"compatibilityLevel": "BACKWARD"}
    assert client.delete("/config").get_json() == {"compatibilityLevel": "BACKWARD"}


def test_a_subjects_config(client: FlaskClient) -> None:
    message = "Subject 's' does not have subject-level compatibility configured"
    assert error(client.get("/config/s")) == (404, 40408, message)
    assert client.get("/config/s?defaultToGlobal=true").get_json() == {"compatibilityLevel": "BACKWARD"}
    assert error(client.delete("/config/s")) == (404, 40401, "Subject 's' not found.")
    assert client.put("/config/s", json={"compatibility": "NONE"}).get_json() == {"compatibility": "NONE"}
    assert client.get("/config/s").get_json() == {"compatibilityLevel": "NONE"}
    assert client.delete("/config/s").get_json() == {"compatibilityLevel": "NONE"}
    assert error(client.get("/config/s"))[1] == 40408


def test_a_config_is_changed_field_by_field(client: FlaskClient) -> None:
    client.put("/config", json={"compatibility": "FULL", "normalize": True})
    client.put("/config/s", json={"alias": "t", "validateFields": False, "unknown": 1})
    assert client.get("/config/s").get_json() == {"alias": "t", "validateFields": False}
    assert client.get("/config/s?defaultToGlobal=true").get_json() == {
        "alias": "t",
        "normalize": True,
        "validateFields": False,
        "compatibilityLevel": "FULL",
    }
    echo = client.put("/config/s", json={"alias": None, "compatibilityLevel": "none"}).get_json()
    assert echo == {"compatibility": "NONE", "validateFields": False}


@pytest.mark.parametrize(
    "level",
    ["none", "Backward", "BACKWARD_TRANSITIVE", "forward", "FORWARD_transitive", "full", "full_transitive"],
)
def test_all_seven_levels(client: FlaskClient, level: str) -> None:
    assert client.put("/config/s", json={"compatibility": level}).get_json() == {
        "compatibility": level.upper()
    }


@pytest.mark.parametrize("level", ["FOOL", "", "BACKWARD ", "FULL-TRANSITIVE"])
def test_an_unknown_level(client: FlaskClient, level: str) -> None:
    for path in ("/config", "/config/s", "/config/a%0Ab"):  # the level is looked at before the subject
        status, code, message = error(client.put(path, json={"compatibility": level}))
        assert (status, code) == (422, 42203)
        assert message.startswith("Invalid compatibility level. Valid values are none, backward,")
    assert error(client.put("/config/a%0Ab", json={"compatibility": "FULL"}))[1] == 42208


def test_a_config_where_the_mode_is_read_only(client: FlaskClient, store: MemoryStore) -> None:
    store.append(1, [ModeRecord(None, Mode.READONLY).to_log()])
    for path in ("/config", "/config/s"):
        assert error(client.put(path, json={"compatibility": "FULL"}))[:2] == (422, 42205)


# Subjects with anything in their names

STRANGE = [
    "a/b",
    "/a",
    "a/",
    "a//b",
    "a%b",
    "a b",
    "é你😀",
    "a?b#c",
    "x" * 300,
    ":a",
    "a:b",
    "versions",
    "a/b%é " * 50,
]


@pytest.mark.parametrize("subject", STRANGE)
def test_a_subject_may_be_named_anything(client: FlaskClient, subject: str) -> None:
    path = quote(subject, safe="")
    assert register(client, path, '"int"')["version"] == 1
    assert client.get("/subjects").get_json() == [subject]
    assert client.get(f"/subjects/{path}/versions").get_json() == [1]
    assert client.get(f"/subjects/{path}/versions/latest").get_json()["subject"] == subject
    assert client.get(f"/subjects/{path}/versions/1/schema").text == '"int"'
    assert client.post(f"/subjects/{path}", json={"schema": '"int"'}).get_json()["subject"] == subject
    check = client.post(f"/compatibility/subjects/{path}/versions/1", json={"schema": '"int"'})
    assert check.get_json() == {"is_compatible": True}
    assert client.put(f"/config/{path}", json={"compatibility": "FULL"}).status_code == 200
    assert client.get(f"/config/{path}").get_json() == {"compatibilityLevel": "FULL"}
    assert client.delete(f"/subjects/{path}/versions/1").get_json() == 1
    assert client.delete(f"/subjects/{path}?permanent=true").get_json() == [1]
    assert error(client.get(f"/config/{path}"))[1] == 40408


def test_the_schema_that_a_record_of_the_registry_carries(registry: Registry, client: FlaskClient) -> None:
    """What Python code registers and what HTTP clients see is one thing."""
    version = registry.register("s", NewSchema('"int"'))
    assert client.get("/subjects/s/versions/1").get_json()["guid"] == version.guid == INT_GUID
