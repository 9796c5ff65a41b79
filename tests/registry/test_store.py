"""What every store must do. A new store joins by adding itself to `open_stores`."""

import multiprocessing
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from registry.errors import Conflict, SettingsError
from registry.records import LogRecord
from registry.store import Entry, MemoryStore, Store, open_store


def record(text: str) -> LogRecord:
    return LogRecord({"keytype": "TEST", "text": text}, {"text": text})


@pytest.fixture(params=["memory", "sqlite", "redis"])
def open_stores(
    request: pytest.FixtureRequest, store_url: Callable[[str], str]
) -> Iterator[Callable[[], Store]]:
    """Opens the same log as often as it is called; the memory store is its own log."""
    opened: list[Store] = []
    url = "memory:" if request.param == "memory" else store_url(request.param)

    def open_it() -> Store:
        if request.param == "memory":
            opened.append(opened[0] if opened else MemoryStore())
        else:
            opened.append(open_store(url))
        return opened[-1]

    yield open_it
    for store in opened:
        store.close()


@pytest.fixture
def store(open_stores: Callable[[], Store]) -> Store:
    return open_stores()


def test_an_empty_log(store: Store) -> None:
    assert store.head() == 0
    assert list(store.read(0)) == []


def test_what_was_appended_is_read_in_order(store: Store) -> None:
    before = time.time_ns() // 1_000_000
    store.append(
        1, [record("a"), record("é\ud83d\ude00\x00".encode("utf-16", "surrogatepass").decode("utf-16"))]
    )
    store.append(2, [LogRecord({"keytype": "TEST"}, None)], principal="someone")
    after = time.time_ns() // 1_000_000
    first, second = store.read(0)
    assert (first.position, second.position, store.head()) == (1, 2, 2)
    assert first.records == (record("a"), record("é😀\x00"))
    assert second.records == (LogRecord({"keytype": "TEST"}, None),)
    assert (first.principal, second.principal) == (None, "someone")
    assert before <= first.time <= second.time <= after


def test_reading_starts_after_a_position(store: Store) -> None:
    for position in range(1, 2502):  # more than a page of any store's, twice
        store.append(position, [record(str(position))])
    assert [entry.position for entry in store.read(0)] == list(range(1, 2502))
    assert [entry.position for entry in store.read(2499)] == [2500, 2501]
    assert list(store.read(2501)) == []
    assert list(store.read(9999)) == []


def test_reading_ends_at_the_head_of_the_time_of_the_call(store: Store) -> None:
    store.append(1, [record("a")])
    entries = store.read(0)
    first = next(entries)
    store.append(2, [record("b")])
    assert [first.position, *(entry.position for entry in entries)] == [1]


@pytest.mark.parametrize("position", [0, 1, 3, -1])
def test_only_the_position_after_the_head_can_be_taken(store: Store, position: int) -> None:
    store.append(1, [record("a")])
    with pytest.raises(Conflict, match=f"position {position} "):
        store.append(position, [record("b")])
    assert [entry.records for entry in store.read(0)] == [(record("a"),)]


def test_an_entry_needs_a_record(store: Store) -> None:
    with pytest.raises(ValueError, match="at least one record"):
        store.append(1, [])
    assert store.head() == 0


def test_key_order_is_kept(store: Store) -> None:
    store.append(1, [LogRecord({"z": 1, "a": 2}, {"y": 1, "b": 2})])
    (entry,) = store.read(0)
    assert [list(part or {}) for part in entry.records[0]] == [["z", "a"], ["y", "b"]]


def test_what_one_connection_appends_the_others_see_at_once(open_stores: Callable[[], Store]) -> None:
    one, other = open_stores(), open_stores()
    for position in range(1, 20):
        (one if position % 2 else other).append(position, [record(str(position))])
        assert one.head() == other.head() == position
    assert list(one.read(0)) == list(other.read(0))


def entries_at(*positions: int) -> list[Entry]:
    return [
        Entry(
            position,
            1_000 * position,
            (record(f"é{position}"), record("b")),
            f"p{position}" * (position % 2) or None,
        )
        for position in positions
    ]


def untokened(entries: Iterable[Entry]) -> list[Entry]:
    return [entry._replace(token="") for entry in entries]


