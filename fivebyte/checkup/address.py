"""Where the server listens: that it could, or that it does."""

import json
from collections.abc import Iterator

from fivebyte.checkup.finding import Finding, ok, problem, told
from registry.errors import RegistryError
from registry.listening import ask, check_address, check_certificates, url
from registry.settings import Settings

_TIMEOUT = 5.0


def check(settings: Settings) -> Iterator[Finding]:
    """The address, and the certificates if there are any."""
    if settings.tls_certificate is not None:
        try:
            check_certificates(settings)
        except RegistryError as fault:
            yield told(fault)
            return
        yield ok(f"the certificate {settings.tls_certificate} and its key can be used")
    where = f"{settings.host}:{settings.port}"
    answer = ask(settings, "/v1/metadata/version", timeout=_TIMEOUT)
    if answer is not None and answer[0] == 200:
        yield ok(f"a registry answers on {url(settings)}{_version(answer[1])}")
        return
    try:
        check_address(settings)
    except RegistryError as fault:
        yield told(fault)
        return
    yield ok(f"{where} is free to listen on")


def ready(settings: Settings) -> Finding:
    """Whether the server with `settings` is up, and its log answers."""
    where = url(settings)
    answer = ask(settings, "/health/ready", timeout=_TIMEOUT)
    if answer is None:
        return problem(f"no registry answers on {where}", "start it: fivebyte serve; or see its log")
    status, body = answer
    if status != 200:
        said = body.decode(errors="replace").strip()
        return problem(f"the registry on {where} is not ready: {status} {said}", "see its log")
    return ok(f"the registry on {where} is ready")


def _version(body: bytes) -> str:
    """What it says of its version; a server that wants a certificate says nothing."""
    try:
        return f", version {json.loads(body)['version']}"
    except (ValueError, KeyError, TypeError):
        return ""
