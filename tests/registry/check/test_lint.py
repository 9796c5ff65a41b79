"""The linter: every rule by its own example, ignores, rule sets, and fixes that touch nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest

from registry.check.errors import ProjectError
from registry.check.findings import Finding, Rule
from registry.check.lint.catalogue import LINT, MINIMAL, STANDARD, STRICT, rule_ids
from registry.check.lint.linter import lint
from registry.check.lint.tree import chosen, lint_files, rules_for
from registry.check.project import load
from registry.check.rules import catalogue
from registry.check.trees import FolderTree
from registry.languages.avro import AVRO
from registry.languages.language import SchemaFault
from tests.support.avro_generator import AvroGenerator
from tests.support.corpus import lsst_versions

ALL = rule_ids("strict")


def whole(example: str) -> str:
    """A rule's example as a schema: a field is put into a record, and what is left out is filled in."""
    value: Any = json.loads(example)
    if "fields" not in value and value.get("type") not in ("enum", "record", "fixed"):
        field = value if "name" in value else {"name": "field", "type": value}
        value = {"type": "record", "name": "Order", "namespace": "com.acme", "fields": [field]}
    if "type" not in value:
        value = {"type": "record", "name": "Order", "namespace": "com.acme", **value}
    return json.dumps(value)


def found(text: str, rules: frozenset[str] = ALL, file: str = "order.avsc") -> list[tuple[str, str]]:
    return [(one.rule, str(one.place)) for one in lint(file, text, rules).findings]


@pytest.mark.parametrize("rule", LINT, ids=lambda rule: rule.id)
def test_the_example_of_a_rule_is_found_by_it_and_put_right_is_not(rule: Rule) -> None:
    assert rule.id in {one for one, _ in found(whole(rule.example))}
    assert rule.id not in {one for one, _ in found(whole(rule.fixed))}


def test_the_sets_hold_one_another_and_are_in_the_catalogue_of_all_rules() -> None:
    assert rule_ids("minimal") < rule_ids("standard") < rule_ids("strict")
    assert rule_ids(None) == rule_ids("standard")
    assert len(LINT) == len(ALL) == len(MINIMAL) + len(STANDARD) + len(STRICT)
    assert catalogue().keys() >= ALL


ORDER = """\
{
  "type": "record", "name": "Order", "namespace": "com.acme",
  "fields": [
    {"name": "note", "type": ["null", "string"]},
    {
      "name" : "State",
      "type": {"type": "enum", "name": "State", "symbols": ["NEW", "paid"]}
    }
  ]
}
"""


def test_findings_have_the_place_and_what_to_write() -> None:
    findings = lint("a/order.avsc", ORDER, rule_ids("standard")).findings
    assert [(one.rule, str(one.place), one.path, one.element, one.fix, one.now) for one in findings] == [
        (
            "OPTIONAL_WITHOUT_DEFAULT",
            "a/order.avsc:4:5",
            "/fields/0",
            "Order.note",
            'add "default": null',
            "",
        ),
        (
            "FIELD_NAME_CASE",
            "a/order.avsc:6:16",
            "/fields/1/name",
            "Order.State",
            'such as "state"',
            '"State"',
        ),
        (
            "SYMBOL_CASE",
            "a/order.avsc:7:68",
            "/fields/1/type/symbols/1",
            "Order.State",
            'such as "PAID"',
            '"paid"',
        ),
        (
            "ENUM_WITHOUT_DEFAULT",
            "a/order.avsc:7:15",
            "/fields/1/type",
            "Order.State",
            'add "default": "..." with one of its symbols',
            "",
        ),
    ]


def test_idl_is_linted_at_its_own_places() -> None:
    text = 'namespace com.acme;\n\nrecord order {\n  string? note;\n  @fivebyte.ignore("X") int Total;\n}'
    assert found(text, rule_ids("standard"), "order.avdl") == [
        ("TYPE_NAME_CASE", "order.avdl:3:8"),
        ("OPTIONAL_WITHOUT_DEFAULT", "order.avdl:4:11"),
        ("FIELD_NAME_CASE", "order.avdl:5:29"),
        ("IGNORE_UNKNOWN", "order.avdl:5:20"),
    ]


