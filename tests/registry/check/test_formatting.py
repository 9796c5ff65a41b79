"""`fivebyte format`: one form for every file, which is still the same schema."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.check.formatting import WIDTH, formatted
from registry.check.lint.tree import format_files
from registry.check.trees import FolderTree
from registry.languages.avro import json_text
from registry.languages.avro.layout import Layout
from registry.languages.language import SchemaFault
from tests.support.needs import need_corpus

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=20), inner, max_size=4),
)


def test_what_fits_is_one_line_and_fields_have_one_each() -> None:
    text = (
        '{"type":"record","name":"Order","x":{"b":1.50,"a":"\\u00e9"},"fields":[{"name":"id","type":"string"},'
        '{"name":"lines","type":{"type":"array","items":{"type":"record","name":"Line","fields":'
        '[{"name":"sku","type":"string"}]}}},{"name":"note","doc":"' + "long " * 20 + '","type":"string"}],'
        '"aliases":[]}'
    )
    assert formatted(text) == (
        '{\n  "type": "record",\n  "name": "Order",\n  "x": {"b": 1.50, "a": "\\u00e9"},\n  "fields": [\n'
        '    {"name": "id", "type": "string"},\n'
        '    {\n      "name": "lines",\n      "type": {\n        "type": "array",\n        "items": {\n'
        '          "type": "record",\n          "name": "Line",\n          "fields": [\n'
        '            {"name": "sku", "type": "string"}\n          ]\n        }\n      }\n    },\n'
        '    {\n      "name": "note",\n      "doc": "' + "long " * 20 + '",\n      "type": "string"\n    }\n'
        '  ],\n  "aliases": []\n}\n'
    )


@settings(max_examples=60)
@given(JSON)
def test_any_json_keeps_its_meaning_and_order_and_is_formatted_once(value: object) -> None:
    text = json.dumps(value)
    once = formatted(text)
    assert formatted(once) == once
    assert json.dumps(json.loads(once)) == text
    for line in once.split("\n"):
        inside = line.rstrip(",") or "-"
        assert len(line) <= WIDTH or inside[-1] not in "]}" or inside.endswith(("[]", "{}", '"')), line


@settings(max_examples=60)
@given(JSON)
def test_a_layout_finds_every_value_where_it_stands(value: object) -> None:
    text = json.dumps(value, indent=1)
    waiting = [(value, Layout.of(text).root)]
    while waiting:
        part, laid = waiting.pop()
        assert json.loads(text[laid.start : laid.end]) == part
        if isinstance(part, dict):
            assert laid.members is not None
            waiting += [(part[one.name], one.value) for one in laid.members]
        elif isinstance(part, list):
            assert laid.items is not None
            waiting += zip(part, laid.items, strict=True)


def test_the_corpus_keeps_its_canonical_json() -> None:
    files = sorted(need_corpus().rglob("*.avsc"))
    done = 0
    for file in files[::5]:
        text = file.read_text()
        try:
            once = formatted(text)
        except SchemaFault:
            continue  # one of them is published with stray text in it
        assert formatted(once) == once
        assert json_text.write(json_text.read(once)) == json_text.write(json_text.read(text))
        done += 1
    assert done > 20


def test_comments_line_ends_and_byte_order_marks_stay(tmp_path: Path) -> None:
    assert formatted('[ // why\n"int"]') == '[ // why\n"int"]'
    assert formatted('["int",\r\n"null"]') == '[\r\n  "int",\r\n  "null"\r\n]\r\n'
    (tmp_path / "a.avsc").write_bytes(b'\xef\xbb\xbf"int"')
    (tmp_path / "b.avsc").write_text('"int"\n')
    (tmp_path / "c.avsc").write_text("[")
    (tmp_path / "d.avdl").write_text("record   R {}")
    tree = FolderTree(tmp_path)
    names = ["a.avsc", "b.avsc", "c.avsc", "d.avdl"]
    outcome = format_files(tree, names, write=False)
    assert outcome.changed == ["a.avsc"]
    assert [str(one.place) for one in outcome.invalid] == ["c.avsc:1:2"]
    assert (tmp_path / "a.avsc").read_bytes() == b'\xef\xbb\xbf"int"'
    format_files(tree, names)
    assert (tmp_path / "a.avsc").read_bytes() == b'\xef\xbb\xbf"int"\n'
    assert (tmp_path / "d.avdl").read_text() == "record   R {}"


@pytest.mark.parametrize("text", ["", "// nothing", "{", "[1,]", '{"a": 1} x'])
def test_what_is_not_json_is_a_fault(text: str) -> None:
    with pytest.raises(SchemaFault):
        formatted(text)
