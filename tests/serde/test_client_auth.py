"""Who asks, and by which way: passwords, tokens, certificates, proxies; and that none of it is ever shown."""

import base64
import logging
import pickle
import re
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from serde import (
    BasicAuth,
    BearerToken,
    ClientCredentials,
    RegistryClient,
    RegistryError,
    RegistryUnreachable,
    SerdeError,
    TlsFiles,
    TokenError,
    Unauthorized,
)
from tests.serde.faces import Client, of, on_both, opened, run
from tests.serde.servers import Behaving, sent, silent
from tests.support.certificates import root, signed
from tests.support.server import running_registry

GOOD = sent(200, [])
DENIED = sent(401, {"error_code": 401, "message": "who are you?"})
SECRET = "s3cret"


def token(text: str, **more: Any) -> bytes:
    return sent(200, {"access_token": text, "token_type": "Bearer", "expires_in": 3600, **more})


def authorizations(server: Behaving) -> list[str]:
    """Of each request."""
    found = [re.search(rb"authorization: *(.+)\r", request, re.IGNORECASE) for request in server.requests]
    return [match[1].decode() if match else "" for match in found]


def basic(text: str) -> str:
    return f"Basic {base64.b64encode(text.encode()).decode()}"


@on_both
@pytest.mark.parametrize("auth", [("me", SECRET), BasicAuth("me", SECRET)])
def test_a_user_and_a_password(kind: type[Client], auth: Any) -> None:
    server = Behaving(GOOD)

    async def scenario() -> None:
        with server.listening() as url:
            async with opened(kind, url, auth=auth, headers={"X-Team": "data"}) as client:
                await of(client.subjects())
            async with opened(kind, url.replace("//", "//other:p%40ss@"), auth=auth) as client:
                await of(client.subjects())

    run(scenario())
    assert authorizations(server) == [basic("me:s3cret"), basic("other:p@ss")]
    assert b"x-team: data\r\n" in server.requests[0].lower()


@on_both
def test_a_token(kind: type[Client]) -> None:
    server = Behaving(GOOD)

    async def scenario() -> None:
        with server.listening() as url:
            async with opened(kind, url, auth=BearerToken("abc")) as client:
                await of(client.subjects())

    run(scenario())
    assert authorizations(server) == ["Bearer abc"]


@on_both
def test_a_function_that_gives_tokens_is_asked_for_each_request_and_again_after_a_401(
    kind: type[Client],
) -> None:
    server = Behaving(GOOD, DENIED, GOOD)
    tokens = iter("abcdef")

    async def scenario() -> None:
        with server.listening() as url:
            async with opened(kind, url, auth=BearerToken(lambda: next(tokens))) as client:
                await of(client.subjects())
                await of(client.subjects())

    run(scenario())
    assert authorizations(server) == ["Bearer a", "Bearer b", "Bearer c"]


def test_a_coroutine_function_may_give_tokens_to_tasks() -> None:
    from serde import AsyncRegistryClient

    server = Behaving(GOOD)

    async def give() -> str:
        return "abc"

    async def scenario() -> None:
        with server.listening() as url:
            async with AsyncRegistryClient(url, auth=BearerToken(give)) as client:
                await client.subjects()

    run(scenario())
    assert authorizations(server) == ["Bearer abc"]


@on_both
@pytest.mark.parametrize(
    ("auth", "attempts"),
    [(("me", SECRET), 1), (BearerToken(SECRET), 1), (BearerToken(lambda: SECRET), 1)],
    ids=["basic", "token", "function"],
)
def test_the_same_credentials_are_not_shown_twice(kind: type[Client], auth: Any, attempts: int) -> None:
    server = Behaving(DENIED)

    async def scenario() -> None:
        with server.listening() as url:
            async with opened(kind, url, auth=auth) as client:
                with pytest.raises(Unauthorized, match="who are you") as caught:
                    await of(client.subjects())
                assert not caught.value.is_transient

    run(scenario())
    assert len(server.requests) == attempts


