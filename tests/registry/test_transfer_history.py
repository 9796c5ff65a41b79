"""What the log tells: who changed what, and when."""

from hypothesis import given, settings

from registry.records import ClearSubjectRecord, DeleteSubjectRecord, LogRecord, NoopRecord
from registry.store import Entry, MemoryStore, Store
from registry.transfer.history import Event, history
from tests.registry.histories import Request, histories, played
from tests.registry.samples import avro, gone, stored


def told(store: Store, scope: str | None = None, since: int = 0) -> list[tuple[str | None, str]]:
    return [(event.scope, event.text) for event in history(store.read(0), scope, since=since)]


LIFE: list[Request] = [
    ("POST", "/subjects/s/versions", {"schema": avro("A")}),
    ("POST", "/subjects/:.eu:t/versions", {"schema": avro("A")}),
    ("PUT", "/config", {"compatibility": "FULL"}),
    ("PUT", "/config/s", {"compatibility": "BACKWARD"}),
    ("PUT", "/config/s", {"compatibility": "NONE", "normalize": True}),
    ("PUT", "/config/s", {"normalize": None, "defaultMetadata": {"properties": {"a": "b"}}}),
    ("PUT", "/config/nick", {"alias": "s"}),
    ("DELETE", "/config/nick", None),
    ("POST", "/subjects/s/versions", {"schema": '"int"'}),
    ("DELETE", "/subjects/s/versions/1", None),
    ("DELETE", "/subjects/s/versions/1?permanent=true", None),
    ("PUT", "/mode/:.eu:", {"mode": "READONLY"}),
    ("PUT", "/mode/:.eu:", {"mode": "IMPORT"}),
    ("PUT", "/mode/:.eu:?force=true", {"mode": "IMPORT"}),
    ("DELETE", "/mode/:.eu:", None),
    ("DELETE", "/subjects/:.eu:t", None),
    ("DELETE", "/subjects/:.eu:t?permanent=true", None),
    ("DELETE", "/contexts/.eu", None),
]

TOLD = [
    ("s", "registered version 1 with id 1"),
    (":.eu:", "context made"),
    (":.eu:t", "registered version 1 with id 1"),
    (None, "compatibility set to FULL"),
    ("s", "compatibility set to BACKWARD"),
    ("s", "normalize set to true"),
    ("s", "compatibility set to NONE (from BACKWARD)"),
    ("s", "defaultMetadata set to {…}"),
    ("s", "normalize cleared (from true)"),
    ("nick", "alias set to s"),
    ("nick", "config reset (alias was s)"),
    ("s", "registered version 2 with id 2"),
    ("s", "soft-deleted version 1 with id 1"),
    ("s", "permanently deleted version 1 with id 1"),
    (":.eu:", "mode set to READONLY"),
    (":.eu:", "mode set to IMPORT (from READONLY)"),
    (":.eu:", "mode reset (was IMPORT)"),
    (":.eu:t", "soft-deleted version 1 with id 1"),
    (":.eu:t", "permanently deleted version 1 with id 1"),
    (":.eu:", "context deleted"),
]


def test_a_life() -> None:
    assert told(played(LIFE)) == TOLD


def test_a_subject_or_a_context() -> None:
    store = played(LIFE)
    assert told(store, "s") == told(store, ":.:s") == [event for event in TOLD if event[0] == "s"]
    assert told(store, ":.eu:") == [event for event in TOLD if str(event[0]).startswith(":.eu:")]
    assert told(store, ":.eu:t") == [event for event in TOLD if event[0] == ":.eu:t"]
    assert told(store, "none") == []


def a_log(*entries: Entry) -> MemoryStore:
    store = MemoryStore()
    store.extend(entries)
    return store


def test_times_and_principals() -> None:
    store = a_log(
        Entry(1, 0, (stored("s", 1, 1),)),
        Entry(2, 1_700_000_000_123, (stored("s", 2, 2), stored("s", 3, 3)), "ada"),
    )
    first, second, third = history(store.read(0))
    assert (first.moment, first.principal, first.position) == ("1970-01-01T00:00:00.000Z", None, 1)
    assert (second.moment, second.principal, second.position) == ("2023-11-14T22:13:20.123Z", "ada", 2)
    assert list(history(store.read(0), since=1)) == [second, third]
    assert second.to_json() == {
        "time": "2023-11-14T22:13:20.123Z",
        "position": 2,
        "principal": "ada",
        "subject": "s",
        "action": "registered",
        "version": 2,
        "id": 2,
        "deleted": False,
        "text": "registered version 2 with id 2",
    }
    assert "principal" not in first.to_json()


def test_what_other_registries_write() -> None:
    store = a_log(
        Entry(1, 0, (stored("s", 1, 1), stored("s", 2, 2, deleted=True), stored("s", 3, 3))),
        Entry(2, 0, (NoopRecord().to_log(), LogRecord({"keytype": "ASSOC"}, {"a": 1}))),
        Entry(3, 0, (stored("t", 1, 1, '"other"'),)),
        Entry(4, 0, (stored("s", 2, 2),)),
        Entry(5, 0, (DeleteSubjectRecord("s", 2).to_log(), DeleteSubjectRecord("s", None).to_log())),
        Entry(6, 0, (ClearSubjectRecord(None).to_log(), gone("x", 1))),
        Entry(7, 0, (stored("s", 3, 4), stored("s", 3, 3))),
    )
    assert told(store) == [
        ("s", "registered version 1 with id 1"),
        ("s", "registered version 2 with id 2, soft-deleted"),
        ("s", "registered version 3 with id 3"),
        (None, "a record of keytype ASSOC, which changes nothing here"),
        ("t", "version 1 with id 1 ignored: the id stands for another schema"),
        ("s", "brought back version 2 with id 2"),
        ("s", "soft-deleted version 1 with id 1"),
        ("s", "soft-deleted version 2 with id 2"),
        ("s", "permanently deleted version 1 with id 1"),
        ("s", "permanently deleted version 2 with id 2"),
        ("s", "replaced version 3 with id 4 (was id 3)"),
    ]


@settings(max_examples=40)
@given(histories)
def test_every_entry_of_ours_tells_something(requests: list[Request]) -> None:
    store = played(requests)
    events: list[Event] = list(history(store.read(0)))
    assert {event.position for event in events} == set(range(1, store.head() + 1))
    assert all(event.action not in {"ignored", "unknown", "replaced"} for event in events)
