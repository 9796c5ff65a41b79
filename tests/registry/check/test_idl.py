"""Avro IDL among the schemas of a project: what a file is for, its places, and types of other files."""

from pathlib import Path

import pytest

from registry.check.findings import Place
from registry.check.idl import idl_schemas
from registry.check.project import load
from registry.check.sources import InvalidSource, Sources
from registry.check.trees import FolderTree
from tests.registry.check.running import checked
from tests.support.repository import GitRepository


def names(text: str) -> list[str]:
    return [schema.name for schema, _ in idl_schemas(text)]


def test_a_file_is_for_its_main_schema_or_for_the_types_that_no_other_uses() -> None:
    assert names("schema B; record A { B b; } record B {}") == ["B"]
    assert names("schema array<A>; record A {}") == [""]
    assert names("protocol P { record A { array<union { null, B }> b; } record B {} enum C { X } }") == [
        "A",
        "C",
    ]
    assert names("record A { B? b; } record B { A? a; } record C { C? c; } record D { B b; }") == ["C", "D"]
    assert names("record A { B? b; } record B { A? a; }") == ["A"]
    assert names("protocol P {}") == []


def test_idl_and_json_refer_to_each_other_and_have_places(tmp_path: Path) -> None:
    files = {
        "order.avdl": 'namespace shop;\nschema Order; import schema "money.avsc";\n'
        "record Order {\n  Money total;\n}\n",
        "money.avsc": '{"type": "record", "name": "Money", "namespace": "shop", "fields": []}',
        "cart.avsc": '{"type": "record", "name": "Cart", "namespace": "shop", "fields": ['
        '{"name": "order", "type": "Order"}]}',
        "broken.avdl": "record A {\n int; }",
        "unknown.avdl": "record U {\n  Nope n;\n}",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    sources = Sources.read(FolderTree(tmp_path), load(None, tmp_path))
    cart, order = sources.by_subject["shop.Cart"], sources.by_subject["shop.Order"]
    assert [one.name for one in sources.needed(cart)] == ["shop.Money", "shop.Order"]
    assert sources.parse(cart).schema.canonical.count("Money") == 0
    assert order.place(["fields", "0"]) == Place("order.avdl", 4, 9)
    (fault,) = sources.faults
    assert str(fault.place) == "broken.avdl:2:5"
    unknown = sources.by_subject["U"]
    with pytest.raises(InvalidSource, match=r'^unknown\.avdl:2:3: unknown type "Nope"'):
        sources.parse(unknown)


def test_a_change_of_idl_is_checked_against_a_commit_at_its_places(tmp_path: Path) -> None:
    order = "namespace shop;\nschema Order;\nrecord Order {\n  string id;\n  Line line;\n}\n"
    idl = f"{order}record Line {{ Money price; }}\n"
    money = '{"type": "record", "name": "Money", "namespace": "shop", "fields": []}'
    repository = GitRepository(tmp_path)
    repository.commit({"order.avdl": idl, "money.avsc": money})
    repository.write({"order.avdl": idl.replace("Money price;", "Money price;\n  int quantity; ")})
    (finding,) = checked(tmp_path, "git:main").findings
    assert (finding.rule, finding.subject) == ("READER_FIELD_MISSING_DEFAULT_VALUE", "shop.Order")
    assert str(finding.place) == "order.avdl:8:7"
    assert str(finding.old_place).startswith("main:order.avdl:")
    repository.write({"order.avdl": idl.replace("string id;", "string? id = null;")})
    assert checked(tmp_path, "git:main").findings == []
    (finding,) = checked(tmp_path, "git:main", "FULL").findings
    assert (finding.rule, str(finding.place)) == ("TYPE_MISMATCH", "order.avdl:4:3")
