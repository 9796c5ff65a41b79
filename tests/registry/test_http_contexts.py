"""Contexts over HTTP: as resources, in paths, and looked through for a name without one."""

from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

from registry.store import MemoryStore
from tests.registry.samples import avro, error, register

EU = "/contexts/.eu"


# Contexts themselves


def test_listing_contexts(client: FlaskClient) -> None:
    assert client.get("/contexts").get_json() == ["."]
    for subject in (":.us:s", "s", ":.eu:s", ":.eu.west:s"):
        register(client, subject, '"int"')
    assert client.get("/contexts").get_json() == [".", ".eu", ".eu.west", ".us"]
    assert client.get("/contexts?contextPrefix=.eu").get_json() == [".eu", ".eu.west"]
    assert client.get("/contexts?offset=1&limit=2").get_json() == [".eu", ".eu.west"]
    assert client.get("/contexts?offset=9").get_json() == []
    assert error(client.get("/contexts?offset=x"))[:2] == (404, 404)


@pytest.mark.parametrize("context", [".eu", ":.eu:", ":.eu"])
def test_deleting_a_context(client: FlaskClient, context: str) -> None:
    register(client, ":.eu:s", '"int"')
    client.put("/config/:.eu:", json={"compatibility": "FULL"})
    client.put("/mode/:.eu:", json={"mode": "READWRITE"})
    message = "The specified context '.eu' is not empty."
    assert error(client.delete(f"/contexts/{context}")) == (422, 42211, message)
    client.delete("/subjects/:.eu:s")
    assert error(client.delete(f"/contexts/{context}"))[1] == 42211
    client.delete("/subjects/:.eu:s?permanent=true")
    assert client.get("/contexts").get_json() == [".", ".eu"]
    response = client.delete(f"/contexts/{context}")
    assert (response.status_code, response.data) == (204, b"")
    assert client.get("/contexts").get_json() == ["."]
    assert error(client.get("/config/:.eu:"))[1] == 40408
    assert error(client.get("/mode/:.eu:"))[1] == 40409
    assert register(client, ":.eu:s", '"long"')["id"] == 2  # an id is never given out twice


def test_deleting_what_is_not_there(client: FlaskClient, store: MemoryStore) -> None:
    for context in (".none", ".", ".__GLOBAL"):
        assert client.delete(f"/contexts/{context}").status_code == 204
    assert store.head() == 0
    register(client, "s", '"int"')
    assert error(client.delete("/contexts/."))[1] == 42211
    for name in ("eu", ":eu:", "a:.eu", ".a:b"):
        assert error(client.delete(f"/contexts/{name}")) == (404, 404, "HTTP 404 Not Found")
    assert error(client.post("/contexts/.eu"))[:2] == (405, 405)


def test_a_read_only_context_is_not_deleted(client: FlaskClient) -> None:
    client.put("/mode/:.eu:", json={"mode": "READONLY"})
    assert error(client.delete("/contexts/.eu"))[:2] == (422, 42205)


# In paths


@pytest.mark.parametrize("context", [".eu", ":.eu:", ".eu.west", ".é", ".a b"])
@pytest.mark.parametrize("subject", ["s", "a/b", "/a", "a%b", "a?b&c", "é你", "versions", ":a"])
def test_every_route_below_a_context(client: FlaskClient, context: str, subject: str) -> None:
    base, path = f"/contexts/{quote(context, safe='')}", quote(subject, safe="")
    whole = f":{context.strip(':')}:{subject}"
    register(client, "s", '"bytes"')
    registered = client.post(f"{base}/subjects/{path}/versions", json={"schema": '"int"'})
    assert registered.get_json()["id"] == 1
    assert client.get(f"{base}/subjects").get_json() == [whole]
    assert client.get(f"{base}/subjects?subjectPrefix={path}&deleted=true").get_json() == [whole]
    assert client.get(f"{base}/subjects/{path}/versions").get_json() == [1]
    assert client.get(f"{base}/subjects/{path}/versions/latest").get_json()["subject"] == whole
    assert client.post(f"{base}/subjects/{path}", json={"schema": '"int"'}).get_json()["subject"] == whole
    check = client.post(f"{base}/compatibility/subjects/{path}/versions", json={"schema": '"string"'})
    assert check.get_json() == {"is_compatible": False}
    assert [v["subject"] for v in client.get(f"{base}/schemas").get_json()] == [whole]
    assert client.get(f"{base}/schemas/ids/1/schema").text == '"int"'
    assert client.get(f"{base}/schemas/ids/1?subject={path}").get_json()["subject"] == whole
    assert client.get(f"{base}/schemas/ids/1/subjects").get_json() == [whole]
    assert client.get(f"{base}/schemas/types").get_json() == ["AVRO"]
    assert client.get(f"{base}/v1/metadata/id").status_code == 200
    assert client.get(f"{base}/associations/subjects/{path}").get_json() == []
    for what, value in (("config", {"compatibility": "FULL"}), ("mode", {"mode": "READWRITE"})):
        for scope in ("", f"/{path}"):
            assert client.put(f"{base}/{what}{scope}", json=value).get_json() == value
            assert client.get(f"{base}/{what}{scope}").status_code == 200
        assert client.get(f"/{what}/{quote(whole, safe='')}").status_code == 200
    assert client.get("/config").get_json() == {"compatibilityLevel": "BACKWARD"}
    assert client.delete(f"{base}/subjects/{path}").get_json() == [1]
    assert client.get("/subjects").get_json() == ["s"]


