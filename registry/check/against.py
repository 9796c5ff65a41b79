"""From what ``--against`` says to what is compared with.

* ``git:REF`` is the commit that REF names; ``git:REF...`` the one that HEAD and REF have in common. ``.git``,
  or a path that ends so, may have ``#branch=``, ``tag=``, ``ref=`` or ``commit=``, and ``subdir=``.
* ``http://...``, ``https://...``, or the name of one of the project's registries.
* A file is an exported log (`registry.transfer.lines`), a folder a tree of schemas.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from registry.check.baselines import Baseline, FolderBaseline, GitBaseline, NothingBefore, RegistryBaseline
from registry.check.errors import BaselineError, NoCommitYet, ProjectError
from registry.check.git import Repository, short
from registry.check.project import Project, without_secrets
from registry.check.sources import Skimmed


def open_baseline(
    against: str | None,
    project: Project,
    skimmed: Skimmed,
    *,
    default: str | None = None,
    merge: str | None = None,
    working: Path | None = None,
    extra: Sequence[str] = (),
) -> Baseline:
    """The baseline that `against` names, or the project file, or `default`, or else the commit that HEAD and
    the default branch have in common.

    merge: the commit by which a CI host tries a change out on what `default` names: its first parent.
    extra: paths of files that are schemas whatever the project says, here and there.
    working: the folder that a path in `against` is from; default: the project's, as for one in the file.

    Raises BaselineError where it cannot be reached, ProjectError where it names nothing.
    """
    chosen = against or project.against or default
    base = working if against and working else project.root
    if chosen is None:
        return _open_git(project.root, None, "", project, skimmed, extra)
    if chosen.startswith("git:"):
        tried = merge if chosen is default else None
        return _open_git(project.root, chosen.removeprefix("git:"), "", project, skimmed, extra, tried)
    if chosen == "registry" or chosen in project.registries or chosen.startswith(("http://", "https://")):
        return _open_registry(chosen, project)
    place, _, options = chosen.partition("#")
    if place == ".git" or place.endswith("/.git"):
        return _open_git_folder(base / place, options, project, skimmed, extra)
    path = base / chosen
    if path.is_dir():
        return FolderBaseline(path, chosen.rstrip("/") or "/", project, skimmed, extra)
    if path.is_file():
        if path.suffix in {".avsc", ".avdl"}:
            raise BaselineError(
                f"--against {chosen}: that is one schema; to compare two files: fivebyte diff {chosen} NEW "
                "--level BACKWARD"
            )
        # Here, since a check against git needs no HTTP.
        from registry.check.remote import open_log

        return RegistryBaseline(chosen, open_log(path))
    hint = f"did you mean git:{chosen}?" if _is_commit(chosen, project.root) else _FORMS
    if project.registries:
        hint += f" (the project file has {', '.join(project.registries)})"
    raise BaselineError(
        f"--against {chosen}: there is no such folder or file, nor a registry of that name in the project "
        f"file; {hint}"
    )


_FORMS = "give git:REF, a folder, an exported log, or a registry's URL"


def _is_commit(name: str, folder: Path) -> bool:
    try:
        Repository(folder).commit(name)
    except BaselineError:
        return False
    return True


def _open_registry(chosen: str, project: Project) -> Baseline:
    from registry.check.remote import open_registry

    named = project.registry if chosen == "registry" else chosen
    if named is None:
        raise ProjectError('--against registry: the project file names none; add registry = "https://..."')
    address = project.address(named)
    return RegistryBaseline(without_secrets(address.url), open_registry(address))


_GIT_OPTIONS = ("branch", "tag", "ref", "commit", "subdir")


def _open_git_folder(
    place: Path, options: str, project: Project, skimmed: Skimmed, extra: Sequence[str]
) -> Baseline:
    given = {}
    for option in options.split(",") if options else ():
        key, _, value = option.partition("=")
        if key not in _GIT_OPTIONS or not value:
            raise ProjectError(
                f"--against {place.name}#{options}: {option!r} is none of {', '.join(_GIT_OPTIONS)}, with = "
                "and a value"
            )
        given[key] = value
    refs = [given[key] for key in ("branch", "tag", "ref", "commit") if key in given]
    if len(refs) > 1:
        raise ProjectError(f"--against {place.name}#{options}: give one of branch, tag, ref and commit")
    folder = place.parent
    return _open_git(folder, refs[0] if refs else "HEAD", given.get("subdir", ""), project, skimmed, extra)


def _open_git(
    folder: Path,
    ref: str | None,
    subdir: str,
    project: Project,
    skimmed: Skimmed,
    extra: Sequence[str],
    merge: str | None = None,
) -> Baseline:
    if ref == "...":
        raise ProjectError("--against git:...: name a commit before the dots, such as git:main...")
    repository = Repository(folder)
    try:
        if not ref:
            label = repository.default_branch()
            commit = repository.merge_base(label)
        elif ref.endswith("..."):
            label = ref.removesuffix("...")
            tried = None if merge is None else repository.first_parent(merge)
            commit = tried or repository.merge_base(label)
        else:
            commit, label = repository.commit(ref), ref
        prefix = f"{subdir.strip('/')}/" if subdir else _way(repository.root, project.root)
        if subdir:
            _check_folder(repository, commit, prefix, f"{label} at {short(commit)}")
        return GitBaseline(repository, commit, label, prefix, project, skimmed, extra)
    except NoCommitYet:
        if ref:
            raise
        return NothingBefore("the time before the first commit")  # all is new
    except BaseException:
        repository.close()
        raise


def _check_folder(repository: Repository, commit: str, prefix: str, label: str) -> None:
    if not any(path.startswith(prefix) for path in repository.files(commit)):
        raise BaselineError(f"{label} has no folder {prefix.rstrip('/')}: see subdir in --against")


def _way(top: Path, folder: Path) -> str:
    """The way from `top` to `folder`, with ``/`` at its end; "" where it is not in there, or the same."""
    relative = Path(os.path.relpath(folder.resolve(), top.resolve())).as_posix()
    return "" if relative == "." or relative.startswith("..") else f"{relative}/"
