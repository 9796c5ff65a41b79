"""What a check and a linter find, and the rules that they find it by. Every report is made of these."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding weighs. Only errors fail a check."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Breaks(StrEnum):
    """Who cannot read any more."""

    NEW_READERS = "readers of the new schema on old data"
    OLD_READERS = "readers of the old schema on new data"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where something is written.

    file: as a reader of the report finds it: a path from the project's folder with ``/`` between, or where an
        old text is from (``main:schemas/order.avsc``).
    line, column: from 1; 0 where the file has no positions. Columns count characters; a tab is one.
    """

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a rule found.

    rule: a stable id of `registry.check.rules`. message: one plain sentence.
    subject: None where it is about a file, not a schema of one.
    place: in the new file, of the very field, symbol or type. old_place: in what it is compared with.
    against: what it is compared with (``version 3``, ``main at 1a2b3c4``). also: others it is found with.
    path: a JSON pointer as the registry's messages have it (``/fields/2/type``; ``/`` is the whole).
    element: the same in names (``Order.lines.price``).
    was, now: the element before and after, in a few characters of JSON; "" where there is none.
    fix: what to write to make it go away. level: the level that asked.
    detail: the finding in the words of the registry's answer, where it is one of the registry's rules.
    """

    rule: str
    message: str
    severity: Severity = Severity.ERROR
    subject: str | None = None
    place: Place | None = None
    old_place: Place | None = None
    against: str | None = None
    also: tuple[str, ...] = ()
    breaks: Breaks | None = None
    path: str = ""
    element: str = ""
    was: str = ""
    now: str = ""
    fix: str = ""
    level: str | None = None
    detail: str = ""

    @property
    def fingerprint(self) -> str:
        """The same for the same finding as lines and versions move; 32 hexadecimal digits."""
        file = "" if self.place is None or self.subject is not None else self.place.file
        parts = (self.rule, self.subject or file, self.breaks or "", self.element, self.was, self.now)
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Rule:
    """What a finding's rule id stands for; `fivebyte explain ID` prints it.

    id: in capitals; it never changes. group: ``compatibility``, ``check``, ``schema`` or ``lint``.
    title: one line without a full stop. about: the whole story, in a few sentences.
    example: what is wrong, as a text to show. fix: what to do about it, in a sentence or two.
    fixed: the example put right.
    """

    id: str
    group: str
    title: str
    about: str
    example: str
    fix: str
    fixed: str
    severity: Severity = Severity.ERROR
