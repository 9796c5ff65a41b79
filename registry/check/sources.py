"""The schemas of a tree of files, with the place of everything in them, and what they refer to in each other.

Files are JSON (``.avsc``, ``.json``) or Avro IDL (``.avdl``). A type that a file
names and does not define is looked up by its full name in all the others, in
any order; nobody lists references. Most files are only skimmed, for the names that
they define and use: a schema is parsed when it is asked for.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

from registry.check.errors import SourceError
from registry.check.findings import Finding, Place, Severity
from registry.check.idl import IDL_SUFFIX, idl_schemas
from registry.check.project import Placement, Project
from registry.check.trees import Tree
from registry.languages.avro import AvroSchema, json_text
from registry.languages.avro.parser import parse_located
from registry.languages.avro.schema import PRIMITIVES, Schema
from registry.languages.language import ReferencedSchema, SchemaFault

_NAMED = ("record", "error", "enum", "fixed")  # no set: what stands for a type may be any JSON


Skimmed = dict[str, "list[Spelling] | SchemaFault"]
"""What was read of files, by the hash of their contents: it is shared between trees."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """A schema as a file spells it.

    text: its JSON. locate: line and column in the file of what a JSON pointer's tokens lead to in that JSON.
    name: the full name of its type, or of the unnamed type.
    defines: the full names of the types that are defined in it. uses: for each name that is not, the full
        names that it may mean, the likeliest first.
    """

    text: str
    locate: Callable[[Sequence[str]], tuple[int, int]]
    name: str
    defines: frozenset[str]
    uses: frozenset[tuple[str, ...]]


@dataclass(eq=False)
class SchemaSource:
    """One schema of a file, and its subject.

    path: the file's, from the root. shown: the same as a report shows it.
    """

    path: str
    shown: str
    digest: str
    spelling: Spelling
    placement: Placement
    subject: str

    @property
    def name(self) -> str:
        """The full name of its type."""
        return self.spelling.name

    def place(self, tokens: Sequence[str] = ()) -> Place:
        """Where in the file the element stands that a JSON pointer's tokens lead to."""
        return Place(self.shown, *self.spelling.locate(tokens))


@dataclass(frozen=True, eq=False)
class LocatedSchema:
    """A parsed schema whose every part has a place.

    references: the sources that it needs, directly or not, each after those that it needs itself.
    """

    source: SchemaSource
    schema: AvroSchema
    references: tuple[SchemaSource, ...]
    _paths: Mapping[int, tuple[int, str]]

    def place(self, owner: Schema | None, steps: str = "") -> Place:
        """Where a part of `owner`, a node of the type graph, stands (``/fields/2/type``).

        None is the whole schema. For a type of a reference it is in that one's file.
        """
        index, path = (len(self.references), "") if owner is None else self._paths[id(owner)]
        source = self.source if index == len(self.references) else self.references[index]
        return source.place(json_text.tokens(path + steps))


