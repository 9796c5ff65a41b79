"""JSON as Avro's Java library reads and writes it.

Reading is left to the standard library's C parser; positions are found
afterwards, and only for the element that turned out to be at fault. Writing is
ours, because identity hangs on it: a schema's canonical text must equal
Java's byte for byte, and Java prints doubles and control characters in its
own way.
"""

import json
import math
import re
from collections.abc import Sequence
from json.encoder import encode_basestring
from typing import NoReturn

from registry.languages.language import SchemaFault

MAX_NESTING = 256
"""How deep arrays and objects may nest in a schema's text, so that walking it needs no deep stack."""

_MAX_INTEGER_DIGITS = 1000

# Possessive, and content with a missing end: on a text of quotes and slashes only, they stay linear.
_STRING = re.compile(r'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_STRING_OR_COMMENT = re.compile(r'"(?:[^"\\]++|\\.)*+"?|//[^\n]*|/\*.*?(?:\*/|\Z)', re.DOTALL)
_BRACKET = re.compile(r"[][{}]")
_SPACE = re.compile(r"[ \t\r\n]*")
_SCALAR = re.compile(r'"(?:[^"\\]++|\\.)*+"|[^\s,:\]}]+', re.DOTALL)
_ESCAPES = {code: f"\\u{code:04X}" for code in range(32)} | {
    ord(character): encode_basestring(character)[1:-1] for character in '\b\t\n\f\r"\\'
}
_DECIMAL = re.compile(r"([+-]?)(?:(NaN|Infinity)|((?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)[fFdD]?)", re.ASCII)
_HEXADECIMAL = re.compile(
    r"([+-]?0[xX](?:[\da-fA-F]+\.?[\da-fA-F]*|\.[\da-fA-F]+)[pP][+-]?\d+)[fFdD]?", re.ASCII
)


def read(text: str) -> object:
    """The value that `text` holds: None, bool, int, float, str, list or dict.

    As Java's reader: comments are skipped, the last of several equal keys
    wins, and neither NaN nor anything after the value is accepted.

    Raises SchemaFault with line and column: not JSON, deeper than
    MAX_NESTING, an integer of over 1,000 digits, half of a surrogate pair.
    """
    plain = _without_comments(text)
    if nests_too_deep(plain):
        raise SchemaFault(f"nested more than {MAX_NESTING} levels deep: flatten it by naming its types")
    try:
        value: object = json.loads(plain, parse_constant=_refuse_constant, parse_int=_parse_integer)
    except json.JSONDecodeError as fault:
        raise SchemaFault(f"not valid JSON: {fault.msg}", line=fault.lineno, column=fault.colno) from None
    if not _encodable(text, value):
        raise SchemaFault("not valid Unicode: half of a surrogate pair in a string")
    return value


def _without_comments(text: str) -> str:
    """`text` with each comment blanked out, so that every position stays."""
    if "/" not in text or "/" not in _STRING.sub("", text):
        return text
    return _STRING_OR_COMMENT.sub(_blank_out, text)


def _blank_out(found: re.Match[str]) -> str:
    token = found[0]
    unfinished = token.startswith("/*") and (len(token) < 4 or not token.endswith("*/"))
    return token if token[0] == '"' or unfinished else re.sub(r"[^\n]", " ", token)


def nests_too_deep(text: str) -> bool:
    """Whether the arrays and objects of `text` nest more than MAX_NESTING levels deep."""
    if text.count("{") + text.count("[") <= MAX_NESTING:
        return False
    depth = 0
    for bracket in _BRACKET.findall(_STRING.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > MAX_NESTING:
            return True
    return False


def _refuse_constant(name: str) -> NoReturn:
    raise SchemaFault(f"not valid JSON: {name} is not a JSON value (write it in quotes)")


def _parse_integer(digits: str) -> int:
    if len(digits) > _MAX_INTEGER_DIGITS:
        raise SchemaFault(f"an integer of {len(digits)} digits: at most {_MAX_INTEGER_DIGITS} are accepted")
    return int(digits)


def _encodable(text: str, value: object) -> bool:
    try:
        text.encode()
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def tokens(pointer: str) -> list[str]:
    """The tokens of a JSON pointer (``/fields/2``), unescaped; none for ``""``."""
    return [token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:]]


