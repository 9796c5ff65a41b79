"""Writers and readers of one partition, forked where Python is warm.

``python -m tests.broker_adapter.nursery FOLDER``

Says ``ready``, then takes lines: ``write WRITER SEQUENCE`` forks an idempotent
writer that goes on after SEQUENCE records, ``read NAME`` a reader; the answer is
the child's process id. Children live until they are killed; a reader ends when
the file ``stop`` is there and all is read.

What a writer writes follows from its name and the sequence number, so one that
takes a dead one's place sends again just what that one may have sent. Each
batch that was acknowledged is a line ``<base offset> <sequence> <count>`` in
``WRITER.said``, and one that was there already leaves a file ``.again``. A
reader says how it went in ``NAME.said``.
"""

import hashlib
import os
import random
import signal
import sys
import traceback
from pathlib import Path

from broker_adapter.broker import Durability, TopicPartition
from broker_adapter.filelog.batch import NewRecord, encode_batch
from broker_adapter.filelog.broker import FileBroker
from broker_adapter.filelog.reader import LogReader
from tests.broker_adapter.appender import is_whole, value_of

T0 = TopicPartition("t", 0)


def batch_after(writer: str, sequence: int) -> list[NewRecord]:
    """What `writer` sends after `sequence` records."""
    choose = random.Random(f"{writer} {sequence}")
    is_large = choose.random() < 0.15
    count = choose.randint(1, 4 if is_large else 15)
    smallest, largest = (100_000, 400_000) if is_large else (30, 2_000)
    return [
        (1_700_000_000_000 + n, b"%d" % n, value_of(writer, n, choose.randint(smallest, largest)), ())
        for n in range(sequence, sequence + count)
    ]


def write(folder: Path, writer: str, sequence: int) -> None:
    """Append for ever, durably and numbered."""
    with (
        (folder / f"{writer}.said").open("ab", buffering=0) as said,
        FileBroker(folder, Durability.BATCH) as broker,
    ):
        partition = broker.partition(T0)
        producer = int.from_bytes(writer.encode(), "big")
        while True:
            records = batch_after(writer, sequence)
            data = encode_batch(records, producer=(producer, 0, sequence))
            base, _, is_duplicate = partition.append_batch(data, sync=True)
            said.write(f"{base} {sequence} {len(records)}\n".encode())
            if is_duplicate:
                (folder / f"{writer}-{sequence}.again").touch()
            sequence += len(records)


def read(folder: Path, name: str) -> None:
    """Read on until told to stop, and say a digest of what was read."""
    seen = hashlib.sha256()
    with FileBroker(folder) as broker:
        reader = LogReader(broker.partition(T0), 0)
        due = 0
        is_last = False
        while True:
            records = reader.read(1 << 20)
            for record in records:
                assert record.offset == due, (record.offset, due)
                assert record.value is not None
                assert is_whole(record.value), record.offset
                seen.update(record.value[:60])
                due += 1
            if not records:
                if is_last:
                    break
                is_last = (folder / "stop").exists()
                broker.partition(T0).wait(due, 0.01)
    (folder / f"{name}.said").write_text(f"{due} {seen.hexdigest()}")


def main(folder: Path) -> None:
    """Fork what is asked for."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        what, name, *rest = line.split()
        child = os.fork()
        if child == 0:
            try:
                if what == "write":
                    write(folder, name, int(rest[0]))
                else:
                    read(folder, name)
            except BaseException:  # noqa: BLE001 - told to the test
                (folder / f"{name}.failed").write_text(traceback.format_exc())
            os._exit(0)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
