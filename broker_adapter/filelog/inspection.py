"""Looking at a log's files from outside, ours or Kafka's: what is in them, and what is wrong with them.

Owns nothing and writes nothing; takes no lock. Any thread of any process, while
others write or not. The rules are those by which a recovery cuts and by which
Kafka's DumpLogSegments complains.
"""

import re
import struct
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from broker_adapter.errors import CorruptBatch, CorruptLog, LogIOError
from broker_adapter.filelog.batch import (
    HEADER_SIZE,
    OVERHEAD,
    BatchHeader,
    check_batch,
    decode_batch,
    read_header,
)
from broker_adapter.filelog.files import reporting
from broker_adapter.filelog.index import OffsetIndex, OffsetPosition, TimeIndex, TimestampOffset
from broker_adapter.filelog.producers import ProducerStates
from broker_adapter.filelog.state import LogState, peek

_NAME: Final = re.compile(r"(\d{20})\.(log|index|timeindex|snapshot)")
_PARTITION: Final = re.compile(r".+-\d+")
_CHUNK: Final = 1024 * 1024


class Finding(NamedTuple):
    """Something about a file that a person should know."""

    path: Path
    what: str
    is_problem: bool = True
    """Whether it is wrong; otherwise it is what a writer that died leaves, which nobody reads."""

    def __str__(self) -> str:
        return f"{self.path}: {self.what}"


class FoundBatch(NamedTuple):
    """A batch in a log file."""

    position: int
    header: BatchHeader
    data: bytes
    damage: str | None
    """What is wrong with it, if anything."""


@dataclass
class Verdict:
    """What a look through one partition's files, or through single files, found."""

    path: Path
    segments: int = 0
    batches: int = 0
    records: int = 0
    bytes: int = 0
    first_offset: int | None = None
    last_offset: int | None = None
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong."""
        return not any(finding.is_problem for finding in self.findings)


def kind_of(path: Path) -> tuple[int, str] | None:
    """The base offset and the kind of one of a log's files: log, index, timeindex or snapshot; or None."""
    match = _NAME.fullmatch(path.name)
    return (int(match[1]), match[2]) if match else None


def partitions_in(path: Path) -> list[Path]:
    """The partitions' folders at `path`: itself, or those in it. Raises `LogIOError`."""
    with reporting("look at", path):
        if any(kind_of(each) for each in path.iterdir()):
            return [path]
        return sorted(each for each in path.iterdir() if each.is_dir() and _PARTITION.fullmatch(each.name))


def files_in(partition: Path) -> list[Path]:
    """A partition's files that can be looked at, by offset and kind. Raises `LogIOError`."""
    with reporting("look at", partition):
        return sorted(path for path in partition.iterdir() if kind_of(path))


def published(partition: Path) -> LogState | None:
    """How far a partition's log is valid, where its writers of this boot of the machine say it."""
    try:
        with reporting("read", partition / ".state"):
            return peek(partition / ".state")
    except LogIOError:
        return None  # Kafka's, or one that was never opened


def batches(path: Path, limit: int | None = None) -> Iterator[FoundBatch]:
    """The batches in a log file, with what is wrong with each. Ends where no more can be told apart.

    Raises `LogIOError`, and `CorruptBatch` where it ends before `limit`, by
    default the file's end; then the bytes from there on are no batches.
    """
    with reporting("read", path), path.open("rb") as file:
        size = path.stat().st_size if limit is None else limit
        position = 0
        while position < size:
            file.seek(position)
            data = file.read(min(HEADER_SIZE, size - position))
            header = read_header(data)
            if header.size > size - position:
                raise CorruptBatch(
                    f"the batch of offset {header.base_offset} is cut short: {size - position} of its "
                    f"{header.size} bytes are there"
                )
            data += file.read(header.size - len(data))
            try:
                check_batch(data)
                damage = None
            except CorruptBatch as error:
                damage = str(error)
            yield FoundBatch(position, header, data, damage)
            position += OVERHEAD + header.batch_length