@on_both
def test_client_credentials(kind: type[Client]) -> None:
    registry, tokens = Behaving(GOOD), Behaving(token("abc"))

    async def scenario() -> None:
        with registry.listening() as url, tokens.listening() as token_url:
            credentials = ClientCredentials(
                f"{token_url}/token", "me:x", SECRET, scope="read write", parameters={"audience": "a&b"}
            )
            async with opened(kind, url, auth=credentials) as client:
                for _ in range(3):
                    await of(client.subjects())

    run(scenario())
    assert authorizations(registry) == ["Bearer abc"] * 3
    assert tokens.asked == ["POST /token"]
    # RFC 6749, 2.3.1: encoded before they are joined, so that a colon in the id does not split it.
    assert authorizations(tokens) == [basic("me%3Ax:s3cret")]
    assert tokens.requests[0].endswith(
        b"\r\n\r\ngrant_type=client_credentials&audience=a%26b&scope=read+write"
    )


@on_both
def test_client_credentials_in_the_body(kind: type[Client]) -> None:
    registry, tokens = Behaving(GOOD), Behaving(token("abc"))

    async def scenario() -> None:
        with registry.listening() as url, tokens.listening() as token_url:
            credentials = ClientCredentials(token_url, "me", SECRET, secret_in_body=True)
            async with opened(kind, url, auth=credentials) as client:
                await of(client.subjects())

    run(scenario())
    assert authorizations(tokens) == [""]
    assert tokens.requests[0].endswith(b"grant_type=client_credentials&client_id=me&client_secret=s3cret")


@on_both
def test_a_token_is_renewed_before_it_expires(kind: type[Client]) -> None:
    registry, tokens = Behaving(GOOD), Behaving(token("short", expires_in="1"), token("long"))

    async def scenario() -> None:
        with registry.listening() as url, tokens.listening() as token_url:
            async with opened(kind, url, auth=ClientCredentials(token_url, "me", SECRET)) as client:

                async def ask_until_renewed() -> None:
                    while "Bearer long" not in authorizations(registry):
                        await of(client.subjects())

                await ask_until_renewed()
                await of(client.subjects())

    run(scenario())
    assert authorizations(registry)[0] == "Bearer short"
    assert authorizations(registry)[-1] == "Bearer long"
    assert len(tokens.requests) == 2


def test_a_token_that_still_holds_is_used_while_no_other_is_given() -> None:
    registry, tokens = Behaving(GOOD), Behaving(token("old", expires_in=4), sent(503, ""))
    with (
        registry.listening() as url,
        tokens.listening() as token_url,
        RegistryClient(url, auth=ClientCredentials(token_url, "me", SECRET), retries=0) as client,
    ):
        while len(tokens.requests) < 2:
            client.subjects()
    assert set(authorizations(registry)) == {"Bearer old"}


@on_both
def test_a_token_that_is_refused_is_renewed_once(kind: type[Client]) -> None:
    registry = Behaving(GOOD, DENIED, GOOD, DENIED)
    tokens = Behaving(token("a"), token("b"), token("c"))

    async def scenario() -> None:
        with registry.listening() as url, tokens.listening() as token_url:
            async with opened(kind, url, auth=ClientCredentials(token_url, "me", SECRET)) as client:
                await of(client.subjects())
                await of(client.subjects())
                with pytest.raises(Unauthorized):
                    await of(client.delete_subject("s"))  # a 401 did nothing: it may be sent again

    run(scenario())
    assert authorizations(registry) == [f"Bearer {name}" for name in "aabbc"]
    assert len(tokens.requests) == 3


def test_one_thread_fetches_the_token_for_all() -> None:
    registry, tokens = Behaving(GOOD), Behaving(token("abc"))
    start = threading.Barrier(8)
    with (
        registry.listening() as url,
        tokens.listening() as token_url,
        ThreadPoolExecutor(8) as pool,
        RegistryClient(url, auth=ClientCredentials(token_url, "me", SECRET)) as client,
    ):

        def ask() -> list[str]:
            start.wait(20)
            return client.subjects()

        for asking in [pool.submit(ask) for _ in range(8)]:
            assert asking.result(20) == []
    assert len(tokens.requests) == 1


