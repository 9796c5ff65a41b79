"""A day of a registry's life in a minute: mixed requests and restarts, and what the workers use meanwhile.

One of two nodes stays, and must not come to use more; the other is stopped and
killed by turns. The world of subjects is as large from the start as it will be,
so nothing has a reason to grow; what clients make up as they go (names, ids,
bodies that are no schemas) must leave no trace.
"""

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import pytest

from tests.registry.samples import avro
from tests.registry.test_metrics import Metrics
from tests.support.outages import Answer, Caller, Crowd, Node, Pace, UnansweredError
from tests.support.processes import Use, need_proc, used_by_group
from tests.support.server import running_registry

SEED = 20_261
REQUESTS = 50_000
CLIENTS = 32
SAMPLES = 40
EACH = 10
"""After so many samples there has been one kill and one stop."""
WARM = 0.3
"""The share of the samples that are taken while every kind of request is met for the first time."""
MORE_MEMORY = 6 * 2**20
"""What a process may have more at its end than when it was warm.

Each of the steady node's workers answers some 9,000 requests meanwhile, so a leak of 700 bytes a request
is found. Less would be within the noise of malloc: it keeps a pool for each thread, and which thread
makes the largest answers is chance."""
MORE_THREADS = 2
"""Checks of readiness run on a thread of their own, and a sample may meet some."""
MORE_FILES = 4
"""Connections to Redis are made as they are needed at once, and kept; reading metrics opens files."""

STEADY = [f"steady{n}" for n in range(30)] + [f":.eu:steady{n}" for n in range(5)]
CHANGING = [f"changing{n}" for n in range(8)]


@dataclass(frozen=True)
class Known:
    """A version that stays."""

    subject: str
    version: int
    id: int
    text: str


def evolved(subject: str, version: int) -> str:
    """A schema that can read, and be read by, those of the other versions."""
    fields = {f"field{n}_with_a_name_as_long_as_they_are": ("string", "") for n in range(8 + version)}
    return avro("Steady" + "".join(c for c in subject if c.isalnum()), id="long", **fields)


class Client:
    """Asks one node, and keeps what it was answered by the names of its requests."""

    def __init__(self, number: int, node: Node, world: list[Known]) -> None:
        self.name = f"client{number}"
        self.node = node
        self.world = world
        self.choose = random.Random(f"{SEED} {number}")
        self.answered: dict[str, int] = {}
        self.unanswered: dict[str, bool] = {}
        """By the name of the request: whether the node was killed."""
        self.caller = Caller()
        self._asked = 0

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """Raises UnansweredError."""
        self._asked += 1
        name = f"{self.name}-{self._asked}"
        headers = {"X-Request-ID": name, **{key.replace("_", "-"): value for key, value in headers.items()}}
        try:
            answer = self.caller.ask(self.node, method, path, body, headers=headers)
        except UnansweredError as fault:
            self.unanswered[name] = fault.killed
            raise
        assert answer.status < 500, (method, path, answer)
        self.answered[name] = answer.status
        return answer

    def known(self) -> Known:
        """A version that is there."""
        return self.choose.choice(self.world)

    def new(self) -> str:
        """A name that nobody has used before."""
        return f"{self.name}x{self._asked}"

    def work(self, pace: Pace) -> None:
        """Ask for whatever comes to mind, until all have asked enough."""
        while pace.step():
            kind = self.choose.choices(KINDS, cum_weights=WEIGHTS)[0]
            try:
                kind(self)
            except UnansweredError:
                while self.node.outages.now:
                    if not pace.goes_on(0.05):
                        return


def _by_id(client: Client) -> None:
    known = client.known()
    query = f"?subject={known.subject}" if known.subject.startswith(":") else ""
    zipped = client.choose.random() < 0.1
    answer = client.ask("GET", f"/schemas/ids/{known.id}{query}", Accept_Encoding="gzip" if zipped else "")
    assert zipped or answer.body["schema"] == known.text


def _version(client: Client) -> None:
    known = client.known()
    which = client.choose.choice([str(known.version), "latest"])
    answer = client.ask("GET", f"/subjects/{known.subject}/versions/{which}")
    assert which == "latest" or (answer.body["id"], answer.body["schema"]) == (known.id, known.text)