def test_a_schema_ignores_rules_for_itself_and_what_is_in_it() -> None:
    field = {"name": "ID", "type": {"type": "enum", "name": "E", "symbols": ["a"]}}
    record = {"type": "record", "name": "Order", "namespace": "com.acme", "fields": [field]}
    rules = frozenset({"FIELD_NAME_CASE", "SYMBOL_CASE"})
    assert [one for one, _ in found(json.dumps(record), rules)] == ["FIELD_NAME_CASE", "SYMBOL_CASE"]
    field["fivebyte.ignore"] = ["FIELD_NAME_CASE"]
    assert [one for one, _ in found(json.dumps(record), rules)] == ["SYMBOL_CASE"]
    record["fivebyte.ignore"] = "SYMBOL_CASE"
    assert found(json.dumps(record), rules) == []


@pytest.mark.parametrize(
    "value",
    [
        {"type": "record", "name": 3, "fields": 3},
        {"type": "record", "name": "R", "fields": [3, {"name": 3, "type": 3}, {}], "aliases": 3, "doc": []},
        {"type": "enum", "name": "E", "symbols": [3, None], "default": {}},
        {"type": "enum", "name": "E", "symbols": 1.5},
        {"type": "fixed", "name": "F", "size": "x", "logicalType": "decimal", "precision": "3"},
        {"type": {"type": "map"}, "logicalType": ["x"], "fivebyte.ignore": 3},
        {"type": "record", "name": "R", "fields": [{"name": "a", "type": [], "default": []}]},
        ["null", [], {}, {"items": []}],
        3,
    ],
    ids=str,
)
def test_what_is_no_schema_is_linted_as_far_as_it_goes(value: object) -> None:
    lint("x.avsc", json.dumps(value), ALL)


def test_a_file_of_several_types_is_no_union() -> None:
    type_ = {"type": "fixed", "name": "A", "namespace": "com.acme", "size": 4, "doc": "Four bytes."}
    several = [type_, {**type_, "name": "b", "namespace": ""}]
    assert found(json.dumps(several)) == [
        ("TYPE_NAME_CASE", "order.avsc:1:118"),
        ("NAMESPACE_MISSING", "order.avsc:1:118"),
    ]


def test_what_is_not_json_is_a_fault_with_its_place() -> None:
    with pytest.raises(SchemaFault) as raised:
        lint("x.avsc", '{\n "type": }', ALL)
    assert (raised.value.line, raised.value.column) == (2, 10)


def test_a_fix_touches_only_what_is_at_fault() -> None:
    text = (
        '// orders\r\n{"type":"record","name":"R","fields":[\r\n'
        '\t{"name" : "a" , "type": ["null", "int"]  , "doc": " x "},\r\n'
        '\t{\r\n\t\t"name": "b",\r\n\t\t"type": [ "null", "string" ] /* why */\r\n\t},\r\n'
        '\t{"name":"c","aliases":["c","d","d"],"type":"int","n":1.50}]}\r\n'
    )
    assert lint("r.avsc", text, ALL, fix=True).text == (
        '// orders\r\n{"type":"record","name":"R","fields":[\r\n'
        '\t{"name" : "a" , "type": ["null", "int"]  , "doc": "x", "default": null},\r\n'
        '\t{\r\n\t\t"name": "b",\r\n\t\t"type": [ "null", "string" ],\r\n'
        '\t\t"default": null /* why */\r\n\t},\r\n'
        '\t{"name":"c","aliases":["d"],"type":"int","n":1.50}]}\r\n'
    )


def test_fixed_schemas_of_the_corpus_read_and_are_read_by_what_they_were() -> None:
    changed = 0
    for history in lsst_versions().values():
        for text, needs in history:
            if needs:
                continue
            linted = lint("x.avsc", text, ALL, fix=True)
            fixable = {"OPTIONAL_WITHOUT_DEFAULT", "DOC_UNTIDY", "ALIAS_REDUNDANT"}
            assert not fixable & {one.rule for one in linted.findings}
            changed += linted.text != text
            before, after = AVRO.parse(text, strict=False), AVRO.parse(linted.text, strict=False)
            assert AVRO.compare(before, after) == AVRO.compare(after, before) == []
    assert changed >= 3


