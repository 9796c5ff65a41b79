"""The report for GitHub Actions: a workflow command for each finding, an annotation of its line.

The job summary is the markdown report.
"""

from registry.check.checking import Report
from registry.check.findings import Finding, Severity
from registry.check.reports.text import summary

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def github(report: Report) -> str:
    """A line for each finding, and one that sums up."""
    return "\n".join([*(_command(one, report) for one in report.findings), summary(report), ""])


def _command(finding: Finding, report: Report) -> str:
    properties = []
    if finding.place is not None:
        properties.append(f"file={_property(report.path(finding.place))}")
        if finding.place.line:
            properties += [f"line={finding.place.line}", f"col={finding.place.column}"]
    properties.append(f"title={_property(finding.rule)}")
    message = finding.message + (f"\nfix: {finding.fix}" if finding.fix else "")
    return f"::{_COMMANDS[finding.severity]} {','.join(properties)}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
