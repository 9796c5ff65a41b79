"""Times as a command line is given them."""

import re
from datetime import UTC, datetime, timedelta

import click

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def moment(text: str, param_hint: str) -> int:
    """Milliseconds since 1970 of a time in ISO 8601, in UTC unless it says otherwise, or so long ago."""
    if ago := re.fullmatch(r"(\d{1,5})([mhd])", text):
        found = datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    else:
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            raise click.BadParameter(
                f"{text!r} is no time: give 2026-05-31, 2026-05-31T12:00Z, or 90m, 36h, 7d ago",
                param_hint=param_hint,
            ) from None
        found = found if found.tzinfo else found.replace(tzinfo=UTC)
    return round(found.timestamp() * 1000)
