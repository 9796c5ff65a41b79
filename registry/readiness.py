"""Whether a registry can answer: its log answers, and the fold is at the log's head."""

import threading
from concurrent.futures import Future

from registry.errors import NotReadyError, RegistryError
from registry.replica import Replica

SECONDS = 2.0
"""How long a check may take. A store may be silent for longer before it is taken to be away."""


class Readiness:
    """Checks one at a time, on a thread of its own: who asks meanwhile waits for the same, for a while."""

    def __init__(self, replica: Replica, seconds: float = SECONDS) -> None:
        self._replica = replica
        self._seconds = seconds
        self._asking = threading.Lock()
        self._running: Future[int] | None = None

    def check(self) -> int:
        """The log's head, up to which everything is folded.

        Raises NotReadyError.
        """
        with self._asking:
            if self._running is None or self._running.done():
                self._running = Future()
                threading.Thread(target=self._sync, args=(self._running,), daemon=True).start()
            running = self._running
        try:
            return running.result(self._seconds)
        except TimeoutError:
            raise NotReadyError(
                f"{self._replica.store.url} did not answer within {self._seconds:g} s, "
                f"or there is much to read after position {self._replica.state.position}"
            ) from None
        except RegistryError as fault:
            raise NotReadyError(str(fault)) from fault

    def _sync(self, result: Future[int]) -> None:
        try:
            with self._replica.synced() as state:
                result.set_result(state.position)
        except Exception as fault:  # noqa: BLE001 - it is for who waits for the result
            result.set_exception(fault)
