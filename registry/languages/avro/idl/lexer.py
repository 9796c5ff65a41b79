"""Avro IDL's text to tokens, each with its place.

As Java's lexer, but for one thing: a character that belongs to no token is an error here. Java skips it,
with a line on standard error, so that ``string s = 'x'`` fails elsewhere and ``int #a`` not at all.
"""

import re
from dataclasses import dataclass
from enum import Enum

from registry.languages.language import SchemaFault

Place = tuple[int, int]
"""Line and column, from 1."""


class Kind(Enum):
    """What a token is."""

    WORD = "a name"
    STRING = "a string"
    INTEGER = "an integer"
    FLOAT = "a number"
    MARK = "a mark"
    END = "the end of the file"


@dataclass(frozen=True, slots=True)
class Token:
    """A token of the text.

    text: as written. value: what it stands for: a name without its backticks, a string without its escapes,
    the number. doc: the documentation comment that stands directly before it, tidied.
    """

    kind: Kind
    text: str
    value: str | int | float
    place: Place
    doc: str | None = None

    def __str__(self) -> str:
        if self.kind is Kind.END:
            return str(self.kind.value)
        return f'"{self.text}"' if len(self.text) <= _SHOWN else f'"{self.text[:_SHOWN]}..."'


_SHOWN = 40
"""Characters of a token that a message repeats."""

