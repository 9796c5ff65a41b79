"""How a script in Python tells what it did; those in other languages print the same as JSON lines."""

from collections.abc import Callable
from typing import Any


class Steps:
    """Steps in the order they were made: what each gave, or how it failed.

    describe: an error's ``status`` and ``code``, each None where the client does not tell it.
    """

    def __init__(self, describe: Callable[[Exception], tuple[int | None, int | None]]) -> None:
        self.told: list[dict[str, Any]] = []
        self._describe = describe

    def __call__(self, name: str, make: Callable[[], Any]) -> Any:
        """Make a step; answers what it gave, None if it failed."""
        try:
            got = make()
        except Exception as error:  # noqa: BLE001  # whatever the client raises, the test shows
            status, code = self._describe(error)
            failure = {"status": status, "code": code, "message": f"{type(error).__name__}: {error}"}
            self.told.append({"step": name, "error": failure})
            return None
        self.told.append({"step": name, "got": got})
        return got
