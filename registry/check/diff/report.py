"""A diff for people, and for programs."""

import json
from collections.abc import Sequence
from typing import Any

from registry.check.diff.changes import Change
from registry.check.diff.sides import Side
from registry.check.findings import Place
from registry.languages.avro.compatibility import Part
from registry.model import CompatibilityLevel as Level

VERSION = 1
"""Of the form of the JSON. Members may be added to it; one that changes its meaning raises this."""

_SHOWN = 60


def text(old: Side, new: Side, changes: Sequence[Change]) -> str:
    """A line for each change, and one for the levels."""
    lines = []
    for change in changes:
        place = _place(new, change.new) or _place(old, change.old)
        who = [
            *(["new readers of old data"] if change.backward else []),
            *(["old readers of new data"] if change.forward else []),
        ]
        verdict = f"breaks {' and '.join(who)}" if who else "safe"
        rules = f" [{', '.join(dict.fromkeys([*change.backward, *change.forward]))}]" if who else ""
        element = f"{change.element}: " if change.element else ""
        was_now = (
            f": {_cut(change.was) or '-'} -> {_cut(change.now) or '-'}" if change.was or change.now else ""
        )
        lines.append(f"{place}: {element}{change.message}{was_now}\n    {verdict}{rules}\n")
    count = "no change" if not changes else "1 change" if len(changes) == 1 else f"{len(changes)} changes"
    lines.append(f"{count} from {old.name} to {new.name}\n")
    if changes:
        words = [
            f"{level} {'breaks' if any(c.breaks(level) for c in changes) else 'safe'}" for level in _SHORT
        ]
        lines.append(f"{', '.join(words)}\n")
    return "".join(lines)


_SHORT = (Level.BACKWARD, Level.FORWARD, Level.FULL)


def structured(old: Side, new: Side, changes: Sequence[Change]) -> str:
    """All that is known of each change, as JSON."""
    value = {
        "version": VERSION,
        "old": old.name,
        "new": new.name,
        "levels": {str(level): not any(change.breaks(level) for change in changes) for level in Level},
        "changes": [
            {
                "kind": change.kind,
                "element": change.element,
                "message": change.message,
                "was": change.was,
                "now": change.now,
                "old_place": _json(_place(old, change.old)),
                "place": _json(_place(new, change.new)),
                "backward": list(change.backward),
                "forward": list(change.forward),
                "safe": {str(level): not change.breaks(level) for level in Level},
            }
            for change in changes
        ],
    }
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _place(side: Side, part: Part | None) -> Place | None:
    return None if part is None else side.schema.place(*part)


def _json(place: Place | None) -> dict[str, Any] | None:
    return None if place is None else {"file": place.file, "line": place.line, "column": place.column}


def _cut(text_: str) -> str:
    return text_ if len(text_) <= _SHOWN else f"{text_[: _SHOWN - 3]}..."
