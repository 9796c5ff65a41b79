"""The callbacks of deliveries: called in order, by one thread at a time, under no lock of a producer's."""

import logging
import threading
import time
from collections import deque
from threading import get_ident

from broker_adapter.broker import Delivery, DeliveryCallback
from broker_adapter.errors import DeliveryTimeout

_log = logging.getLogger(__name__)
_NOBODY = -1


class Callbacks:
    """What of one producer is to be called. Any thread."""

    def __init__(self) -> None:
        self.due: deque[tuple[DeliveryCallback, Delivery]] = deque()
        """Add to its end, then `call`."""
        self.after_fork()

    def after_fork(self) -> None:
        """In a forked child: the parent calls what is due."""
        self.due.clear()
        self._calling = threading.Lock()
        self._caller = _NOBODY

    def call(self) -> None:
        """Call all that are due, unless a thread is at it: it calls these, too."""
        # That one may be about to let go, so whoever does looks once more.
        while self.due and self._calling.acquire(blocking=False):
            self._call_all()

    def all_called(self, deadline: float | None) -> None:
        """Call all that are due, and wait, until `deadline` of the monotonic clock, for who is calling one.

        Within a callback it does nothing: what is due is called after that one. Raises `DeliveryTimeout`.
        """
        if self._caller == get_ident():
            return
        timeout = -1 if deadline is None else max(deadline - time.monotonic(), 0)
        if not self._calling.acquire(timeout=timeout):
            raise DeliveryTimeout("all is written, and an on_delivery is still running; flush again")
        self._call_all()
        self.call()

    def _call_all(self) -> None:
        self._caller = get_ident()
        try:
            while self.due:
                callback, delivery = self.due.popleft()
                try:
                    callback(delivery)
                except Exception:  # noqa: BLE001 - it is theirs, and nobody else's record is to fail for it
                    _log.exception("an on_delivery raised")
        finally:
            self._caller = _NOBODY
            self._calling.release()
