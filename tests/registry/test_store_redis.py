"""The Redis store: what it survives, what it refuses, what it warns of, and what it says then."""

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import redis.exceptions

from registry.errors import Conflict, LogFormatError, SettingsError, StoreAwayError, StoreError
from registry.records import LogRecord
from registry.store.redis import RedisStore
from tests.support.needs import need_programs
from tests.support.redis import DURABLE, FORGETFUL, RunningRedis, running_redis
from tests.support.server import free_port

RECORD = LogRecord({"keytype": "NOOP"}, None)


@pytest.fixture
def store(redis_url: str) -> Iterator[RedisStore]:
    with closing(RedisStore(redis_url)) as store:
        yield store


@pytest.fixture
def key(redis_url: str) -> str:
    return redis_url.partition("key=")[2]


def until_it_works(action: Callable[[], Any]) -> Any:
    """What `action` answers once Redis is no longer away."""
    while True:
        try:
            return action()
        except StoreAwayError:
            time.sleep(0.02)


# The stream


def test_an_entry_is_one_of_the_stream(store: RedisStore, shared_redis: RunningRedis, key: str) -> None:
    store.append(1, [RECORD], principal="me")
    store.append(2, [RECORD])
    with shared_redis.client() as client:
        (first, fields), (second, others) = client.xrange(key)
    assert (first, second) == (b"1-0", b"2-0")
    assert fields is not None
    assert list(fields) == [b"token", b"time", b"records", b"principal"]
    assert fields[b"records"] == b'[{"key":{"keytype":"NOOP"},"value":null}]'
    assert fields[b"principal"] == b"me"
    assert list(others or {}) == [b"token", b"time", b"records"]


@pytest.mark.parametrize("command", ["SET {} x", "XADD {} * a b", "XADD {} 1-0 a b", "XADD {} 1-1 token t"])
def test_a_key_of_somebody_else(command: str, redis_url: str, shared_redis: RunningRedis, key: str) -> None:
    with shared_redis.client() as client:
        client.execute_command(*command.format(key).split())
    with pytest.raises(LogFormatError, match=r"key=test\d+: .*; give another key$") as caught:
        RedisStore(redis_url)
    assert "script" not in str(caught.value)


def change(shared_redis: RunningRedis, key: str, number: int, **fields: str | bytes) -> None:
    """Append an entry behind the store's back."""
    with shared_redis.client() as client:
        client.xadd(key, {**fields}, id=f"{number}-0")


@pytest.mark.parametrize(
    ("time_", "records"), [("1", "[{"), ("x", "[]"), ("1", b"\xff"), ("1", '[{"key": 1, "value": null}]')]
)
def test_a_damaged_entry_is_named(
    store: RedisStore, shared_redis: RunningRedis, key: str, time_: str, records: str | bytes
) -> None:
    store.append(1, [RECORD])
    change(shared_redis, key, 2, token="t", time=time_, records=records)
    with pytest.raises(LogFormatError, match="the entry at position 2 of the log"):
        list(store.read(0))


def test_a_gap_in_the_log_is_not_read_over(store: RedisStore, shared_redis: RunningRedis, key: str) -> None:
    for position in (1, 2, 3):
        store.append(position, [RECORD])
    with shared_redis.client() as client:
        client.xdel(key, "2-0")
    with pytest.raises(LogFormatError, match="a gap after position 0"):
        list(store.read(0))


def test_an_end_that_was_deleted_is_not_written_over(
    store: RedisStore, shared_redis: RunningRedis, key: str
) -> None:
    store.append(1, [RECORD])
    store.append(2, [RECORD])
    with shared_redis.client() as client:
        client.xdel(key, "2-0")
    with pytest.raises(LogFormatError, match="entries were deleted from the log's end"):
        store.append(2, [RECORD])


# Answers that were lost


def broken_once(store: RedisStore, monkeypatch: pytest.MonkeyPatch, *, applied: bool) -> None:
    """The connection breaks at the next command, after or before Redis did it."""
    real, left = store._client.execute_command, [1]

    def execute(*arguments: Any, **options: Any) -> Any:
        if left and left.pop():
            if applied:
                real(*arguments, **options)
            raise redis.exceptions.ConnectionError("Connection closed by server.")
        return real(*arguments, **options)

    monkeypatch.setattr(store._client, "execute_command", execute)


@pytest.mark.parametrize("applied", [True, False])
def test_an_append_whose_answer_was_lost_is_there_once(
    store: RedisStore, monkeypatch: pytest.MonkeyPatch, applied: bool
) -> None:
    store.append(1, [RECORD])
    broken_once(store, monkeypatch, applied=applied)
    store.append(2, [RECORD])
    assert [entry.position for entry in store.read(0)] == [1, 2]


