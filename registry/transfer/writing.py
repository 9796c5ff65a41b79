"""Writing many entries to a store, and telling how far it is."""

from collections.abc import Callable, Iterable, Iterator

from registry.errors import Conflict
from registry.store import Entry, Store

Progress = Callable[[str, int, int], None]
"""Told what is done now, how much of it is done, and how much there is; 0 where that is not known."""

_ENTRIES = 500
_CHARACTERS = 4 * 1024 * 1024


def no_progress(what: str, done: int, total: int) -> None:
    """Tell nobody."""


def write(target: Store, entries: Iterable[Entry], total: int, progress: Progress = no_progress) -> int:
    """Append `entries`, of which there are `total`, some hundred at a time; answers how many were.

    They are fewer than given where somebody else appends to the target.
    """
    done = 0
    for batch in _batches(entries):
        try:
            target.extend(batch)
        except Conflict:
            break
        done += len(batch)
        progress("writing", done, total)
    return done


def _batches(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Entries by the hundred, but not too many long ones together: a store takes a batch in one go."""
    batch: list[Entry] = []
    size = 0
    for entry in entries:
        batch.append(entry)
        size += sum(len(str((record.value or {}).get("schema", ""))) for record in entry.records)
        if len(batch) >= _ENTRIES or size >= _CHARACTERS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