def _versions(client: Client) -> None:
    assert client.ask("GET", f"/subjects/{client.known().subject}/versions").body == [1, 2, 3, 4, 5]


def _look_up(client: Client) -> None:
    known = client.known()
    found = client.ask("POST", f"/subjects/{known.subject}", {"schema": known.text}).body
    assert (found["version"], found["id"]) == (known.version, known.id)


def _register_again(client: Client) -> None:
    known = client.known()
    found = client.ask("POST", f"/subjects/{known.subject}/versions", {"schema": known.text}).body
    assert (found["version"], found["id"]) == (known.version, known.id)


def _register_what_breaks(client: Client) -> None:
    known = client.choose.choice(client.world[:10])
    broken = {"schema": known.text.replace('"long"', '"boolean"')}
    path = f"/subjects/{known.subject}/versions"
    assert client.ask("POST", path, broken).body["error_code"] == 409
    answer = client.ask("POST", f"/compatibility{path}/latest?verbose=true", broken)
    assert answer.body["is_compatible"] is False


def _register_no_schema(client: Client) -> None:
    path = f"/subjects/{client.known().subject}/versions"
    answer = client.ask("POST", path, {"schema": avro("Unknown", a=client.new())})
    assert answer.body["error_code"] == 42201
    assert client.ask("POST", path, client.new().encode()).status in {400, 422}


def _change(client: Client) -> None:
    subject = client.choose.choice(CHANGING)
    path = f"/subjects/{subject}"
    match client.choose.randrange(6):
        case 0 | 1 | 2:
            text = avro(f"Changing{client.choose.randrange(5)}")
            # 409: it was deleted for good, and its config with it
            assert client.ask("POST", f"{path}/versions", {"schema": text}).status in {200, 409}
        case 3:
            assert client.ask("DELETE", path).status in {200, 404}
        case 4:
            assert client.ask("DELETE", f"{path}?permanent=true").status in {200, 404}
        case 5:
            assert client.ask("DELETE", f"{path}/versions/latest").status in {200, 404}


def _configure(client: Client) -> None:
    subject = client.choose.choice(CHANGING)
    level = client.choose.choice(["NONE", "none"])
    assert client.ask("PUT", f"/config/{subject}", {"compatibility": level}).status == 200
    assert client.ask("GET", f"/config/{subject}?defaultToGlobal=true").status == 200
    assert client.ask("GET", f"/mode/{subject}?defaultToGlobal=true").body == {"mode": "READWRITE"}


def _ask_what_is_not_there(client: Client) -> None:
    paths = (
        f"/{client.new()}",
        f"/schemas/ids/{10_000_000 + client.choose.randrange(10**9)}",
        f"/subjects/{client.new()}/versions/latest",
        f"/contexts/.{client.new()}/subjects/{client.new()}/versions",
        f"/config/{client.new()}",
        f"/schemas/guids/{client.new()}",
    )
    assert (
        client.ask("GET", client.choose.choice(paths), Accept=f"application/json, text/{client.new()}").status
        == 404
    )


def _list(client: Client) -> None:
    paths = "/subjects", "/subjects?deleted=true", "/contexts", "/schemas/types", "/", "/config", "/mode"
    assert client.ask("GET", client.choose.choice(paths)).status == 200


def _list_all(client: Client) -> None:
    assert client.ask("GET", "/schemas?subjectPrefix=:*:").status == 200


def _watch(client: Client) -> None:
    paths = "/metrics", "/health/ready", "/health/live", "/openapi.json"
    assert client.ask("GET", client.choose.choice(paths)).status == 200


_KINDS: dict[Callable[[Client], None], float] = {
    _by_id: 40,
    _version: 12,
    _versions: 6,
    _look_up: 8,
    _register_again: 12,
    _register_what_breaks: 3,
    _register_no_schema: 3,
    _change: 5,
    _configure: 2,
    _ask_what_is_not_there: 4,
    _list: 4,
    _list_all: 0.3,
    _watch: 1,
}
KINDS, WEIGHTS = list(_KINDS), list(accumulate(_KINDS.values()))


