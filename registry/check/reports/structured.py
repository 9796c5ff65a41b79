"""The report as JSON, for programs: everything that is known of each finding."""

import json
from typing import Any

from registry.check.checking import Report
from registry.check.findings import Finding, Place, Severity

VERSION = 1
"""Of the form of the report. Members may be added to it; one that changes its meaning raises this."""


def structured(report: Report) -> str:
    """The findings and the counts."""
    value = {
        "version": VERSION,
        "against": report.against,
        "compatible": report.exit_code == 0,
        "exit_code": report.exit_code,
        "schemas": report.schemas,
        "unchanged": report.unchanged,
        "new": report.new,
        **{f"{severity.value}s": report.count(severity) for severity in Severity},
        "findings": [finding_json(finding) for finding in report.findings],
        "accepted": [finding_json(finding) for finding in report.accepted],
    }
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def finding_json(finding: Finding) -> dict[str, Any]:
    """A finding; a member that says nothing is null or empty."""
    return {
        "rule": finding.rule,
        "severity": finding.severity,
        "message": finding.message,
        "subject": finding.subject,
        "level": finding.level,
        "place": _place(finding.place),
        "old_place": _place(finding.old_place),
        "against": finding.against,
        "also_against": list(finding.also),
        "breaks": finding.breaks,
        "path": finding.path,
        "element": finding.element,
        "was": finding.was,
        "now": finding.now,
        "fix": finding.fix,
        "registry_message": finding.detail,
        "fingerprint": finding.fingerprint,
    }


def _place(place: Place | None) -> dict[str, Any] | None:
    return None if place is None else {"file": place.file, "line": place.line, "column": place.column}
