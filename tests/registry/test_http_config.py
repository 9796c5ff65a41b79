"""Configs over HTTP."""

import pytest
from flask.testing import FlaskClient

from registry.model import Mode
from registry.records import ModeRecord
from registry.store import MemoryStore
from tests.registry.samples import error, register


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
    policy = client.put("/config/p", json={"compatibilityPolicy": "strict"}).get_json()
    assert policy == client.get("/config/p").get_json() == {"compatibilityPolicy": "STRICT"}


def test_what_holds_around_all_contexts(client: FlaskClient) -> None:
    client.put("/config/:.__GLOBAL:", json={"compatibility": "FULL", "normalize": True})
    whole = {"compatibilityLevel": "FULL", "normalize": True}
    for scope in ("", "/s", "/:.eu:", "/:.eu:s"):
        assert client.get(f"/config{scope}?defaultToGlobal=true").get_json() == whole
    assert client.get("/config").get_json() == {"compatibilityLevel": "BACKWARD"}  # its own, or the default
    client.put("/config", json={"compatibility": "NONE"})
    assert client.get("/config?defaultToGlobal=true").get_json() == {**whole, "compatibilityLevel": "NONE"}
    assert client.get("/config").get_json() == {"compatibilityLevel": "NONE"}


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
    client.put("/config", json={"compatibility": "FULL"})
    client.put("/config/s", json={"compatibility": "FULL"})
    store.append(3, [ModeRecord(None, Mode.READONLY).to_log()])
    for path in ("/config", "/config/s", "/config/t"):
        for same in ({"compatibility": "NONE"}, {"compatibility": "FULL"}, {}):
            assert error(client.put(path, json=same))[:2] == (422, 42205)
    for path in ("/config", "/config/s"):
        assert error(client.delete(path))[:2] == (422, 42205)
        assert client.get(path).get_json() == {"compatibilityLevel": "FULL"}


# Aliases


def alias(client: FlaskClient, subject: str, target: str | None) -> None:
    assert client.put(f"/config/{subject}", json={"alias": target}).status_code == 200


def test_an_alias_stands_for_its_subject(client: FlaskClient) -> None:
    alias(client, "a%2Fb", "s")
    assert register(client, "a%2Fb", '"int"')["version"] == 1
    assert register(client, "s", '"long"')["version"] == 2
    assert client.get("/subjects").get_json() == ["s"]
    assert client.get("/subjects/a%2Fb/versions").get_json() == [1, 2]
    assert client.get("/subjects/a%2Fb/versions/latest").get_json()["subject"] == "s"
    assert client.get("/subjects/a%2Fb/versions/1/schema").text == '"int"'
    assert client.get("/subjects/a%2Fb/versions/1/referencedby").get_json() == []
    assert client.get("/subjects/a%2Fb/metadata").get_json()["version"] == 2
    assert client.post("/subjects/a%2Fb", json={"schema": '"int"'}).get_json()["subject"] == "s"
    check = client.post("/compatibility/subjects/a%2Fb/versions/latest", json={"schema": '"string"'})
    assert check.get_json() == {"is_compatible": False}
    by_id = client.get("/schemas/ids/1?subject=a/b").get_json()
    assert (by_id["subject"], by_id["version"]) == ("s", 1)
    assert client.delete("/subjects/a%2Fb/versions/1").get_json() == 1
    assert client.delete("/subjects/a%2Fb").get_json() == [2]
    assert client.get("/subjects").get_json() == []


def test_configs_and_modes_of_an_alias_are_its_own(client: FlaskClient) -> None:
    alias(client, "a", "s")
    client.put("/config/a", json={"compatibility": "NONE"})
    client.put("/mode/a", json={"mode": "READONLY"})
    assert client.get("/config/a").get_json() == {"alias": "s", "compatibilityLevel": "NONE"}
    assert error(client.get("/config/s"))[1] == 40408
    assert error(client.get("/mode/s"))[1] == 40409
    register(client, "a", '"int"')  # the mode and the level are those of s
    assert error(client.post("/subjects/a/versions", json={"schema": '"string"'}))[1] == 409
    client.delete("/mode/a")
    alias(client, "a", None)
    assert error(client.get("/subjects/a/versions"))[1] == 40401


def test_an_alias_goes_one_step(client: FlaskClient) -> None:
    alias(client, "a", "b")
    alias(client, "b", "a")
    register(client, "a", '"int"')
    assert client.get("/subjects").get_json() == ["b"]
    register(client, "b", '"int"')
    assert client.get("/subjects").get_json() == ["a", "b"]


def test_an_alias_and_contexts(client: FlaskClient) -> None:
    alias(client, ":.eu:a", "s")
    alias(client, ":.eu:b", ":.:s")
    alias(client, ":.eu:", "s")  # a context is no alias
    alias(client, "c", ":.eu:s")
    register(client, ":.eu:a", '"int"')
    register(client, "s", '"long"')
    assert client.get("/subjects").get_json() == [":.eu:s", "s"]
    assert client.get("/subjects/:.eu:b/versions/1").get_json()["schema"] == '"long"'
    assert client.get("/contexts/.eu/subjects/a/versions/1").get_json()["schema"] == '"int"'
    assert client.get("/schemas/ids/1?subject=c").get_json()["schema"] == '"int"'
    assert client.get("/schemas/ids/1?subject=:.eu:").get_json()["schema"] == '"int"'


def test_an_alias_of_what_is_no_subject(client: FlaskClient) -> None:
    alias(client, "a", "x\ny")
    assert error(client.post("/subjects/a/versions", json={"schema": '"int"'}))[:2] == (422, 42208)
    assert error(client.get("/subjects/a/versions"))[1] == 40401
    alias(client, "a", "")
    assert register(client, "a", '"int"')["version"] == 1


def test_listing_aliases(client: FlaskClient) -> None:
    for subject in ("z", "a"):
        alias(client, subject, "s")
    register(client, "s", '"int"')
    register(client, "t", '"int"')
    s, t = client.get("/schemas?aliases=true").get_json()
    assert (s["aliases"], "aliases" in t) == (["a", "z"], False)
    assert all("aliases" not in schema for schema in client.get("/schemas").get_json())
