"""What normalize=true and format=resolved give. Pinned texts, and what must hold for every schema."""

import json
import random
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.languages.avro import AVRO, AvroSchema
from registry.languages.avro.json_text import MAX_NESTING
from registry.languages.avro.schema import Array, Map, Record, Schema, Union
from registry.languages.language import ReferencedSchema, SchemaFault
from tests.support.avro_generator import AvroGenerator
from tests.support.java_avro import ask, parse_request


def parsed(value: Any, *references: Any) -> AvroSchema:
    texts = [ReferencedSchema(f"reference {at}", json.dumps(text)) for at, text in enumerate(references)]
    return AVRO.parse(json.dumps(value), texts)


def normalized(value: Any, *references: Any) -> str:
    return AVRO.normalize(parsed(value, *references))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"type": "string"}', '"string"'),
        ('{"type":"array","z":1,"items":"int","a":{"y":[{"d":1,"c":2}],"x":null}}',
         '{"type":"array","items":"int","a":{"x":null,"y":[{"c":2,"d":1}]},"z":1}'),
        # By UTF-16 code units, as Java sorts.
        ('{"type":"int","\\uffee":1,"\\ud83d\\ude00":2}', '{"type":"int","\U0001f600":2,"\uffee":1}'),
        ('{"type":"error","name":"R","doc":"","fields":[{"name":"f","type":"int","doc":"","order":"ascending"}]}',
         '{"type":"record","name":"R","fields":[{"name":"f","type":"int","doc":""}]}'),
        ('{"type":"enum","name":"a.E","symbols":["B","A"],"default":"A","aliases":["Z","b.Y","X"]}',
         '{"type":"enum","name":"E","namespace":"a","symbols":["B","A"],"default":"A","aliases":["X","Z","b.Y"]}'),
        ('{"type":"record","name":"R","fields":[{"name":"f","type":"int","p":1,"b":2,"aliases":["y","x"]}]}',
         '{"type":"record","name":"R","fields":[{"name":"f","type":"int","aliases":["x","y"],"b":2,"p":1}]}'),
        ('{"type":"record","name":"R","fields":[{"name":"f","type":"int","order":"IGNORE"}]}',
         '{"type":"record","name":"R","fields":[{"name":"f","type":"int","order":"ignore"}]}'),
    ],
)  # fmt: skip
def test_what_has_no_meaning_is_put_in_order(text: str, expected: str) -> None:
    assert AVRO.normalize(AVRO.parse(text)) == expected


@pytest.mark.parametrize(
    ("type_", "expected"),
    [
        ({"type": "bytes", "scale": 2, "connect.name": "D", "precision": 9, "logicalType": "decimal"},
         '"logicalType":"decimal","precision":9,"scale":2,"connect.name":"D"'),
        ({"type": "bytes", "scale": 0, "connect.name": "D", "precision": 9, "logicalType": "decimal"},
         '"logicalType":"decimal","precision":9,"connect.name":"D","scale":0'),
        ({"type": "long", "connect.name": "T", "logicalType": "timestamp-millis"},
         '"logicalType":"timestamp-millis","connect.name":"T"'),
        # What is no logical type to Java is an attribute like others.
        ({"type": "bytes", "logicalType": "decimal", "b": 1, "precision": 2, "scale": 3},
         '"b":1,"logicalType":"decimal","precision":2,"scale":3'),
        ({"type": "bytes", "logicalType": "decimal", "b": 1, "precision": "9"},
         '"b":1,"logicalType":"decimal","precision":"9"'),
        ({"type": "bytes", "logicalType": "decimal", "b": 1, "precision": True},
         '"b":1,"logicalType":"decimal","precision":true'),
        ({"type": "int", "logicalType": "timestamp-millis", "b": 1},
         '"b":1,"logicalType":"timestamp-millis"'),
        ({"type": "string", "logicalType": "uuid", "avro.java.string": "String"},
         '"avro.java.string":"String","logicalType":"uuid"'),
        ({"type": "fixed", "name": "F", "size": 4, "logicalType": "decimal", "b": 1, "precision": 9},
         '"logicalType":"decimal","precision":9,"b":1'),
        ({"type": "fixed", "name": "F", "size": 4, "logicalType": "decimal", "b": 1, "precision": 10},
         '"b":1,"logicalType":"decimal","precision":10'),
        ({"type": "fixed", "name": "F", "size": 16, "logicalType": "uuid", "b": 1},
         '"logicalType":"uuid","b":1'),
        ({"type": "fixed", "name": "F", "size": 12, "logicalType": "uuid", "b": 1},
         '"b":1,"logicalType":"uuid"'),
    ],
)  # fmt: skip
def test_a_logical_type_stands_before_other_attributes(type_: dict[str, Any], expected: str) -> None:
    text = normalized(type_)
    assert text.endswith(expected + "}"), text


