"""What a check finds: every rule, in both directions, at the place of the very field, with a fix."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from registry.check.checking import compare
from registry.check.findings import Breaks, Finding
from registry.check.project import load
from registry.check.rules import catalogue
from registry.check.sources import LocatedSchema, Sources
from registry.check.trees import FolderTree
from registry.languages.avro.compatibility import DESCRIPTIONS
from registry.model import CompatibilityLevel
from serde import RegistryClient
from tests.registry.check.running import checked, found, told, write

HEAD = '{"type": "record", "name": "Order", "namespace": "shop", "fields": ['


@dataclass(frozen=True)
class Case:
    """Fields before and after a change; ``^`` stands before the place, or else it is the name."""

    rule: str
    level: str
    old: str
    new: str
    was: str
    now: str
    fix: str
    element: str = "Order.a"

    def __str__(self) -> str:
        return f"{self.rule} {self.level} {self.was}-{self.now}"


def text(fields: str) -> str:
    return f"{HEAD}\n{fields.replace('^', '')}\n]}}"


def place(fields: str) -> tuple[int, int]:
    return (2, fields.index("^") + 1) if "^" in fields else (1, HEAD.index('"Order"') + 1)


def located(folder: Path, fields: str) -> LocatedSchema:
    write(folder, {"order.avsc": text(fields)})
    sources = Sources.read(FolderTree(folder), load(None, folder))
    return sources.parse(sources.by_subject["shop.Order"])


def a(type_: str, *more: str) -> str:
    return f'{{"name": "a", "type": {type_}}}{"".join(more)}'


INT, LONG, STRING, BOOLEAN = '"int"', '"long"', '"string"', '"boolean"'
OPTIONAL = '["null", "int"]'


def enum(*symbols: str) -> str:
    return f'{{"type": "enum", "name": "State", "symbols": {"".join(symbols)}}}'


def fixed(name: str, size: str) -> str:
    return f'{{"type": "fixed", "name": {name}, "size": {size}}}'


def array(items: str) -> str:
    return f'{{"type": "array", "items": {items}}}'


MISSING, MISMATCH, BRANCH = "READER_FIELD_MISSING_DEFAULT_VALUE", "TYPE_MISMATCH", "MISSING_UNION_BRANCH"
SYMBOLS, NAME, BACK, FORTH = "MISSING_ENUM_SYMBOLS", "NAME_MISMATCH", "BACKWARD", "FORWARD"
NEW_A = '{"name": ^"a", "type": %s}'
B = '{"name": "b", "type": "int"}'
OLD_ALIAS = '{"name": "a", "type": "int"}, {"name": "b", "type": "int"}'
NEW_ALIAS = '^{"name": "a", "aliases": ["b"], "type": "int"}'
CASES = [
    Case(MISSING, BACK, "", NEW_A % INT, "", '"a": int', 'add a default, such as "default": 0; or'),
    Case(MISSING, BACK, "", NEW_A % OPTIONAL, "", '"a": ["null", "int"]', 'add "default": null'),
    Case(MISSING, BACK, "", NEW_A % '["int", "null"]', "", '"a": ["int", "null"]', 'put "null" first'),
    Case(MISSING, BACK, B, NEW_A % INT, "", '"a": int', 'if it is "b" renamed, add "aliases": ["b"]'),
    Case(MISSING, FORTH, NEW_A % INT, "", '"a": int', "", 'put "a" back'),
    Case(MISMATCH, BACK, a(f"^{STRING}"), a(f"^{INT}"), "string", "int", "keep string"),
    Case(MISMATCH, FORTH, a(f"^{INT}"), a(f"^{LONG}"), "int", "long", "keep int"),
    Case(MISMATCH, BACK, a('[^"null", "int"]'), a(f"^{INT}"), '["null", "int"]', "int", "keep ["),
    Case(MISMATCH, BACK, a(array("^" + INT)), a(array("^" + STRING)), "int", "string", "keep", "Order.a[]"),
    Case(
        MISMATCH,
        BACK,
        a('{"type": "map", "values": ^"int"}'),
        a('{"type": "map", "values": ^"string"}'),
        "int",
        "string",
        "keep int",
        "Order.a{}",
    ),
    Case(BRANCH, BACK, a('["null", ^"int"]'), a('^["null"]'), '["null", "int"]', '["null"]', 'keep "int"'),
    Case(
        BRANCH,
        FORTH,
        a('^["null", "int"]'),
        a('["null", "int", ^"string"]'),
        '["null", "int"]',
        '["null", "int", "string"]',
        'leave "string" out',
    ),
    Case(BRANCH, BACK, a("^" + BOOLEAN), a("^" + OPTIONAL), "boolean", '["null", "int"]', 'keep "boolean"'),
    Case(
        SYMBOLS,
        BACK,
        a(enum('["NEW", ^"PAID"]')),
        a(enum('^["NEW"]')),
        "NEW, PAID",
        "NEW",
        'keep PAID, or give the enum "default": "NEW"',
    ),
    Case(
        SYMBOLS,
        FORTH,
        a(enum('^["NEW"]')),
        a(enum('["NEW", ^"PAID"]')),
        "NEW",
        "NEW, PAID",
        "leave it out until",
    ),
    Case(
        "FIXED_SIZE_MISMATCH",
        BACK,
        a(fixed('"F"', "^4")),
        a(fixed('"F"', "^8")),
        "4",
        "8",
        "keep the size 4",
    ),
    Case(
        NAME,
        BACK,
        a(fixed('^"F"', "4")),
        a(fixed('^"G"', "4")),
        "shop.F",
        "shop.G",
        'add "aliases": ["shop.F"]',
    ),
    Case(
        NAME, FORTH, a(fixed('^"F"', "4")), a(fixed('^"G"', "4")), "shop.F", "shop.G", "keep the name shop.F"
    ),
    Case("AMBIGUOUS_FIELD_ALIAS", BACK, OLD_ALIAS, NEW_ALIAS, '"a" and "b"', '"a"', "remove the alias"),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_rule_at_the_place_with_words_and_a_fix(tmp_path: Path, case: Case) -> None:
    old, new = located(tmp_path / "old", case.old), located(tmp_path / "new", case.new)
    (finding,) = compare(new, old, CompatibilityLevel(case.level), "before")
    assert (finding.rule, finding.element) == (case.rule, case.element)
    assert (finding.was, finding.now) == (case.was, case.now)
    assert finding.place is not None
    assert finding.old_place is not None
    assert (finding.place.line, finding.place.column) == place(case.new)
    assert (finding.old_place.line, finding.old_place.column) == place(case.old)
    assert case.fix in finding.fix
    assert finding.breaks is (Breaks.NEW_READERS if case.level == "BACKWARD" else Breaks.OLD_READERS)
    assert f": readers of the {'new' if case.level == 'BACKWARD' else 'old'} schema cannot" in finding.message


def test_every_rule_of_the_registry_is_in_the_catalogue_and_in_a_case() -> None:
    assert {case.rule for case in CASES} == set(DESCRIPTIONS)
    assert catalogue().keys() >= set(DESCRIPTIONS)


@pytest.mark.parametrize("level", list(CompatibilityLevel))
@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_registry_says_the_same(
    schema_registry: RegistryClient, tmp_path: Path, case: Case, level: CompatibilityLevel
) -> None:
    schema_registry.register("s", text(case.old))
    schema_registry.set_config(level, "s")
    verdict = schema_registry.check_compatibility("s", text(case.new))
    old, new = located(tmp_path / "old", case.old), located(tmp_path / "new", case.new)
    ours: list[Finding] = [] if level == "NONE" else list(compare(new, old, level, "version 1"))
    assert verdict.is_compatible is not bool(ours)
    said = [message for message in verdict.messages if message.startswith("{errorType")]
    assert said == [finding.detail for finding in ours]


V1 = '{"type": "record", "name": "R", "fields": [{"name": "a", "type": "int"}]}'
V2 = (
    '{"type": "record", "name": "R", "fields": [{"name": "a", "type": "int"},\n{"name": "b", "type": "int"}]}'
)


def test_levels_come_from_the_command_then_the_project_then_the_baseline(tmp_path: Path) -> None:
    write(tmp_path, {"old/r.avsc": V1, "new/r.avsc": V2})
    breaks = [("READER_FIELD_MISSING_DEFAULT_VALUE", "r.avsc:2:10")]
    assert found(checked(tmp_path / "new", "../old")) == breaks
    assert found(checked(tmp_path / "new", "../old", "FORWARD")) == []
    write(tmp_path, {"new/fivebyte.toml": 'level = "FORWARD"\n'})
    assert found(checked(tmp_path / "new", "../old")) == []
    assert found(checked(tmp_path / "new", "../old", "FULL")) == breaks
    write(tmp_path, {"new/fivebyte.toml": '[[override]]\nsubjects = "R"\nlevel = "NONE"\n'})
    report = checked(tmp_path / "new", "../old")
    assert (found(report), report.exit_code) == ([], 0)


def test_new_deleted_and_moved_schemas(tmp_path: Path) -> None:
    other = V1.replace('"R"', '"S"')
    write(
        tmp_path,
        {
            "old/r.avsc": V1,
            "old/s.avsc": other,
            "new/moved/r.avsc": V1,
            "new/t.avsc": V1.replace('"R"', '"T"'),
        },
    )
    report = checked(tmp_path / "new", "../old")
    assert told(report) == [
        ("SCHEMA_DELETED", "s.avsc", "S is gone: ../old/s.avsc has no file of that subject any more"),
        ("SUBJECT_NEW", "t.avsc:1:1", "T is new: ../old does not have it"),
    ]
    assert (report.exit_code, report.schemas, report.unchanged, report.new) == (1, 2, 1, 1)
    for deleted, code in (("note", 0), ("warning", 0), ("error", 1)):
        write(tmp_path, {"new/fivebyte.toml": f'[[override]]\nfiles = "s.avsc"\ndeleted = "{deleted}"\n'})
        report = checked(tmp_path / "new", "../old")
        assert [finding.severity for finding in report.findings if finding.rule == "SCHEMA_DELETED"] == [
            deleted
        ]
        assert report.exit_code == code
    write(tmp_path, {"new/fivebyte.toml": 'deleted = "off"\n'})
    assert [rule for rule, _ in found(checked(tmp_path / "new", "../old"))] == ["SUBJECT_NEW"]


def test_a_renamed_subject_is_named_where_its_type_went(tmp_path: Path) -> None:
    write(tmp_path, {"old/r.avsc": V1, "new/x.avsc": V1, "new/fivebyte.toml": 'subject = "{stem}-value"\n'})
    deleted, _ = checked(tmp_path / "new", "../old").findings
    assert deleted.message == (
        "r-value is gone: ../old/r.avsc has no file of that subject any more; "
        "R is in x.avsc now, under the subject x-value"
    )


def test_a_renamed_type_is_named_where_it_stood(tmp_path: Path) -> None:
    write(tmp_path, {"old/r.avsc": V1, "new/r.avsc": V1.replace('"R"', '"shop.R"')})
    deleted, _ = checked(tmp_path / "new", "../old").findings
    assert deleted.message.endswith("; it has shop.R now, under the subject shop.R")
    assert deleted.fix.startswith("keep the name R; or the subject R")


def test_a_schema_breaks_where_one_that_it_refers_to_does(tmp_path: Path) -> None:
    money = '{"type": "record", "name": "Money", "fields": [{"name": "cents", "type": "long"}]}'
    order = '{"type": "record", "name": "Order", "fields": [{"name": "total", "type": "Money"}]}'
    write(tmp_path, {"old/money.avsc": money, "old/order.avsc": order, "new/order.avsc": order})
    write(tmp_path, {"new/money.avsc": money.replace("long", "int")})
    report = checked(tmp_path / "new", "../old")
    column = money.index('"long"') + 1
    assert [(one.subject, str(one.place), one.element) for one in report.findings] == [
        ("Money", f"money.avsc:1:{column}", "Money.cents"),
        ("Order", f"money.avsc:1:{column}", "Order.total.cents"),
    ]
    assert checked(tmp_path / "new", "../old", None, "order.avsc").schemas == 1


def test_a_file_that_does_not_parse_is_not_also_deleted(tmp_path: Path) -> None:
    write(tmp_path, {"old/r.avsc": V1, "new/r.avsc": V1[:-1]})
    report = checked(tmp_path / "new", "../old")
    assert [rule for rule, _ in found(report)] == ["SCHEMA_INVALID"]
    assert report.exit_code == 3
    report = checked(tmp_path / "old", "../new")
    assert [(one.rule, one.severity) for one in report.findings] == [("OLD_SCHEMA_INVALID", "warning")]
    assert report.exit_code == 0


def test_fingerprints_stay_when_lines_move(tmp_path: Path) -> None:
    write(tmp_path, {"old/r.avsc": V1, "new/r.avsc": V2})
    (before,) = checked(tmp_path / "new", "../old").findings
    write(tmp_path, {"new/r.avsc": json.dumps(json.loads(V2), indent=4)})
    (after,) = checked(tmp_path / "new", "../old").findings
    assert before.place != after.place
    assert before.fingerprint == after.fingerprint
