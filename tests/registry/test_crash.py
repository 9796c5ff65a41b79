"""kill -9 while clients register: what was acknowledged stays, and no id gets two schemas."""

import random
import threading
from pathlib import Path

import httpx2

from tests.registry.samples import avro
from tests.support.server import running_registry

CLIENTS = 4
ROUNDS = 6


class Client:
    """Registers schemas until the server is gone; keeps what was acknowledged."""

    def __init__(self, url: str, name: int, round_number: int, enough: threading.Event) -> None:
        self.acknowledged: list[tuple[str, int, str, int]] = []
        self._url = url
        self._name = f"{round_number}_{name}"
        self._round = round_number
        self._enough = enough

    def run(self) -> None:
        with httpx2.Client(base_url=self._url, timeout=30) as client:
            for n in range(100_000):
                # Half are this client's own, half are every client's.
                subject, text = (
                    ("shared", avro(f"Shared{self._round}_{n // 2}"))
                    if n % 2
                    else (f"own{self._name}", avro(f"Own{self._name}_{n}"))
                )
                path = f"/subjects/{subject}/versions?force=true"
                try:
                    answer = client.post(path, json={"schema": text})
                except httpx2.TransportError:
                    return
                assert answer.status_code == 200, answer.text
                body = answer.json()
                self.acknowledged.append((subject, body["version"], text, body["id"]))
                if len(self.acknowledged) >= 10:
                    self._enough.set()


def test_kill_9_while_clients_register(tmp_path: Path) -> None:
    moments = random.Random(5)
    acknowledged: list[tuple[str, int, str, int]] = []
    with running_registry(f"sqlite:///{tmp_path}/registry.db", workers=2) as server:
        for round_number in range(ROUNDS):
            enough = threading.Event()
            clients = [Client(server.url, n, round_number, enough) for n in range(CLIENTS)]
            threads = [threading.Thread(target=client.run) for client in clients]
            for thread in threads:
                thread.start()
            assert enough.wait(60)
            threading.Event().wait(moments.random() * 0.1)  # any moment of an append will do
            server.kill()
            for thread in threads:
                thread.join()
            for client in clients:
                acknowledged += client.acknowledged
            server.start()
            _check(server.url, acknowledged)


def _check(url: str, acknowledged: list[tuple[str, int, str, int]]) -> None:
    with httpx2.Client(base_url=url) as client:
        by_id: dict[int, str] = {}
        for subject, version, text, number in acknowledged:
            assert by_id.setdefault(number, text) == text
            if version % 7 == 0:  # each version is one request: a sample of them is asked for
                got = client.get(f"/subjects/{subject}/versions/{version}").json()
                assert (got["id"], got["schema"]) == (number, text)
        for number, text in by_id.items():
            assert client.get(f"/schemas/ids/{number}").json()["schema"] == text
        assert len(set(by_id.values())) == len(by_id)  # and one id for one schema
        for subject in {entry[0] for entry in acknowledged}:
            listed = client.get(f"/subjects/{subject}/versions").json()
            assert listed == list(range(1, len(listed) + 1))
