"""Avro IDL to types, by the rules of Java Avro 1.12's compiler.

What Java refuses is refused, with line and column. Refused beyond that: a character that belongs to no token
(Java skips it), and a union within a union (Java makes an empty one of both). Messages are read, and nothing
is made of them but the types they use.
"""

from collections.abc import Sequence
from typing import Any

from registry.languages.avro.idl.lexer import Kind, Place, Token, tokens
from registry.languages.avro.idl.model import IdlFile, Import, Node, full_name
from registry.languages.avro.idl.reading import Annotation, Reading, fault
from registry.languages.avro.schema import PRIMITIVES
from registry.languages.language import SchemaFault

_LOGICAL = {
    "date": ("int", "date"),
    "time_ms": ("int", "time-millis"),
    "timestamp_ms": ("long", "timestamp-millis"),
    "local_timestamp_ms": ("long", "local-timestamp-millis"),
    "uuid": ("string", "uuid"),
}
"""Keywords that stand for a logical type: the type beneath, and the logical type's name."""

_NAMED = ("record", "error", "enum", "fixed")
_IMPORTS = ("idl", "protocol", "schema")
_ORDERS = ("ascending", "descending", "ignore")
_SCHEMA_RESERVED = frozenset(
    {"doc", "fields", "items", "name", "namespace", "size", "symbols", "values", "type", "aliases"}
)
_FIELD_RESERVED = frozenset({"default", "doc", "name", "order", "type", "aliases"})
_NOT_A_NAME = PRIMITIVES | set(_LOGICAL)


def parse_idl(text: str) -> IdlFile:
    """Parse the text of an ``.avdl`` file: a protocol, or since 1.12 a namespace, a schema and types.

    Names, and defaults against their types, are checked by Avro's parser, not here.

    Raises SchemaFault with line and column.
    """
    return _Parser(tokens(text)).file()


