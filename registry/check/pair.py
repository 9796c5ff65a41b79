"""Two schemas compared by themselves, without a project around them."""

from collections.abc import Sequence
from pathlib import Path

from registry.check.checking import Report, compare
from registry.check.project import Project, Scope
from registry.check.sources import InvalidSource, LocatedSchema, Sources
from registry.check.trees import blob_id
from registry.model import CompatibilityLevel

Named = tuple[str, str]
"""What messages call a schema, and its text."""


class _Texts:
    """A tree of texts."""

    name = ""

    def __init__(self, texts: Sequence[Named]) -> None:
        self.unread: dict[str, str] = {}
        self._texts = {name or f"reference {number}": text for number, (name, text) in enumerate(texts)}

    def paths(self) -> Sequence[str]:
        return list(self._texts)

    def digest(self, path: str) -> str:
        return blob_id(self.read(path))

    def read(self, path: str) -> bytes:
        return self._texts[path].encode()


def compare_texts(old: Named, new: Named, level: str, references: Sequence[Named] = ()) -> Report:
    """What `level` finds wrong with the schema `new` after `old`; both may use the types of `references`.

    Raises ValueError where one is no schema, with its place, or where there is no such level.
    """
    try:
        chosen = CompatibilityLevel(level.upper())
    except ValueError:
        raise ValueError(f"{level!r} is no level: give one of {', '.join(CompatibilityLevel)}") from None
    _, before = _parsed(old, references)
    sources, after = _parsed(new, references)
    found = [] if chosen is CompatibilityLevel.NONE else list(compare(after, before, chosen, old[0]))
    return Report(found, old[0], schemas=1, line=sources.line)


def _parsed(named: Named, references: Sequence[Named]) -> tuple[Sources, LocatedSchema]:
    tree = _Texts([named, *references])
    project = Project(Path(), scopes=(Scope(subject="{stem}"),))
    sources = Sources.read(tree, project, extra=tree.paths())
    for fault in sources.faults:
        raise ValueError(f"{fault.place}: {fault.message}")
    try:
        return sources, sources.parse(sources.schemas[0])
    except InvalidSource as fault:
        raise ValueError(str(fault)) from None