def raising() -> str:
    raise KeyError(SECRET)


@on_both
@pytest.mark.parametrize(
    ("give", "said", "is_transient"),
    [
        (sent(401, {"error": "invalid_client", "told": SECRET}), "HTTP 401", False),
        (sent(503, SECRET), "HTTP 503", True),
        (sent(200, f"access_token={SECRET}"), "an answer that is no JSON", True),
        (sent(200, {"token": SECRET}), "no access_token", False),
        (sent(200, {"access_token": f"{SECRET}\r\nX: y"}), "characters that no header can hold", False),
        (sent(200, {"access_token": 5}), "it should be a string, not int", False),
        (silent, "no answer within 0.3 s", True),
    ],
)
def test_an_endpoint_that_gives_no_token(
    kind: type[Client], give: Any, said: str, is_transient: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    registry, tokens = Behaving(GOOD), Behaving(give)

    async def scenario() -> None:
        with registry.listening() as url, tokens.listening() as token_url:
            credentials = ClientCredentials(token_url, "me", SECRET)
            async with opened(kind, url, auth=credentials, timeout=0.3, retries=0) as client:
                with pytest.raises(TokenError, match=said) as caught:
                    await of(client.subjects())
                assert caught.value.is_transient is is_transient
                assert str(caught.value).startswith("no token for the schema registry: ")
                shown = "".join(traceback.format_exception(caught.value)) + repr(client) + repr(credentials)
                assert SECRET not in shown

    run(scenario())
    assert registry.requests == []
    assert SECRET not in caplog.text


@on_both
@pytest.mark.parametrize(
    ("give", "said"),
    [
        (raising, "raised KeyError"),
        (lambda: None, "should be a string, not NoneType"),
        (lambda: "", "it is empty"),
        (lambda: f"{SECRET}\n", "a line's end, perhaps"),
        (lambda: "pässword", "characters that no header can hold"),
    ],
)
def test_a_function_that_gives_no_token(kind: type[Client], give: Callable[[], str], said: str) -> None:
    async def scenario() -> None:
        async with opened(kind, "embedded:", auth=BearerToken(give)) as client:
            with pytest.raises(TokenError, match=said) as caught:
                await of(client.subjects())
            assert SECRET not in str(caught.value)

    run(scenario())


def test_nothing_shows_a_secret(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    shown: list[str] = []
    auths: list[Any] = [
        ("me", SECRET),
        BasicAuth("me", SECRET),
        BearerToken(SECRET),
        BearerToken(lambda: SECRET),
        TlsFiles(password=SECRET),
    ]
    for behaviour in (DENIED, b"", sent(200, "{"), sent(500, "")):
        with Behaving(behaviour).listening() as url:
            for auth in auths[:-1]:
                for where in (url, url.replace("//", f"//me:{SECRET}@")):
                    proxied: dict[str, Any] = {"proxy": where, "headers": {"X-Key": SECRET}}
                    without: dict[str, Any] = {}
                    for options in (without, proxied):
                        with RegistryClient(where, auth=auth, retries=0, **options) as client:
                            with pytest.raises((RegistryError, RegistryUnreachable)) as caught:
                                client.register("s", '"int"')
                            copied = pickle.loads(pickle.dumps(caught.value))
                            shown += [*traceback.format_exception(caught.value), repr(copied), repr(client)]
                            shown += [repr(vars(client)), repr(client.urls)]
    for url in (f"ftp://me:{SECRET}@one", f"http://me:{SECRET}@", f"me:{SECRET}@one"):
        for option in ("url", "proxy"):
            with pytest.raises(ValueError, match="starts with http") as refused:
                RegistryClient(**{"url": "http://one", **dict[str, Any]({option: url})})
            shown.append(str(refused.value))
    with pytest.raises(ValueError, match="the header 'X-Key' has characters") as refused:
        RegistryClient("http://one", headers={"X-Key": f"{SECRET}\n"})
    shown += [str(refused.value), *map(repr, auths[1:]), caplog.text]
    assert [line for line in shown if SECRET in line] == []
    assert basic(f"me:{SECRET}").removeprefix("Basic ") not in "".join(shown)


def test_what_is_no_auth_is_refused() -> None:
    for auth in ("me:s3cret", ("me",), object()):
        with pytest.raises(
            TypeError, match=r"auth is \(user, password\), BasicAuth, BearerToken or"
        ) as caught:
            RegistryClient("http://one", auth=auth)  # type: ignore[arg-type]
        assert SECRET not in str(caught.value)
    with pytest.raises(ValueError, match="a token endpoint's URL starts with"):
        RegistryClient("http://one", auth=ClientCredentials("one/token", "me", SECRET))
    with pytest.raises(ValueError, match="has no user: give client_id"):
        RegistryClient("http://one", auth=ClientCredentials(f"http://me:{SECRET}@one", "me", SECRET))


@on_both
def test_a_proxy(kind: type[Client]) -> None:
    proxy = Behaving(GOOD)

    async def scenario() -> None:
        with proxy.listening() as url:
            through = url.replace("//", f"//me:{SECRET}@")
            async with opened(kind, "http://registry.invalid:81/base", proxy=through) as client:
                assert await of(client.subjects()) == []

    run(scenario())
    assert proxy.asked == ["GET http://registry.invalid:81/base/subjects"]
    assert f"proxy-authorization: {basic('me:s3cret')}".lower() in proxy.requests[0].decode().lower()


@on_both
def test_a_proxy_of_the_environment(kind: type[Client], monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = Behaving(GOOD)

    async def scenario() -> None:
        with proxy.listening() as url:
            for name in ("no_proxy", "NO_PROXY", "all_proxy", "ALL_PROXY", "HTTP_PROXY"):
                monkeypatch.delenv(name, raising=False)
            monkeypatch.setenv("http_proxy", url)
            async with opened(kind, "http://registry.invalid") as client:
                assert await of(client.subjects()) == []

    run(scenario())
    assert proxy.asked == ["GET http://registry.invalid/subjects"]


@on_both
def test_certificates(kind: type[Client], tmp_path: Path) -> None:
    authority = root(tmp_path)
    server, mine = signed(tmp_path, "server", authority), signed(tmp_path, "client", authority)
    both = tmp_path / "both.pem"
    both.write_text(Path(mine.certificate).read_text() + Path(mine.key).read_text())
    settings = {
        "tls_certificate": server.certificate,
        "tls_key": server.key,
        "tls_client_ca": authority.certificate,
    }

    async def scenario(port: int) -> None:
        url = f"https://127.0.0.1:{port}"
        for files in (
            TlsFiles(authority.certificate, mine.certificate, mine.key),
            TlsFiles(Path(authority.certificate), both),
            TlsFiles(authority.certificate, mine.certificate, mine.key).context(),
        ):
            async with opened(kind, url, tls=files) as client:
                assert await of(client.subjects()) == []
        for less in (None, TlsFiles(authority.certificate), TlsFiles(None, mine.certificate, mine.key)):
            async with opened(kind, url, tls=less, retries=0) as client:
                with pytest.raises(RegistryUnreachable):
                    await of(client.subjects())

    with running_registry("memory:", **settings) as registry:
        run(scenario(registry.port))


@on_both
def test_files_that_are_no_certificates(kind: type[Client], tmp_path: Path) -> None:
    nothing = tmp_path / "nothing.pem"
    nothing.write_text("nothing")
    for files in (
        TlsFiles(ca=tmp_path / "none.pem"),
        TlsFiles(ca=nothing),
        TlsFiles(certificate=nothing),
        TlsFiles(certificate=tmp_path / "none.pem", key=nothing),
    ):
        with pytest.raises(ValueError, match=r"TLS with .*\.pem: ") as caught:
            kind("https://one", tls=files)
        assert not isinstance(caught.value, SerdeError)
    with pytest.raises(ValueError, match="of no use without its certificate"):
        kind("https://one", tls=TlsFiles(key=nothing))
