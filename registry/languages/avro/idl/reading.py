"""Reading the tokens of Avro IDL: names, marks, annotations, JSON."""

from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TypeVar

from registry.languages.avro.idl.lexer import Kind, Place, Token
from registry.languages.avro.json_text import MAX_NESTING
from registry.languages.language import SchemaFault

T = TypeVar("T")


class Annotation:
    """``@name(value)``."""

    __slots__ = ("name", "place", "value", "value_place")

    def __init__(self, name: str, value: Any, place: Place, value_place: Place) -> None:
        self.name = name
        self.value = value
        self.place = place
        self.value_place = value_place


class Reading:
    """Tokens, read one after another. What is not as wanted is a SchemaFault with its place."""

    def __init__(self, found: Sequence[Token]) -> None:
        self._tokens = found
        self._at = 0
        self._depth = 0
        self._doc_before: str | None = None

    def nested(self, by: int) -> None:
        """Go a level deeper, or (-1) back. Each is a frame of Python's stack or two."""
        self._depth += by
        if self._depth > MAX_NESTING:
            raise fault(f"nested more than {MAX_NESTING} levels deep", self.token.place)

    @property
    def doc_before_annotations(self) -> str | None:
        """The documentation comment before the annotations that were read last."""
        return self._doc_before

    # Annotations and JSON

    def annotations(self) -> list[Annotation]:
        found: list[Annotation] = []
        if self.is_mark("@"):
            self._doc_before = self.token.doc
        while self.is_mark("@"):
            place = self.next().place
            name = self.name("the annotation's name")
            self.mark("(")
            value_place = self.token.place
            found.append(Annotation(name, self.json(), place, value_place))
            self.mark(")")
        return found

    def json(self) -> Any:
        self.nested(1)
        token = self.next()
        value: Any
        match token.text:
            case "{":
                members = self._listed("}", self._member)
                value = dict(members)
            case "[":
                value = self._listed("]", self.json)
            case "null" | "true" | "false":
                value = {"null": None, "true": True, "false": False}[token.text]
            case _ if token.kind in {Kind.STRING, Kind.INTEGER}:
                value = token.value
            case _ if token.kind is Kind.FLOAT:
                value = token.value if abs(float(token.value)) < float("inf") else _not_finite(token)
            case _:
                self._at -= 1
                self.unexpected("a JSON value")
        self.nested(-1)
        return value

    def _member(self) -> tuple[str, Any]:
        name = self.string("the name of a member in quotes")
        self.mark(":")
        return name, self.json()

    def _listed(self, end: str, element: Callable[[], T]) -> list[T]:
        found: list[T] = []
        if self.taken(end):
            return found
        while True:
            found.append(element())
            if self.taken(end):
                return found
            if not self.taken(","):
                self.unexpected(f'"," or "{end}"')

    # Tokens

    @property
    def token(self) -> Token:
        return self._tokens[self._at]

    def next(self) -> Token:
        token = self._tokens[self._at]
        if token.kind is not Kind.END:
            self._at += 1
        return token

    def is_word(self, *words: str) -> bool:
        return self.token.kind is Kind.WORD and self.token.text in words

    def is_mark(self, mark: str) -> bool:
        return self.token.kind is Kind.MARK and self.token.text == mark

    def follows(self, mark: str) -> bool:
        follows = self._tokens[self._at + 1]
        return follows.kind is Kind.MARK and follows.text == mark

    def taken(self, mark: str) -> bool:
        """Whether the next token is `mark`; then it is read."""
        if not self.is_mark(mark):
            return False
        self._at += 1
        return True

    def mark(self, mark: str) -> Token:
        if not self.is_mark(mark):
            self.unexpected(f'"{mark}"')
        return self.next()

    def name(self, what: str) -> str:
        if self.token.kind is not Kind.WORD:
            self.unexpected(what)
        return str(self.next().value)

    def string(self, what: str) -> str:
        if self.token.kind is not Kind.STRING:
            self.unexpected(what)
        return str(self.next().value)

    def integer(self, what: str) -> int:
        if self.token.kind is not Kind.INTEGER:
            self.unexpected(what)
        return int(self.next().value)

    def unexpected(self, wanted: str) -> NoReturn:
        raise fault(f"expected {wanted}, not {self.token}", self.token.place)


def fault(message: str, place: Place) -> SchemaFault:
    return SchemaFault(message, line=place[0], column=place[1])


def _not_finite(token: Token) -> str:
    """JSON has no number for these: a string is what stands for them."""
    if token.value != token.value:
        return "NaN"
    return "Infinity" if float(token.value) > 0 else "-Infinity"
