"""What the registry client does, in steps that say what to wait for and not how to wait.

The client's rules (what to ask, whether to ask again, what to remember) are
written once, as generators. Each yields what it has to wait for, one of the
classes below, and goes on with the result. `serde.blocking` drives them on
threads, `serde.tasks` on asyncio. Nothing here does any I/O.
"""

from collections.abc import Awaitable, Callable, Generator, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request, ready to be sent.

    timeout: seconds for a connection, and for each part of the answer. until: when all of it must be
    there, on the monotonic clock.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes | None
    timeout: float
    until: float


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An answer, whole. headers: the names in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    url: str


@dataclass(frozen=True, slots=True)
class Send:
    """Gives an HttpAnswer; raises what httpx2 raises."""

    request: HttpRequest


@dataclass(frozen=True, slots=True)
class Pause:
    """Waits; ends early when the client is closed."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Once(Generic[T]):
    """Gives what `make()` gives, which however many want it at a time is done by one of them."""

    key: Hashable
    make: "Callable[[], Steps[T]]"


@dataclass(frozen=True, slots=True)
class Later:
    """Goes on at once; after the seconds, `make()` is done in the background. It must not raise."""

    seconds: float
    make: "Callable[[], Steps[None]]"


@dataclass(frozen=True, slots=True)
class Call:
    """Gives what the function gives, or where that is awaitable, what it comes to."""

    function: Callable[[], str | Awaitable[str]]


Step: TypeAlias = Send | Pause | Once[Any] | Later | Call
Steps: TypeAlias = Generator[Step, Any, T]


def send(request: HttpRequest) -> Steps[HttpAnswer]:
    """`Send`, with its type."""
    answer: HttpAnswer = yield Send(request)
    return answer


def once(key: Hashable, make: Callable[[], Steps[T]]) -> Steps[T]:
    """`Once`, with its type."""
    value: T = yield Once(key, make)
    return value


def call(function: Callable[[], str | Awaitable[str]]) -> Steps[str]:
    """`Call`, with its type."""
    text: str = yield Call(function)
    return text
