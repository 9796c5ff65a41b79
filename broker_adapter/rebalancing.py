"""What a consumer of any broker tells its user when its group gives it partitions or takes them."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final, TypeAlias

from broker_adapter.errors import InvalidConfig
from broker_adapter.nouns import TopicPartition

RebalanceCallback: TypeAlias = Callable[[frozenset[TopicPartition]], None]
"""Called with partitions that were given or taken, within `poll`, an iteration or `close`.

It may commit, seek and pause. What it raises is raised by the call that it was called in.
"""


@dataclass(frozen=True)
class Listener:
    """The callbacks of one consumer, each of which may be missing."""

    on_assign: RebalanceCallback | None = None
    on_revoke: RebalanceCallback | None = None
    on_lost: RebalanceCallback | None = None

    def assigned(self, partitions: Collection[TopicPartition]) -> None:
        """The consumer reads `partitions` from now on, too."""
        self._tell(self.on_assign, partitions)

    def revoked(self, partitions: Collection[TopicPartition]) -> None:
        """The consumer is about to let go of `partitions`, and can still commit for them."""
        self._tell(self.on_revoke, partitions)

    def lost(self, partitions: Collection[TopicPartition]) -> None:
        """Others may have `partitions` already. As `revoked` where nobody listens for this."""
        self._tell(self.on_lost or self.on_revoke, partitions)

    @staticmethod
    def _tell(callback: RebalanceCallback | None, partitions: Collection[TopicPartition]) -> None:
        if callback is not None and partitions:
            callback(frozenset(partitions))


MAX_POLL_INTERVAL: Final = 300.0
SESSION_TIMEOUT: Final = 45.0
"""Kafka's defaults, in seconds."""


def checked_times(max_poll_interval: float | None, session_timeout: float | None) -> tuple[float, float]:
    """The two times of a member, in seconds; None is Kafka's default. Raises `InvalidConfig`."""
    longest = MAX_POLL_INTERVAL if max_poll_interval is None else max_poll_interval
    session = min(SESSION_TIMEOUT, longest) if session_timeout is None else session_timeout
    if not 0 < longest < 1e9 or not 0 < session < 1e9:
        raise InvalidConfig(
            f"max_poll_interval={longest} and session_timeout={session} must be seconds above 0"
        )
    return longest, session
