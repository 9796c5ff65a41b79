"""Which partition a record goes to, where the caller does not say."""

from itertools import count
from typing import Final, Literal, Protocol
from zlib import crc32

from broker_adapter.errors import InvalidConfig


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


class Murmur2Partitioner:
    """Equal keys to one partition, as Java's producer does.

    The rule for keys is Java's bit for bit (MurmurHash2 of the key, without
    its sign, modulo the number of partitions). An empty key is a key, as
    there. Records without one go round.
    """

    def __init__(self) -> None:
        self._turns = count()

    def __call__(self, key: bytes | None, partitions: int) -> int:
        """See `Partitioner`."""
        if key is None:
            return next(self._turns) % partitions
        return (murmur2(key) & 0x7FFF_FFFF) % partitions


_M: Final = 0x5BD1E995
_SEED: Final = 0x9747B28C
_BITS: Final = 0xFFFF_FFFF


def murmur2(data: bytes) -> int:
    """Austin Appleby's MurmurHash2 of 32 bits, unsigned, with the seed that Kafka's Java client uses."""
    length = len(data)
    whole = length & ~3
    number = _SEED ^ length
    for at in range(0, whole, 4):
        word = int.from_bytes(data[at : at + 4], "little") * _M & _BITS
        word = (word ^ word >> 24) * _M & _BITS
        number = number * _M & _BITS ^ word
    if whole < length:
        number = (number ^ int.from_bytes(data[whole:], "little")) * _M & _BITS
    number = (number ^ number >> 13) * _M & _BITS
    return number ^ number >> 15


def partitioner_named(choice: Literal["crc32", "murmur2"] | Partitioner) -> Partitioner:
    """The partitioner that a producer's ``partitioner=`` means. Raises `InvalidConfig`."""
    if callable(choice):
        return choice
    match choice:
        case "crc32":
            return ConsistentPartitioner()
        case "murmur2":
            return Murmur2Partitioner()
        case _:
            raise InvalidConfig(
                f"partitioner={choice!r} is not known; use 'crc32', 'murmur2' or a function (key, partitions)"
            )
