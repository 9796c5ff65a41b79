"""Several processes on one log, forked or not, and a disk that is full."""

import subprocess
import sys
from pathlib import Path

from broker_adapter.broker import TopicPartition
from broker_adapter.filelog.broker import FileBroker
from tests.broker_adapter.logs import read_all
from tests.broker_adapter.reading import wait_for
from tests.support.needs import ROOT

T0 = TopicPartition("t", 0)


def start(program: str, *arguments: str) -> subprocess.Popen[str]:
    """A process that runs `program` with `arguments`."""
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> str:
    """What it printed; it must have ended well."""
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    return out


SENDER = """
import sys
from broker_adapter import connect
folder, name = sys.argv[1:]
with connect(f"file:{folder}") as broker, broker.producer(batch_size=2000) as producer:
    values = [f"{name} {n}".encode() * 20 for n in range(3000)]
    sent = [producer.send("t", value, key=name.encode(), partition=0) for value in values]
    producer.flush()
    print(*(each.result().offset for each in sent))
"""


def test_processes_append_to_one_partition(tmp_path: Path) -> None:
    with FileBroker(tmp_path) as broker:
        broker.admin.create_topic("t", 1, {"segment.bytes": 1 << 20})
        senders = {name: start(SENDER, str(tmp_path), name) for name in "abc"}
        offsets = {name: [int(n) for n in finish(process).split()] for name, process in senders.items()}
        records = read_all(broker.partition(T0))
    assert [record.offset for record in records] == list(range(9000))
    for name, mine in offsets.items():
        assert [(record.offset, record.value) for record in records if record.key == name.encode()] == [
            (offset, f"{name} {n}".encode() * 20) for n, offset in enumerate(mine)
        ]


FORKER = """
import os, sys
from broker_adapter import connect
from broker_adapter.errors import Closed, FencedMember

broker = connect(f"file:{sys.argv[1]}")
producer = broker.producer(linger=3600)
consumer = broker.consumer("t", group="g")
mine = producer.send("t", b"parent", partition=0)      # gathered, not written
children = []
for n in range(3):
    child = os.fork()
    if child == 0:
        try:
            mine.result(10)
        except Closed:
            pass
        else:
            os._exit(1)
        try:
            consumer.poll()
        except FencedMember:
            pass
        else:
            os._exit(2)
        with broker.producer(linger=0) as own:
            own.send("t", b"own %d" % n, partition=0).result(10)
        producer.send("t", b"child %d" % n, partition=0)
        producer.flush()
        os._exit(0)
    children.append(child)
for child in children:
    assert os.waitpid(child, 0)[1] == 0, child
producer.flush()
assert mine.result(0).offset == 6
print("forked", flush=True)
sys.stdin.readline()                                    # a member until it is told to end
consumer.close()
broker.close()
"""


def test_forked_children_write_their_own_and_only_once(tmp_path: Path) -> None:
    with FileBroker(tmp_path) as broker:
        broker.admin.create_topic("t")
        parent = subprocess.Popen(
            [sys.executable, "-c", FORKER, str(tmp_path)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        with parent:
            assert parent.stdout is not None
            assert parent.stdin is not None
            assert parent.stdout.readline() == "forked\n"
            (member,) = broker.admin.describe_group("g").members
            assert (member.client_id, member.partitions) == (f"pid {parent.pid}", (T0,))
            parent.stdin.write("end\n")
        assert parent.returncode == 0
        records = read_all(broker.partition(T0))
        assert sorted(record.value or b"" for record in records) == sorted(
            [b"parent", *(b"own %d" % n for n in range(3)), *(b"child %d" % n for n in range(3))]
        )
        assert "g" not in broker.admin.groups()  # nobody is left, and nothing was committed


ORPHAN = """
import os, sys, time
from broker_adapter import connect
broker = connect(f"file:{sys.argv[1]}")
consumer = broker.consumer("t", group="g")
ours, childs = os.pipe()
if os.fork() == 0:
    os.write(childs, b"!")
    sys.stdin.readline()                                # outlives the member
    os._exit(0)
os.read(ours, 1)                                        # the child runs
os._exit(0)                                             # as if killed: nothing is closed
"""


def test_a_dead_members_child_does_not_keep_the_group(tmp_path: Path) -> None:
    with FileBroker(tmp_path) as broker:
        broker.admin.create_topic("t")
        process = subprocess.Popen(
            [sys.executable, "-c", ORPHAN, str(tmp_path)], cwd=ROOT, stdin=subprocess.PIPE, text=True
        )
        with process:
            assert process.wait() == 0
            with broker.consumer("t", group="g") as consumer:
                assert consumer.assignment() == {T0}


def test_a_killed_member_leaves_the_group_free(tmp_path: Path) -> None:
    program = """
import sys
from broker_adapter import connect
broker = connect(f"file:{sys.argv[1]}")
consumer = broker.consumer("t", group="g")
consumer.poll()
consumer.commit()
print("joined", flush=True)
sys.stdin.readline()
"""
    with FileBroker(tmp_path) as broker:
        broker.admin.create_topic("t")
        with broker.producer() as producer:
            producer.send("t", b"v")
        member = subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        with member:
            assert member.stdout is not None
            assert member.stdout.readline() == "joined\n"
            with broker.consumer("t", group="g") as consumer:
                assert consumer.poll() == []
                assert consumer.assignment() == frozenset()
                member.kill()
                wait_for(lambda: consumer.poll() == [] and consumer.assignment() == {T0})
                assert consumer.committed(T0) == 1


FULL_DISK = """
import resource, signal, sys
from broker_adapter import connect
from broker_adapter.errors import LogIOError

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with connect(f"file:{sys.argv[1]}") as broker, broker.producer(linger=0) as producer:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    good = 0
    for size in (5_000, 5_001, 4_097):
        # Room for a few records and a part of one more: the system writes that part, then fails.
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000 + good * 5_100, hard))
        while producer.send("t", b"%d" % good * size, partition=0).done():
            try:
                producer.flush()
            except LogIOError as error:
                assert error.retriable and "File too large" in str(error), error
                break
            good += 1
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert producer.send("t", b"room again", partition=0).result(0).offset == good
        good += 1
    print(good)
"""


def test_a_full_disk_cuts_nothing_and_writing_goes_on(tmp_path: Path) -> None:
    with FileBroker(tmp_path) as broker:
        broker.admin.create_topic("t")
        good = int(finish(start(FULL_DISK, str(tmp_path))))
        assert good > 5
        records = read_all(broker.partition(T0))
        assert [record.offset for record in records] == list(range(good))
        for record in records:
            value = record.value or b""
            assert value in {
                b"room again",
                b"%d" % record.offset * (len(value) // len(b"%d" % record.offset)),
            }