@pytest.mark.parametrize(
    ("type_", "default", "expected"),
    [
        ("double", 1, "1.0"),
        ("double", -0.0, "-0.0"),
        ("float", 0.1, "0.1"),
        ("float", 1.23456789012, "1.2345679"),
        ("float", 16777217, "1.6777216E7"),
        ("float", 1e300, '"Infinity"'),
        ("float", "NaN", '"NaN"'),
        ("double", 2**64, "18446744073709551616"),  # too large for Java, which would drop it
        (["null", "float"], 0.30000001, "0.3"),
        (["int", "float"], 1, "1"),
        (["float", "int"], 1, "1.0"),
        ({"type": "map", "values": "double"}, {"b": 1, "a": 2}, '{"a":2.0,"b":1.0}'),
        ({"type": "array", "items": ["null", "double"]}, [1, None], "[1.0,null]"),
        (["null", "string", {"type": "map", "values": "double"}], {"a": 1}, '{"a":1}'),
        ({"type": "record", "name": "I", "fields": [{"name": "x", "type": "double"}]}, {"x": 1}, '{"x":1.0}'),
        ("bytes", "\u4e16", '"\u4e16"'),  # Java makes it a question mark
    ],
)  # fmt: skip
def test_a_default_is_printed_as_of_its_type(type_: Any, default: Any, expected: str) -> None:
    record = {"type": "record", "name": "R", "fields": [{"name": "f", "type": type_, "default": default}]}
    assert normalized(record).endswith(f'"default":{expected}}}]}}')


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_float_keeps_its_value_in_the_fewest_digits(value: float) -> None:
    field = {"name": "f", "type": "float", "default": value}
    text = normalized({"type": "record", "name": "R", "fields": [field]})
    printed = text.partition('"default":')[2].removesuffix("}]}")
    assert struct.pack("<f", float(printed)) == struct.pack("<f", value)
    digits = printed.lstrip("-").partition("E")[0].replace(".", "").strip("0")
    assert len(digits) <= 9
    if len(digits) > 2:
        shorter = float(f"{value:.{len(digits) - 2}e}")
        assert abs(shorter) > 3.4028235e38 or struct.unpack("<f", struct.pack("<f", shorter))[0] != value


def test_a_type_without_a_namespace_keeps_out_of_the_one_around_it() -> None:
    """Confluent would move F into the namespace a, and then no longer find it by its name."""
    fixed = {"type": "fixed", "name": "F", "namespace": "", "size": 1}
    inner = {"type": "record", "name": "b.I", "fields": [{"name": "f", "type": fixed}]}
    fields = [{"name": "i", "type": inner}, {"name": "f", "type": "F"}]
    text = normalized({"type": "record", "name": "a.R", "fields": fields})
    assert '{"type":"fixed","name":"F","namespace":"","size":1}' in text
    assert AVRO.parse(text).canonical == text


def test_types_of_references_stay_names() -> None:
    reference = {"type": "record", "name": "a.Ref", "fields": [], "z": 1, "b": 2}
    using = {"type": "array", "items": "a.Ref", "z": 1, "b": 2}
    assert normalized(using, reference) == '{"type":"array","items":"a.Ref","b":2,"z":1}'


def generated(seed: int, count: int) -> list[tuple[Any, AvroSchema]]:
    generator = AvroGenerator(seed)
    found: list[tuple[Any, AvroSchema]] = []
    while len(found) < count:
        value = generator.schema()
        try:
            found.append((value, parsed(value)))
        except SchemaFault:
            continue
    return found


def test_normalising_is_idempotent_and_keeps_what_the_schema_means() -> None:
    changed = 0
    for _, schema in generated(seed=30, count=600):
        text = AVRO.normalize(schema)
        again = AVRO.parse(text)
        assert again.canonical == text
        assert AVRO.normalize(again) == text
        # Not always none: a field may match two of its own record, by an alias.
        assert findings(schema, again) == findings(again, schema) == findings(schema, schema)
        assert fields(again.root) == fields(schema.root)
        changed += text != schema.canonical
    assert changed > 100


def findings(reader: AvroSchema, writer: AvroSchema) -> list[tuple[str, str]]:
    return [(found.kind, found.path) for found in AVRO.compare(reader, writer)]


def fields(root: Schema) -> list[tuple[str, str, str, str]]:
    """Every field with its type, order and default; a default as its value, not as its text."""
    found: list[tuple[str, str, str, str]] = []
    waiting, met = [root], set()
    while waiting:
        match waiting.pop():
            case Record() as record if id(record) not in met:
                met.add(id(record))
                for field in record.fields:
                    default = repr(_value(field.default)) if field.has_default else "none"
                    found.append(
                        (f"{record.name.full}.{field.name}", field.schema.type, field.order, default)
                    )
                    waiting.append(field.schema)
            case Array() as array:
                waiting.append(array.items)
            case Map() as map_:
                waiting.append(map_.values)
            case Union() as union:
                waiting.extend(union.branches)
    return found


