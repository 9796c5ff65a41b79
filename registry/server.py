"""The registry as a program: granian in front of the Flask application.

A parent process listens for signals and starts the workers; each worker opens
the store for itself and serves with a few threads. The parent hands them its
settings.
"""

import http.client
import multiprocessing
import os
import signal
import socket
import sys
import threading
import urllib.request
from collections.abc import Callable
from contextlib import closing
from functools import partial
from typing import Any, NoReturn

from flask import Flask
from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server
from granian.server.common import AbstractServer

from registry.errors import RegistryError, SettingsError
from registry.http import create_app
from registry.registry import Registry
from registry.settings import Settings
from registry.store import open_store, without_password

_DRAIN_SECONDS = 10

_LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "plain", "stream": "ext://sys.stderr"}
    },
    "loggers": {
        "_granian": {"handlers": ["stderr"], "level": "ERROR", "propagate": False},
        "fivebyte": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
    },
}


def serve(settings: Settings) -> int:
    """Run a registry until SIGTERM or SIGINT; answers the exit code.

    Prints one line when it answers requests.

    Raises SettingsError where the address is taken, StoreError where the store cannot be used.
    """
    _check_address(settings)
    with closing(open_store(settings.store)) as store:  # what is wrong with it is said here, once
        store.head()
    server = Server(
        "registry",  # a name in granian's messages: what it loads is given below
        interface=Interfaces.WSGI,
        address=settings.host,
        port=settings.port,
        workers=settings.workers,
        blocking_threads=settings.threads,
        workers_kill_timeout=_DRAIN_SECONDS,
        websockets=False,
        log_level=LogLevels.error,  # its warnings are advice on the number of threads
        log_dictconfig=_LOGGING,
    )
    stopped = threading.Event()
    announcer = threading.Thread(target=_announce, args=(settings, server, stopped), daemon=True)
    server.on_startup(announcer.start)
    try:
        server.serve(target_loader=partial(worker, settings), wrap_loader=False)
    except SystemExit as end:  # a worker ended by itself, and has said why
        return end.code if isinstance(end.code, int) else 1
    finally:
        stopped.set()
    return 0


def worker(settings: Settings) -> Flask:
    """What granian calls in each worker process: the application."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        # A parent that was killed cannot stop its workers; they must not go on holding the port.
        threading.Thread(target=_end_with, args=(parent.join,), daemon=True).start()
    try:
        registry = Registry(
            open_store(settings.store),
            compatibility=settings.compatibility,
            max_schema_bytes=settings.max_schema_bytes,
            mode_mutability=settings.mode_mutability,
        )
    except RegistryError as fault:
        _fail(fault)
    return create_app(registry, max_body_bytes=settings.max_body_bytes)


def _check_address(settings: Settings) -> None:
    """Granian shares its port between workers, and so would with another server: see that it is free."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as fault:
        raise SettingsError(
            f"cannot listen on {settings.host}:{settings.port}: {fault.strerror or fault}; "
            "give another --host or --port, or stop what uses it"
        ) from None


def _announce(settings: Settings, server: AbstractServer[Any], stopped: threading.Event) -> None:
    """Say that the registry is there once it answers a request, and not before.

    Asks only when all workers were forked: a fork must not meet a thread that is in the middle of something.
    """
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    if settings.host in {"0.0.0.0", "::"}:  # noqa: S104 - only compared
        host = "127.0.0.1" if settings.host == "0.0.0.0" else "[::1]"  # noqa: S104
    url = f"http://{host}:{settings.port}"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while not stopped.wait(0.02):
        if len(server.wrks) < settings.workers:
            continue
        try:
            with opener.open(url, timeout=1) as reply:
                reply.read()
        except (OSError, http.client.HTTPException):
            continue
        store = without_password(settings.store)
        print(f"fivebyte registry on {url}, store {store}", flush=True)  # noqa: T201 - what was asked for
        return


def _end_with(wait: Callable[[], object]) -> None:
    wait()
    os.kill(os.getpid(), signal.SIGTERM)


def _fail(fault: RegistryError) -> NoReturn:
    print(f"fivebyte: {fault}", file=sys.stderr)  # noqa: T201 - the worker's last words
    raise SystemExit(1)
