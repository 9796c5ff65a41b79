"""From a URL to a broker."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from broker_adapter.broker import Broker, Durability
from broker_adapter.errors import InvalidConfig, MissingExtra, UnsupportedURL

_HOW: Final = 'use "file:./folder", "file:///absolute/folder" or "kafka://host:9092"'
_OPTIONS: Final[dict[str, tuple[str, ...]]] = {
    "durability": (Durability.INTERVAL, Durability.NONE, Durability.BATCH),
    "damaged": ("raise", "skip"),
}
"""A file log's options and their values, the default first."""


def connect(url: str, config: Mapping[str, object] | None = None) -> Broker:
    """The broker that `url` names.

    ``file:./data`` and ``file:///var/lib/data`` are a file log in that folder,
    which is made if it is not there. ``?durability=none|interval|batch`` says
    what an acknowledgement promises; the default is ``interval``.
    ``?damaged=skip`` has consumers pass over batches that are damaged, which
    is an error otherwise.

    ``kafka://host:9092,host2:9092`` is a Kafka cluster, with any key of
    librdkafka's configuration in the query or in `config`, which is the
    better place for passwords: ``config={"sasl.password": ...}``. It wants
    the extra ``fivebyte[kafka]``. Nothing is connected to yet.

    Raises `UnsupportedURL`, `InvalidConfig`, `MissingExtra` or `LogIOError`.
    """
    if not isinstance(url, str):
        raise UnsupportedURL(f"{url!r} is no URL: {_HOW}")
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise UnsupportedURL(f"this URL cannot be read ({error}): {_HOW}") from None
    if parts.scheme == "kafka":
        return _kafka(url, config or {})
    if parts.scheme != "file":
        raise UnsupportedURL(f"{_shown(parts)!r} names no broker: {_HOW}")
    if config:
        raise InvalidConfig(f"{url!r}: config is for kafka:// URLs; a file log's options stand in its URL")
    return _file(url, parts)


def _shown(parts: SplitResult) -> str:
    """The URL without what may be secret: user, password and query."""
    if "@" in parts.netloc + parts.path:
        return f"{parts.scheme}://..."
    return parts._replace(query="", fragment="").geturl()


def _kafka(url: str, config: Mapping[str, object]) -> Broker:
    try:
        import confluent_kafka  # noqa: F401 - to tell its absence from an error of ours
    except ModuleNotFoundError:
        raise MissingExtra(
            "kafka:// needs confluent-kafka, which is not installed: pip install 'fivebyte[kafka]'"
        ) from None
    from broker_adapter.kafka.broker import KafkaBroker
    from broker_adapter.kafka.settings import parse_url

    return KafkaBroker(parse_url(url, config))


def _file(url: str, parts: SplitResult) -> Broker:
    if parts.netloc not in {"", "localhost"}:
        raise UnsupportedURL(f"{url!r} names the folder {parts.path!r} on the host {parts.netloc!r}: {_HOW}")
    if not parts.path or parts.fragment:
        raise UnsupportedURL(f"{url!r} names no folder: {_HOW}")
    options = _options(url, parts.query)

    from broker_adapter.filelog.broker import FileBroker

    return FileBroker(
        Path(unquote(parts.path)),
        Durability(options["durability"]),
        skips_damage=options["damaged"] == "skip",
    )


def _options(url: str, query: str) -> dict[str, str]:
    options = {name: words[0] for name, words in _OPTIONS.items()}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in _OPTIONS:
            raise InvalidConfig(f"{url!r}: a file log has no option {name}; it has: {', '.join(_OPTIONS)}")
        if value not in _OPTIONS[name]:
            raise InvalidConfig(
                f"{url!r}: {name} {value!r} is not known; use one of: {', '.join(_OPTIONS[name])}"
            )
        options[name] = value
    return options
