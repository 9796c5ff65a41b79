"""A schema's JSON text as it is laid out: where each value and each key begins and ends.

For tools that edit or reformat a text and leave the rest of it as somebody wrote it.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from registry.languages.avro import json_text
from registry.languages.language import SchemaFault

_TOKEN = re.compile(
    r"""
      [ \t\r\n]+
    | (?P<comment> //[^\n]* | /\*.*?\*/ )
    | (?P<scalar> "(?:[^"\\]++|\\.)*+" | [^\s,:\]}\[{"/]+ )
    | (?P<mark> [][{},:] )
    """,
    re.DOTALL | re.VERBOSE,
)


@dataclass(slots=True, eq=False)
class Laid:
    """A value of a text.

    start, end: offsets in the text. raw: a scalar as written; "" for an array or object.
    members: of an object, in order; a key may be there twice. items: of an array.
    """

    start: int
    end: int = 0
    raw: str = ""
    members: "list[Member] | None" = None
    items: "list[Laid] | None" = None

    def find(self, tokens: Sequence[str]) -> "Laid":
        """What a JSON pointer's tokens lead to, or the last element on the way there."""
        found = self
        for token in tokens:
            inner = found.inner(token)
            if inner is None:
                break
            found = inner
        return found

    def inner(self, token: str) -> "Laid | None":
        """The value of a member (of equal keys, the last), or the item at an index; None without it."""
        if self.members is not None:
            return next((one.value for one in reversed(self.members) if one.name == token), None)
        if self.items is not None and token.isdecimal() and int(token) < len(self.items):
            return self.items[int(token)]
        return None


@dataclass(slots=True, eq=False)
class Member:
    """A member of an object. name: the key; raw: as written; start: its offset."""

    name: str
    raw: str
    start: int
    value: Laid


@dataclass(slots=True, eq=False)
class Layout:
    """A text and its values. has_comments: whether there is one somewhere."""

    text: str
    root: Laid
    has_comments: bool = field(default=False)

    @classmethod
    def of(cls, text: str) -> "Layout":
        """Raises SchemaFault with line and column for a text that is not JSON."""
        json_text.read(text)
        found = [one for one in _TOKEN.finditer(text) if one.lastgroup]
        tokens = [one for one in found if one.lastgroup != "comment"]
        root = _laid(tokens)
        if root is None:
            raise SchemaFault("not valid JSON: nothing but comments")
        return cls(text, root, len(tokens) < len(found))

    def line_indent(self, offset: int) -> str | None:
        """The white space before `offset`, if nothing else stands before it on its line."""
        start = self.text.rfind("\n", 0, offset) + 1
        before = self.text[start:offset]
        return before if not before.strip() else None


def _laid(tokens: Sequence[re.Match[str]]) -> Laid | None:
    """The tree of the tokens of a text that is JSON, without recursion."""
    root: Laid | None = None
    open_: list[Laid] = []
    key: re.Match[str] | None = None
    for token in tokens:
        match token[0]:
            case ":" | ",":
                continue
            case "]" | "}":
                open_.pop().end = token.end()
                continue
            case "{":
                value = Laid(token.start(), members=[])
            case "[":
                value = Laid(token.start(), items=[])
            case raw:
                within = open_[-1] if open_ else None
                if within is not None and within.members is not None and key is None:
                    key = token
                    continue
                value = Laid(token.start(), token.end(), raw)
        if not open_:
            root = value
        elif open_[-1].items is not None:
            open_[-1].items.append(value)
        elif open_[-1].members is not None and key is not None:
            open_[-1].members.append(Member(json.loads(key[0]), key[0], key.start(), value))
            key = None
        if value.members is not None or value.items is not None:
            open_.append(value)
    return root
