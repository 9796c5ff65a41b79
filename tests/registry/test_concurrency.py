"""Many clients on many worker processes that are killed all the while: nothing that was acknowledged is lost.

Sixteen clients register schemas, many of them the same at the same time; four look after
subjects of their own, delete in them and read what they did elsewhere; four delete what others register.
What the clients were told is held against the log, and the log against every node.
"""

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from urllib.parse import quote

import pytest

from registry.store import open_store
from tests.registry.judging import History, Made, Place
from tests.registry.samples import avro
from tests.support.outages import Answer, Caller, Crowd, Node, Outages, Pace, UnansweredError
from tests.support.redis import RunningRedis
from tests.support.server import running_registry

SEED = 20_260
REGISTRARS, OWNERS, MEDDLERS = 16, 4, 4
SCHEMAS = 2_000
OUTAGES = 9
_BACK_SECONDS = 60.0
_NOTICED_SECONDS = 10.0
"""How long after its return a worker may take Redis to be away. It looks ten times a second."""

HOT = [f"hot{n}" for n in range(5)]
COOL = [f"cool{n}" for n in range(150)]
ELSEWHERE = [f":.eu:hot{n}" for n in range(3)]
FIRST = Made("hot0", 1, 1, avro("First"))
CONTESTED = [f"contested{n}" for n in range(3)]


class AwayError(UnansweredError):
    """The server said that its store is away: what was asked of it may have been done or not."""


class Site:
    """The nodes on one log, and the Redis below them, where there is one."""

    def __init__(self, store_url: str, nodes: list[Node], redis: RunningRedis | None) -> None:
        self.store_url = store_url
        self.nodes = nodes
        self.redis = redis
        self.redis_outages = Outages()

    def node(self, choose: random.Random, *, other_than: Node | None = None) -> Node:
        """One that is not known to be away, and not `other_than`, as far as there is one."""
        up = [node for node in self.nodes if not node.outages.now] or self.nodes
        return choose.choice([node for node in up if node is not other_than] or up)

    def wait(self) -> None:
        """Until nothing is known to be away."""
        _wait_while(lambda: self.redis_outages.now or any(node.outages.now for node in self.nodes))

    def wait_for_a_node(self) -> None:
        """Until one is not known to be away."""
        _wait_while(lambda: all(node.outages.now for node in self.nodes))

    def history(self) -> History:
        """The log, read from the store itself."""
        with closing(open_store(self.store_url)) as store:
            return History(store.read(0))

    def happen(self, number: int) -> None:
        """The outage with this number: the nodes by turns, and Redis."""
        victims = len(self.nodes) + (self.redis is not None)
        if number % victims < len(self.nodes):
            self.nodes[number % victims].kill_and_start()
        else:
            self._kill_redis()

    def _kill_redis(self) -> None:
        assert self.redis is not None
        with self.redis_outages.one():
            self.redis.kill()
            for node in self.nodes:
                with closing(Caller()) as caller:
                    assert caller.ask(node, "GET", f"/schemas/ids/{FIRST.id}").body["schema"] == FIRST.text
                    away = caller.ask(node, "GET", "/subjects")
                    assert (away.status, away.body["error_code"]) == (503, 50001)
            self.redis.start()
            for node in self.nodes:
                _until_it_answers(node)


