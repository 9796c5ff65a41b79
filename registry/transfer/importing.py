"""Bringing another registry's log into a store.

An empty store, or one that holds the beginning of the source's log, gets the
rest as it is: the history comes along, and the import can go on where it was
interrupted. Any other store gets what it lacks (`registry.transfer.merging`),
unless ids collide: then nothing is written. So an import can be run again, to
take what is new.
"""

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from registry.errors import TransferError, WriteTimedOutError
from registry.records import LogRecord
from registry.state import State
from registry.store import Entry, Store
from registry.transfer.merging import Change, changes, collisions
from registry.transfer.source import Source
from registry.transfer.writing import Progress, no_progress, write

_ATTEMPTS = 20


@dataclass(slots=True)
class Imported:
    """What an import did.

    counts: what was written, by kind. notes: what was left out or replaced, and how often.
    position: the store's head, when all of the source was in it; None where the target is no store.
    """

    counts: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    position: int | None = None


def import_into(target: Store, source: Source, progress: Progress = no_progress) -> Imported:
    """Make `target` say all that the source does; see the module. A registry may run on it meanwhile.

    Raises TransferError with every collision, before anything is written; WriteTimedOutError where others
    write to the target all the time; StoreError.
    """
    done = Imported(notes=Counter(source.notes))
    for _ in range(_ATTEMPTS):
        state, is_beginning = _fold(target, source)
        planned = list(_rest(source, state) if is_beginning else _missing(source, state, target.url, done))
        entries = [_entry(change, state.position + n) for n, change in enumerate(planned, 1)]
        written = write(target, entries, len(entries), progress)
        count(planned[:written], done)
        if written == len(planned):
            done.position = state.position + written
            _verify(target, source, done.position)
            return done
    raise WriteTimedOutError(
        f"others wrote to {target.url} at every attempt of {_ATTEMPTS}. Import again, to go on from here"
    )


def check_collisions(source: Source, target: State, where: str, done: Imported) -> None:
    """Raises TransferError, which names each, where ids would be mixed."""
    found = collisions(source, target)
    if found:
        listed = "\n  ".join(found)
        # Another writer may have taken ids after the first batch.
        stays = "what was written before stays" if done.counts else "nothing was written"
        raise TransferError(
            f"{source.name} cannot be imported into {where}: {stays}, as ids would be mixed:\n"
            f"  {listed}\nImport into an empty store"
        )


def _fold(target: Store, source: Source) -> tuple[State, bool]:
    """What the target says, and whether its log is the beginning of the source's."""
    state, is_beginning = State(), source.is_log
    for entry in target.read(0):
        state.apply(entry.position, entry.time, entry.records)
        is_beginning = is_beginning and _is_at(source, entry)
    return state, is_beginning


def _is_at(source: Source, entry: Entry) -> bool:
    if entry.position > len(source.entries):
        return False
    ours = source.entries[entry.position - 1]
    same_time = ours.time == entry.time or not source.is_timed
    return same_time and (ours.records, ours.principal) == (entry.records, entry.principal)


def _rest(source: Source, state: State) -> Iterator[Change]:
    for entry in source.entries[state.position :]:
        yield Change(None, entry.records, entry.time, entry.principal)


def _kind(record: LogRecord) -> str:
    kind = "tombstones" if record.value is None else "records"
    return f"{record.key['keytype']} {kind}"


def _missing(source: Source, state: State, where: str, done: Imported) -> Iterator[Change]:
    """What the target lacks; looked for only when ids are known not to collide."""
    check_collisions(source, state, where, done)
    return changes(source, state)


def count(made: Iterable[Change], done: Imported) -> None:
    """Add changes to what an import did."""
    for change in made:
        done.counts.update([change.what] if change.what else map(_kind, change.records))
        if change.note is not None:
            done.notes[f"replaced: {change.note}"] += 1


def _entry(change: Change, position: int) -> Entry:
    moment = time.time_ns() // 1_000_000 if change.time is None else change.time
    return Entry(position, moment, change.records, change.principal)


def _verify(target: Store, source: Source, position: int) -> None:
    """Read the target again: nothing of the source may be missing."""
    state = State()
    for entry in target.read(0):
        if entry.position <= position:  # what others wrote since is theirs
            state.apply(entry.position, entry.time, entry.records)
    left = [change.what for change in changes(source, state)] + collisions(source, state)
    if left:
        raise TransferError(
            f"{target.url} was written, but still lacks {len(left)} of what {source.name} has "
            f"(first: {left[0]}). This is a fault of fivebyte's: report it, and import into a new store"
        )
