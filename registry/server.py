"""The registry as a program: granian in front of the Flask application.

A parent process reads the log, listens for signals and starts the workers; each
worker opens the store for itself and serves with a few threads. The parent hands
them its settings, and what it read: they are its forks, so the log is read once
and lies in memory once, however many they are.
"""

import gc
import logging
import math
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from flask import Flask
from granian.constants import Interfaces, SSLProtocols
from granian.log import LogLevels
from granian.server import Server
from granian.server.common import AbstractServer

from registry.errors import RegistryError, SettingsError
from registry.follower import Follower
from registry.http import create_app
from registry.listening import ask, check_address, check_certificates, url
from registry.logs import configuration
from registry.registry import Limits, Registry
from registry.replica import Fold, Replica
from registry.settings import Settings
from registry.store import open_store, without_password
from registry.systemd import notify
from registry.tally import Tally

_log = logging.getLogger("fivebyte.registry")

_DRAIN_SECONDS = 10


def serve(settings: Settings) -> int:
    """Run a registry until SIGTERM or SIGINT; answers the exit code.

    Prints one line when it answers requests.

    Raises ListenError where the address is taken, SettingsError where the certificates cannot be used or
    there is no room for temporary files, StoreError where the store cannot be used, LogFormatError where
    what is in it cannot be read.
    """
    check_address(settings)
    check_certificates(settings)
    with closing(open_store(settings.store)) as store:  # what is wrong with it is said here, once
        store.head()
        warnings = store.warnings()
    server = Server(
        "registry",  # a name in granian's messages: what it loads is given below
        interface=Interfaces.WSGI,
        address=settings.host,
        port=settings.port,
        workers=settings.workers,
        blocking_threads=settings.threads,
        workers_kill_timeout=_DRAIN_SECONDS,
        respawn_failed_workers=True,  # unless they fail one after another
        websockets=False,
        log_level=LogLevels.error,
        log_dictconfig=configuration(settings.log_format, settings.log_level),
        ssl_cert=_path(settings.tls_certificate),
        ssl_key=_path(settings.tls_key),
        ssl_ca=_path(settings.tls_client_ca),
        ssl_client_verify=settings.tls_client_ca is not None,
        ssl_protocol_min=SSLProtocols.tls12,
    )
    for warning in warnings:  # the logging is set up now
        _log.warning("%s", warning)
    fold = _read(settings)
    stopped = threading.Event()
    announcer = threading.Thread(target=_announce, args=(settings, server, stopped), daemon=True)
    server.on_startup(announcer.start)
    try:
        with _temporary_folder() as tallies:
            server.serve(target_loader=partial(worker, settings, Path(tallies), fold), wrap_loader=False)
    except SystemExit as end:  # workers ended by themselves again and again, and have said why
        return end.code if isinstance(end.code, int) else 1
    finally:
        stopped.set()
    return 0


def worker(settings: Settings, tallies: Path, fold: Fold | None = None) -> Flask:
    """What granian calls in each worker process: the application.

    tallies: a folder in which the workers keep what they count.
    fold: what the parent had read of the log; a process of its own reads it from the start.
    """
    gc.set_threshold(10_000, 10, 10)  # a parsed schema is hundreds of objects, and all are kept for a while
    parent = multiprocessing.parent_process()
    if parent is not None:
        # A parent that was killed cannot stop its workers; they must not go on holding the port.
        threading.Thread(target=_end_with, args=(parent.join,), daemon=True).start()
    try:
        registry = Registry(
            open_store(settings.store),
            compatibility=settings.compatibility,
            validate_new_schemas=settings.validate_new_schemas,
            validate_fields=settings.validate_fields,
            limits=Limits(settings.max_schema_bytes, settings.max_references, settings.max_versions),
            mode_mutability=settings.mode_mutability,
            fold=fold,
        )
    except RegistryError as fault:
        _fail(fault)
    tally, replica = Tally(tallies), registry.replica
    if math.isinf(registry.store.head_lasts):
        Follower(replica, lambda: tally.note(replica.state.position, replica.conflicts)).start()
    return create_app(
        registry,
        tally=tally,
        max_body_bytes=settings.max_body_bytes,
        incompatible_error_code=settings.incompatible_error_code,
    )


def _read(settings: Settings) -> Fold | None:
    """What the log says, for the workers to begin with; None where they would not share it."""
    if multiprocessing.get_start_method() != "fork":
        return None
    gc.disable()  # nothing that is made here is garbage, and looking for it would take a third of the time
    try:
        with closing(open_store(settings.store)) as store:
            replica = Replica(store)
            with replica.synced():
                fold = replica.fold
    finally:
        gc.enable()
    gc.freeze()  # nor do the workers look for it here: that would pause them, and copy what they share
    return fold


def _announce(settings: Settings, server: AbstractServer[Any], stopped: threading.Event) -> None:
    """Say that the registry is there once it answers a request, and not before.

    Asks only when all workers were forked: a fork must not meet a thread that is in the middle of something.
    """
    while not stopped.wait(0.02):
        if len(server.wrks) < settings.workers or ask(settings) is None:
            continue
        store = without_password(settings.store)
        print(f"fivebyte registry on {url(settings)}, store {store}", flush=True)  # noqa: T201 - was asked for
        notify("READY=1")
        return


def _temporary_folder() -> tempfile.TemporaryDirectory[str]:
    try:
        return tempfile.TemporaryDirectory(prefix="fivebyte-")
    except OSError as fault:
        raise SettingsError(
            f"no temporary files can be written ({fault.strerror or fault}); set TMPDIR to a folder for them"
        ) from None


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)


def _end_with(wait: Callable[[], object]) -> None:
    wait()
    os.kill(os.getpid(), signal.SIGTERM)


def _fail(fault: RegistryError) -> NoReturn:
    print(f"fivebyte: {fault}", file=sys.stderr)  # noqa: T201 - the worker's last words
    raise SystemExit(1)
