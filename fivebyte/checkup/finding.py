"""What a check found."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How bad it is. Only a problem keeps something from working."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line.

    what: what was looked at, and what it is like.
    advice: what to do about it; "" where nothing is.
    """

    verdict: Verdict
    what: str
    advice: str = ""


def ok(what: str) -> Finding:
    """Nothing to do."""
    return Finding(Verdict.OK, what)


def warning(what: str, advice: str) -> Finding:
    """It works, but may not always."""
    return Finding(Verdict.WARNING, what, advice)


def problem(what: str, advice: str) -> Finding:
    """It does not work."""
    return Finding(Verdict.PROBLEM, what, advice)


def told(fault: Exception) -> Finding:
    """A problem from one of our errors, whose message says what to do."""
    return problem(str(fault), "")