@dataclass(eq=False)
class Sources:
    """The schemas of a tree, by a project's globs.

    faults: of the files that are no schema at all, and what is wrong between files.
    """

    tree: Tree
    project: Project
    extra: frozenset[str] = frozenset()
    schemas: list[SchemaSource] = field(default_factory=list)
    faults: list[Finding] = field(default_factory=list)
    strict: bool = True
    _skimmed: Skimmed = field(default_factory=dict)
    _parsed: dict[int, LocatedSchema] = field(default_factory=dict)

    @classmethod
    def read(
        cls,
        tree: Tree,
        project: Project,
        *,
        extra: Iterable[str] = (),
        skimmed: Skimmed | None = None,
        strict: bool = True,
    ) -> "Sources":
        """Skim all the files that `project` says are schemas, and the files `extra` of the tree.

        skimmed: what is known of files of other trees; it is added to.
        strict: check names and defaults as well, as for schemas that are new.
        """
        known = {} if skimmed is None else skimmed
        sources = cls(tree, project, frozenset(extra), strict=strict, _skimmed=known)
        for path in tree.paths():
            placement = project.given(path) if path in sources.extra else project.placement(path)
            if placement is not None:
                sources._add(path, placement)
        sources._check_subjects()
        sources._tell_unread()
        return sources

    @cached_property
    def by_subject(self) -> dict[str, SchemaSource]:
        """The schemas by their subjects; of two with one subject, the first."""
        found: dict[str, SchemaSource] = {}
        for source in self.schemas:
            found.setdefault(source.subject, source)
        return found

    @cached_property
    def _definitions(self) -> dict[str, list[SchemaSource]]:
        """Who defines a full name; those whose own name it is come first."""
        found: dict[str, list[SchemaSource]] = {}
        for source in self.schemas:
            for name in source.spelling.defines:
                users = found.setdefault(name, [])
                users.insert(0, source) if source.name == name else users.append(source)
        return found

    def line(self, place: Place) -> str | None:
        """The text of the line at `place`, without its end; None where the tree has none."""
        path = place.file.removeprefix(self.tree.name)
        try:
            text = self.tree.read(path).decode("utf-8-sig", "replace")
        except OSError:
            return None
        lines = text.split("\n")
        return lines[place.line - 1].rstrip("\r") if 0 < place.line <= len(lines) else None

    def references(self, source: SchemaSource) -> list[SchemaSource]:
        """The sources that `source` names types of itself, in the order of their names.

        Raises SchemaFault where a name may mean several types.
        """
        found = {}
        for meanings in sorted(source.spelling.uses):
            for name in meanings:
                definers = [one for one in self._definitions.get(name, ()) if one is not source]
                if definers:
                    self._check_one(name, definers)
                    found[id(definers[0])] = definers[0]
                    break
        return list(found.values())

    def needed(self, source: SchemaSource) -> list[SchemaSource]:
        """All that `source` needs, directly or not, each after what it needs itself.

        Raises SchemaFault where they need each other in a circle, or a name may mean several types.
        """
        order: dict[int, SchemaSource] = {}
        under_way: list[SchemaSource] = []
        stack: list[tuple[SchemaSource, bool]] = [(source, False)]
        while stack:
            one, is_done = stack.pop()
            if is_done:
                under_way.pop()
                order[id(one)] = one
            elif id(one) not in order:
                if one in under_way:
                    circle = [*under_way[under_way.index(one) :], one]
                    way = " -> ".join(f"{member.name} ({member.shown})" for member in circle)
                    raise BetweenFiles("REFERENCE_CYCLE", f"schemas need each other in a circle: {way}")
                under_way.append(one)
                stack.append((one, True))
                stack.extend((inner, False) for inner in reversed(self.references(one)))
        del order[id(source)]
        return list(order.values())

    def parse(self, source: SchemaSource) -> LocatedSchema:
        """The schema of `source`, with its references. Raises InvalidSource."""
        parsed = self._parsed.get(id(source))
        if parsed is None:
            parsed = self._parsed[id(source)] = self._parse(source)
        return parsed

    def _parse(self, source: SchemaSource) -> LocatedSchema:
        try:
            needed = self.needed(source)
        except BetweenFiles as fault:
            finding = Finding(fault.rule, str(fault), subject=source.subject, place=source.place())
            raise InvalidSource(finding) from None
        for reference in needed:
            self.parse(reference)  # a fault of its own is told where it stands
        texts = [ReferencedSchema(one.name, one.spelling.text) for one in needed]
        try:
            root, referenced, paths = parse_located(source.spelling.text, texts, strict=self.strict)
        except SchemaFault as fault:
            raise InvalidSource(_invalid(source.shown, fault, source)) from None
        return LocatedSchema(
            source, AvroSchema(root.type_name, root, tuple(referenced)), tuple(needed), paths
        )

    def _add(self, path: str, placement: Placement) -> None:
        shown = self.tree.name + path
        try:
            digest = self.tree.digest(path)
            key = f"{digest} {placement.is_per_type} {path.endswith(IDL_SUFFIX)}"
            spellings = self._skimmed.get(key)
            if spellings is None:
                spellings = self._skimmed[key] = self._skim(path, placement)
        except OSError as fault:
            message = f"the file cannot be read: {fault.strerror or fault}"
            self.faults.append(Finding("SCHEMA_INVALID", message, place=Place(shown)))
            return
        if isinstance(spellings, SchemaFault):
            self.faults.append(_invalid(shown, spellings))
            return
        for spelling in spellings:
            subject = placement.subject(spelling.name)
            placed = self.project.for_subject(placement, path, subject)
            self.schemas.append(SchemaSource(path, shown, digest, spelling, placed, subject))

    def _skim(self, path: str, placement: Placement) -> "list[Spelling] | SchemaFault":
        try:
            text = decode(self.tree.read(path))
            if path.endswith(IDL_SUFFIX):
                return [_spelling(one.text, one.value, locate) for one, locate in idl_schemas(text)]
            return skim(text, per_type=placement.is_per_type)
        except SchemaFault as fault:
            return fault

    def _check_subjects(self) -> None:
        for source in self.schemas:
            first = self.by_subject[source.subject]
            if first is not source and source.subject:  # what has no name is no schema: its own fault is told
                self.faults.append(
                    Finding(
                        "SUBJECT_TWICE",
                        f"the subject {source.subject} is that of {first.shown} already",
                        subject=source.subject,
                        place=source.place(),
                        old_place=first.place(),
                        fix="remove one, leave it out with exclude in the project file, or give each a "
                        "subject of its own there, by its path or name",
                    )
                )

    def _tell_unread(self) -> None:
        for folder, why in self.tree.unread.items():
            if not self.project.is_excluded(folder):
                self.faults.append(
                    Finding(
                        "FOLDER_UNREADABLE",
                        f"the folder {folder} cannot be read, nor any schema in it: {why}",
                        Severity.WARNING,
                        place=Place(self.tree.name + folder),
                        fix="let it be read, or name it under exclude in the project file",
                    )
                )

    def _check_one(self, name: str, definers: list[SchemaSource]) -> None:
        texts = {definer.spelling.text for definer in definers}
        if len(texts) == 1:
            return
        meant = {_definition(definer.spelling.text, name) for definer in definers}
        if len(meant) > 1:
            files = ", ".join(sorted({definer.shown for definer in definers}))
            raise BetweenFiles(
                "REFERENCE_AMBIGUOUS",
                f'the type "{name}" is defined in several files, differently: {files}',
            )


