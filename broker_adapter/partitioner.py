"""Which partition a record goes to, where the caller does not say."""

from itertools import count
from typing import Protocol
from zlib import crc32


class Partitioner(Protocol):
    """Chooses a partition. Called by every thread that sends, so it must be safe for that."""

    def __call__(self, key: bytes | None, partitions: int) -> int:
        """A number from 0 to `partitions` - 1 for a record with `key`."""


class ConsistentPartitioner:
    """Equal keys to one partition, as librdkafka's default does; records without a key in turn.

    The rule for keys is librdkafka's ``consistent_random`` bit for bit
    (CRC-32 of the key, modulo the number of partitions), so a Python, C, Go or
    .NET client of Kafka finds a key where this put it. An empty key counts as
    none, as there. Where librdkafka draws lots for records without a key, they
    go round here: spread evenly however few they are.
    """

    def __init__(self) -> None:
        self._turns = count()  # next() on it is atomic: no lock

    def __call__(self, key: bytes | None, partitions: int) -> int:
        """See `Partitioner`."""
        return crc32(key) % partitions if key else next(self._turns) % partitions
