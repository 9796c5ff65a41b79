"""The report for GitLab's code quality widget: a list of issues, each with a fingerprint of its own."""

import hashlib
import json

from registry.check.checking import Report
from registry.check.findings import Place, Severity

_SEVERITIES = {Severity.ERROR: "critical", Severity.WARNING: "minor", Severity.NOTE: "info"}


def gitlab(report: Report) -> str:
    """The findings, as GitLab's artifact ``codequality`` has them."""
    issues = []
    met: dict[str, int] = {}
    for finding in report.findings:
        file = report.path(finding.place or Place("."))
        number = met[finding.fingerprint] = met.get(finding.fingerprint, -1) + 1
        known_by = f"{finding.fingerprint} {file} {number}".encode("utf-8", "surrogateescape")
        own = hashlib.sha256(known_by).hexdigest()[:32]
        issues.append(
            {
                "description": finding.message + (f" (fix: {finding.fix})" if finding.fix else ""),
                "check_name": finding.rule,
                "fingerprint": own,
                "severity": _SEVERITIES[finding.severity],
                "location": {
                    "path": file,
                    "lines": {"begin": max(1, finding.place.line if finding.place else 1)},
                },
            }
        )
    return json.dumps(issues, indent=2, ensure_ascii=False) + "\n"