@pytest.fixture(params=["sqlite", "redis"])
def nodes(request: pytest.FixtureRequest, store_url: Callable[[str], str]) -> Iterator[tuple[Node, Node]]:
    need_proc()
    settings = {"workers": 2, "log_level": "INFO", "log_format": "JSON"}
    with ExitStack() as stack:
        url = store_url(request.param)
        one, other = (stack.enter_context(running_registry(url, **settings)) for _ in range(2))
        yield Node(one), Node(other)


def test_a_day_of_requests_and_restarts(nodes: tuple[Node, Node]) -> None:
    steady, restarted = nodes
    world = _settle(steady)
    crowd = Crowd()
    pace = Pace(REQUESTS, SAMPLES, crowd.over)
    clients = [Client(number, nodes[number % 2], world) for number in range(CLIENTS)]
    samples: list[dict[int, Use]] = []

    def look_and_restart() -> None:
        for number in pace.events():
            samples.append(used_by_group(steady.server.pid))
            if number % EACH == 0:
                restarted.kill_and_start()
            elif number % EACH == EACH // 2:
                assert restarted.stop_and_start() == 0

    for client in clients:
        crowd.add(client.name, client.work, pace)
    crowd.add("restarts", look_and_restart)
    crowd.start()
    crowd.join()
    for client in clients:
        client.caller.close()
    assert not crowd.faults, "\n".join([f"seed {SEED}:", *crowd.faults[:5]])
    _judge_logs(steady, clients)
    _judge_logs(restarted, clients)
    _judge_metrics(steady)
    _judge_use(samples)
    assert steady.server.stop() == 0


def _settle(node: Node) -> list[Known]:
    """Register all that stays."""
    caller = Caller()
    world = []
    for subject in CHANGING:
        assert caller.ask(node, "PUT", f"/config/{subject}", {"compatibility": "NONE"}).status == 200
    for subject in STEADY:
        for version in range(1, 6):
            text = evolved(subject, version)
            answer = caller.ask(node, "POST", f"/subjects/{subject}/versions", {"schema": text})
            assert answer.body["version"] == version
            world.append(Known(subject, version, answer.body["id"], text))
    caller.close()
    return world


def _lines(node: Node) -> Iterator[dict[str, Any]]:
    """The lines of the server's log that are of requests."""
    for line in node.server.output.splitlines():
        if line.startswith("{"):
            event = json.loads(line)
            if "status" in event:
                yield event


def _judge_logs(node: Node, clients: list[Client]) -> None:
    """What a node began to answer, its client got, unless the node was killed; and nothing was done twice."""
    lines = list(_lines(node))
    logged = {event["request_id"]: event["status"] for event in lines}
    assert len(logged) == len(lines)
    mine = [client for client in clients if client.node is node]
    answered = {name: status for client in mine for name, status in client.answered.items()}
    stopped = {name for client in mine for name, killed in client.unanswered.items() if not killed}
    assert answered.items() <= logged.items()
    assert not stopped & logged.keys()


def _judge_metrics(node: Node) -> None:
    """A node that was never restarted has counted what its log has, to the last request."""
    caller = Caller()
    metrics = Metrics(caller.ask(node, "GET", "/metrics").content.decode())
    caller.close()
    logged = Counter((e["route"], e["method"], e["status"]) for e in _lines(node) if e["route"] != "/metrics")
    assert {key: metrics.requests(*key) for key in logged} == logged


def _judge_use(samples: list[dict[int, Use]]) -> None:
    """No process of the node that stays has come to use more since it was warm."""
    warm, later = samples[: int(SAMPLES * WARM)], samples[-int(SAMPLES * WARM) :]
    assert all(sample.keys() == samples[0].keys() for sample in samples)
    for process in samples[0]:
        for bound, what in ((MORE_MEMORY, "memory"), (MORE_THREADS, "threads"), (MORE_FILES, "files")):
            before = max(getattr(sample[process], what) for sample in warm)
            after = max(getattr(sample[process], what) for sample in later)
            assert after <= before + bound, (what, [getattr(sample[process], what) for sample in samples])
