"""Jobs for later, on a few threads that come and go."""

import threading

from serde.background import Background


def test_every_job_is_done_whenever_it_comes() -> None:
    """Also one that comes just as the last thread finds nothing to do."""
    background = Background()
    for _ in range(3000):
        done = threading.Event()
        background.later(0, done.set)
        assert done.wait(20)


def test_jobs_are_done_in_the_order_of_their_time_and_none_waits_for_a_later_one() -> None:
    background = Background()
    done: list[str] = []
    last = threading.Event()
    background.later(3600, lambda: done.append("never"))

    def second() -> None:
        done.append("second")
        last.set()

    background.later(0.2, second)
    background.later(0.01, lambda: done.append("first"))
    assert last.wait(20)
    assert done == ["first", "second"]
    background.close()
    background.later(0, lambda: done.append("closed"))
    assert done == ["first", "second"]


def test_four_at_once_and_not_more() -> None:
    background = Background()
    running = threading.Semaphore(0)
    go, fifth = threading.Event(), threading.Event()

    def job() -> None:
        running.release()
        go.wait(20)

    for _ in range(4):
        background.later(0, job)
        assert running.acquire(timeout=20)
    background.later(0, fifth.set)
    assert not fifth.wait(0.05)
    go.set()
    assert fifth.wait(20)
