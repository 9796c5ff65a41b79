"""The registry as Python code meets it: the rules, and many writers at once."""

import json
from collections.abc import Callable

import pytest

from registry.contract import Metadata, RuleSet
from registry.errors import (
    IncompatibleSchemaError,
    InvalidSchemaError,
    OperationNotPermittedError,
    ReferenceExistsError,
    SchemaNotFoundError,
    SchemaTooLargeError,
    SubjectNotFoundError,
    VersionNotFoundError,
)
from registry.model import LATEST, CompatibilityLevel, Mode, SchemaReference
from registry.records import ContextRecord, LogRecord, ModeRecord, from_log
from registry.registry import Limits, NewSchema, Registry, SchemaVersion
from registry.store import MemoryStore
from tests.registry.samples import avro

INT, STRING = NewSchema('"int"'), NewSchema('"string"')


def brief(version: SchemaVersion) -> tuple[str, int, int]:
    return version.subject, version.version, version.id


def set_mode(store: MemoryStore, mode: Mode | None, subject: str | None = None) -> None:
    """As another node would: the registry meets it in the log."""
    store.append(store.head() + 1, [ModeRecord(subject, mode).to_log()])


def records_after(store: MemoryStore, position: int) -> list[object]:
    return [from_log(record) for entry in store.read(position) for record in entry.records]


# Ids and versions


def test_ids_go_with_contents_and_versions_with_subjects(registry: Registry) -> None:
    assert brief(registry.register("a", NewSchema(avro(x="int")))) == ("a", 1, 1)
    assert brief(registry.register("b", NewSchema(avro(y="int")))) == ("b", 1, 2)
    assert brief(registry.register("b", NewSchema(avro(y="int", x=("int", 0))))) == ("b", 2, 3)
    assert brief(registry.register("a", NewSchema(avro(x="int", y=("int", 0))))) == ("a", 2, 4)
    assert brief(registry.register("c", NewSchema(avro(x="int")))) == ("c", 1, 1)


def test_a_known_schema_writes_nothing(registry: Registry, store: MemoryStore) -> None:
    first = registry.register("s", NewSchema(avro(x="int")))
    head = store.head()
    assert brief(registry.register("s", NewSchema(' {"name": "Order", "type": "record", "fields": [{"type":'
                                                  ' "int", "name": "x"}]}'))) == brief(first)  # fmt: skip
    assert store.head() == head


def test_the_records_of_a_registration(registry: Registry, store: MemoryStore) -> None:
    registry.register(":.eu:s", INT)
    registry.register(":.eu:s", NewSchema('"int"', metadata=Metadata.from_json({"properties": {"k": "v"}})))
    first, second = (entry.records for entry in store.read(0))
    assert next(from_log(record) for record in first) == ContextRecord(".eu")
    assert [record.key["keytype"] for record in (*first, *second)] == ["CONTEXT", "SCHEMA", "SCHEMA"]


def test_metadata_and_rules_make_another_content_and_are_inherited(registry: Registry) -> None:
    metadata, rules = Metadata.from_json({"properties": {"o": "me"}}), RuleSet.from_json({"enableAt": "x"})
    assert registry.register("s", INT).id == 1
    assert registry.register("s", NewSchema('"int"', metadata=metadata, rule_set=rules)).id == 2
    plain = registry.register("s", NewSchema('"long"'))
    assert (plain.id, plain.content.metadata, plain.content.rule_set) == (3, metadata, rules)
    assert registry.look_up("s", NewSchema('"long"')).id == 3
    assert registry.look_up("s", INT).version == 1


def test_an_empty_text_takes_the_latest_one(registry: Registry) -> None:
    with pytest.raises(InvalidSchemaError, match=r"^Empty schema$"):
        registry.register("s", NewSchema(""))
    registry.register("s", INT)
    changed = registry.register("s", NewSchema("", metadata=Metadata.from_json({"properties": {"k": "v"}})))
    assert (changed.version, changed.content.text) == (2, '"int"')


def test_a_version_that_is_asked_for_must_be_the_next(registry: Registry) -> None:
    assert registry.register("s", NewSchema('"int"', version=1)).version == 1
    assert registry.register("s", NewSchema('"int"', version=1)).version == 1  # the answer got lost: again
    with pytest.raises(
        InvalidSchemaError, match="Version is not one more than previous version: 3 was asked"
    ):
        registry.register("s", NewSchema('"long"', version=3))
    assert registry.register("s", NewSchema('"long"', version=2)).version == 2
    assert registry.register("s", NewSchema('"long"', version=LATEST)).version == 2
    assert registry.register("s", NewSchema('"double"', version=LATEST)).version == 3


