"""What can be read of schemas over HTTP: listings, ids, guids, referrers, metadata."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from registry.model import Mode
from registry.records import ModeRecord
from registry.registry import NewSchema, Registry
from registry.store import MemoryStore
from tests.registry.samples import INT_GUID, avro, error, register, stored

RULE = {"name": "r", "kind": "CONDITION", "mode": "WRITE", "type": "CEL", "expr": "true"}


def keys(client: FlaskClient, path: str) -> list[tuple[str, int]]:
    response = client.get(path)
    assert response.status_code == 200, response.text
    return [(version["subject"], version["version"]) for version in response.get_json()]


# Listing schemas


def test_listing_schemas(client: FlaskClient) -> None:
    assert client.get("/schemas").get_json() == []
    register(client, "b", '"int"')
    register(client, "b", '"long"')
    register(client, "b", '"float"')
    register(client, "a", '"int"')
    register(client, "ab", '"int"')
    register(client, ":.eu:c", '"int"')
    client.delete("/subjects/b/versions/3")
    client.delete("/subjects/ab")
    assert keys(client, "/schemas") == [("a", 1), ("b", 1), ("b", 2)]
    assert keys(client, "/schemas?deleted=true") == [("a", 1), ("ab", 1), ("b", 1), ("b", 2), ("b", 3)]
    assert keys(client, "/schemas?latestOnly=true") == [("a", 1), ("b", 2)]
    assert keys(client, "/schemas?latestOnly=true&deleted=true") == [("a", 1), ("ab", 1), ("b", 3)]
    assert keys(client, "/schemas?subjectPrefix=a&deleted=true") == [("a", 1), ("ab", 1)]
    assert keys(client, "/schemas?subjectPrefix=:.eu:") == [(":.eu:c", 1)]
    assert keys(client, "/schemas?subjectPrefix=:*:&latestOnly=true") == [(":.eu:c", 1), ("a", 1), ("b", 2)]
    assert keys(client, "/schemas?offset=1&limit=1") == [("b", 1)]
    assert keys(client, "/schemas?offset=9") == []
    assert keys(client, "/schemas?aliases=true") == [("a", 1), ("b", 1), ("b", 2)]
    assert error(client.get("/schemas?limit=x")) == (404, 404, "HTTP 404 Not Found")


def test_a_listed_schema_is_whole(client: FlaskClient) -> None:
    register(client, "s", '"int"')
    (listed,) = client.get("/schemas").get_json()
    assert listed == client.get("/subjects/s/versions/1").get_json()


def test_a_listing_has_at_most_a_thousand(client: FlaskClient, store: MemoryStore) -> None:
    store.append(1, [stored("s", n, 1, '"int"') for n in range(1, 1203)])
    for query in ("", "?limit=0", "?limit=-1", "?limit=1001"):
        assert keys(client, f"/schemas{query}") == [("s", n) for n in range(1, 1001)]
    assert keys(client, "/schemas?offset=1000") == [("s", n) for n in range(1001, 1203)]
    assert len(client.get("/subjects/s/versions").get_json()) == 1202


def test_listing_schemas_with_a_type_of_rule(client: FlaskClient) -> None:
    register(client, "s", '"int"')
    register(client, "s", '"long"', ruleSet={"domainRules": [RULE]})
    migration = {**RULE, "mode": "UPGRADE", "type": "JSONATA"}
    register(client, "t", '"int"', ruleSet={"migrationRules": [migration]})
    assert keys(client, "/schemas?ruleType=CEL") == [("s", 2)]
    assert keys(client, "/schemas?ruleType=JSONATA") == [("t", 1)]
    assert keys(client, "/schemas?ruleType=") == [("s", 1), ("s", 2), ("t", 1)]
    assert keys(client, "/schemas?ruleType=cel") == []


# Ids


def test_who_has_an_id(client: FlaskClient) -> None:
    for subject in ("b", "a", "c", ":.eu:d"):
        register(client, subject, '"int"')
    client.delete("/subjects/c")

    def listed(query: str = "") -> Any:
        subjects = client.get(f"/schemas/ids/1/subjects{query}").get_json()
        assert [name for name, _ in keys(client, f"/schemas/ids/1/versions{query}")] == subjects
        return subjects

    assert listed() == ["a", "b"]
    assert client.get("/schemas/ids/1/versions").get_json()[0] == {"subject": "a", "version": 1}
    assert listed("?deleted=true") == ["a", "b", "c"]
    assert listed("?offset=1&limit=1") == ["b"]
    assert listed("?subject=a") == listed("?subject=nobody") == ["a", "b"]  # it only chooses the context
    assert listed("?subject=:.eu:") == [":.eu:d"]
    client.delete("/subjects/a")
    client.delete("/subjects/b")
    assert listed() == []
    client.delete("/subjects/c?permanent=true")
    assert listed("?deleted=true") == ["a", "b"]


def test_a_subject_that_has_an_id_twice(client: FlaskClient, store: MemoryStore) -> None:
    store.append(1, [stored("s", 2, 1), stored("s", 10, 1)])
    assert client.get("/schemas/ids/1/subjects").get_json() == ["s"]
    assert keys(client, "/schemas/ids/1/versions") == [("s", 2), ("s", 10)]


@pytest.mark.parametrize("what", ["subjects", "versions"])
def test_an_id_that_nobody_has(client: FlaskClient, what: str) -> None:
    assert error(client.get(f"/schemas/ids/1/{what}")) == (404, 40403, "Schema not found")
    register(client, "s", '"int"')
    assert error(client.get(f"/schemas/ids/1/{what}?subject=:.eu:s"))[1] == 40403
    assert error(client.get(f"/schemas/ids/x/{what}")) == (404, 404, "HTTP 404 Not Found")
    assert error(client.get(f"/schemas/ids/1/{what}?offset=x"))[1] == 404


def test_an_id_of_another_context_is_found_by_a_bare_subject(client: FlaskClient) -> None:
    register(client, ":.eu:s", '"int"')
    register(client, ":.eu:other", '"int"')
    register(client, ":.us:s", '"string"')
    register(client, ":.us:s2", '"long"')
    found = client.get("/schemas/ids/1?subject=s&fetchMaxId=true").get_json()
    assert (found["subject"], found["version"], found["maxId"]) == (":.eu:s", 1, 1)
    found = client.get("/schemas/ids/2?subject=s2&fetchMaxId=true").get_json()
    assert (found["subject"], found["schema"], found["maxId"]) == (":.us:s2", '"long"', 2)
    assert client.get("/schemas/ids/2/schema?subject=s2").text == '"long"'
    assert client.get("/schemas/ids/1/subjects?subject=s").get_json() == [":.eu:other", ":.eu:s"]
    for path in ("/schemas/ids/1", "/schemas/ids/1?subject=t", "/schemas/ids/2?subject=s"):
        assert error(client.get(path))[1] == 40403
    register(client, "t", '"bytes"')
    assert client.get("/schemas/ids/1?subject=s").get_json()["schema"] == '"bytes"'  # the default context's


def test_a_content_that_was_imported_with_two_ids(client: FlaskClient, store: MemoryStore) -> None:
    store.append(1, [ModeRecord(None, Mode.IMPORT).to_log()])
    register(client, "a", '"int"', id=5, version=1)
    register(client, "b", '"int"', id=3, version=1)
    looked_up = [client.post(f"/subjects/{s}", json={"schema": '"int"'}).get_json()["id"] for s in "ab"]
    assert looked_up == [5, 3]
    assert client.get(f"/schemas/guids/{INT_GUID}/ids").get_json() == [
        {"context": ".", "id": 3},
        {"context": ".", "id": 5},
    ]
    client.delete("/subjects/a")
    client.delete("/subjects/a?permanent=true")
    assert client.get(f"/schemas/guids/{INT_GUID}/ids").get_json() == [{"context": ".", "id": 3}]


# Guids


def test_a_schema_by_guid(client: FlaskClient) -> None:
    register(client, ":.eu:s", '"string"')
    register(client, ":.eu:t", '"int"')
    got = client.get(f"/schemas/guids/{INT_GUID}").get_json()
    assert got == {"guid": INT_GUID, "schemaType": "AVRO", "schema": '"int"'}
    register(client, "s", '"int"')
    assert client.get(f"/schemas/guids/{INT_GUID.upper()}/ids").get_json() == [
        {"context": ".", "id": 1},
        {"context": ".eu", "id": 2},
    ]
    for subject in ("s", ":.eu:t"):
        client.delete(f"/subjects/{subject}")
        assert client.get(f"/schemas/guids/{INT_GUID}").get_json() == got
    client.delete("/subjects/s?permanent=true")
    client.delete("/subjects/:.eu:t?permanent=true")
    assert error(client.get(f"/schemas/guids/{INT_GUID}"))[1] == 40403


@pytest.mark.parametrize(
    "guid", ["x", INT_GUID[:-1], f"{{{INT_GUID}}}", INT_GUID.replace("-", ""), "a" * 999]
)
def test_a_guid_that_stands_for_nothing(client: FlaskClient, guid: str) -> None:
    register(client, "s", '"int"')
    for suffix in ("", "/ids"):
        assert error(client.get(f"/schemas/guids/{guid}{suffix}")) == (404, 40403, f"Schema {guid} not found")


# Referrers


def test_who_refers_to_a_version(client: FlaskClient) -> None:
    register(client, "inner", avro("Inner"))
    assert client.get("/subjects/inner/versions/1/referencedby").get_json() == []
    reference = {"name": "Inner", "subject": "inner", "version": 1}
    outer = register(client, "outer", avro("Outer", i="Inner"), references=[reference])["id"]
    register(client, "again", avro("Outer", i="Inner"), references=[reference])
    more = register(client, "more", avro("More", i="Inner"), references=[reference])["id"]
    around = {"name": "Outer", "subject": "outer", "version": 1}
    register(client, "around", avro("Around", o="Outer"), references=[around])

    def referrers(query: str = "") -> Any:
        return client.get(f"/subjects/inner/versions/latest/referencedby{query}").get_json()

    assert referrers() == [outer, more]  # directly, and each id once
    assert referrers("?offset=1") == [more]
    assert referrers("?limit=1") == [outer]
    client.delete("/subjects/more")
    assert referrers() == [outer]
    assert referrers("?deleted=true") == [outer, more]


def test_what_is_referred_to_may_be_deleted_itself(registry: Registry, client: FlaskClient) -> None:
    registry.register("s", NewSchema('"int"'))
    registry.delete_subject("s")
    for version in ("1", "latest"):
        assert client.get(f"/subjects/s/versions/{version}/referencedby").get_json() == []


def test_referrers_of_what_is_not_there(client: FlaskClient) -> None:
    register(client, "s", '"int"')
    assert error(client.get("/subjects/t/versions/1/referencedby"))[1] == 40401
    assert error(client.get("/subjects/s/versions/2/referencedby")) == (404, 40402, "Version 2 not found.")
    assert error(client.get("/subjects/s/versions/0/referencedby"))[:2] == (422, 42202)


# Metadata


def test_the_newest_version_with_properties(client: FlaskClient) -> None:
    for text, major in (('"int"', "1"), ('"long"', "1"), ('"float"', "2")):
        register(client, "a%2Fb", text, metadata={"properties": {"major": major, "o": "me"}})

    def found(query: str) -> Any:
        return client.get(f"/subjects/a%2Fb/metadata{query}")

    got = found("?key=major&value=1").get_json()
    assert got == client.get("/subjects/a%2Fb/versions/2").get_json()
    assert found("?key=o&value=me&key=major&value=1").get_json()["version"] == 2
    assert found("?key=o&value=me").get_json()["version"] == found("").get_json()["version"] == 3
    assert error(found("?key=major&value=3")) == (404, 40403, "Schema not found")
    assert error(found("?key=none&value=1"))[1] == 40403
    assert error(found("?key=o&value=me&key=major"))[:2] == (422, 422)
    client.delete("/subjects/a%2Fb/versions/2")
    assert found("?key=major&value=1").get_json()["version"] == 1
    assert found("?key=major&value=1&deleted=true").get_json()["version"] == 2
    assert error(client.get("/subjects/t/metadata?key=a&value=b")) == (404, 40401, "Subject 't' not found.")


def test_properties_of_a_version_that_has_no_metadata(client: FlaskClient) -> None:
    register(client, "s", '"int"')
    assert client.get("/subjects/s/metadata").get_json()["version"] == 1
    assert error(client.get("/subjects/s/metadata?key=a&value=b"))[1] == 40403
