"""A check: every schema of a project held against its baseline, and everything that is found."""

import posixpath
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace

from registry.check.baselines import Baseline, OldSchema
from registry.check.coverage import uncovered
from registry.check.findings import Breaks, Finding, Place, Severity
from registry.check.sources import InvalidSource, LocatedSchema, SchemaSource, Sources
from registry.check.wording import worded
from registry.compatibility import is_read_by_old, is_transitive, reads_old_data
from registry.languages.avro.compatibility import locate
from registry.languages.language import SchemaFault
from registry.model import CompatibilityLevel

DEFAULT_LEVEL = CompatibilityLevel.BACKWARD

INVALID = frozenset({"SCHEMA_INVALID", "REFERENCE_CYCLE", "REFERENCE_AMBIGUOUS", "SUBJECT_TWICE"})
"""The rules whose findings say that there is no schema to check."""


@dataclass(slots=True)
class Report:
    """What a check found.

    findings: in the order of their places. against: what was compared with; None for a linter.
    schemas: how many were looked at. unchanged: those of them that are as in the baseline; new: not there.
    accepted: findings that the baseline file accepts.
    line: the text of a line of a file, without its end; None where there is none.
    prefix: what a CI host puts before the paths of files.
    """

    findings: list[Finding]
    against: str | None = None
    schemas: int = 0
    unchanged: int = 0
    new: int = 0
    accepted: list[Finding] = field(default_factory=list)
    line: Callable[[Place], str | None] = lambda _: None
    prefix: str = ""

    @property
    def exit_code(self) -> int:
        """0 without an error, 3 if a schema does not parse, else 1."""
        errors = [finding for finding in self.findings if finding.severity is Severity.ERROR]
        if any(finding.rule in INVALID for finding in errors):
            return 3
        return 1 if errors else 0

    def path(self, place: Place) -> str:
        """The file of `place` as a CI host knows it: from the top of the repository."""
        return posixpath.normpath(self.prefix + place.file)

    def count(self, severity: Severity) -> int:
        """How many findings of a severity there are."""
        return sum(finding.severity is severity for finding in self.findings)


def check(
    sources: Sources,
    baseline: Baseline,
    *,
    level: CompatibilityLevel | None = None,
    selected: Callable[[str], bool] = lambda _: True,
) -> Report:
    """Hold the schemas of `sources` against `baseline`.

    level: for all subjects, whatever the project or the registry says.
    selected: whether the file at a path is looked at; the others only serve as references.

    Raises BaselineError.
    """
    report = Report([], baseline.label, line=sources.line)
    found = [
        fault for fault in sources.faults if fault.place is None or selected(_path(sources, fault.place))
    ]
    twice = {fault.place for fault in sources.faults if fault.rule == "SUBJECT_TWICE"}
    for source in sources.schemas:
        if not selected(source.path):
            continue
        report.schemas += 1
        if baseline.is_unchanged(source, sources):
            report.unchanged += 1
        elif not twice or source.place() not in twice:
            found += _check_one(source, sources, baseline, level, report)
    found += _deleted(sources, baseline, selected)
    found += uncovered(sources.tree, sources.project, report.schemas or len(found), selected)
    report.findings = sorted(dict.fromkeys(found), key=_order)
    return report


def _check_one(
    source: SchemaSource,
    sources: Sources,
    baseline: Baseline,
    level: CompatibilityLevel | None,
    report: Report,
) -> list[Finding]:
    try:
        new = sources.parse(source)
    except InvalidSource as fault:
        return [fault.finding]
    chosen = level or source.placement.level or baseline.level(source.subject) or DEFAULT_LEVEL
    if chosen is CompatibilityLevel.NONE:
        return []
    notes: list[Finding] = []
    found: dict[str, Finding] = {}
    compared = 0
    for old in baseline.versions(source):
        if old.schema_type != "AVRO":
            found[""] = _other_language(source, old, chosen)
            break
        try:
            before = old.parse()
        except InvalidSource as fault:
            notes.append(_old_invalid(source, old, fault))
            continue
        compared += 1
        for one in compare(new, before, chosen, old.label):
            known = found.get(one.fingerprint)
            found[one.fingerprint] = one if known is None else replace(known, also=(*known.also, old.label))
        if not is_transitive(chosen):
            break
    if not compared and not found and not notes:
        report.new += 1
        notes.append(_new(source, baseline))
    return [*notes, *found.values()]


