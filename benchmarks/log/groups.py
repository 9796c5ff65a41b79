"""How soon a record reaches a reader, and how soon a killed member's partitions are another's.

    python -m benchmarks.log.groups [kills]

Three tables: one record at a time, a few milliseconds apart, to a reader in
the same process and in another, with the CPU that the reader takes while it
waits and nothing comes; then kills (SIGKILL) of one of three processes that
share 12 partitions, from the kill to the last of the dead one's partitions
being owned by another, and to the first record of it that another has read.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from broker_adapter import Broker, connect
from tests.broker_adapter.member import owned, read_journal

ROOT = Path(__file__).resolve().parents[2]
RECORDS = 400
IDLE_SECONDS = 3.0

READER = """
import sys, time
from broker_adapter import connect
with connect(sys.argv[1]) as broker, broker.consumer("t", auto_offset_reset="latest") as consumer:
    consumer.poll(0)
    print("ready", flush=True)
    began = time.process_time()
    consumer.poll(float(sys.argv[3]))
    print((time.process_time() - began) / float(sys.argv[3]), flush=True)
    left = int(sys.argv[2])
    while left:
        for record in consumer.poll(1.0):
            print(time.monotonic_ns() - int(record.value), flush=True)
            left -= 1
"""


def percentile(values: list[float], share: float) -> float:
    """The value below which `share` of them are."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def send_slowly(broker: Broker, count: int) -> None:
    """A record at a time, its value the time at which it was sent, with pauses between."""
    with broker.producer(linger=0) as producer:
        for n in range(count):
            time.sleep(0.003 + 0.004 * (n % 10))
            producer.send("t", b"%d" % time.monotonic_ns())
            producer.flush()


def latencies() -> None:
    """From `send` to the reader's `poll` returning."""
    with tempfile.TemporaryDirectory() as folder, connect(f"file:{folder}") as broker:
        broker.admin.create_topic("t")
        with broker.consumer("t") as consumer:
            sender = threading.Thread(target=send_slowly, args=(broker, RECORDS))
            sender.start()
            waits: list[float] = []
            while len(waits) < RECORDS:
                waits += [time.monotonic_ns() - int(each.value) for each in consumer.poll(1.0)]
            sender.join()
        report("same process", waits, "")
        command = [sys.executable, "-c", READER, f"file:{folder}", str(RECORDS), str(IDLE_SECONDS)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as reader:
            assert reader.stdout is not None
            assert reader.stdout.readline() == "ready\n"
            idle = float(reader.stdout.readline())
            send_slowly(broker, RECORDS)
            report(
                "another process", [float(line) for line in reader.stdout], f"; idle it takes {idle:.1%} CPU"
            )


def report(what: str, nanoseconds: list[float], more: str) -> None:
    """One line."""
    micros = [each / 1000 for each in nanoseconds]
    print(
        f"one record to {what:16} p50 {percentile(micros, 0.5):7.0f} us  "
        f"p99 {percentile(micros, 0.99):7.0f} us{more}"
    )


def hand_overs(kills: int) -> None:
    """From SIGKILL to the others owning, and reading, what the dead one had."""
    waits: list[float] = []
    with tempfile.TemporaryDirectory() as folder, connect(f"file:{folder}/data") as broker:
        broker.admin.create_topic("t", 12)
        stop = threading.Event()

        def load() -> None:
            with broker.producer() as producer:
                for n in range(1_000_000_000):
                    if stop.wait(0.002):
                        return
                    producer.send("t", b"%d" % n, partition=n % 12)

        sender = threading.Thread(target=load)
        sender.start()
        members: list[tuple[subprocess.Popen[bytes], Path]] = []

        def join() -> None:
            journal = Path(folder) / f"journal-{time.monotonic_ns()}"
            command = [sys.executable, "-m", "tests.broker_adapter.member", f"file:{folder}/data", "t", "g"]
            members.append((subprocess.Popen([*command, str(journal)], cwd=ROOT), journal))

        def settled() -> bool:
            had = [owned(read_journal(journal)) for _, journal in members]
            return sorted(each for mine in had for each in mine) == list(range(12)) and all(had)

        for _ in range(3):
            join()
        for _ in range(kills):
            while not settled():
                time.sleep(0.05)
            time.sleep(0.2)
            process, journal = members.pop(0)
            mine = owned(read_journal(journal))
            killed = time.monotonic_ns()
            process.kill()
            process.wait()
            time.sleep(0.5)
            times = [
                at
                for _, other in members
                for at, what, value in read_journal(other)
                if what == "assigned" and at > killed and mine & set(value)
            ]
            waits.append((max(times) - killed) / 1e6)
            join()
        for process, _ in members:
            process.kill()
            process.wait()
        stop.set()
        sender.join()
    print(
        f"hand-over after SIGKILL, {len(waits)} times: p50 {statistics.median(waits):.1f} ms  "
        f"p90 {percentile(waits, 0.9):.1f} ms  max {max(waits):.1f} ms"
    )


def main(kills: int = 20) -> None:
    """Print all, and how busy the machine was."""
    latencies()
    hand_overs(kills)
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
