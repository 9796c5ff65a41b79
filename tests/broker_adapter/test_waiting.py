"""Waiting: who is told does not wait for its own next look, and who is not told looks again by itself."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from broker_adapter.filelog import waiting
from broker_adapter.filelog.broker import FileBroker
from broker_adapter.filelog.waiting import Waiter, wake
from tests.broker_adapter.reading import PATIENCE, wait_for
from tests.support.needs import ROOT, need

NEVER = 3600.0


@pytest.fixture
def only_when_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks again by itself: a test ends only if it was told."""
    for name in ("_FIRST_PAUSE", "_FIRST_TOLD_PAUSE", "_LONGEST_PAUSE"):
        monkeypatch.setattr(waiting, name, NEVER)


@pytest.fixture(params=["inotify", "without"])
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A system that tells of files, and one that does not."""
    if request.param == "without":

        def none(_: object) -> None:
            raise OSError("none here")

        monkeypatch.setattr(waiting._Inotify, "__init__", none)
    return str(request.param)


def test_a_thread_of_this_process_is_woken(tmp_path: Path, only_when_told: None, system: str) -> None:
    is_there = threading.Event()
    waiter = Waiter(is_there.is_set, lambda: [tmp_path])
    found: list[bool] = []
    thread = threading.Thread(target=lambda: found.append(waiter.wait(None)))
    thread.start()
    wait_for(lambda: tmp_path in waiting._waiters.by_folder)
    wake(tmp_path / "another")
    wake(tmp_path)  # and there is nothing yet: it goes on waiting
    is_there.set()
    while not found:
        wake(tmp_path)
    thread.join(PATIENCE)
    assert found == [True]
    assert tmp_path not in waiting._waiters.by_folder
    waiter.close()


def test_what_another_process_writes_is_told_by_the_kernel(tmp_path: Path, only_when_told: None) -> None:
    need(sys.platform == "linux", "only Linux has inotify")
    changed: list[bool] = []
    log, other = tmp_path / "log", tmp_path / "other"
    for folder in (log, other):
        folder.mkdir()
    (log / "a").write_bytes(b"")
    waiter = Waiter(
        lambda: (log / "a").read_bytes() != b"", lambda: [log], [other], lambda: changed.append(True)
    )
    thread = threading.Thread(target=lambda: changed.append(not waiter.wait(None)))
    thread.start()
    wait_for(lambda: log in waiting._waiters.by_folder)
    script = 'printf x > "$1/state.tmp"; mv "$1/state.tmp" "$1/state"'
    while not changed:  # it may not have begun to listen
        subprocess.run(["sh", "-c", script, "sh", other], check=True)
    while thread.is_alive():
        subprocess.run(["sh", "-c", 'printf x >> "$1/a"', "sh", log], check=True)
    assert changed[-1] is False
    assert set(changed[:-1]) == {True}
    waiter.close()


@pytest.mark.usefixtures("system")
def test_who_is_not_told_looks_again(tmp_path: Path) -> None:
    looks = iter([False] * 20 + [True] * 2)
    waiter = Waiter(lambda: next(looks), lambda: [tmp_path / "not there"])
    assert waiter.wait(None)
    never = Waiter(lambda: False, lambda: [tmp_path])
    assert not never.wait(0)
    assert not never.wait(0.05)
    never.close()


def test_a_waiter_gives_back_what_it_took(tmp_path: Path) -> None:
    def open_files() -> int:
        return len(os.listdir("/proc/self/fd"))  # noqa: PTH208

    need(Path("/proc/self/fd").is_dir(), "this system does not say which files are open")
    before = open_files()
    waiters = [Waiter(lambda: False, lambda: [tmp_path]) for _ in range(5)]
    for waiter in waiters:
        waiter.wait(0.001)
    assert open_files() > before
    for waiter in waiters:
        waiter.close()
        waiter.close()
    assert open_files() == before


PARENT = """
import os, sys
from broker_adapter import connect
with connect(f"file:{sys.argv[1]}") as broker:
    consumer = broker.consumer("t")
    assert consumer.poll(0.01) == []                    # it has begun to listen
    child = os.fork()
    if child:
        print("forked", flush=True)
    else:
        records = consumer.poll(60)                     # on its own, not on what the parent listens to
        os._exit(len(records))
    records = consumer.poll(60)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == len(records) == 1
"""


def test_a_child_waits_on_its_own(tmp_path: Path) -> None:
    with FileBroker(tmp_path) as broker:
        broker.admin.create_topic("t")
        parent = subprocess.Popen(
            [sys.executable, "-c", PARENT, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        with parent, broker.producer() as producer:
            assert parent.stdout is not None
            assert parent.stdout.readline() == "forked\n"
            producer.send("t", b"v").result()
        assert parent.returncode == 0
