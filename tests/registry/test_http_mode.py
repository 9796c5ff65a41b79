"""Modes over HTTP, and what they let happen."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from registry.http import create_app
from registry.records import from_log
from registry.registry import Registry
from registry.store import MemoryStore
from tests.registry.samples import avro, error, register

SCOPES = ("/mode", "/mode/s", "/mode/:.eu:", "/mode/:.eu:s", "/mode/a%2Fb", "/mode/:.__GLOBAL:")


def set_mode(client: FlaskClient, mode: str | None, scope: str = "", query: str = "") -> None:
    response = client.put(f"/mode{scope}{query}", json={"mode": mode})
    assert (response.status_code, response.get_json()) == (200, {"mode": mode})


def imported(client: FlaskClient, subject: str, text: str, number: int, version: int) -> Any:
    return register(client, subject, text, id=number, version=version)


def test_the_global_mode(client: FlaskClient) -> None:
    assert client.get("/mode").get_json() == {"mode": "READWRITE"}
    set_mode(client, "READONLY")
    assert client.get("/mode").get_json() == {"mode": "READONLY"}
    assert client.delete("/mode").get_json() == {"mode": "READONLY"}
    assert client.get("/mode").get_json() == {"mode": "READWRITE"}
    assert client.delete("/mode").get_json() == {"mode": "READWRITE"}


@pytest.mark.parametrize("scope", SCOPES[1:])
def test_the_mode_of_a_subject_or_a_context(client: FlaskClient, scope: str) -> None:
    subject = scope.removeprefix("/mode/").replace("%2F", "/")
    message = f"Subject '{subject}' does not have subject-level mode configured"
    assert error(client.get(scope)) == (404, 40409, message)
    assert client.get(f"{scope}?defaultToGlobal=true").get_json() == {"mode": "READWRITE"}
    assert error(client.delete(scope)) == (404, 40401, f"Subject '{subject}' not found.")
    client.put(scope, json={"mode": "READONLY"})
    assert client.get(scope).get_json() == {"mode": "READONLY"}
    assert client.delete(scope).get_json() == {"mode": "READONLY"}
    assert error(client.get(scope))[1] == 40409


@pytest.mark.parametrize("mode", ["READWRITE", "readonly", "Readonly_Override", "import"])
def test_modes_in_any_letter_case(client: FlaskClient, mode: str) -> None:
    for scope in SCOPES:
        assert client.put(scope, json={"mode": mode}).get_json() == {"mode": mode}  # as it was sent
        assert client.get(scope).get_json() == {"mode": mode.upper()}


def test_forward_is_for_all_contexts_together(client: FlaskClient) -> None:
    for scope in SCOPES[:-1]:
        expected = (422, 42205, "Forward mode only supported on global level")
        assert error(client.put(scope, json={"mode": "FORWARD"})) == expected
    set_mode(client, "forward", "/:.__GLOBAL:")
    assert imported(client, "s", '"int"', 7, 2)["id"] == 7
    assert error(client.post("/subjects/s/versions", json={"schema": '"long"'}))[1] == 42205


@pytest.mark.parametrize("body", [{"mode": "READ"}, {"mode": ""}, {"mode": " IMPORT"}, {}])
def test_what_is_no_mode(client: FlaskClient, body: dict[str, str]) -> None:
    message = "Invalid mode. Valid values are READWRITE, READONLY, IMPORT and FORWARD."
    for scope in (*SCOPES, "/mode/a%0Ab"):  # the mode is looked at before the subject
        assert error(client.put(scope, json=body)) == (422, 42204, message)


def test_bad_requests(client: FlaskClient) -> None:
    assert error(client.put("/mode", json={"mode": 1}))[:2] == (400, 400)
    assert error(client.put("/mode", data="{"))[:2] == (400, 400)
    assert error(client.post("/mode", json={"mode": "IMPORT"}))[:2] == (405, 405)
    for subject in ("a%0Ab", "__GLOBAL", "__EMPTY", ":.__GLOBAL:s"):
        assert error(client.put(f"/mode/{subject}", json={"mode": "READONLY"}))[:2] == (422, 42208)


def test_modes_that_cannot_be_changed() -> None:
    client = create_app(Registry(MemoryStore(), mode_mutability=False)).test_client()
    for scope in SCOPES:
        for response in (client.put(scope, json={"mode": "READONLY"}), client.delete(scope)):
            assert error(response) == (422, 42205, "Mode changes are not allowed")
    assert error(client.put("/mode", json={"mode": "x"}))[1] == 42204
    assert client.get("/mode").get_json() == {"mode": "READWRITE"}


def test_null_clears(client: FlaskClient, store: MemoryStore) -> None:
    set_mode(client, "READONLY", "/s")
    set_mode(client, None, "/s")
    assert error(client.get("/mode/s"))[1] == 40409
    head = store.head()
    set_mode(client, None, "/s")
    assert store.head() == head


def test_which_mode_holds(client: FlaskClient) -> None:
    def held(scope: str) -> Any:
        return client.get(f"/mode/{scope}?defaultToGlobal=true").get_json()["mode"]

    set_mode(client, "READONLY", "/:.__GLOBAL:")
    assert [held(scope) for scope in ("s", ":.eu:s", ":.eu:")] == ["READONLY"] * 3
    assert client.get("/mode").get_json() == {"mode": "READWRITE"}  # its own, or the default
    assert client.get("/mode?defaultToGlobal=true").get_json() == {"mode": "READONLY"}
    set_mode(client, "READWRITE")
    assert [held(scope) for scope in ("s", ":.eu:s", ":.eu:")] == ["READWRITE", "READONLY", "READONLY"]
    set_mode(client, "IMPORT", "/:.eu:")
    assert [held(scope) for scope in ("s", ":.eu:s", ":.eu:")] == ["READWRITE", "IMPORT", "IMPORT"]
    set_mode(client, "READONLY", "/s")
    assert [held(scope) for scope in ("s", "t", ":.eu:s")] == ["READONLY", "READWRITE", "IMPORT"]


def test_deleting_what_is_set_inside(client: FlaskClient) -> None:
    for scope in SCOPES:
        set_mode(client, "READONLY", scope.removeprefix("/mode"))

    def there() -> list[str]:
        return [scope for scope in SCOPES[1:] if client.get(scope).status_code == 200]

    assert client.delete("/mode/:.eu:?recursive=true").get_json() == {"mode": "READONLY"}
    assert there() == ["/mode/s", "/mode/a%2Fb", "/mode/:.__GLOBAL:"]
    assert client.delete("/mode?recursive=True").get_json() == {"mode": "READONLY"}
    assert there() == ["/mode/:.__GLOBAL:"]
    set_mode(client, "READONLY", "/:.eu:s")
    assert client.delete("/mode/:.__GLOBAL:?recursive=true").get_json() == {"mode": "READONLY"}
    assert there() == []
    set_mode(client, "IMPORT", "/s")
    assert client.delete("/mode?recursive=true").get_json() == {"mode": "READWRITE"}  # that was the default
    assert there() == []


# What they let happen


@pytest.mark.parametrize("mode", ["READONLY", "READONLY_OVERRIDE"])
@pytest.mark.parametrize("scope", ["", "/s", "/:.__GLOBAL:"])
def test_read_only(client: FlaskClient, mode: str, scope: str) -> None:
    known = register(client, "s", '"int"')
    register(client, "s", '"long"')
    client.delete("/subjects/s/versions/2")
    set_mode(client, mode, scope)
    refused = [
        client.post("/subjects/s/versions", json={"schema": '"double"'}),
        client.delete("/subjects/s"),
        client.delete("/subjects/s/versions/1"),
        client.delete("/subjects/s/versions/2?permanent=true"),
        client.put("/config/s", json={"compatibility": "NONE"}),
    ]
    for response in refused:
        assert error(response) == (422, 42205, "Subject s in context . is in read-only mode")
    assert register(client, "s", '"int"') == known
    assert client.post("/subjects/s", json={"schema": '"int"'}).status_code == 200
    assert client.post("/compatibility/subjects/s/versions", json={"schema": '"long"'}).status_code == 200
    set_mode(client, "READWRITE", scope)  # which is always possible
    assert client.delete("/subjects/s").get_json() == [1]


def test_importing(client: FlaskClient) -> None:
    set_mode(client, "IMPORT")
    assert imported(client, "s", '"string"', 70, 5)["version"] == 5
    assert imported(client, "s", '"int"', 10, 2)["id"] == 10  # neither compatible nor in order
    assert imported(client, "s", '"int"', 10, 7)["version"] == 7
    assert client.get("/subjects/s/versions").get_json() == [2, 5, 7]
    assert imported(client, "s", '"int"', 10, 2)["version"] == 2  # done over: the same again
    assert register(client, "s", '"int"')["id"] == 10
    for body, message in (
        ({"schema": '"long"'}, "Subject s in context . is not in read-write mode"),
        ({"schema": '"long"', "id": 10}, "Overwrite new schema with id 10 in context . is not permitted."),
        ({"schema": '"int"', "id": 10, "version": 5}, "Overwrite version 5 of subject s is not permitted."),
    ):
        assert error(client.post("/subjects/s/versions", json=body)) == (422, 42205, message)
    set_mode(client, "READWRITE")
    client.put("/config/s", json={"compatibility": "NONE"})
    following = register(client, "s", '"bytes"')
    assert (following["version"], following["id"]) == (8, 71)
    body = {"schema": '"long"', "id": 90}
    message = "Subject s in context . is not in import mode"
    assert error(client.post("/subjects/s/versions", json=body)) == (422, 42205, message)


def test_an_import_needs_an_empty_scope(client: FlaskClient) -> None:
    register(client, "s", '"int"')
    register(client, ":.eu:s", '"int"')
    message = "Cannot import since found existing subjects"
    for scope in ("/mode", "/mode/s", "/mode/:.eu:", "/mode/:.eu:s", "/mode/:.__GLOBAL:"):
        assert error(client.put(scope, json={"mode": "IMPORT"})) == (422, 42205, message)
    set_mode(client, "IMPORT", "/t")
    set_mode(client, "IMPORT", "/:.us:")
    client.delete("/subjects/:.eu:s")
    set_mode(client, "IMPORT", "/:.eu:")
    assert client.get("/subjects?deleted=true").get_json() == ["s"]
    set_mode(client, "IMPORT", "", "?force=true")
    assert client.get("/subjects").get_json() == ["s"]
    set_mode(client, "IMPORT")  # it is so already


@pytest.mark.parametrize("scope", ["", "/s", "/:.__GLOBAL:"])
def test_an_import_drops_what_is_deleted_softly(client: FlaskClient, store: MemoryStore, scope: str) -> None:
    register(client, "s", '"int"')
    client.put("/config/s", json={"compatibility": "FULL"})
    client.delete("/subjects/s")
    head = store.head()
    set_mode(client, "IMPORT", scope)
    written = [type(from_log(record)).__name__ for entry in store.read(head) for record in entry.records]
    assert written == ["ClearSubjectRecord", "ModeRecord"]  # in one append
    assert client.get("/subjects?deleted=true").get_json() == []
    assert client.get("/config/s").status_code == 200
    response = client.post("/subjects/s/versions", json={"schema": '"long"', "id": 1, "version": 1})
    assert error(response)[1] == 42205  # messages with the id may still be there
    assert imported(client, "s", '"int"', 1, 1)["version"] == 1


def test_an_import_does_not_drop_what_is_referred_to(client: FlaskClient) -> None:
    register(client, "inner", avro("Inner"))
    reference = {"name": "Inner", "subject": "inner", "version": 1}
    register(client, "outer", avro("Outer", i="Inner"), references=[reference])
    client.delete("/subjects/outer")
    client.delete("/subjects/inner")
    message = "One or more references exist to the schema {magic=1,keytype=SCHEMA,subject=inner,version=1}."
    assert error(client.put("/mode/inner", json={"mode": "IMPORT"})) == (422, 42206, message)
    set_mode(client, "IMPORT", "/inner", "?force=true")
    assert client.get("/subjects?deleted=true").get_json() == ["inner", "outer"]
    set_mode(client, "IMPORT")  # both go
    assert client.get("/subjects?deleted=true").get_json() == []


def test_a_subject_that_is_gone_takes_its_mode_along(client: FlaskClient) -> None:
    register(client, "s", '"int"')
    set_mode(client, "IMPORT", "/s", "?force=true")
    client.delete("/subjects/s")
    assert client.get("/mode/s").get_json() == {"mode": "IMPORT"}
    client.delete("/subjects/s?permanent=true")
    assert error(client.get("/mode/s"))[1] == 40409


def test_nothing_comes_after_the_highest_id_and_the_highest_version(client: FlaskClient) -> None:
    highest = 2**31 - 1
    set_mode(client, "IMPORT")
    assert imported(client, "s", '"int"', highest, highest)["version"] == highest
    no_version = f"Subject s has version {highest}, and no version can be higher"
    body = {"schema": '"long"', "id": 1}
    assert error(client.post("/subjects/s/versions", json=body)) == (422, 42205, no_version)
    set_mode(client, "READWRITE")
    body = {"schema": avro("New")}
    status, code, message = error(client.post("/subjects/t/versions", json=body))
    assert (status, code) == (422, 42205)
    assert message.startswith(f"The id {highest} was given out in context ., and no id can be higher;")
    # What has an id keeps it, and another context counts for itself.
    assert register(client, "t", '"int"')["id"] == highest
    assert client.get(f"/schemas/ids/{highest}").get_json()["schema"] == '"int"'
    assert register(client, ":.eu:t", avro("New"))["id"] == 1
    assert error(client.post("/subjects/s/versions?force=true", json=body))[:2] == (422, 42205)
    assert client.get("/subjects/s/versions?deleted=true").get_json() == [highest]
