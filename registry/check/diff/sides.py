"""The two sides of a diff: a schema of a file, of a commit, or of a registry.

* ``git:REF:PATH`` is the file at PATH, from the project's folder, in a commit; ``git:REF`` the file of the
  other side.
* ``subject:NAME`` is the newest version of a subject in a registry, ``subject:NAME:N`` its version N.
* Anything else is a file.
"""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from registry.check.errors import ProjectError, SourceError
from registry.check.git import CommitTree, Repository, short
from registry.check.plan.remote import reachable
from registry.check.project import Project
from registry.check.sources import LocatedSchema, Sources, parse_stored, skim
from registry.check.trees import FolderTree
from registry.languages.language import ReferencedSchema
from serde.client import RegistryClient

GIT = "git:"
SUBJECT = "subject:"


@dataclass(frozen=True, slots=True)
class Side:
    """One side. name: as it was given, or what it stands for. schema: parsed, with places."""

    name: str
    schema: LocatedSchema


@dataclass(slots=True)
class Sides:
    """Opens the sides of a diff.

    client: of the registry, asked for where a side needs one.
    """

    tree: FolderTree
    project: Project
    client: Callable[[], RegistryClient]

    def open(self, given: str, other: str) -> Side:
        """The side that `given` names, `other` being the other one.

        Raises ProjectError where it names nothing, InvalidSource where it does not parse, BaselineError where
        git or the registry do not have it.
        """
        if given.startswith(GIT):
            return self._of_commit(given, other)
        if given.startswith(SUBJECT):
            return self._of_registry(given)
        path = self.tree.path_of(Path(given).absolute())
        if path not in self.tree.paths():
            raise ProjectError(f"{given}: there is no such file; git:REF:PATH and subject:NAME are others")
        return Side(given, self._parse(Sources.read(self.tree, self.project, extra=[path]), path, given))

    def _of_commit(self, given: str, other: str) -> Side:
        ref, _, path = given.removeprefix(GIT).partition(":")
        if not path and not other.startswith((GIT, SUBJECT)):
            path = self.tree.path_of(Path(other).absolute())
        if not path:
            raise ProjectError(f"{given}: which file? Give git:REF:PATH")
        with closing(Repository(self.project.root)) as repository:
            commit = repository.commit(ref)
            label = ref if ref != commit else short(commit)
            prefix = self.project.root.resolve().relative_to(repository.root.resolve()).as_posix()
            tree = CommitTree(repository, commit, "" if prefix == "." else f"{prefix}/", label)
            if path not in tree.paths():
                raise ProjectError(f"{given}: {path} is not in that commit")
            sources = Sources.read(tree, self.project, extra=[path], strict=False)
            return Side(f"{label}:{path}", self._parse(sources, path, given))

    @staticmethod
    def _parse(sources: Sources, path: str, given: str) -> LocatedSchema:
        for source in sources.schemas:
            if source.path == path:
                return sources.parse(source)
        for fault in sources.faults:
            if fault.place is not None and fault.place.file == sources.tree.name + path:
                raise SourceError(f"{fault.place}: {fault.message}")
        raise ProjectError(f"{given}: there is no schema in it")

    def _of_registry(self, given: str) -> Side:
        subject, _, version = given.removeprefix(SUBJECT).rpartition(":")
        if not version.isdecimal() or not subject:
            subject, version = given.removeprefix(SUBJECT), "latest"
        if not subject:
            raise ProjectError(f"{given}: which subject? Give subject:NAME or subject:NAME:VERSION")
        client = self.client()
        with reachable(f"{given} cannot be read"):
            found = client.schema(subject, version)
            texts = client.referenced_texts(found.references)
        if found.schema_type != "AVRO":
            raise ProjectError(f"{given} is {found.schema_type}, not Avro")
        name = f"{subject} version {found.version}"
        references = [ReferencedSchema(f"reference {number}", text) for number, text in enumerate(texts, 1)]
        (spelling,) = skim(found.text)
        return Side(name, parse_stored(spelling, references, name, subject))
