"""Making a partition's directory whole again where its published state cannot be trusted.

Called by the holder of the partition's ``.wlock``, from `Partition`'s opening
only: after the machine restarted, on a directory that Kafka wrote, or where
the log is shorter than what was published. (A writer that was merely killed
leaves a good published state: its tail is cut by the next append.)

The rule is Kafka's: from the segment that holds the recovery point on, before
which all is on the disk, walk the batches, check lengths, checksums and offsets,
cut at the first that is wrong, and let no later segment follow a cut. Where
Kafka deletes those later segments, they are renamed here (``.log.cut``), with
the rest of the damaged one beside them: a crash cannot have done that, so
somebody may want to look.
"""

import logging
from bisect import bisect_right
from pathlib import Path

from broker_adapter.filelog.files import sync_directory
from broker_adapter.filelog.segment import LogSegment, Scan, segment_bases
from broker_adapter.filelog.state import LogState

_log = logging.getLogger(__name__)


def recover(directory: Path, interval: int, recovery_point: int = 0, deleted_before: int = 0) -> LogState:
    """Check the segments, cut what is not sound, rebuild their indexes, and say what is valid.

    `interval` is ``index.interval.bytes``; all before `recovery_point` is on
    the disk, and all before `deleted_before` was deleted. An empty directory
    gets its first segment. Raises `OSError`.
    """
    bases = segment_bases(directory)
    if not bases:
        bases = [_fresh(directory, deleted_before)]
    first = max(bisect_right(bases, recovery_point) - 1, 0)
    for number, base in enumerate(bases[first:], first):
        scan = _recover_segment(directory, base, interval, is_last=number == len(bases) - 1)
        following = bases[number + 1 :]
        overlaps = bool(following) and following[0] < scan.next_offset
        if scan.damage is not None or overlaps:
            for later in following:
                _set_aside(directory, later)
            break
    if scan.next_offset < deleted_before:
        # What was cut was deleted on request before. Its offsets are not given out again.
        base = _fresh(directory, deleted_before)
        scan = Scan(0, base, -1, -1, -1, [], [], None)
    return LogState(
        active_base=base,
        committed_bytes=scan.size,
        log_end_offset=scan.next_offset,
        log_start_offset=max(bases[0], deleted_before),
        first_timestamp=scan.first_timestamp,
        max_timestamp=scan.max_timestamp,
        max_timestamp_offset=scan.max_timestamp_offset,
        deleted_before=deleted_before,
        recovery_point=scan.next_offset,
    )


def _fresh(directory: Path, base: int) -> int:
    LogSegment(directory, base, fresh=True).close()
    sync_directory(directory)
    return base


def _recover_segment(directory: Path, base: int, interval: int, *, is_last: bool) -> Scan:
    segment = LogSegment(directory, base)
    try:
        size = segment.file_size()
        scan = segment.scan(size, interval, check=True)
        if scan.damage is not None:
            _log.warning(
                "%s: cut %d bytes after offset %d, at byte %d: %s",
                segment.path,
                size - scan.size,
                scan.next_offset - 1,
                scan.size,
                scan.damage,
            )
            if not is_last:
                rest = segment.path.with_suffix(f".log.cut-{scan.size}")
                rest.write_bytes(segment.read(scan.size, size - scan.size))
            segment.cut(scan.size)
        segment.rebuild_indexes(scan)
        segment.sync()
        segment.sync_indexes()
    finally:
        segment.close()
    return scan


def _set_aside(directory: Path, base: int) -> None:
    stem = directory / f"{base:020d}"
    log = stem.with_suffix(".log")
    log.rename(log.with_suffix(".log.cut"))
    _log.warning("%s: set aside as %s.cut, since the segment before it was damaged", log, log.name)
    for suffix in (".index", ".timeindex"):
        stem.with_suffix(suffix).unlink(missing_ok=True)


def drop_unpublished(directory: Path, active_base: int) -> None:
    """Remove the segment of a writer that died after making it and before publishing it. Raises `OSError`."""
    for base in segment_bases(directory):
        if base > active_base:
            for suffix in (".log", ".index", ".timeindex"):
                (directory / f"{base:020d}{suffix}").unlink(missing_ok=True)
