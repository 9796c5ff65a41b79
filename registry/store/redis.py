"""The log in a Redis stream: for several nodes, as durable as that Redis is set to be.

The stream's entry ``n-0`` is position n. Its fields, in this order:

    token      random; tells this entry from any other that was ever at its position
    time       milliseconds since 1970
    records    JSON: [{"key": ..., "value": ...}, ...]
    principal  only where it is known

Appending is one script, so that nothing comes between looking at the head and
adding behind it: two writers cannot have one position, and there are no gaps.
The token makes the script safe to send again: where the answer was lost with
the connection, the second one finds the entry to be its own.

Nothing is ever trimmed. Every call ends within its timeouts. After a timeout the
store takes Redis to be away for a second and fails at once, so that callers who
queued behind the first don't each wait as long.

With ``wait_replicas=N`` an append is acknowledged when N replicas have it. If
fewer confirm in time it fails with StoreError, but the entry is in the log: a
failover may lose it, and if none comes it stays. Who registers again then gets
the same id, without another wait.

A store may be used from several threads; open it in the process that uses it.
"""

import math
import re
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import redis
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    ConnectionError,  # noqa: A004 - redis-py's own, which is no OSError
    RedisError,
    ResponseError,
    TimeoutError,  # noqa: A004 - as above
)
from redis.retry import Retry

from registry.errors import Conflict, LogFormatError, SettingsError, StoreAwayError, StoreError
from registry.records import LogRecord
from registry.store.encoding import decode_records, encode_records
from registry.store.redis_url import RedisUrl
from registry.store.store import Entry

T = TypeVar("T")

# Answers the head and the token there, without the records, which may be long.
_TAIL = """
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
if not last then return {'0-0', ''} end
return {last[1], last[2][1] == 'token' and last[2][2] or ''}
"""

# Answers 1: appended; 2: was appended before, with the same token; 0: not the position after the head, or
# the entry there has another token than the one given first (unless that is empty).
_APPEND = """
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local head = last and tonumber(string.match(last[1], '^%d+')) or 0
if tonumber(ARGV[2]) == head + 1 then
    if ARGV[1] ~= '' and not (last and last[2][2] == ARGV[1]) then return 0 end
    redis.call('XADD', KEYS[1], ARGV[2] .. '-0', unpack(ARGV, 3))
    return 1
end
local there = redis.call('XRANGE', KEYS[1], ARGV[2] .. '-0', ARGV[2] .. '-0')[1]
if there and there[2][2] == ARGV[4] then return 2 end
return 0
"""

# The same for several entries at once, each given by its position, the number of its fields, and these.
_EXTEND = """
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local head = last and tonumber(string.match(last[1], '^%d+')) or 0
if tonumber(ARGV[1]) == head + 1 then
    local at = 1
    while at <= #ARGV do
        local ends = at + 1 + tonumber(ARGV[at + 1])
        redis.call('XADD', KEYS[1], ARGV[at] .. '-0', unpack(ARGV, at + 2, ends))
        at = ends + 1
    end
    return 1
end
local there = redis.call('XRANGE', KEYS[1], ARGV[1] .. '-0', ARGV[1] .. '-0')[1]
if there and there[2][2] == ARGV[4] then return 2 end
return 0
"""

_ID = re.compile(rb"([0-9]+)-0")
_SCRIPT = re.compile(r" script: [0-9a-f]{40}.*")
_PAGE = 500
_REST = 1.0


