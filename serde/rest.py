"""Requests to a registry beneath its calls: any path, the JSON of the answer. For tools, not for messages."""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx2

from serde.auth import Auth
from serde.blocking import ThreadDriver
from serde.connections import authenticator, connections, servers, split_urls
from serde.errors import RegistryUnreachable
from serde.exchange import Exchange, Request


class Rest:
    """The HTTP side of a registry client; the options are RegistryClient's. Safe to use from several threads.

    deadline: seconds for a whole request; None: as long as its attempts may take.
    """

    def __init__(
        self,
        urls: str | Sequence[str],
        *,
        timeout: float,
        retries: int,
        headers: Mapping[str, str] | None = None,
        auth: Auth | None = None,
        transport: httpx2.BaseTransport | None = None,
        deadline: float | None = None,
    ) -> None:
        given = split_urls(urls)
        if deadline is None:
            deadline = 2 * timeout * (retries + 1) * len(given)
        who = authenticator(auth, timeout=timeout, deadline=deadline, retries=retries)
        ways = connections(given, tls=None, proxy=None)
        self._exchange = Exchange(
            servers(given, who),
            timeout=timeout,
            deadline=deadline,
            retries=retries,
            headers=headers,
            proxy_of=None if transport is not None else ways.proxy_of,
        )
        self._driver = ThreadDriver(lambda: ways.blocking(transport), after_fork=lambda: None)

    @property
    def urls(self) -> tuple[str, ...]:
        """Where the registry is, without users and passwords."""
        return self._exchange.urls

    def request(
        self,
        method: str,
        *path: str | int,
        query: Mapping[str, str | int | bool] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Any:
        """Ask and return the JSON of the answer.

        path: the segments, each percent-encoded here. query: booleans become ``true`` and ``false``.

        Raises RegistryError for an error answer, RegistryUnreachable where there is none.
        """
        return self._driver.run(self._exchange.ask(Request(method, path, query=query or {}, body=body)))

    def unexpected(self, what: str) -> RegistryUnreachable:
        """The error for an answer that no schema registry gives."""
        return self._exchange.unexpected(what)

    def close(self) -> None:
        """Close the connections; requests after this raise RuntimeError."""
        self._driver.close()
