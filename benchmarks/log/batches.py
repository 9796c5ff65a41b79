"""How fast record batches are made and read, beside aiokafka's compiled builder in the same run.

    python benchmarks/log/batches.py

Prints thousands of records a second and the ratio to aiokafka, the best of five
rounds each, turn about, so that a busy machine slows both.
"""

import time
from collections.abc import Callable
from functools import partial

from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from broker_adapter.filelog.batch import NewRecord, decode_batch, encode_batch

ROUNDS = 5
RECORDS_A_ROUND = 50_000


def encode_with_aiokafka(records: list[NewRecord]) -> bytes:
    """The same batch by aiokafka."""
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1 << 30)
    for offset, (timestamp, key, value, _) in enumerate(records):
        builder.append(offset, timestamp, key, value, [])
    return bytes(builder.build())


def decode_with_aiokafka(batch: bytes) -> list[tuple[object, ...]]:
    """The same records by aiokafka, checked, as tuples."""
    reader = MemoryRecords(batch).next_batch()
    assert reader.validate_crc()
    return [(each.offset, each.timestamp, each.key, each.value, each.headers) for each in reader]


def best_of(functions: list[Callable[[], object]], repeats: int) -> list[float]:
    """The least seconds that each function needed for `repeats` calls."""
    best = [float("inf")] * len(functions)
    for _ in range(ROUNDS):
        for number, function in enumerate(functions):
            start = time.perf_counter()
            for _ in range(repeats):
                function()
            best[number] = min(best[number], time.perf_counter() - start)
    return best


def main() -> None:
    """Print a table."""
    print(f"{'':>16}{'encode k/s':>12}{'of aiokafka':>13}{'decode k/s':>12}{'of aiokafka':>13}")
    for size, count in [(100, 1), (100, 100), (100, 1000), (1024, 100)]:
        records: list[NewRecord] = [(1_700_000_000_000, b"k%07d" % n, b"v" * size, ()) for n in range(count)]
        batch = encode_batch(records)
        repeats = RECORDS_A_ROUND // count
        ours, theirs, read, read_by_them = best_of(
            [
                partial(encode_batch, records),
                partial(encode_with_aiokafka, records),
                partial(decode_batch, batch, topic="t"),
                partial(decode_with_aiokafka, batch),
            ],
            repeats,
        )
        total = repeats * count / 1000
        print(
            f"{size:>6} B x{count:>6}"
            f"{total / ours:>14,.0f}{theirs / ours:>13.2f}{total / read:>12,.0f}{read_by_them / read:>13.2f}"
        )


if __name__ == "__main__":
    main()