class RedisStore:
    """The log in the stream that `url` names; see `registry.store.redis_url.RedisUrl.parse`.

    connect_timeout: seconds for making a connection.
    timeout: seconds for which Redis may be silent in a call; half of it is for replicas to confirm.

    Raises SettingsError, StoreError (StoreAwayError where nobody answers), LogFormatError.
    """

    head_lasts = math.inf

    def __init__(self, url: str, *, connect_timeout: float = 2.0, timeout: float = 5.0) -> None:
        where = RedisUrl.parse(url)
        if where.ca is not None and not Path(where.ca).is_file():
            raise SettingsError(f"{where}: there is no file {where.ca} of certificates to trust")
        self._where = where
        self._timeout = timeout
        self._closed = False
        self._away: tuple[float, StoreAwayError] | None = None
        tls: dict[str, Any] = {"ssl": True, "ssl_ca_certs": where.ca} if where.tls else {}
        # Any: its methods are typed as all that any client may answer; what comes is looked at here.
        self._client: Any = redis.Redis(
            host=where.host,
            port=where.port,
            db=where.db,
            username=where.username,
            password=where.password,
            socket_connect_timeout=connect_timeout,
            socket_timeout=timeout,
            socket_keepalive=True,
            health_check_interval=30,
            retry=Retry(NoBackoff(), 0),  # what may be sent again is for `_guard` to say
            client_name="fivebyte",
            protocol=2,
            **tls,
        )
        try:
            self._recognise()
            self._guard(self._refuse_a_replica)
        except BaseException:
            self.close()
            raise

    @property
    def url(self) -> str:
        """See `Store`; without user and password."""
        return str(self._where)

    def read(self, after: int) -> Iterator[Entry]:
        """See `Store`. Entries are fetched by the hundred, so a slow caller holds nothing up."""
        head = self.head()
        after = max(after, 0)
        while after < head:
            page = self._page(after, head)
            if not page and self.head() < head:
                raise StoreAwayError(f"{self.url}: the log lost its end while it was read; try again")
            expected = range(after + 1, after + 1 + len(page))
            if [entry.position for entry in page] != list(expected) or not page:
                raise LogFormatError(
                    f"{self.url}: the log has a gap after position {after}; restore it from a backup"
                )
            yield from page
            after = page[-1].position

    def append(
        self, position: int, records: Sequence[LogRecord], principal: str | None = None, *, after: str = ""
    ) -> Entry:
        """See `Store`. After a StoreAwayError it is not known whether the entry was written.

        Raises StoreError also where fewer replicas than asked for confirmed: then it was written.
        """
        text = encode_records(records)
        if position < 1:
            raise Conflict(position)
        token, moment = _new_token(), time.time_ns() // 1_000_000
        self._write(position, _APPEND, [after, str(position), *_fields(token, moment, text, principal)])
        return Entry(position, moment, tuple(records), principal, token)

    def extend(self, entries: Sequence[Entry]) -> None:
        """See `Store`. One script; what may fail is as in `append`."""
        arguments: list[str] = []
        for entry in entries:
            fields = _fields(_new_token(), entry.time, encode_records(entry.records), entry.principal)
            arguments += [str(entry.position), str(len(fields)), *fields]
        self._write(entries[0].position, _EXTEND, arguments)

    def _write(self, position: int, script: str, arguments: list[str]) -> None:
        """Append by `script`, from `position` on, and see to the replicas."""
        written, confirmed = self._guard(lambda: self._append(script, arguments))
        if written == 0:
            raise Conflict(position)
        wanted = self._where.wait_replicas
        if wanted and written == 2:
            raise StoreError(
                f"{self.url}: position {position} was written, but the connection broke before "
                "replicas could confirm it; it may be lost if Redis fails over now"
            )
        if confirmed < wanted:
            raise StoreError(
                f"{self.url}: position {position} was written, but only {confirmed} of {wanted} replicas "
                f"confirmed it within {self._timeout / 2:g} s; it may be lost if Redis fails over now. "
                "See whether the replicas are connected, then try again"
            )

    def head(self) -> int:
        """See `Store`."""
        return self.tail()[0]

    def tail(self) -> tuple[int, str]:
        """See `Store`. One round trip."""
        name, token = self._guard(lambda: self._evaluate(self._client, _TAIL, []))
        return (0, "") if name == b"0-0" else (self._position(name), token.decode(errors="replace"))

    def wait(self, after: int, timeout: float) -> int:
        """See `Store`. Redis tells of an append as it happens."""
        deadline = time.monotonic() + timeout
        after = max(after, 0)
        while (head := self.head()) <= after:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                break
            # A silence that we asked for must be shorter than the one that means that Redis is away.
            pause = max(1, int(1000 * min(remaining, self._timeout / 2)))
            waiting = partial(self._client.xread, {self._where.key: f"{after}-0"}, count=1, block=pause)
            self._guard(waiting)
        return head

    def warnings(self) -> list[str]:
        """See `Store`."""
        return self._guard(self._warnings)

    def close(self) -> None:
        """See `Store`."""
        self._closed = True
        self._client.close()

    def _append(self, script: str, arguments: list[str]) -> tuple[int, int]:
        """What the script answers, and how many replicas have it, where that is asked for."""
        if not self._where.wait_replicas:
            return self._evaluate(self._client, script, arguments), 0
        with self._client.client() as connection:  # WAIT is for what its connection wrote
            written = self._evaluate(connection, script, arguments)
            if written != 1:
                return written, 0
            wait = ("WAIT", self._where.wait_replicas, int(self._timeout * 500))
            return written, connection.execute_command(*wait)

    def _evaluate(self, client: Any, script: str, arguments: list[str]) -> Any:
        # EVAL, not EVALSHA: Redis compiles a text once as well, and forgets no script in a restart.
        return client.execute_command("EVAL", script, 1, self._where.key, *arguments)

    def _recognise(self) -> None:
        """Somebody else's key is met at start, and not by the first who reads."""
        head = self.head()
        first = self._page(0, head, 1) if head else []
        if first and first[0].position != 1:
            self._foreign(f"its first entry is {first[0].position}-0")

    def _page(self, after: int, head: int, count: int = _PAGE) -> list[Entry]:
        found = self._guard(
            lambda: self._client.xrange(self._where.key, f"{after + 1}-0", f"{head}-0", count=count)
        )
        return [self._entry(self._position(name), fields) for name, fields in found]

    def _position(self, name: bytes) -> int:
        match = _ID.fullmatch(name)
        if match is None:
            self._foreign(f"it has an entry {name.decode(errors='replace')}")
        return int(match[1])

    def _entry(self, position: int, fields: dict[bytes, bytes]) -> Entry:
        known = {b"token", b"time", b"records"}
        if not known <= fields.keys() <= known | {b"principal"}:
            self._foreign(f"its entry {position}-0 has other fields")
        try:
            text = {name: value.decode() for name, value in fields.items()}
            moment = int(text[b"time"])
        except ValueError as fault:
            raise LogFormatError(
                f"{self.url}: the entry at position {position} of the log is damaged ({fault}). "
                "Restore the store from a backup"
            ) from fault
        records = decode_records(text[b"records"], self.url, position)
        return Entry(position, moment, records, text.get(b"principal"), text[b"token"])

    def _foreign(self, why: str) -> NoReturn:
        raise LogFormatError(
            f"{self.url}: the key holds a stream, but not a registry's log that this release of fivebyte "
            f"can read: {why}; give another key"
        )

    def _refuse_a_replica(self) -> None:
        with suppress(ResponseError):  # hosted ones may forbid INFO
            if self._client.info("replication").get("role") == "slave":
                raise StoreError(f"{self.url}: this Redis is a replica; give the address of its master")

    def _warnings(self) -> list[str]:
        try:
            info = self._client.info()
        except ResponseError as fault:
            return [f"{self.url} does not say how it is set ({fault}); see that appendonly is yes"]
        found = []
        if not info.get("aof_enabled"):
            try:
                snapshots = self._client.config_get("save").get("save", "")
            except ResponseError:  # hosted ones forbid CONFIG
                snapshots = None
            what = (
                'persists nothing (appendonly no, save ""): a restart loses every schema'
                if snapshots == ""
                else "has appendonly no: a crash loses what was registered since its last snapshot"
            )
            found.append(f"{self.url} {what}. Set appendonly yes")
        policy = str(info.get("maxmemory_policy", "noeviction"))
        if policy.startswith("allkeys"):  # the volatile ones take only what has an expiry
            found.append(
                f"{self.url} has maxmemory-policy {policy}, so it may throw the log away when memory is "
                "short. Set maxmemory-policy noeviction"
            )
        return found

    def _guard(self, action: Callable[[], T]) -> T:
        """Do `action`, once more after a broken connection; what fails is said with the URL and what to do.

        Every action may be done twice: reading is harmless, and appending has its token.
        """
        if self._closed:
            raise StoreError(f"{self.url}: the store is closed")
        away = self._away
        if away is not None and time.monotonic() < away[0]:
            raise StoreAwayError(str(away[1]))
        try:
            try:
                result = action()
            except (AuthenticationError, AuthorizationError):
                raise
            except ConnectionError:
                result = action()
        except (RedisError, OSError) as fault:
            error = self._explain(fault)
            if isinstance(fault, TimeoutError) and isinstance(error, StoreAwayError):
                self._away = (time.monotonic() + _REST, error)
            raise error from fault
        self._away = None
        return result

    def _explain(self, fault: RedisError | OSError) -> StoreError:
        if self._closed:
            return StoreError(f"{self.url}: the store is closed")
        said = f"{type(fault).__name__}: {fault}"
        kind, advice = next(
            ((kind, advice) for marks, kind, advice in _ADVICE if any(mark in said for mark in marks)),
            _AWAY if isinstance(fault, ConnectionError | TimeoutError | OSError) else _FAILED,
        )
        if "READONLY" in said or "ReadOnly" in said:
            self._client.connection_pool.disconnect()  # its name may lead to another server by now
        text = _SCRIPT.sub("", str(fault)).rstrip(". ")
        return kind(f"{self.url}: {text}; {advice}")