class _Parser(Reading):
    def __init__(self, found: Sequence[Token]) -> None:
        super().__init__(found)
        self._namespace: str | None = None
        self._types: dict[str, Node] = {}
        self._imports: list[Import] = []
        self._used: dict[str, Place] = {}

    # The file

    def file(self) -> IdlFile:
        protocol, main = None, None
        annotations = self.annotations()
        if self.is_word("protocol"):
            protocol = self._protocol(annotations)
        else:
            if not annotations and self.is_word("namespace"):
                self.next()
                self._namespace = self.name("a namespace")
                self.mark(";")
            if not annotations and self.is_word("schema"):
                self.next()
                node, optional = self._full_type()
                main = _optional(node) if optional else node
                self.mark(";")
            while annotations or self.token.kind is not Kind.END:
                self._declaration(annotations)
                annotations = []
        if self.token.kind is not Kind.END:
            self.unexpected("the end of the file")
        return IdlFile(protocol, self._types, main, tuple(self._imports), self._used)

    def _protocol(self, annotations: list[Annotation]) -> str:
        self.next()
        word = self.name("the protocol's name")
        space, _, simple = word.rpartition(".")
        self._namespace = space or _own_namespace(annotations)
        self.mark("{")
        while not self.taken("}"):
            self._declaration(self.annotations(), messages=True)
        return f"{self._namespace}.{simple}" if self._namespace else simple

    def _declaration(self, annotations: list[Annotation], *, messages: bool = False) -> None:
        """An import, a named type or a message; `annotations` are those already read before it."""
        doc = self._first_doc(annotations)
        annotations = annotations or self.annotations()
        keyword = self.token
        follows = self._tokens[min(self._at + 1, len(self._tokens) - 1)]
        if not annotations and self.is_word("import"):
            self._import()
        elif self.is_word(*_NAMED) and follows.kind is Kind.WORD:
            self._named(keyword, annotations, doc)
        elif messages and keyword.kind is Kind.WORD:
            self._message(annotations)
        else:
            wanted = "an import, record, error, enum or fixed"
            self.unexpected(f"{wanted}, a message or }}" if messages else f"{wanted}, or the end of the file")

    def _first_doc(self, annotations: list[Annotation]) -> str | None:
        """The documentation comment before a declaration: before its first annotation, if it has any."""
        return self.doc_before_annotations if annotations else self.token.doc

    def _import(self) -> None:
        place = self.next().place
        if not self.is_word(*_IMPORTS):
            self.unexpected("idl, protocol or schema")
        kind = self.next().text
        location = self.string("the name of a file in quotes")
        self.mark(";")
        self._imports.append(Import(kind, location, place))

    # Named types

    def _named(self, keyword: Token, annotations: list[Annotation], doc: str | None) -> None:
        self.next()
        name_token = self.token
        word = self.name(f"the {keyword.text}'s name")
        space, _, simple = word.rpartition(".")
        own = space or _own_namespace(annotations)
        outer = self._namespace
        namespace = outer if own is None else own or None
        if simple in _NOT_A_NAME:
            raise fault(f'a type may not be named "{simple}", after a type of Avro\'s', name_token.place)
        places = {"": keyword.place, "/type": keyword.place, "/name": name_token.place}
        value: dict[str, Any] = {"type": keyword.text, "name": simple, "namespace": namespace or ""}
        if doc is not None:
            value["doc"] = doc
        node = Node(value, places)
        self._namespace = namespace
        if keyword.text == "enum":
            self._enum(node)
        elif keyword.text == "fixed":
            self._fixed(node)
        else:
            self._record(node)
        self._namespace = outer
        self._annotate_named(node, annotations)
        known = self._types.setdefault(full_name(value), node)
        if known is not node and not _equal(known, node):
            raise fault(
                f'type "{full_name(value)}" is already defined, differently, on line {known.places[""][0]}',
                name_token.place,
            )

    def _annotate_named(self, node: Node, annotations: list[Annotation]) -> None:
        reserved = _SCHEMA_RESERVED | {"default"} if node.value["type"] == "enum" else _SCHEMA_RESERVED
        for annotation in annotations:
            if annotation.name == "namespace":
                node.places["/namespace"] = annotation.value_place
            elif annotation.name == "aliases":
                _set(node, annotation, _aliases(annotation))
            else:
                _property(node, annotation, reserved)
        _whole_decimal(node.value)

    def _record(self, node: Node) -> None:
        fields: list[Node] = []
        node.places["/fields"] = self.mark("{").place
        names: set[str] = set()
        while not self.taken("}"):
            for field in self._field():
                name = field.value["name"]
                if name in names:
                    raise fault(
                        f'duplicate field "{name}" in record "{full_name(node.value)}"', field.places[""]
                    )
                names.add(name)
                fields.append(field)
        node.parts["fields"] = fields

    def _enum(self, node: Node) -> None:
        symbols: list[str] = []
        node.places["/symbols"] = self.mark("{").place
        while not (not symbols and self.is_mark("}")):
            token = self.token
            symbol = self.name("a symbol")
            if symbol in symbols:
                raise fault(f'duplicate symbol "{symbol}" in enum "{full_name(node.value)}"', token.place)
            node.places[f"/symbols/{len(symbols)}"] = token.place
            symbols.append(symbol)
            if not self.taken(","):
                break
        self.mark("}")
        node.value["symbols"] = symbols
        if self.taken("="):
            token = self.token
            default = self.name("the default symbol")
            if default not in symbols:
                raise fault(
                    f'the default "{default}" of enum "{full_name(node.value)}" is none of its symbols',
                    token.place,
                )
            node.value["default"] = default
            node.places["/default"] = token.place
            self.mark(";")

    def _fixed(self, node: Node) -> None:
        self.mark("(")
        size = self.token
        node.value["size"] = self.integer("the size in bytes")
        node.places["/size"] = size.place
        if size.text[-1] in "lL":
            raise fault("the size of a fixed is an integer without a suffix", size.place)
        self.mark(")")
        self.mark(";")

    # Fields

    def _field(self) -> list[Node]:
        """The fields of one declaration, which share a type."""
        doc = self.token.doc
        node, optional = self._full_type()
        fields = [self._variable(node, doc, optional=optional)]
        while self.taken(","):
            fields.append(self._variable(node, doc, optional=optional))
        self.mark(";")
        return fields

    def _variable(self, type_: Node, doc: str | None, *, optional: bool) -> Node:
        doc = doc if self.token.doc is None else self.token.doc
        annotations = self.annotations()
        token = self.token
        name = self.name("the field's name")
        node = Node({"name": name, "type": None}, {"": token.place, "/name": token.place})
        if doc is not None:
            node.value["doc"] = doc
        default: object = None
        if self.taken("="):
            node.places["/default"] = self.token.place
            node.value["default"] = default = self.json()
        node.parts["type"] = _optional(type_, null_first=default is None) if optional else type_
        for annotation in annotations:
            match annotation.name:
                case "order":
                    _set(node, annotation, _order(annotation))
                case "aliases":
                    _set(node, annotation, _aliases(annotation))
                case _:
                    _property(node, annotation, _FIELD_RESERVED)
        return node

    # Types

    def _full_type(self) -> tuple[Node, bool]:
        """A type with its annotations, and whether it is optional: behind it is a question mark."""
        annotations = self.annotations()
        token = self.token
        if token.kind is not Kind.WORD:
            self.unexpected("a type")
        self.nested(1)
        match token.text:
            case "array" if self.follows("<"):
                node, optional = self._collection("array", "items"), False
            case "map" if self.follows("<"):
                node, optional = self._collection("map", "values"), False
            case "union" if self.follows("{"):
                node, optional = self._union(), False
                annotations = []  # as in Java: there is nothing of a union that could have them
            case _:
                node = self._simple_type(annotations)
                optional = self.taken("?")
        self.nested(-1)
        for annotation in annotations:
            _property(node, annotation, _SCHEMA_RESERVED)
        if isinstance(node.value, dict):
            _whole_decimal(node.value)
        return node, optional

    def _collection(self, type_: str, key: str) -> Node:
        place = self.next().place
        self.mark("<")
        inner, optional = self._full_type()
        self.mark(">")
        return Node({"type": type_, key: None}, {"": place}, {key: _optional(inner) if optional else inner})

    def _union(self) -> Node:
        place = self.next().place
        self.mark("{")
        branches: list[Node] = []
        while True:
            branch, optional = self._full_type()
            if optional or branch.branches is not None:
                raise fault("a union directly inside a union", branch.places[""])
            branches.append(branch)
            if not self.taken(","):
                break
        self.mark("}")
        return Node(None, {"": place}, branches=branches)

    def _simple_type(self, annotations: list[Annotation]) -> Node:
        """A primitive or logical type, or the name of another; of those, only the first may be annotated."""
        token = self.next()
        place = {"": token.place}
        if token.text in PRIMITIVES:
            return Node({"type": token.text} if annotations else token.text, place)
        if token.text in _LOGICAL:
            type_, logical = _LOGICAL[token.text]
            return Node({"type": type_, "logicalType": logical}, place)
        if token.text == "decimal" and self.is_mark("("):
            return Node(self._decimal(token), place)
        if annotations:
            raise fault(
                f'"{token.text}" is the name of a type: annotate the type where it is defined',
                annotations[0].place,
            )
        word = str(token.value)
        name = f"{self._namespace}.{word}" if self._namespace and "." not in word else word
        self._used.setdefault(name, token.place)
        return Node(name, place)

    def _decimal(self, token: Token) -> dict[str, Any]:
        self.mark("(")
        precision = self.integer("the precision")
        scale = self.integer("the scale") if self.taken(",") else 0
        self.mark(")")
        if not 0 < precision < 2**31:
            raise fault(f"the precision of a decimal is a positive integer, not {precision}", token.place)
        if not 0 <= scale <= precision:
            raise fault(
                f"the scale of a decimal is from 0 to its precision, which is {precision}, not {scale}",
                token.place,
            )
        return {"type": "bytes", "logicalType": "decimal", "precision": precision, "scale": scale}

    # Messages

    def _message(self, annotations: list[Annotation]) -> None:
        """Read a message. `annotations`: those before its result's type, which are the message's."""
        result = self.token
        if not (self.is_word("void") and self._tokens[self._at + 1].kind is Kind.WORD):
            self._full_type()
        else:
            self.next()
        name = self.token
        self.name("the message's name")
        self.mark("(")
        names: set[str] = set()
        while not (not names and self.is_mark(")")):
            doc = self.token.doc
            node, optional = self._full_type()
            parameter = self._variable(node, doc, optional=optional)
            if parameter.value["name"] in names:
                raise fault(f'duplicate parameter "{parameter.value["name"]}"', parameter.places[""])
            names.add(parameter.value["name"])
            if not self.taken(","):
                break
        self.mark(")")
        if self.is_word("oneway"):
            self.next()
            if result.text != "void":
                raise fault(f'the one-way message "{name.text}" must return void', result.place)
        elif self.is_word("throws"):
            self.next()
            self._simple_type([])
            while self.taken(","):
                self._simple_type([])
        self.mark(";")
        for annotation in annotations:
            if annotation.name in {"doc", "request", "response", "errors", "one-way"}:
                raise _reserved(annotation)


