"""The machine and what is installed on it."""

import platform
import re
import resource
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version

from fivebyte.checkup.finding import Finding, ok, problem, warning

_FEW_FILES = 1024
_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)\s*(?:>=\s*([0-9.]+))?")


def check() -> Iterator[Finding]:
    """Python, the packages, and how many files a process may have open."""
    yield ok(f"fivebyte {version('fivebyte')} on Python {platform.python_version()}, {platform.platform()}")
    yield from _packages()
    yield from _codec()
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files != resource.RLIM_INFINITY and files < _FEW_FILES:
        yield warning(
            f"a process may have {files} files and connections open",
            f"raise it to {_FEW_FILES} or more: ulimit -n, or LimitNOFILE= in a systemd unit",
        )
    else:
        yield ok(f"a process may have {'any number of' if files < 0 else files} files and connections open")


def _packages() -> Iterator[Finding]:
    """That what fivebyte needs is there, and new enough."""
    found = []
    for requirement in requires("fivebyte") or []:
        match = _REQUIREMENT.match(requirement)
        if match is None or "extra ==" in requirement:
            continue
        name, least = match[1], match[2] or "0"
        try:
            present = version(name)
        except PackageNotFoundError:
            yield problem(f"{name} is not installed", "install fivebyte again: pip install fivebyte")
            continue
        found.append(f"{name} {present}")
        if _numbers(present) < _numbers(least):
            yield problem(f"{name} {present} is too old", f"pip install '{name}>={least}'")
    yield ok(f"packages: {', '.join(found)}")


def _codec() -> Iterator[Finding]:
    """Which Avro codec the serializers use."""
    try:
        from serde.codec import codec_in_use
    except ImportError as error:  # FIVEBYTE_CODEC asks for what is not there
        yield problem(str(error), "unset FIVEBYTE_CODEC, or do what it says")
        return
    if codec_in_use() == "native":
        yield ok("Avro is read and written by the native codec")
    else:
        yield ok("Avro is read and written by the codec in Python, which is slower than the native one")


def _numbers(text: str) -> list[int]:
    """``2.8.7rc1`` as [2, 8, 7]; enough to compare a release with a lower bound."""
    return [int(number) for number in re.findall(r"[0-9]+", re.split(r"[a-z+]", text)[0])]