def parse_stored(
    spelling: Spelling, references: Sequence[ReferencedSchema], shown: str, subject: str
) -> LocatedSchema:
    """A schema that a registry keeps, with its references. Raises InvalidSource."""
    placement = Placement(subject, {})
    source = SchemaSource("", shown, "", spelling, placement, subject)
    needed = tuple(
        SchemaSource("", shown, "", replace(spelling, text=one.text, name=one.name), placement, subject)
        for one in references
    )
    try:
        root, referenced, paths = parse_located(spelling.text, references, strict=False)
    except SchemaFault as fault:
        raise InvalidSource(_invalid(shown, fault, source)) from None
    return LocatedSchema(source, AvroSchema(root.type_name, root, tuple(referenced)), needed, paths)


class BetweenFiles(SchemaFault):
    """What is wrong between files. rule: the id of the rule that says it."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule


class InvalidSource(SourceError):
    """A schema of a file does not parse. finding: what is wrong with it, and where."""

    def __init__(self, finding: Finding) -> None:
        self.finding = finding
        super().__init__(f"{finding.place}: {finding.message}")


def decode(content: bytes) -> str:
    """The text of a file, without a byte-order mark. Raises SchemaFault where it is not UTF-8."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        before = content[: fault.start]
        line, column = before.count(b"\n") + 1, fault.start - before.rfind(b"\n")
        raise SchemaFault("not UTF-8 text: save the file as UTF-8", line=line, column=column) from None


