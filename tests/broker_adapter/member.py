"""A program: a consumer in a group that writes down what it does, until it is told to end.

    python -m tests.broker_adapter.member URL TOPIC GROUP JOURNAL [NAME=SECONDS ...]

The journal has a line an event: the monotonic time (of this machine, the same
in all processes) in nanoseconds, what happened, and a JSON value. It ends when
the file JOURNAL.stop is there. At SIGUSR1 its wall clock jumps.
"""

import json
import random
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from broker_adapter import connect
from broker_adapter.errors import FencedMember


class Event(NamedTuple):
    """A line of a journal."""

    at: int
    """Nanoseconds of the machine's monotonic clock."""
    what: str
    value: Any


def read_journal(path: Path) -> list[Event]:
    """What a member wrote down so far. The last line may be cut short, if it was killed."""
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    parts = (line.split(" ", 2) for line in lines if line.endswith("\n"))
    return [Event(int(at), what, json.loads(value)) for at, what, value in parts]


def owned(journal: list[Event]) -> set[int]:
    """The partitions that a member has at the end of its journal."""
    had: set[int] = set()
    for _, what, value in journal:
        if what == "assigned":
            had |= set(value)
        elif what in {"revoked", "lost"}:
            had -= set(value)
    return had


def jump(*_: object) -> None:
    """Set this process's wall clock, by up to ten years."""
    offset = random.randrange(-(10**7), 3 * 10**8) * 10**9
    now = time.clock_gettime_ns
    time.time_ns = lambda: now(time.CLOCK_REALTIME) + offset
    time.time = lambda: (now(time.CLOCK_REALTIME) + offset) / 1e9


def main(url: str, topic: str, group: str, journal: str, *times: str) -> None:
    """Poll, write down, commit."""
    signal.signal(signal.SIGUSR1, jump)
    stop = Path(f"{journal}.stop")
    with Path(journal).open("a", buffering=1) as file, connect(url) as broker:

        def note(what: str, value: Any = None) -> None:
            file.write(f"{time.monotonic_ns()} {what} {json.dumps(value)}\n")

        def listener(what: str) -> Any:
            return lambda partitions: note(what, sorted(each.partition for each in partitions))

        options: dict[str, Any] = {
            name: float(value) for name, _, value in (each.partition("=") for each in times)
        }
        consumer = broker.consumer(
            topic,
            group=group,
            on_assign=listener("assigned"),
            on_revoke=listener("revoked"),
            on_lost=listener("lost"),
            **options,
        )
        with consumer:
            note("joined")
            while not stop.exists():
                note("polls")
                try:
                    records = consumer.poll(0.05, 100)
                    if not records:
                        continue
                    seen: dict[int, list[int]] = {}
                    for record in records:
                        seen.setdefault(record.partition, []).append(record.offset)
                    note("read", seen)
                    consumer.commit()
                except FencedMember as error:
                    note("fenced", str(error))
        note("left")


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main(*sys.argv[1:])
