import pytest
from hypothesis import given, settings

from registry.errors import LogFormatError
from registry.model import LATEST, CompatibilityLevel, Config, Mode, SchemaReference
from registry.records import (
    ClearSubjectRecord,
    ConfigRecord,
    ContextRecord,
    DeleteSubjectRecord,
    LogRecord,
    ModeRecord,
    NoopRecord,
)
from registry.state import State, reference_key
from tests.registry import histories
from tests.registry.samples import avro, gone, stored


def folded(*entries: LogRecord) -> State:
    """The state after entries of one record each; entry n is of the time n * 1000."""
    state = State()
    for position, record in enumerate(entries, 1):
        state.apply(position, position * 1000, [record])
    return state


def numbers(state: State, subject: str, *, deleted: bool = False) -> list[int]:
    return [version.version for version in state.versions(subject, deleted=deleted)]


def test_versions_are_listed_in_order_whatever_the_order_they_came_in() -> None:
    state = folded(stored("s", 3, 1), stored("s", 1, 2), stored("t", 1, 1))
    assert numbers(state, "s") == [1, 3]
    assert state.next_version("s") == 4
    assert state.version("s", LATEST) == state.version("s", 3)
    assert state.version("s", 2) is None
    assert sorted(state.subjects()) == [("s", True, False), ("t", True, False)]


@given(history=histories.histories)
@settings(max_examples=25)
def test_those_with_references_or_metadata_are_known_whatever_became_of_them(
    history: list[histories.Request],
) -> None:
    state = histories.folded(histories.played(history))
    for subject, _, _ in state.subjects():
        assert state.count(subject) == len(state.versions(subject, deleted=True))
        for deleted in (False, True):
            versions = state.versions(subject, deleted=deleted)
            assert state.annotated(subject, deleted=deleted) == [
                v for v in versions if v.content.references or v.content.metadata is not None
            ]
            assert state.version(subject, LATEST, deleted=deleted) == (versions[-1] if versions else None)


def test_a_version_has_the_time_of_its_entry() -> None:
    state = folded(NoopRecord().to_log(), stored("s", 1, 1))
    version = state.version("s", 1)
    assert version is not None
    assert version.time == 2000


def test_a_soft_deleted_version_is_hidden_and_keeps_its_number_and_id() -> None:
    state = folded(stored("s", 1, 1), stored("s", 2, 2), stored("s", 2, 2, deleted=True))
    assert numbers(state, "s") == [1]
    assert numbers(state, "s", deleted=True) == [1, 2]
    assert state.next_version("s") == 3
    assert [version.key for version in state.holders(".", 2)] == [("s", 2)]
    latest, latest_deleted = state.version("s", LATEST), state.version("s", LATEST, deleted=True)
    assert latest is not None
    assert latest_deleted is not None
    assert (latest.version, latest_deleted.version) == (1, 2)


def test_deleting_a_subject_spares_what_comes_after_the_watermark() -> None:
    state = folded(
        stored("s", 1, 1), stored("s", 2, 2), DeleteSubjectRecord("s", 1).to_log(), stored("s", 3, 3)
    )
    assert numbers(state, "s") == [2, 3]


def test_a_tombstone_removes_a_version_and_what_pointed_at_it() -> None:
    state = folded(stored("s", 1, 1, refs=[("n", "t", 1)]), gone("s", 1), gone("s", 1), gone("never", 5))
    assert numbers(state, "s", deleted=True) == []
    assert list(state.subjects()) == []
    assert state.holders(".", 1) == []
    assert state.referrers(("t", 1), deleted=True) == []


def test_an_id_that_was_given_out_is_never_given_to_another_content() -> None:
    state = folded(stored("s", 1, 7), gone("s", 1))
    digest = state.digest_of(".", 7)
    assert digest is not None
    assert state.next_id(".") == 8
    assert state.id_of(".", digest) == 7


def test_ids_are_counted_for_each_context() -> None:
    state = folded(stored("s", 1, 5), stored(":.eu:s", 1, 2, avro("R5")))
    assert (state.next_id("."), state.next_id(".eu"), state.next_id(".us")) == (6, 3, 1)
    first, second = state.version("s", 1), state.version(":.eu:s", 1)
    assert first is not None
    assert second is not None
    assert first.guid == second.guid
    assert (state.id_of(".", first.digest), state.id_of(".eu", first.digest)) == (5, 2)


def test_the_same_content_in_two_subjects_is_kept_once() -> None:
    state = folded(stored("s", 1, 1), stored("t", 1, 1))
    first, second = state.holders(".", 1)
    assert first.content is second.content
    found = state.holding("t", 1)
    assert found is not None
    assert found.key == ("t", 1)
    assert state.holding("u", 1) is None


def test_an_id_that_comes_again_with_another_content_is_refused() -> None:
    state = folded(stored("s", 1, 1, avro("A")), stored("s", 2, 1, avro("B")))
    assert state.refused == [("s", 2)]
    assert numbers(state, "s", deleted=True) == [1]