def _new_token() -> str:
    return secrets.token_hex(8)


def _fields(token: str, moment: int, text: str, principal: str | None) -> list[str]:
    """An entry's fields and their values, by turns."""
    fields = ["token", token, "time", str(moment), "records", text]
    return fields if principal is None else [*fields, "principal", principal]


_AWAY: tuple[type[StoreError], str] = (
    StoreAwayError,
    "see whether Redis runs there and can be reached; this goes on by itself when it is back",
)
_FAILED = (StoreError, "see Redis's log")
_ADVICE: list[tuple[tuple[str, ...], type[StoreError], str]] = [
    (
        ("AuthenticationError", "AuthorizationError", "WRONGPASS", "NOAUTH"),
        StoreError,
        "see the user and the password in the store's URL",
    ),
    (
        ("NoPermissionError", "NOPERM"),
        StoreError,
        "allow the user the key, and EVAL, XADD, XRANGE, XREVRANGE, XREAD, INFO and WAIT",
    ),
    (("WRONGTYPE",), LogFormatError, "the key holds something else; give another key"),
    (
        ("equal or smaller than the target stream",),
        LogFormatError,
        "entries were deleted from the log's end; restore it from a backup",
    ),
    (
        ("ReadOnlyError", "READONLY"),
        StoreAwayError,
        "this Redis is a replica now; nothing was written. See where its master is, then try again",
    ),
    (("OutOfMemory", "OOM "), StoreError, "nothing was written: give Redis more memory, then try again"),
    (("MISCONF",), StoreError, "nothing was written: Redis cannot write its disk; see its log"),
    (("NOREPLICAS", "MasterDown", "MASTERDOWN"), StoreAwayError, "see its replication, then try again"),
    (("BusyLoading", "LOADING"), StoreAwayError, "it has just started; try again"),
    (
        ("certificate", "SSL"),
        StoreAwayError,
        "see the certificates, and ca=FILE in the store's URL",
    ),
]
