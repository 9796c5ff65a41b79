"""Who asks: what the `auth` of a registry client may be, and how each becomes a header."""

from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from serde.errors import TokenError
from serde.steps import Steps, call


@dataclass(frozen=True, slots=True)
class BasicAuth:
    """A user and a password; the tuple of both is the same."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class BearerToken:
    """A token, or a function that gives one.

    The function is called for each request, from any thread, so it should remember its token; after a
    401 it is called once more. For an AsyncRegistryClient it may be a coroutine function.
    """

    token: str | Callable[[], str] | Callable[[], Awaitable[str]] = field(repr=False)


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """OAuth 2: a client's id and secret, for which `token_url` gives tokens.

    scope: what to ask for, with spaces between. parameters: more of the token request (``audience``, ...).
    secret_in_body: send id and secret as parameters; False: as Basic authentication, as RFC 6749 prefers.

    A token is fetched once, kept, and renewed before it expires; after a 401 it is renewed once.
    """

    token_url: str
    client_id: str
    client_secret: str = field(repr=False)
    scope: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)
    secret_in_body: bool = False


Auth: TypeAlias = tuple[str, str] | BasicAuth | BearerToken | ClientCredentials


class Authenticator(Protocol):
    """Makes the Authorization header of each request."""

    def authorization(self) -> Steps[str | None]:
        """The header's value. Raises TokenError."""
        ...

    def refused(self, sent: str) -> None:
        """Hear that the registry answered 401 to the value."""
        ...


class Fixed:
    """The same value, or none, for each request."""

    def __init__(self, value: str | None) -> None:
        self._value = value

    def authorization(self) -> Steps[str | None]:
        """See `Authenticator`."""
        yield from ()
        return self._value

    def refused(self, sent: str) -> None:
        """See `Authenticator`. There is no other value."""


class Called:
    """A token of a function's."""

    def __init__(self, function: Callable[[], str] | Callable[[], Awaitable[str]]) -> None:
        self._function = function

    def authorization(self) -> Steps[str | None]:
        """See `Authenticator`."""
        try:
            token = yield from call(self._function)
        except TokenError:
            raise
        except Exception as error:
            raise TokenError(f"the function that gives it raised {type(error).__name__}") from error
        return bearer(token)

    def refused(self, sent: str) -> None:
        """See `Authenticator`. The function is called for each request anyway."""


def basic(user: str, password: str) -> str:
    """The header's value for a user and a password, which it does not show. Raises TypeError, ValueError."""
    if not all(isinstance(part, str) for part in (user, password)):
        raise TypeError("a user and a password are text")
    if ":" in user:
        raise ValueError(f"a user of Basic authentication has no colon: {user!r}")
    return f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"


def bearer(token: object) -> str:
    """The header's value for a token. Raises TokenError for what no header can hold; does not show it."""
    if not isinstance(token, str):
        raise TokenError(f"it should be a string, not {type(token).__name__}")
    if not (token and token.isascii() and token.isprintable()):
        raise TokenError("it is empty, or has characters that no header can hold: a line's end, perhaps")
    return f"Bearer {token}"
