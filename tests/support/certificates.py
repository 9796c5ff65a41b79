"""Certificates for tests, made with openssl: a root, and what it signed."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.support.needs import need_programs

_DAYS = ["-days", "2"]


@dataclass(frozen=True)
class Pair:
    """The files of a certificate and of its key, which is PKCS#8."""

    certificate: str
    key: str


def root(folder: Path, name: str = "root") -> Pair:
    """A root that signs."""
    pair = _pair(folder, name)
    subject = ["-subj", f"/CN={name}", *_DAYS]
    _openssl(
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        pair.key,
        "-out",
        pair.certificate,
        *subject,
    )
    return pair


def signed(folder: Path, name: str, by: Pair) -> Pair:
    """A certificate for 127.0.0.1 that `by` signed."""
    pair = _pair(folder, name)
    request, extensions = folder / f"{name}.csr", folder / f"{name}.ext"
    extensions.write_text("subjectAltName=IP:127.0.0.1\n")
    _openssl(
        "req",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        pair.key,
        "-out",
        str(request),
        "-subj",
        f"/CN={name}",
    )
    issuer = ["-CA", by.certificate, "-CAkey", by.key, "-CAcreateserial"]
    out = ["-extfile", str(extensions), "-out", pair.certificate]
    _openssl("x509", "-req", "-in", str(request), *issuer, *_DAYS, *out)
    return pair


def _pair(folder: Path, name: str) -> Pair:
    return Pair(str(folder / f"{name}.pem"), str(folder / f"{name}.key"))


def _openssl(*arguments: str) -> None:
    need_programs("openssl")
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)
