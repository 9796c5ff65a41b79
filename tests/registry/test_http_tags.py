"""Tags within a schema's text: found, added, removed, taken on from the version before."""

import json
from typing import Any

from flask.testing import FlaskClient

from tests.registry.samples import error, register

RECORD = {"entityPath": "shop.Order", "entityType": "sr_record"}
FIELD = {"entityPath": "shop.Order.card", "entityType": "SR_FIELD"}


def order(*fields: str, tags: dict[str, list[str]] | None = None) -> str:
    described = [
        {"name": name, "type": "string", "default": "", **tagged((tags or {}).get(name))} for name in fields
    ]
    whole = {"type": "record", "name": "Order", "namespace": "shop", "fields": described}
    return json.dumps({**whole, **tagged((tags or {}).get(""))}, separators=(",", ":"))


def tagged(tags: list[str] | None) -> dict[str, list[str]]:
    return {"confluent:tags": tags} if tags else {}


def edits(entity: dict[str, str], *tags: str) -> list[dict[str, Any]]:
    return [{"schemaEntity": entity, "tags": list(tags)}]


def found(client: FlaskClient, path: str) -> Any:
    return client.get(path).get_json().get("schemaTags")


def test_finding_tags(client: FlaskClient) -> None:
    number = register(client, "s", order("card", "note", tags={"": ["A"], "card": ["PII", "B"]}))["id"]
    record = {"schemaEntity": RECORD, "tags": ["A"]}
    card = {"schemaEntity": {**FIELD, "entityType": "sr_field"}, "tags": ["PII", "B"]}
    for path in (f"/schemas/ids/{number}", "/subjects/s/versions/1"):
        assert found(client, path) is None
        assert found(client, f"{path}?findTags=*") == [record, card]
        assert found(client, f"{path}?findTags=B") == [card]
        assert found(client, f"{path}?findTags=A&findTags=B") == [record, card]
        assert found(client, f"{path}?findTags=PII,X") == [card]  # as Java's client gives several
        assert found(client, f"{path}?findTags=C") is None
        assert found(client, f"{path}?findTags=,") is None


def test_tags_with_a_new_schema(client: FlaskClient) -> None:
    got = register(
        client, "s", order("card"), schemaTagsToAdd=[*edits(RECORD, "A"), *edits(FIELD, "PII", "B")]
    )
    assert got["schema"] == order("card", tags={"": ["A"], "card": ["PII", "B"]})
    less = register(client, "s", got["schema"], schemaTagsToRemove=edits(FIELD, "B"))
    assert (less["schema"], less["version"]) == (order("card", tags={"": ["A"], "card": ["PII"]}), 2)
    assert register(client, "s", "", schemaTagsToRemove=edits(RECORD, "A"))["version"] == 3  # of the latest


def test_tags_that_a_new_version_takes_on(client: FlaskClient) -> None:
    register(client, "s", order("card", "old", tags={"": ["A"], "card": ["PII"], "old": ["X"]}))
    plain = register(client, "s", order("card", "new"))
    assert plain["schema"] == order("card", "new")
    client.delete("/subjects/s/versions/2")
    taken = register(client, "s", order("card", "new", tags={"card": ["OWN"]}), propagateSchemaTags=True)
    assert taken["schema"] == order("card", "new", tags={"card": ["OWN", "PII"], "": ["A"]})
    assert register(client, "first", order("card"), propagateSchemaTags=True)["schema"] == order("card")


def test_retagging_a_version(client: FlaskClient) -> None:
    rule = {"kind": "CONDITION", "mode": "WRITE", "type": "CEL", "disabled": False}
    rules = [{"name": "a", **rule}, {"name": "b", **rule}]
    register(client, "s", order("card"), ruleSet={"domainRules": rules})
    path = "/subjects/s/versions/1/tags"
    got = client.post(path, json={"tagsToAdd": edits(FIELD, "PII")}).get_json()
    assert (got["version"], got["schema"]) == (2, order("card", tags={"card": ["PII"]}))
    assert got["metadata"] == {"properties": {"confluent:version": "2"}}
    assert [rule["name"] for rule in got["ruleSet"]["domainRules"]] == ["a", "b"]
    assert client.get("/subjects/s/versions/2").get_json()["id"] == got["id"]

    edit = {"newVersion": 3, "rulesToRemove": ["a"], "rulesToMerge": {"domainRules": [{"name": "c", **rule}]}}
    got = client.post("/subjects/s/versions/latest/tags", json=edit).get_json()
    assert [rule["name"] for rule in got["ruleSet"]["domainRules"]] == ["b", "c"]
    assert got["metadata"]["properties"] == {"confluent:version": "3"}

    got = client.post(path, json={"metadata": {"properties": {"o": "me"}}, "ruleSet": {}}).get_json()
    assert got["metadata"]["properties"] == {"confluent:version": "4", "o": "me"}
    assert got["ruleSet"] == {}
    assert error(client.post(path, json={"newVersion": 4}))[:2] == (422, 42201)


def test_retagging_what_is_not_there(client: FlaskClient) -> None:
    register(client, "s", order("card"))
    path = "/subjects/s/versions/1/tags"
    both = {"ruleSet": {"domainRules": []}, "rulesToRemove": ["a"]}
    assert error(client.post(path, json=both))[:2] == (422, 42210)
    status, code, message = error(
        client.post(path, json={"tagsToAdd": edits({**FIELD, "entityPath": "x"}, "T")})
    )
    assert (status, code) == (422, 42201)
    assert 'no field of a record has the path "x"' in message
    assert error(client.post(path, json={"tagsToAdd": edits({**FIELD, "entityType": "x"}, "T")}))[1] == 42201
    assert error(client.post(path, json={"tagsToAdd": [{"tags": ["T"]}]}))[0] == 400
    assert error(client.post("/subjects/s/versions/2/tags", json={}))[:2] == (404, 40402)
    assert error(client.post("/subjects/t/versions/1/tags", json={}))[:2] == (404, 40401)
    assert client.get("/subjects/s/versions").get_json() == [1]