def test_one_spelling_of_the_default_context() -> None:
    state = folded(stored(":.:s", 1, 1), ConfigRecord(":.:", Config(CompatibilityLevel.FULL)).to_log())
    assert numbers(state, "s") == [1]
    assert state.config(None) == Config(CompatibilityLevel.FULL)


def test_who_refers_to_a_version() -> None:
    state = folded(
        stored("base", 1, 1),
        stored("s", 1, 2, refs=[("b", "base", 1)]),
        stored("t", 1, 3, refs=[("b", "base", 1)]),
        stored("t", 1, 3, refs=[("b", "base", 1)], deleted=True),
        stored(":.eu:u", 1, 1, refs=[("b", "base", 1)]),
    )
    assert [v.key for v in state.referrers(("base", 1))] == [("s", 1)]
    assert [v.key for v in state.referrers(("base", 1), deleted=True)] == [("s", 1), ("t", 1)]
    assert [v.key for v in state.referrers((":.eu:base", 1))] == [(":.eu:u", 1)]


def test_a_reference_is_in_the_context_of_its_referrer_unless_it_says_otherwise() -> None:
    assert reference_key(SchemaReference("n", "s", 1), "t") == ("s", 1)
    assert reference_key(SchemaReference("n", "s", 1), ":.eu:t") == (":.eu:s", 1)
    assert reference_key(SchemaReference("n", ":.:s", 1), ":.eu:t") == ("s", 1)


def test_clearing_a_subject_drops_its_soft_deleted_versions() -> None:
    state = folded(stored("s", 1, 1, deleted=True), stored("s", 2, 2), ClearSubjectRecord("s", True).to_log())
    assert numbers(state, "s", deleted=True) == [1, 2]
    state.apply(4, 4000, [ClearSubjectRecord("s").to_log()])
    assert numbers(state, "s", deleted=True) == [2]


def test_contexts_come_with_a_record_or_a_schema_and_go_with_a_tombstone() -> None:
    state = folded(ContextRecord(".eu").to_log(), stored(":.us:s", 1, 1))
    assert state.contexts() == [".", ".eu", ".us"]
    state.apply(3, 3000, [ContextRecord(".eu", True).to_log(), gone(":.us:s", 1)])
    state.apply(4, 4000, [ContextRecord(".us", True).to_log()])
    assert state.contexts() == ["."]
    assert state.next_id(".us") == 2


def test_configs_hold_from_the_inside_out() -> None:
    state = folded(
        ConfigRecord(None, Config(CompatibilityLevel.FULL, alias="global")).to_log(),
        ConfigRecord(":.eu:", Config(CompatibilityLevel.NONE)).to_log(),
        ConfigRecord(":.eu:s", Config(normalize=True)).to_log(),
    )
    default = Config(CompatibilityLevel.BACKWARD, validate_fields=False)
    assert state.effective_config("s", default) == Config(
        CompatibilityLevel.FULL, alias="global", validate_fields=False
    )
    assert state.effective_config(":.eu:s", default) == Config(
        CompatibilityLevel.NONE, normalize=True, validate_fields=False
    )
    assert state.config("s") is None
    state.apply(4, 4000, [ConfigRecord(None, None).to_log()])
    assert state.effective_config(None, default) == default


def test_modes_hold_from_the_inside_out_and_the_global_one_for_the_default_context_only() -> None:
    state = folded(ModeRecord(None, Mode.READONLY).to_log(), ModeRecord("s", Mode.IMPORT).to_log())
    assert state.effective_mode("s") is Mode.IMPORT
    assert state.effective_mode("t") is Mode.READONLY
    assert state.effective_mode(":.eu:t") is Mode.READWRITE
    state.apply(3, 3000, [ModeRecord(":.__GLOBAL:", Mode.FORWARD).to_log(), ModeRecord("s", None).to_log()])
    assert state.effective_mode(":.eu:t") is Mode.FORWARD
    assert state.effective_mode("s") is Mode.READONLY
    assert state.mode("s") is None


def test_records_of_unknown_keytypes_change_nothing_but_the_position() -> None:
    state = folded(LogRecord({"keytype": "ASSOC"}, {"a": 1}), DeleteSubjectRecord("s", None).to_log())
    assert state.position == 2
    assert list(state.subjects()) == []


def test_an_entry_takes_effect_as_a_whole_or_not_at_all() -> None:
    state = State()
    with pytest.raises(LogFormatError):
        state.apply(1, 0, [stored("s", 1, 1), LogRecord({"keytype": "SCHEMA"}, None)])
    assert state.position == 0
    assert list(state.subjects()) == []


def test_a_gap_in_positions_is_refused() -> None:
    with pytest.raises(ValueError, match="position 2 does not follow 0"):
        State().apply(2, 0, [])