def locate(text: str, tokens: Sequence[str]) -> tuple[int, int]:
    """Line and column, from 1, of the value that a JSON pointer's `tokens` lead to in `text`.

    Where the way ends early, the last element that was reached. `text` must
    have passed `read`.
    """
    text = _without_comments(text)
    at = _after_space(text, 0)
    for token in tokens:
        inner = _member(text, at, token) if text[at] == "{" else _element(text, at, token)
        if inner is None:
            break
        at = inner
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _member(text: str, at: int, name: str) -> int | None:
    """Where the value of member `name` starts in the object at `at`."""
    found = None
    at = _after_space(text, at + 1)
    while text[at] != "}":
        end = _skip(text, at)
        key = json.loads(text[at:end])
        at = _after_space(text, _after_space(text, end) + 1)  # past the colon
        if key == name:
            found = at
        at = _after_comma(text, _skip(text, at))
    return found


def _element(text: str, at: int, index: str) -> int | None:
    """Where the element at `index` starts in the array at `at`; None if that is no array, or shorter."""
    if text[at] != "[" or not index.isdecimal():
        return None
    at = _after_space(text, at + 1)
    for _ in range(int(index)):
        if text[at] == "]":
            return None
        at = _after_comma(text, _skip(text, at))
    return at if text[at] != "]" else None


def _after_comma(text: str, at: int) -> int:
    at = _after_space(text, at)
    return _after_space(text, at + 1) if text[at] == "," else at


def _skip(text: str, at: int) -> int:
    """The end of the value that starts at `at`."""
    depth = 0
    while True:
        character = text[at]
        if character in "[{":
            depth += 1
            at += 1
        elif character in "]}":
            depth -= 1
            at += 1
        elif character in ",:":
            at += 1
        else:
            found = _SCALAR.match(text, at)
            at = found.end() if found else at + 1
        if depth == 0:
            return at
        at = _after_space(text, at)


def write(value: object) -> str:
    """`value` as Java's library writes it: no white space, non-ASCII kept, doubles as `java_double`."""
    match value:
        case str():
            return write_string(value)
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return java_double(value)
        case dict():
            members = []
            for name, member in value.items():  # in this frame: values nest as deep as the schema does
                members.append(f"{write_string(name)}:{write(member)}")
            return "{" + ",".join(members) + "}"
        case list():
            return "[" + ",".join(map(write, value)) + "]"
        case _:
            raise TypeError(f"not a JSON value: {value!r}")


def write_string(value: str) -> str:
    """`value` in quotes. Control characters without a short escape are written with upper-case digits."""
    quoted = encode_basestring(value)
    return quoted if "\\u" not in quoted else f'"{value.translate(_ESCAPES)}"'


def java_double(value: float) -> str:
    """`value` as ``Double.toString`` of Java 19 and later gives it (``1.0``, ``1.0E10``, ``4.9E-324``).

    NaN and the infinities are in quotes, as Java's JSON writer has them.
    """
    if not math.isfinite(value):
        name = "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
        return f'"{name}"'
    if value == 0:
        return "-0.0" if math.copysign(1, value) < 0 else "0.0"
    digits, exponent = _shortest_digits(abs(value))
    sign = "-" if value < 0 else ""
    if -3 <= exponent < 7:
        if exponent < 0:
            return f"{sign}0.{'0' * (-exponent - 1)}{digits}"
        whole = digits[: exponent + 1].ljust(exponent + 1, "0")
        return f"{sign}{whole}.{digits[exponent + 1 :] or '0'}"
    return f"{sign}{digits[0]}.{digits[1:] or '0'}E{exponent}"


def _shortest_digits(value: float) -> tuple[str, int]:
    """The fewest digits that stand for `value`, and the decimal exponent of the first.

    Java wants at least two, and of all pairs takes the nearest: it matters
    for the smallest subnormal numbers, where one digit would do.
    """
    mantissa, _, exponent = repr(value).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    first = len(whole) - 1 if whole != "0" else -1 - (len(fraction) - len(fraction.lstrip("0")))
    digits = digits.rstrip("0")
    if len(digits) == 1:
        two, _, power = f"{value:.1e}".partition("e")
        return two.replace(".", "").rstrip("0"), int(power)
    return digits, first + int(exponent or 0)


def parse_java_double(text: str) -> float | None:
    """The number that Java's ``Double.parseDouble`` reads from `text`; None where it would refuse it."""
    stripped = text.strip("".join(map(chr, range(33))))
    if found := _DECIMAL.fullmatch(stripped):
        sign, name, digits = found.groups()
        number = float(name or digits)
        return -number if sign == "-" else number
    if found := _HEXADECIMAL.fullmatch(stripped):
        return float.fromhex(found[1])
    return None
