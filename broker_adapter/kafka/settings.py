"""From a ``kafka://`` URL to librdkafka's configuration. Secrets are in it: it is never shown."""

import logging
import re
import time
from collections.abc import Mapping
from typing import Any, Final, TypeAlias
from urllib.parse import parse_qsl, urlsplit

from broker_adapter.errors import InvalidConfig, UnsupportedURL
from broker_adapter.rebalancing import SESSION_TIMEOUT, checked_times

Settings: TypeAlias = dict[str, Any]
"""librdkafka's keys and their values."""

HOW: Final = 'use "kafka://host:9092" or "kafka://host1:9092,host2:9092?librdkafka.key=value"'

_QUIET_SECONDS: Final = 30.0
_CHANGES: Final = re.compile(r"\(after \d+ms[^)]*\)|rdkafka#\w+-\d+")
"""What differs in lines that say the same."""
_OURS: Final = {
    "auto.offset.reset": "broker.consumer(auto_offset_reset=...)",
    "bootstrap.servers": "the URL's host and port",
    "batch.size": "broker.producer(batch_size=...)",
    "compression.codec": "broker.producer(compression=...)",
    "compression.type": "broker.producer(compression=...)",
    "enable.auto.commit": "consumer.commit()",
    "enable.auto.offset.store": "consumer.commit()",
    "group.id": "broker.consumer(group=...)",
    "linger.ms": "broker.producer(linger=...)",
    "partitioner": "broker.producer(partitioner=...)",
    "queue.buffering.max.ms": "broker.producer(linger=...)",
    "transactional.id": "nothing: this interface has no transactions",
}
"""Keys that the interface sets, and by what."""


def parse_url(url: str, config: Mapping[str, object]) -> Settings:
    """The settings that `url` and `config` give. Raises `UnsupportedURL` or `InvalidConfig`."""
    parts = urlsplit(url)
    if "@" in url.partition("?")[0]:
        raise UnsupportedURL(
            "a kafka:// URL takes no user and password before the host: give sasl.username and sasl.password "
            "as connect(url, config={...}) or in the query"
        )
    servers = [server if ":" in server else f"{server}:9092" for server in parts.netloc.split(",")]
    if parts.path not in {"", "/"} or parts.fragment or not all(each[0] != ":" for each in servers):
        raise UnsupportedURL(f"kafka://{parts.netloc}{parts.path} names no Kafka cluster: {HOW}")
    # A plus is a plus: passwords have them.
    query = parse_qsl(parts.query.replace("+", "%2B"), keep_blank_values=True)
    settings: Settings = {**dict(query), **config}
    for name, instead in _OURS.items():
        if name in settings:
            raise InvalidConfig(f"{name} cannot be set for a whole broker: it is set by {instead}")
    return {**settings, "bootstrap.servers": ",".join(servers)}


def member_settings(
    group: str | None, instance_id: str | None, max_poll_interval: float | None, session_timeout: float | None
) -> Settings:
    """librdkafka's keys for what a group's member is given, and no others. Raises `InvalidConfig`."""
    if group is None and instance_id is not None:
        raise InvalidConfig("group_instance_id= is for a consumer with a group=")
    longest, session = checked_times(max_poll_interval, session_timeout)
    settings: Settings = {}
    if max_poll_interval is not None:
        settings["max.poll.interval.ms"] = round(longest * 1000)
    if session_timeout is not None or (max_poll_interval is not None and session < SESSION_TIMEOUT):
        settings["session.timeout.ms"] = round(session * 1000)  # which must not be the longer of the two
        settings["heartbeat.interval.ms"] = min(3000, max(1, round(session * 1000) // 3))
    if instance_id is not None:
        settings["group.instance.id"] = instance_id
    return settings


def shown(settings: Settings) -> str:
    """The cluster as an error may name it: its address and nothing else."""
    return f"kafka://{settings['bootstrap.servers']}"


class _OnlyNews(logging.Filter):
    """Drops librdkafka's remark on each key that is for the other kind of client: all are given all.

    And of a failure to connect, which comes many times a second, all but one in a while.
    """

    def __init__(self) -> None:
        super().__init__()
        self._told: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        if text.startswith("CONFWARN") and "property and will be ignored" in text:
            return False
        if not text.startswith(("FAIL", "ERROR")):
            return True
        text, now = _CHANGES.sub("", text), time.monotonic()
        is_news = now - self._told.get(text, -_QUIET_SECONDS) >= _QUIET_SECONDS
        if is_news:
            self._told[text] = now
        return is_news


librdkafka_log: Final = logging.getLogger("broker_adapter.kafka.librdkafka")
"""Where librdkafka's own lines go."""
librdkafka_log.addFilter(_OnlyNews())
