"""Metadata and rules that a new schema takes on from configs and from the version before it."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.registry.samples import register


def rule(name: str, expr: str, mode: str = "WRITE") -> dict[str, Any]:
    whole = {"name": name, "kind": "CONDITION", "mode": mode, "type": "CEL", "expr": expr}
    return {**whole, "disabled": False}


def configure(client: FlaskClient, scope: str = "", **parts: Any) -> None:
    assert client.put(f"/config{scope}", json=parts).status_code == 200


def test_metadata_between_defaults_and_overrides(client: FlaskClient) -> None:
    configure(
        client,
        defaultMetadata={
            "properties": {"a": "default", "b": "default", "c": "default"},
            "tags": {"R.x": ["PII"], "R.y": ["OLD"]},
            "sensitive": ["a"],
        },
        overrideMetadata={"properties": {"c": "override"}, "tags": {"R.x": ["GDPR"]}, "sensitive": ["c"]},
    )
    body = {"properties": {"b": "own", "c": "own", "d": "own"}, "tags": {"R.x": ["OWN"]}}
    merged = {
        "properties": {"a": "default", "b": "own", "c": "override", "d": "own"},
        "tags": {"R.x": ["GDPR", "OWN", "PII"], "R.y": ["OLD"]},
        "sensitive": ["a", "c"],
    }
    assert register(client, "s", '"int"', metadata=body)["metadata"] == merged
    assert client.get("/subjects/s/versions/1").get_json()["metadata"] == merged
    alone = register(client, "t", '"int"')["metadata"]
    assert alone["properties"] == {"a": "default", "b": "default", "c": "override"}


def test_rules_between_defaults_and_overrides(client: FlaskClient) -> None:
    configure(
        client,
        defaultRuleSet={"domainRules": [rule("a", "default"), rule("b", "default")], "enableAt": "first"},
        overrideRuleSet={"domainRules": [rule("c", "override")], "encodingRules": [rule("e", "override")]},
    )
    migration = [rule("m", "own", "UPGRADE")]
    own = {"domainRules": [rule("c", "own"), rule("b", "own")], "migrationRules": migration}
    assert register(client, "s", '"int"', ruleSet=own)["ruleSet"] == {
        "migrationRules": migration,
        "domainRules": [rule("a", "default"), rule("b", "own"), rule("c", "override")],
        "encodingRules": [rule("e", "override")],
        "enableAt": "first",
    }
    assert register(client, "t", '"int"')["ruleSet"]["domainRules"] == [
        rule("a", "default"),
        rule("b", "default"),
        rule("c", "override"),
    ]


@pytest.mark.parametrize("part", ["default", "override"])
def test_one_of_them_alone(client: FlaskClient, part: str) -> None:
    rules = {"domainRules": [rule("a", "config")]}
    configure(client, "/s", **{f"{part}Metadata": {"properties": {"o": "me"}}, f"{part}RuleSet": rules})
    registered = register(client, "s", '"int"')
    assert (registered["metadata"], registered["ruleSet"]) == ({"properties": {"o": "me"}}, rules)
    assert not {"metadata", "ruleSet"} & set(register(client, "t", '"int"'))  # another subject


def test_what_is_inherited_stands_in_for_what_is_given(client: FlaskClient) -> None:
    register(client, "s", '"int"', metadata={"properties": {"o": "me", "n": "1"}})
    configure(client, "/s", defaultMetadata={"properties": {"o": "default", "p": "default"}})
    assert register(client, "s", '"long"')["metadata"] == {
        "properties": {"n": "1", "o": "me", "p": "default"}
    }
    assert register(client, "s", '"float"', metadata={"properties": {"n": "2"}})["metadata"] == {
        "properties": {"n": "2", "o": "default", "p": "default"}
    }


def test_registering_again(client: FlaskClient) -> None:
    before = register(client, "s", '"int"')
    configure(client, "/s", overrideMetadata={"properties": {"o": "me"}})
    after = register(client, "s", '"int"')
    assert (after["version"], after["id"]) == (2, 2)  # it takes on what it did not have
    assert register(client, "s", '"int"') == after
    assert register(client, "s", '"int"', version=2) == after
    configure(client, "/s", overrideMetadata=None)
    assert register(client, "s", '"int"') == before


def test_looking_up_takes_on_what_the_latest_version_has(client: FlaskClient) -> None:
    configure(client, "/s", overrideMetadata={"properties": {"o": "me"}})
    registered = register(client, "s", '"int"')
    assert client.post("/subjects/s", json={"schema": '"int"'}).get_json()["id"] == registered["id"]


def test_an_imported_schema_stays_as_it_is(client: FlaskClient) -> None:
    configure(client, "/s", overrideMetadata={"properties": {"o": "me"}})
    client.put("/mode/s", json={"mode": "IMPORT"})
    imported = register(client, "s", '"int"', id=7, version=3)
    assert "metadata" not in imported
    assert register(client, "s", '"int"', id=7, version=3) == imported


def test_a_default_decides_the_compatibility_group(client: FlaskClient) -> None:
    configure(client, "/s", compatibilityGroup="major", defaultMetadata={"properties": {"major": "1"}})
    register(client, "s", '"int"')
    refused = client.post("/subjects/s/versions", json={"schema": '"string"'})
    assert refused.status_code == 409
    assert register(client, "s", '"string"', metadata={"properties": {"major": "2"}})["version"] == 2
