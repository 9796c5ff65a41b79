"""A log copied from one store to another, entry by entry, and verified.

The copy has the source's positions, times, principals and records. It can be
interrupted and begun again: what the target has must be the source's beginning,
and then the rest is added. The source may be written to meanwhile; what is
appended after the copy began is for the next one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import takewhile

from registry.errors import TransferError
from registry.state import State
from registry.store import Entry, Store
from registry.transfer.writing import Progress, no_progress, write


@dataclass(frozen=True, slots=True)
class Copied:
    """What a copy did.

    position: up to which the target is the source. added: entries that were not there before.
    behind: entries that the source got since the copy began, and the target does not have.
    """

    position: int
    added: int
    behind: int


def copy(source: Store, target: Store, progress: Progress = no_progress) -> Copied:
    """Make the target's log that of the source, as it is when this is called; see the module.

    Raises TransferError where the target holds something else, or is written to meanwhile; StoreError.
    """
    if source.url == target.url:
        raise TransferError(f"{source.url} is the source and the target; give two stores")
    last, present = source.head(), target.head()
    if present > last:
        raise TransferError(
            f"the target {target.url} has {present} entries, and the source {source.url} only {last}: "
            "it is no copy of its beginning. Give an empty target; nothing was written"
        )
    try:
        _verify(source, target, present, "comparing", progress)
    except TransferError as difference:
        raise TransferError(f"{difference}. Give an empty target; nothing was written") from None
    written = write(target, _up_to(last, source.read(present)), last - present, progress)
    if written < last - present:
        raise TransferError(
            f"somebody else wrote position {present + written + 1} of the target {target.url}. "
            "Stop the registry there; what it wrote is not the source's, so begin with an empty target"
        )
    _verify(source, target, last, "verifying", progress)
    return Copied(last, last - present, max(source.head() - last, 0))


def _verify(source: Store, target: Store, last: int, what: str, progress: Progress) -> None:
    """Raises TransferError unless both logs are equal up to `last`, and say the same."""
    states = State(), State()
    theirs = _up_to(last, target.read(0))
    for ours in _up_to(last, source.read(0)):
        there = next(theirs, None)
        if there is None or difference(ours, there):
            raise TransferError(
                f"position {ours.position} differs in its {difference(ours, there)}: "
                f"{source.url} has {_shown(ours)}, {target.url} has {_shown(there)}"
            )
        for state, entry in zip(states, (ours, there), strict=True):
            state.apply(entry.position, entry.time, entry.records)
        if ours.position % 1000 == 0 or ours.position == last:
            progress(what, ours.position, last)
    if states[0] != states[1] or states[0].position != last:
        raise TransferError(f"{source.url} and {target.url} do not say the same up to position {last}")


def difference(one: Entry, other: Entry | None) -> str:
    """In what two entries differ, or "" if they are the same one."""
    if other is None:
        return "presence"
    parts = {
        "time": one.time != other.time,
        "principal": one.principal != other.principal,
        "records": one.records != other.records,
    }
    return " and ".join(name for name, differs in parts.items() if differs)


def _up_to(last: int, entries: Iterator[Entry]) -> Iterator[Entry]:
    return takewhile(lambda entry: entry.position <= last, entries)


def _shown(entry: Entry | None) -> str:
    if entry is None:
        return "nothing"
    moment = datetime.fromtimestamp(entry.time / 1000, UTC).isoformat(timespec="milliseconds")
    by = f" by {entry.principal}" if entry.principal else ""
    records = ", ".join(
        f"{record.key.get('keytype')} of {record.key.get('subject')!r}"
        + (f" version {record.key['version']}" if "version" in record.key else "")
        + ("" if record.value is None or "id" not in record.value else f" id {record.value['id']}")
        for record in entry.records[:3]
    )
    more = "" if len(entry.records) <= 3 else f" and {len(entry.records) - 3} more"
    return f"{records}{more} of {moment}{by}"
