"""The report as Markdown, for a comment on a pull request and for a job summary."""

import re
from collections.abc import Iterator
from itertools import groupby

from registry.check.checking import Report
from registry.check.findings import Finding, Severity
from registry.check.reports.text import summary

MARKER = "<!-- fivebyte check -->"
"""The first line: who comments finds the earlier comment by it. A project in a folder has one of its own."""

MAX_CHARACTERS = 60_000
"""A comment on GitHub may have 65,536."""

LINT_MARKER = "<!-- fivebyte lint -->"
"""The same of a linter's report."""

_OF_A_CHECK = {
    0: "✅ Schemas are compatible",
    1: "❌ Schemas are incompatible",
    3: "❌ A schema does not parse",
}
_OF_A_LINTER = {**_OF_A_CHECK, 0: "✅ Nothing found in the schemas", 1: "❌ Findings in the schemas"}

_SIGNS = {Severity.ERROR: "❌", Severity.WARNING: "⚠️", Severity.NOTE: "ℹ️"}  # noqa: RUF001
_SPECIAL = re.compile(r"([\\`*_\[\]<>|#~])")


def markdown(report: Report) -> str:
    """The findings by subject, errors first."""
    verdicts = _OF_A_LINTER if report.against is None else _OF_A_CHECK
    verdict = verdicts[report.exit_code]
    if not report.schemas and not report.exit_code:
        verdict = "⚠️ No schema was looked at"
    marker = LINT_MARKER if report.against is None else MARKER
    if report.prefix:
        marker = marker.replace(" -->", f" {report.prefix} -->")
    head = f"{marker}\n### {verdict}\n\n{_escaped(summary(report))}\n"
    weights = list(Severity)
    found = sorted(report.findings, key=lambda one: (weights.index(one.severity), one.subject or ""))
    parts, size, left = [head], len(head), len(found)
    for (severity, subject), group in groupby(found, lambda one: (one.severity, one.subject)):
        together = list(group)
        above = _heading(severity, subject, together)
        for finding in together:
            part = above + "".join(f"{line}\n" for line in _item(finding))
            if size + len(part) > MAX_CHARACTERS:
                more = "1 finding" if left == 1 else f"{left} findings"
                return "".join([*parts, f"\n… and {more} more: see the job's log.\n"])
            parts.append(part)
            size, left, above = size + len(part), left - 1, ""
    return "".join(parts)


def _heading(severity: Severity, subject: str | None, found: list[Finding]) -> str:
    level = next((f" ({one.level})" for one in found if one.level), "")
    return f"\n**{_SIGNS[severity]} {_code(subject) if subject else 'Files'}**{level}\n\n"


def _item(finding: Finding) -> Iterator[str]:
    place = f"{_code(str(finding.place))}: " if finding.place else ""
    yield f"* {place}{_escaped(finding.message)} ({_code(finding.rule)})"
    if finding.old_place and finding.against:
        yield f"  <br>against {_escaped(finding.against)}: {_code(str(finding.old_place))}"
    if finding.fix:
        yield f"  <br>**fix**: {_escaped(finding.fix)}"


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text.replace("\n", " "))


def _code(text: str) -> str:
    text = text.replace("\n", " ")
    fence = "``" if "`" in text else "`"
    return f"{fence}{text}{fence}"
