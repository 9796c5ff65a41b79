"""Kafka's topic settings that change nothing in a folder on one machine, and those that cannot be had.

Owns nothing; tables. What is taken without effect is kept and shown again, so
that the settings of a topic of Kafka's can be given as they are. A setting
whose effect a user would miss is refused, with the reason.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from broker_adapter.errors import InvalidConfig
from broker_adapter.filelog.setting_values import INT_MAX, LONG_MAX, flag, number, replicas


class Other(NamedTuple):
    """A setting that is taken without effect."""

    parse: Callable[[object], int | str]
    """Takes what Kafka takes. Raises `InvalidConfig`."""
    why: str
    """Why nothing comes of it."""


def _gzip_level(given: object) -> int:
    level = number("compression.gzip.level", -1, 9)(given)
    if level == 0:
        raise InvalidConfig("compression.gzip.level=0 is out of range; give 1 to 9, or -1 for the default")
    return level


def _remote_storage(given: object) -> str:
    if flag("remote.storage.enable")(given) == "true":
        raise InvalidConfig(
            "remote.storage.enable=true cannot be had: a file log keeps all it has in its folder. Leave it "
            "false, and set retention.ms or retention.bytes to what the disk has room for"
        )
    return "false"


_ONE_COPY: Final = "there is one copy, on this machine: see `durability`"
_DEFAULT_LEVEL: Final = "a codec is used at its own default level"
_NO_REPLICAS: Final = "there are no replicas to be throttled"
_NO_REMOTE: Final = "nothing is stored elsewhere: `retention.ms` and `retention.bytes` hold"

WITHOUT_EFFECT: Final[dict[str, Other]] = {
    "compression.gzip.level": Other(_gzip_level, _DEFAULT_LEVEL),
    "compression.lz4.level": Other(number("compression.lz4.level", 1, 17), _DEFAULT_LEVEL),
    "compression.zstd.level": Other(number("compression.zstd.level", -131072, 22), _DEFAULT_LEVEL),
    "file.delete.delay.ms": Other(
        number("file.delete.delay.ms", 0, LONG_MAX),
        "files are deleted at once; who has one open reads it to its end",
    ),
    "follower.replication.throttled.replicas": Other(
        replicas("follower.replication.throttled.replicas"), _NO_REPLICAS
    ),
    "leader.replication.throttled.replicas": Other(
        replicas("leader.replication.throttled.replicas"), _NO_REPLICAS
    ),
    "local.retention.bytes": Other(number("local.retention.bytes", -2, LONG_MAX), _NO_REMOTE),
    "local.retention.ms": Other(number("local.retention.ms", -2, LONG_MAX), _NO_REMOTE),
    "min.insync.replicas": Other(number("min.insync.replicas", 1, INT_MAX), _ONE_COPY),
    "preallocate": Other(flag("preallocate"), "a segment's file grows as it is written"),
    "remote.log.copy.disable": Other(flag("remote.log.copy.disable"), _NO_REMOTE),
    "remote.log.delete.on.disable": Other(flag("remote.log.delete.on.disable"), _NO_REMOTE),
    "remote.storage.enable": Other(_remote_storage, "only `false` is taken: nothing is stored elsewhere"),
    "segment.jitter.ms": Other(
        number("segment.jitter.ms", 0, LONG_MAX), "a segment is begun when `segment.ms` says so"
    ),
    "unclean.leader.election.enable": Other(
        flag("unclean.leader.election.enable"), "there is no leader to be elected"
    ),
}

NO_MORE: Final[dict[str, str]] = {
    "message.downconversion.enable": "records are given to readers as they are stored; leave it out",
    "message.format.version": "the format is that of Kafka 4, record batches of version 2; leave it out",
    "message.timestamp.difference.max.ms": (
        "give message.timestamp.before.max.ms and message.timestamp.after.max.ms"
    ),
}
"""Settings that Kafka had before version 4, and what to do about one."""
