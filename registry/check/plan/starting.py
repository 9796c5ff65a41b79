"""The first project file of a folder: `fivebyte init`."""

import json
import tempfile
from pathlib import Path

from registry.check.errors import ProjectError
from registry.check.project import FILE, find, load
from registry.check.trees import FolderTree

_SUFFIXES = (".avsc", ".avdl")
_HEAD = "# The schemas of this project: what fivebyte check, lint, plan and apply go by.\n"


def start(
    folder: Path, *, registry: str | None = None, level: str = "BACKWARD", subject: str = "{full_name}"
) -> tuple[str, list[str]]:
    """Write the project file of `folder`; answers its text and the schemas that it is about.

    Raises ProjectError where there is one already, or where it would be wrong; then nothing is written.
    """
    file = folder / FILE
    known = find(folder)
    if file.exists() or (known is not None and known.parent == folder):
        raise ProjectError(f"{known or file} is there already")
    if known is not None and registry is not None:
        raise ProjectError(
            f"this folder belongs to {known}: a registry is named there, and not with --registry"
        )
    found = [path for path in FolderTree(folder).paths() if path.endswith(_SUFFIXES)]
    globs = _globs(found)
    lines = [_HEAD, f"level = {json.dumps(level.upper())}\n"]
    if registry is not None:
        lines.append(f"registry = {json.dumps(registry)}\n")
    lines += [
        "\n[[schemas]]\n",
        f"files = {json.dumps(globs[0] if len(globs) == 1 else globs)}\n",
        f"subject = {json.dumps(subject, ensure_ascii=False)}\n",
        '\n[lint]\nrules = "standard"\n',
    ]
    text = "".join(lines)
    with tempfile.TemporaryDirectory() as trial:
        (Path(trial) / FILE).write_text(text, encoding="utf-8")
        try:
            project = load(Path(trial) / FILE, folder)
        except ProjectError as fault:
            raise ProjectError(str(fault).removeprefix(f"{trial}/")) from None
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as fault:
        raise ProjectError(f"{file} cannot be written: {fault.strerror or fault}") from None
    return text, [path for path in found if project.placement(path) is not None]


def _globs(found: list[str]) -> list[str]:
    """Globs for the files: a folder of this one each, if there are few."""
    suffixes = sorted({suffix for suffix in _SUFFIXES for path in found if path.endswith(suffix)}) or [
        ".avsc"
    ]
    tops = sorted({path.partition("/")[0] if "/" in path else "" for path in found}) or ["schemas"]
    if "" in tops or len(tops) > 3:
        return [f"**/*{suffix}" for suffix in suffixes]
    return [f"{top}/**/*{suffix}" for top in tops for suffix in suffixes]
