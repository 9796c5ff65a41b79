"""How many files a process has open: a bounded number, however long the logs are."""

import subprocess
import sys
from pathlib import Path

from broker_adapter import connect
from tests.support.needs import ROOT

PARTITIONS, RECORDS, LIMIT = 6, 140, 120
READER = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[2]), int(sys.argv[2])))
from broker_adapter import connect

def opened():
    files = [os.path.realpath("/proc/self/fd/" + name) for name in os.listdir("/proc/self/fd")]
    return sum(name.endswith(".log") for name in files)

with connect("file:" + sys.argv[1]) as broker, broker.consumer("t", idle_timeout=1) as consumer:
    records = most = 0
    for batch in consumer.batches(2):
        records += len(batch)
        most = max(most, opened())
print(records, most)
"""


def test_a_process_with_few_files_reads_many_long_partitions(tmp_path: Path) -> None:
    with connect(f"file:{tmp_path}") as broker:
        broker.admin.create_topic("t", PARTITIONS, {"segment.bytes": 1 << 20})
        with broker.producer(linger=0) as producer:
            for n in range(RECORDS):
                for partition in range(PARTITIONS):
                    producer.send("t", b"%100000d" % n, partition=partition)
    assert len(list(tmp_path.glob("t-*/*.log"))) > 10 * PARTITIONS
    done = subprocess.run(
        [sys.executable, "-c", READER, str(tmp_path), str(LIMIT)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    records, most = map(int, done.stdout.split())
    assert records == PARTITIONS * RECORDS
    assert PARTITIONS < most <= 2 * PARTITIONS + LIMIT // 4 // 3
