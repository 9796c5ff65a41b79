"""What holds for every endpoint: media types, bodies, and the form of errors."""

import gzip
import json
import logging

import pytest
from flask.testing import FlaskClient

from registry.errors import StoreError
from registry.http import create_app
from registry.http.negotiation import is_readable, negotiate
from registry.registry import Registry
from registry.store import MemoryStore
from tests.registry.samples import error

V1 = "application/vnd.schemaregistry.v1+json"
V0 = "application/vnd.schemaregistry+json"
JSON = "application/json"


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, V1),
        ("", V1),
        ("*/*", V1),
        ("application/*", V1),
        (JSON, JSON),
        (V0, V0),
        (f"{JSON}, {V0}, {V1}", V1),
        (f"{V1};q=0.5, {JSON}", JSON),
        (f"{V1};q=0.5, {JSON};q=0.4, text/html", V1),
        (f"{JSON};q=0.9, */*;q=0.1", JSON),
        (f"{V1};q=0, */*", V0),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", V1),
        ("APPLICATION/JSON; charset=utf-8", JSON),
        ("text/html, image/gif, *; q=.2, */*; q=.2", V1),  # Java's own client
        ("*", V1),
        (" , ", V1),
        ("text/html", None),
        (f"{JSON};q=0", None),
        (f"{JSON};q=x", None),
        ("nonsense", None),
    ],
)
def test_the_media_type_of_an_answer(client: FlaskClient, accept: str | None, chosen: str | None) -> None:
    assert negotiate(accept) == chosen
    response = client.get("/subjects", headers={} if accept is None else {"Accept": accept})
    if chosen is None:
        assert error(response) == (406, 406, "HTTP 406 Not Acceptable")
    assert response.content_type == (chosen or V1)


def test_errors_have_the_negotiated_type_too(client: FlaskClient) -> None:
    response = client.get("/subjects/s/versions", headers={"Accept": JSON})
    assert (response.status_code, response.content_type) == (404, JSON)


@pytest.mark.parametrize(
    "content_type", [V1, V0, JSON, "application/octet-stream", "application/json; charset=utf-8", None, ""]
)
def test_the_media_types_of_a_request(client: FlaskClient, content_type: str | None) -> None:
    assert is_readable(content_type)
    response = client.put("/config", data='{"compatibility":"FULL"}', content_type=content_type)
    assert response.get_json() == {"compatibility": "FULL"}


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml", "application/avro"]
)
def test_a_media_type_that_is_not_read(client: FlaskClient, content_type: str) -> None:
    response = client.put("/config", data='{"compatibility":"FULL"}', content_type=content_type)
    assert error(response) == (415, 415, "HTTP 415 Unsupported Media Type")
    assert client.get("/config").get_json() == {"compatibilityLevel": "BACKWARD"}


@pytest.mark.parametrize(
    "path",
    [
        "/nope",
        "/subjects/s/nope",
        "/subjects/s/versions/1/nope",
        "/contexts/.eu/subjects/s/nope",
        "/exporters",
        "/associations",
        "/dek-registry/v1/keks",
    ],
)
def test_a_path_that_is_none(client: FlaskClient, path: str) -> None:
    response = client.get(path, headers={"Accept": "text/html"})
    assert error(response) == (404, 404, "HTTP 404 Not Found")


