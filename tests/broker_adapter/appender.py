"""A process that appends until it is killed: ``python -m tests.broker_adapter.appender FOLDER WRITER SIZES``.

Sends batches of random numbers of records to topic "t" of the file log in
FOLDER and writes a line ``<first offset> <writer> <first number> <count>`` for
each batch that was acknowledged. A record's value says who wrote it, which
number it has, and repeats that up to its size, so that any torn or mixed
record is seen. SIZES is ``small`` or ``large``.
"""

import os
import random
import sys
from pathlib import Path

from broker_adapter.broker import TopicPartition
from broker_adapter.filelog.batch import NewRecord, encode_batch
from broker_adapter.filelog.broker import FileBroker

SIZES = {"small": (1, 20, 30, 200), "large": (10, 30, 50_000, 150_000)}
"""Fewest and most records in a batch, smallest and largest value in bytes."""


def value_of(writer: str, number: int, size: int) -> bytes:
    """The value of a writer's record `number`: its whole content follows from its first words."""
    head = f"{writer} {number} {size} ".encode()
    return (head * (size // len(head) + 1))[: max(size, len(head))]


def is_whole(value: bytes) -> bool:
    """Whether a value is exactly what `value_of` made."""
    writer, number, size, _ = value.split(b" ", 3)
    return value == value_of(writer.decode(), int(number), int(size))


def main(folder: str, writer: str, sizes: str) -> None:
    """Append for ever."""
    choose = random.Random(writer)
    fewest, most, smallest, largest = SIZES[sizes]
    with FileBroker(Path(folder)) as broker:
        partition = broker.partition(TopicPartition("t", 0))
        number = 0
        while True:
            count = choose.randint(fewest, most)
            records: list[NewRecord] = [
                (1_700_000_000_000 + n, b"%d" % n, value_of(writer, n, choose.randint(smallest, largest)), ())
                for n in range(number, number + count)
            ]
            batch = encode_batch(records)
            base = partition.append(batch)
            os.write(1, f"{base} {writer} {number} {count}\n".encode())
            number += count


if __name__ == "__main__":
    main(*sys.argv[1:])
