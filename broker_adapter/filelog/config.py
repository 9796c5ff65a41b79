"""A topic's settings, with Kafka's names, defaults and limits.

Owns ``<topic>-0/topic.properties``: one ``name=value`` a line, only what was
set. Written once, when the topic is made; any process may read it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Self

from broker_adapter.errors import CorruptLog, InvalidConfig

FILE_NAME = "topic.properties"
_INT_MAX = 0x7FFF_FFFF
_LONG_MAX = 0x7FFF_FFFF_FFFF_FFFF


def _setting(name: str, default: int, lowest: int, highest: int) -> Any:
    return field(default=default, metadata={"name": name, "lowest": lowest, "highest": highest})


@dataclass(frozen=True, slots=True)
class TopicConfig:
    """The settings of a topic. Kafka documents them: https://kafka.apache.org/documentation/#topicconfigs."""

    segment_bytes: int = _setting("segment.bytes", 128 * 1024 * 1024, 1024 * 1024, _INT_MAX)
    """Roll before a segment grows above this. Kafka's default is 1 GiB; recovery is quicker with less."""
    segment_ms: int = _setting("segment.ms", 7 * 24 * 3600 * 1000, 1, _LONG_MAX)
    """Roll when a batch is this much younger than the segment's first."""
    index_interval_bytes: int = _setting("index.interval.bytes", 4096, 0, _INT_MAX)
    """Add an index entry once more than this was written since the last."""
    max_message_bytes: int = _setting("max.message.bytes", 1_048_588, 0, _INT_MAX)
    """The largest batch, as it is stored."""

    @classmethod
    def parse(cls, settings: Mapping[str, int | str]) -> Self:
        """Settings by Kafka's names. Raises `InvalidConfig`."""
        known = {each.metadata["name"]: each for each in fields(cls)}
        values: dict[str, int] = {}
        for name, given in settings.items():
            if name not in known:
                raise InvalidConfig(f"a topic has no setting {name!r}; there are: {', '.join(sorted(known))}")
            lowest, highest = known[name].metadata["lowest"], known[name].metadata["highest"]
            try:
                number = int(given)
            except (TypeError, ValueError):
                raise InvalidConfig(f"{name}={given!r} is not a whole number") from None
            if not lowest <= number <= highest:
                raise InvalidConfig(f"{name}={number} is out of range; give {lowest} to {highest}")
            values[known[name].name] = number
        return cls(**values)

    @classmethod
    def load(cls, directory: Path) -> Self:
        """The settings kept in a topic's first partition directory; the defaults if none are kept there."""
        path = directory / FILE_NAME
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return cls()
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

    def as_mapping(self) -> dict[str, int]:
        """All settings by Kafka's names."""
        return {each.metadata["name"]: getattr(self, each.name) for each in fields(self)}


_DEFAULTS = TopicConfig().as_mapping()