def test_entries_of_another_log_keep_their_times_and_principals(store: Store) -> None:
    store.extend(entries_at(1, 2))
    store.extend(entries_at(*range(3, 600)))
    assert untokened(store.read(0)) == entries_at(*range(1, 600))
    store.append(600, [record("c")])
    assert store.tail() == (600, next(iter(store.read(599))).token)


@pytest.mark.parametrize("position", [0, 1, 3])
def test_entries_are_taken_all_or_none(store: Store, position: int) -> None:
    store.append(1, [record("a")])
    with pytest.raises(Conflict, match=f"position {position} "):
        store.extend(entries_at(position, position + 1))
    assert store.head() == 1


def test_threads_that_race_for_positions_win_each_once(open_stores: Callable[[], Store]) -> None:
    stores = [open_stores() for _ in range(4)]
    wins: list[tuple[int, str]] = []
    ready = threading.Barrier(8)

    def race(store: Store, name: str) -> None:
        ready.wait()
        for _ in range(25):
            while True:
                position = store.head() + 1
                try:
                    store.append(position, [record(name)])
                except Conflict:
                    continue
                wins.append((position, name))
                break

    threads = [threading.Thread(target=race, args=(stores[n % 4], f"t{n}")) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(position for position, _ in wins) == list(range(1, 201))
    assert dict(wins) == {entry.position: entry.records[0].key["text"] for entry in stores[0].read(0)}


def test_waiting_ends_when_somebody_appends(open_stores: Callable[[], Store]) -> None:
    waiter, writer = open_stores(), open_stores()
    timer = threading.Timer(0.05, writer.append, (1, [record("a")]))
    timer.start()
    assert waiter.wait(0, timeout=30) == 1
    timer.join()
    assert waiter.wait(0, timeout=0) == 1


def test_waiting_ends_at_its_timeout(store: Store) -> None:
    assert store.wait(0, timeout=0.01) == 0


def test_the_tail_is_the_head_and_the_token_there(store: Store) -> None:
    assert store.tail() == (0, "")
    for position in (1, 2):
        store.append(position, [record("a")])
        assert store.tail() == (position, list(store.read(0))[-1].token)


def test_closing_twice_is_no_fault(store: Store) -> None:
    store.close()
    store.close()


def _race_in_process(url: str, name: str, count: int, wins: "multiprocessing.Queue[tuple[int, str]]") -> None:
    store = open_store(url)
    for _ in range(count):
        while True:
            position = store.head() + 1
            try:
                store.append(position, [record(name)])
            except Conflict:
                continue
            wins.put((position, name))
            break
    store.close()


@pytest.mark.parametrize("kind", ["sqlite", "redis"])
def test_processes_that_race_for_positions_win_each_once(kind: str, store_url: Callable[[str], str]) -> None:
    context = multiprocessing.get_context("spawn")
    url, wins = store_url(kind), context.Queue()
    processes = [context.Process(target=_race_in_process, args=(url, f"p{n}", 50, wins)) for n in range(3)]
    for process in processes:
        process.start()
    won = dict(wins.get(timeout=60) for _ in range(150))
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    with_store = open_store(url)
    assert {entry.position: entry.records[0].key["text"] for entry in with_store.read(0)} == won
    with_store.close()
    assert sorted(won) == list(range(1, 151))


@pytest.mark.parametrize(
    "url", ["", "memory", "sqlite:", "sqlite://x.db", "sqlite:///", "postgres://x", "x.db"]
)
def test_a_url_that_names_no_store(url: str) -> None:
    with pytest.raises(
        SettingsError, match=r"give memory:, sqlite:///relative\.db, sqlite:////absolute/path\.db or redis://"
    ):
        open_store(url)


def test_urls_are_relative_or_absolute_as_sqlalchemy_has_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for url, path in [("sqlite:///a.db", "a.db"), (f"sqlite:///{tmp_path}/b.db", f"{tmp_path}/b.db")]:
        store = open_store(url)
        assert store.url == url
        store.close()
        assert Path(path).is_file()
    assert open_store("memory:").url == "memory:"


def test_an_append_answers_what_is_read_back(store: Store) -> None:
    first = store.append(1, [LogRecord({"keytype": "TEST", "n": 1}, {"é": [1, None, True]})])
    second = store.append(2, [LogRecord({"keytype": "TEST"}, None)] * 2, principal="someone")
    assert [first, second] == list(store.read(0))
    assert store.tail() == (2, second.token)
