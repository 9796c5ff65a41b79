"""The report as JUnit's XML: a test case for each file with findings, which CI hosts show among the tests.

It is valid by Jenkins's ``junit-10.xsd``, the strictest of the schemas that are in use.
"""

import re
from itertools import groupby
from xml.sax.saxutils import escape, quoteattr

from registry.check.checking import Report
from registry.check.findings import Finding, Severity

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(report: Report) -> str:
    """A suite with a case for each file that has findings, and one for all others together."""
    by_file = groupby(report.findings, lambda finding: finding.place.file if finding.place else "")
    cases = [(file or "project", list(found)) for file, found in by_file]
    bad = sum(any(one.severity is Severity.ERROR for one in found) for _, found in cases)
    cases.append((f"{report.schemas} schemas", []))
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<testsuites name="fivebyte" tests="{len(cases)}" failures="{bad}" errors="0">',
        f'  <testsuite name="fivebyte check" tests="{len(cases)}" failures="{bad}" errors="0" skipped="0">',
    ]
    for name, found in cases:
        lines += _case(name, found)
    return "\n".join([*lines, "  </testsuite>", "</testsuites>", ""])


def _case(name: str, found: list[Finding]) -> list[str]:
    opening = f"    <testcase name={_attribute(name)} classname={_attribute('fivebyte.check')}"
    errors = [finding for finding in found if finding.severity is Severity.ERROR]
    others = [finding for finding in found if finding.severity is not Severity.ERROR]
    if not found:
        return [f"{opening}/>"]
    lines = [f"{opening}>"]
    if errors:  # one failure a case is all that the schema, and most readers, take
        lines.append(
            f"      <failure type={_attribute(errors[0].rule)} message={_attribute(errors[0].message)}>"
            f"{_text(errors)}</failure>"
        )
    if others:
        lines.append(f"      <system-out>{_text(others)}</system-out>")
    return [*lines, "    </testcase>"]


def _text(found: list[Finding]) -> str:
    lines = []
    for finding in found:
        lines.append(f"{finding.place or ''}: {finding.severity}: {finding.message} [{finding.rule}]")
        if finding.fix:
            lines.append(f"  fix: {finding.fix}")
    return escape(_clean("\n".join(lines)))


def _attribute(value: str) -> str:
    return quoteattr(_clean(value))


def _clean(value: str) -> str:
    return _NOT_XML.sub("�", value)
