"""Opening a long log, and reading from anywhere in it: neither may grow with its length.

    python -m benchmarks.log.long_log [largest, in MB]

Needs as much room on the disk. The log is written in batches of 256 KiB and
100 segments at most; fetches are of one batch each. Those at random offsets are
beside what nobody can do without: one pread of the same bytes from a file that
is open, and their decoding. Of a longer log less is in the processor's caches.
"""

import os
import random
import sys
import tempfile
import time
from pathlib import Path

from broker_adapter import TopicPartition
from broker_adapter.filelog.batch import HEADER_SIZE, decode_batch, encode_batch, read_header
from broker_adapter.filelog.checkpoints import RECOVERY_POINT
from broker_adapter.filelog.config import TopicConfig
from broker_adapter.filelog.partition import Partition
from broker_adapter.filelog.reader import LogReader

NAME = TopicPartition("t", 0)
FETCHES = 300
RECORDS = 256


def opened(directory: Path, config: TopicConfig) -> tuple[float, Partition]:
    """The milliseconds that opening took, and the partition."""
    start = time.perf_counter()
    partition = Partition(directory, NAME, config)
    return (time.perf_counter() - start) * 1e3, partition


def bare(partition: Partition, offset: int) -> float:
    """The seconds to read and to decode the batch with `offset`, in a place that is known."""
    segment, position = partition.locate(offset)
    descriptor = os.open(segment.path, os.O_RDONLY)
    try:
        size = read_header(segment.read(position, HEADER_SIZE)).size
        # As a fetch finds it: the place was looked up by reading little of it.
        start = time.perf_counter()
        decode_batch(os.pread(descriptor, size, position))
        return time.perf_counter() - start
    finally:
        os.close(descriptor)


def measure(directory: Path, megabytes: int) -> str:
    """A line of the table."""
    config = TopicConfig(segment_bytes=max(megabytes * 1_000_000 // 100, 1 << 20))
    _, partition = opened(directory, config)
    now = time.time_ns() // 1_000_000
    batch = encode_batch([(now, b"k", random.Random(1).randbytes(1_000), ())] * RECORDS)
    for _ in range(megabytes * 1_000_000 // len(batch)):
        partition.append(batch)
    end = partition.state().log_end_offset
    segments = len(partition.bases(partition.state()))
    partition.mark_clean()
    partition.close()
    clean, partition = opened(directory, config)
    choose = random.Random(2)
    waits, at_end, alone = [], [], []
    for _ in range(FETCHES):
        reader = LogReader(partition, choose.randrange(end))
        start = time.perf_counter()
        assert reader.read(1)
        waits.append(time.perf_counter() - start)
        alone.append(bare(partition, choose.randrange(end)))
        reader = LogReader(partition, end - RECORDS)
        start = time.perf_counter()
        assert reader.read(1)
        at_end.append(time.perf_counter() - start)
    partition.append(batch)
    partition.close()
    (directory / ".state").unlink()  # as after a crash of the machine
    crashed, partition = opened(directory, config)
    assert partition.state().log_end_offset == end + RECORDS
    partition.close()
    (directory / ".state").unlink()
    (directory / RECOVERY_POINT).unlink()
    everything, partition = opened(directory, config)
    partition.close()
    return f"{megabytes:>7,} MB{segments:>10}{clean:>14.1f}{crashed:>14.1f}{everything:>14.1f}" + "".join(
        f"{sorted(each)[FETCHES // 2] * 1e6:>14.0f}" for each in (at_end, waits, alone)
    )


def main(largest: int = 10_000) -> None:
    """Print a table."""
    print("milliseconds to open: after a clean stop, after a crash, and with no recovery point;")
    print("microseconds for a fetch of one batch of 256 KiB: at the end, at a random offset, and bare there")
    columns = ("segments", "clean", "crash", "all", "at the end", "anywhere", "bare")
    print(f"{'':>10}{columns[0]:>10}" + "".join(f"{each:>14}" for each in columns[1:]))
    for megabytes in (1, 100, largest):
        with tempfile.TemporaryDirectory(prefix="fivebyte-long-") as folder:
            print(measure(Path(folder), megabytes))


if __name__ == "__main__":
    main(*(int(each) for each in sys.argv[1:]))
