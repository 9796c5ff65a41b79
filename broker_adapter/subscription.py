"""What a consumer subscribes to: topics by name, and patterns, which begin with ``^`` as in librdkafka."""

import re
from collections.abc import Sequence

from broker_adapter.errors import InvalidConfig, InvalidTopic


def is_pattern(name: str) -> bool:
    """Whether `name` is a regular expression of topics' names; no topic's name begins like one.

    Raises `InvalidTopic` where it is not text.
    """
    if not isinstance(name, str):
        raise InvalidTopic(f"{name!r} is no topic: give its name, or a pattern that begins with '^'")
    return name.startswith("^")


def compiled_pattern(pattern: str) -> re.Pattern[str]:
    """The regular expression. Raises `InvalidConfig`."""
    try:
        return re.compile(pattern)
    except re.error as error:
        raise InvalidConfig(f"{pattern!r} is no pattern of topics: {error}") from None


def expanded(wanted: Sequence[str], known: Sequence[str]) -> list[str]:
    """The names in `wanted`, and those of `known` that match a pattern in it, each once."""
    found: dict[str, None] = {}
    for name in wanted:
        matching = filter(compiled_pattern(name).search, known) if is_pattern(name) else [name]
        found.update(dict.fromkeys(matching))
    return list(found)
