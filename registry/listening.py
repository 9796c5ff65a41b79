"""Where a server listens: that its address is free, that its certificates can be used, and whether it answers
there.
"""

import errno
import http.client
import socket
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import NoReturn

from registry.errors import ListenError, SettingsError
from registry.settings import Settings

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - only compared


def url(settings: Settings) -> str:
    """Where a server with `settings` is asked from its own machine."""
    host = _EVERYWHERE.get(settings.host, settings.host)
    host = f"[{host}]" if ":" in host else host
    return f"{'https' if settings.tls_certificate else 'http'}://{host}:{settings.port}"


def check_address(settings: Settings) -> None:
    """That a server could listen at the address of `settings`.

    Granian shares its port between workers, and so would with another server. Raises ListenError.
    """
    where = f"{settings.host}:{settings.port}"
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, address = found[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except socket.gaierror as fault:
        raise ListenError(
            f"cannot listen on {where}: {fault.strerror}; give an address of this machine as the host, "
            "such as 127.0.0.1, or 0.0.0.0 for all of them"
        ) from None
    except (OSError, UnicodeError) as fault:  # a label that is too long is a UnicodeError
        number = fault.errno if isinstance(fault, OSError) else None
        said = fault.strerror if isinstance(fault, OSError) else fault
        advice = _ADVICE.get(number or 0, "give another --host or --port")
        raise ListenError(f"cannot listen on {where}: {said}; {advice}") from None


_ADVICE = {
    errno.EADDRINUSE: "give another --host or --port, or stop what uses it",
    errno.EACCES: "a port below 1024 needs CAP_NET_BIND_SERVICE; give a higher --port",
    errno.EADDRNOTAVAIL: "this is no address of this machine; give another --host, such as 127.0.0.1",
}


def check_certificates(settings: Settings) -> None:
    """That the files of certificates and their key can be used. Raises SettingsError."""
    certificate, key = settings.tls_certificate, settings.tls_key
    if certificate is None or key is None:
        return
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _read("tls_certificate", certificate)
    if "-----BEGIN PRIVATE KEY-----" not in _read("tls_key", key):
        _refuse(
            "tls_key",
            key,
            "is no unencrypted PKCS#8 key; make one: openssl pkcs8 -topk8 -nocrypt -in OLD -out NEW",
        )
    try:
        context.load_cert_chain(certificate, key, password="")
    except ssl.SSLError as fault:
        _refuse(
            "tls_certificate", certificate, f"and tls_key={key} are no pair of PEM files ({_reason(fault)})"
        )
    if settings.tls_client_ca is not None:
        _read("tls_client_ca", settings.tls_client_ca)
        try:
            context.load_verify_locations(settings.tls_client_ca)
        except ssl.SSLError as fault:
            _refuse("tls_client_ca", settings.tls_client_ca, f"has no certificates as PEM ({_reason(fault)})")


def _read(name: str, path: str) -> str:
    try:
        return Path(path).read_text("ascii", errors="replace")
    except OSError as fault:
        _refuse(name, path, f"cannot be read: {fault.strerror}")


def _refuse(name: str, path: str, why: str) -> NoReturn:
    raise SettingsError(f"{name}={path} {why}")


def _reason(fault: ssl.SSLError) -> str:
    return (fault.reason or str(fault)).replace("_", " ").lower()


def ask(settings: Settings, path: str = "/", *, timeout: float = 1.0) -> tuple[int, bytes] | None:
    """The status and the body that the server of `settings` answers for `path`; None if it doesn't answer.

    A server that wants a certificate, which we have not, is taken to have said 200.
    """
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=_trusting())
    )
    try:
        with opener.open(url(settings) + path, timeout=timeout) as reply:
            return reply.status, reply.read()
    except urllib.error.HTTPError as fault:
        with fault:
            return fault.code, fault.read()
    except (OSError, http.client.HTTPException) as fault:
        reason = fault.reason if isinstance(fault, urllib.error.URLError) else fault
        wants = isinstance(reason, ssl.SSLError) and "CERTIFICATE_REQUIRED" in (reason.reason or "")
        return (200, b"") if wants else None


def _trusting() -> ssl.SSLContext:
    """For talking to ourselves: the name and the root of our certificate are for others to see to."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
