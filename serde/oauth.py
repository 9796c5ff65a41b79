"""Tokens for a client's id and secret (OAuth 2, RFC 6749, section 4.4)."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote_plus

from serde.auth import ClientCredentials, Fixed, basic, bearer
from serde.errors import RegistryError, RegistryUnreachable, TokenError
from serde.exchange import Exchange, Request, Server
from serde.steps import Steps, once

_MARGIN: Final = 60.0
_SHARE: Final = 0.2
"""A token is renewed a minute before its end, or when this share of its life is left."""

_USUAL_LIFE: Final = 300.0
"""Of a token that does not say how long it lives, in seconds."""


@dataclass(frozen=True, slots=True)
class _Token:
    """authorization: the header's value. renew, end: on the monotonic clock."""

    authorization: str
    renew: float
    end: float


class TokenAuthenticator:
    """Fetches a token when there is none, keeps it, and fetches the next before it expires."""

    def __init__(
        self, credentials: ClientCredentials, *, timeout: float, deadline: float, retries: int
    ) -> None:
        self._credentials = credentials
        ident, secret = credentials.client_id, credentials.client_secret
        # RFC 6749, 2.3.1: both are encoded as in a form before they are joined.
        header = None if credentials.secret_in_body else basic(quote_plus(ident), quote_plus(secret))
        server = Server(credentials.token_url, credentials.token_url, Fixed(header))
        self._exchange = Exchange([server], timeout=timeout, deadline=deadline, retries=retries)
        self._token: _Token | None = None

    def authorization(self) -> Steps[str | None]:
        """See `Authenticator`. Of several that need a token, one fetches it."""
        token = self._token
        if token is None or time.monotonic() >= token.renew:
            token = yield from once(("token", id(self)), self._renewed)
        return token.authorization

    def refused(self, sent: str) -> None:
        """See `Authenticator`. Forgets the token, if it still is the one."""
        token = self._token
        if token is not None and token.authorization == sent:
            self._token = None

    def _renewed(self) -> Steps[_Token]:
        before = self._token
        if before is not None and time.monotonic() < before.renew:
            return before  # another did it just now
        try:
            answer = yield from self._exchange.ask(Request("POST", (), form=self._form(), in_context=False))
            token = _token(answer)
        except (RegistryError, RegistryUnreachable) as error:
            if before is not None and time.monotonic() < before.end:
                return before
            raise self._error(error) from None
        self._token = token
        return token

    def _form(self) -> dict[str, str]:
        credentials = self._credentials
        form = {"grant_type": "client_credentials", **credentials.parameters}
        if credentials.scope is not None:
            form["scope"] = credentials.scope
        if credentials.secret_in_body:
            form |= {"client_id": credentials.client_id, "client_secret": credentials.client_secret}
        return form

    def _error(self, error: RegistryError | RegistryUnreachable) -> TokenError:
        # Of an answer only the status: what it says may repeat what was sent, or be a token.
        if isinstance(error, RegistryError):
            what = f"HTTP {error.status}"
        else:
            what = error.reason if error.__cause__ is not None else "an answer that is no JSON"
        return TokenError(f"{self._credentials.token_url} gave {what}", is_transient=error.is_transient)


def _token(answer: Any) -> _Token:
    told = answer if isinstance(answer, Mapping) else {}
    life = told.get("expires_in")
    if isinstance(life, str) and life.isdecimal():  # some send it so
        life = float(life)
    if not isinstance(life, int | float) or life <= 0:
        life = _USUAL_LIFE
    if "access_token" not in told:
        raise TokenError("the token endpoint's answer has no access_token")
    now = time.monotonic()
    return _Token(bearer(told["access_token"]), now + life - min(_MARGIN, life * _SHARE), now + life)
