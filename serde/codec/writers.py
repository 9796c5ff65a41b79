"""What both codecs decide alike when a schema becomes something that writes.

`Writers` walks a schema and asks a codec for its parts: the pure one
(`encode`) answers with closures, the native one with nodes in C.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from serde.codec.logical import Conversion, conversion
from serde.codec.objects import ShapeOf, no_shape
from serde.codec.schema import Array, Enum, Field, Fixed, Map, Node, Primitive, Record, Union

W = TypeVar("W")


class Writers(ABC, Generic[W]):
    """Makes the writers of one schema; a named type has one, however often it is used."""

    def __init__(self, shape_of: ShapeOf = no_shape) -> None:
        self.shape_of = shape_of
        self._made: dict[int, W] = {}

    def writer(self, node: Node) -> W:
        made = self._made.get(id(node))
        if made is None:
            if isinstance(node, Record):
                # In place before its fields are: they may hold the record itself.
                self._made[id(node)] = self.forward(lambda: self._made[id(node)])
            made = self._made[id(node)] = self._make(node)
        return made

    def _make(self, node: Node) -> W:
        match node:
            case Primitive():
                write = self.primitive(node.kind)
            case Fixed():
                write = self.fixed(node)
            case Enum():
                return self.enum(node)
            case Array():
                return self.array(self.writer(node.items))
            case Map():
                return self.map(self.writer(node.values))
            case Union():
                return self.union(node, [self.writer(branch) for branch in node.branches])
            case Record():
                return self.record(node, [(field, self.writer(field.type)) for field in node.fields])
        convert = conversion(node)
        return write if convert is None else self.converted(write, convert)

    @abstractmethod
    def primitive(self, kind: str) -> W:
        """A value of a primitive type."""

    @abstractmethod
    def fixed(self, node: Fixed) -> W:
        """As many bytes as the type says."""

    @abstractmethod
    def enum(self, node: Enum) -> W:
        """One of the symbols."""

    @abstractmethod
    def array(self, item: W) -> W:
        """Any sequence but a string."""

    @abstractmethod
    def map(self, value: W) -> W:
        """Any mapping with strings as keys."""

    @abstractmethod
    def union(self, node: Union, branches: Sequence[W]) -> W:
        """The branch that `serde.codec.union` chooses."""

    @abstractmethod
    def record(self, node: Record, fields: Sequence[tuple[Field, W]]) -> W:
        """Any mapping with the fields as keys, or an object that has a shape."""

    @abstractmethod
    def converted(self, write: W, convert: Conversion) -> W:
        """What `write` takes, and the Python type of a logical type."""

    @abstractmethod
    def forward(self, find: Callable[[], W]) -> W:
        """Stands for the writer that `find` gives once all are made."""
