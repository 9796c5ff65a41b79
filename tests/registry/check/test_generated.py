"""Generated schemas, changed as people change them: every finding of the engine has words and places."""

import json

from registry.check.pair import compare_texts
from registry.check.reports import FORMATS
from registry.languages.avro import AVRO
from registry.languages.avro.compatibility import DESCRIPTIONS, compare
from tests.support.avro_generator import AvroGenerator

PAIRS = 1500


def test_every_finding_has_words_and_places_in_both_texts() -> None:
    generator = AvroGenerator(seed=61)
    met: set[str] = set()
    for _ in range(PAIRS):
        schema = generator.schema()
        old, new = (json.dumps(value, indent=1) for value in (schema, generator.changed(schema)))
        try:
            report = compare_texts(("old", old), ("new", new), "FULL")
        except ValueError:
            continue  # one of them is no schema
        if AVRO.parse(old).canonical == AVRO.parse(new).canonical:
            assert report.findings == []
            continue
        before, after = AVRO.parse(old).root, AVRO.parse(new).root
        expected = [finding.kind for finding in (*compare(before, after), *compare(after, before))]
        assert [finding.rule for finding in report.findings] == expected
        for finding in report.findings:
            met.add(finding.rule)
            assert finding.message
            assert finding.fix
            assert finding.was or finding.now
            for place, text in ((finding.place, new), (finding.old_place, old)):
                assert place is not None
                line = text.splitlines()[place.line - 1]
                assert line[place.column - 1 : place.column].strip(), (finding, line)
        if report.findings:
            assert all(make(report) for make in FORMATS.values())
    assert met >= set(DESCRIPTIONS) - {"AMBIGUOUS_FIELD_ALIAS"}
