"""Configs over HTTP."""

import pytest
from flask.testing import FlaskClient

from registry.model import Mode
from registry.records import ModeRecord
from registry.store import MemoryStore
from tests.registry.samples import error


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
