"""Subject name strategies that take a context: ``strategy(ctx, record_name)``."""

from serde.confluent.serialization import SerializationContext


def topic_subject_name_strategy(ctx: SerializationContext | None, record_name: str | None) -> str | None:
    """``orders-value``. Raises ValueError without a context."""
    return f"{_needed(ctx).topic}-{_needed(ctx).field}"


def topic_record_subject_name_strategy(
    ctx: SerializationContext | None, record_name: str | None
) -> str | None:
    """``orders-com.example.Order``; None without a name. Raises ValueError without a context."""
    topic = _needed(ctx).topic
    return None if record_name is None else f"{topic}-{record_name}"


def record_subject_name_strategy(
    ctx: SerializationContext | None,
    record_name: str | None,
) -> str | None:
    """``com.example.Order``; None without a name."""
    return record_name


def _needed(ctx: SerializationContext | None) -> SerializationContext:
    if ctx is None:
        raise ValueError("a SerializationContext is needed: the subject is the topic's")
    return ctx