def _wait_while(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _BACK_SECONDS
    while condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _until_it_answers(node: Node) -> None:
    with closing(Caller()) as caller:
        _wait_while(lambda: caller.ask(node, "GET", "/subjects").status != 200)


class Client:
    """Asks; keeps what it was told was done, and what may have been."""

    def __init__(self, site: Site, name: str) -> None:
        self.site = site
        self.choose = random.Random(f"{SEED} {name}")
        self.registered: list[Made] = []
        self.deleted: Counter[Place] = Counter()
        self.gone: Counter[Place] = Counter()
        self.unanswered = 0
        self._caller = Caller()

    def close(self) -> None:
        self._caller.close()

    def ask(self, node: Node, method: str, path: str, body: object = None, connection: str = "") -> Answer:
        """Raises UnansweredError, also where the store is away."""
        since = time.monotonic()
        answer = self._caller.ask(node, method, path, body, connection=connection)
        if answer.status == 503:
            assert self.site.redis_outages.since(since - _NOTICED_SECONDS), answer
            raise AwayError
        assert answer.status < 500, answer
        return answer

    def register(self, node: Node, subject: str, text: str) -> Made:
        """Raises UnansweredError."""
        path = f"/subjects/{quote(subject)}/versions"
        answer = self.ask(node, "POST", path, {"schema": text})
        assert answer.status == 200, answer
        made = Made(subject, answer.body["version"], answer.body["id"], text)
        self.registered.append(made)
        return made

    def delete(self, node: Node, subject: str, version: int | None, *, permanent: bool) -> bool:
        """A version, or the whole subject. False: it was not there to be deleted. Raises UnansweredError."""
        path = f"/subjects/{quote(subject)}" + ("" if version is None else f"/versions/{version}")
        answer = self.ask(node, "DELETE", path + ("?permanent=true" if permanent else ""))
        if answer.status == 404:
            return False
        assert answer.status == 200, answer
        versions = answer.body if version is None else [answer.body]
        (self.gone if permanent else self.deleted).update((subject, number) for number in versions)
        return True

    def read(self, path: str, *, not_at: Node, method: str = "GET", body: object = None) -> Answer:
        """Ask another node than the one where something was written, until one answers."""
        for _ in range(10_000):
            node = self.site.node(self.choose, other_than=not_at)
            try:
                return self.ask(node, method, path, body, connection="reads")
            except UnansweredError:
                self.site.wait()
        raise AssertionError(f"{path} was never answered")


def register_all(client: Client, jobs: list[tuple[str, str]], pace: Pace) -> None:
    """Register each, again where it was not acknowledged; look it up elsewhere."""
    for subject, text in jobs:
        for _ in range(10_000):
            node = client.site.node(client.choose)
            try:
                made = client.register(node, subject, text)
                break
            except AwayError:
                client.site.wait()
            except UnansweredError:
                client.unanswered += 1
                client.site.wait_for_a_node()  # and then at once again
        else:
            raise AssertionError("never acknowledged")
        if client.choose.random() < 0.5:
            look(client, made, node)
        if not pace.step():
            return


def look(client: Client, made: Made, node: Node) -> None:
    """What was acknowledged at `node` is known to the others, whichever way they are asked."""
    subject = quote(made.subject)
    match client.choose.randrange(4):
        case 0:
            path = f"/schemas/ids/{made.id}"
            if made.subject.startswith(":"):
                path += f"?subject={subject}"
            assert client.read(path, not_at=node).body["schema"] == made.text
        case 1:
            found = client.read(f"/subjects/{subject}/versions/{made.version}", not_at=node).body
            assert (found["id"], found["schema"]) == (made.id, made.text)
        case 2:
            versions = client.read(f"/subjects/{subject}/versions", not_at=node).body
            assert made.version in versions
            assert len(set(versions)) == len(versions)
        case 3:
            schema = {"schema": made.text}
            found = client.read(f"/subjects/{subject}", not_at=node, method="POST", body=schema).body
            assert (found["version"], found["id"]) == (made.version, made.id)


class Owner(Client):
    """Registers and deletes in a subject that nobody else touches, so it knows exactly what is there."""

    def __init__(self, site: Site, number: int) -> None:
        super().__init__(site, f"owner {number}")
        self.subject = f"owned{number}"
        self.texts = [avro(f"Owned{number}_{n}") for n in range(6)]
        self.there: dict[int, bool] = {}
        """The versions, and whether each is soft-deleted."""
        self._text_of: dict[int, str] = {}

    def work(self, crowd: Crowd) -> None:
        """Until the others are done."""
        while not crowd.over.is_set():
            node = self.site.node(self.choose)
            try:
                self._change(node)
            except UnansweredError:
                self.site.wait()  # until then a killed node may have something under way in Redis
                self._learn(node)
            else:
                assert self._found(node) == self.there

    def _change(self, node: Node) -> None:
        """Do something, and know what is there then. Raises UnansweredError."""
        live = [version for version, deleted in self.there.items() if not deleted]
        dead = [version for version, deleted in self.there.items() if deleted]
        match self.choose.randrange(8):
            case 4 | 5 if live:
                version = self.choose.choice(live)
                assert self.delete(node, self.subject, version, permanent=False)
                self.there[version] = True
            case 6 if dead:
                version = self.choose.choice(dead)
                assert self.delete(node, self.subject, version, permanent=True)
                del self.there[version]
            case 7 if live:
                assert self.delete(node, self.subject, None, permanent=False)
                self.there = dict.fromkeys(self.there, True)
            case _:
                made = self.register(node, self.subject, self.choose.choice(self.texts))
                for version in dead:  # one that is brought back has a new number
                    if self._text_of[version] == made.text:
                        del self.there[version]
                self.there[made.version] = False
                self._text_of[made.version] = made.text

    def _learn(self, node: Node) -> None:
        """See what is there, where it is not known whether something was done."""
        self.there = self._found(node)
        for version in self.there:
            path = f"/subjects/{self.subject}/versions/{version}?deleted=true"
            self._text_of[version] = self.read(path, not_at=node).body["schema"]

    def _found(self, node: Node) -> dict[int, bool]:
        """What is there, asked at another node than `node`."""
        found = {}
        for deleted, query in ((False, ""), (True, "?deletedOnly=true")):
            answer = self.read(f"/subjects/{self.subject}/versions{query}", not_at=node)
            assert answer.status == 200 or answer.body["error_code"] == 40401, answer
            found.update(dict.fromkeys(answer.body if answer.status == 200 else [], deleted))
        return found


def meddle(client: Client, crowd: Crowd) -> None:
    """Register in subjects, and delete what others register in them, until the others are done."""
    while not crowd.over.is_set():
        node, subject = client.site.node(client.choose), client.choose.choice(CONTESTED)
        try:
            match client.choose.randrange(6):
                case 0 | 1 | 2:
                    client.register(node, subject, avro(f"Contested{client.choose.randrange(12)}"))
                case 3:
                    client.delete(node, subject, client.choose.randrange(1, 15), permanent=False)
                case 4:
                    client.delete(node, subject, client.choose.randrange(1, 15), permanent=True)
                case 5:
                    client.delete(node, subject, None, permanent=client.choose.random() < 0.5)
        except UnansweredError:
            client.unanswered += 1
            client.site.wait()


def jobs(choose: random.Random) -> list[list[tuple[str, str]]]:
    """What each registrar registers: `SCHEMAS` schemas, each by several, at about the same time."""
    shares: list[list[tuple[str, str]]] = [[] for _ in range(REGISTRARS)]
    for number in range(SCHEMAS):
        subject = choose.choice(choose.choice([HOT, HOT, COOL, ELSEWHERE]))
        text = avro(f"Record{number}", id="long", **{f"field{number % 7}": ("string", "")})
        for registrar in choose.sample(range(REGISTRARS), choose.randint(2, 4)):
            shares[registrar].append((subject, text))
            if choose.random() < 0.1:  # also in another subject: one content, one id
                shares[registrar].append((choose.choice(COOL), text))
    return shares


@pytest.fixture(params=["one node of sqlite", "two nodes of redis"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    redis: RunningRedis | None = None
    store_url, workers = f"sqlite:///{tmp_path}/log.db", [4]
    if "redis" in request.param:
        redis = request.getfixturevalue("own_redis")
        store_url, workers = redis.url(), [2, 2]
    with ExitStack() as stack:
        settings = {"compatibility": "NONE"}
        servers = [
            stack.enter_context(running_registry(store_url, workers=number, **settings)) for number in workers
        ]
        yield Site(store_url, [Node(server) for server in servers], redis)


def test_what_was_acknowledged_is_there_whatever_is_killed(site: Site) -> None:
    shares = jobs(random.Random(SEED))
    registering, others = Crowd(), Crowd()
    pace = Pace(sum(map(len, shares)), OUTAGES, registering.over)
    registrars = [Client(site, f"registrar {number}") for number in range(REGISTRARS)]
    owners = [Owner(site, number) for number in range(OWNERS)]
    meddlers = [Client(site, f"meddler {number}") for number in range(MEDDLERS)]
    happened: list[int] = []

    def have_outages() -> None:
        for number in pace.events():
            site.happen(number)
            happened.append(number)

    for client, share in zip(registrars, shares, strict=True):
        registering.add("registrar", register_all, client, share, pace)
    registering.add("outages", have_outages)
    for owner in owners:
        others.add("owner", owner.work, others)
    for client in meddlers:
        others.add("meddler", meddle, client, others)
    assert registrars[0].register(site.nodes[0], FIRST.subject, FIRST.text) == FIRST
    others.start()
    registering.start()
    registering.join()
    others.over.set()
    others.join()
    clients = [*registrars, *owners, *meddlers]
    for client in clients:
        client.close()
    faults = registering.faults + others.faults
    assert not faults, "\n".join([f"seed {SEED}:", *faults[:5]])
    assert happened == list(range(OUTAGES))
    assert sum(client.unanswered for client in clients) > 0  # or else nobody was hit
    history = site.history()
    _judge(history, clients, {(FIRST.subject, FIRST.text)}.union(*shares))
    for owner in owners:
        assert history.versions(owner.subject) == dict(sorted(owner.there.items()))
    for node in site.nodes:
        _compare(node, history)


def _judge(history: History, clients: list[Client], sent: set[tuple[str, str]]) -> None:
    """Hold the log against what the clients were told."""
    acknowledged = {made for client in clients for made in client.registered}
    assert acknowledged <= history.made.keys()
    for made in history.made:
        if not made.subject.startswith(("owned", "contested")):
            assert (made.subject, made.text) in sent
            assert history.now[made.subject][made.version] == (made, False)  # nobody deletes these
    for subject in {subject for subject, _ in sent}:
        assert list(history.versions(subject)) == list(range(1, len(history.versions(subject)) + 1))
    assert {(made.subject, made.text) for made in acknowledged} >= sent
    for kept, told in (
        (history.deleted, [client.deleted for client in clients]),
        (history.gone, [client.gone for client in clients]),
    ):
        acknowledged_deletes = sum(told, Counter[Place]())
        assert acknowledged_deletes
        assert acknowledged_deletes <= kept  # each was done once for each time that it was acknowledged
    assert history.ids_without_gaps()


def _compare(node: Node, history: History) -> None:
    """What each worker of `node` answers is what the log says."""
    there = [known for versions in history.now.values() for known in versions.values()]
    expected = sorted((*made, deleted) for made, deleted in there)
    for _ in range(8):  # connections, which the workers share out
        with closing(Caller()) as caller:
            listed: list[dict[str, object]] = []
            while True:
                path = f"/schemas?subjectPrefix=:*:&deleted=true&offset={len(listed)}"
                page = caller.ask(node, "GET", path).body
                listed += page
                if not page:
                    break
            found = [
                (s["subject"], s["version"], s["id"], s["schema"], s.get("deleted", False)) for s in listed
            ]
            assert found == expected
            known = {made.id: made.text for made, _ in there if made.subject[0] != ":"}
            for number in random.Random(SEED).sample(sorted(known), 100):
                assert caller.ask(node, "GET", f"/schemas/ids/{number}").body["schema"] == known[number]
