"""Globs over paths with ``/`` between: ``*``, ``?``, ``**`` for any folders, ``{name}`` to keep a part."""

import re
from functools import cache

from registry.check.errors import ProjectError

_TOKEN = re.compile(r"\*\*/|\*\*|\*|\?|\{([^{}]*)\}|\[!?\]?[^\]]*\]")
_CAPTURE = re.compile(r"[a-z_][a-z0-9_]*")


class Glob:
    """A glob, compiled. captures: the names in braces."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.captures: tuple[str, ...] = ()
        parts, at = [], 0
        for token in _TOKEN.finditer(pattern):
            parts.append(re.escape(pattern[at : token.start()]))
            parts.append(self._translated(token))
            at = token.end()
        parts.append(re.escape(pattern[at:]))
        try:
            self._regex = re.compile("".join(parts), re.DOTALL)
        except re.error as fault:
            raise ProjectError(f"{pattern!r} is no glob: {fault}") from None

    def _translated(self, token: re.Match[str]) -> str:
        text = token[0]
        if text.startswith("{"):
            name = token[1]
            if not _CAPTURE.fullmatch(name) or name in self.captures:
                raise ProjectError(
                    f"{self.pattern!r} is no glob: {text} is no name to remember a part by, or there twice; "
                    "names are in small letters, such as {service}, and for this or that there are two globs"
                )
            self.captures += (name,)
            return f"(?P<{name}>[^/]+)"
        if text.startswith("["):
            return f"[{text[1:-1].replace('!', '^', 1) if text[1] == '!' else text[1:-1]}]"
        return {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}[text]

    def match(self, path: str) -> dict[str, str] | None:
        """The parts of `path` that the names in braces stand for; None if it does not match."""
        found = self._regex.fullmatch(path)
        return None if found is None else found.groupdict()


@cache
def glob(pattern: str) -> Glob:
    """`pattern`, compiled once. Raises ProjectError."""
    return Glob(pattern)
