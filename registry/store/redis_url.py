"""The URL of a Redis store, taken apart, and the form of it that may be shown."""

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from registry.errors import SettingsError

FORM = "redis://[user:password@]host:port/db?key=fivebyte (rediss:// for TLS)"
_KEY = "fivebyte"
_SETTINGS = {"key", "wait_replicas", "ca"}
_CREDENTIALS = re.compile(r"//.*@", re.DOTALL)


def without_password(url: str) -> str:
    """`url` without what stands before its host, for messages and logs; any other text as it is."""
    return _CREDENTIALS.sub("//", url) if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", url) else url


@dataclass(frozen=True, slots=True)
class RedisUrl:
    """Where a Redis store is.

    key: the stream's.
    wait_replicas: how many replicas must have an append before it is acknowledged.
    ca: a file of certificates to trust instead of the system's, for TLS.
    """

    host: str
    port: int = 6379
    db: int = 0
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    key: str = _KEY
    wait_replicas: int = 0
    ca: str | None = None

    @classmethod
    def parse(cls, url: str) -> "RedisUrl":
        """Read ``redis://[user:password@]host[:port][/db][?key=&wait_replicas=&ca=]``, or ``rediss://``.

        User and password are percent-decoded.

        Raises SettingsError. Its message repeats nothing of the URL: what is at
        fault in it may be a password that was not percent-encoded.
        """
        try:
            parts = urlsplit(url)
            port = parts.port or 6379
            given = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
        except ValueError:
            raise _fault("the port or the query cannot be read") from None
        settings = dict(given)
        if parts.scheme not in {"redis", "rediss"} or not parts.hostname or parts.fragment:
            raise _fault("it has no host, or a # in it")
        if len(settings) != len(given) or not settings.keys() <= _SETTINGS or not all(settings.values()):
            raise _fault(f"what it may set after the ? is {', '.join(sorted(_SETTINGS))}, each once")
        if "ca" in settings and parts.scheme == "redis":
            raise _fault("ca is for rediss://")
        return cls(
            host=parts.hostname,
            port=port,
            db=_number("the database after the /", parts.path.removeprefix("/") or "0"),
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            tls=parts.scheme == "rediss",
            key=settings.get("key", _KEY),
            wait_replicas=_number("wait_replicas", settings.get("wait_replicas", "0")),
            ca=settings.get("ca"),
        )

    def __str__(self) -> str:
        """The URL without user and password, but with the defaults."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        query = {"key": self.key}
        if self.wait_replicas:
            query["wait_replicas"] = str(self.wait_replicas)
        if self.ca:
            query["ca"] = self.ca
        scheme = "rediss" if self.tls else "redis"
        return f"{scheme}://{host}:{self.port}/{self.db}?{urlencode(query, safe='/:')}"


def _number(name: str, text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise _fault(f"{name} is not a number")
    return int(text)


def _fault(what: str) -> SettingsError:
    return SettingsError(
        f"the URL of the Redis store cannot be used: {what}; give {FORM}, "
        "with what is special in a password percent-encoded"
    )
