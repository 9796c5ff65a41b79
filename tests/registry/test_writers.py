"""Many writers on one log: nodes, threads, and what each decides when another was faster."""

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from registry.errors import (
    IncompatibleSchemaError,
    InvalidSchemaError,
    StoreError,
    WriteTimedOutError,
)
from registry.model import SchemaReference
from registry.records import LogRecord, SchemaRecord
from registry.registry import NewSchema, Registry, SchemaVersion
from registry.store import Entry, MemoryStore, SQLiteStore, open_store
from tests.registry.samples import avro

INT, STRING = NewSchema('"int"'), NewSchema('"string"')


def brief(version: SchemaVersion) -> tuple[str, int, int]:
    return version.subject, version.version, version.id


class Meddling(MemoryStore):
    """Another node is faster: before each of the first appends it does something of its own."""

    def __init__(self, *meddle: Callable[[Registry], object]) -> None:
        super().__init__()
        self.meddle = list(meddle)
        self._busy = False

    def append(
        self, position: int, records: Sequence[LogRecord], principal: str | None = None, *, after: str = ""
    ) -> Entry:
        if self.meddle and not self._busy:
            self._busy = True
            self.meddle.pop(0)(Registry(self))
            self._busy = False
        return super().append(position, records, principal, after=after)


class Watched(MemoryStore):
    """Notes from where it is read."""

    def __init__(self) -> None:
        super().__init__()
        self.read_after: list[int] = []

    def read(self, after: int) -> Iterator[Entry]:
        self.read_after.append(after)
        return super().read(after)


def test_a_fork_goes_on_from_what_its_parent_had_read() -> None:
    store = Watched()
    parent, other = Registry(store), Registry(store)
    parent.register("s", INT)
    assert parent.subjects() == ["s"]  # now it has read what it wrote
    fold = parent.replica.fold
    other.register("s", STRING, force=True)
    store.read_after.clear()
    fork = Registry(store, fold=fold)
    assert [version.id for version in fork.versions("s")] == [1, 2]
    assert all(after > 0 for after in store.read_after)


def test_a_fold_of_more_than_the_log_has_is_not_believed() -> None:
    parent = Registry(MemoryStore())
    parent.register("s", INT)
    parent.register("s", STRING, force=True)
    assert len(parent.versions("s")) == 2
    store = MemoryStore()
    Registry(store).register("other", STRING)
    assert Registry(store, fold=parent.replica.fold).subjects() == ["other"]


def test_who_loses_a_position_decides_again() -> None:
    store = Meddling(
        lambda other: other.register("other", NewSchema('"bytes"')),
        lambda other: other.register("s", INT),
    )
    assert brief(Registry(store).register("s", NewSchema('"long"'))) == ("s", 2, 3)


def test_who_loses_to_the_same_schema_gets_its_id() -> None:
    store = Meddling(lambda other: other.register("s", INT))
    assert brief(Registry(store).register("s", INT)) == ("s", 1, 1)
    assert store.head() == 1


def test_who_loses_to_an_incompatible_schema_is_refused() -> None:
    store = Meddling(lambda other: other.register("s", INT))
    with pytest.raises(IncompatibleSchemaError):
        Registry(store).register("s", STRING)


def test_a_reference_that_vanishes_meanwhile_is_missed() -> None:
    store = Meddling()
    registry = Registry(store)
    registry.register("inner", NewSchema(avro("Inner")))
    store.meddle.append(lambda other: other.delete_subject("inner"))
    outer = NewSchema(avro("Outer", i="Inner"), references=[SchemaReference("Inner", "inner", 1)])
    with pytest.raises(InvalidSchemaError, match="No schema reference found"):
        registry.register("outer", outer)


def test_who_loses_every_time_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.replica._WRITE_SECONDS", -1.0)
    store = Meddling(lambda other: other.set_config({"alias": "x"}))
    with pytest.raises(WriteTimedOutError, match="nothing was written, try again") as caught:
        Registry(store).set_config({"alias": "y"})
    assert (caught.value.code, caught.value.status) == (50002, 500)


