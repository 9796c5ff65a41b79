"""Where a registry is, and how it is reached: URLs, TLS, proxies, HTTP clients."""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx2

from serde.auth import (
    Auth,
    Authenticator,
    BasicAuth,
    BearerToken,
    Called,
    ClientCredentials,
    Fixed,
    basic,
    bearer,
)
from serde.exchange import Server
from serde.oauth import TokenAuthenticator

EMBEDDED = "embedded:"
_EMBEDDED_BASE = "http://embedded"  # no host is ever asked for it


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """The files of an encrypted connection, all PEM.

    ca: the certificates to trust; None: those that the system or certifi trusts.
    certificate, key: by which the registry knows this client (mTLS); the key may be in the same file.
    password: of the key.
    """

    ca: str | Path | None = None
    certificate: str | Path | None = None
    key: str | Path | None = None
    password: str | None = field(default=None, repr=False)

    def context(self) -> ssl.SSLContext:
        """Raises ValueError for a file that is not there, or is not what it should be."""
        if self.key is not None and self.certificate is None:
            raise ValueError("a TLS key is of no use without its certificate")
        try:
            context = httpx2.create_ssl_context() if self.ca is None else _trusting(self.ca)
            if self.certificate is not None:
                # An empty password is asked for by nobody; None would ask at the terminal.
                context.load_cert_chain(self.certificate, self.key, self.password or "")
        except OSError as error:  # which ssl.SSLError is
            files = ", ".join(str(file) for file in (self.ca, self.certificate, self.key) if file is not None)
            raise ValueError(f"TLS with {files}: {error.strerror or error}") from None
        return context


@dataclass(frozen=True, slots=True)
class Connections:
    """Makes the HTTP clients. tls, proxy: for all URLs. embedded: the URL of a registry in this process."""

    tls: TlsFiles | ssl.SSLContext | None
    proxy: httpx2.Proxy | None
    embedded: str | None

    def blocking(self, transport: httpx2.BaseTransport | None) -> httpx2.Client:
        """A client for threads. transport: in place of the network."""
        if self.embedded is not None and transport is None:
            from serde.embedded import Embedded

            transport = Embedded.open(self.embedded)
        if transport is not None:
            return httpx2.Client(transport=transport)
        return httpx2.Client(verify=self._verify(), proxy=self.proxy, limits=_LIMITS)

    def asynchronous(self, transport: httpx2.AsyncBaseTransport | None) -> httpx2.AsyncClient:
        """A client for one event loop. transport: in place of the network."""
        if self.embedded is not None and transport is None:
            from serde.embedded import AsyncEmbedded

            transport = AsyncEmbedded.open(self.embedded)
        if transport is not None:
            return httpx2.AsyncClient(transport=transport)
        return httpx2.AsyncClient(verify=self._verify(), proxy=self.proxy, limits=_LIMITS)

    def proxy_of(self, url: str) -> str | None:
        """The proxy that a URL is reached through, without its user and password; None if there is none."""
        if self.embedded is not None:
            return None
        if self.proxy is not None:
            return str(self.proxy.url)
        parts = urlsplit(url)
        if proxy_bypass(parts.hostname or ""):
            return None
        found = getproxies()
        proxy = found.get(parts.scheme) or found.get("all")
        return f"{urlsplit(proxy).scheme}://{_shown(proxy)}" if proxy and "@" in proxy else proxy

    def _verify(self) -> ssl.SSLContext | bool:
        return self.tls.context() if isinstance(self.tls, TlsFiles) else (self.tls or True)


_LIMITS = httpx2.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=60.0)


def connections(
    urls: Sequence[str], tls: TlsFiles | ssl.SSLContext | None, proxy: str | httpx2.Proxy | None
) -> Connections:
    """How the URLs are reached.

    Raises ValueError for what is no proxy's URL, and does not show its password; TypeError for other TLS.
    """
    if tls is not None and not isinstance(tls, TlsFiles | ssl.SSLContext):
        raise TypeError(f"tls is TlsFiles(ca=..., certificate=...) or an ssl.SSLContext, not {tls!r}")
    embedded = next((url for url in urls if url.startswith(EMBEDDED)), None)
    return Connections(tls, _proxy(proxy), embedded)


def servers(urls: Sequence[str], auth: Authenticator) -> list[Server]:
    """The servers at the URLs; one with a user and a password has these in place of `auth`.

    Raises ValueError for what is no registry's URL; does not show its password.
    """
    if not urls:
        raise ValueError("at least one registry URL is needed")
    if any(url.startswith(EMBEDDED) for url in urls) and len(urls) > 1:
        raise ValueError("embedded: is the only URL of a client: there is nothing to fail over to")
    return [_server(url, auth) for url in urls]


def split_urls(url: str | Sequence[str]) -> list[str]:
    """Several with commas between, or a sequence, as a list."""
    if isinstance(url, str):
        return [text.strip() for text in url.split(",")]
    several: Any = url
    if not isinstance(several, Sequence) or not all(isinstance(text, str) for text in several):
        raise TypeError(f"a registry URL is text, several are a list of it, not {url!r}")
    return [text.strip() for text in several]


def authenticator(auth: Auth | None, *, timeout: float, deadline: float, retries: int) -> Authenticator:
    """What makes the headers that say who asks. Raises ValueError, TypeError for what does not say it."""
    if auth is None:
        return Fixed(None)
    if isinstance(auth, tuple) and len(auth) == 2:
        return Fixed(basic(*auth))
    if isinstance(auth, BasicAuth):
        return Fixed(basic(auth.user, auth.password))
    if isinstance(auth, BearerToken):
        return Called(auth.token) if callable(auth.token) else Fixed(bearer(auth.token))
    if isinstance(auth, ClientCredentials):
        if _checked(auth.token_url, "a token endpoint's URL").username:
            raise ValueError("a token endpoint's URL has no user: give client_id and client_secret")
        return TokenAuthenticator(auth, timeout=timeout, deadline=deadline, retries=retries)
    raise TypeError(
        "auth is (user, password), BasicAuth, BearerToken or ClientCredentials, not " + type(auth).__name__
    )


def _server(text: str, auth: Authenticator) -> Server:
    if text.startswith(EMBEDDED):
        return Server(text, _EMBEDDED_BASE, auth)
    url = _checked(text.rstrip("/"), "a registry URL")
    if url.query or url.fragment:
        raise ValueError(f"a registry URL ends with its path, without a ? or #, not {_shown(text)!r}")
    own = Fixed(basic(url.username, url.password)) if url.username else auth
    shown = str(url.copy_with(username=None, password=None)).rstrip("/")
    return Server(shown, shown, own)


def _checked(text: str, what: str) -> httpx2.URL:
    try:
        url = httpx2.URL(text)
    except httpx2.InvalidURL as error:
        raise ValueError(f"{what} cannot be read: {error}") from None
    if url.scheme not in {"http", "https"} or not url.host:
        raise ValueError(f"{what} starts with http:// or https:// and a host, not {_shown(text)!r}")
    return url


def _shown(url: str) -> str:
    """A URL without its user and password."""
    return url.rpartition("@")[2]


def _proxy(proxy: str | httpx2.Proxy | None) -> httpx2.Proxy | None:
    return httpx2.Proxy(_checked(proxy, "a proxy's URL")) if isinstance(proxy, str) else proxy


def _trusting(ca: str | Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca)
