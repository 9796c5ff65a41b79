"""Kafka's checkpoint files: one offset for each partition, as text.

Owns ``recovery-point-offset-checkpoint``, ``log-start-offset-checkpoint`` and
``cleaner-offset-checkpoint`` in the root folder, and ``.checkpoints.lock``
beside them. Any thread of any process.

A file is read anew for every change, under the lock, and replaced in one step;
the lines of partitions that are not ours are kept. A checkpoint that is missing
or damaged is never wrong, only early: more is recovered, or compacted again.
"""

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from broker_adapter.filelog.files import write_atomically
from broker_adapter.filelog.locks import FileLock
from broker_adapter.nouns import TopicPartition

RECOVERY_POINT: Final = "recovery-point-offset-checkpoint"
"""All before this offset is on the disk."""
LOG_START: Final = "log-start-offset-checkpoint"
"""Records before this offset were deleted on request."""
CLEANER: Final = "cleaner-offset-checkpoint"
"""Before this offset, closed segments are compacted."""
_KAFKAS: Final = "replication-offset-checkpoint"
_FILES: Final = (RECOVERY_POINT, LOG_START, CLEANER)

_log = logging.getLogger(__name__)


class Checkpoints:
    """The checkpoint files of a root folder. Raises `OSError`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._lock = FileLock(root / ".checkpoints.lock")

    def get(self, file: str, name: TopicPartition) -> int:
        """What `file` has for a partition; 0 if it has nothing."""
        return self._read(file).get(name, 0)

    def kafkas_mark(self) -> int:
        """Something that is another whenever a Kafka broker has used the root folder: 0 if none ever has.

        A broker writes its high watermarks every few seconds, to a file that is no one else's.
        """
        try:
            return (self.root / _KAFKAS).stat().st_mtime_ns
        except FileNotFoundError:
            return 0

    def put(self, file: str, name: TopicPartition, offset: int) -> None:
        """Set a partition's offset in `file`. It is on the disk when this returns."""
        with self._lock:
            offsets = self._read(file)
            if offsets.get(name) != offset:
                offsets[name] = offset
                self._write(file, offsets)

    def forget(self, names: Iterable[TopicPartition]) -> None:
        """Drop all that is kept of partitions that are deleted."""
        gone = set(names)
        with self._lock:
            for file in _FILES:
                offsets = self._read(file)
                if gone & offsets.keys():
                    self._write(file, {name: offset for name, offset in offsets.items() if name not in gone})

    def _write(self, file: str, offsets: dict[TopicPartition, int]) -> None:
        lines = [f"{name.topic} {name.partition} {offset}\n" for name, offset in sorted(offsets.items())]
        write_atomically(self.root / file, f"0\n{len(lines)}\n{''.join(lines)}")

    def _read(self, file: str) -> dict[TopicPartition, int]:
        path = self.root / file
        try:
            version, count, *lines = path.read_text(encoding="utf-8").splitlines()
            fields = [line.split(" ") for line in lines]
            offsets = {TopicPartition(topic, int(number)): int(at) for topic, number, at in fields}
            if int(version) == 0 and int(count) == len(lines) and all(at >= 0 for at in offsets.values()):
                return offsets
        except FileNotFoundError:
            return {}
        except ValueError:
            pass
        _log.warning("%s cannot be read and is passed over", path)
        return {}

    def close(self) -> None:
        """Let go of the lock file."""
        self._lock.close()
