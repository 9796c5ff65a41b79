"""Serializers whose registry is slow, dead, flapping, or none: the right error, an end, and recovery."""

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from serde import (
    AvroDeserializer,
    AvroSerializer,
    DeserializationError,
    RegistryBusy,
    RegistryClient,
    RegistryError,
    RegistryUnreachable,
    SerdeError,
)
from serde.framing import prefix
from tests.serde.faces import Client, deserializer, of, on_both, opened, run, serializer
from tests.serde.servers import Behaving, sent, silent
from tests.support.server import running_registry

GOOD = sent(200, {"id": 7, "version": 1, "subject": "t-value", "schema": '"int"'})
MESSAGE = prefix(7) + b"\x02"
MID_ANSWER = GOOD[: len(GOOD) - 10]
PAGE = sent(200, "<html><b>Log in</b></html>", kind="text/html")
FAULTS: dict[str, tuple[Any, type[SerdeError]]] = {
    "slow": (silent, RegistryUnreachable),
    "closing": (b"", RegistryUnreachable),
    "closing in mid-answer": (MID_ANSWER, RegistryUnreachable),
    "HTML": (PAGE, RegistryUnreachable),
    "500": (sent(500, {"error_code": 50001, "message": "store"}), RegistryError),
    "an HTML 500": (sent(500, "<html>oops</html>", kind="text/html"), RegistryError),
    "503": (sent(503, {"error_code": 50301, "message": "starting"}), RegistryBusy),
    "429, much later": (sent(429, {"error_code": 429, "message": "easy"}, "Retry-After: 100"), RegistryBusy),
}


@on_both
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_ends_with_the_right_error_and_then_it_goes_on(kind: type[Client], fault: str) -> None:
    behaviour, error = FAULTS[fault]
    calls: list[tuple[Callable[[Client], Any], Any]] = [
        (lambda client: serializer(client, '"int"')(1, "t"), MESSAGE),
        (lambda client: serializer(client, use_latest=True)(1, "t"), MESSAGE),
        (lambda client: deserializer(client)(MESSAGE, "t"), 1),
    ]

    async def scenario() -> None:
        for call, expected in calls:
            server = Behaving(behaviour, GOOD)
            with server.listening() as url:
                # Only what never comes is to be waited for in vain.
                timeout = 0.3 if fault == "slow" else 10
                async with opened(kind, url, timeout=timeout, retries=0) as client:
                    with pytest.raises(error) as caught:
                        await of(call(client))
                    assert not isinstance(caught.value, DeserializationError)  # the message may be good
                    assert caught.value.is_transient  # type: ignore[attr-defined]
                    if fault == "slow":
                        client._exchange._timeout = 10  # a busy machine may take its time for a good answer
                    assert await of(call(client)) == expected
            assert len(server.requests) == 2

    run(scenario())


@on_both
def test_what_passes_while_it_waits_is_no_fault(kind: type[Client]) -> None:
    busy = sent(429, {"error_code": 429, "message": "easy"}, "Retry-After: 0")

    async def scenario() -> None:
        for one in (b"", MID_ANSWER, busy):
            with Behaving(one, one, GOOD).listening() as url:
                async with opened(kind, url, timeout=5) as client:
                    assert await of(serializer(client, '"int"')(1, "t")) == MESSAGE
        with Behaving(busy).listening() as url:
            async with opened(kind, url, timeout=5) as client:
                with pytest.raises(RegistryBusy) as caught:
                    await of(deserializer(client)(MESSAGE))
                assert caught.value.retry_after == 0

    run(scenario())


@on_both
def test_a_deadline_ends_what_is_repeated(kind: type[Client]) -> None:
    async def scenario() -> None:
        with Behaving(silent).listening() as url:
            options = {"timeout": 0.1, "deadline": 0.3, "retries": 1000}
            async with opened(kind, url, **options) as client:
                with pytest.raises(RegistryUnreachable):
                    await of(deserializer(client)(MESSAGE))

    run(scenario())


def test_a_message_of_a_known_schema_needs_no_registry(tmp_path: Path) -> None:
    """A registry that is killed and comes back: what is known goes on, the rest says so, all recovers."""
    store = f"sqlite:///{tmp_path}/schemas.db"
    with running_registry(store) as server, RegistryClient(server.url, timeout=10, retries=0) as client:
        serialize, deserialize = AvroSerializer(client, '"int"'), AvroDeserializer(client)
        latest = AvroSerializer(client, use_latest=True)
        message = serialize(1, "known")
        assert latest(1, "known") == message
        stop = threading.Event()
        seen: list[str] = []
        fault: list[BaseException] = []

        def work() -> None:
            number = 0
            try:
                while not stop.is_set():
                    number += 1
                    assert serialize(1, "known") == latest(1, "known") == message
                    assert deserialize(message) == 1
                    try:
                        made = serialize(1, f"new-{number}")
                    except RegistryUnreachable:
                        seen.append("away")
                    else:
                        assert made == message  # the schema is the same, so is its id
                        seen.append("there")
                    time.sleep(0.002)
            except BaseException as error:  # noqa: BLE001 - told by the test
                fault.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        try:
            for event in (server.kill, server.start):
                before = len(seen)
                event()
                wanted = "away" if event == server.kill else "there"
                while wanted not in seen[before + 1 :] and not fault:
                    time.sleep(0.01)
        finally:
            stop.set()
            thread.join()
        assert not fault, fault
        assert AvroSerializer(client, json.dumps("string"))("x", "another")[:5] == prefix(2)  # type: ignore[index]
