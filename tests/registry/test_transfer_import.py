"""Imports into stores: of whole logs, of what is new, and of nothing where ids would be mixed."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.errors import TransferError, WriteTimedOutError
from registry.model import CompatibilityLevel, Config, Mode
from registry.records import LogRecord
from registry.registry import Registry
from registry.store import Entry, MemoryStore, SQLiteStore, Store
from registry.transfer.importing import Imported, import_into
from registry.transfer.lines import from_lines, to_lines
from registry.transfer.source import Source, gather
from tests.registry.histories import Request, folded, histories, played, said
from tests.registry.samples import avro, gone, stored


def exported(entries: Iterable[Entry]) -> str:
    return "".join(to_lines(entries))


def source_of(text: str, **options: Any) -> Source:
    return gather("dump", from_lines(text.encode().splitlines(keepends=True), "dump"), **options)


def dump(*records: LogRecord | tuple[Any, Any]) -> str:
    """The records as the console consumer prints them."""
    return "".join(f"{json.dumps(key)}\t{json.dumps(value)}\n" for key, value in records)


def imported(text: str, target: Store | None = None, **options: Any) -> tuple[Store, Imported]:
    target = MemoryStore() if target is None else target
    return target, import_into(target, source_of(text, **options))


def versions(store: Store) -> dict[tuple[str, int], tuple[int, bool]]:
    return {key: (number, deleted) for key, (number, _, deleted) in said(folded(store))["versions"].items()}


# Whole logs


@settings(max_examples=60)
@given(histories)
def test_an_export_comes_back_equal(requests: list[Request]) -> None:
    original = played(requests)
    text = exported(original.read(0))
    copy, done = imported(text)
    assert exported(copy.read(0)) == text
    assert folded(copy) == folded(original)
    assert done.counts.total() == text.count("\n")
    assert import_into(copy, source_of(text)).counts.total() == 0
    assert copy.head() == original.head()


@settings(max_examples=60)
@given(histories, st.floats(0, 1), st.floats(0, 1))
def test_what_is_new_is_added_to_what_is_there(requests: list[Request], first: float, second: float) -> None:
    """A target with something of its own gets three states of a growing log, and says the last one."""
    original = played(requests)
    entries = list(original.read(0))
    target = MemoryStore()
    target.append(1, [stored(":.own:x", 1, 1)])
    for part in sorted((first, second)):
        imported(exported(entries[: round(part * len(entries))]), target)
    imported(exported(entries), target)
    head = target.head()
    wanted, got = said(folded(original)), said(folded(target))
    assert got["versions"].pop((":.own:x", 1))
    got["ids"] = {held for held in got["ids"] if held[0] != ".own"}
    assert set(got["contexts"]) - {".own"} >= set(wanted["contexts"])
    assert {**got, "contexts": wanted["contexts"]} == wanted
    assert imported(exported(entries), target)[1].counts.total() == 0
    assert target.head() == head


@settings(max_examples=40)
@given(histories, st.floats(0, 1))
def test_an_interrupted_import_goes_on(requests: list[Request], part: float) -> None:
    original = played(requests)
    entries = list(original.read(0))
    target = MemoryStore()
    begun = [entry._replace(token="") for entry in entries[: round(part * len(entries))]]
    if begun:
        target.extend(begun)
    imported(exported(entries), target)
    assert list(target.read(0)) == entries


def test_without_times_an_import_goes_on_as_well() -> None:
    text = dump(stored("s", 1, 1), stored("s", 2, 2))
    target = MemoryStore()
    target.extend([Entry(1, 5, (stored("s", 1, 1),))])
    _, done = imported(text, target)
    assert done.counts == {"SCHEMA records": 1}
    assert [entry.records for entry in target.read(0)] == [(stored("s", 1, 1),), (stored("s", 2, 2),)]


def test_a_log_with_other_times_is_another_log() -> None:
    target = MemoryStore()
    target.extend([Entry(1, 5, (stored("s", 1, 1),))])
    entries = [Entry(1, 6, (stored("s", 1, 1),)), Entry(2, 7, (stored("s", 2, 2),))]
    assert imported(exported(entries), target)[1].counts == {"versions": 1}


def test_nothing_comes_of_nothing() -> None:
    target, done = imported("")
    assert (target.head(), done.counts, done.position) == (0, {}, 0)


# What other registries write


def test_records_of_other_registries_are_replayed_in_order() -> None:
    seq = {"seq": 4, "node": 1}
    old_value = {"subject": "old", "version": 1, "id": 4, "schema": '"int"'}  # no type, no deleted
    target, done = imported(
        dump(
            ({"keytype": "NOOP", "magic": 0}, None),
            ({"magic": 0, "keytype": "SCHEMA", "subject": "old", "version": 1}, old_value),
            (
                {"keytype": "SCHEMA", "subject": "panda", "version": 3, "magic": 1, **seq},
                stored("p", 3, 9)[1],
            ),
            stored("gone", 1, 5),
            gone("gone", 1),
            stored("w", 1, 6),
            stored("w", 2, 7),
            ({"keytype": "DELETE_SUBJECT", "subject": "w", "magic": 0}, {"subject": "w", "version": 1}),
            stored("w", 3, 8),
            stored("c", 1, 10, deleted=True),
            stored("c", 2, 11),
            ({"keytype": "CLEAR_SUBJECT", "subject": "c", "magic": 0}, {"subject": "c"}),
            ({"keytype": "CONFIG", "subject": None, "magic": 0, **seq}, {"compatibilityLevel": "FULL"}),
            ({"keytype": "MODE", "subject": ":.eu:", "magic": 0}, {"mode": "READONLY"}),
            ({"keytype": "ASSOC", "tenant": "default"}, {"x": 1}),
        )
    )
    assert versions(target) == {
        ("old", 1): (4, False),
        ("panda", 3): (9, False),
        ("w", 1): (6, True),
        ("w", 2): (7, False),
        ("w", 3): (8, False),
        ("c", 2): (11, False),
    }
    state = folded(target)
    assert state.config(None) == Config(compatibility_level=CompatibilityLevel.FULL)
    assert state.mode(":.eu:") is Mode.READONLY
    assert state.next_id(".") == 12
    assert done.notes == {
        "NOOP records left out: they change nothing": 1,
        "records of keytype ASSOC kept as they are: they change nothing here": 1,
    }
    keys = [list(record.key.items()) for entry in target.read(0) for record in entry.records]
    assert keys[:2] == [
        [("keytype", "SCHEMA"), ("subject", "old"), ("version", 1), ("magic", 1)],
        [("keytype", "SCHEMA"), ("subject", "panda"), ("version", 3), ("magic", 1)],
    ]
    assert next(target.read(0)).records[0].value == old_value  # as it came


def test_of_two_schemas_with_one_id_the_first_is_kept() -> None:
    target, done = imported(dump(stored("s", 1, 1, '"int"'), stored("t", 1, 1, '"long"'), stored("u", 1, 2)))
    assert versions(target) == {("s", 1): (1, False), ("u", 1): (2, False)}
    assert folded(target).refused == []
    assert list(done.notes) == [
        "dump, line 2: version 1 of subject t left out: its id 1 stands for another schema, which came first"
    ]


def test_of_two_schemas_with_one_id_the_one_in_use_is_kept() -> None:
    """A registry that restarted on a compacted topic gives the id of what was deleted for good out again."""
    text = dump(stored("s", 1, 1, '"int"'), gone("s", 1), stored("t", 1, 1, '"long"'))
    target, done = imported(text)
    assert versions(target) == {("t", 1): (1, False)}
    ((note, _),) = done.notes.items()
    assert note.startswith(
        "dump, line 1: version 1 of subject s left out: it was deleted for good, and its id"
    )
    assert import_into(target, source_of(text)).counts == {}


def test_what_is_no_record_of_confluents_is_refused() -> None:
    with pytest.raises(TransferError, match=r"dump, line 2: .*not as Confluent writes it \(KeyError: 'id'\)"):
        source_of(dump(stored("s", 1, 1), (stored("s", 2, 2).key, {"schema": '"int"'})))


def test_texts_can_be_brought_into_canonical_form() -> None:
    """Then who registers a schema again gets its id, though the other registry had kept its spaces."""
    spaced = '{"name": "R", "type": "record", "fields": [{"name": "i", "type": "inner.I"}]}'
    inner = '{"namespace": "inner", "name": "I", "type": "fixed", "size": 2}'
    text = dump(
        stored("i", 1, 1, inner),
        stored("s", 1, 2, spaced, refs=[("inner.I", "i", 1)]),
        stored("bad", 1, 3, "{"),
        (
            {"keytype": "SCHEMA", "subject": "p", "version": 1, "magic": 1},
            {"subject": "p", "version": 1, "id": 4, "schemaType": "PROTOBUF", "schema": "syntax"},
        ),
    )
    target, done = imported(text, canonical=True)
    state = folded(target)
    (version,) = state.versions("s")
    assert version.content.text == '{"type":"record","name":"R","fields":[{"name":"i","type":"inner.I"}]}'
    assert done.notes.pop("Avro texts brought into canonical form") == 2
    ((note, _),) = done.notes.items()
    assert note.startswith("dump, line 3: version 1 of subject bad kept as it is")
    (unchanged,) = folded(imported(text)[0]).versions("s")
    assert unchanged.content.text == spaced


# Targets that hold something else


def refused(text: str, target: Store) -> str:
    head = target.head()
    with pytest.raises(TransferError, match="nothing was written, as ids would be mixed") as caught:
        imported(text, target)
    assert target.head() == head
    return str(caught.value)


def test_every_collision_is_named_and_nothing_is_written() -> None:
    target = MemoryStore()
    target.append(1, [stored("s", 1, 1, '"int"'), stored("t", 1, 2), stored("only", 1, 7)])
    target.append(2, [stored("dead", 1, 8), gone("dead", 1)])
    message = refused(
        dump(
            stored("s", 1, 3, '"long"'),
            stored("t", 1, 2, '"string"'),
            stored("u", 1, 7, '"bytes"'),
            stored("v", 1, 8, '"float"'),
            stored("fine", 1, 9),
        ),
        target,
    )
    assert message.splitlines()[1:-1] == [
        "  version 1 of subject s has id 3 at the source and is id 1 at the target",
        "  version 1 of subject t has id 2 at the source and is another schema of id 2 at the target",
        "  id 2 in context . is version 1 of t at the source and version 1 of t at the target",
        "  id 7 in context . is version 1 of u at the source and version 1 of only at the target",
        "  id 8 in context . is version 1 of v at the source and a schema deleted for good at the target",
    ]


def test_ids_of_deleted_schemas_are_not_given_out_again() -> None:
    target = MemoryStore()
    target.append(1, [stored("other", 1, 2)])
    imported(dump(stored("s", 1, 5), gone("s", 1)), target)
    assert versions(target) == {("other", 1): (2, False)}
    assert folded(target).next_id(".") == 6
    refused(dump(stored("x", 1, 5, '"int"')), target)


def test_the_source_is_right_about_what_both_have() -> None:
    config = {"keytype": "CONFIG", "subject": "s", "magic": 0}
    mode = {"keytype": "MODE", "subject": "s", "magic": 0}
    target = MemoryStore()
    target.append(1, [stored("own", 1, 9), stored("s", 1, 1), stored("s", 2, 2, deleted=True)])
    target.append(2, [LogRecord(config, {"alias": "x"}), LogRecord(mode, {"mode": "IMPORT"})])
    target.append(3, [LogRecord({**config, "subject": "own"}, {"alias": "y"})])
    _, done = imported(
        dump(
            stored("s", 1, 1, deleted=True),
            stored("s", 2, 2),
            stored("s", 3, 3, deleted=True),
            (config, {"compatibilityLevel": "NONE"}),
            (mode, {"mode": "READONLY"}),
            (mode, None),
        ),
        target,
    )
    assert versions(target) == {
        ("own", 1): (9, False),
        ("s", 1): (1, True),
        ("s", 2): (2, False),
        ("s", 3): (3, True),
    }
    state = folded(target)
    assert state.config("s") == Config(compatibility_level=CompatibilityLevel.NONE)
    assert state.config("own") == Config(alias="y")
    assert state.mode("s") is None
    assert done.counts == {
        "versions soft-deleted": 1,
        "versions brought back": 1,
        "soft-deleted versions": 1,
        "configs": 1,
        "modes": 1,
    }
    assert done.notes == {
        "replaced: config of subject s: was alias x": 1,
        "replaced: mode of subject s: was IMPORT": 1,
    }


def test_what_the_source_deleted_for_good_goes_also_where_its_number_was_given_again() -> None:
    first = dump(stored("s", 1, 1), stored("t", 1, 2), stored("u", 1, 3))
    later = dump(gone("s", 1), gone("t", 1), stored("t", 1, 4))
    target = MemoryStore()
    target.append(1, [stored(":.own:x", 1, 1)])
    imported(first, target)
    _, done = imported(first + later, target)
    assert done.counts == {"versions replaced": 1, "versions deleted for good": 1}
    assert versions(target) == {(":.own:x", 1): (1, False), ("t", 1): (4, False), ("u", 1): (3, False)}
    assert imported(first + later, target)[1].counts == {}


def test_times_and_principals_come_along() -> None:
    entries = [Entry(1, 11, (stored("s", 1, 1),), "ada"), Entry(2, 12, (stored("s", 2, 2),))]
    whole, _ = imported(exported(entries))
    assert list(whole.read(0)) == entries
    target = MemoryStore()
    target.append(1, [stored("own", 1, 9)])
    imported(exported(entries), target)
    assert [entry.time for entry in target.read(1)] == [11, 12]


# Others at the target


def test_a_registry_may_run_on_the_target(tmp_path: Path) -> None:
    text = exported(
        played([("POST", f"/subjects/s{n}/versions", {"schema": avro(f"A{n}")}) for n in range(1200)]).read(0)
    )
    target = SQLiteStore(tmp_path / "t.db")
    meddlers = iter(range(3))

    def meddle(what: str, done: int, total: int) -> None:
        if done < total and (n := next(meddlers, None)) is not None:
            target.append(target.head() + 1, [stored(f":.x:{n}", 1, n + 1)])

    done = import_into(target, source_of(text), meddle)
    assert sum(done.counts.values()) == 1200
    assert len(versions(target)) > 1200
    assert done.position == target.head()
    target.close()


def test_an_id_that_is_taken_meanwhile_stops_the_import() -> None:
    class Racing(MemoryStore):
        def extend(self, entries: Any) -> None:
            super().extend(entries)
            if self.head() == 500:
                self.append(501, [stored("mine", 1, 600, '"mine"')])

    text = dump(*(stored(f"s{n}", 1, n) for n in range(1, 1001)))
    with pytest.raises(TransferError, match=r"what was written before stays(.|\n)*id 600 in context"):
        imported(text, Racing())


def test_who_never_gets_a_word_in_gives_up() -> None:
    class Busy(MemoryStore):
        url = "busy"

        def extend(self, entries: object) -> None:
            super().append(self.head() + 1, [stored(":.x:busy", self.head() + 1, self.head() + 1)])
            super().extend(entries)  # type: ignore[arg-type]

    with pytest.raises(WriteTimedOutError, match="others wrote to busy at every attempt"):
        imported(dump(stored("s", 1, 1)), Busy())


def test_a_store_that_does_not_keep_what_it_took_is_found_out() -> None:
    class Forgetful(MemoryStore):
        def extend(self, entries: Any) -> None:
            super().extend([entry._replace(records=entry.records[:1]) for entry in entries])

    text = exported([Entry(1, 1, (stored("s", 1, 1), stored("s", 2, 2)))])
    with pytest.raises(TransferError, match="still lacks 1 of what dump has"):
        imported(text, Forgetful())


def test_a_registry_on_what_was_imported_goes_on_counting() -> None:
    text = dump(stored("s", 1, 41, '"int"'), stored(":.eu:s", 1, 7, '"int"'))
    target, _ = imported(text)
    played([("POST", "/subjects/s/versions", {"schema": '"long"'})], target)
    assert versions(target) == {("s", 1): (41, False), (":.eu:s", 1): (7, False), ("s", 2): (42, False)}
    assert Registry(target).by_id(42).content.text == '"long"'
    # What the target has got since is no obstacle to importing again.
    assert imported(text, target)[1].counts == {}