def test_a_strict_fault_does_not_hide_a_schema_that_is_known(registry: Registry, store: MemoryStore) -> None:
    lax = avro(a=("int", "x"))
    set_mode(store, Mode.IMPORT)
    registry.register("s", NewSchema(lax, id=5))
    set_mode(store, None)
    assert registry.register("s", NewSchema(lax)).id == 5
    assert registry.look_up("s", NewSchema(lax)).id == 5
    with pytest.raises(InvalidSchemaError, match="/fields/0/default"):
        registry.register("t", NewSchema(lax))
    registry.set_config({"validate_new_schemas": False})
    assert registry.register("t", NewSchema(lax)).id == 5


def test_a_text_that_is_too_long_is_refused_by_its_bytes(store: MemoryStore) -> None:
    registry = Registry(store, limits=Limits(schema_bytes=10))
    assert registry.register("s", NewSchema('  "int"   ')).id == 1
    with pytest.raises(SchemaTooLargeError, match="is too large: 11 bytes, and the limit is 10"):
        registry.register("s", NewSchema('"é€€" '))


# References


def test_references_are_pinned(registry: Registry) -> None:
    registry.register("inner", NewSchema(avro("Inner", a="int")))
    outer = NewSchema(avro("Outer", i="Inner"), references=[SchemaReference("Inner", "inner", LATEST)])
    first = registry.register("outer", outer)
    assert first.content.references == (SchemaReference("Inner", "inner", 1),)
    registry.register("inner", NewSchema(avro("Inner", a="int", b=("int", 0))))
    second = registry.register("outer", outer)
    assert (second.version, second.content.references) == (2, (SchemaReference("Inner", "inner", 2),))


def test_a_change_inside_a_reference_is_compared(registry: Registry) -> None:
    registry.register("inner", NewSchema(avro("Inner", a="int")))
    registry.set_config({"compatibility_level": CompatibilityLevel.NONE}, "inner")
    outer = NewSchema(avro("Outer", i="Inner"), references=[SchemaReference("Inner", "inner", LATEST)])
    registry.register("outer", outer)
    registry.register("inner", NewSchema(avro("Inner", a="int", b="int")))
    with pytest.raises(IncompatibleSchemaError, match="READER_FIELD_MISSING_DEFAULT_VALUE"):
        registry.register("outer", outer)


@pytest.mark.parametrize("version", [1, LATEST])
def test_a_new_schema_cannot_refer_to_what_is_deleted(registry: Registry, version: int) -> None:
    registry.register("inner", NewSchema(avro("Inner")))
    outer = NewSchema(avro("Outer", i="Inner"), references=[SchemaReference("Inner", "inner", version)])
    registry.delete_subject("inner")
    with pytest.raises(InvalidSchemaError, match=f'found for subject "inner" and version {version}'):
        registry.register("outer", outer)


def test_what_is_referred_to_cannot_be_deleted(registry: Registry) -> None:
    registry.register("inner", NewSchema(avro("Inner")))
    reference = [SchemaReference("Inner", "inner", 1)]
    registry.register("outer", NewSchema(avro("Outer", i="Inner"), references=reference))
    for delete in (lambda: registry.delete_subject("inner"), lambda: registry.delete_version("inner", 1)):
        with pytest.raises(ReferenceExistsError, match="keytype=SCHEMA,subject=inner,version=1"):
            delete()
    registry.delete_subject("outer")
    assert registry.delete_version("inner", 1) == 1
    # The outer one could still come back, and still has an id that resolves.
    for delete in (
        lambda: registry.delete_subject("inner", permanent=True),
        lambda: registry.delete_version("inner", 1, permanent=True),
    ):
        with pytest.raises(ReferenceExistsError):
            delete()
    registry.delete_subject("outer", permanent=True)
    assert registry.delete_subject("inner", permanent=True) == [1]


def test_a_subject_may_refer_to_itself_and_be_deleted(registry: Registry) -> None:
    registry.set_config({"compatibility_level": CompatibilityLevel.NONE})
    registry.register("s", NewSchema(avro("A")))
    registry.register("s", NewSchema(avro("B", a="A"), references=[SchemaReference("A", "s", 1)]))
    assert registry.delete_subject("s") == [1, 2]
    assert registry.delete_subject("s", permanent=True) == [1, 2]


# Deleting and coming back


