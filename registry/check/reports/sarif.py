"""The report as SARIF 2.1.0, which code scanning reads."""

import json
from importlib.metadata import version
from typing import Any
from urllib.parse import quote

from registry.check.checking import Report
from registry.check.findings import Finding, Severity
from registry.check.rules import catalogue

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}


def sarif(report: Report) -> str:
    """One run with the findings, and the rules that they name."""
    rules = catalogue()
    used = sorted({finding.rule for finding in report.findings})
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
        "results": [_result(one, used.index(one.rule), report.prefix) for one in report.findings],
    }
    value = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _result(finding: Finding, rule: int, prefix: str) -> dict[str, Any]:
    said = [finding.message, *([f"Fix: {finding.fix}"] if finding.fix else [])]
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": rule,
        "level": _LEVELS[finding.severity],
        "message": {"text": ". ".join(said)},
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
    if finding.place is not None:
        location: dict[str, Any] = {"artifactLocation": {"uri": quote(prefix + finding.place.file)}}
        if finding.place.line:
            location["region"] = {"startLine": finding.place.line, "startColumn": finding.place.column}
        result["locations"] = [{"physicalLocation": location}]
        if finding.element:
            result["locations"][0]["logicalLocations"] = [{"fullyQualifiedName": finding.element}]
    return result
