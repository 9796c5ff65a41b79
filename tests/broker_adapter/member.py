"""A program: a consumer in a group that writes down what it does, until it is told to end.

    python -m tests.broker_adapter.member URL TOPIC GROUP JOURNAL [NAME=SECONDS ...]

The journal has a line an event: the monotonic time (of this machine, the same
in all processes) in nanoseconds, what happened, and a JSON value. It ends when
the file JOURNAL.stop is there.
"""

import json
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from broker_adapter import connect
from broker_adapter.errors import FencedMember


def main(url: str, topic: str, group: str, journal: str, *times: str) -> None:
    """Poll, write down, commit."""
    stop = Path(f"{journal}.stop")
    with Path(journal).open("a", buffering=1) as file, connect(url) as broker:

        def note(event: str, value: Any = None) -> None:
            file.write(f"{time.monotonic_ns()} {event} {json.dumps(value)}\n")

        def listener(event: str) -> Any:
            return lambda partitions: note(event, sorted(each.partition for each in partitions))

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
                    places = {each: consumer.position(each) for each in consumer.assignment()}
                    consumer.commit(places)
                    note("committed", {each.partition: offset for each, offset in places.items()})
                except FencedMember as error:
                    note("fenced", str(error))
        note("left")


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main(*sys.argv[1:])
