"""Reports of what is odd: names that are markup, files without lines, findings without places."""

import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from importlib import import_module

import pytest

from registry.check.checking import Report
from registry.check.findings import Finding, Place, Severity
from registry.check.reports import FORMATS
from registry.check.reports.text import text
from tests.support.report_schemas import check_junit, check_sarif

ODD = 'a,b:c%\n"<&>`|*\x01\x1b\x9b é'


@pytest.fixture
def report() -> Report:
    findings = [
        Finding(
            "TYPE_MISMATCH", ODD, subject=ODD, place=Place(ODD, 3, 7), fix=ODD, element=ODD, level="FULL"
        ),
        Finding("SCHEMA_INVALID", "no place"),
        Finding("SUBJECT_NEW", "only a file", Severity.NOTE, place=Place("a b.avsc")),
        Finding("BASELINE_STALE", "warned", Severity.WARNING, place=Place("b.json", 1, 1)),
    ]
    return Report(findings, "x", schemas=4)


def test_every_form_takes_them(report: Report) -> None:
    for make in FORMATS.values():
        assert make(report)
    check_junit(FORMATS["junit"](report))
    failure = next(ET.fromstring(FORMATS["junit"](report)).iter("failure"))
    assert '"<&>`|*' in str(failure.text)
    check_sarif(FORMATS["sarif"](report))
    command = FORMATS["github"](report).splitlines()[0]
    assert command.startswith('::error file=a%2Cb%3Ac%25%0A"<&>`|*')
    assert len(json.loads(FORMATS["gitlab"](report))) == 4
    (told,) = json.loads(FORMATS["sarif"](report))["runs"][0]["invocations"][0]["toolExecutionNotifications"]
    assert told["message"]["text"] == "no place"  # code scanning refuses a result without one
    assert not {"\x01", "\x1b", "\x9b"} & set(text(report))
    assert "\n" not in FORMATS["markdown"](report).splitlines()[6]


def test_a_name_that_is_not_utf_8() -> None:
    odd = b"lat\xe9in.avsc".decode("utf-8", "surrogateescape")
    report = Report([Finding("SCHEMA_INVALID", "m", place=Place(odd, 1, 1))])
    for make in FORMATS.values():
        assert make(report).encode("utf-8", "replace")
    assert '"uri": "lat%E9in.avsc"' in FORMATS["sarif"](report)
    assert text(report).startswith("lat\ufffdin.avsc:1:1: error")


def test_code_scanning_gets_no_more_than_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    sarif = import_module("registry.check.reports.sarif")
    assert sarif.MAX_RESULTS == 25_000
    monkeypatch.setattr(sarif, "MAX_RESULTS", 9)
    many = [Finding("SUBJECT_NEW", "n", Severity.NOTE, place=Place("a", n, 1)) for n in range(9)]
    report = Report([*many, Finding("TYPE_MISMATCH", "t", place=Place("b", 1, 1))])
    results = json.loads(FORMATS["sarif"](report))["runs"][0]["results"]
    assert len(results) == 9
    assert results[0]["ruleId"] == "TYPE_MISMATCH"


def test_projects_of_one_repository_have_comments_of_their_own() -> None:
    one, other = (Report([], "main", schemas=1, prefix=prefix) for prefix in ("", "services/a/"))
    assert FORMATS["markdown"](one).startswith("<!-- fivebyte check -->\n")
    assert FORMATS["markdown"](other).startswith("<!-- fivebyte check services/a/ -->\n")


def test_a_report_of_nothing() -> None:
    empty = Report([], "main", schemas=0)
    assert "No schema was looked at" in FORMATS["markdown"](empty)
    check_junit(FORMATS["junit"](empty))
    check_sarif(FORMATS["sarif"](empty))
    assert FORMATS["text"](empty) == "nothing found in 0 schemas, compared with main\n"
    assert FORMATS["gitlab"](empty) == "[]\n"
    assert "✅ Schemas are compatible" in FORMATS["markdown"](Report([], "main", schemas=1))


def test_the_caret_stands_under_the_place(report: Report) -> None:
    report.line = lambda place: '\t\t{"name": "x"}' if place.line == 3 else "x" * 500
    lines = text(report).splitlines()
    at = next(index for index, line in enumerate(lines) if line.endswith('{"name": "x"}'))
    assert lines[at] == ' 3 | \t\t{"name": "x"}'
    assert lines[at + 1] == "   | \t\t    ^"
    assert "\x1b[31merror\x1b[0m" in text(report, colour=True)
    assert max(map(len, lines)) < 200


def test_a_comment_stays_within_what_a_host_takes() -> None:
    many = [
        Finding("TYPE_MISMATCH", "m" * 200, subject=f"s{n}", place=Place("a.avsc", n, 1)) for n in range(2000)
    ]
    text = FORMATS["markdown"](Report(many))
    assert len(text) < 65_536
    assert "findings more: see the job's log" in text
    together = FORMATS["markdown"](Report([replace(one, subject="s") for one in many]))
    assert 50_000 < len(together) < 65_536  # as many as there is room for, of one subject too
    shown = together.count("* `a.avsc")
    assert f"… and {len(many) - shown} findings more" in together
