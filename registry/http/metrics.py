"""``/metrics``: for Prometheus. It is of the whole server, whichever of its processes answers.

Requests and conflicts are added up over the processes (`registry.tally`); the
rest is read from the log's fold, which is the same in each. The names that
begin with ``kafka_schema_registry_`` are those under which Confluent's server
is watched: dashboards for it go on.
"""

from collections.abc import Iterable, Iterator

from flask import Blueprint, Response, request
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector, CollectorRegistry

from registry.errors import NotReadyError
from registry.http.endpoint_names import ENDPOINT_NAMES
from registry.readiness import Readiness
from registry.registry import Registry
from registry.stock import count
from registry.tally import BUCKETS, Labels, Latencies, Tally

_CONFLUENT = "kafka_schema_registry_"
_NOT_OF_THE_API = {"/health/live", "/health/ready", "/metrics", "/openapi.json", "/docs", "none"}


def blueprint(registry: Registry, tally: Tally, readiness: Readiness) -> Blueprint:
    """The route. It answers in the form that Prometheus asks for, whatever else it accepts."""
    routes = Blueprint("metrics", __name__)
    collectors = CollectorRegistry(auto_describe=False)
    collectors.register(_Metrics(registry, tally, readiness))

    @routes.get("/metrics")
    def metrics() -> Response:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return Response(encode(collectors), content_type=content_type)

    return routes


class _Metrics(Collector):
    def __init__(self, registry: Registry, tally: Tally, readiness: Readiness) -> None:
        self._registry = registry
        self._tally = tally
        self._readiness = readiness

    def collect(self) -> Iterator[Metric]:
        yield from self._log()
        yield from self._stock()
        requests = self._tally.requests()
        yield _durations(requests)
        yield from _as_confluent(requests)

    def _log(self) -> Iterator[Metric]:
        behind = self._tally.position()
        try:
            head = self._readiness.check()
        except NotReadyError:
            yield _gauge("fivebyte_log_up", "Whether the log answers", 0)
        else:
            yield _gauge("fivebyte_log_up", "Whether the log answers", 1)
            yield _gauge("fivebyte_log_head", "The position of the log's last entry", head)
            about = "Entries that the process furthest behind has not read; an idle one reads when asked"
            yield _gauge("fivebyte_log_lag", about, max(0, head - behind))
        about = "Appends that found their position in the log taken by another process, and were decided anew"
        yield CounterMetricFamily("fivebyte_append_conflicts", about, self._tally.conflicts())

    def _stock(self) -> Iterator[Metric]:
        state = self._registry.replica.state
        stock = count(state.all_versions(), dict(state.created), dict(state.deleted), self._registry.types)
        schemas = GaugeMetricFamily(
            "fivebyte_schemas", "Schemas that have an id in a context", labels=["type"]
        )
        for kind, number in stock.schemas.items():
            schemas.add_metric([kind], number)
        yield schemas
        subjects = GaugeMetricFamily("fivebyte_subjects", "Subjects", labels=["deleted"])
        versions = GaugeMetricFamily("fivebyte_versions", "Versions of subjects", labels=["type", "deleted"])
        for deleted in (False, True):
            subjects.add_metric([str(deleted).lower()], stock.subjects[deleted])
        for (kind, deleted), number in stock.versions.items():
            versions.add_metric([kind, str(deleted).lower()], number)
        yield subjects
        yield versions
        for what, counts in (("created", stock.created), ("deleted", stock.deleted)):
            about = f"Versions that were {what}, by the log"
            by_type = GaugeMetricFamily(f"{_CONFLUENT}schemas_{what}", about, labels=["schema_type"])
            for kind, number in counts.items():
                by_type.add_metric([kind.lower()], number)
            yield by_type
            name = "registered_count" if what == "created" else "deleted_count"
            yield _gauge(_CONFLUENT + name, about, sum(counts.values()))


def _gauge(name: str, about: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, about, value)


def _durations(requests: dict[Labels, Latencies]) -> Metric:
    durations = HistogramMetricFamily(
        "fivebyte_http_request_duration_seconds",
        "Requests and how long they took",
        labels=["route", "method", "status"],
    )
    for (method, route, status), latencies in sorted(requests.items()):
        durations.add_metric([route, method, str(status)], _cumulative(latencies), latencies.seconds)
    return durations


def _cumulative(latencies: Latencies) -> list[tuple[str, float]]:
    total, buckets = 0, []
    for bound, number in zip([*map(str, BUCKETS), "+Inf"], latencies.buckets, strict=True):
        total += number
        buckets.append((bound, float(total)))
    return buckets


def _as_confluent(requests: dict[Labels, Latencies]) -> Iterator[Metric]:
    calls = {labels: latencies for labels, latencies in requests.items() if labels[1] not in _NOT_OF_THE_API}
    failed = sum(latencies.count for (_, _, status), latencies in calls.items() if status >= 400)
    whole = sum(latencies.count for latencies in calls.values())
    yield _gauge(
        f"{_CONFLUENT}api_success_count", "Calls that were answered with less than 400", whole - failed
    )
    yield _gauge(f"{_CONFLUENT}api_failure_count", "Calls that were answered with 400 or more", failed)
    yield _gauge(f"{_CONFLUENT}master_slave_role", "1: takes writes, as every node does", 1)
    yield _gauge(f"{_CONFLUENT}node_count", "This one: nodes don't know of each other", 1)
    yield from _by_endpoint(calls.items())


def _by_endpoint(calls: Iterable[tuple[Labels, Latencies]]) -> Iterator[Metric]:
    prefix = f"{_CONFLUENT}jersey_metrics_request"
    total = CounterMetricFamily(prefix, "Calls, by Confluent's name of the endpoint", labels=["endpoint"])
    errors = CounterMetricFamily(f"{prefix}_error", "Those answered with 400 or more", labels=["endpoint"])
    latency = SummaryMetricFamily(f"{prefix}_latency_seconds", "How long they took", labels=["endpoint"])
    sums: dict[str, list[float]] = {}
    for (method, route, status), latencies in calls:
        name = ENDPOINT_NAMES.get(("GET" if method == "HEAD" else method, route))
        if name is None:
            continue
        counts = sums.setdefault(name, [0, 0, 0.0])
        counts[0] += latencies.count
        counts[1] += latencies.count if status >= 400 else 0
        counts[2] += latencies.seconds
    for name, (number, failed, seconds) in sorted(sums.items()):
        total.add_metric([name], number)
        errors.add_metric([name], failed)
        latency.add_metric([name], int(number), seconds)
    yield from (total, errors, latency)
