"""A topic's settings, with Kafka's names, defaults and limits.

Owns ``<topic>-0/topic.properties``: one ``name=value`` a line, only what was
set. Written when the topic is made and when it is altered; any process may
read it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final, Self

from broker_adapter.broker import Durability, TimestampType
from broker_adapter.errors import CorruptLog, InvalidConfig
from broker_adapter.filelog.compression import Codec
from broker_adapter.filelog.other_settings import NO_MORE, WITHOUT_EFFECT
from broker_adapter.filelog.setting_values import INT_MAX, LONG_MAX, number, ratio, word, words

FILE_NAME = "topic.properties"
_DAY: Final = 24 * 3600 * 1000
_POLICIES: Final = ("compact", "delete")
_TIMESTAMP_TYPES: Final = {
    "CreateTime": TimestampType.CREATE_TIME,
    "LogAppendTime": TimestampType.LOG_APPEND_TIME,
}
_AS_SENT: Final = "producer"
_UNCOMPRESSED: Final = "uncompressed"
_COMPRESSIONS: Final = (_AS_SENT, _UNCOMPRESSED, *(each.name.lower() for each in Codec if each))


def _setting(name: str, default: int | float | str, parse: Callable[[object], object]) -> Any:
    return field(default=default, metadata={"name": name, "parse": parse})


def _number(name: str, default: int, lowest: int, highest: int) -> Any:
    return _setting(name, default, number(name, lowest, highest))


@dataclass(frozen=True, slots=True)
class TopicConfig:
    """The settings of a topic. Kafka documents them: https://kafka.apache.org/documentation/#topicconfigs."""

    segment_bytes: int = _number("segment.bytes", 128 * 1024 * 1024, 1024 * 1024, INT_MAX)
    """Roll before a segment grows above this. Kafka's default is 1 GiB; recovery is quicker with less."""
    segment_ms: int = _number("segment.ms", 7 * _DAY, 1, LONG_MAX)
    """Roll when a batch is this much younger than the segment's first."""
    segment_index_bytes: int = _number("segment.index.bytes", 10 * 1024 * 1024, 12, INT_MAX)
    """Roll when an index is this large."""
    index_interval_bytes: int = _number("index.interval.bytes", 4096, 0, INT_MAX)
    """Add an index entry once more than this was written since the last."""
    max_message_bytes: int = _number("max.message.bytes", 1_048_588, 0, INT_MAX)
    """The largest batch, as it is stored."""
    message_timestamp_type: str = _setting(
        "message.timestamp.type", "CreateTime", word("message.timestamp.type", tuple(_TIMESTAMP_TYPES))
    )
    """Whose clock a record's timestamp is of: its producer's, or its writer's when it is appended."""
    message_timestamp_after_max_ms: int = _number("message.timestamp.after.max.ms", 3600 * 1000, 0, LONG_MAX)
    """Refuse a producer's timestamp that is further in the future: it would keep a segment for as long."""
    message_timestamp_before_max_ms: int = _number("message.timestamp.before.max.ms", LONG_MAX, 0, LONG_MAX)
    """Refuse a producer's timestamp that is older than this."""
    compression_type: str = _setting("compression.type", _AS_SENT, word("compression.type", _COMPRESSIONS))
    """How batches are compressed: as the producer says, or always so."""
    flush_messages: int = _number("flush.messages", LONG_MAX, 1, LONG_MAX)
    """Flush to the disk once so many records were not; 1 flushes each batch before it is acknowledged."""
    flush_ms: int = _number("flush.ms", LONG_MAX, 0, LONG_MAX)
    """Flush to the disk what is older than this."""
    cleanup_policy: str = _setting(
        "cleanup.policy",
        "delete",
        words("cleanup.policy", _POLICIES, "'delete', 'compact' or 'compact,delete'"),
    )
    """What becomes of old records: ``delete``, ``compact``, or ``compact,delete``."""
    retention_ms: int = _number("retention.ms", 7 * _DAY, -1, LONG_MAX)
    """Delete segments whose records are all older than this; -1 keeps them."""
    retention_bytes: int = _number("retention.bytes", -1, -1, LONG_MAX)
    """Delete the oldest segments while those after them have this much; -1 keeps them."""
    min_cleanable_dirty_ratio: float = _setting(
        "min.cleanable.dirty.ratio", 0.5, ratio("min.cleanable.dirty.ratio")
    )
    """Compact once this share of the closed segments' bytes was never compacted."""
    min_compaction_lag_ms: int = _number("min.compaction.lag.ms", 0, 0, LONG_MAX)
    """Leave segments with records younger than this uncompacted."""
    max_compaction_lag_ms: int = _number("max.compaction.lag.ms", LONG_MAX, 1, LONG_MAX)
    """Compact what was never compacted once it is older than this, however little it is."""
    delete_retention_ms: int = _number("delete.retention.ms", _DAY, 0, LONG_MAX)
    """Keep a tombstone for this long after the compaction that met it first."""
    without_effect: tuple[tuple[str, int | str], ...] = ()
    """Names and values of Kafka's settings that were given and change nothing here. See `other_settings`."""

    @property
    def is_compacted(self) -> bool:
        """Whether only the last record of each key is kept."""
        return "compact" in self.cleanup_policy

    @property
    def is_deleted(self) -> bool:
        """Whether old segments are deleted."""
        return "delete" in self.cleanup_policy

    @property
    def timestamp_type(self) -> TimestampType:
        """Whose clock the timestamps of new records are of."""
        return _TIMESTAMP_TYPES[self.message_timestamp_type]

    @property
    def codec(self) -> Codec | None:
        """What batches are compressed with; None where the producer chooses."""
        if self.compression_type == _AS_SENT:
            return None
        return Codec.NONE if self.compression_type == _UNCOMPRESSED else Codec[self.compression_type.upper()]

    def durability(self, default: Durability) -> Durability:
        """What an acknowledgement promises: what the topic says, or else the broker's `default`."""
        if self.flush_messages == 1:
            return Durability.BATCH
        if default is Durability.BATCH or self.flush_ms == self.flush_messages == LONG_MAX:
            return default
        return Durability.INTERVAL

    @classmethod
    def parse(cls, settings: Mapping[str, int | str]) -> Self:
        """Settings by Kafka's names. Raises `InvalidConfig`."""
        known = {each.metadata["name"]: each for each in fields(cls) if each.metadata}
        values: dict[str, Any] = {}
        others: dict[str, int | str] = {}
        for name, given in settings.items():
            if name in known:
                values[known[name].name] = known[name].metadata["parse"](given)
            elif name in WITHOUT_EFFECT:
                others[name] = WITHOUT_EFFECT[name].parse(given)
            elif name in NO_MORE:
                raise InvalidConfig(f"Kafka 4 has no setting {name!r} any more: {NO_MORE[name]}")
            else:
                raise InvalidConfig(f"a topic has no setting {name!r}; there are: {', '.join(sorted(known))}")
        config = cls(**values, without_effect=tuple(sorted(others.items())))
        if config.min_compaction_lag_ms > config.max_compaction_lag_ms:
            raise InvalidConfig(
                f"min.compaction.lag.ms={config.min_compaction_lag_ms} is more than "
                f"max.compaction.lag.ms={config.max_compaction_lag_ms}: nothing could be compacted in time"
            )
        return config

    @classmethod
    def load(cls, directory: Path) -> Self:
        """The settings kept in a topic's first partition directory.

        Where none are kept, as in a folder of Kafka's, the defaults, but that
        records are kept for ever: whether they may be deleted was not said.
        """
        path = directory / FILE_NAME
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return cls(retention_ms=-1)
        lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
        try:
            return cls.parse(
                {name.strip(): value.strip() for name, _, value in (x.partition("=") for x in lines)}
            )
        except InvalidConfig as error:
            raise CorruptLog(f"{path}: {error}") from error

    def as_properties(self) -> str:
        """The settings that are not the defaults, as the file has them."""
        changed = {name: value for name, value in self.as_mapping().items() if value != _DEFAULTS.get(name)}
        return "".join(f"{name}={value}\n" for name, value in changed.items())

    def as_mapping(self) -> dict[str, int | str]:
        """All settings that are followed, and those given without effect, by Kafka's names.

        What is no whole number is text.
        """
        values = {each.metadata["name"]: getattr(self, each.name) for each in fields(self) if each.metadata}
        values.update(self.without_effect)
        return {name: value if isinstance(value, int) else str(value) for name, value in values.items()}


_DEFAULTS = TopicConfig().as_mapping()
