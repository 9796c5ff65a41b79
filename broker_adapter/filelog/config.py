"""A topic's settings, with Kafka's names, defaults and limits.

Owns ``<topic>-0/topic.properties``: one ``name=value`` a line, only what was
set. Written when the topic is made and when it is altered; any process may
read it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final, Self

from broker_adapter.broker import Durability, TimestampType
from broker_adapter.errors import CorruptLog, InvalidConfig
from broker_adapter.filelog.compression import Codec

FILE_NAME = "topic.properties"
_INT_MAX = 0x7FFF_FFFF
_LONG_MAX = 0x7FFF_FFFF_FFFF_FFFF
_DAY: Final = 24 * 3600 * 1000
_POLICIES: Final = ("compact", "delete")
_TIMESTAMP_TYPES: Final = {
    "CreateTime": TimestampType.CREATE_TIME,
    "LogAppendTime": TimestampType.LOG_APPEND_TIME,
}
_AS_SENT: Final = "producer"
_UNCOMPRESSED: Final = "uncompressed"


def _number(name: str, default: int, lowest: int, highest: int) -> Any:
    def parse(given: object) -> int:
        try:
            number = int(str(given))
        except ValueError:
            raise InvalidConfig(f"{name}={given!r} is not a whole number") from None
        if not lowest <= number <= highest:
            raise InvalidConfig(f"{name}={number} is out of range; give {lowest} to {highest}")
        return number

    return field(default=default, metadata={"name": name, "parse": parse})


def _ratio(name: str, default: float) -> Any:
    def parse(given: object) -> float:
        try:
            number = float(str(given))
        except ValueError:
            raise InvalidConfig(f"{name}={given!r} is not a number") from None
        if not 0 <= number <= 1:
            raise InvalidConfig(f"{name}={number} is out of range; give 0 to 1")
        return number

    return field(default=default, metadata={"name": name, "parse": parse})


def _word(name: str, default: str, words: tuple[str, ...]) -> Any:
    def parse(given: object) -> str:
        if given not in words:
            raise InvalidConfig(f"{name}={given!r} is not known; use one of: {', '.join(words)}")
        return str(given)

    return field(default=default, metadata={"name": name, "parse": parse})


def _policy(name: str, default: str) -> Any:
    def parse(given: object) -> str:
        chosen = {each.strip() for each in str(given).split(",")}
        if not chosen <= set(_POLICIES):
            raise InvalidConfig(f"{name}={given!r} is not known; use 'delete', 'compact' or 'compact,delete'")
        return ",".join(sorted(chosen))

    return field(default=default, metadata={"name": name, "parse": parse})


@dataclass(frozen=True, slots=True)
class TopicConfig:
    """The settings of a topic. Kafka documents them: https://kafka.apache.org/documentation/#topicconfigs."""

    segment_bytes: int = _number("segment.bytes", 128 * 1024 * 1024, 1024 * 1024, _INT_MAX)
    """Roll before a segment grows above this. Kafka's default is 1 GiB; recovery is quicker with less."""
    segment_ms: int = _number("segment.ms", 7 * _DAY, 1, _LONG_MAX)
    """Roll when a batch is this much younger than the segment's first."""
    segment_index_bytes: int = _number("segment.index.bytes", 10 * 1024 * 1024, 12, _INT_MAX)
    """Roll when an index is this large."""
    index_interval_bytes: int = _number("index.interval.bytes", 4096, 0, _INT_MAX)
    """Add an index entry once more than this was written since the last."""
    max_message_bytes: int = _number("max.message.bytes", 1_048_588, 0, _INT_MAX)
    """The largest batch, as it is stored."""
    message_timestamp_type: str = _word("message.timestamp.type", "CreateTime", tuple(_TIMESTAMP_TYPES))
    """Whose clock a record's timestamp is of: its producer's, or its writer's when it is appended."""
    message_timestamp_after_max_ms: int = _number("message.timestamp.after.max.ms", 3600 * 1000, 0, _LONG_MAX)
    """Refuse a producer's timestamp that is this much in the future: it would keep a segment for as long."""
    compression_type: str = _word(
        "compression.type",
        _AS_SENT,
        (_AS_SENT, _UNCOMPRESSED, *(each.name.lower() for each in Codec if each)),
    )
    """How batches are compressed: as the producer says, or always so."""
    flush_messages: int = _number("flush.messages", _LONG_MAX, 1, _LONG_MAX)
    """Flush to the disk after so many records; 1 flushes each batch before it is acknowledged."""
    flush_ms: int = _number("flush.ms", _LONG_MAX, 0, _LONG_MAX)
    """Flush to the disk what is older than this."""
    cleanup_policy: str = _policy("cleanup.policy", "delete")
    """What becomes of old records: ``delete``, ``compact``, or ``compact,delete``."""
    retention_ms: int = _number("retention.ms", 7 * _DAY, -1, _LONG_MAX)
    """Delete segments whose records are all older than this; -1 keeps them."""
    retention_bytes: int = _number("retention.bytes", -1, -1, _LONG_MAX)
    """Delete the oldest segments while those after them have this much; -1 keeps them."""
    min_cleanable_dirty_ratio: float = _ratio("min.cleanable.dirty.ratio", 0.5)
    """Compact once this share of the closed segments' bytes was never compacted."""
    min_compaction_lag_ms: int = _number("min.compaction.lag.ms", 0, 0, _LONG_MAX)
    """Leave segments with records younger than this uncompacted."""
    delete_retention_ms: int = _number("delete.retention.ms", _DAY, 0, _LONG_MAX)
    """Keep a tombstone for this long after the compaction that met it first."""

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
        if default is Durability.BATCH or self.flush_ms == self.flush_messages == _LONG_MAX:
            return default
        return Durability.INTERVAL

    @classmethod
    def parse(cls, settings: Mapping[str, int | str]) -> Self:
        """Settings by Kafka's names. Raises `InvalidConfig`."""
        known = {each.metadata["name"]: each for each in fields(cls)}
        values: dict[str, Any] = {}
        for name, given in settings.items():
            if name not in known:
                raise InvalidConfig(f"a topic has no setting {name!r}; there are: {', '.join(sorted(known))}")
            values[known[name].name] = known[name].metadata["parse"](given)
        return cls(**values)

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
        changed = {name: value for name, value in self.as_mapping().items() if value != _DEFAULTS[name]}
        return "".join(f"{name}={value}\n" for name, value in changed.items())

    def as_mapping(self) -> dict[str, int | str]:
        """All settings by Kafka's names. What is no whole number is text."""
        values = {each.metadata["name"]: getattr(self, each.name) for each in fields(self)}
        return {name: value if isinstance(value, int) else str(value) for name, value in values.items()}


_DEFAULTS = TopicConfig().as_mapping()
