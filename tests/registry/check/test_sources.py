"""Schemas in files: their names, references and places, and what is said of files that are wrong."""

import errno
import os
from pathlib import Path

import pytest

from registry.check.errors import ProjectError
from registry.check.findings import Place, Severity
from registry.check.project import load
from registry.check.sources import InvalidSource, Sources
from registry.check.trees import FolderTree, blob_id
from tests.registry.check.running import checked
from tests.registry.check.running import found as found_in

MONEY = (
    '{"type": "record", "name": "Money", "namespace": "shop", "fields": [{"name": "cents", "type": "long"}]}'
)
LINE = """{"type": "record", "name": "Line", "namespace": "shop", "fields": [
  {"name": "price", "type": "Money"},
  {"name": "tags", "type": {"type": "array", "items": ["null", "string"]}}
]}"""
ORDER = """{"type": "record", "name": "Order", "namespace": "shop.orders", "fields": [
  {"name": "lines", "type": {"type": "array", "items": "shop.Line"}},
  {"name": "total", "type": "shop.Money"}
]}"""


def sources(folder: Path, files: dict[str, str | bytes], config: str = "") -> Sources:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    (folder / "fivebyte.toml").write_text(config)
    return Sources.read(FolderTree(folder), load(folder / "fivebyte.toml", folder))


def invalid(found: Sources, subject: str) -> tuple[str, str, str]:
    with pytest.raises(InvalidSource) as raised:
        found.parse(found.by_subject[subject])
    finding = raised.value.finding
    return finding.rule, str(finding.place), finding.message


def test_references_are_found_by_full_name_in_any_order(tmp_path: Path) -> None:
    found = sources(tmp_path, {"a/order.avsc": ORDER, "b/line.avsc": LINE, "z/money.avsc": MONEY})
    order = found.by_subject["shop.orders.Order"]
    assert [one.name for one in found.references(order)] == ["shop.Line", "shop.Money"]
    assert [one.name for one in found.needed(order)] == ["shop.Money", "shop.Line"]
    assert found.parse(order).schema.canonical.count('"name":"Money"') == 0
    assert found.faults == []


def test_every_part_has_its_place(tmp_path: Path) -> None:
    found = sources(tmp_path, {"a/order.avsc": ORDER, "b/line.avsc": LINE, "z/money.avsc": MONEY})
    parsed = found.parse(found.by_subject["shop.orders.Order"])
    root = parsed.schema.root
    assert parsed.place(None) == Place("a/order.avsc", 1, 1)
    assert parsed.place(root, "/fields/1/name") == Place("a/order.avsc", 3, 12)
    line = root.fields[0].schema.items  # type: ignore[attr-defined]
    assert parsed.place(line, "/fields/0/type") == Place("b/line.avsc", 2, 29)
    assert parsed.place(line.fields[1].schema.items, "/1") == Place(
        "b/line.avsc", 3, LINE.splitlines()[2].index('"string"') + 1
    )


@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
def test_what_editors_leave_in_a_file(tmp_path: Path, ending: bytes) -> None:
    text = (
        b'\xef\xbb\xbf{"type": "record",\n\t"name": "U", "namespace": "x", "doc": "\xc3\xbc",\n'
        b'"fields": [{"name": "a",\n\t\t"type": "strin"}]}'
    )
    found = sources(tmp_path, {"größe/ü.avsc": text.replace(b"\n", ending)})
    assert invalid(found, "x.U") == (
        "SCHEMA_INVALID",
        "größe/ü.avsc:4:11",
        'unknown type "x.strin": neither a primitive type nor defined in this schema or its references',
    )


@pytest.mark.parametrize(
    ("content", "place", "said"),
    [
        (b'{"type": "record",\r\n  "name" "A"}', "a.avsc:2:10", "not valid JSON: Expecting ':' delimiter"),
        (b'{"type":\n "\xff"}', "a.avsc:2:3", "not UTF-8 text: save the file as UTF-8"),
        (b"", "a.avsc:1:1", "not valid JSON: Expecting value"),
    ],
)
def test_a_file_that_is_no_json(tmp_path: Path, content: bytes, place: str, said: str) -> None:
    (fault,) = sources(tmp_path, {"a.avsc": content}).faults
    assert (fault.rule, str(fault.place), fault.message) == ("SCHEMA_INVALID", place, said)


def test_a_fault_of_a_reference_is_told_where_it_stands(tmp_path: Path) -> None:
    found = sources(tmp_path, {"line.avsc": LINE, "money.avsc": MONEY.replace('"long"', '"lon"')})
    column = MONEY.index('"long"') + 1
    assert invalid(found, "shop.Line")[1] == f"money.avsc:1:{column}"


def test_files_that_need_each_other_in_a_circle(tmp_path: Path) -> None:
    a = '{"type": "record", "name": "A", "fields": [{"name": "b", "type": "B"}]}'
    b = '{"type": "record", "name": "B", "fields": [{"name": "a", "type": ["null", "A"]}]}'
    found = sources(tmp_path, {"a.avsc": a, "b.avsc": b})
    assert invalid(found, "A") == (
        "REFERENCE_CYCLE",
        "a.avsc:1:1",
        "schemas need each other in a circle: A (a.avsc) -> B (b.avsc) -> A (a.avsc)",
    )


