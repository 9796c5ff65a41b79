"""The baseline file: findings that are accepted, each with a reason and perhaps a day on which that ends."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from registry.check.checking import INVALID, Report
from registry.check.errors import ProjectError
from registry.check.findings import Finding, Place, Severity

VERSION = 1
_MEMBERS = {"fingerprint", "rule", "subject", "element", "message", "reason", "expires"}


@dataclass(frozen=True, slots=True)
class Entry:
    """An accepted finding. line: of the entry in the file. expires: the last day on which it holds."""

    fingerprint: str
    rule: str
    subject: str | None
    message: str
    reason: str
    expires: date | None
    line: int
    element: str = ""


def read(file: Path) -> list[Entry]:
    """The entries of a baseline file. Raises ProjectError, with the line."""
    try:
        text = file.read_text("utf-8-sig")
        value = json.loads(text)
    except OSError as fault:
        raise ProjectError(f"{file} cannot be read: {fault.strerror}") from None
    except json.JSONDecodeError as fault:
        raise ProjectError(f"{file}:{fault.lineno}:{fault.colno}: not valid JSON: {fault.msg}") from None
    except UnicodeDecodeError:
        raise ProjectError(f"{file}: not UTF-8 text") from None
    entries = value.get("accepted") if isinstance(value, dict) else None
    if not isinstance(entries, list) or value.get("version") != VERSION:
        raise ProjectError(f'{file}:1: not a baseline file of fivebyte: {{"version": 1, "accepted": [...]}}')
    return [_entry(file, text, item) for item in entries]


def _entry(file: Path, text: str, item: Any) -> Entry:
    fingerprint = item.get("fingerprint") if isinstance(item, dict) else None
    if not isinstance(fingerprint, str) or not fingerprint:
        raise ProjectError(f"{file}: an entry has no fingerprint: {json.dumps(item)[:100]}")
    line = text.count("\n", 0, max(0, text.find(f'"{fingerprint}"'))) + 1
    where = f"{file}:{line}"
    if unknown := sorted(item.keys() - _MEMBERS):
        raise ProjectError(
            f"{where}: {unknown[0]}: an entry has no such member; it has {', '.join(sorted(_MEMBERS))}"
        )
    reason, expires = item.get("reason"), item.get("expires")
    if not isinstance(reason, str) or not reason.strip():
        raise ProjectError(f"{where}: an accepted finding needs a reason")
    try:
        last = None if expires is None else date.fromisoformat(expires)
    except (TypeError, ValueError):
        raise ProjectError(f'{where}: expires = {json.dumps(expires)}: give a day, as "2026-05-31"') from None
    said = {key: str(item.get(key) or "") for key in ("rule", "message", "element")}
    return Entry(
        fingerprint, said["rule"], item.get("subject"), said["message"], reason, last, line, said["element"]
    )


def apply(report: Report, entries: Iterable[Entry], file: str, today: date) -> Report:
    """`report` without the errors that `entries` accept, and with a word on entries that are of no use.

    file: the baseline file, as the report shows it.
    """
    by_print = {entry.fingerprint: entry for entry in entries}
    kept: list[Finding] = []
    accepted: list[Finding] = []
    used: set[str] = set()
    for finding in report.findings:
        entry = by_print.get(finding.fingerprint)
        if entry is None or not _is_acceptable(finding):
            kept.append(finding)
            continue
        used.add(entry.fingerprint)
        if entry.expires is not None and entry.expires < today:
            kept += [finding, _about(entry, file, "BASELINE_EXPIRED", f"expired on {entry.expires}")]
        else:
            accepted.append(finding)
    stale = [entry for print_, entry in by_print.items() if print_ not in used]
    kept += [_about(entry, file, "BASELINE_STALE", "does not occur any more") for entry in stale]
    return replace(report, findings=kept, accepted=accepted)


def acceptable(report: Report) -> int:
    """How many findings `written` puts into the file."""
    return len({one.fingerprint for one in (*report.accepted, *report.findings) if _is_acceptable(one)})


def _is_acceptable(finding: Finding) -> bool:
    """A schema that does not parse is none: that cannot be accepted."""
    return finding.severity is Severity.ERROR and finding.rule not in INVALID


def _about(entry: Entry, file: str, rule: str, what: str) -> Finding:
    name = f"{entry.rule} of {entry.subject or entry.element or 'a file'}"
    return Finding(
        rule,
        f"an accepted finding, {name}, {what}: {entry.message}",
        Severity.WARNING,
        entry.subject,
        Place(file, entry.line, 1),
        element=entry.fingerprint,
    )


def written(report: Report, entries: Iterable[Entry], *, reason: str, expires: date | None) -> str:
    """A baseline file that accepts all errors of `report`; those that were accepted keep their reasons."""
    known = {entry.fingerprint: entry for entry in entries}
    items = {}
    for finding in (*report.accepted, *report.findings):
        if not _is_acceptable(finding):
            continue
        entry = known.get(finding.fingerprint) if finding in report.accepted else None
        last = expires if entry is None else entry.expires
        items[finding.fingerprint] = {
            "rule": finding.rule,
            "subject": finding.subject,
            "element": finding.element,
            "message": finding.message,
            "reason": reason if entry is None else entry.reason,
            **({} if last is None else {"expires": last.isoformat()}),
            "fingerprint": finding.fingerprint,
        }
    return (
        json.dumps({"version": VERSION, "accepted": list(items.values())}, indent=2, ensure_ascii=False)
        + "\n"
    )
