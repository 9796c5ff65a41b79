"""Reads a log on as it grows, so that what is answered without asking the store is fresh."""

import logging
import threading
import time
from collections.abc import Callable

from registry.errors import RegistryError
from registry.replica import Replica

_log = logging.getLogger("fivebyte.registry")

_WAIT_SECONDS = 2.0
"""For how long the store is waited for at a time; after that, also a log that lost its end is noticed."""
_REST_SECONDS = 0.1


class Follower(threading.Thread):
    """Folds what others append as soon as the store tells of it. It ends with the process.

    followed: called each time the fold was found to be, or brought, at the log's head.
    """

    def __init__(self, replica: Replica, followed: Callable[[], object] = lambda: None) -> None:
        super().__init__(name="fivebyte-follower", daemon=True)
        self._replica = replica
        self._followed = followed

    def run(self) -> None:
        """See `threading.Thread`."""
        well = True
        while True:
            try:
                self._replica.follow(_WAIT_SECONDS)
                self._followed()
                if not well:
                    _log.warning("%s answers again", self._replica.store.url)
                well = True
            except Exception as fault:  # noqa: BLE001 - nobody else reads on: whatever it was, try again
                if well:
                    self._tell(fault)
                well = False
                time.sleep(_REST_SECONDS)

    def _tell(self, fault: Exception) -> None:
        if isinstance(fault, RegistryError):
            _log.warning("%s; answering from memory what cannot change, until it is back", fault)
        else:
            _log.error("%s: reading on failed; trying again", self._replica.store.url, exc_info=fault)
