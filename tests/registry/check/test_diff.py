"""The semantic diff: every kind of change, whom it breaks, and that it agrees with the comparison."""

import json
from collections import Counter
from itertools import pairwise

import pytest

from registry.check.diff.changes import KINDS, Change, changes
from registry.languages.avro import AVRO
from registry.languages.language import ReferencedSchema, SchemaFault
from registry.model import CompatibilityLevel as Level
from tests.support.avro_generator import AvroGenerator
from tests.support.corpus import lsst_versions, ztf_versions


def differ(old: str, new: str) -> list[Change]:
    return changes(AVRO.parse(old).root, AVRO.parse(new).root)


def record(*fields: str, head: str = "") -> str:
    return f'{{"type": "record", "name": "R", {head} "fields": [{", ".join(fields)}]}}'


A = '{"name": "a", "type": "int"}'
B = '{"name": "b", "type": "string"}'


def typed(type_: str, rest: str = "") -> str:
    return record(f'{{"name": "a", "type": {type_}{rest}}}')


def enum(symbols: str, rest: str = "") -> str:
    return typed(f'{{"type": "enum", "name": "E", "symbols": [{symbols}]{rest}}}')


SAFE, BACKWARD, FORWARD, BOTH = (False, False), (True, False), (False, True), (True, True)


@pytest.mark.parametrize(
    ("old", "new", "kind", "element", "was", "now", "breaks"),
    [
        (record(A), record(A, B), "FIELD_ADDED", "b", "", "string", BACKWARD),
        (record(A), record(A, B.replace("}", ', "default": ""}')), "FIELD_ADDED", "b", "", "string", SAFE),
        (record(A, B), record(A), "FIELD_REMOVED", "b", "string", "", FORWARD),
        (
            record(A), record(A.replace("}", ', "aliases": ["x"]}')),
            *("ALIASES_CHANGED", "a", "[]", '["x"]', SAFE),
        ),
        (record(A, B), record(B, A), "FIELDS_REORDERED", "", "", "", SAFE),
        (typed('"int"'), typed('"long"'), "TYPE_CHANGED", "a", "int", "long", FORWARD),
        (typed('"int"'), typed('"string"'), "TYPE_CHANGED", "a", "int", "string", BOTH),
        (typed('"int"'), typed('["null", "int"]'), "TYPE_CHANGED", "a", "int", "[null, int]", FORWARD),
        (typed('["null", "int"]'), typed('"int"'), "TYPE_CHANGED", "a", "[null, int]", "int", BACKWARD),
        (typed('["int"]'), typed('["int", "bytes"]'), "BRANCH_ADDED", "a", "", "bytes", FORWARD),
        (typed('["int", "bytes"]'), typed('["int"]'), "BRANCH_REMOVED", "a", "bytes", "", BACKWARD),
        (
            typed('["int", "null"]'), typed('["null", "int"]'),
            *("BRANCHES_REORDERED", "a", "[int, null]", "[null, int]", SAFE),
        ),
        (enum('"X"'), enum('"X", "Y"'), "SYMBOL_ADDED", "a", "", "Y", FORWARD),
        (enum('"X", "Y"'), enum('"X"'), "SYMBOL_REMOVED", "a", "Y", "", BACKWARD),
        (enum('"X", "Y"'), enum('"Y", "X"'), "SYMBOLS_REORDERED", "a", "", "", SAFE),
        (enum('"X"'), enum('"X"', ', "default": "X"'), "DEFAULT_CHANGED", "a", "", "X", SAFE),
        (typed('"int"'), typed('"int"', ', "default": 1'), "DEFAULT_CHANGED", "a", "", "1", SAFE),
        (typed('"int"'), typed('"int"', ', "doc": "x"'), "DOC_CHANGED", "a", "", "x", SAFE),
        (
            typed('"int"'), typed('"int"', ', "order": "ignore"'),
            *("ORDER_CHANGED", "a", "ascending", "ignore", SAFE),
        ),
        (typed('"int"'), typed('"int"', ', "x": [1]'), "ATTRIBUTE_CHANGED", "a", "", "[1]", SAFE),
        (
            typed('{"type": "array", "items": "int"}'),
            typed('{"type": "array", "items": "string"}'),
            *("TYPE_CHANGED", "a[]", "int", "string", BOTH),
        ),
        (
            typed('{"type": "map", "values": {"type": "long", "logicalType": "timestamp-millis"}}'),
            typed('{"type": "map", "values": {"type": "long", "logicalType": "timestamp-micros"}}'),
            *("ATTRIBUTE_CHANGED", "a{}", "timestamp-millis", "timestamp-micros", SAFE),
        ),
        (
            '{"type": "fixed", "name": "F", "size": 4}',
            '{"type": "fixed", "name": "F", "size": 8}',
            *("SIZE_CHANGED", "", "4", "8", BOTH),
        ),
        (record(), record().replace('"R"', '"S"'), "TYPE_RENAMED", "", "R", "S", BOTH),
        (record(), record(head='"namespace": "n",'), "NAMESPACE_CHANGED", "", "", "n", SAFE),
        (record(), record(head='"doc": "d",'), "DOC_CHANGED", "", "", "d", SAFE),
    ],
)  # fmt: skip
def test_a_change_and_whom_it_breaks(
    old: str, new: str, kind: str, element: str, was: str, now: str, breaks: tuple[bool, bool]
) -> None:
    (change,) = differ(old, new)
    assert (change.kind, change.element, change.was, change.now) == (kind, element, was, now)
    assert (bool(change.backward), bool(change.forward)) == breaks
    for level in Level:
        expected = (breaks[0] and "FORWARD" not in level and level != "NONE") or (
            breaks[1] and "BACKWARD" not in level and level != "NONE"
        )
        assert change.breaks(level) == expected, level