def test_what_comes_back_after_a_soft_delete_has_its_id_and_a_new_version(registry: Registry) -> None:
    registry.register("s", INT)
    registry.register("s", NewSchema('"long"'))
    registry.delete_subject("s")
    assert brief(registry.register("s", INT)) == ("s", 3, 1)
    assert [v.version for v in registry.versions("s", deleted=True)] == [2, 3]  # version 1 became 3


def test_what_comes_back_stays_twice_while_its_old_version_is_referred_to(registry: Registry) -> None:
    registry.register("inner", NewSchema(avro("Inner")))
    reference = [SchemaReference("Inner", "inner", 1)]
    registry.register("outer", NewSchema(avro("Outer", i="Inner"), references=reference))
    registry.delete_subject("outer")
    registry.delete_subject("inner")
    assert registry.register("inner", NewSchema(avro("Inner"))).version == 2
    assert [v.version for v in registry.versions("inner", deleted=True)] == [1, 2]


def test_what_comes_back_after_a_permanent_delete_has_its_id_again(registry: Registry) -> None:
    registry.register("s", INT)
    registry.delete_subject("s")
    registry.delete_subject("s", permanent=True)
    with pytest.raises(SchemaNotFoundError):
        registry.by_id(1)
    assert brief(registry.register("s", NewSchema('"long"'))) == ("s", 1, 2)
    assert brief(registry.register("t", INT)) == ("t", 1, 1)


def test_a_subject_that_is_gone_takes_its_config_along(registry: Registry, store: MemoryStore) -> None:
    for delete in (
        lambda: registry.delete_subject("s", permanent=True),
        lambda: registry.delete_version("s", 1, permanent=True),
    ):
        registry.register("s", INT)
        registry.set_config({"compatibility_level": CompatibilityLevel.FULL}, "s")
        set_mode(store, Mode.READWRITE, "s")
        registry.delete_subject("s")
        delete()
        assert registry.config("s", effective=True).compatibility_level is CompatibilityLevel.BACKWARD
        last = next(iter(store.read(store.head() - 1))).records
        assert [(r.key["keytype"], r.value) for r in last] == [
            ("SCHEMA", None),
            ("CONFIG", None),
            ("MODE", None),
        ]


def test_an_id_is_readable_while_any_version_has_it(registry: Registry) -> None:
    registry.register("a", INT)
    registry.register("b", INT)
    registry.delete_subject("a")
    assert brief(registry.by_id(1)) == ("b", 1, 1)
    assert brief(registry.by_id(1, "a")) == ("a", 1, 1)
    registry.delete_subject("a", permanent=True)
    registry.delete_subject("b")
    assert registry.by_id(1).deleted


# Modes


def test_a_read_only_subject_takes_no_change_but_answers(registry: Registry, store: MemoryStore) -> None:
    registry.register("s", INT)
    set_mode(store, Mode.READONLY, "s")
    assert registry.register("s", INT).id == 1
    assert registry.incompatibilities("s", NewSchema('"long"')) == []
    changes: list[Callable[[], object]] = [
        lambda: registry.register("s", NewSchema('"long"')),
        lambda: registry.delete_subject("s"),
        lambda: registry.delete_version("s", 1),
        lambda: registry.set_config({"alias": "x"}, "s"),
    ]
    for change in changes:
        with pytest.raises(OperationNotPermittedError, match=r"Subject s in context \. is in read-only mode"):
            change()
    registry.register("t", INT)


def test_an_id_is_taken_while_importing_only(registry: Registry, store: MemoryStore) -> None:
    with pytest.raises(OperationNotPermittedError, match="is not in import mode"):
        registry.register("s", NewSchema('"int"', id=7))
    set_mode(store, Mode.IMPORT)
    with pytest.raises(OperationNotPermittedError, match="is not in read-write mode"):
        registry.register("s", INT)
    assert brief(registry.register("s", NewSchema('"int"', id=7, version=3))) == ("s", 3, 7)
    assert brief(registry.register("s", NewSchema('"string"', id=3, version=1))) == ("s", 1, 3)
    assert brief(registry.register("s", NewSchema('"string"', id=3, version=1))) == ("s", 1, 3)
    with pytest.raises(
        OperationNotPermittedError, match=r"Overwrite new schema with id 7 in context \. is not"
    ):
        registry.register("s", NewSchema('"long"', id=7))
    with pytest.raises(OperationNotPermittedError, match="Overwrite version 3 of subject s is not permitted"):
        registry.register("s", NewSchema('"long"', id=8, version=3))
    set_mode(store, None)
    assert brief(registry.register("t", NewSchema('"long"'))) == ("t", 1, 8)


# Compatibility