def test_generated_schemas_are_linted_whatever_they_are_and_fixes_change_no_meaning() -> None:
    generator = AvroGenerator(seed=77)
    changed = 0
    for number in range(300):
        schema = generator.schema()
        for variant in (schema, generator.changed(schema), generator.broken(schema)):
            text = json.dumps(variant, indent=number % 3 or None)
            fixed = lint("x.avsc", text, ALL, fix=True).text
            assert lint("x.avsc", fixed, ALL, fix=True).text == fixed
            try:
                before = AVRO.parse(text)
            except SchemaFault:
                continue
            after = AVRO.parse(fixed)
            if not AVRO.compare(before, before):  # an alias may keep a schema from reading its own data
                assert AVRO.compare(before, after) == AVRO.compare(after, before) == []
                changed += fixed != text
    assert changed > 30


def test_the_project_file_chooses_rules_and_ignores_them_by_file(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "fivebyte.toml").write_text(
        '[lint]\nrules = "minimal"\nenable = ["FIELD_NAME_CASE"]\ndisable = ["LOGICAL_TYPE_UNKNOWN"]\n'
        '[lint.ignore]\n"old/*.avsc" = "OPTIONAL_WITHOUT_DEFAULT"\n'
    )
    (tmp_path / "old" / "fivebyte.toml").write_text(
        '[lint]\nrules = "strict"\ndisable = ["TYPE_WITHOUT_DOC"]\n'
    )
    project = load(tmp_path / "fivebyte.toml", tmp_path, [tmp_path / "old" / "fivebyte.toml"])
    minimal = rule_ids("minimal")
    assert rules_for(project, "a.avsc") == (minimal | {"FIELD_NAME_CASE"}) - {"LOGICAL_TYPE_UNKNOWN"}
    assert rules_for(project, "old/a.avsc") == ALL - {
        "LOGICAL_TYPE_UNKNOWN",
        "OPTIONAL_WITHOUT_DEFAULT",
        "TYPE_WITHOUT_DOC",
    }
    assert rules_for(project, "a.avsc", "standard") >= rule_ids("standard") - {"LOGICAL_TYPE_UNKNOWN"}


def test_a_rule_that_is_none_is_told_with_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "fivebyte.toml").write_text('[lint]\ndisable = ["FIELD_CASE"]\n')
    said = r"fivebyte.toml:2: FIELD_CASE is no rule of the linter: did you mean FIELD_NAME_CASE\?"
    with pytest.raises(ProjectError, match=said):
        load(tmp_path / "fivebyte.toml", tmp_path)


def test_files_are_linted_and_written(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "order.avsc").write_bytes(b"\xef\xbb\xbf" + ORDER.encode())
    (tmp_path / "broken.avsc").write_text("{")
    (tmp_path / "other.json").write_text('{"type": "enum", "name": "E", "symbols": []}')
    (tmp_path / "latin.avsc").write_bytes(b'"\xff"')
    tree, project = FolderTree(tmp_path), load(None, tmp_path)
    paths = chosen(tree, project)
    assert paths == ["a/order.avsc", "broken.avsc", "latin.avsc"]
    assert chosen(tree, project, ["a", "other.json"]) == ["a/order.avsc", "other.json"]
    assert chosen(tree, project, ["."]) == paths

    outcome = lint_files(tree, project, paths)
    assert (outcome.files, outcome.changed) == (3, [])
    assert ruled(outcome.invalid) == [
        ("SCHEMA_INVALID", "broken.avsc:1:2"),
        ("SCHEMA_INVALID", "latin.avsc:1:2"),
    ]
    assert len(outcome.findings) == 4

    outcome = lint_files(tree, project, paths, fix=True)
    assert outcome.changed == ["a/order.avsc"]
    assert len(outcome.findings) == 3
    expected = ORDER.replace('"string"]}', '"string"], "default": null}')
    assert (tmp_path / "a" / "order.avsc").read_bytes() == b"\xef\xbb\xbf" + expected.encode()


def ruled(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(one.rule, str(one.place)) for one in findings]
