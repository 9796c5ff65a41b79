"""``X-Request-ID``: what a client calls its request, or what we call it, in the answer and in the log."""

import random
import re

HEADER = "X-Request-ID"

_GIVEN = re.compile(r"[!-~]{1,128}")
_random = random.SystemRandom()


class RequestIds:
    """Names for requests. Make one in the process that uses it: a fork would give the same names again."""

    def __init__(self) -> None:
        # They are to differ, not to be secret, and the system's own source costs a call for each.
        self._random = random.Random(_random.getrandbits(256))  # noqa: S311

    def choose(self, given: str | None) -> str:
        """What the client gave, where it is 1 to 128 visible ASCII characters; else 32 random hex digits."""
        if given is not None and _GIVEN.fullmatch(given):
            return given
        return "%032x" % self._random.getrandbits(128)  # noqa: UP031 - a third faster than the alternatives
