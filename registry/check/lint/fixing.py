"""Putting faults right in a file's text: only what is at fault is touched, and the rest stays as written."""

import json
from collections.abc import Iterable

from registry.check.lint.fault import Fault, Fix
from registry.languages.avro.layout import Laid, Layout


def fixed(text: str, faults: Iterable[Fault]) -> str:
    """`text`, which is JSON, with the faults that have a fix put right."""
    layout = Layout.of(text)
    edits: dict[tuple[int, int], str] = {}
    for fault in faults:
        if fault.fix is not None:
            start, end, replacement = _edit(layout, fault.fix)
            edits[start, end] = edits.get((start, end), "") + replacement
    for (start, end), replacement in sorted(edits.items(), reverse=True):
        text = text[:start] + replacement + text[end:]
    return text


def _edit(layout: Layout, fix: Fix) -> tuple[int, int, str]:
    """The offsets of what is replaced, and by what."""
    value = layout.root.find(fix.tokens)
    written = json.dumps(fix.value, ensure_ascii=False)
    if fix.key is None:
        return value.start, value.end, written
    member = f"{json.dumps(fix.key)}{_colon(layout, value)}{written}"
    members = value.members or []
    last = members[-1]
    indent = layout.line_indent(last.start)
    between = " " if indent is None else _line_end(layout.text) + indent
    return last.value.end, last.value.end, f",{between}{member}"


def _colon(layout: Layout, value: Laid) -> str:
    """The colon of an object's members, with the white space that its author puts around it."""
    member = (value.members or [])[-1]
    between = layout.text[member.start + len(member.raw) : member.value.start]
    return between if between.strip(" ") == ":" else ": "


def _line_end(text: str) -> str:
    return "\r\n" if text.partition("\n")[0].endswith("\r") else "\n"
