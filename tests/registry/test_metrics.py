"""``/metrics``, read by Prometheus's own parsers, with one worker process and with several."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest
from flask.testing import FlaskClient
from prometheus_client.openmetrics import parser as openmetrics_parser
from prometheus_client.parser import text_string_to_metric_families

from registry.errors import Conflict
from registry.http import create_app
from registry.http.endpoint_names import ENDPOINT_NAMES
from registry.http.front import readable
from registry.registry import Registry
from registry.store import MemoryStore
from registry.tally import BUCKETS, Tally
from tests.registry.samples import avro, register
from tests.support.server import running_registry

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]
DURATION = "fivebyte_http_request_duration_seconds"
CONFLUENT = "kafka_schema_registry_"


def parsed(text: str) -> Samples:
    """Each sample by its name and labels; no two may have the same."""
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    found = {(sample.name, frozenset(sample.labels.items())): sample.value for sample in samples}
    assert len(found) == len(samples)
    return found


class Metrics:
    """What a server says of itself."""

    def __init__(self, text: str) -> None:
        self.samples = parsed(text)

    def get(self, name: str, **labels: str) -> float:
        return self.samples[name, frozenset(labels.items())]

    def requests(self, route: str, method: str = "GET", status: int = 200) -> float:
        key = frozenset({"route": route, "method": method, "status": str(status)}.items())
        return self.samples.get((f"{DURATION}_count", key), 0)


def of(client: FlaskClient) -> Metrics:
    return Metrics(client.get("/metrics").text)


def test_requests_by_route_method_and_status(client: FlaskClient) -> None:
    register(client, "s", '"int"')
    for path, method in [
        ("/schemas/ids/1", "GET"),
        ("/schemas/ids/1", "GET"),
        ("/schemas/ids/1", "HEAD"),
        ("/schemas/ids/1/schema", "GET"),
        ("/schemas/ids/8", "GET"),
        ("/subjects/a/versions", "GET"),
        ("/subjects/b/versions", "GET"),
        ("/contexts/.eu/subjects/b/versions", "GET"),
        ("/nope", "GET"),
        ("/nope/too", "BREW"),
        ("/subjects", "POST"),
    ]:
        client.open(path, method=method)
    found = of(client)
    assert found.requests("/schemas/ids/{id}") == 2
    assert found.requests("/schemas/ids/{id}", "HEAD") == 1
    assert found.requests("/schemas/ids/{id}/schema") == 1
    assert found.requests("/schemas/ids/{id}", status=404) == 1
    assert found.requests("/subjects/{subject}/versions", status=404) == 3
    assert found.requests("/subjects/{subject}/versions", "POST") == 1
    assert found.requests("none", status=404) == 1
    assert found.requests("none", "other", status=404) == 1
    assert found.requests("none", "POST", status=405) == 1
    assert found.requests("/metrics") == 0  # the one under way
    assert of(client).requests("/metrics") == 1


def test_latencies_are_histograms(client: FlaskClient) -> None:
    for _ in range(20):
        client.get("/subjects")
    found = of(client)
    labels = {"route": "/subjects", "method": "GET", "status": "200"}
    bounds = [*map(str, BUCKETS), "+Inf"]
    counts = [found.get(f"{DURATION}_bucket", le=bound, **labels) for bound in bounds]
    assert counts == sorted(counts)
    assert counts[-1] == found.requests("/subjects") == 20
    assert found.get(f"{DURATION}_sum", **labels) > 0


def test_what_is_there(client: FlaskClient) -> None:
    empty = of(client)
    assert empty.get("fivebyte_schemas", type="AVRO") == 0
    assert empty.get("fivebyte_subjects", deleted="false") == 0
    assert empty.get(f"{CONFLUENT}registered_count") == 0
    for subject, text in [
        ("s", avro(a="int")),
        ("s", avro(a="int", b=("int", 1))),
        ("t", avro(a="int")),
        (":.eu:s", '"int"'),
    ]:
        register(client, subject, text)
    client.delete("/subjects/s/versions/1")
    client.delete("/subjects/t")
    found = of(client)
    assert found.get("fivebyte_schemas", type="AVRO") == 3
    assert found.get("fivebyte_subjects", deleted="false") == 2
    assert found.get("fivebyte_subjects", deleted="true") == 1
    assert found.get("fivebyte_versions", type="AVRO", deleted="false") == 2
    assert found.get("fivebyte_versions", type="AVRO", deleted="true") == 2
    assert found.get(f"{CONFLUENT}registered_count") == 4
    assert found.get(f"{CONFLUENT}deleted_count") == 2
    assert found.get(f"{CONFLUENT}schemas_created", schema_type="avro") == 4
    assert found.get(f"{CONFLUENT}schemas_deleted", schema_type="avro") == 2
    client.delete("/subjects/t?permanent=true")
    after = of(client)
    assert after.get("fivebyte_subjects", deleted="true") == 0
    assert after.get(f"{CONFLUENT}deleted_count") == 2


def test_the_log(client: FlaskClient, store: MemoryStore) -> None:
    register(client, "s", '"int"')
    other = create_app(Registry(store)).test_client()
    register(other, "s", '"long"')
    register(other, "t", '"long"')
    found = of(client)
    head = store.head()
    assert found.get("fivebyte_log_up") == 1
    assert found.get("fivebyte_log_head") == head
    assert 2 <= found.get("fivebyte_log_lag") <= head
    assert of(client).get("fivebyte_log_lag") == 0


class Contended(MemoryStore):
    """A store where another process is always faster, the first few times."""

    losses = 0

    def append(self, position, records, principal=None, *, after=""):  # type: ignore[no-untyped-def]
        if self.losses:
            self.losses -= 1
            raise Conflict(position)
        return super().append(position, records, principal, after=after)


def test_conflicts() -> None:
    store = Contended()
    client = create_app(Registry(store)).test_client()
    assert of(client).get("fivebyte_append_conflicts_total") == 0
    store.losses = 3
    register(client, "s", '"int"')
    assert of(client).get("fivebyte_append_conflicts_total") == 3


def test_what_confluents_dashboards_ask_for(client: FlaskClient) -> None:
    register(client, "s", '"int"')
    for path in ("/schemas/ids/1", "/schemas/ids/1", "/schemas/ids/2", "/nope", "/health/ready", "/metrics"):
        client.get(path)
    client.head("/schemas/ids/1")
    found = of(client)
    assert found.get(f"{CONFLUENT}api_success_count") == 4
    assert found.get(f"{CONFLUENT}api_failure_count") == 1
    assert found.get(f"{CONFLUENT}master_slave_role") == 1
    assert found.get(f"{CONFLUENT}node_count") == 1
    endpoint = "schemas.ids.get-schema"
    assert found.get(f"{CONFLUENT}jersey_metrics_request_total", endpoint=endpoint) == 4
    assert found.get(f"{CONFLUENT}jersey_metrics_request_error_total", endpoint=endpoint) == 1
    assert found.get(f"{CONFLUENT}jersey_metrics_request_latency_seconds_count", endpoint=endpoint) == 4
    assert found.get(f"{CONFLUENT}jersey_metrics_request_latency_seconds_sum", endpoint=endpoint) > 0
    register_name = "subjects.versions.register"
    assert found.get(f"{CONFLUENT}jersey_metrics_request_total", endpoint=register_name) == 1


def test_the_endpoints_that_have_confluents_names_are_routes(client: FlaskClient) -> None:
    rules = client.application.url_map.iter_rules()
    routes = {(method, readable(rule.rule)) for rule in rules for method in rule.methods or ()}
    assert ENDPOINT_NAMES.keys() <= routes


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("*/*", "text/plain"),
        ("text/plain;version=0.0.4", "text/plain"),
        ("text/html", "text/plain"),
        ("application/openmetrics-text;version=1.0.0,text/plain;q=0.5", "application/openmetrics-text"),
    ],
)
def test_the_form_that_prometheus_asks_for(client: FlaskClient, accept: str, content_type: str) -> None:
    register(client, "s", '"int"')
    answer = client.get("/metrics", headers={"Accept": accept})
    assert (answer.status_code, answer.mimetype) == (200, content_type)
    parse: Any = (
        openmetrics_parser.text_string_to_metric_families
        if "openmetrics" in content_type
        else text_string_to_metric_families
    )
    families = {family.name for family in parse(answer.text)}
    assert DURATION in families


@pytest.mark.parametrize("workers", [1, 3])
def test_all_workers_are_counted(tmp_path: Path, workers: int) -> None:
    """Whichever worker answers, and also what was counted by many threads at once."""
    with running_registry(f"sqlite:///{tmp_path}/log.db", workers=workers) as server:
        before = Metrics(httpx2.get(f"{server.url}/metrics").text)

        def use(client_number: int) -> None:
            for number in range(10):  # each on a connection of its own: any worker may get it
                schema = json.dumps({"type": "fixed", "name": f"F{client_number}_{number}", "size": 1})
                with httpx2.Client(base_url=server.url, timeout=60) as client:
                    subject = f"/subjects/s{client_number}_{number}"
                    found = client.post(f"{subject}/versions", json={"schema": schema}).json()["id"]
                    for _ in range(5):
                        assert client.get(f"/schemas/ids/{found}").status_code == 200
                    assert client.get(f"{subject}/versions/2").status_code == 404

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(use, range(4)))
        for _ in range(2 * workers):
            with httpx2.Client(base_url=server.url) as client:
                found = Metrics(client.get("/metrics").text)
            assert found.requests("/subjects/{subject}/versions", "POST") == 40
            assert found.requests("/schemas/ids/{id}") == 200
            assert found.requests("/subjects/{subject}/versions/{version}", status=404) == 40
            assert found.get(f"{CONFLUENT}api_failure_count") == 40
            asked = found.get(f"{CONFLUENT}api_success_count") - before.get(f"{CONFLUENT}api_success_count")
            assert asked == 240
            assert found.get("fivebyte_versions", type="AVRO", deleted="false") == 40
            assert found.get("fivebyte_log_head") == 40
            assert 0 <= found.get("fivebyte_log_lag") <= 40


def test_a_worker_that_is_idle_does_not_lag_where_the_log_is_followed(redis_url: str) -> None:
    with (
        running_registry(redis_url, workers=2) as server,
        httpx2.Client(base_url=server.url, timeout=60) as client,  # one connection, so one of the workers
    ):
        client.post("/subjects/s/versions", json={"schema": '"int"'})
        deadline = time.monotonic() + 60
        while Metrics(client.get("/metrics").text).get("fivebyte_log_lag"):
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_a_tally_of_several_threads_and_processes_is_exact(tmp_path: Path) -> None:
    one, two = Tally(tmp_path), Tally(tmp_path)

    def count() -> None:
        for number in range(5000):
            one.add(("GET", f"/route{number % 3}", 200), 150_000)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(10):
        two.add(("GET", "/route0", 200), 20_000_000_000)
    for thread in threads:
        thread.join()
    for tally in (one, two):
        found = tally.requests()
        assert sum(latencies.count for latencies in found.values()) == 20_010
        assert found["GET", "/route0", 200].buckets[-1] == 10
        assert found["GET", "/route1", 200].buckets[1] == found["GET", "/route1", 200].count
        assert found["GET", "/route1", 200].seconds == pytest.approx(0.00015 * 6668)
    one.note(5, 1)
    two.note(3, 2)
    assert (one.position(), one.conflicts()) == (3, 3)


def test_a_tally_of_too_many_kinds_counts_on(tmp_path: Path) -> None:
    tally = Tally(tmp_path)
    for number in range(1500):
        tally.add(("GET", "/" + "x" * 200 + str(number), 200), 1)
        tally.add(("GET", f"/{number}", 200), 1)
    assert sum(latencies.count for latencies in tally.requests().values()) == 3000
