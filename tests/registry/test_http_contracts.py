"""What metadata and rules demand: stamps of versions, reserved fields, rule sets that are none."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from registry.http import create_app
from registry.registry import Limits, Registry
from registry.store import MemoryStore
from tests.registry.samples import avro, error, register

RULE = {"name": "r", "kind": "CONDITION", "mode": "WRITE", "type": "CEL"}


def stamp(answer: Any) -> Any:
    return answer.get("metadata", {}).get("properties", {}).get("confluent:version")


def test_a_version_that_was_insisted_on_is_in_the_metadata_from_then_on(client: FlaskClient) -> None:
    client.put("/config", json={"compatibility": "NONE"})
    assert stamp(register(client, "s", '"int"')) is None
    second = register(client, "s", '"long"', version=2)
    assert stamp(second) == "2"
    assert stamp(register(client, "s", '"float"')) == "3"
    assert stamp(register(client, "s", '"double"', version=-1)) == "4"
    assert stamp(register(client, "s", '"bytes"', metadata={"properties": {"a": "b"}})) is None
    assert stamp(register(client, "s", '"string"')) is None
    # Who looks for the schema knows nothing of stamps.
    assert register(client, "s", '"long"') == second == register(client, "s", '"long"', version=2)
    assert client.post("/subjects/s", json={"schema": '"long"'}).get_json()["version"] == 2
    wrong = {"schema": '"long"', "metadata": {"properties": {"confluent:version": "7"}}}
    assert error(client.post("/subjects/s", json=wrong))[:2] == (404, 40403)


def test_insisting_on_the_latest_does_not_find_older_versions(client: FlaskClient) -> None:
    client.put("/config", json={"compatibility": "NONE"})
    for kind in ("int", "string"):
        register(client, "s", f'"{kind}"')
    assert register(client, "s", '"string"', version=-1)["version"] == 2
    assert register(client, "s", '"int"', version=-1)["version"] == 3


def test_reserved_fields(client: FlaskClient) -> None:
    client.put("/config", json={"validateFields": True, "compatibility": "NONE"})
    reserving = {"metadata": {"properties": {"confluent:reserved": "old, older,"}}}
    register(client, "s", avro("R", a="int"), **reserving)
    refused = client.post("/subjects/s/versions", json={"schema": avro("R", old="int", b="int"), **reserving})
    assert error(refused)[:2] == (409, 409)
    assert "The new schema has field that conflicts with the reserved field old." in error(refused)[2]
    assert "{validateFields: 'true', compatibility: 'NONE'}" in error(refused)[2]

    less = {"schema": avro("R", b="int"), "metadata": {"properties": {"confluent:reserved": "older"}}}
    verdict = client.post("/compatibility/subjects/s/versions?verbose=true", json=less).get_json()
    assert verdict == {
        "is_compatible": False,
        "messages": [
            (
                "The new schema has reserved field old removed from its metadata which is present in the "
                "old schema's metadata."
            ),
            "{validateFields: 'true', compatibility: 'NONE'}",
        ],
    }
    # What says nothing of metadata takes them on, and what is reserved stays reserved.
    assert register(client, "s", avro("R", b="int"))["metadata"] == reserving["metadata"]
    assert error(client.post("/subjects/s/versions", json={"schema": avro("R", older="int")}))[1] == 409
    client.put("/config", json={"validateFields": None})
    assert register(client, "s", avro("R", older="int"))["version"] == 3


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        ({"domainRules": [RULE, {**RULE, "mode": "READ"}]}, "two rules of domainRules have the name 'r'"),
        ({"domainRules": [{**RULE, "name": None}]}, "a rule of domainRules has no name"),
        ({"domainRules": [{**RULE, "name": ""}]}, "a rule of domainRules has no name"),
        ({"encodingRules": [{**RULE, "name": "1a"}]}, "'1a' cannot name a rule"),
        ({"domainRules": [{**RULE, "name": "-a"}]}, "'-a' cannot name a rule"),
        ({"domainRules": [{**RULE, "name": "a b"}]}, "'a b' cannot name a rule"),
        ({"domainRules": [{**RULE, "name": "a\n"}]}, "'a\\n' cannot name a rule"),
        ({"domainRules": [{**RULE, "type": None}]}, "rule 'r' has no type"),
        ({"domainRules": [{**RULE, "mode": "UPGRADE"}]}, "rule 'r' has mode UPGRADE, and domainRules"),
        ({"migrationRules": [{**RULE, "mode": None}]}, "rule 'r' has mode WRITEREAD, and migrationRules"),
        ({"encodingRules": [{**RULE, "mode": "UPDOWN"}]}, "rule 'r' has mode UPDOWN, and encodingRules"),
    ],
)
def test_rule_sets_that_are_none(client: FlaskClient, rules: Any, says: str) -> None:
    for answer in (
        client.post("/subjects/s/versions", json={"schema": '"int"', "ruleSet": rules}),
        client.put("/config/s", json={"defaultRuleSet": rules}),
        client.put("/config/a%0Ab", json={"defaultRuleSet": rules}),  # looked at before the subject
        client.put("/config", json={"overrideRuleSet": rules}),
    ):
        status, code, message = error(answer)
        assert (status, code) == (422, 42210)
        assert message.startswith(f"Invalid rule set: {says}")
    assert client.get("/subjects").get_json() == []


@pytest.mark.parametrize("name", ["encrypt-pii", "_", "a1", "_1-", "é"])
def test_what_may_name_a_rule(client: FlaskClient, name: str) -> None:
    got = register(client, "s", '"int"', ruleSet={"domainRules": [{**RULE, "name": name}]})
    assert [rule["name"] for rule in got["ruleSet"]["domainRules"]] == [name]


def test_one_name_may_be_used_in_two_phases(client: FlaskClient) -> None:
    rules = {"domainRules": [RULE], "migrationRules": [{**RULE, "mode": "UPDOWN"}]}
    assert register(client, "s", '"int"', ruleSet=rules)["version"] == 1


def test_limits_on_references_and_versions() -> None:
    limits = Limits(references=2, versions=3)
    client = create_app(Registry(MemoryStore(), limits=limits)).test_client()
    for number in range(4):
        needed = [{"name": f"R{number - 1}", "subject": f"r{number - 1}", "version": 1}] if number else []
        body = {
            "schema": avro(f"R{number}", **({"f": f"R{number - 1}"} if number else {})),
            "references": needed,
        }
        answer = client.post(f"/subjects/r{number}/versions", json=body)
        if number < 3:  # the third refers to one, which refers to one
            assert answer.status_code == 200
    status, code, message = error(answer)
    assert (status, code) == (422, 42201)
    assert "needs more than 2 other schemas" in message
    assert "FIVEBYTE_MAX_REFERENCES" in message

    client.put("/config/s", json={"compatibility": "NONE"})
    for kind in ("int", "long", "string"):
        register(client, "s", f'"{kind}"')
    client.delete("/subjects/s/versions/1")
    status, code, message = error(client.post("/subjects/s/versions", json={"schema": '"bytes"'}))
    assert (status, code) == (422, 42205)
    assert "Subject s has 3 versions, and the limit is 3 (FIVEBYTE_MAX_VERSIONS)" in message
    client.delete("/subjects/s/versions/1?permanent=true")
    assert register(client, "s", '"bytes"')["version"] == 4


def test_the_code_of_an_incompatible_schema_is_a_setting() -> None:
    client = create_app(Registry(MemoryStore()), incompatible_error_code=40901).test_client()
    register(client, "s", '"int"')
    assert error(client.post("/subjects/s/versions", json={"schema": '"string"'}))[:2] == (409, 40901)


def test_whether_new_schemas_are_validated_is_a_setting() -> None:
    wrong = avro("R", a=("int", "one"))
    strict = create_app(Registry(MemoryStore())).test_client()
    assert error(strict.post("/subjects/s/versions", json={"schema": wrong}))[1] == 42201
    lenient = create_app(Registry(MemoryStore(), validate_new_schemas=False)).test_client()
    assert register(lenient, "s", wrong)["version"] == 1
    assert lenient.get("/config").get_json() == {
        "compatibilityLevel": "BACKWARD",
        "validateNewSchemas": False,
    }
    lenient.put("/config/t", json={"validateNewSchemas": True})
    assert error(lenient.post("/subjects/t/versions", json={"schema": wrong}))[1] == 42201
