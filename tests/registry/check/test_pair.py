"""`assert_compatible`, for the tests of those who have schemas."""

from pathlib import Path

import pytest

from fivebyte.testing import assert_compatible
from registry.check.pair import compare_texts

OLD = '{"type": "record", "name": "Payment", "fields": [{"name": "cents", "type": "long"}]}'
NEW = '{"type": "record", "name": "Payment", "fields": [{"name": "cents", "type": "long"},\n%s]}'


def test_compatible_schemas_pass(tmp_path: Path) -> None:
    with_default = NEW % '{"name": "currency", "type": "string", "default": "EUR"}'
    assert_compatible(OLD, with_default)
    assert_compatible(OLD, with_default, "FULL_TRANSITIVE")
    file = tmp_path / "payment.avsc"
    file.write_text(with_default)
    assert_compatible(OLD, file, "backward")
    assert_compatible('"int"', '"string"', "NONE")


def test_incompatible_ones_fail_with_every_finding(tmp_path: Path) -> None:
    file = tmp_path / "payment.avsc"
    file.write_text(NEW % '{"name": "currency", "type": "string"},\n{"name": "x", "type": "int"}')
    with pytest.raises(AssertionError) as raised:
        assert_compatible(OLD, file, "FULL")
    said = str(raised.value)
    assert f"{file}:2:10: error: Payment.currency is new and has no default" in said
    assert f"{file}:3:10: error: Payment.x is new" in said
    assert '{"name": "currency", "type": "string"},' in said
    assert 'add a default, such as "default": 0' in said
    with pytest.raises(AssertionError, match="new:1:"):
        assert_compatible(OLD, OLD.replace("long", "int"))


def test_what_both_refer_to() -> None:
    user = '{"type": "record", "name": "User", "fields": [{"name": "payment", "type": "Payment"}]}'
    assert_compatible(user, user, references=[OLD])


@pytest.mark.parametrize(
    ("old", "new", "level", "said"),
    [
        (OLD, OLD[:-1], "FULL", r"new:1:\d+: not valid JSON"),
        (OLD, OLD.replace("long", "lon"), "FULL", r'new:1:\d+: unknown type "lon"'),
        (OLD, OLD, "BACKWARDS", "'BACKWARDS' is no level: give one of NONE, BACKWARD,"),
    ],
)
def test_what_cannot_be_compared(old: str, new: str, level: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        assert_compatible(old, new, level)


@pytest.mark.parametrize(
    ("type_", "fix"),
    [
        ('"null"', 'add "default": null'),
        ('["null", "int"]', 'add "default": null'),
        ('["int", "null"]', 'put "null" first in its type, and add "default": null'),
        ('"long"', 'add a default, such as "default": 0; or make it optional'),
        # Readers of a UUID, or of a decimal, cannot do with an empty text.
        ('{"type": "string", "logicalType": "uuid"}', "make it optional"),
        ('[{"type": "string", "logicalType": "uuid"}, "int"]', "make it optional"),
        (
            '{"type": "bytes", "logicalType": "decimal", "precision": 4}',
            'add a default, such as "default": "\\u0000"; or make it optional',
        ),
    ],
)
def test_the_default_that_is_proposed(type_: str, fix: str) -> None:
    old, new = (
        f'{{"type": "record", "name": "R", "fields": [{field}]}}'
        for field in ("", f'{{"name": "a", "type": {type_}}}')
    )
    (finding,) = compare_texts(("old", old), ("new", new), "BACKWARD").findings
    assert finding.fix.startswith(fix)


def test_what_is_no_text_of_a_schema() -> None:
    with pytest.raises(ValueError, match=r"for a file, give a Path: Path\('schemas/order.avsc'\)"):
        assert_compatible("schemas/order.avsc", "{}")
    with pytest.raises(TypeError, match="new: give the text of a schema, or a Path, and not a dict"):
        assert_compatible('"int"', {"type": "int"})  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="a reference: give the text"):
        assert_compatible('"int"', '"int"', references=[b"{}"])  # type: ignore[list-item]


def test_a_schema_breaks_nothing_where_it_is_the_one_before() -> None:
    odd = """{"type": "record", "name": "R", "fields": [
      {"name": "a", "type": "int"}, {"name": "b", "type": "int", "aliases": ["a"]}
    ]}"""
    assert_compatible(odd, odd.replace("\n", " "), "FULL")
    with pytest.raises(AssertionError, match="AMBIGUOUS_FIELD_ALIAS"):
        assert_compatible(odd, odd.replace('"R"', '"R", "doc": "odd"'), "FULL")