def test_an_append_whose_position_was_taken_while_the_connection_was_gone(
    store: RedisStore, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken_once(store, monkeypatch, applied=False)
    with closing(RedisStore(redis_url)) as other:
        other.append(1, [RECORD])
    with pytest.raises(Conflict):
        store.append(1, [RECORD])
    assert store.head() == 1


def test_connections_that_were_cut_are_made_again(own_redis: RunningRedis) -> None:
    with closing(RedisStore(own_redis.url())) as store, own_redis.client() as client:
        for position in range(1, 20):
            store.append(position, [RECORD])
            client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        assert [entry.position for entry in store.read(0)] == list(range(1, 20))


# Redis is away


def test_what_was_acknowledged_outlives_a_kill(own_redis: RunningRedis) -> None:
    for round_number in range(3):
        acknowledged: list[tuple[int, str]] = []
        enough = threading.Event()

        def write(name: str, acknowledged: list[tuple[int, str]], enough: threading.Event) -> None:
            with closing(RedisStore(own_redis.url())) as store:
                while True:
                    try:
                        position = store.head() + 1
                        store.append(position, [LogRecord({"keytype": name}, {"position": position})])
                    except Conflict:
                        continue
                    except StoreError:
                        return
                    acknowledged.append((position, name))
                    if len(acknowledged) > 200:
                        enough.set()

        threads = [
            threading.Thread(target=write, args=(f"{round_number}.{n}", acknowledged, enough))
            for n in range(4)
        ]
        for thread in threads:
            thread.start()
        assert enough.wait(60)
        own_redis.kill()
        for thread in threads:
            thread.join()
        own_redis.start()
        with closing(RedisStore(own_redis.url())) as store:
            kept = {entry.position: entry.records[0].key["keytype"] for entry in store.read(0)}
        assert {position: kept.get(position) for position, _ in acknowledged} == dict(acknowledged)
        assert len(dict(acknowledged)) == len(acknowledged)


def test_while_redis_is_away_every_call_says_so_and_then_it_goes_on(own_redis: RunningRedis) -> None:
    with closing(RedisStore(own_redis.url())) as store:
        store.append(1, [RECORD])
        own_redis.kill()
        calls: list[Callable[[], object]] = [
            store.head,
            store.tail,
            lambda: list(store.read(0)),
            lambda: store.append(2, [RECORD]),
            lambda: store.wait(1, timeout=60),
            lambda: RedisStore(own_redis.url()),
        ]
        for call in calls:
            with pytest.raises(StoreAwayError, match="Connection refused; see whether Redis runs there"):
                call()
        own_redis.start()
        assert store.head() == 1
        store.append(2, [RECORD])


def test_while_redis_is_silent_every_call_ends(
    own_redis: RunningRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.store.redis._REST", 0.0)
    with closing(RedisStore(own_redis.url(), timeout=0.5)) as store:
        store.append(1, [RECORD])
        own_redis.freeze()
        for call in (lambda: store.append(2, [RECORD]), store.head, lambda: store.wait(1, timeout=60)):
            with pytest.raises(StoreAwayError, match=r"Timeout .*; see whether Redis runs there"):
                call()
        own_redis.thaw()
        head = until_it_works(store.head)  # 2 if Redis still did what it had been sent
        store.append(head + 1, [RECORD])
        assert [entry.position for entry in store.read(0)] == list(range(1, head + 2))


def test_who_queues_behind_a_timeout_fails_at_once(
    store: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def silent(*arguments: Any, **options: Any) -> Any:
        asked.append(arguments)
        raise redis.exceptions.TimeoutError("Timeout reading from socket")

    monkeypatch.setattr(store._client, "execute_command", silent)
    monkeypatch.setattr("registry.store.redis._REST", 600.0)
    for _ in range(3):
        with pytest.raises(StoreAwayError, match="Timeout reading from socket"):
            store.head()
    assert len(asked) == 1


def test_waiting_is_not_taken_for_silence(redis_url: str) -> None:
    with closing(RedisStore(redis_url, timeout=1)) as store:
        assert store.wait(0, timeout=1.2) == 0  # longer than Redis may be silent


def test_a_closed_store_says_so(store: RedisStore) -> None:
    store.close()
    calls: list[Callable[[], object]] = [store.head, lambda: store.append(1, [RECORD])]
    for call in calls:
        with pytest.raises(StoreError, match="the store is closed"):
            call()


# Passwords and TLS


def test_passwords() -> None:
    with running_redis(*FORGETFUL, "--requirepass", "p@ss/wörd") as server:
        with server.client(password="p@ss/wörd") as client:
            client.execute_command("ACL", "SETUSER", "reader", "on", ">x", "~*", "+@read")
        for credentials in (":p%40ss%2Fw%C3%B6rd@", "default:p%40ss%2Fw%C3%B6rd@"):
            with closing(RedisStore(server.url(credentials=credentials))) as store:
                assert store.url == f"redis://127.0.0.1:{server.port}/0?key=fivebyte"
                assert store.head() == 0
        for credentials in ("", ":secret@", "nobody:secret@"):
            with pytest.raises(
                StoreError, match="see the user and the password in the store's URL"
            ) as caught:
                RedisStore(server.url(credentials=credentials))
            assert "secret" not in str(caught.value)
        with pytest.raises(StoreError, match="allow the user the key, and EVAL"):
            RedisStore(server.url(credentials="reader:x@"))


def test_tls(tmp_path: Path) -> None:
    need_programs("openssl", "redis-server")
    certificate, private = tmp_path / "cert.pem", tmp_path / "key.pem"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            *names,
            "-keyout",
            private,
            "-out",
            certificate,
        ],
        check=True,
        capture_output=True,
    )
    port = free_port()
    options = ("--tls-port", str(port), "--tls-cert-file", str(certificate), "--tls-key-file", str(private))
    with running_redis(*FORGETFUL, *options, "--tls-auth-clients", "no"):
        url = f"rediss://127.0.0.1:{port}/0"
        with closing(RedisStore(f"{url}?ca={certificate}")) as store:
            store.append(1, [RECORD])
            assert store.head() == 1
            assert store.url == f"{url}?key=fivebyte&ca={certificate}"
        with pytest.raises(StoreError, match=r"see the certificates, and ca=FILE"):
            RedisStore(url)
    with pytest.raises(SettingsError, match=r"there is no file /nowhere\.pem of certificates"):
        RedisStore(f"{url}?ca=/nowhere.pem")


# What Redis is set to do


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (FORGETFUL, ['persists nothing (appendonly no, save ""): a restart loses every schema. Set append']),
        (
            ("--save", "900 1"),
            ["has appendonly no: a crash loses what was registered since its last snapshot"],
        ),
        ((*DURABLE, "--maxmemory-policy", "allkeys-lru"), ["may throw the log away when memory is short"]),
        ((*DURABLE, "--maxmemory-policy", "volatile-ttl"), []),
        (DURABLE, []),
    ],
)
def test_what_may_lose_the_log_is_warned_of(options: tuple[str, ...], said: list[str]) -> None:
    with running_redis(*options) as server, closing(RedisStore(server.url())) as store:
        warnings = store.warnings()
    assert len(warnings) == len(said)
    for warning, text in zip(warnings, said, strict=True):
        assert warning.startswith(f"redis://127.0.0.1:{server.port}/0?key=fivebyte ")
        assert text in warning


