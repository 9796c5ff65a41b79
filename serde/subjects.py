"""Under which subject, and in which context, a topic's schema is registered.

A strategy is ``strategy(topic, is_key, record_name) -> subject``. `record_name`
is the full name of the schema's record, enum or fixed, None if it has none.
Give a serializer one of these or your own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from serde.errors import SerializationError

SubjectStrategy: TypeAlias = Callable[[str, bool, str | None], str]

ContextStrategy: TypeAlias = Callable[[str], str | None]
"""``strategy(topic) -> context``, such as ``.eu``; None is the default context."""


def topic_name_strategy(topic: str, is_key: bool, record_name: str | None) -> str:  # noqa: ARG001
    """``orders-value`` or ``orders-key``: one schema, with its versions, a topic. The default everywhere.

    ValueError without a topic.
    """
    if not topic:
        raise ValueError("the topic is empty")
    return f"{topic}-key" if is_key else f"{topic}-value"


def record_name_strategy(topic: str, is_key: bool, record_name: str | None) -> str:  # noqa: ARG001
    """``com.example.Order``: one subject a record type, wherever it is written. ValueError without a name."""
    if record_name is None:
        raise ValueError("the record name strategy needs a schema that has a name")
    return record_name


def topic_record_name_strategy(topic: str, is_key: bool, record_name: str | None) -> str:
    """``orders-com.example.Order``: one subject a record type in each topic. ValueError without a name."""
    return f"{topic}-{record_name_strategy(topic, is_key, record_name)}"


def context_name(context: str | None) -> str | None:
    """A context's name, ``.eu``; None for the default one. Raises ValueError for text that is none."""
    if context is None or context == ".":
        return None
    if not isinstance(context, str):
        raise TypeError(f"a context's name is text, as in '.eu', not {context!r}")
    name = context.removeprefix(":").removesuffix(":")
    if not name.startswith(".") or ":" in name:
        raise ValueError(f"a context's name begins with a dot, as in .eu, not {context!r}")
    return name


def context_of(subject: str) -> str | None:
    """The context that a subject names, as in ``:.eu:orders-value``; None if it names none."""
    return subject[1:].partition(":")[0] if subject.startswith(":.") else None


def in_context(subject: str, context: str | None) -> str:
    """The subject by its full name in a context; one that names a context already keeps it."""
    return subject if context is None or subject.startswith(":.") else f":{context}:{subject}"


@dataclass(frozen=True, slots=True)
class Subjects:
    """How a serializer, or a deserializer, names its subjects.

    Raises ValueError for no context's name, TypeError for what is no strategy.
    """

    strategy: SubjectStrategy
    is_key: bool
    context: str | ContextStrategy | None

    def __post_init__(self) -> None:
        if not callable(self.strategy):
            raise TypeError(
                "subject_strategy is record_name_strategy, or another function (topic, is_key, record_name),"
                f" not {self.strategy!r}"
            )
        if not callable(self.context):
            context_name(self.context)

    def context_of(self, topic: str | None) -> str | None:
        """The topic's context. Raises TypeError where its strategy needs a topic and there is none."""
        return context_name(self.context(_given(topic)) if callable(self.context) else self.context)

    def subject_of(self, topic: str | None, record_name: str | None) -> str:
        """The topic's subject, with its context.

        Raises SerializationError where the strategy has none, TypeError where there is no topic.
        """
        subject: Any
        try:
            subject = self.strategy(_given(topic), self.is_key, record_name)
        except ValueError as error:
            raise SerializationError(str(error), topic=topic) from error
        if not isinstance(subject, str) or not subject:
            raise SerializationError(f"subject_strategy gave {subject!r}, which is no subject", topic=topic)
        return in_context(subject, self.context_of(topic))


def _given(topic: str | None) -> str:
    if not isinstance(topic, str):
        raise TypeError(no_topic(topic))
    return topic


def no_topic(given: object) -> str:
    """What is wrong with a topic that is no string."""
    if given is None:
        return "give the topic: the subject, or the context, depends on it"
    return f"the topic is a string, not {type(given).__name__}"