_WORD = r"(?:[^\W\d]\w*|`[^\W\d]\w*`)"
_TOKEN = re.compile(
    rf"""
      (?P<space>[\s\ufeff]+ | //[^\n\r]* | /\*\*/ | /\*(?!\*)(?:[^*]|\*(?!/))*\*/)
    | (?P<doc>/\*\*(?:[^*]|\*(?!/))*\*/)
    | (?P<float>[+-]?(?: NaN\b | Infinity\b
        | 0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)[pP][+-]?[0-9]+[fFdD]?
        | (?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[fFdD]?
        | [0-9]+[eE][+-]?[0-9]+[fFdD]? | [0-9]+[fFdD]\b ))
    | (?P<integer>-?(?:0[xX][0-9a-fA-F]+ | 0[0-7]* | [1-9][0-9]*)[lL]?)(?!\w)
    | (?P<word>{_WORD}(?:[.-]{_WORD})*)
    | (?P<string>"(?:[^"\\\x00-\x1f]|\\(?:[btnfr"'\\]|[0-3][0-7][0-7]|[0-7][0-7]?|u[0-9a-fA-F]{{4}}))*+")
    | (?P<mark>[][(){{}}<>;:,=@?])
    """,
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(?:u([\da-fA-F]{4})|([0-3][0-7][0-7]|[0-7][0-7]?)|(.))")
_ESCAPED = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r"}
_NEWLINE = re.compile("(\r\n|[\n\r\x0b\x0c\x85\u2028\u2029])")
_END_OF_TEXT = "\x1a"
_MAX_INTEGER_DIGITS = 19
_LONG = range(-(2**63), 2**63)


def tokens(text: str) -> list[Token]:
    """The tokens of `text`, the last of which is its end. What follows a U+001A is not read.

    Raises SchemaFault with line and column.
    """
    return list(_Lexer(text.partition(_END_OF_TEXT)[0]).tokens())


class _Lexer:
    def __init__(self, text: str) -> None:
        self._text = text
        self._line_starts = [0, *(found.end() for found in re.finditer("\n", text))]

    def tokens(self) -> list[Token]:
        found: list[Token] = []
        at, line, doc = 0, 0, None
        starts = [*self._line_starts, len(self._text) + 1]
        while at < len(self._text):
            while starts[line + 1] <= at:
                line += 1
            place = (line + 1, at - starts[line] + 1)
            match = _TOKEN.match(self._text, at)
            if match is None:
                raise self._nothing(at, place)
            at = match.end()
            kind, text = match.lastgroup, match[0]
            if kind == "doc":
                doc = tidied(text)
            elif kind != "space":
                found.append(_token(str(kind), text, place, doc))
                doc = None
        line = len(self._line_starts)
        end = (line, len(self._text) - self._line_starts[-1] + 1)
        found.append(Token(Kind.END, "", "", end))
        return found

    def _nothing(self, at: int, place: Place) -> SchemaFault:
        """What to say where no token begins."""
        rest = self._text[at : at + 2]
        if rest == "/*":
            what = "a comment that does not end: */ is missing"
        elif rest[0] == '"':
            what = (
                "a string that does not end on its line, or has an escape other than "
                "\\b \\t \\n \\f \\r \\\" \\' \\\\ \\u0041 \\101"
            )
        elif rest[0] == "'":
            what = 'strings are written in double quotes ("), not in single ones'
        elif rest[0] == "`":
            what = "a name in backticks is letters, digits and _ between two `"
        elif rest[0].isdigit() or rest[0] in "+-":
            what = "not a number"
        else:
            what = f"unexpected character {rest[0]!r}"
        return SchemaFault(what, line=place[0], column=place[1])


def _token(kind: str, text: str, place: Place, doc: str | None) -> Token:
    match kind:
        case "word":
            return Token(Kind.WORD, text, text.replace("`", ""), place, doc)
        case "string":
            return Token(Kind.STRING, text, _unescaped(text[1:-1]), place, doc)
        case "integer":
            return Token(Kind.INTEGER, text, _integer(text, place), place, doc)
        case "float":
            return Token(Kind.FLOAT, text, _float(text), place, doc)
    return Token(Kind.MARK, text, text, place, doc)


def _unescaped(text: str) -> str:
    def character(found: re.Match[str]) -> str:
        code, octal, letter = found.groups()
        if code is not None:
            return chr(int(code, 16))
        return chr(int(octal, 8)) if octal is not None else _ESCAPED.get(letter, letter)

    # Two escapes may make one character between them.
    return (
        _ESCAPE.sub(character, text).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    )


def _integer(text: str, place: Place) -> int:
    digits = text.rstrip("lL").removeprefix("-")
    if digits[:2] in {"0x", "0X"}:
        number = int(digits, 16)
    elif digits[0] == "0":
        number = int(digits, 8)
    else:
        number = int(digits) if len(digits) <= _MAX_INTEGER_DIGITS else 2**64
    number = -number if text[0] == "-" else number
    if number not in _LONG:
        raise SchemaFault("an integer of more than 64 bits", line=place[0], column=place[1])
    return number


def _float(text: str) -> float:
    if "x" in text or "X" in text:
        return float.fromhex(_without_suffix(text))
    return float(text if text.lstrip("+-") in {"NaN", "Infinity"} else _without_suffix(text))


def _without_suffix(text: str) -> str:
    return text[:-1] if text[-1] in "fFdD" else text


def tidied(comment: str) -> str:
    """The text of a documentation comment, without what only sets it off.

    That is: white space around it; the stars before its lines, if all of them have some; else the indent
    that its lines have in common with the second.
    """
    parts = _NEWLINE.split(comment[3:-2].strip())
    lines, ends = parts[::2], [*parts[1::2], ""]  # line ends stay as they are
    bare = [lines[0], *(line.lstrip() for line in lines[1:])]
    for stars in ("**", "*"):
        if all(line.startswith(stars) for line in bare):
            starless = [line.removeprefix(stars) for line in bare]
            lines = [line[1:] if line[:1].isspace() else line for line in starless]
            break
    else:
        indent = _common_indent(lines[1:])
        lines[1:] = [line.removeprefix(indent) for line in lines[1:]]
    return "".join(line + end for line, end in zip(lines, ends, strict=True))


def _common_indent(lines: list[str]) -> str:
    """What the first line is indented by, as far as all others are."""
    if not lines:
        return ""
    indent = lines[0][: len(lines[0]) - len(lines[0].lstrip())]
    while not all(line.startswith(indent) for line in lines):
        indent = indent[:-1]
    return indent
