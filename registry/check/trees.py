"""Files to read schemas from: a folder of the disk, or a git commit (`registry.check.git`)."""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from registry.check.errors import ProjectError


class Tree(Protocol):
    """Files by their paths, with ``/`` between, from one folder."""

    @property
    def name(self) -> str:
        """Put before a path to say where an old text is from: ``main:``; "" for the working tree."""

    @property
    def unread(self) -> Mapping[str, str]:
        """Folders that could not be read, and why."""

    def paths(self) -> Sequence[str]:
        """All files, sorted."""

    def digest(self, path: str) -> str:
        """The hash that git gives the content: equal for equal contents, in any tree."""

    def read(self, path: str) -> bytes:
        """The content. Raises FileNotFoundError."""


_Folder = tuple[str, str, tuple[str, ...]]
"""A folder, its path from the root, and the real paths of the links' targets around it."""


def blob_id(content: bytes) -> str:
    """The name that git gives to a file of this content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


class FolderTree:
    """The files beneath a folder, without hidden folders. Symbolic links are followed, once around at most.

    also: further files, as they are given; they may be outside the folder.
    """

    def __init__(self, root: Path, *, name: str = "", also: Sequence[Path] = ()) -> None:
        self.name = name
        self.root = root
        self.unread: dict[str, str] = {}
        self._contents: dict[str, bytes] = {}
        self._paths = sorted({*self._walk(), *(self.path_of(path) for path in also)})

    def path_of(self, path: Path) -> str:
        """`path` from the root, with ``/`` between; one outside begins with ``../`` or is absolute."""
        try:
            relative = os.path.relpath(path, self.root)
        except ValueError:
            return path.as_posix()
        return Path(relative).as_posix()

    def paths(self) -> Sequence[str]:
        return self._paths

    def digest(self, path: str) -> str:
        return blob_id(self.read(path))

    def read(self, path: str) -> bytes:
        if path not in self._contents:
            self._contents[path] = (self.root / path).read_bytes()
        return self._contents[path]

    def _walk(self) -> Iterator[str]:
        if not self.root.is_dir():
            raise ProjectError(f"{self.root} is no folder")
        first: _Folder = (str(self.root), "", (os.path.realpath(self.root),))
        waiting = [first]
        while waiting:
            folder, path, above = waiting.pop()
            try:
                scanned = os.scandir(folder)
            except OSError as fault:
                if not path:
                    raise ProjectError(f"{folder} cannot be read: {fault.strerror or fault}") from None
                self.unread[path] = fault.strerror or str(fault)
                continue
            with scanned as entries:
                for entry in entries:
                    if _is_folder(entry):
                        if entry.name.startswith(".") or entry.name == "__pycache__":
                            continue
                        inside = above
                        if entry.is_symlink():
                            if "/node_modules/" in f"/{path}":
                                continue  # workspaces link to each other there, in more ways than can be gone
                            target = os.path.realpath(entry.path)
                            if any(f"{outer}/".startswith(f"{target}/") for outer in above):
                                continue  # a link to a folder that it is in
                            inside = (*above, target)
                        waiting.append((entry.path, f"{path}{entry.name}/", inside))
                    elif _is_file(entry):
                        yield path + entry.name


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False  # links in a circle


def _is_file(entry: "os.DirEntry[str]") -> bool:
    """Whether it is a file, or a link that leads nowhere: who reads that says so."""
    try:
        return entry.is_file() or (
            entry.is_symlink() and not entry.name.startswith(".") and not Path(entry.path).exists()
        )
    except OSError:
        return True