def test_a_redis_without_memory_writes_nothing(own_redis: RunningRedis) -> None:
    with closing(RedisStore(own_redis.url())) as store, own_redis.client() as client:
        store.append(1, [RECORD])
        client.config_set("maxmemory", "1")
        with pytest.raises(StoreError, match="nothing was written: give Redis more memory"):
            store.append(2, [RECORD])
        assert store.head() == 1
        client.config_set("maxmemory", "0")
        store.append(2, [RECORD])


def test_a_master_that_became_a_replica(own_redis: RunningRedis) -> None:
    with closing(RedisStore(own_redis.url())) as store, own_redis.client() as client:
        store.append(1, [RECORD])
        client.replicaof("127.0.0.1", str(free_port()))
        with pytest.raises(StoreAwayError, match="this Redis is a replica now; nothing was written"):
            store.append(2, [RECORD])
        with pytest.raises(StoreError, match="is a replica; give the address of its master"):
            RedisStore(own_redis.url())
        client.replicaof("NO", "ONE")
        store.append(2, [RECORD])


def test_waiting_for_replicas(own_redis: RunningRedis) -> None:
    url = own_redis.url("?wait_replicas=1")
    with own_redis.client() as client:
        client.config_set("repl-diskless-sync-delay", "0")
    with closing(RedisStore(url, timeout=2)) as store:
        with pytest.raises(StoreError, match=r"position 1 was written, but only 0 of 1 replicas confirmed"):
            store.append(1, [RECORD])
        assert store.head() == 1  # as the message says
    with (
        running_redis(*FORGETFUL, "--replicaof", f"127.0.0.1 {own_redis.port}") as replica,
        closing(RedisStore(url, timeout=60)) as store,
        replica.client() as client,
    ):
        while client.info("replication")["master_link_status"] != "up":
            time.sleep(0.02)
        store.append(2, [RECORD])
        assert client.xlen("fivebyte") == 2
        with pytest.raises(Conflict):
            store.append(2, [RECORD])


# URLs


@pytest.mark.parametrize(
    "url",
    [
        "redis://",
        "redis://:secret@",
        "redis://:sec/ret@host",
        "redis://:sec#ret@host",
        "redis://:secret@host:port/0",
        "redis://:secret@host/zero",
        "redis://:secret@host/0/1",
        "redis://:secret@host/-1",
        "redis://:secret@host?key=",
        "redis://:secret@host?keys=secret",
        "redis://:secret@host?key=a&key=b",
        "redis://:secret@host?secret",
        "redis://:secret@host?wait_replicas=secret",
        "redis://:secret@host?ca=x.pem",
        "redis://:sec?ret@host",
        "redis://:secret@[host",
    ],
)
def test_a_url_that_cannot_be_used_is_not_repeated(url: str) -> None:
    with pytest.raises(
        SettingsError, match=r"the URL of the Redis store cannot be used: .*; give redis"
    ) as caught:
        RedisStore(url)
    assert "secret" not in str(caught.value)
    assert "ret@" not in str(caught.value)