def test_a_node_sees_what_another_wrote(tmp_path: Path) -> None:
    one, other = (Registry(SQLiteStore(tmp_path / "log.db")) for _ in range(2))
    try:
        for number in range(1, 20):
            writer, reader = (one, other) if number % 2 else (other, one)
            version = writer.register(f"s{number}", NewSchema(avro(f"R{number}")))
            assert version.id == number
            assert reader.by_id(number).content == version.content
            assert len(reader.subjects()) == number
    finally:
        one.close()
        other.close()


def test_a_log_that_went_back_is_noticed_and_read_anew(caplog: pytest.LogCaptureFixture) -> None:
    store = MemoryStore()
    registry = Registry(store)
    registry.register("a", INT)
    registry.register("b", STRING)
    assert registry.subjects() == ["a", "b"]
    store._rows.pop()
    assert registry.subjects() == ["a"]
    assert "ends at position 1, but 2 had been read from it" in caplog.text


class BreaksOff(MemoryStore):
    """Reading ends with an error after so many entries."""

    after: int | None = None

    def read(self, after: int) -> Iterator[Entry]:
        for number, entry in enumerate(super().read(after)):
            if number == self.after:
                raise StoreError("memory: broken off")
            yield entry


def test_reading_anew_answers_when_it_is_done_and_not_before(caplog: pytest.LogCaptureFixture) -> None:
    store = BreaksOff()
    registry = Registry(store)
    for subject in ("a", "b", "c", "d"):
        registry.register(subject, INT)
    store._rows.pop()
    store.after = 2
    for _ in range(2):
        with pytest.raises(StoreError, match="broken off"):
            registry.subjects()
        with pytest.raises(StoreError, match="broken off"):
            registry.register("e", STRING)
    store.after = None
    assert registry.subjects() == ["a", "b", "c"]
    assert registry.register("e", STRING).id == 2
    assert "ends at position 3, but 4 had been read from it" in caplog.text


def test_a_log_with_two_contents_for_an_id_is_said_aloud(caplog: pytest.LogCaptureFixture) -> None:
    store = MemoryStore()
    Registry(store).register("a", INT)
    taken = Registry(MemoryStore()).register("b", STRING)
    store.append(2, [SchemaRecord("b", 1, 1, taken.content).to_log()])
    assert Registry(store).subjects() == ["a"]
    assert "position 2: version 1 of subject b is ignored" in caplog.text


@pytest.mark.parametrize("kind", ["memory", "sqlite", "two nodes of sqlite", "two nodes of redis"])
def test_threads_that_register_the_same_and_different_schemas(
    kind: str, store_url: Callable[[str], str]
) -> None:
    url = "memory:" if kind == "memory" else store_url(kind.rsplit(maxsplit=1)[-1])
    registries = [Registry(open_store(url)) for _ in range(2 if kind.startswith("two") else 1)]
    answers: list[tuple[str, SchemaVersion]] = []
    ready = threading.Barrier(8)

    def run(thread: int) -> None:
        registry = registries[thread % len(registries)]
        ready.wait()
        for n in range(12):
            own, shared = avro(f"Own{thread}_{n}"), avro(f"Shared{n}")
            answers.append((own, registry.register(f"own{thread}", NewSchema(own), force=True)))
            answers.append((shared, registry.register("shared", NewSchema(shared), force=True)))

    threads = [threading.Thread(target=run, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 8 * 12 * 2
    ids = {text: {v.id for t, v in answers if t == text} for text, _ in answers}
    assert all(len(found) == 1 for found in ids.values())  # one content, one id
    assert sorted(found.pop() for found in ids.values()) == list(
        range(1, 8 * 12 + 12 + 1)
    )  # and none skipped
    places = {(v.subject, v.version, v.id) for _, v in answers}
    assert len(places) == len({place[:2] for place in places}) == 8 * 12 + 12
    for registry in registries:
        for text, version in answers:
            assert registry.by_id(version.id).content.text == text
        assert [v.version for v in registry.versions("shared")] == list(range(1, 13))
        registry.close()