def _reserved(annotation: Annotation) -> SchemaFault:
    return fault(f"@{annotation.name} cannot be set here: the name is reserved", annotation.place)


def _optional(node: Node, *, null_first: bool = True) -> Node:
    """The union of null and a type. Its first branch is that of the field's default."""
    null = Node("null", {"": node.places[""]})
    return Node(None, {"": node.places[""]}, branches=[null, node] if null_first else [node, null])


def _own_namespace(annotations: list[Annotation]) -> str | None:
    """What the last ``@namespace`` says; None without one."""
    found = None
    for annotation in annotations:
        if annotation.name == "namespace":
            if not isinstance(annotation.value, str):
                raise fault("@namespace takes a string", annotation.value_place)
            found = annotation.value
    return found


def _set(node: Node, annotation: Annotation, value: object) -> None:
    node.value[annotation.name] = value
    node.places[f"/{annotation.name}"] = annotation.value_place


def _property(node: Node, annotation: Annotation, reserved: frozenset[str]) -> None:
    if annotation.name in reserved:
        raise _reserved(annotation)
    _set(node, annotation, annotation.value)


def _aliases(annotation: Annotation) -> list[str]:
    names = annotation.value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise fault("@aliases takes an array of strings", annotation.value_place)
    return names


def _order(annotation: Annotation) -> str:
    order = annotation.value
    if not isinstance(order, str) or order.lower() not in _ORDERS:
        raise fault('@order takes "ascending", "descending" or "ignore"', annotation.value_place)
    return order.lower()


def _whole_decimal(value: dict[str, Any]) -> None:
    """Java writes the scale of a decimal also where it was left out, and so is 0."""
    precision = value.get("precision")
    is_decimal = value.get("logicalType") == "decimal" and value["type"] in {"bytes", "fixed"}
    if is_decimal and "scale" not in value and isinstance(precision, int) and precision > 0:
        value["scale"] = 0


def _equal(one: Node, other: Node) -> bool:
    """Whether two definitions are the same, wherever they stand."""
    waiting: list[tuple[object, object]] = [(one, other)]
    while waiting:
        left, right = waiting.pop()
        if isinstance(left, Node) and isinstance(right, Node):
            if left.value != right.value or left.parts.keys() != right.parts.keys():
                return False
            waiting += [
                (left.branches, right.branches),
                *((left.parts[key], right.parts[key]) for key in left.parts),
            ]
        elif isinstance(left, list) and isinstance(right, list):
            if len(left) != len(right):
                return False
            waiting += zip(left, right, strict=True)
        elif left is not right:
            return False
    return True