def test_two_files_with_one_name(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"line.avsc": LINE, "one/money.avsc": MONEY, "two/money.avsc": MONEY}
    config = '[[schemas]]\nfiles = "**/*.avsc"\nsubject = "{folder}-{stem}"\n'
    same = sources(tmp_path, files, config)
    assert same.parse(same.by_subject["-line"]).schema.name == "shop.Line"
    other = MONEY.replace("long", "int").replace("{", '{"doc": "x", ', 1)
    different = sources(tmp_path, {"two/money.avsc": other}, config)
    assert invalid(different, "-line") == (
        "REFERENCE_AMBIGUOUS",
        "line.avsc:1:1",
        'the type "shop.Money" is defined in several files, differently: one/money.avsc, two/money.avsc',
    )
    assert different.faults == []
    (fault,) = sources(tmp_path, {}).faults
    assert (fault.rule, str(fault.place)) == ("SUBJECT_TWICE", "two/money.avsc:1:1")


def test_several_types_in_a_file(tmp_path: Path) -> None:
    found = sources(tmp_path, {"all.avsc": f"[\n{MONEY},\n{LINE}]"})
    assert sorted(found.by_subject) == ["shop.Line", "shop.Money"]
    line = found.parse(found.by_subject["shop.Line"])
    assert line.place(line.schema.root, "/fields/0/name") == Place("all.avsc", 4, 12)
    union = sources(tmp_path, {}, '[[schemas]]\nfiles = "*.avsc"\nsubject = "{topic}-value"\n')
    assert [one.name for one in union.schemas] == ["union"]


def test_links_are_followed_and_circles_of_links_end(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "money.avsc").write_text(MONEY)
    root = tmp_path / "root"
    (root / "a").mkdir(parents=True)
    (root / "a" / "up").symlink_to(root)
    (root / "shared").symlink_to(outside)
    (root / "a" / "b").symlink_to(root / "a" / "c")
    (root / "a" / "c").symlink_to(root / "a" / "b")
    (root / "a" / ".#lock.avsc").symlink_to("who@where")  # as Emacs leaves them
    tree = FolderTree(root)
    assert list(tree.paths()) == ["a/b", "a/c", "shared/money.avsc"]
    (root / "a" / "b").unlink()
    (root / "a" / "c").unlink()
    tree = FolderTree(root)
    assert tree.digest("shared/money.avsc") == blob_id(MONEY.encode())
    assert list(FolderTree(root, also=[outside / "money.avsc"]).paths()) == [
        "../outside/money.avsc",
        "shared/money.avsc",
    ]


def test_a_link_that_leads_nowhere_is_told(tmp_path: Path) -> None:
    (tmp_path / "gone.avsc").symlink_to("nowhere.avsc")
    (tmp_path / "round.avsc").symlink_to("round.avsc")
    found = sources(tmp_path, {})
    assert [(str(fault.place), fault.rule) for fault in found.faults] == [
        ("gone.avsc", "SCHEMA_INVALID"),
        ("round.avsc", "SCHEMA_INVALID"),
    ]
    assert "the file cannot be read: " in found.faults[0].message


def test_folders_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scandir = os.scandir

    def refusing(folder: str) -> object:  # a real one would be read by root all the same
        if Path(folder).name == "locked":
            raise PermissionError(errno.EACCES, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr("os.scandir", refusing)
    (tmp_path / "locked").mkdir()
    (tmp_path / "build" / "locked").mkdir(parents=True)
    found = sources(tmp_path, {})
    (fault,) = found.faults
    assert (fault.rule, fault.severity, str(fault.place)) == (
        "FOLDER_UNREADABLE",
        Severity.WARNING,
        "locked/",
    )
    assert fault.message == "the folder locked/ cannot be read, nor any schema in it: Permission denied"
    with pytest.raises(ProjectError, match="locked cannot be read: Permission denied"):
        FolderTree(tmp_path / "locked")


def test_what_is_in_a_folder_that_cannot_be_read_is_not_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for side in ("old", "new"):
        (tmp_path / side / "a").mkdir(parents=True)
        (tmp_path / side / "m.avsc").write_text(MONEY)
    (tmp_path / "old" / "a" / "o.avsc").write_text('{"type": "enum", "name": "E", "symbols": []}')
    scandir = os.scandir

    def refusing(folder: str) -> object:
        if str(folder) == str(tmp_path / "new" / "a"):
            raise PermissionError(errno.EACCES, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr("os.scandir", refusing)
    assert [rule for rule, _ in found_in(checked(tmp_path / "new", "../old"))] == ["FOLDER_UNREADABLE"]


def test_workspaces_that_link_to_each_other(tmp_path: Path) -> None:
    for number in range(20):
        modules = tmp_path / f"p{number}" / "node_modules"
        modules.mkdir(parents=True)
        (tmp_path / f"p{number}" / "s.avsc").write_text("{}")
        for other in range(number + 1, 20):
            (modules / f"p{other}").symlink_to(tmp_path / f"p{other}")
    assert len(FolderTree(tmp_path).paths()) == 20  # and not one for each of half a million ways


def test_whatever_stands_where_a_type_should_is_told_with_its_place(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "a.avsc": '{"type": {"type": "map", "values": "int"}}',
        "b.avsc": '{"type": "record", "name": "R", "fields": [{"name": "a", "type": {"type": ["int"]}}]}',
        "c.avsc": '{"type": "record", "name": ["R"], "fields": {}}',
        "d.avsc": "3",
    }
    found = sources(tmp_path, files, 'subject = "{stem}"')
    assert found.faults == []
    assert [invalid(found, name)[1] for name in "abcd"] == [
        "a.avsc:1:10",
        "b.avsc:1:75",
        "c.avsc:1:1",
        "d.avsc:1:1",
    ]
