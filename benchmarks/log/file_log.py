"""How fast records go into a file log and out of it, through the public interface.

    python benchmarks/log/file_log.py [records]

Four partitions, keyed records, linger 5 ms, durability "interval". The plain
batches of `batches.py` are the ceiling: the ratio to them is what a producer
and a consumer cost on top.
"""

import sys
import tempfile
import time

from broker_adapter import connect
from broker_adapter.filelog.batch import NewRecord, decode_batch, encode_batch


def main(count: int) -> None:
    """Print one line a record size."""
    for size in (100, 1024):
        keys = [b"k%07d" % n for n in range(count)]
        value = b"v" * size
        with tempfile.TemporaryDirectory() as folder, connect(f"file:{folder}") as broker:
            broker.admin.create_topic("t", 4)
            start = time.perf_counter()
            with broker.producer() as producer:
                for key in keys:
                    producer.send("t", value, key=key)
            produced = count / (time.perf_counter() - start)
            with broker.consumer("t") as consumer:
                start = time.perf_counter()
                found = 0
                while records := consumer.poll():
                    found += len(records)
                consumed = found / (time.perf_counter() - start)
            assert found == count
            waits = []
            with broker.producer() as producer:
                for _ in range(500):
                    start = time.perf_counter()
                    producer.send("t", value)
                    producer.flush()
                    waits.append(time.perf_counter() - start)
        plain: list[NewRecord] = [(1_700_000_000_000, key, value, ()) for key in keys[:500]]
        start = time.perf_counter()
        for _ in range(100):
            batch = encode_batch(plain)
        encoded = 50_000 / (time.perf_counter() - start)
        start = time.perf_counter()
        for _ in range(100):
            decode_batch(batch)
        decoded = 50_000 / (time.perf_counter() - start)
        print(
            f"{size:>5} B: produce {produced:>9,.0f}/s ({produced / encoded:.2f} of encoding), "
            f"consume {consumed:>9,.0f}/s ({consumed / decoded:.2f} of decoding), "
            f"one sent and flushed: {sorted(waits)[250] * 1e6:.0f} us"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 300_000)
