"""What RegistryClient and AsyncRegistryClient have in common: their options, and how they get their calls."""

import inspect
import ssl
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Generic, NoReturn, TypeVar, get_args

import httpx2

from serde.auth import Auth
from serde.calls import Calls
from serde.connections import TlsFiles, authenticator, connections, servers, split_urls
from serde.exchange import Exchange
from serde.subjects import context_name

DEFAULT_TIMEOUT: Final = 5.0
DEFAULT_DEADLINE: Final = 30.0
DEFAULT_RETRIES: Final = 2
DEFAULT_CAPACITY: Final = 10_000
DEFAULT_LATEST_TTL: Final = 60.0
DEFAULT_MISSING_TTL: Final = 5.0

Transport = TypeVar("Transport", httpx2.BaseTransport, httpx2.AsyncBaseTransport)
F = TypeVar("F", bound=Callable[..., Any])


class Face(Generic[Transport]):
    """A client without the way it waits."""

    def __init__(
        self,
        url: str | Sequence[str],
        *,
        context: str | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        deadline: float = DEFAULT_DEADLINE,
        retries: int = DEFAULT_RETRIES,
        headers: Mapping[str, str] | None = None,
        auth: Auth | None = None,
        tls: TlsFiles | ssl.SSLContext | None = None,
        proxy: str | httpx2.Proxy | None = None,
        cache_capacity: int = DEFAULT_CAPACITY,
        latest_ttl: float = DEFAULT_LATEST_TTL,
        missing_ttl: float = DEFAULT_MISSING_TTL,
        transport: Transport | None = None,
    ) -> None:
        urls = split_urls(url)
        self._connections = connections(urls, tls, proxy)
        shown = authenticator(auth, timeout=timeout, deadline=deadline, retries=retries)
        self._exchange = Exchange(
            servers(urls, shown),
            timeout=timeout,
            deadline=deadline,
            retries=retries,
            headers=headers,
            context=context_name(context),
            proxy_of=None if transport is not None else self._connections.proxy_of,
        )
        self._calls = Calls(
            self._exchange,
            context=context_name(context),
            cache_capacity=cache_capacity,
            latest_ttl=latest_ttl,
            missing_ttl=missing_ttl,
        )
        self._transport: Transport | None = transport
        self._start()

    # What the error for a keyword that there is not calls it.
    __init__.__qualname__ = "RegistryClient.__init__"

    def _start(self) -> None:
        """Make what carries out the steps."""
        raise NotImplementedError

    @property
    def urls(self) -> tuple[str, ...]:
        """Where the registry is, without users and passwords."""
        return self._exchange.urls

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self.urls))})"

    def __reduce__(self) -> NoReturn:
        name = type(self).__name__
        raise TypeError(f"{name} has connections and cannot be pickled: make one in the other process")


def as_method_of(owner: str, core: Callable[..., Any], method: F) -> F:
    """`method` with the name, the docstring and the signature of the call in `Calls` that it makes."""
    result = get_args(core.__annotations__["return"])[-1]  # of Steps[...]
    method.__name__ = core.__name__
    method.__qualname__ = f"{owner}.{core.__name__}"
    method.__doc__ = core.__doc__
    method.__annotations__ = {**core.__annotations__, "return": result}
    signature = inspect.signature(core).replace(return_annotation=result)
    method.__signature__ = signature  # type: ignore[attr-defined]
    return method
