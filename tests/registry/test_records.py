import json
from typing import Any

import pytest

from registry.contract import Metadata, RuleSet
from registry.errors import LogFormatError
from registry.model import CompatibilityLevel, Config, Mode, SchemaContent, SchemaReference
from registry.records import (
    ClearSubjectRecord,
    ConfigRecord,
    ContextRecord,
    DeleteSubjectRecord,
    LogRecord,
    ModeRecord,
    NoopRecord,
    Record,
    SchemaRecord,
    UnknownRecord,
    from_log,
)

_FULL = SchemaContent(
    "AVRO",
    '"é"',
    (SchemaReference("n", "r", 3),),
    Metadata.from_json({"properties": {"k": "v"}}),
    RuleSet.from_json({"domainRules": [{"name": "d"}]}),
)

# Keys are compared as text: compaction in a shared topic works on their bytes.
_AS_TEXT: list[tuple[Record, str, str]] = [
    (
        SchemaRecord("S", 1, 7, SchemaContent("AVRO", '"int"')),
        '{"keytype":"SCHEMA","subject":"S","version":1,"magic":1}',
        '{"subject":"S","version":1,"id":7,"schemaType":"AVRO","schema":"\\"int\\"","deleted":false}',
    ),
    (
        SchemaRecord("S", 2, 8, _FULL, deleted=True),
        '{"keytype":"SCHEMA","subject":"S","version":2,"magic":1}',
        (
            '{"subject":"S","version":2,"id":8,"schemaType":"AVRO",'
            '"references":[{"name":"n","subject":"r","version":3}],"metadata":{"properties":{"k":"v"}},'
            '"ruleSet":{"domainRules":[{"name":"d","kind":"TRANSFORM","mode":"WRITEREAD","disabled":false}]},'
            '"schema":"\\"é\\"","deleted":true}'
        ),
    ),
    (SchemaRecord("S", 1), '{"keytype":"SCHEMA","subject":"S","version":1,"magic":1}', "null"),
    (
        ConfigRecord(None, Config(CompatibilityLevel.FULL)),
        '{"keytype":"CONFIG","subject":null,"magic":0}',
        '{"subject":null,"compatibilityLevel":"FULL"}',
    ),
    (ConfigRecord("S", None), '{"keytype":"CONFIG","subject":"S","magic":0}', "null"),
    (
        ModeRecord("S", Mode.IMPORT),
        '{"keytype":"MODE","subject":"S","magic":0}',
        '{"subject":"S","mode":"IMPORT"}',
    ),
    (ModeRecord(None, None), '{"keytype":"MODE","subject":null,"magic":0}', "null"),
    (
        DeleteSubjectRecord("S", 4),
        '{"keytype":"DELETE_SUBJECT","subject":"S","magic":0}',
        '{"subject":"S","version":4}',
    ),
    (DeleteSubjectRecord("S", None), '{"keytype":"DELETE_SUBJECT","subject":"S","magic":0}', "null"),
    (ClearSubjectRecord("S"), '{"keytype":"CLEAR_SUBJECT","subject":"S","magic":0}', '{"subject":"S"}'),
    (ClearSubjectRecord(None), '{"keytype":"CLEAR_SUBJECT","subject":null,"magic":0}', '{"subject":null}'),
    (ClearSubjectRecord("S", True), '{"keytype":"CLEAR_SUBJECT","subject":"S","magic":0}', "null"),
    (
        ContextRecord(".ctx"),
        '{"keytype":"CONTEXT","tenant":"default","context":".ctx","magic":0}',
        '{"tenant":"default","context":".ctx"}',
    ),
    (
        ContextRecord(".ctx", True),
        '{"keytype":"CONTEXT","tenant":"default","context":".ctx","magic":0}',
        "null",
    ),
    (NoopRecord(), '{"keytype":"NOOP","magic":0}', "null"),
]


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@pytest.mark.parametrize(("record", "key", "value"), _AS_TEXT)
def test_a_record_is_written_as_confluent_writes_it(record: Record, key: str, value: str) -> None:
    assert (_text(record.to_log().key), _text(record.to_log().value)) == (key, value)


@pytest.mark.parametrize(("record", "key", "value"), _AS_TEXT)
def test_a_record_is_read_back(record: Record, key: str, value: str) -> None:
    assert from_log(LogRecord(json.loads(key), json.loads(value))) == record


def test_a_record_of_an_old_log_is_read() -> None:
    key = {"keytype": "SCHEMA", "subject": "S", "version": 1, "magic": 0}
    value = {"subject": "S", "version": 1, "id": 1, "schema": '"int"'}
    assert from_log(LogRecord(key, value)) == SchemaRecord("S", 1, 1, SchemaContent("AVRO", '"int"'))


def test_a_record_with_keys_of_another_registry_is_read() -> None:
    key = {"keytype": "SCHEMA", "subject": "S", "version": 1, "magic": 1, "seq": 5, "node": 1}
    value = {"subject": "S", "version": 1, "id": 1, "schema": '"int"', "deleted": False, "md5": "x"}
    assert isinstance(from_log(LogRecord(key, value)), SchemaRecord)


@pytest.mark.parametrize("key", [{"keytype": "ASSOC", "subject": "S"}, {"keytype": None}, {}])
def test_a_record_of_another_keytype_is_kept_as_it_is(key: dict[str, Any]) -> None:
    record = LogRecord(key, {"what": ["ever"]})
    assert from_log(record) == UnknownRecord(record)
    assert from_log(record).to_log() == record


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ({"keytype": "SCHEMA", "version": 1}, None),
        ({"keytype": "SCHEMA", "subject": "S", "version": "one"}, None),
        ({"keytype": "SCHEMA", "subject": "S", "version": 1}, {"id": 1}),
        ({"keytype": "SCHEMA", "subject": "S", "version": 1}, {"id": "1", "schema": ""}),
        ({"keytype": "SCHEMA", "subject": "S", "version": 1}, {"id": 1, "schema": 5}),
        ({"keytype": "SCHEMA", "subject": "S", "version": 1}, {"id": 1, "schema": "", "references": [{}]}),
        ({"keytype": "SCHEMA", "subject": "S", "version": 1}, {"id": 1, "schema": "", "metadata": []}),
        ({"keytype": "CONFIG", "subject": "S"}, {"compatibilityLevel": "FOOL"}),
        ({"keytype": "MODE", "subject": "S"}, {"mode": "FOOL"}),
        ({"keytype": "DELETE_SUBJECT", "subject": "S"}, {}),
        ({"keytype": "CONTEXT"}, None),
    ],
)
def test_a_damaged_record_is_named(key: dict[str, Any], value: dict[str, Any] | None) -> None:
    with pytest.raises(LogFormatError, match=str(key["keytype"])):
        from_log(LogRecord(key, value))
