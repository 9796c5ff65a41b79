"""Opening the stores that a log is moved from and to."""

from pathlib import Path

from registry.errors import TransferError
from registry.store import Store, open_store

_SQLITE = "sqlite:///"


def open_source(url: str) -> Store:
    """Open the log at `url`, which must be there: a mistyped path must not become an empty registry.

    Raises TransferError, and what `open_store` raises.
    """
    if url.startswith(_SQLITE) and not Path(url.removeprefix(_SQLITE)).is_file():
        raise TransferError(f"{url}: there is no such file; give the store that has the log")
    return open_target(url)


def open_target(url: str) -> Store:
    """Open the log at `url`, or begin one there.

    Raises TransferError for a store in memory, which ends with this process, and what `open_store` raises.
    """
    if url.startswith("memory:"):
        raise TransferError("a store in memory ends with its process; give sqlite:///PATH or redis://HOST")
    return open_store(url)
