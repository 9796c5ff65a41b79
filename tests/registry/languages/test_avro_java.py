"""Our Avro against Java's: what is refused, the canonical text, and every finding of a comparison."""

import json
from collections import Counter
from collections.abc import Callable
from itertools import pairwise

import pytest

from registry.languages.avro import AVRO, AvroSchema
from registry.languages.avro.canonical import canonical as print_schema
from registry.languages.language import ReferencedSchema, SchemaFault
from tests.support.avro_generator import AvroGenerator
from tests.support.corpus import History, lsst_versions, ztf_versions
from tests.support.java_avro import Answer, ask, compare_request, parse_request

SCHEMAS = 900  # each as it is, changed and broken: three times as many
PAIRS = 2500


def canonical(text: str, references: tuple[str, ...] = (), *, strict: bool = True) -> tuple[str | None, str]:
    """Our canonical text, or None and why it is refused."""
    try:
        return AVRO.parse(text, referenced(references), strict=strict).canonical, ""
    except SchemaFault as fault:
        return None, str(fault)


def referenced(texts: tuple[str, ...]) -> list[ReferencedSchema]:
    return [ReferencedSchema(f"reference {index}", text) for index, text in enumerate(texts)]


def findings(reader: AvroSchema, writer: AvroSchema) -> list[tuple[str, str, str]]:
    return [(found.kind, found.path, found.detail) for found in AVRO.compare(reader, writer)]


def java_findings(answer: Answer) -> list[tuple[str, ...]]:
    """Java's findings, each once: it repeats those of a pair of types for every place it is used at."""
    assert isinstance(answer["findings"], list), answer
    return list(dict.fromkeys(tuple(found) for found in answer["findings"]))


@pytest.mark.parametrize("strict", [True, False])
def test_the_same_schemas_are_refused_and_the_others_have_the_same_canonical_text(strict: bool) -> None:
    generator = AvroGenerator(seed=20)
    texts: list[str] = []
    for _ in range(SCHEMAS):
        schema = generator.schema()
        for variant in (schema, generator.changed(schema), generator.broken(schema)):
            texts.append(json.dumps(variant, ensure_ascii=bool(len(texts) % 2)))
    met: Counter[str] = Counter()
    for text, answer in zip(texts, ask(parse_request(text, strict=strict) for text in texts), strict=True):
        ours, why = canonical(text, strict=strict)
        if not strict and "enum symbol is a string" in why:
            continue  # unvalidated, Java stores null for a symbol that is no string; we refuse it
        assert ours == answer.get("canonical"), (text, why, answer.get("refused"))
        met["refused" if ours is None else "accepted"] += 1
    assert met["refused"] > 300
    assert met["accepted"] > 1500


def test_types_of_references_are_named_or_spelt_out_as_in_java() -> None:
    generator = AvroGenerator(seed=21)
    pairs = [tuple(map(json.dumps, generator.using())) for _ in range(400)]
    answers = ask(parse_request(using, [defining]) for defining, using in pairs)
    for (defining, using), answer in zip(pairs, answers, strict=True):
        assert canonical(using, (defining,))[0] == answer.get("canonical"), (defining, using, answer)
    assert sum("canonical" in answer for answer in answers) > 300


def test_verdict_kinds_paths_and_details_are_the_same() -> None:
    generator = AvroGenerator(seed=22)
    pairs: list[tuple[str, str]] = []
    while len(pairs) < PAIRS:
        schema = generator.schema()
        old, new = json.dumps(schema), json.dumps(generator.changed(schema))
        if canonical(old)[0] and canonical(new)[0]:
            pairs += [(new, old), (old, new)]
    met: Counter[str] = Counter()
    for (reader, writer), answer in zip(
        pairs, ask(compare_request(reader, writer) for reader, writer in pairs), strict=True
    ):
        ours = findings(AVRO.parse(reader), AVRO.parse(writer))
        if "refused" in answer:  # an exception in the middle of the comparison
            assert "matches multiple fields" in str(answer["refused"])
            met["ambiguous"] += 1
            continue
        assert ours == java_findings(answer), (reader, writer)
        met.update(kind for kind, _, _ in ours)
        met["compatible" if not ours else "incompatible"] += 1
    assert met["ambiguous"] < PAIRS / 50
    assert min(met["compatible"], met["incompatible"]) > PAIRS / 4
    for kind in (
        "READER_FIELD_MISSING_DEFAULT_VALUE",
        "TYPE_MISMATCH",
        "NAME_MISMATCH",
        "FIXED_SIZE_MISMATCH",
        "MISSING_ENUM_SYMBOLS",
        "MISSING_UNION_BRANCH",
    ):
        assert met[kind] >= 20, met


@pytest.mark.parametrize("versions", [lsst_versions, ztf_versions])
def test_consecutive_versions_of_real_schemas_compare_the_same_in_both_directions(
    versions: Callable[[], dict[str, History]],
) -> None:
    histories = versions()
    cases = []
    for history in histories.values():
        for old, new in pairwise(history):
            cases += [(new, old), (old, new)]
    requests = [compare_request(spelt_out(*reader), spelt_out(*writer)) for reader, writer in cases]
    breaking = 0
    for ((reader, reader_needs), (writer, writer_needs)), answer in zip(cases, ask(requests), strict=True):
        ours = findings(
            AVRO.parse(reader, referenced(reader_needs), strict=False),
            AVRO.parse(writer, referenced(writer_needs), strict=False),
        )
        assert ours == java_findings(answer)
        breaking += bool(ours)
    assert cases
    assert breaking, "real histories hold breaking changes"


