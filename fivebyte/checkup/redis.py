"""A log in Redis: that it can be reached and written, and keeps what it acknowledged."""

import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import redis
from redis.exceptions import RedisError

from fivebyte.checkup.finding import Finding, ok, problem, told, warning
from registry.errors import RegistryError
from registry.store import open_store
from registry.store.redis_url import RedisUrl

_MEGABYTE = 1024 * 1024
_APART = 2.0
"""Seconds by which clocks may differ. Entries have the time of the node that wrote them."""


def check(url: str) -> Iterator[Finding]:
    """The Redis and the stream that `url` names."""
    try:
        with closing(open_store(url)) as store:
            head, where = store.head(), store.url
            warnings = store.warnings()
    except RegistryError as fault:
        yield told(fault)
        return
    yield ok(f"store {where}: answers; the log is at position {head}")
    for text in warnings:
        what, dot, advice = text.rpartition(". ")  # what is to be done is the last sentence
        yield warning(f"store {what}", advice) if dot else warning(f"store {text}", "")
    try:
        with closing(_client(RedisUrl.parse(url))) as client:
            yield from _state(where, client.info(), warned=bool(warnings))
            yield from _clock(where, client)
    except (RedisError, OSError) as fault:
        yield warning(f"store {where} does not tell how it is set: {fault}", "allow its user INFO and TIME")


def _client(where: RedisUrl) -> Any:
    tls: dict[str, Any] = {"ssl": True, "ssl_ca_certs": where.ca} if where.tls else {}
    return redis.Redis(
        host=where.host,
        port=where.port,
        db=where.db,
        username=where.username,
        password=where.password,
        socket_timeout=5,
        socket_connect_timeout=2,
        **tls,
    )


def _state(where: str, info: dict[str, Any], *, warned: bool) -> Iterator[Finding]:
    if "err" in {info.get("aof_last_write_status"), info.get("rdb_last_bgsave_status")}:
        yield problem(f"store {where}: Redis failed to write its disk", "see its log, and make room")
    most, used = int(info.get("maxmemory", 0)), int(info.get("used_memory", 0))
    if most and used > 0.9 * most:
        yield warning(
            f"store {where}: Redis uses {used // _MEGABYTE} of {most // _MEGABYTE} MiB", "raise maxmemory"
        )
    version, replicas = info.get("redis_version", "?"), info.get("connected_slaves", 0)
    kept = "" if warned else ", appendonly yes"
    yield ok(f"store {where}: Redis {version}{kept}, {replicas} replicas connected")


def _clock(where: str, client: Any) -> Iterator[Finding]:
    before = time.time()
    seconds, microseconds = client.time()
    apart = seconds + microseconds / 1e6 - (before + time.time()) / 2
    if abs(apart) > _APART:
        yield warning(
            f"store {where}: its clock is {abs(apart):.0f} s {'ahead of' if apart > 0 else 'behind'} ours",
            "keep the clocks with NTP: the times in the history are those of the node that wrote",
        )
    else:
        yield ok(f"store {where}: its clock and ours agree")
