"""Reads a log on as it grows, so that what is answered without asking the store is fresh."""

import logging
import threading

from registry.errors import RegistryError
from registry.replica import Replica

_log = logging.getLogger("fivebyte.registry")

_WAIT_SECONDS = 2.0
"""For how long the store is waited for at a time; after that, also a log that lost its end is noticed."""
_REST_SECONDS = 0.1


class Follower:
    """A thread that folds what others append as soon as the store tells of it. It ends with the process."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fivebyte-follower", daemon=True)

    def start(self) -> None:
        """Begin. Once."""
        self._thread.start()

    def stop(self) -> None:
        """Begin to end; does not wait for it."""
        self._stopped.set()

    def _run(self) -> None:
        away = False
        while not self._stopped.is_set():
            try:
                self._replica.follow(_WAIT_SECONDS)
                if away:
                    _log.warning("%s answers again", self._replica.store.url)
                away = False
            except RegistryError as fault:
                if not away and not self._stopped.is_set():
                    _log.warning("%s; answering from memory what cannot change, until it is back", fault)
                away = True
                self._stopped.wait(_REST_SECONDS)
