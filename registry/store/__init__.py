"""Where the registry's log is kept. `open_store` is the way in."""

from registry.errors import SettingsError
from registry.store.memory import MemoryStore
from registry.store.sqlite import SQLiteStore
from registry.store.store import Entry, Store

__all__ = ["Entry", "MemoryStore", "SQLiteStore", "Store", "open_store"]

_FORMS = "memory:, sqlite:///relative.db or sqlite:////absolute/path.db"


def open_store(url: str) -> Store:
    """Open the log at `url`: ``memory:``, ``sqlite:///relative.db`` or ``sqlite:////absolute/path.db``.

    A file that is not there is made; its folder must exist.

    Raises SettingsError for any other URL, StoreError where the log cannot be
    opened, LogFormatError where the file is not a registry's.
    """
    if url in {"memory:", "memory://"}:
        return MemoryStore()
    if url.startswith("sqlite:///") and len(url) > len("sqlite:///"):
        return SQLiteStore(url.removeprefix("sqlite:///"))
    raise SettingsError(f"no store is known for {url!r}: give {_FORMS}")
