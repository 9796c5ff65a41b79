"""Where a server listens: TLS with real handshakes, addresses that cannot be, and what systemd is told."""

import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import httpx2
import pytest

from fivebyte.cli import run as fivebyte
from registry.errors import ListenError
from registry.listening import ask, check_address
from registry.settings import Settings
from tests.support.certificates import Pair, root, signed
from tests.support.needs import ROOT
from tests.support.server import free_port, running_registry


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="module")
def authority(folder: Path) -> Pair:
    return root(folder)


@pytest.fixture(scope="module")
def server(folder: Path, authority: Pair) -> Pair:
    return signed(folder, "server", authority)


def trusting(authority: Pair) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=authority.certificate)


def test_https(authority: Pair, server: Pair) -> None:
    with running_registry(tls_certificate=server.certificate, tls_key=server.key) as registry:
        url = f"https://127.0.0.1:{registry.port}"
        assert registry.output == f"fivebyte registry on {url}, store memory:\n"
        assert httpx2.get(f"{url}/subjects", verify=trusting(authority)).json() == []
        old = trusting(authority)
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        assert httpx2.get(f"{url}/subjects", verify=old).json() == []
        with pytest.raises(httpx2.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            httpx2.get(f"{url}/subjects", verify=ssl.create_default_context())
        with pytest.raises(httpx2.TransportError):
            httpx2.get(f"http://127.0.0.1:{registry.port}/subjects")


def test_clients_must_have_a_certificate(folder: Path, authority: Pair, server: Pair) -> None:
    client = signed(folder, "client", authority)
    stranger = root(folder, "stranger")
    with running_registry(
        tls_certificate=server.certificate, tls_key=server.key, tls_client_ca=authority.certificate
    ) as registry:
        url = f"https://127.0.0.1:{registry.port}/subjects"
        known = trusting(authority)
        known.load_cert_chain(client.certificate, client.key)
        assert httpx2.get(url, verify=known).json() == []
        with pytest.raises(httpx2.TransportError):
            httpx2.get(url, verify=trusting(authority))
        unknown = trusting(authority)
        unknown.load_cert_chain(stranger.certificate, stranger.key)
        with pytest.raises(httpx2.TransportError):
            httpx2.get(url, verify=unknown)


def test_a_new_certificate_is_taken_at_a_hangup(folder: Path, authority: Pair) -> None:
    def serial() -> int:
        with (
            socket.create_connection(("127.0.0.1", registry.port)) as plain,
            trusting(authority).wrap_socket(plain, server_hostname="127.0.0.1") as secure,
        ):
            certificate = secure.getpeercert()
        assert certificate is not None
        return int(str(certificate["serialNumber"]), 16)

    pair = signed(folder, "renewed", authority)
    with running_registry(tls_certificate=pair.certificate, tls_key=pair.key) as registry:
        before = seen = serial()
        signed(folder, "renewed", authority)
        os.kill(registry.pid, signal.SIGHUP)
        deadline = time.monotonic() + 60
        while seen == before and time.monotonic() < deadline:
            time.sleep(0.1)
            with suppress(OSError):  # of a worker that is just ending
                seen = serial()
        assert seen != before


def serve(capsys: pytest.CaptureFixture[str], **settings: str) -> tuple[int, str]:
    arguments = [part for name, value in settings.items() for part in (f"--{name.replace('_', '-')}", value)]
    code = fivebyte(["serve", "--store", "memory:", "--port", str(free_port()), *arguments])
    output = capsys.readouterr()
    assert output.out == ""
    return code, output.err


def test_certificates_that_cannot_be_used(
    folder: Path, authority: Pair, server: Pair, capsys: pytest.CaptureFixture[str]
) -> None:
    old = str(folder / "old.key")
    subprocess.run(["openssl", "rsa", "-in", server.key, "-traditional", "-out", old], check=True)
    capsys.readouterr()
    pair = {"tls_certificate": server.certificate, "tls_key": server.key}
    for change, said in [
        ({"tls_certificate": "no.pem"}, "tls_certificate=no.pem cannot be read: No such file or directory\n"),
        ({"tls_key": old}, f"tls_key={old} is no unencrypted PKCS#8 key; make one: openssl pkcs8 -topk8 "),
        (
            {"tls_key": authority.key},
            f"tls_certificate={server.certificate} and tls_key={authority.key} are no pair",
        ),
        ({"tls_client_ca": server.key}, f"tls_client_ca={server.key} has no certificates as PEM (no cert"),
    ]:
        code, error = serve(capsys, **pair | change)
        assert (code, error.count("\n")) == (2, 1)
        assert error.startswith(f"fivebyte: {said}")


def test_tls_needs_a_certificate_and_a_key(capsys: pytest.CaptureFixture[str]) -> None:
    for given, said in [
        ({"tls_certificate": "x"}, "tls_certificate=x is of no use without tls_key; give both"),
        ({"tls_key": "x"}, "tls_key=x is of no use without tls_certificate; give both"),
        (
            {"tls_client_ca": "x"},
            "tls_client_ca=x is of no use without TLS; give tls_certificate and tls_key",
        ),
    ]:
        code, error = serve(capsys, **given)
        assert code == 2
        assert error.startswith(f"fivebyte: {said}")


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("no.such.host.invalid", "give an address of this machine as the host, such as 127.0.0.1"),
        ("192.0.2.1", "this is no address of this machine; give another --host, such as 127.0.0.1"),
        ("a" * 100, "give another --host or --port"),
    ],
)
def test_addresses_that_cannot_be_listened_at(host: str, said: str) -> None:
    with pytest.raises(ListenError) as raised:
        check_address(Settings(host=host, port=free_port()))
    assert str(raised.value).startswith(f"cannot listen on {host}:")
    assert said in str(raised.value)


def test_nobody_answers_where_there_is_no_server() -> None:
    assert ask(Settings(port=free_port())) is None


@pytest.mark.parametrize("abstract", [False, True])
def test_systemd_is_told_when_it_is_ready(tmp_path: Path, abstract: bool) -> None:
    name = f"fivebyte-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("\0" + name if abstract else name)
        manager.settimeout(60)
        environment = {"NOTIFY_SOCKET": "@" + name if abstract else name, "PYTHONPATH": str(ROOT)}
        port = free_port()
        process = subprocess.Popen(
            [sys.executable, "-m", "fivebyte", "serve", "--store", "memory:", "--port", str(port)],
            env=os.environ | environment,
            cwd=tmp_path,
            stdout=subprocess.PIPE,
        )
        try:
            assert manager.recv(100) == b"READY=1"
            assert httpx2.get(f"http://127.0.0.1:{port}/subjects").json() == []
        finally:
            process.terminate()
            process.communicate(timeout=60)
        assert process.returncode == 0