def test_the_scope_of_a_context_itself(client: FlaskClient) -> None:
    client.put(f"{EU}/config", json={"compatibility": "NONE"})
    client.put(f"{EU}/mode/", json={"mode": "READONLY"})
    assert client.get("/config/:.eu:").get_json() == {"compatibilityLevel": "NONE"}
    assert client.get("/mode/:.eu:").get_json() == {"mode": "READONLY"}
    assert error(client.post(f"{EU}/subjects/s/versions", json={"schema": '"int"'}))[1] == 42205


def test_a_subject_that_says_its_context_keeps_it(client: FlaskClient) -> None:
    register(client, ":.us:s", '"int"')
    register(client, "s", '"long"')
    assert client.get(f"{EU}/subjects/:.us:s/versions/1").get_json()["schema"] == '"int"'
    assert client.get(f"{EU}/subjects/:.:s/versions/1").get_json()["subject"] == "s"
    assert client.get(f"{EU}/schemas/ids/1?subject=:.us:").get_json()["schema"] == '"int"'
    assert client.get(f"{EU}/subjects?subjectPrefix=:*:").get_json() == [":.us:s", "s"]
    assert client.get(f"{EU}/schemas?subjectPrefix=:.us:").get_json()[0]["subject"] == ":.us:s"
    assert client.get("/contexts/:.:/subjects").get_json() == ["s"]


def test_references_below_a_context(client: FlaskClient) -> None:
    register(client, ":.eu:inner", avro("Inner"))
    body = {
        "schema": avro("Outer", i="Inner"),
        "references": [{"name": "Inner", "subject": "inner", "version": 1}],
    }
    outer = client.post(f"{EU}/subjects/outer/versions", json=body).get_json()
    assert client.get(f"{EU}/subjects/inner/versions/1/referencedby").get_json() == [outer["id"]]


@pytest.mark.parametrize(
    "path", ["/contexts/eu/subjects", "/contexts//subjects", "/contexts/.eu/none", f"{EU}{EU}/subjects"]
)
def test_what_is_no_path_below_a_context(client: FlaskClient, path: str) -> None:
    assert error(client.get(path)) == (404, 404, "HTTP 404 Not Found")


