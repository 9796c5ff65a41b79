"""A registry's reasons for calling a schema incompatible, as a person reads them."""

import re
from collections.abc import Iterable

# Confluent's form of one finding: a string that looks like an object. Names in it may hold quotes.
_FINDING = re.compile(
    r"\{errorType:['\"](?P<kind>\w+)['\"], description:['\"](?P<description>.*)['\"], "
    r"additionalInfo:['\"](?P<detail>.*)['\"]\}",
    re.DOTALL,
)

_VERSION = re.compile(r"\{oldSchemaVersion: (\d+)\}")


def readable(messages: Iterable[str]) -> list[str]:
    """A line for each finding. Of the rest, which repeats what was asked, only what is no finding stays."""
    lines = []
    for message in messages:
        if found := _FINDING.fullmatch(message):
            detail = found["detail"]
            said = (
                found["description"]
                if detail in found["description"]
                else f"{found['description']}: {detail}"
            )
            lines.append(f"{found['kind']}: {said}")
        elif found := _VERSION.fullmatch(message):
            lines.append(f"compared with version {found[1]}")
        elif not message.startswith(("{oldSchema:", "{validateFields:")):
            lines.append(message)
    return lines
