"""The report as SARIF 2.1.0, which code scanning reads."""

import json
from importlib.metadata import version
from typing import Any
from urllib.parse import quote

from registry.check.checking import Report
from registry.check.findings import Finding, Place, Severity
from registry.check.rules import catalogue

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
MAX_RESULTS = 25_000
"""GitHub refuses a run with more."""
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}


def sarif(report: Report) -> str:
    """One run with the findings, and the rules that they name."""
    rules = catalogue()
    weights = list(Severity)
    heaviest = sorted(report.findings, key=lambda one: weights.index(one.severity))[:MAX_RESULTS]
    shown = report.findings if len(heaviest) == len(report.findings) else heaviest
    used = sorted({finding.rule for finding in shown})
    run = {
        "tool": {
            "driver": {
                "name": "fivebyte",
                "version": version("fivebyte"),
                "rules": [
                    {
                        "id": rule_id,
                        "shortDescription": {"text": rules[rule_id].title},
                        "fullDescription": {"text": rules[rule_id].about},
                        "help": {"text": rules[rule_id].fix},
                        "defaultConfiguration": {"level": _LEVELS[rules[rule_id].severity]},
                    }
                    for rule_id in used
                ],
            }
        },
        "columnKind": "unicodeCodePoints",
        # Code scanning refuses a result without a place.
        "invocations": [
            {
                "executionSuccessful": True,
                "toolExecutionNotifications": [_notification(one) for one in shown if one.place is None],
            }
        ],
        "results": [_result(one, one.place, used.index(one.rule), report) for one in shown if one.place],
    }
    value = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _notification(finding: Finding) -> dict[str, Any]:
    return {
        "level": _LEVELS[finding.severity],
        "message": {"text": _said(finding)},
        "associatedRule": {"id": finding.rule},
    }


def _said(finding: Finding) -> str:
    return ". ".join([finding.message, *([f"Fix: {finding.fix}"] if finding.fix else [])])


def _result(finding: Finding, place: Place, rule: int, report: Report) -> dict[str, Any]:
    location: dict[str, Any] = {"artifactLocation": {"uri": _uri(report.path(place))}}
    if place.line:
        location["region"] = {"startLine": place.line, "startColumn": place.column}
    spot: dict[str, Any] = {"physicalLocation": location}
    if finding.element:
        spot["logicalLocations"] = [{"fullyQualifiedName": finding.element}]
    return {
        "ruleId": finding.rule,
        "ruleIndex": rule,
        "level": _LEVELS[finding.severity],
        "message": {"text": _said(finding)},
        "locations": [spot],
        "partialFingerprints": {"fivebyte/v1": finding.fingerprint},
        "properties": {
            key: value
            for key, value in (
                ("subject", finding.subject),
                ("level", finding.level),
                ("against", finding.against),
                ("oldPlace", str(finding.old_place or "")),
                ("was", finding.was),
                ("now", finding.now),
            )
            if value
        },
    }


def _uri(path: str) -> str:
    """A path as a relative reference. Bytes of a name that are not UTF-8 stay what they are."""
    return quote(path, errors="surrogateescape")