@pytest.mark.parametrize(
    "path", [f"{EU}/subjects/%FF/versions", f"{EU}/schemas?subjectPrefix=%FF", "/contexts/.%FF/subjects"]
)
def test_bytes_that_are_no_text(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code in {200, 404}


# A slash at the end


@pytest.mark.parametrize("base", ["", "/contexts/.eu"])
@pytest.mark.parametrize("subject", ["s", "a%2Fb", "versions"])
def test_a_slash_behind_a_path_is_no_part_of_the_subject(
    client: FlaskClient, base: str, subject: str
) -> None:
    versions, body = f"{base}/subjects/{subject}/versions/", {"schema": '"int"'}
    number = client.post(versions, json=body).get_json()["id"]
    whole = client.get(versions + "1").get_json()
    listed = client.get(f"{base}/subjects/").get_json()
    assert (listed, client.get(f"{base}/schemas/").get_json()) == ([whole["subject"]], [whole])
    assert client.get(versions).get_json() == [1]
    assert client.get(versions + "latest/").get_json() == whole
    assert client.get(versions + "1/schema/").text == '"int"'
    assert client.get(versions + "1/referencedby/").get_json() == []
    assert client.get(f"{base}/subjects/{subject}/metadata/").get_json() == whole
    # Java's client asks here whether a schema could be registered, and its Maven plugin with it.
    check = f"{base}/compatibility/subjects/{subject}/versions/"
    answered = client.post(f"{check}?normalize=false&verbose=true", json=body).get_json()
    assert answered == {"is_compatible": True, "messages": []}
    assert client.post(f"{check}latest/", json=body).get_json() == {"is_compatible": True}
    assert client.post(versions + "1/tags/", json={}).get_json()["id"] != number
    assert client.delete(versions + "1/").get_json() == 1


@pytest.mark.parametrize("base", ["/", "//", "/contexts/.eu/", "//contexts/.eu/", "/contexts/.eu//"])
def test_a_base_url_may_end_in_a_slash(client: FlaskClient, base: str) -> None:
    def ask(method: str, path: str, body: object = None) -> Any:
        # The test client would take the first part of such a path for a host.
        whole = {"PATH_INFO": base + path}
        return client.open(method=method, json=body, environ_overrides=whole).get_json()

    body = {"schema": '"int"'}
    assert ask("POST", "/subjects/s/versions", body)["id"] == 1
    (subject,) = ask("GET", "/subjects")
    assert subject == (":.eu:s" if "eu" in base else "s")
    assert ask("GET", "/subjects/s/versions/") == [1]
    assert ask("GET", "/schemas/ids/1")["schema"] == '"int"'
    assert ask("POST", "/compatibility/subjects/s/versions/", body) == {"is_compatible": True}
    assert ask("PUT", "/config/s", {"compatibility": "FULL"}) == {"compatibility": "FULL"}
    assert client.get(f"/config/{subject}").get_json() == {"compatibilityLevel": "FULL"}
    assert ask("GET", "") == {}


def test_a_subject_may_end_in_a_slash(client: FlaskClient) -> None:
    register(client, "a%2F", '"int"')
    assert client.get("/subjects/").get_json() == ["a/"]
    assert client.put("/config/a%2F", json={"compatibility": "FULL"}).status_code == 200
    assert error(client.get("/config/a"))[1] == 40408
    assert client.post("/subjects/a%2F", json={"schema": '"int"'}).get_json()["subject"] == "a/"
    assert client.delete("/subjects/a%2F").get_json() == [1]


# Names without a context


def test_a_bare_name_is_looked_for_in_every_context(client: FlaskClient) -> None:
    register(client, ":.eu:s", '"int"')
    register(client, ":.eu:s", '"long"')
    register(client, ":.us:s", '"string"')

    def found(version: str) -> Any:
        return client.get(f"/subjects/s/versions/{version}").get_json()

    def looked_up(schema: str) -> Any:
        return client.post("/subjects/s", json={"schema": f'"{schema}"'})

    assert (found("latest")["subject"], found("latest")["version"]) == (":.eu:s", 2)
    assert client.get("/subjects/s/versions/1/schema").text == '"int"'
    assert looked_up("string").get_json()["subject"] == ":.us:s"
    assert looked_up("long").get_json()["version"] == 2
    assert error(looked_up("bytes")) == (404, 40401, "Subject 's' not found.")
    assert error(client.get("/subjects/s/versions/3"))[1] == 40401
    register(client, "s", '"double"')
    assert found("1")["subject"] == "s"
    assert found("2")["subject"] == ":.eu:s"
    assert looked_up("int").get_json()["subject"] == ":.eu:s"
    assert error(looked_up("bytes"))[1] == 40403
    assert error(client.get("/subjects/s/versions/3")) == (404, 40402, "Version 3 not found.")


def test_a_name_with_a_context_is_only_looked_for_there(client: FlaskClient) -> None:
    register(client, "s", '"int"')
    register(client, ":.eu:s", '"int"')
    assert error(client.get("/subjects/:.us:s/versions/1"))[1] == 40401
    assert error(client.post("/subjects/:.us:s", json={"schema": '"int"'}))[1] == 40401


def test_what_changes_something_is_about_the_default_context(client: FlaskClient) -> None:
    register(client, ":.eu:s", '"int"')
    for response in (
        client.get("/subjects/s/versions"),
        client.delete("/subjects/s"),
        client.delete("/subjects/s/versions/1"),
    ):
        assert error(response)[1] == 40401
    assert register(client, "s", '"string"')["version"] == 1


# What the registry says of itself


def test_metadata(client: FlaskClient) -> None:
    about = client.get("/v1/metadata/id").get_json()
    assert about["scope"]["clusters"]["schema-registry-cluster"] == "schema-registry"
    assert (about["id"], about["scope"]["path"]) == ("", [])
    assert set(client.get("/v1/metadata/version").get_json()) == {"version", "commitId"}
    assert client.get("/v1/metadata/deployment").get_json() == {"attributes": []}


def test_the_address_of_a_context_answers_as_the_registrys_does(client: FlaskClient) -> None:
    assert client.get("/contexts/.eu/").get_json() == {}
    assert client.post("/contexts/:.eu:/").get_json() == {}
    register(client, ":.eu:s", '"int"')
    assert client.delete("/contexts/.eu/").status_code == 422  # that is the context itself
