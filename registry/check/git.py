"""What is committed, read from git's objects without a checkout, by the program ``git``."""

import os
import posixpath
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from registry.check.errors import BaselineError, NoCommitYet

_FILE_MODES = {"100644", "100755", "100664"}
_LINK, _SUBMODULE, _FOLDER = "120000", "160000", "40000"
_SHORT = 10
_OID = re.compile("[0-9a-f]{7,64}")
_OF_ANOTHER = re.compile(r"[~^@:]|^HEAD$")
_CONFIGURED = ("-c", "log.follow=false", "-c", "log.showSignature=false", "-c", "log.diffMerges=separate")
"""Where people have set these otherwise, git prints something else than is read here, or fails."""
_OF_A_HOOK = {
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_WORK_TREE",
}

_ALL_BRANCHES = "'+refs/heads/*:refs/remotes/origin/*'"
UNSHALLOW = (
    f"fetch the history: git fetch --unshallow origin {_ALL_BRANCHES} (in GitHub Actions give "
    'actions/checkout fetch-depth: 0, in GitLab set GIT_DEPTH: "0")'
)
"""What to do about a clone that is too short."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """An entry of a tree: its mode in octal and the id of its object."""

    mode: str
    oid: str


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit. renames: for each path that it gave to a file, the one that the file had before."""

    oid: str
    renames: dict[str, str]


