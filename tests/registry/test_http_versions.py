"""Subjects, versions and ids over HTTP: listing, getting, deleting."""

from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

from registry.registry import NewSchema, Registry
from tests.registry.samples import INT_GUID, avro, error, register

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
    assert listed("?limit=") == listed("?offset=%20&limit=") == listed("")
    assert listed("?limit=0") == listed("?limit=-1") == listed("?offset=-5") == [":.eu:c", "a", "b"]


@pytest.mark.parametrize(
    "query", ["offset=x", "limit=1.5", "limit=%2B", "offset=99999999999", "limit=3000000000"]
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


# Schemas by id


def test_a_schema_by_id(client: FlaskClient) -> None:
    register(client, "s", '"int"')
    got = client.get("/schemas/ids/1").get_json()
    assert got == {"guid": INT_GUID, "schemaType": "AVRO", "schema": '"int"'}
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
    assert client.get("/schemas/ids/3").status_code == 200


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


def test_the_older_name_of_deleted(client: FlaskClient) -> None:
    register(client, "s", '"int"')
    client.delete("/subjects/s")
    for path in ("/subjects/s/versions", "/subjects/s/versions/1", "/subjects", "/schemas"):
        for name in ("deleted", "lookupDeletedSchema"):
            assert client.get(f"{path}?{name}=true").get_json(), path
    for path in ("/subjects/s/versions", "/subjects/s/versions/1"):
        assert client.get(path).status_code == 404
