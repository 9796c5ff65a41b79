"""What every request meets around its route: its name, what caches may keep, gzip."""

import gzip
import re

import pytest
from flask.testing import FlaskClient

from registry.http.caching import CHANGING, LASTING
from registry.http.compression import LEAST_BYTES, accepts_gzip
from tests.registry.samples import INT_GUID, avro, error, register

GENERATED = re.compile(r"[0-9a-f]{32}")
LASTING_PATHS = [
    "/schemas/ids/1",
    "/schemas/ids/1/schema",
    f"/schemas/guids/{INT_GUID}",
    "/contexts/./schemas/ids/1",
    "/schemas/ids/1?subject=:.:",
]
"""For the schema ``"int"``, the first."""


@pytest.mark.parametrize(
    "path", ["/schemas/ids/1", "/subjects", "/nope", "/schemas/ids/9", "/metrics", "/health/live"]
)
def test_a_request_keeps_its_name(client: FlaskClient, path: str) -> None:
    register(client, "s", '"int"')
    client.get("/subjects")
    for given in ("a", "00-4bf92f3577b34da6a3ce929d0e0e4736-01", "~!" * 64):
        assert client.get(path, headers={"X-Request-ID": given}).headers.getlist("X-Request-ID") == [given]
    named = {client.get(path).headers["X-Request-ID"] for _ in range(10)}
    assert len(named) == 10
    assert all(GENERATED.fullmatch(name) for name in named)


@pytest.mark.parametrize("given", ["", "x" * 129, "a b", "é", "a\tb"])
def test_a_name_that_is_not_repeated(client: FlaskClient, given: str) -> None:
    assert GENERATED.fullmatch(client.get("/", headers={"X-Request-ID": given}).headers["X-Request-ID"])


@pytest.mark.parametrize("path", LASTING_PATHS)
def test_what_never_changes_may_be_kept(client: FlaskClient, path: str) -> None:
    register(client, "s", '"int"')
    first = client.get(path)
    assert (first.status_code, first.headers["Cache-Control"]) == (200, LASTING)
    assert {name.strip() for name in first.headers["Vary"].split(",")} == {"Accept", "Accept-Encoding"}
    tag = first.headers["ETag"]
    assert re.fullmatch(r'W/"[0-9a-f]{32}"', tag)
    for condition in (tag, tag.removeprefix("W/"), f'"other", {tag}', "*"):
        again = client.get(path, headers={"If-None-Match": condition})
        assert (again.status_code, again.data) == (304, b"")
        assert again.headers["ETag"] == tag
        assert again.headers["Cache-Control"] == LASTING
        assert "Content-Type" not in again.headers
    other = client.get(path, headers={"If-None-Match": '"other"'})
    assert (other.status_code, other.data) == (200, first.data)


@pytest.mark.parametrize("path", LASTING_PATHS)
def test_what_may_be_kept_does_not_change(client: FlaskClient, path: str) -> None:
    """Whatever happens to those who have the schema, short of their end."""
    register(client, "s", '"int"')
    bodies = {client.get(path).data}
    register(client, "t", '"int"')
    register(client, ":.eu:s", '"int"')
    bodies.add(client.get(path).data)
    client.delete("/subjects/s")
    bodies.add(client.get(path).data)
    client.delete("/subjects/s?permanent=true")
    bodies.add(client.get(path).data)
    client.delete("/subjects/t")
    bodies.add(client.get(path).data)
    assert len(bodies) == 1


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/subjects",
        "/subjects/s/versions/1",
        "/subjects/s/versions/1/schema",
        "/schemas/ids/1?subject=s",
        "/schemas/ids/1?fetchMaxId=true",
        "/schemas/ids/1/versions",
        "/schemas/ids/2",
        "/schemas/types",
        "/config",
        "/nope",
        "/health/ready",
        "/metrics",
    ],
)
def test_what_can_change_is_not_kept(client: FlaskClient, path: str) -> None:
    register(client, "s", '"int"')
    answer = client.get(path, headers={"If-None-Match": "*"})
    assert answer.status_code in {200, 404}
    assert answer.headers["Cache-Control"] == CHANGING
    assert "ETag" not in answer.headers


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        (None, False),
        ("", False),
        ("gzip", True),
        ("deflate, GZip;q=0.1", True),
        ("gzip;q=0", False),
        ("gzip;q=0.0, *", False),
        ("*", True),
        ("*;q=0", False),
        ("identity", False),
        ("identity, gzip;q=0.5", False),
        ("identity;q=0.5, gzip;q=0.5", True),
        ("br, deflate", False),
        ("x" * 300 + ", gzip", True),
    ],
)
def test_who_takes_gzip(header: str | None, accepted: bool) -> None:
    assert accepts_gzip(header) == accepted


@pytest.mark.parametrize("path", ["/schemas/ids/1", "/subjects/s/versions/1", "/schemas/ids/1/schema"])
def test_a_large_answer_is_compressed_for_those_who_take_it(client: FlaskClient, path: str) -> None:
    register(client, "s", avro(**{f"field{n}": "string" for n in range(100)}))
    plain = client.get(path)
    assert "Content-Encoding" not in plain.headers
    assert len(plain.data) > LEAST_BYTES
    for _ in range(2):
        zipped = client.get(path, headers={"Accept-Encoding": "gzip"})
        assert zipped.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(zipped.data) == plain.data
        assert int(zipped.headers["Content-Length"]) == len(zipped.data) < len(plain.data) / 2
        assert zipped.headers["Vary"] == plain.headers["Vary"]
        assert zipped.headers.get("ETag") == plain.headers.get("ETag")
    head = client.head(path, headers={"Accept-Encoding": "gzip"})
    assert (head.headers["Content-Length"], head.data) == (zipped.headers["Content-Length"], b"")


def test_a_small_answer_is_not_compressed(client: FlaskClient) -> None:
    register(client, "s", '"int"')
    for path in ("/schemas/ids/1", "/subjects", "/nope"):
        assert "Content-Encoding" not in client.get(path, headers={"Accept-Encoding": "gzip"}).headers
    assert error(client.get("/nope", headers={"Accept-Encoding": "gzip"}))[0] == 404
