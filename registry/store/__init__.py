"""Where the registry's log is kept. `open_store` is the way in."""

from registry.errors import SettingsError
from registry.store.memory import MemoryStore
from registry.store.redis_url import FORM, without_password
from registry.store.sqlite import SQLiteStore
from registry.store.store import Entry, Store

__all__ = ["Entry", "MemoryStore", "SQLiteStore", "Store", "open_store", "without_password"]

_FORMS = f"memory:, sqlite:///relative.db, sqlite:////absolute/path.db or {FORM}"


def open_store(url: str) -> Store:
    """Open the log at `url`.

    * ``memory:``
    * ``sqlite:///relative.db`` or ``sqlite:////absolute/path.db``: a file that is not there is made; its
      folder must exist.
    * ``redis://[user:password@]host:port/db?key=fivebyte``, ``rediss://`` for TLS. ``wait_replicas=N``
      acknowledges a write when N replicas have it (see `registry.store.redis`); ``ca=FILE`` trusts the
      certificates of that file.

    Raises SettingsError for any other URL, StoreError where the log cannot be
    opened, LogFormatError where what is there is not a registry's.
    """
    if url in {"memory:", "memory://"}:
        return MemoryStore()
    if url.startswith("sqlite:///") and len(url) > len("sqlite:///"):
        return SQLiteStore(url.removeprefix("sqlite:///"))
    if url.startswith(("redis://", "rediss://")):
        from registry.store.redis import RedisStore  # its client takes a while to import

        return RedisStore(url)
    raise SettingsError(f"no store is known for {without_password(url)!r}: give {_FORMS}")
