"""Linting and formatting the files of a project."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from registry.check.checking import selection
from registry.check.errors import ProjectError
from registry.check.findings import Finding, Place
from registry.check.formatting import formatted
from registry.check.globs import glob
from registry.check.lint.catalogue import rule_ids
from registry.check.lint.linter import lint
from registry.check.project import Project
from registry.check.sources import InvalidSource, Sources, decode
from registry.check.trees import FolderTree
from registry.languages.language import SchemaFault

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(slots=True)
class Outcome:
    """What was found in a project's files.

    files: how many were looked at. changed: those that were written, or, if only asked, would be.
    findings: of the linter's rules. invalid: files that are no schema at all.
    """

    files: int = 0
    changed: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    invalid: list[Finding] = field(default_factory=list)


def chosen(tree: FolderTree, project: Project, paths: Sequence[str] = ()) -> list[str]:
    """The schemas of the tree; with `paths`, files and folders of it, those and what is in them."""
    is_selected = selection(paths)
    return [
        path
        for path in tree.paths()
        if is_selected(path) and (path in paths or project.placement(path) is not None)
    ]


def rules_for(project: Project, path: str, rule_set: str | None = None) -> frozenset[str]:
    """The ids of the rules for a file, by ``[lint]`` of the project and of the folders around the file.

    rule_set: in place of the project's.
    """
    set_, enable, disable = rule_set, set[str](), set[str]()
    for folder, lint_ in project.lint_of(path):
        set_ = rule_set or lint_.rules or set_
        enable = enable.difference(lint_.disable).union(lint_.enable)
        disable = disable.difference(lint_.enable).union(lint_.disable)
        for pattern, ids in lint_.ignore.items():
            if glob(pattern).match(path[len(folder) :]) is not None:
                disable |= set(ids)
    return rule_ids(set_, enable, disable)


def lint_files(
    tree: FolderTree,
    project: Project,
    paths: Sequence[str],
    *,
    rule_set: str | None = None,
    fix: bool = False,
) -> Outcome:
    """Lint the files at `paths` of the tree; `fix` writes what is safe to put right.

    Raises ProjectError for what the project says wrongly, and where a file cannot be written.
    """
    outcome = Outcome()
    for path in paths:
        rules = rules_for(project, path, rule_set)
        text = _text(tree, path, outcome)
        if text is None:
            continue
        try:
            linted = lint(path, text, rules, fix=fix)
        except SchemaFault as fault:
            outcome.invalid.append(_invalid(path, fault))
            continue
        outcome.findings += linted.findings
        _write(tree, path, text, linted.text, outcome)
    return outcome


def format_files(tree: FolderTree, paths: Sequence[str], *, write: bool = True) -> Outcome:
    """Print the files at `paths` of the tree in one form (`registry.check.formatting`). IDL is left alone.

    write: False only says which would change. Raises ProjectError where a file cannot be written.
    """
    outcome = Outcome()
    for path in paths:
        if path.endswith(".avdl"):
            continue
        text = _text(tree, path, outcome)
        if text is None:
            continue
        try:
            _write(tree, path, text, formatted(text), outcome, write=write)
        except SchemaFault as fault:
            outcome.invalid.append(_invalid(path, fault))
    return outcome


def _text(tree: FolderTree, path: str, outcome: Outcome) -> str | None:
    outcome.files += 1
    try:
        return decode(tree.read(path))
    except OSError as fault:
        message = f"the file cannot be read: {fault.strerror or fault}"
        outcome.invalid.append(Finding("SCHEMA_INVALID", message, place=Place(path)))
    except SchemaFault as fault:
        outcome.invalid.append(_invalid(path, fault))
    return None


def _invalid(path: str, fault: SchemaFault) -> Finding:
    place = Place(path, fault.line, fault.column)
    return Finding("SCHEMA_INVALID", fault.message, place=place, path=fault.path)


def _write(
    tree: FolderTree, path: str, before: str, after: str, outcome: Outcome, *, write: bool = True
) -> None:
    if after == before:
        return
    outcome.changed.append(path)
    if not write:
        return
    mark = _BYTE_ORDER_MARK if tree.read(path).startswith(_BYTE_ORDER_MARK) else b""
    try:
        (tree.root / path).write_bytes(mark + after.encode())
    except OSError as fault:
        raise ProjectError(f"{path} cannot be written: {fault.strerror or fault}") from None


def invalid(sources: Sources, paths: Sequence[str]) -> list[Finding]:
    """What keeps the files at `paths` from being schemas: as JSON, as Avro, or between files."""
    found = [fault for fault in sources.faults if fault.place is None or fault.place.file in paths]
    for source in sources.schemas:
        if source.path in paths:
            try:
                sources.parse(source)
            except InvalidSource as fault:
                found.append(fault.finding)
    return list(dict.fromkeys(found))
