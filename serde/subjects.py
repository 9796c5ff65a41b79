"""Under which subject a topic's schema is registered.

A strategy is ``strategy(topic, is_key, record_name) -> subject``. `record_name`
is the full name of the schema's record, enum or fixed, None if it has none.
Give a serializer one of these or your own.
"""

from collections.abc import Callable
from typing import TypeAlias

SubjectStrategy: TypeAlias = Callable[[str, bool, str | None], str]


def topic_name_strategy(topic: str, is_key: bool, record_name: str | None) -> str:  # noqa: ARG001
    """``orders-value`` or ``orders-key``: one schema, with its versions, a topic. The default everywhere."""
    return f"{topic}-key" if is_key else f"{topic}-value"


def record_name_strategy(topic: str, is_key: bool, record_name: str | None) -> str:  # noqa: ARG001
    """``com.example.Order``: one subject a record type, wherever it is written. ValueError without a name."""
    if record_name is None:
        raise ValueError("the record name strategy needs a schema that has a name")
    return record_name


def topic_record_name_strategy(topic: str, is_key: bool, record_name: str | None) -> str:
    """``orders-com.example.Order``: one subject a record type in each topic. ValueError without a name."""
    return f"{topic}-{record_name_strategy(topic, is_key, record_name)}"
