"""The description of the API: that it is whole, that it is OpenAPI, and that the answers are as it says."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from openapi_spec_validator import validate

import registry.errors
import registry.http
from registry.http import create_app
from registry.http.openapi import codes, document
from registry.registry import Registry
from registry.store import MemoryStore
from tests.registry.conforming import OPERATIONS, ConformingClient, route_of
from tests.registry.samples import avro, register
from tests.support.needs import ROOT


def test_it_is_openapi() -> None:
    validate(dict(document()))


def test_every_route_is_described_and_nothing_else() -> None:
    app = create_app(Registry(MemoryStore()))
    routes = {
        route_of(method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert routes == set(OPERATIONS)
    assert len({operation.name for operation in OPERATIONS.values()}) == len(OPERATIONS)


def test_every_error_code_is_described() -> None:
    errors = {
        error
        for error in vars(registry.errors).values()
        if isinstance(error, type) and issubclass(error, registry.errors.RegistryError)
    }
    never_answered = {404, 422, 500}  # of those that stand for a family, or are met at start only
    described = {codes(fault)[1] for operation in OPERATIONS.values() for fault in operation.all_faults()}
    assert {error.code for error in errors} - never_answered <= described
    text = json.dumps(document()["components"]["responses"])
    assert all(f"`{code}`: " in text for code in described)


def test_every_query_parameter_is_described() -> None:
    (folder,) = registry.http.__path__
    code = "".join(path.read_text() for path in sorted(Path(folder).glob("*.py")))
    read = set(re.findall(r"""\b(?:flag|number|query|args\.get|args\.getlist)\(\s*"(\w+)\"""", code))
    assert read == {query.name for operation in OPERATIONS.values() for query in operation.query}