def test_a_method_that_is_none(client: FlaskClient) -> None:
    response = client.put("/subjects", data="x", content_type="text/plain")
    assert error(response) == (405, 405, "HTTP 405 Method Not Allowed")
    assert "GET" in response.headers["Allow"]
    for path in ("/subjects/s", "/subjects/s/versions/1/tags", "/compatibility/subjects/s/versions"):
        assert error(client.get(path)) == (405, 405, "HTTP 405 Method Not Allowed")
    assert error(client.put("/subjects/s/versions", json={}))[0] == 405


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b"", 422, "The request needs a JSON object as its body, and it has none"),
        (b" \n", 422, "The request needs a JSON object as its body, and it has none"),
        (b"null", 422, "The request needs a JSON object as its body, and it is null"),
        (b"[]", 400, "The body must be a JSON object, and it is an array"),
        (b'"x"', 400, "The body must be a JSON object, and it is a string"),
        (b"1.5", 400, "The body must be a JSON object, and it is a number"),
        (b"true", 400, "The body must be a JSON object, and it is a boolean"),
        (b"{", 400, "The body is not JSON: Expecting property name enclosed in double quotes"),
        (b'{"schema": "x"} y', 400, "The body is not JSON: Extra data: line 1 column 17"),
        (b'{"schema": NaN}', 400, "The body is not JSON: NaN is no JSON number"),
        (b'{"id": ' + b"9" * 5000 + b"}", 400, "The body is not JSON: "),
        (b'{"schema": "\xff"}', 400, "The body is not UTF-8: byte 12 is wrong"),
        (b'{"schema": "\\ud800"}', 400, "The body is not valid: a \\u escape stands for half a character"),
        (b'{"schema": ' + b"[" * 5000 + b"]" * 5000 + b"}", 400, "The body is JSON that is nested too deep"),
        (b'{"schema": 5}', 400, "schema: Not a string: give the text of the schema as one"),
        (b'{"schema": {"type": "int"}}', 400, "schema: Not a string: give the text of the schema as one"),
        (b'{"schema": "x", "version": "1"}', 400, "version: Not a valid integer."),
        (b'{"schema": "x", "version": 1.5}', 400, "version: Not a valid integer."),
        (b'{"schema": "x", "id": 99999999999}', 400, "id: Must be greater than or equal to"),
        (b'{"schema": "x", "references": {}}', 400, "references: Not a valid list."),
        (
            b'{"schema": "x", "references": [{"name": 1, "subject": "s"}]}',
            400,
            "references.0.name: Not a valid",
        ),
        (
            b'{"schema": "x", "references": [{"name": "n", "version": 1}]}',
            400,
            "references.0.subject: Missing",
        ),
        (b'{"schema": "x", "metadata": {"properties": {"a": 1}}}', 400, "metadata.properties.a.value: Not a"),
        (
            b'{"schema": "x", "ruleSet": {"domainRules": [{"kind": "X"}]}}',
            400,
            "ruleSet.domainRules.0.kind: Must",
        ),
    ],
)
def test_a_body_that_cannot_be_read(client: FlaskClient, body: bytes, status: int, message: str) -> None:
    for path in ("/subjects/s/versions", "/subjects/s", "/compatibility/subjects/s/versions"):
        got, code, text = error(client.post(path, data=body, content_type=JSON))
        assert (got, code) == (status, status)
        assert text.startswith(message)
    assert client.get("/subjects").get_json() == []


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"compatibility": 5}, "compatibility: Not a valid string."),
        ({"normalize": "true"}, "normalize: Not a valid boolean."),
        ({"normalize": 1}, "normalize: Not a valid boolean."),
        ({"compatibilityPolicy": "X"}, "compatibilityPolicy: Must be one of: LOGICAL, STRICT, LENIENT."),
        ({"compatibilityPolicy": 5}, "compatibilityPolicy: Not a valid string."),
        ({"defaultMetadata": []}, "defaultMetadata: Invalid input type."),
    ],
)
def test_a_config_that_cannot_be_read(client: FlaskClient, body: dict[str, object], message: str) -> None:
    assert error(client.put("/config", json=body)) == (400, 400, message)


def test_an_integer_with_a_point(client: FlaskClient) -> None:
    inner = {"schema": '"int"', "version": 1.0, "id": -1.0}
    assert client.post("/subjects/inner/versions", json=inner).get_json()["version"] == 1
    reference = {"name": "Inner", "subject": "inner", "version": 1e0}
    outer = client.post("/subjects/s/versions", json={"schema": '"int"', "references": [reference]})
    assert outer.get_json()["references"] == [{**reference, "version": 1}]
    assert '"version":1}' in outer.text
    for number in ("1e300", "1e400", "-1.5", "true"):
        body = f'{{"schema": "x", "version": {number}}}'
        assert error(client.post("/subjects/s", data=body, content_type=JSON))[:2] == (400, 400)


def test_a_body_that_is_compressed(client: FlaskClient) -> None:
    body = gzip.compress(json.dumps({"schema": '"int"'}).encode())
    response = client.post(
        "/subjects/s/versions", data=body, content_type=JSON, headers={"Content-Encoding": "gzip"}
    )
    assert error(response) == (400, 400, "The body is encoded (gzip): send it as plain JSON")


def test_a_byte_order_mark_is_read_over(client: FlaskClient) -> None:
    body = b"\xef\xbb\xbf" + json.dumps({"schema": '"int"'}).encode()
    assert client.post("/subjects/s/versions", data=body, content_type=JSON).status_code == 200


class Broken(MemoryStore):
    fault: Exception | None = None

    def head(self) -> int:
        if self.fault is not None:
            raise self.fault
        return super().head()


@pytest.mark.parametrize(
    ("fault", "code", "message"),
    [
        (
            StoreError("sqlite:///x.db: the disk failed; see the system's log"),
            50001,
            "sqlite:///x.db: the disk",
        ),
        (
            KeyError("secret"),
            500,
            "HTTP 500 Internal Server Error: a fault of the registry's, described in its log",
        ),
    ],
)
def test_a_failure_is_a_500_with_a_body_and_is_logged(
    fault: Exception, code: int, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    store = Broken()
    client = create_app(Registry(store)).test_client()
    store.fault = fault
    with caplog.at_level(logging.ERROR):
        status, got, text = error(client.get("/subjects", headers={"Accept": JSON}))
    assert (status, got) == (500, code)
    assert text.startswith(message)
    assert "GET /subjects" in caplog.text
    assert ("secret" in caplog.text) == (code == 500)
    store.fault = None
    assert client.get("/subjects").status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
@pytest.mark.parametrize("path", ["/associations/resources/x", "/associations/subjects/s", "/associations"])
def test_there_are_no_associations_to_change(client: FlaskClient, method: str, path: str) -> None:
    assert error(client.open(path, method=method, json={})) == (404, 404, "HTTP 404 Not Found")
