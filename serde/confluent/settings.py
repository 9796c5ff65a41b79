"""The configuration keys of `confluent_kafka`, as the options of `serde`. A key that is none is an error."""

import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from serde.auth import Auth, BearerToken, ClientCredentials
from serde.connections import TlsFiles

_NUMBERS: Final = {
    "cache.capacity": 1000,
    "cache.latest.ttl.sec": 60,
    "max.retries": 3,
    "retries.wait.ms": 1000,
    "retries.max.wait.ms": 20000,
}
_DEFAULT_TIMEOUT: Final = 5.0
_TOKEN_FIELDS: Final = ("bearer.auth.token", "bearer.auth.logical.cluster")


class Settings:
    """Takes keys out of a configuration; `end` says which are left."""

    def __init__(self, conf: Mapping[str, Any], defaults: Mapping[str, Any] | None = None) -> None:
        if not isinstance(conf, Mapping):
            raise TypeError(f"the configuration is a dict, not {type(conf).__name__}")
        self._left = {**(defaults or {}), **conf}

    def take(self, key: str, default: Any = None) -> Any:
        """A value, which is known from here on."""
        return self._left.pop(key, default)

    def flag(self, key: str) -> bool:
        """True or False. Raises ValueError for anything else."""
        value = self.take(key)
        if not isinstance(value, bool):
            raise ValueError(f"{key} must be a boolean value")
        return value

    def number(self, key: str) -> float:
        """A number, or its default for None. Raises TypeError for anything else."""
        value = self.take(key)
        if value is None:
            return _NUMBERS[key]
        if not isinstance(value, int | float):
            raise TypeError(f"{key} must be a number, not {type(value)}")
        return value

    def needed(self, *keys: str) -> list[Any]:
        """Values that must be there. Raises ValueError for those that are not."""
        missing = [key for key in keys if self._left.get(key) is None]
        if missing:
            raise ValueError(f"Missing required configuration property {', '.join(missing)}")
        return [self.take(key) for key in keys]

    def end(self) -> None:
        """Raises ValueError for what is left."""
        if self._left:
            raise ValueError(f"Unrecognized properties: {', '.join(self._left)}")


def client_options(conf: Mapping[str, Any]) -> dict[str, Any]:
    """RegistryClient's options. Raises ValueError and TypeError for keys and values that are none."""
    settings = Settings(conf)
    (url,) = settings.needed("url")
    if not isinstance(url, str):
        raise TypeError(f"url must be a str, not {type(url)}")
    if url.startswith("mock:"):
        raise ValueError("mock:// is not there: embedded: is the real registry, in this process")
    headers: dict[str, str] = {}
    options: dict[str, Any] = {
        "url": url,
        "tls": _tls(settings),
        "proxy": settings.take("proxy"),
        "timeout": settings.take("timeout") or _DEFAULT_TIMEOUT,
        "cache_capacity": int(settings.number("cache.capacity")),
        "latest_ttl": settings.number("cache.latest.ttl.sec"),
        "retries": int(settings.number("max.retries")),
        "auth": _auth(settings, url, headers),
        "headers": headers,
    }
    # How long to pause is the client's affair: see docs/client.md.
    for key in ("retries.wait.ms", "retries.max.wait.ms"):
        settings.number(key)
    settings.end()
    return options


def _tls(settings: Settings) -> TlsFiles | ssl.SSLContext | None:
    names = ("ssl.ca.location", "ssl.certificate.location", "ssl.key.location", "ssl.key.password")
    ca, certificate, key, password = (settings.take(name) for name in names)
    if (key is not None or password is not None) and certificate is None:
        raise ValueError(
            "ssl.certificate.location required when configuring ssl.key.location or ssl.key.password"
        )
    if ca is True:
        ca = None  # those that are trusted anyway
    if ca is False or (isinstance(ca, str) and Path(ca).is_dir()):
        context = ssl.create_default_context(capath=ca or None)
        if ca is False:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if certificate is not None:
            context.load_cert_chain(certificate, key, password or "")
        return context
    if ca is None and certificate is None:
        return None
    return TlsFiles(ca, certificate, key, password)


def _auth(settings: Settings, url: str, headers: dict[str, str]) -> Auth | None:
    basic, bearer = _basic(settings, url), _bearer(settings, headers)
    if basic is not None and bearer is not None:
        raise ValueError("basic.auth.user.info and bearer.auth.credentials.source: give one of them")
    return basic or bearer


def _basic(settings: Settings, url: str) -> Auth | None:
    given = settings.take("basic.auth.user.info")
    if given is None:
        return None
    if "@" in url:
        raise ValueError("basic.auth.user.info configured with userinfo credentials in the URL: remove one")
    user, colon, password = str(given).partition(":")
    if not colon:
        raise ValueError("basic.auth.user.info must be in the form of {username}:{password}")
    return (user, password)


def _bearer(settings: Settings, headers: dict[str, str]) -> Auth | None:
    source = settings.take("bearer.auth.credentials.source")
    match source:
        case None:
            return None
        case "STATIC_TOKEN":
            (token,) = settings.needed("bearer.auth.token")
            if not isinstance(token, str):
                raise TypeError(f"bearer.auth.token must be a str, not {type(token)}")
            _cloud(settings, headers)
            return BearerToken(token)
        case "OAUTHBEARER":
            name, secret, scope, url = settings.needed(
                *("bearer.auth.client.id", "bearer.auth.client.secret", "bearer.auth.scope"),
                "bearer.auth.issuer.endpoint.url",
            )
            _cloud(settings, headers)
            return ClientCredentials(url, name, secret, scope=scope)
        case "CUSTOM":
            function, config = settings.needed(
                "bearer.auth.custom.provider.function", "bearer.auth.custom.provider.config"
            )
            if not callable(function):
                raise TypeError(
                    f"bearer.auth.custom.provider.function must be a callable, not {type(function)}"
                )
            if not isinstance(config, Mapping):
                raise TypeError(f"bearer.auth.custom.provider.config must be a dict, not {type(config)}")
            fields = function(config)
            missing = [key for key in _TOKEN_FIELDS if not isinstance(fields, Mapping) or key not in fields]
            if missing:
                raise ValueError(f"bearer.auth.custom.provider.function does not give {', '.join(missing)}")
            _put_cloud(fields, headers)
            return BearerToken(_token_of(function, config))
    raise ValueError(f"Unrecognized bearer.auth.credentials.source: {source}")


def _token_of(function: Callable[[Any], Mapping[str, str]], config: Any) -> Callable[[], str]:
    return lambda: function(config)["bearer.auth.token"]


def _cloud(settings: Settings, headers: dict[str, str]) -> None:
    (cluster,) = settings.needed("bearer.auth.logical.cluster")
    pool = settings.take("bearer.auth.identity.pool.id")
    _put_cloud({"bearer.auth.logical.cluster": cluster, "bearer.auth.identity.pool.id": pool}, headers)


def _put_cloud(fields: Mapping[str, Any], headers: dict[str, str]) -> None:
    cluster, pool = fields["bearer.auth.logical.cluster"], fields.get("bearer.auth.identity.pool.id")
    if not isinstance(cluster, str):
        raise TypeError(f"bearer.auth.logical.cluster must be a str, not {type(cluster)}")
    headers["target-sr-cluster"] = cluster
    if pool is not None and not isinstance(pool, str | list | tuple):
        raise TypeError(f"bearer.auth.identity.pool.id must be a str or a list, not {type(pool)}")
    if pool is not None:
        headers["Confluent-Identity-Pool-Id"] = pool if isinstance(pool, str) else ",".join(pool)
