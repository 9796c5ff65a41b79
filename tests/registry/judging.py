"""A log read in the plainest way, without the registry's fold: what happened in it, and what never may."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from registry.store import Entry

Place = tuple[str, int]
"""A subject and a version."""


class Made(NamedTuple):
    """A version that came to be, or was brought back."""

    subject: str
    version: int
    id: int
    text: str


class History:
    """All that a log says of versions, from its first entry on.

    Raises AssertionError where positions, ids or versions are not as they must be.
    """

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.made: Counter[Made] = Counter()
        self.deleted: Counter[Place] = Counter()
        """How often each was deleted softly."""
        self.gone: Counter[Place] = Counter()
        """How often each was deleted for good."""
        self.now: dict[str, dict[int, tuple[Made, bool]]] = {}
        """What is there at the end, by subject and version, and whether it is soft-deleted."""
        self.text_of: dict[tuple[str, int], str] = {}
        """By context and id: what it stood for whenever it stood for something."""
        self._id_of: dict[tuple[str, str], int] = {}
        for position, entry in enumerate(entries, 1):
            assert entry.position == position
            for key, value in entry.records:
                match key["keytype"], value:
                    case "SCHEMA", None:
                        self._remove(key["subject"], key["version"])
                    case "SCHEMA", dict():
                        made = Made(key["subject"], key["version"], value["id"], value["schema"])
                        self._put(made, deleted=value["deleted"])
                    case "DELETE_SUBJECT", dict():
                        self._delete(key["subject"], value["version"])

    def versions(self, subject: str) -> dict[int, bool]:
        """The versions that are there at the end, ascending, and whether each is soft-deleted."""
        return {version: deleted for version, (_, deleted) in sorted(self.now.get(subject, {}).items())}

    def ids_without_gaps(self) -> bool:
        """Whether each context's ids are 1, 2, 3, ..."""
        contexts: dict[str, list[int]] = {}
        for context, number in self.text_of:
            contexts.setdefault(context, []).append(number)
        return all(sorted(ids) == list(range(1, len(ids) + 1)) for ids in contexts.values())

    def _put(self, made: Made, *, deleted: bool) -> None:
        context, versions = _context(made.subject), self.now.setdefault(made.subject, {})
        assert self.text_of.setdefault((context, made.id), made.text) == made.text, f"two contents: {made}"
        assert self._id_of.setdefault((context, made.text), made.id) == made.id, f"two ids: {made}"
        before, was_deleted = versions.get(made.version, (made, True))
        assert before == made, f"one version made twice: {before}, {made}"
        assert was_deleted != deleted, f"it was so before: {made}"
        if deleted:
            self.deleted[made.subject, made.version] += 1
        else:
            self.made[made] += 1
            live = [other.text for other, gone in versions.values() if not gone]
            assert made.text not in live, f"one content twice in a subject: {made}"
        versions[made.version] = made, deleted

    def _delete(self, subject: str, last: int) -> None:
        for version, (made, deleted) in self.now[subject].items():
            if version <= last and not deleted:
                self.now[subject][version] = made, True
                self.deleted[subject, version] += 1

    def _remove(self, subject: str, version: int) -> None:
        made, deleted = self.now[subject].pop(version)
        assert deleted, f"deleted for good, but not softly before: {made}"
        self.gone[subject, version] += 1


def _context(subject: str) -> str:
    return subject.split(":")[1] if subject.startswith(":") else "."
