"""What the tests of the file log share: opening a partition by hand, filling it, reading it through."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from broker_adapter.broker import RawRecord, TopicPartition
from broker_adapter.filelog.batch import NewRecord, encode_batch
from broker_adapter.filelog.checkpoints import RECOVERY_POINT
from broker_adapter.filelog.compression import Codec
from broker_adapter.filelog.config import TopicConfig
from broker_adapter.filelog.partition import Partition
from broker_adapter.filelog.reader import LogReader

NOW = 1_700_000_000_000
NAME = TopicPartition("t", 0)


@contextmanager
def opened(directory: Path, **settings: Any) -> Iterator[Partition]:
    """The partition kept in `directory`, with settings by the names of `TopicConfig`'s fields."""
    directory.mkdir(parents=True, exist_ok=True)
    partition = Partition(directory, NAME, TopicConfig(**settings))
    try:
        yield partition
    finally:
        partition.close()


def batch_of(
    count: int, *, size: int = 20, timestamp: int = NOW, start: int = 0, codec: Codec = Codec.NONE
) -> bytes:
    """A batch of `count` records of `size` bytes, numbered from `start`, all of one time."""
    records: list[NewRecord] = [
        (timestamp, b"%d" % n, (b"%d;" % n).ljust(size, b"."), ()) for n in range(start, start + count)
    ]
    return encode_batch(records, codec)


def read_all(partition: Partition, offset: int = 0, max_bytes: int = 1 << 20) -> list[RawRecord]:
    """All records from `offset` to the log's end."""
    reader = LogReader(partition, offset)
    found: list[RawRecord] = []
    while records := reader.read(max_bytes):
        found += records
    return found


def forget_state(directory: Path) -> None:
    """As if Kafka had written the folder and was killed: nothing is published, nor known to be flushed."""
    (directory / ".state").unlink()
    (directory / RECOVERY_POINT).unlink(missing_ok=True)