def test_the_level_of_the_subject_decides(registry: Registry) -> None:
    registry.register("s", INT)
    with pytest.raises(IncompatibleSchemaError, match=r'schema for subject "s", details: .*TYPE_MISMATCH'):
        registry.register("s", STRING)
    registry.set_config({"compatibility_level": CompatibilityLevel.NONE}, "s")
    assert registry.register("s", STRING).version == 2


def test_force_skips_the_check(registry: Registry) -> None:
    registry.register("s", INT)
    assert registry.register("s", STRING, force=True).version == 2


def test_a_soft_deleted_version_is_not_compared_with(registry: Registry) -> None:
    registry.register("s", INT)
    registry.delete_version("s", 1)
    assert registry.register("s", STRING).version == 2


def test_a_compatibility_group_is_compared_by_itself(registry: Registry) -> None:
    def major(text: str, number: str) -> NewSchema:
        return NewSchema(text, metadata=Metadata.from_json({"properties": {"major": number}}))

    registry.set_config({"compatibility_group": "major"})
    registry.register("s", major('"int"', "1"))
    registry.register("s", major('"string"', "2"))
    with pytest.raises(IncompatibleSchemaError):
        registry.register("s", major('"boolean"', "1"))
    assert registry.register("s", major('"long"', "1")).version == 3


def test_a_subject_with_versions_of_another_language(registry: Registry, store: MemoryStore) -> None:
    value = {"subject": "s", "version": 1, "id": 9, "schemaType": "JSON", "schema": "{}", "deleted": False}
    key = {"keytype": "SCHEMA", "subject": "s", "version": 1, "magic": 1}
    store.append(1, [LogRecord(key, value)])
    assert registry.by_id(9).content.schema_type == "JSON"
    with pytest.raises(IncompatibleSchemaError, match="Incompatible because of different schema type"):
        registry.register("s", INT)


def test_checking_against_one_version(registry: Registry) -> None:
    registry.register("s", INT)
    registry.register("s", NewSchema('"long"'))
    assert registry.incompatibilities("s", INT, 1) == []
    assert registry.incompatibilities("s", INT, 2) != []
    assert registry.incompatibilities("s", INT, LATEST) != []
    assert registry.incompatibilities("new", INT, LATEST) == []
    with pytest.raises(VersionNotFoundError):
        registry.incompatibilities("new", INT, 1)


# Subjects


def test_listing_by_prefix(registry: Registry) -> None:
    for subject in ("b", "ab", "a", ":.eu:a", ":.us:b"):
        registry.register(subject, INT)
    registry.delete_subject("ab")
    assert registry.subjects() == [":.eu:a", ":.us:b", "a", "b"]
    assert registry.subjects("a") == ["a"]
    assert registry.subjects("a", deleted=True) == ["a", "ab"]
    assert registry.subjects(deleted=True, live=False) == ["ab"]
    assert registry.subjects("") == ["a", "b"]
    assert registry.subjects(":.eu:") == [":.eu:a"]
    assert registry.subjects(":*:b") == [":.us:b", "b"]


def test_versions_of_a_subject_that_shows_none(registry: Registry) -> None:
    registry.register("s", INT)
    with pytest.raises(SubjectNotFoundError):
        registry.versions("s", live=False, deleted=True)
    registry.delete_subject("s")
    with pytest.raises(SubjectNotFoundError):
        registry.versions("s")
    assert [v.deleted for v in registry.versions("s", deleted=True)] == [True]


def test_contexts_have_ids_of_their_own(registry: Registry) -> None:
    registry.register("s", STRING)
    registry.register("t", INT)
    assert brief(registry.register(":.eu:s", INT)) == (":.eu:s", 1, 1)
    assert registry.by_id(1).content.text == '"string"'
    assert registry.by_id(1, ":.eu:").content.text == '"int"'
    assert (registry.max_id(), registry.max_id(":.eu:x"), registry.max_id(":.us:")) == (2, 1, 0)


def test_a_registry_opens_a_log_of_another_time(store: MemoryStore) -> None:
    before = Registry(store)
    before.register("s", INT)
    before.delete_subject("s")
    after = Registry(store)
    assert after.subjects() == []
    assert after.register("t", STRING).id == 2


def test_a_schema_that_is_too_large_to_be_compared_is_refused(registry: Registry) -> None:
    union = [
        {"type": "record", "name": "R", "namespace": f"n{n}", "fields": [{"name": f"f{n}", "type": "int"}]}
        for n in range(700)
    ]
    registry.register("s", NewSchema(json.dumps(union)))
    with pytest.raises(InvalidSchemaError, match="too many types to compare"):
        registry.register("s", NewSchema(json.dumps(union[::-1])))