def spelt_out(text: str, needs: tuple[str, ...]) -> str:
    """`text` as one schema, each of its references' types defined where it is first named.

    Java's oracle takes one set of references, and two versions need each its own. The paths stay.
    """
    return print_schema(AVRO.parse(text, referenced(needs), strict=False).root)


# What Java gets wrong, or leaves to its caller, and what we do instead. Each with Java's own answer,
# so that a later version of it that changes is noticed.


def test_a_type_given_as_an_object_is_still_a_name() -> None:
    """Java took {"type": "Name"} for a name up to 1.12.1, and stored schemas hold it; 1.12.2 refuses it."""
    text = (
        '{"type":"record","name":"R","fields":[{"name":"a","type":{"type":"fixed","name":"F","size":1}},'
        '{"name":"b","type":{"type":"F"}}]}'
    )
    (java,) = ask([parse_request(text)])
    assert "MUST be a primitive type" in str(java["refused"])
    ours, _ = canonical(text)
    assert ours is not None
    assert ours.endswith('{"name":"b","type":"F"}]}')


def test_a_comment_may_follow_the_schema() -> None:
    (java,) = ask([parse_request('"int" // a number')])
    assert "dangling content" in str(java["refused"])
    assert canonical('"int" // a number') == ('"int"', "")


def test_a_big_integer_may_stand_in_an_attribute() -> None:
    text = '{"type":"array","items":"int","big":123456789012345678901234567890}'
    (java,) = ask([parse_request(text)])
    assert "Can't set a property to null" in str(java["refused"])
    assert canonical(text) == (text, "")


def test_a_default_of_a_type_that_is_defined_further_on_is_judged_by_that_type() -> None:
    text = (
        '{"type":"record","name":"R","fields":[{"name":"a","type":"E","default":"X"},'
        '{"name":"b","type":{"type":"enum","name":"E","symbols":["X"]}}]}'
    )
    (java,) = ask([parse_request(text)])
    assert "Invalid default" in str(java["refused"])
    ours, _ = canonical(text)
    assert ours is not None
    assert ours.index('"symbols":["X"]') < ours.index('"default":"X"')


def test_a_path_leads_from_the_root_even_where_java_met_the_pair_in_a_union_first() -> None:
    """Java tries the union's branches with a path of its own, and remembers it for the second field."""
    inner = '{"type":"record","name":"I","fields":[{"name":"x","type":"%s"}]}'
    outer = '{"type":"record","name":"R","fields":[{"name":"a","type":["null",%s]},{"name":"b","type":"I"}]}'
    reader, writer = outer % (inner % "int"), outer % (inner % "string")
    (java,) = ask([compare_request(reader, writer)])
    detail = "reader type: INT not compatible with writer type: STRING"
    union = ("MISSING_UNION_BRANCH", "/fields/0/type/1", "reader union lacking writer type: RECORD")
    assert java_findings(java) == [union, ("TYPE_MISMATCH", "/fields/0/type", detail)]
    assert findings(AVRO.parse(reader), AVRO.parse(writer)) == [
        union,
        ("TYPE_MISMATCH", "/fields/1/type/fields/0/type", detail),
    ]


def test_an_enum_symbol_that_is_no_string_is_refused_in_a_stored_schema_too() -> None:
    text = '{"type":"enum","name":"E","symbols":["A",3]}'
    (java,) = ask([parse_request(text, strict=False)])
    assert java["canonical"] == '{"type":"enum","name":"E","symbols":["A",null]}'
    assert canonical(text, strict=False) == (
        None,
        "an enum symbol is a string, not 3 at /symbols/1 (line 1, column 42)",
    )


def test_a_field_that_matches_two_is_a_finding() -> None:
    reader = '{"type":"record","name":"R","fields":[{"name":"a","type":"int","aliases":["b"]}]}'
    writer = '{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"b","type":"int"}]}'
    (java,) = ask([compare_request(reader, writer)])
    assert "matches multiple fields" in str(java["refused"])
    assert findings(AVRO.parse(reader), AVRO.parse(writer)) == [
        ("AMBIGUOUS_FIELD_ALIAS", "/fields/0", "[a, b]")
    ]


def test_doubles_are_printed_as_by_java_19_and_later() -> None:
    """Up to Java 18 ``Double.toString`` gave more digits than needed for some numbers (JDK-4511638)."""
    for written, printed in [
        ("1e23", "1.0E23"),
        ("8.41E21", "8.41E21"),
        ("5e-324", "4.9E-324"),
        ("1e-323", "9.9E-324"),
        ("2e-3", "0.002"),
        ("1e-4", "1.0E-4"),
        ("9999999.5", "9999999.5"),
        ("10000000.5", "1.00000005E7"),
    ]:
        text = '{"type":"record","name":"R","fields":[{"name":"f","type":"double","default":%s}]}'
        assert canonical(text % written)[0] == text % printed