def offset_entries(path: Path, base_offset: int) -> list[OffsetPosition]:
    """The entries of an offset index. Raises `LogIOError`."""
    return [
        OffsetPosition(base_offset + first, second) for first, second in _entries(path, OffsetIndex.entry)
    ]


def time_entries(path: Path, base_offset: int) -> list[TimestampOffset]:
    """The entries of a time index. Raises `LogIOError`."""
    return [TimestampOffset(first, base_offset + second) for first, second in _entries(path, TimeIndex.entry)]


def _entries(path: Path, entry: struct.Struct) -> list[tuple[int, int]]:
    """All entries, without the zeros at the end of a file that Kafka has made for those to come."""
    with reporting("read", path):
        data = path.read_bytes()
    found = [
        (first, second) for first, second in entry.iter_unpack(data[: len(data) // entry.size * entry.size])
    ]
    while len(found) > 1 and not any(found[-1]):
        found.pop()
    return found


def verify(partition: Path, *, deep: bool = False) -> Verdict:
    """Look through a partition's folder. With `deep` also every record is read.

    Raises `LogIOError`.
    """
    state = published(partition)
    verdict = Verdict(partition)
    logs = [path for path in files_in(partition) if path.suffix == ".log"]
    for number, path in enumerate(logs):
        base = int(path.stem)
        if state is not None and base > state.active_base:
            verdict.findings.append(
                Finding(
                    path, "was never published: a writer died when it made it, and the next removes it", False
                )
            )
            continue
        following = int(logs[number + 1].stem) if number + 1 < len(logs) else None
        is_active = following is None if state is None else base == state.active_base
        limit = state.committed_bytes if state is not None and is_active else None
        _verify_segment(verdict, path, limit, following, is_active=is_active, deep=deep)
    for path in files_in(partition):
        if path.suffix == ".snapshot":
            _verify_snapshot(verdict, path)
    return verdict


def verify_file(path: Path, *, deep: bool = False) -> Verdict:
    """Look through a log file with its indexes, or a snapshot. Raises `LogIOError` or `CorruptLog`."""
    kind = kind_of(path)
    if kind is None:
        raise CorruptLog(
            f"{path} is no file of a log: their names are 20 digits and .log, .index, .timeindex or .snapshot"
        )
    verdict = Verdict(path)
    if kind[1] == "snapshot":
        _verify_snapshot(verdict, path)
    else:
        _verify_segment(verdict, path.with_suffix(".log"), None, None, is_active=False, deep=deep)
    return verdict


def _verify_segment(
    verdict: Verdict, path: Path, limit: int | None, following: int | None, *, is_active: bool, deep: bool
) -> None:
    with reporting("read", path):
        size = path.stat().st_size
    base = int(path.stem)
    verdict.segments += 1
    verdict.bytes += size if limit is None else limit
    if limit is not None and size < limit:
        verdict.findings.append(
            Finding(path, f"has {size} bytes, and {limit} were published: something cut it")
        )
        limit = size
    if limit is not None and size > limit:
        verdict.findings.append(
            Finding(
                path,
                f"{size - limit} bytes from byte {limit} on were never published: nobody reads them, and the "
                "next writer cuts them",
                False,
            )
        )
    found: list[tuple[int, BatchHeader]] = []
    due = base
    try:
        for batch in batches(path, limit):
            problem = batch.damage or _wrong_place(batch.header, due, following) or _unreadable(batch, deep)
            if problem is not None:
                verdict.findings.append(
                    Finding(path, _cut(batch.position, batch.header.base_offset, problem))
                )
            found.append((batch.position, batch.header))
            due = max(due, batch.header.last_offset + 1)
            verdict.batches += 1
            verdict.records += batch.header.records_count
    except CorruptBatch as error:
        at = found[-1][0] + found[-1][1].size if found else 0
        verdict.findings.append(Finding(path, _cut(at, due, str(error))))
    if found:
        verdict.first_offset = (
            found[0][1].base_offset if verdict.first_offset is None else verdict.first_offset
        )
        verdict.last_offset = found[-1][1].last_offset
    _verify_offset_index(verdict, path.with_suffix(".index"), base, found, is_active=is_active)
    _verify_time_index(verdict, path.with_suffix(".timeindex"), base, found, is_active=is_active)


def _cut(position: int, offset: int, problem: str) -> str:
    return f"byte {position}, offset {offset}: {problem}. A recovery cuts the log here"


def _wrong_place(header: BatchHeader, due: int, following: int | None) -> str | None:
    if header.base_offset < due:
        return f"the batch has offset {header.base_offset}, where {due} is due"
    if following is not None and header.last_offset >= following:
        return (
            f"the batch goes up to offset {header.last_offset}, and the next segment begins with {following}"
        )
    return None


def _unreadable(batch: FoundBatch, deep: bool) -> str | None:
    if deep:
        try:
            decode_batch(batch.data)
        except CorruptBatch as error:
            return str(error)
    return None


def _verify_offset_index(
    verdict: Verdict, path: Path, base: int, found: list[tuple[int, BatchHeader]], *, is_active: bool
) -> None:
    if not _is_there(verdict, path, OffsetIndex.entry.size):
        return
    known = {position: header.last_offset for position, header in found}
    end = found[-1][0] if found else -1
    before = OffsetPosition(-1, -1)
    for slot, entry in enumerate(offset_entries(path, base)):
        wrong = None
        if entry.offset <= before.offset or entry.position <= before.position:
            wrong = f"follows offset {before.offset} at byte {before.position}"
        elif entry.position > end and is_active:
            break  # written after we looked at the log
        elif known.get(entry.position) != entry.offset:
            wrong = "has no such batch in the log"
        if wrong is not None:
            what = f"entry {slot}, offset {entry.offset} at byte {entry.position}, {wrong}; it is rebuilt"
            verdict.findings.append(Finding(path, f"{what} when the log is opened after it was removed"))
            return
        before = entry


def _verify_time_index(
    verdict: Verdict, path: Path, base: int, found: list[tuple[int, BatchHeader]], *, is_active: bool
) -> None:
    if not _is_there(verdict, path, TimeIndex.entry.size):
        return
    headers = [header for _, header in found]
    lasts = [header.last_offset for header in headers]
    before = TimestampOffset(-1, -1)
    for slot, entry in enumerate(time_entries(path, base)):
        at = bisect_left(lasts, entry.offset)
        wrong = None
        if entry.timestamp <= before.timestamp or entry.offset <= before.offset:
            wrong = f"follows timestamp {before.timestamp} of offset {before.offset}"
        elif at == len(lasts):
            if is_active:
                break
            wrong = "has no such batch in the log"
        elif headers[at].max_timestamp != entry.timestamp:
            wrong = f"has a batch of timestamp {headers[at].max_timestamp} in the log"
        if wrong is not None and not (slot == 0 and entry == (0, base)):
            what = (
                f"entry {slot}, timestamp {entry.timestamp} of offset {entry.offset}, {wrong}; it is rebuilt"
            )
            verdict.findings.append(Finding(path, f"{what} when the log is opened after it was removed"))
            return
        before = entry


def _is_there(verdict: Verdict, path: Path, entry_size: int) -> bool:
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        verdict.findings.append(Finding(path, "is missing: it is rebuilt when the log is opened"))
        return False
    if size % entry_size:
        verdict.findings.append(
            Finding(path, f"has {size} bytes, which is no whole number of entries: it is rebuilt")
        )
    return True


def _verify_snapshot(verdict: Verdict, path: Path) -> None:
    try:
        with reporting("read", path):
            ProducerStates.from_bytes(path.read_bytes(), int(path.stem))
    except CorruptLog as error:
        verdict.findings.append(Finding(path, f"{error}; the log is read instead"))