def test_a_renamed_field_is_one_change_where_an_alias_tells() -> None:
    found = differ(record(A, B), record(A.replace('"a"', '"x"').replace("}", ', "aliases": ["a"]}'), B))
    assert [(one.kind, one.element) for one in found] == [("FIELD_RENAMED", "x"), ("ALIASES_CHANGED", "x")]
    assert not found[0].backward
    assert list(found[0].forward) == ["READER_FIELD_MISSING_DEFAULT_VALUE"]
    assert [one.kind for one in differ(record(A), record(B))] == ["FIELD_ADDED", "FIELD_REMOVED"]


def test_several_changes_are_told_apart_and_each_keeps_its_own_findings() -> None:
    old = record(A, B, '{"name": "c", "type": "float"}')
    new = record(
        A.replace("int", "long"),
        '{"name": "c", "type": "double", "doc": "x"}',
        '{"name": "d", "type": "int"}',
    )
    found = {(one.kind, one.element): (list(one.backward), list(one.forward)) for one in differ(old, new)}
    assert found == {
        ("TYPE_CHANGED", "a"): ([], ["TYPE_MISMATCH"]),
        ("DOC_CHANGED", "c"): ([], []),
        ("TYPE_CHANGED", "c"): ([], ["TYPE_MISMATCH"]),
        ("FIELD_ADDED", "d"): (["READER_FIELD_MISSING_DEFAULT_VALUE"], []),
        ("FIELD_REMOVED", "b"): ([], ["READER_FIELD_MISSING_DEFAULT_VALUE"]),
    }


def test_a_type_that_refers_to_itself_is_compared_once() -> None:
    text = record('{"name": "next", "type": ["null", "R"]}')
    assert differ(text, text) == []
    grown = record('{"name": "next", "type": ["null", "R"]}', A)
    assert [one.element for one in differ(text, grown)] == ["a"]


def test_generated_pairs_agree_with_the_comparison_and_equal_ones_have_no_change() -> None:
    generator = AvroGenerator(seed=40)
    met: Counter[str] = Counter()
    while met["pairs"] < 1500:
        schema = generator.schema()
        try:
            old, new = (AVRO.parse(json.dumps(one)) for one in (schema, generator.changed(schema)))
        except SchemaFault:
            continue
        if AVRO.compare(old, old) or AVRO.compare(new, new):
            continue  # a field's alias is another's name: it does not read its own data
        met["pairs"] += 1
        found = changes(old.root, new.root)
        assert any(one.backward for one in found) == bool(AVRO.compare(new, old)), (old, new)
        assert any(one.forward for one in found) == bool(AVRO.compare(old, new)), (old, new)
        kinds = {one.kind for one in AVRO.compare(new, old)}
        assert {rule for one in found for rule in one.backward} == kinds
        met["blamed on nothing"] += sum(
            (one.was, one.now) == ("", "") and one.kind == "TYPE_CHANGED" for one in found
        )
        if AVRO.normalize(old) != AVRO.normalize(new):
            met["changed"] += 1
        else:
            assert found == [], (old.canonical, new.canonical)
        met.update(one.kind for one in found)
        assert changes(old.root, old.root) == changes(new.root, new.root) == []
    assert met["blamed on nothing"] < 15
    assert sum(met[kind] > 0 for kind in KINDS) >= 13, met


@pytest.mark.parametrize("histories", [lsst_versions, ztf_versions])
def test_the_corpus_agrees_with_the_comparison(histories: object) -> None:
    assert callable(histories)
    found = 0
    for history in histories().values():
        parsed = [
            AVRO.parse(text, [ReferencedSchema(str(n), one) for n, one in enumerate(needs)], strict=False)
            for text, needs in history
        ]
        for old, new in pairwise(parsed):
            differences = changes(old.root, new.root)
            assert any(one.backward for one in differences) == bool(AVRO.compare(new, old))
            assert any(one.forward for one in differences) == bool(AVRO.compare(old, new))
            found += len(differences)
    assert found > 50
