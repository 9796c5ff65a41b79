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
        self.now: dict[Place, tuple[Made, bool]] = {}
        """What is there at the end, and whether it is soft-deleted."""
        self.text_of: dict[tuple[str, int], str] = {}
        """By context and id: what it stood for whenever it stood for something."""
        self._id_of: dict[tuple[str, str], int] = {}
        for position, entry in enumerate(entries, 1):
            assert entry.position == position
            for key, value in entry.records:
                match key["keytype"], value:
                    case "SCHEMA", None:
                        self._remove((key["subject"], key["version"]))
                    case "SCHEMA", dict():
                        made = Made(key["subject"], key["version"], value["id"], value["schema"])
                        self._put(made, deleted=value["deleted"])
                    case "DELETE_SUBJECT", dict():
                        self._delete(key["subject"], value["version"])

    def versions(self, subject: str, *, deleted: bool = False) -> list[int]:
        """The live versions at the end, ascending; with `deleted` all of them."""
        return sorted(
            made.version for made, gone in self.now.values() if made.subject == subject and gone <= deleted
        )

    def ids_without_gaps(self) -> bool:
        """Whether each context's ids are 1, 2, 3, ..."""
        contexts: dict[str, list[int]] = {}
        for context, number in self.text_of:
            contexts.setdefault(context, []).append(number)
        return all(sorted(ids) == list(range(1, len(ids) + 1)) for ids in contexts.values())

    def _put(self, made: Made, *, deleted: bool) -> None:
        context, place = _context(made.subject), (made.subject, made.version)
        assert self.text_of.setdefault((context, made.id), made.text) == made.text, f"two contents: {made}"
        assert self._id_of.setdefault((context, made.text), made.id) == made.id, f"two ids: {made}"
        before = self.now.get(place)
        if before is not None:
            assert before[0] == made, f"one version made twice: {before[0]}, {made}"
        assert (before is not None and not before[1]) == deleted, f"it was so before: {made}"
        if deleted:
            self.deleted[place] += 1
        else:
            self.made[made] += 1
            others = [
                other for other, gone in self.now.values() if other.subject == made.subject and not gone
            ]
            assert made.text not in [other.text for other in others], (
                f"one content twice in a subject: {made}"
            )
        self.now[place] = made, deleted

    def _delete(self, subject: str, last: int) -> None:
        for place, (made, deleted) in self.now.items():
            if made.subject == subject and made.version <= last and not deleted:
                self.now[place] = made, True
                self.deleted[place] += 1

    def _remove(self, place: Place) -> None:
        assert self.now[place][1], f"deleted for good, but not softly before: {place}"
        del self.now[place]
        self.gone[place] += 1


def _context(subject: str) -> str:
    return subject.split(":")[1] if subject.startswith(":") else "."
