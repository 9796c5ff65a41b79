"""Whether one schema can read all that another wrote, without a message at hand.

It is the walk that compiles a decoder, with a codec that only listens: where a
decoder would refuse a value, the pair is at fault.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from serde.codec.logical import Conversion, Convert
from serde.codec.readers import Default, Readers, Step
from serde.codec.schema import TOO_DEEP, AvroSchema, Enum, Field, Record
from serde.errors import InvalidSchema


def why_unreadable(writer: AvroSchema, reader: AvroSchema) -> tuple[str, ...]:
    """Why `reader` cannot read some values of `writer`, each reason once; nothing where it reads all.

    Raises InvalidSchema if one is nested too deep.
    """
    faults = _Faults()
    try:
        faults.reader(writer.root, reader.root)
    except RecursionError:
        raise InvalidSchema(TOO_DEEP) from None
    return tuple(dict.fromkeys(faults.found))


class _Node:
    """What every node becomes."""


_NODE: Final = _Node()


class _Faults(Readers[_Node]):
    """Nodes that do nothing. found: where one cannot be read."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def failing(self, reason: str) -> _Node:
        self.found.append(reason)
        return _NODE

    def enum(self, writer: Enum, reader: Enum, values: Sequence[Any]) -> _Node:
        unknown = [symbol for symbol, value in zip(writer.symbols, values, strict=True) if value is None]
        if unknown:
            self.failing(f"the reader's {reader.name} has no {', '.join(map(repr, unknown))} and no default")
        return _NODE

    def primitive(self, kind: str) -> _Node:
        return _NODE

    def promoted(self, read: _Node, promote: Convert) -> _Node:
        return _NODE

    def converted(self, read: _Node, convert: Conversion) -> _Node:
        return _NODE

    def fixed(self, size: int) -> _Node:
        return _NODE

    def array(self, items: _Node, size: int) -> _Node:
        return _NODE

    def map(self, values: _Node) -> _Node:
        return _NODE

    def union(self, branches: Sequence[_Node]) -> _Node:
        return _NODE

    def record(
        self, reader: Record, steps: Sequence[Step[_Node]], defaults: Sequence[Default[_Node]]
    ) -> _Node:
        return _NODE

    def forward(self, find: Callable[[], _Node]) -> _Node:
        return _NODE

    def _default(self, field: Field, logical: bool) -> Default[_Node]:
        return Default(field, b"", _NODE)  # whether it is a value of its type is another question