def _value(default: Any) -> Any:
    match default:
        case list():
            return [_value(item) for item in default]
        case dict():
            return sorted((name, _value(item)) for name, item in default.items())
        case bool() | str() | None:
            return default
    return struct.pack("<f", default)  # all that a float keeps of it


def test_texts_that_differ_in_what_has_no_meaning_give_one() -> None:
    rewriter = _Rewriter(random.Random(31))
    different = 0
    for value, schema in generated(seed=31, count=600):
        other = parsed(rewriter.rewritten(value))
        assert AVRO.normalize(other) == AVRO.normalize(schema), value
        different += other.canonical != schema.canonical
    assert different > 100


class _Rewriter:
    """Writes a schema in another way that means the same."""

    def __init__(self, source: random.Random) -> None:
        self._random = source

    def rewritten(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.rewritten(item) for item in value]
        if not isinstance(value, dict):
            return value
        new = {
            name: self.rewritten(member) if name in {"type", "items", "values", "fields"} else member
            for name, member in value.items()
        }
        if value.get("type") in ("record", "error", "enum", "fixed") and "name" in value:
            self._respell(new)
        elif "name" in value and self._random.random() < 0.5:
            new.setdefault("order", "Ascending")
        members = list(new.items())
        self._random.shuffle(members)
        new = dict(members)
        if "aliases" in new:
            new["aliases"] = self._random.sample(new["aliases"], len(new["aliases"]))
        if "arg.properties" in new:
            new["arg.properties"] = dict(reversed(new["arg.properties"].items()))
        return new

    def _respell(self, named: dict[str, Any]) -> None:
        if "." in named["name"]:
            named["namespace"], _, named["name"] = named["name"].rpartition(".")
        elif named.get("namespace"):
            named["name"] = f"{named.pop('namespace')}.{named['name']}"


def test_java_reads_normalised_texts_and_prints_them_alike() -> None:
    texts = [AVRO.normalize(schema) for _, schema in generated(seed=32, count=500)]
    for text, answer in zip(texts, ask(map(parse_request, texts)), strict=True):
        assert answer.get("canonical") == text, (text, answer)


def test_resolved_is_what_java_prints_without_references() -> None:
    generator = AvroGenerator(seed=33)
    pairs = [generator.using() for _ in range(400)]
    answers = ask(parse_request(json.dumps(using), [json.dumps(defining)]) for defining, using in pairs)
    resolved = 0
    for (defining, using), answer in zip(pairs, answers, strict=True):
        if "resolved" in answer:
            text = AVRO.resolved(parsed(using, defining))
            assert text == answer["resolved"]
            assert AVRO.parse(text).canonical == text
            resolved += 1
    assert resolved > 300


def test_resolved_is_the_canonical_text_of_the_schema_written_out() -> None:
    inner = {"type": "enum", "name": "a.E", "symbols": ["X"]}
    outer = {"type": "record", "name": "a.O", "fields": [{"name": "e", "type": "E"}]}
    using = [{"type": "record", "name": "U", "fields": [{"name": "o", "type": "a.O"}]}, "a.O", "a.E"]
    written = json.loads(json.dumps(using))
    written[0]["fields"][0]["type"] = {**outer, "fields": [{"name": "e", "type": inner}]}
    assert AVRO.resolved(parsed(using, inner, outer)) == parsed(written).canonical


def test_a_type_that_is_used_twice_at_each_step_is_spelt_out_once() -> None:
    """References that would double with each step if every use were spelt out."""
    steps = 60
    references: list[Any] = [{"type": "record", "name": "R0", "fields": []}]
    for step in range(1, steps):
        pair = [{"name": name, "type": f"R{step - 1}"} for name in "ab"]
        references.append({"type": "record", "name": f"R{step}", "fields": pair})
    schema = parsed(["null", f"R{steps - 1}"], *references)
    text = AVRO.resolved(schema)
    assert text.count('"type":"record"') == steps
    assert len(text) < sum(len(json.dumps(reference)) for reference in references)
    assert AVRO.normalize(schema) == schema.canonical == f'["null","R{steps - 1}"]'


def test_resolved_is_refused_where_it_would_nest_too_deep_to_be_read_back() -> None:
    references: list[Any] = [{"type": "record", "name": "R0", "fields": []}]
    for step in range(1, MAX_NESTING):
        field = {"name": "f", "type": f"R{step - 1}"}
        references.append({"type": "record", "name": f"R{step}", "fields": [field]})
    schema = parsed({"type": "array", "items": f"R{MAX_NESTING - 1}"}, *references)
    with pytest.raises(SchemaFault, match="nest more than 256 levels deep when spelt out"):
        AVRO.resolved(schema)
