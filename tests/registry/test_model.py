import hashlib
import uuid
from dataclasses import replace

import pytest

from registry.contract import Metadata, RuleSet
from registry.errors import InvalidCompatibilityLevelError, InvalidModeError, InvalidSubjectError
from registry.model import (
    CompatibilityLevel,
    Config,
    Mode,
    QualifiedSubject,
    SchemaContent,
    SchemaReference,
    config_changes,
    guid_of,
)


@pytest.mark.parametrize(
    ("text", "context", "name", "spelling"),
    [
        ("orders", ".", "orders", "orders"),
        (":.:orders", ".", "orders", "orders"),
        (":.eu:orders", ".eu", "orders", ":.eu:orders"),
        (":.eu:", ".eu", "", ":.eu:"),
        (":.eu", ".eu", "", ":.eu:"),
        (":.eu:a:b", ".eu", "a:b", ":.eu:a:b"),
        (":orders", ".", ":orders", ":orders"),
        ("a:b", ".", "a:b", "a:b"),
        ("", ".", "", ""),
    ],
)
def test_a_subject_has_one_spelling(text: str, context: str, name: str, spelling: str) -> None:
    subject = QualifiedSubject.parse(text)
    assert (subject.context, subject.name) == (context, name)
    assert str(subject) == spelling
    assert QualifiedSubject.parse(spelling) == subject


def test_a_bare_subject_is_in_the_context_it_is_asked_from() -> None:
    assert str(QualifiedSubject.parse("orders", ".eu")) == ":.eu:orders"
    assert str(QualifiedSubject.parse(":.:orders", ".eu")) == "orders"


@pytest.mark.parametrize("text", ["__GLOBAL", "__EMPTY", "a\nb", "\x00", "a\x7f", ":.__GLOBAL:x", ":.a\tb:x"])
def test_names_that_no_subject_may_have(text: str) -> None:
    with pytest.raises(InvalidSubjectError) as caught:
        QualifiedSubject.parse(text).check()
    assert caught.value.code == 42208
    assert str(caught.value) == f"The specified subject '{text}' is not a valid."


@pytest.mark.parametrize("text", ["a/b%é", " ", "x" * 300, ":.ctx:x", "你好", "__GLOBALS"])
def test_names_that_a_subject_may_have(text: str) -> None:
    QualifiedSubject.parse(text).check()


def test_levels_and_modes_are_read_in_any_letter_case() -> None:
    assert CompatibilityLevel.parse("full_Transitive") is CompatibilityLevel.FULL_TRANSITIVE
    assert Mode.parse("readOnly") is Mode.READONLY
    with pytest.raises(InvalidCompatibilityLevelError):
        CompatibilityLevel.parse("fool")
    with pytest.raises(InvalidModeError):
        Mode.parse("")


def test_the_digest_is_over_the_bytes_that_the_reference_lists() -> None:
    content = SchemaContent(
        "AVRO",
        '"é"',
        (SchemaReference("n", "s", 258), SchemaReference("m", "t", -1)),
        Metadata.from_json(
            {"tags": {"b": ["z", "y"], "a": ["x"]}, "properties": {"k": "v"}, "sensitive": ["k"]}
        ),
        RuleSet.from_json(
            {
                "encodingRules": [{"name": "e", "disabled": True}],
                "migrationRules": [
                    {
                        "name": "m1",
                        "doc": "d",
                        "kind": "TRANSFORM",
                        "mode": "UPGRADE",
                        "type": "CEL",
                        "tags": ["t2", "t1"],
                        "params": {"q": "2", "p": "1"},
                        "expr": "x",
                        "onSuccess": "s",
                        "onFailure": "f",
                        "disabled": False,
                    }
                ],
                "domainRules": [{"name": "d1"}],
                "enableAt": "now",
            }
        ),
    )
    fed = (
        b'"\xc3\xa9"' + b"ns\x00\x00\x01\x02" + b"mt\xff\xff\xff\xff"
        b"\x01" + b"ax" + b"byz" + b"kv" + b"k"
        b"\x01" + b"m1dTRANSFORMUPGRADECELt1t2p1q2xsf" + b"d1TRANSFORMWRITEREAD"
        b"eTRANSFORMWRITEREAD\x01" + b"now"
    )
    assert content.digest() == hashlib.md5(fed).digest()


def test_a_digest_is_of_the_content_that_is_asked_for_it() -> None:
    first = SchemaContent("AVRO", '"int"')
    digest = first.digest()
    second = replace(first, text='"long"')
    assert second.digest() == SchemaContent("AVRO", '"long"').digest() != digest
    assert first.digest() == digest
    assert first == SchemaContent("AVRO", '"int"')  # which has not been asked
    assert "_digest" not in repr(first)


def test_empty_metadata_is_not_the_same_as_none() -> None:
    plain = SchemaContent("AVRO", '"int"')
    assert SchemaContent("AVRO", '"int"', metadata=Metadata.from_json({})).digest() != plain.digest()
    assert SchemaContent("AVRO", '"int"', rule_set=RuleSet.from_json({})).digest() != plain.digest()


def test_a_guid_is_the_digest_as_a_uuid() -> None:
    digest = bytes(range(16))
    assert guid_of(digest) == "00010203-0405-0607-0809-0a0b0c0d0e0f"
    assert uuid.UUID(guid_of(digest)).bytes == digest


def test_a_contract_survives_its_json() -> None:
    metadata = {"tags": {"a": ["x", "y"]}, "properties": {"owner": "me"}, "sensitive": ["owner"]}
    rules = {
        "domainRules": [{"name": "r", "kind": "CONDITION", "mode": "WRITE", "disabled": False}],
        "enableAt": "e",
    }
    assert Metadata.from_json(metadata).to_json() == metadata
    assert RuleSet.from_json(rules).to_json() == rules
    assert RuleSet.from_json({"domainRules": [], "migrationRules": None}).to_json() == {}
    assert RuleSet.from_json({"encodingRules": [{"name": "r"}]}).to_json() == {
        "encodingRules": [{"name": "r", "kind": "TRANSFORM", "mode": "WRITEREAD", "disabled": False}]
    }


def test_a_config_is_completed_field_by_field() -> None:
    inner = Config(alias="a", validate_fields=False)
    outer = Config(CompatibilityLevel.FULL, alias="b", validate_fields=True)
    assert inner.over(outer) == Config(CompatibilityLevel.FULL, alias="a", validate_fields=False)


def test_a_config_change_keeps_what_is_absent_and_clears_what_is_null() -> None:
    changes = config_changes({"compatibilityLevel": "none", "alias": None, "unknown": 1})
    assert changes == {"compatibility_level": CompatibilityLevel.NONE, "alias": None}


def test_a_config_survives_its_json() -> None:
    value = {
        "alias": "a",
        "normalize": True,
        "validateNewSchemas": False,
        "compatibilityLevel": "FULL",
        "compatibilityGroup": "major",
        "defaultMetadata": {"properties": {"k": "v"}},
        "overrideRuleSet": {
            "domainRules": [{"name": "r", "kind": "TRANSFORM", "mode": "WRITEREAD", "disabled": False}]
        },
    }
    assert Config.from_json(value).to_json() == value
