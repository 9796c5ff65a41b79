"""From a URL to a broker."""

from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from broker_adapter.broker import Broker, Durability
from broker_adapter.errors import InvalidConfig, UnsupportedURL

_HOW: Final = 'use "file:./folder" or "file:///absolute/folder"'


def connect(url: str) -> Broker:
    """The broker that `url` names.

    ``file:./data`` and ``file:///var/lib/data`` are a file log in that folder,
    which is made if it is not there. ``?durability=none|interval|batch`` says
    what an acknowledgement promises; the default is ``interval``.

    Raises `UnsupportedURL`, `InvalidConfig` or `LogIOError`.
    """
    parts = urlsplit(url)
    if parts.scheme == "kafka":
        raise UnsupportedURL(f"{url!r}: Apache Kafka behind this interface comes in a later release; {_HOW}")
    if parts.scheme != "file":
        raise UnsupportedURL(f"{url!r} names no broker: {_HOW}")
    if parts.netloc not in {"", "localhost"}:
        raise UnsupportedURL(f"{url!r} names the folder {parts.path!r} on the host {parts.netloc!r}: {_HOW}")
    if not parts.path or parts.fragment:
        raise UnsupportedURL(f"{url!r} names no folder: {_HOW}")
    durability = _durability(url, parts.query)

    from broker_adapter.filelog.broker import FileBroker

    return FileBroker(Path(unquote(parts.path)), durability)


def _durability(url: str, query: str) -> Durability:
    options = dict(parse_qsl(query, keep_blank_values=True))
    value = options.pop("durability", Durability.INTERVAL)
    if options:
        raise InvalidConfig(
            f"{url!r}: a file log has no option {', '.join(sorted(options))}; it has: durability"
        )
    try:
        return Durability(value)
    except ValueError:
        known = ", ".join(Durability)
        raise InvalidConfig(f"{url!r}: durability {value!r} is not known; use one of: {known}") from None