def compare(
    new: LocatedSchema, old: LocatedSchema, level: CompatibilityLevel, against: str
) -> Iterator[Finding]:
    """What `level` finds wrong with `new` after `old`. against: what `old` is called.

    A schema breaks nothing where it is the one before, though it may be at odds with itself: no registry
    registers it anew.
    """
    found = list(_compared(new, old, level, against))
    return iter(()) if found and _is_same(new, old) else iter(found)


def _is_same(new: LocatedSchema, old: LocatedSchema) -> bool:
    texts = [[one.spelling.text for one in schema.references] for schema in (new, old)]
    return texts[0] == texts[1] and new.schema.canonical == old.schema.canonical


def _compared(
    new: LocatedSchema, old: LocatedSchema, level: CompatibilityLevel, against: str
) -> Iterator[Finding]:
    try:
        if is_read_by_old(level):
            for located in locate(old.schema.root, new.schema.root):
                yield worded(located, Breaks.OLD_READERS, new, old, against=against, level=level)
        if reads_old_data(level):
            for located in locate(new.schema.root, old.schema.root):
                yield worded(located, Breaks.NEW_READERS, new, old, against=against, level=level)
    except SchemaFault as fault:
        yield Finding("SCHEMA_INVALID", str(fault), subject=new.source.subject, place=new.source.place())


def _new(source: SchemaSource, baseline: Baseline) -> Finding:
    message = f"{source.subject} is new: {baseline.label} does not have it"
    return Finding(
        "SUBJECT_NEW", message, Severity.NOTE, source.subject, source.place(), against=baseline.label
    )


def _other_language(source: SchemaSource, old: OldSchema, level: CompatibilityLevel) -> Finding:
    return Finding(
        "TYPE_OF_SCHEMA_CHANGED",
        f"{source.subject} is {old.schema_type} in {old.label}, and the file is Avro",
        subject=source.subject,
        place=source.place(),
        against=old.label,
        was=old.schema_type,
        now="AVRO",
        level=level,
        detail="Incompatible because of different schema type",
        fix="use another subject for data in another format",
    )


def _old_invalid(source: SchemaSource, old: OldSchema, fault: InvalidSource) -> Finding:
    return Finding(
        "OLD_SCHEMA_INVALID",
        f"{old.label} is left out, since it does not parse: {fault}",
        Severity.WARNING,
        source.subject,
        source.place(),
        fault.finding.place,
        old.label,
    )


def _deleted(sources: Sources, baseline: Baseline, selected: Callable[[str], bool]) -> Iterator[Finding]:
    new_names = {source.name: source for source in sources.schemas}
    new_paths = {source.path: source for source in sources.schemas}
    for old in baseline.deleted(sources):
        severity = old.placement.deleted or "error"
        if severity == "off" or not selected(old.path):
            continue
        message = f"{old.subject} is gone: {old.shown} has no file of that subject any more"
        fix = 'bring the file back, or set deleted = "note" for it in the project file'
        namesake = new_names.get(old.name)
        if namesake is not None:
            message += f"; {old.name} is in {namesake.shown} now, under the subject {namesake.subject}"
            fix = f"keep the subject {old.subject} for {namesake.shown}: say so in the project file"
        elif old.path in new_paths:
            there = new_paths[old.path]
            message += f"; it has {there.name} now, under the subject {there.subject}"
            fix = f"keep the name {old.name}; or the subject {old.subject}: say so in the project file"
        yield Finding(
            "SCHEMA_DELETED",
            message,
            Severity(severity),
            old.subject,
            Place(old.path),
            old.place(),
            baseline.label,
            was=old.path,
            fix=fix,
        )


def _path(sources: Sources, place: Place) -> str:
    return place.file.removeprefix(sources.tree.name)


def _order(finding: Finding) -> tuple[str, int, int, str, str]:
    place = finding.place or Place("")
    return place.file, place.line, place.column, finding.rule, finding.subject or ""


def selection(paths: Sequence[str]) -> Callable[[str], bool]:
    """Whether a path is one of `paths` or beneath one; every path is, where there are none."""
    chosen: Collection[str] = {path.rstrip("/") for path in paths}
    if not chosen or "." in chosen:
        return lambda _: True
    return lambda path: path in chosen or any(path.startswith(f"{folder}/") for folder in chosen)
