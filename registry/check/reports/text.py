"""The report for people: each finding with its line of the source, a caret under the place, and the fix."""

import re
from collections.abc import Iterator

from registry.check.checking import Report
from registry.check.findings import Finding, Severity

MAX_LINE = 160
"""Characters of a source line that are shown; around the place, where it is longer."""

_COLOURS = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.NOTE: "36"}
_BOLD, _DIM = "1", "2"
_UNPRINTABLE = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\ud800-\udfff]")


def text(report: Report, *, colour: bool = False) -> str:
    """The findings, and a line that sums up. colour: with the codes that a terminal understands."""
    paint = _Paint(colour=colour)
    blocks = ["\n".join(_block(finding, report, paint)) for finding in report.findings]
    return "\n".join([*blocks, summary(report), ""])


def summary(report: Report) -> str:
    """What was found in how many schemas, in a line."""
    counts = [_counted(report.count(severity), severity.value) for severity in Severity]
    counts = [count for count in counts if not count.startswith("0 ")] or ["nothing found"]
    details = [
        f"{number} {what}"
        for number, what in ((report.unchanged, "unchanged"), (report.new, "new"))
        if number
    ]
    line = f"{', '.join(counts)} in {_counted(report.schemas, 'schema')}"
    if details:
        line += f" ({', '.join(details)})"
    if report.against is not None:
        line += f", compared with {report.against}"
    if report.accepted:
        line += f"; {_counted(len(report.accepted), 'finding')} accepted by the baseline file"
    return line


class _Paint:
    """Puts the codes of colours around text, or nothing."""

    def __init__(self, *, colour: bool) -> None:
        self._colour = colour

    def __call__(self, words: str, code: str) -> str:
        return f"\x1b[{code}m{words}\x1b[0m" if self._colour else words


def _block(finding: Finding, report: Report, paint: _Paint) -> Iterator[str]:
    place = f"{printable(str(finding.place))}: " if finding.place else ""
    severity = paint(finding.severity.value, _COLOURS[finding.severity])
    yield f"{paint(place, _BOLD)}{severity}: {printable(finding.message)} [{finding.rule}]"
    yield from _source(finding, report, paint)
    if finding.subject and finding.level:
        yield f"    subject  {printable(finding.subject)} ({finding.level})"
    if finding.against and finding.level:
        also = f", and {', '.join(finding.also)}" if finding.also else ""
        yield f"    against  {finding.against}{also}" + (
            f": {printable(str(finding.old_place))}" if finding.old_place else ""
        )
    if finding.fix:
        yield f"    fix      {paint(printable(finding.fix), _BOLD)}"


def _source(finding: Finding, report: Report, paint: _Paint) -> Iterator[str]:
    if finding.place is None or not finding.place.line:
        return
    line = report.line(finding.place)
    if line is None:
        return
    at = finding.place.column - 1
    start = max(0, at - MAX_LINE // 2) if len(line) > MAX_LINE else 0
    shown, before = line[start : start + MAX_LINE], line[start:at]
    number = str(finding.place.line)
    yield f" {paint(f'{number} |', _DIM)} {printable(shown)}"
    space = "".join("\t" if character == "\t" else " " for character in before)
    caret = paint("^", _COLOURS[finding.severity])
    yield f" {paint(' ' * len(number) + ' |', _DIM)} {space}{caret}"


def printable(text: str) -> str:
    """`text` without what a terminal or a log would obey: a file's name and its contents are not ours."""
    return _UNPRINTABLE.sub("\ufffd", text)


def _counted(number: int, noun: str) -> str:
    return f"1 {noun}" if number == 1 else f"{number} {noun}s"