class Repository:
    """The git repository that a folder is in.

    Raises BaselineError where there is none, where git is not installed, and for whatever git refuses.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._environment = _environment()
        if "GIT_DIR" in os.environ and self._ask("rev-parse", "--git-dir") is None:
            self._environment = {**os.environ, **self._environment}
        self.root = Path(self._run("rev-parse", "--show-toplevel").rstrip("\n"))
        self._trees: dict[str, dict[str, _Entry]] = {}
        self._submodules: dict[str, Repository] = {}

    @cached_property
    def is_shallow(self) -> bool:
        """Whether the clone holds only the newest commits."""
        return self._run("rev-parse", "--is-shallow-repository").strip() == "true"

    def commit(self, ref: str) -> str:
        """The id of the commit that `ref` names. Raises BaselineError that says what to fetch."""
        found = self._ask("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
        if found is None and "/" not in ref and ref != "HEAD":
            found = self._ask("rev-parse", "--verify", "--quiet", f"refs/remotes/origin/{ref}^{{commit}}")
        if found is None:
            raise BaselineError(self._missing(ref))
        return found.strip()

    def default_branch(self) -> str:
        """The name of the default branch, of the remote where there is one: ``origin/main``.

        Raises NoCommitYet, and BaselineError where none is known.
        """
        head = self._ask("symbolic-ref", "--quiet", "refs/remotes/origin/HEAD")
        candidates = [] if head is None else [head.strip().removeprefix("refs/remotes/")]
        configured = (self._ask("config", "init.defaultBranch") or "").strip()
        names = [name for name in dict.fromkeys(["main", "master", configured]) if name]
        candidates += [f"origin/{name}" for name in names] + names
        for candidate in candidates:
            ref = (
                f"refs/remotes/{candidate}" if candidate.startswith("origin/") else f"refs/heads/{candidate}"
            )
            if self._ask("rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}") is not None:
                return candidate
        if self._ask("rev-parse", "--verify", "--quiet", "HEAD^{commit}") is None:
            raise NoCommitYet(f"{self.root} has no commit yet: there is nothing to compare with")
        raise BaselineError(
            f"no default branch is known in {self.root}: there is none of {', '.join(candidates)}; say what "
            f"to compare with (--against git:BRANCH), or fetch it: {self._fetch_all()} && "
            "git remote set-head origin --auto"
        )

    def merge_base(self, ref: str) -> str:
        """The newest commit that HEAD and `ref` have in common. BaselineError says what to fetch."""
        other = self.commit(ref)
        found = self._ask("merge-base", "HEAD", other)
        if found is not None:
            return found.strip()
        if self.is_shallow:
            raise BaselineError(
                f"the clone is shallow: it does not reach what HEAD and {ref} have in common; {UNSHALLOW}"
            )
        raise BaselineError(
            f"HEAD and {ref} have no commit in common; name what to compare with: --against git:{ref}"
        )

    def first_parent(self, oid: str) -> str | None:
        """What the commit `oid` was made on, if that is HEAD and the clone has it."""
        if (self._ask("rev-parse", "--verify", "--quiet", "HEAD") or "").strip() != oid:
            return None
        found = self._ask("rev-parse", "--verify", "--quiet", f"{oid}^1^{{commit}}")
        return None if found is None else found.strip()

    def left_out(self) -> set[str]:
        """The paths of the files that a sparse checkout leaves out."""
        listed = self._run("ls-files", "-t", "-z", "--full-name", ":/").split("\0")
        return {entry[2:] for entry in listed if entry.startswith("S ")}

    def is_ancestor_of_head(self, oid: str) -> bool:
        """Whether HEAD has the commit in its history."""
        return self._ask("merge-base", "--is-ancestor", oid, "HEAD") is not None

    def files(self, commit: str) -> dict[str, _Entry]:
        """Every file of a commit by its path from the root; links and submodules are not yet followed."""
        return self._tree(commit)

    def content(self, oid: str) -> bytes:
        """The content of an object."""
        return self._objects.get(oid)[1]

    def history(self, commit: str, patterns: Sequence[str]) -> list[Commit]:
        """The commits up to `commit` that touched files by `patterns` (``*.avsc``), newest first."""
        out = self._run(
            "log", "-z", "-m", "-M", "--raw", "--no-abbrev", "--no-color", "--format=%x01%H", commit, "--",
            *(f":(top,glob)**/{pattern}" for pattern in patterns),
        )  # fmt: skip
        found: dict[str, Commit] = {}
        for part in out.split("\x01")[1:]:
            oid, *fields = part.strip("\0\n").split("\0")
            commit_found = found.setdefault(oid, Commit(oid, {}))
            at = 0
            while at < len(fields):
                raw = fields[at].lstrip("\n")
                if not raw.startswith(":"):
                    at += 1
                elif raw.rpartition(" ")[2][:1] in {"R", "C"}:
                    commit_found.renames[fields[at + 2]] = fields[at + 1]
                    at += 3
                else:
                    at += 2
        return list(found.values())

    def submodule(self, path: str) -> "Repository | None":
        """The repository of the submodule at `path`; None where it is not checked out."""
        folder = self.root / path
        if not (folder / ".git").exists():
            return None
        if path not in self._submodules:
            self._submodules[path] = Repository(folder)
        return self._submodules[path]

    def close(self) -> None:
        """End the git process, where there is one."""
        for inner in self._submodules.values():
            inner.close()
        if "_objects" in self.__dict__:
            self._objects.close()

    def _tree(self, name: str) -> dict[str, _Entry]:
        known = self._trees.get(name)
        if known is None:
            known = self._trees[name] = {}
            for entry_name, mode, oid in _entries(*self._objects.get(f"{name}^{{tree}}")):
                if mode == _FOLDER:
                    for path, entry in self._tree(oid).items():
                        known[f"{entry_name}/{path}"] = entry
                else:
                    known[entry_name] = _Entry(mode, oid)
        return known

    @cached_property
    def _objects(self) -> "_Objects":
        return _Objects(self._folder, self._environment)

    def _missing(self, ref: str) -> str:
        if self._ask("rev-parse", "--verify", "--quiet", "HEAD^{commit}") is None:
            return f"{self.root} has no commit yet: there is nothing to compare with"
        missing = f"there is no commit {ref} in {self.root}"
        if self.is_shallow:
            return f"{missing}; the clone is shallow: {UNSHALLOW}"
        if _OF_ANOTHER.search(ref):
            return f"{missing}; `git log --all --oneline` lists those that are there"
        if _OID.fullmatch(ref):
            return f"{missing}; fetch it: git fetch origin {ref}"
        branch = ref.removeprefix("origin/")
        fetch = f"git fetch origin {branch}:refs/remotes/origin/{branch}"
        return f"{missing}; fetch it: {fetch}, or, if it is a tag, git fetch origin tag {branch}"

    def _fetch_all(self) -> str:
        return f"git fetch {'--unshallow ' if self.is_shallow else ''}origin {_ALL_BRANCHES}"

    def _ask(self, *arguments: str) -> str | None:
        """What git answers; None if it says no."""
        done = self._git(arguments)
        return done.stdout if done.returncode == 0 else None

    def _run(self, *arguments: str) -> str:
        done = self._git(arguments)
        if done.returncode:
            said = done.stderr.strip().removeprefix("fatal: ")
            if "not a git repository" in said:
                raise BaselineError(
                    f"{self._folder} is in no git repository; say what to compare with: --against DIRECTORY, "
                    "or the URL of a registry"
                )
            if "must be run in a work tree" in said:
                raise BaselineError(
                    f"{self._folder} is in a bare repository, which has no files to check: run it in a clone"
                )
            raise BaselineError(f"git {arguments[0]} failed in {self._folder}: {said}")
        return done.stdout

    def _git(self, arguments: Sequence[str]) -> "subprocess.CompletedProcess[str]":
        try:
            return subprocess.run(
                ["git", *_CONFIGURED, *arguments],  # noqa: S607
                cwd=self._folder,
                env=self._environment,
                capture_output=True,
                encoding="utf-8",
                errors="surrogateescape",
                check=False,
            )
        except FileNotFoundError:
            raise BaselineError(
                "git is not installed: install it, or compare with a folder or a registry (--against)"
            ) from None


class _Objects:
    """``git cat-file --batch``: one process that is asked for many objects."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            ["git", "cat-file", "--batch"],  # noqa: S607
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def get(self, name: str) -> tuple[str, bytes]:
        """The id and the content of an object."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(name.encode() + b"\n")
        self._process.stdin.flush()
        header = self._process.stdout.readline().decode().split()
        if len(header) != 3:
            raise BaselineError(
                f"git has no object {name}: the clone is partial or damaged; fetch it again "
                "(git fetch --refetch origin)"
            )
        content = self._process.stdout.read(int(header[2]))
        self._process.stdout.read(1)
        return header[0], content

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()


class CommitTree:
    """The files of a commit, seen from a folder of the repository.

    prefix: that folder, "" or with ``/`` at its end. also: paths of further files, which may be outside.
    Links are followed within the commit, submodules to the commits that it names.
    """

    def __init__(
        self, repository: Repository, commit: str, prefix: str, label: str, also: Sequence[str] = ()
    ) -> None:
        self.name = f"{label}:"
        self.commit = commit
        self.unread: dict[str, str] = {}
        self._repository = repository
        self._prefix = prefix
        followed = _followed(repository, commit)
        self._files = {
            self._relative(path): found
            for path, found in followed.items()
            if path.startswith(prefix) or not prefix
        }
        for path in also:
            whole = posixpath.normpath(prefix + path)
            if whole in followed:
                self._files[path] = followed[whole]
        self._paths = sorted(self._files)

    def paths(self) -> Sequence[str]:
        return self._paths

    def digest(self, path: str) -> str:
        return self._files[path][1]

    def find(self, path: str) -> str | None:
        """The digest of the file; None if there is none."""
        found = self._files.get(path)
        return None if found is None else found[1]

    def read(self, path: str) -> bytes:
        if path not in self._files:
            raise FileNotFoundError(path)
        repository, oid = self._files[path]
        return repository.content(oid)

    def _relative(self, path: str) -> str:
        return path[len(self._prefix) :]


def _followed(repository: Repository, commit: str) -> dict[str, tuple[Repository, str]]:
    entries = repository.files(commit)
    files = {path: (repository, entry.oid) for path, entry in entries.items() if entry.mode in _FILE_MODES}
    for path, entry in entries.items():
        if entry.mode == _SUBMODULE:
            inner = repository.submodule(path)
            if inner is not None:
                for inside, found in _followed(inner, inner.commit(entry.oid)).items():
                    files[f"{path}/{inside}"] = found
    for path, entry in entries.items():
        if entry.mode == _LINK:
            target = repository.content(entry.oid).decode("utf-8", "surrogateescape")
            aim = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
            if aim in files:
                files[path] = files[aim]
            elif not f"{path}/".startswith(f"{aim}/"):
                beneath = [inside for inside in files if inside.startswith(f"{aim}/")]
                for inside in beneath:
                    files[path + inside[len(aim) :]] = files[inside]
    return files


def _entries(tree: str, content: bytes) -> Iterator[tuple[str, str, str]]:
    """Name, mode and object id of each entry of the tree object with the id `tree`."""
    at = 0
    width = len(tree) // 2  # SHA-1 or SHA-256
    while at < len(content):
        space = content.index(b" ", at)
        end = content.index(b"\0", space)
        name = content[space + 1 : end].decode("utf-8", "surrogateescape")
        yield name, content[at:space].decode(), content[end + 1 : end + 1 + width].hex()
        at = end + 1 + width


def short(oid: str) -> str:
    """An id as people write it."""
    return oid[:_SHORT]


def _environment() -> dict[str, str]:
    """The process's, without what git tells its hooks: that is of the repository of the hook's folder."""
    kept = {name: value for name, value in os.environ.items() if name not in _OF_A_HOOK}
    return {**kept, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}
