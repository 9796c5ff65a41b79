"""Schema files printed in one form: `fivebyte format`.

Two spaces a level; what fits on a line of 100 characters stands on one, but for the schema itself and the
fields of a record, which have a line each. Nothing else changes: the order of attributes, unknown ones, and
strings and numbers stay as they are written. So a formatted file is the same schema, to the byte of its
canonical text.
"""

from registry.languages.avro.layout import Laid, Layout

WIDTH = 100
_INDENT = "  "


def formatted(text: str) -> str:
    """`text`, a schema in JSON, in the one form. Line ends stay those of its first line.

    A text with comments stays as it is: JSON has none, and where they belong is for their author to say.

    Raises SchemaFault with line and column for what is not JSON.
    """
    layout = Layout.of(text)
    if layout.has_comments:
        return text
    parts: list[str] = []
    _Printer(parts).value(layout.root, 0, 0, spread=True)
    printed = "".join(parts) + "\n"
    first_line = text.partition("\n")[0]
    return printed.replace("\n", "\r\n") if first_line.endswith("\r") and "\n" in text else printed


class _Printer:
    def __init__(self, parts: list[str]) -> None:
        self._parts = parts
        self._lines: dict[int, str | None] = {}

    def value(self, value: Laid, level: int, column: int, *, spread: bool = False) -> None:
        """Print `value`, of which the first character comes at `column`."""
        # One frame of Python's stack a level: texts nest 256 levels deep at most.
        holds_something = bool(value.members or value.items)
        line = None if spread and holds_something else self._line(value)
        if line is not None and (column + len(line) < WIDTH or not holds_something):  # a comma may follow
            self._parts.append(line)
            return
        inside = "\n" + _INDENT * (level + 1)
        opening = "["
        if value.members is not None:
            opening = "{"
            for member in value.members:
                self._parts.append(f"{opening}{inside}{member.raw}: ")
                at = len(inside) + len(member.raw) + 1
                self.value(member.value, level + 1, at, spread=member.name == "fields")
                opening = ","
        for item in value.items or ():
            self._parts.append(f"{opening}{inside}")
            self.value(item, level + 1, len(inside) - 1)
            opening = ","
        self._parts.append(f"\n{_INDENT * level}{']' if value.members is None else '}'}")

    def _line(self, value: Laid) -> str | None:
        """`value` on one line; None for what never is: it is too long, or has a record with fields in it."""
        if value.raw:
            return value.raw
        if id(value) not in self._lines:
            self._lines[id(value)] = self._joined(value)
        return self._lines[id(value)]

    def _joined(self, value: Laid) -> str | None:
        parts = []
        for member in value.members or ():
            line = self._line(member.value)
            if line is None or (member.name == "fields" and member.value.items):
                return None
            parts.append(f"{member.raw}: {line}")
        for item in value.items or ():
            line = self._line(item)
            if line is None:
                return None
            parts.append(line)
        joined = ", ".join(parts)
        if len(joined) >= WIDTH:
            return None
        return f"[{joined}]" if value.members is None else f"{{{joined}}}"