def test_it_is_the_same_in_every_process(client: FlaskClient) -> None:
    served = client.get("/openapi.json")
    assert served.content_type == "application/json"
    assert served.get_json()["info"]["version"] == registry_version(client)
    code = (
        "from registry.http import create_app; from registry.registry import Registry; "
        "from registry.store import MemoryStore; "
        "print(create_app(Registry(MemoryStore())).test_client().get('/openapi.json').text)"
    )
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        printed = subprocess.run(
            [sys.executable, "-c", code],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout
        assert printed.strip() == served.text


def registry_version(client: FlaskClient) -> Any:
    return client.get("/v1/metadata/version").get_json()["version"]


def test_the_page_has_every_operation_and_needs_nothing_from_outside(client: FlaskClient) -> None:
    served = client.get("/docs", headers={"Accept": "text/html"})
    assert (served.status_code, served.content_type) == (200, "text/html; charset=utf-8")
    for operation in OPERATIONS.values():
        assert f'<details id="{operation.name}">' in served.text
    for name in document()["components"]["schemas"]:
        assert f'<details id="type-{name}">' in served.text
    targets = re.findall(r'(?:href|src)="([^"]*)"', served.text)
    assert {target for target in targets if not target.startswith("#")} == {"openapi.json"}
    ids = re.findall(r'\bid="([^"]*)"', served.text)
    assert len(ids) == len(set(ids))
    assert {target[1:] for target in targets if target.startswith("#")} <= set(ids)
    assert "url(" not in served.text
    assert served.headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_both_are_there_below_a_context_too(client: FlaskClient) -> None:
    for path in ("/openapi.json", "/docs"):
        assert client.get(f"/contexts/.eu{path}").data == client.get(path).data


CONTRACT = {
    "metadata": {"tags": {"a": ["PII"]}, "properties": {"owner": "ada"}, "sensitive": ["owner"]},
    "ruleSet": {
        "domainRules": [
            {
                "name": "r",
                "kind": "CONDITION",
                "type": "CEL",
                "mode": "WRITE",
                "expr": "true",
                "disabled": False,
            }
        ],
        "migrationRules": [{"name": "m", "kind": "TRANSFORM", "type": "JSONATA", "mode": "UPGRADE"}],
    },
}

CONFIG = {
    "compatibility": "none",
    "normalize": True,
    "compatibilityGroup": "g",
    "alias": "x",
    "aliasForDeks": "y",
    "validateFields": True,
    "validateNewSchemas": False,
    "validateRules": True,
    "compatibilityPolicy": "STRICT",
    "defaultMetadata": CONTRACT["metadata"],
    "overrideMetadata": CONTRACT["metadata"],
    "defaultRuleSet": CONTRACT["ruleSet"],
    "overrideRuleSet": CONTRACT["ruleSet"],
}
RETAGGING = {
    "tagsToAdd": [
        {"schemaEntity": {"entityPath": "shop.Order.id", "entityType": "sr_field"}, "tags": ["PII"]}
    ]
}
READS = """
/
/subjects
/subjects?deletedOnly=true&offset=1&limit=2
/subjects/basket/metadata?key=owner&value=ada
/subjects/order/versions
/subjects/basket/versions/latest
/subjects/basket/versions/1/schema
/subjects/line/versions/1/referencedby
/schemas?aliases=true
/schemas?latestOnly=true&ruleType=CEL
/schemas/ids/1
/schemas/ids/2?subject=basket&fetchMaxId=true
/schemas/ids/1/schema
/schemas/ids/1/subjects
/schemas/ids/1/versions
/schemas/guids/{guid}
/schemas/guids/{guid}/ids
/schemas/types
/config
/config/order?defaultToGlobal=true
/mode
/mode/order?defaultToGlobal=true
/contexts
/v1/metadata/id
/v1/metadata/version
/v1/metadata/deployment
/associations/resources/-/orders
/associations/subjects/order
/openapi.json
/docs
/health/live
/health/ready
/metrics
"""


def test_every_operation_answers_as_described(client: ConformingClient) -> None:
    order = avro("shop.Order", id="long")
    register(client, "line", avro("shop.Line", id="long"))
    basket = avro("shop.Basket", line="shop.Line")
    references = [{"name": "shop.Line", "subject": "line", "version": 1}]
    register(client, "basket", basket, references=references, **CONTRACT)
    register(client, ":.eu:order", order)
    guid = register(client, "order", order)["guid"]
    client.put("/config/alias", json={"alias": "order"})
    for path in READS.format(guid=guid).split():
        assert client.get(path).status_code == 200, path
    schema = {"schema": order}
    for method, path, body in (
        ("POST", "/", None),
        ("POST", "/subjects/order", schema),
        ("POST", "/subjects/order/versions/1/tags", RETAGGING),
        ("GET", "/subjects/order/versions/2?findTags=*&format=resolved&referenceFormat=qualified", None),
        ("POST", "/compatibility/subjects/order/versions?normalize=true", schema),
        ("POST", "/compatibility/subjects/order/versions/latest?verbose=true", schema),
        ("PUT", "/config", {"compatibility": "full"}),
        ("PUT", "/config/order", CONFIG),
        ("GET", "/config/order", None),
        ("DELETE", "/config/order", None),
        ("DELETE", "/config", None),
        ("PUT", "/mode", {"mode": "readwrite"}),
        ("PUT", "/mode/order", {"mode": "READWRITE"}),
        ("GET", "/mode/order", None),
        ("DELETE", "/mode/order", None),
        ("DELETE", "/mode?recursive=true", None),
        ("DELETE", "/subjects/order/versions/1", None),
        ("GET", "/subjects/order/versions?deletedAsNegative=true", None),
        ("DELETE", "/subjects/:.eu:order", None),
        ("DELETE", "/subjects/:.eu:order?permanent=true", None),
        ("DELETE", "/contexts/.eu", None),
    ):
        assert client.open(path, method=method, json=body).status_code in {200, 204}, (method, path)
    succeeded = {name for name, _, code in client.seen if code is None}
    assert succeeded == {operation.name for operation in OPERATIONS.values()}