def skim(text: str, *, per_type: bool = False) -> list[Spelling]:
    """The schema in JSON `text`, with the names it defines and uses.

    per_type: a list of named types is a schema for each, not a union.

    Raises SchemaFault where it is not JSON.
    """
    value = json_text.read(text)
    if not (per_type and isinstance(value, list) and value and all(_is_named(item) for item in value)):
        return [_spelling(text, value, lambda tokens: json_text.locate(text, tokens))]
    return [
        _spelling(json.dumps(item), item, partial(_locate_element, text, str(index)))
        for index, item in enumerate(value)
    ]


def _locate_element(text: str, index: str, tokens: Sequence[str]) -> tuple[int, int]:
    return json_text.locate(text, [index, *tokens])


def _is_named(value: object) -> bool:
    return isinstance(value, dict) and value.get("type") in _NAMED and isinstance(value.get("name"), str)


def _spelling(text: str, value: object, locate: Callable[[Sequence[str]], tuple[int, int]]) -> Spelling:
    defines: set[str] = set()
    named: set[tuple[str, ...]] = set()
    root = _walk(value, "", defines, named)
    uses = frozenset(meanings for meanings in named if not defines.intersection(meanings))
    return Spelling(text, locate, root, frozenset(defines), uses)


def _walk(value: Any, namespace: str, defines: set[str], named: set[tuple[str, ...]]) -> str:
    """Gather the names in a schema, and return its own. What is odd is left for the parser to find."""
    if isinstance(value, str):
        if value not in PRIMITIVES:
            full = f"{namespace}.{value}" if namespace and "." not in value else value
            named.add((full, value) if full != value else (full,))
            return full
        return value
    if isinstance(value, list):
        for branch in value:
            _walk(branch, namespace, defines, named)
        return "union"
    if not isinstance(value, dict):
        return ""
    type_ = value.get("type")
    if type_ == "array" or type_ == "map":
        _walk(value.get("items" if type_ == "array" else "values"), namespace, defines, named)
        return str(type_)
    if type_ in _NAMED and isinstance(value.get("name"), str):
        return _walk_named(value, namespace, defines, named)
    return _walk(type_, namespace, defines, named) if isinstance(type_, str) else ""


def _walk_named(value: dict[str, Any], namespace: str, defines: set[str], named: set[tuple[str, ...]]) -> str:
    space, dot, simple = value["name"].rpartition(".")
    if not dot:
        own = value.get("namespace")
        space = own if isinstance(own, str) else namespace
    full = f"{space}.{simple}" if space else simple
    defines.add(full)
    fields = value.get("fields")
    for one in fields if isinstance(fields, list) else ():
        if isinstance(one, dict):
            _walk(one.get("type"), space, defines, named)
    return full


def _definition(text: str, name: str) -> str:
    """The definition of the type `name` in a schema's text, as JSON without its documentation."""
    return _found(json_text.read(text), "", name) or ""


def _found(value: Any, namespace: str, name: str) -> str | None:
    if isinstance(value, list):
        return next((found for branch in value if (found := _found(branch, namespace, name))), None)
    if not isinstance(value, dict):
        return None
    if value.get("type") in _NAMED:
        defines: set[str] = set()
        space = namespace
        full = _walk_named({**value, "fields": []}, namespace, defines, set())
        space = full.rpartition(".")[0]
        if full == name:
            return json.dumps({**value, "name": full, "namespace": None, "doc": None}, sort_keys=True)
        inner = [one.get("type") for one in value.get("fields", []) if isinstance(one, dict)]
        return _found(inner, space, name)
    return _found(value.get("items", value.get("values")), namespace, name)


def _invalid(shown: str, fault: SchemaFault, source: SchemaSource | None = None) -> Finding:
    """The finding for a schema that does not parse."""
    place = Place(shown, fault.line, fault.column)
    if source is not None:
        tokens = json_text.tokens(fault.path)
        place = source.place(tokens) if fault.path or not fault.line else place
    return Finding(
        "SCHEMA_INVALID",
        fault.message,
        subject=None if source is None else source.subject,
        place=place,
        path=fault.path,
    )
