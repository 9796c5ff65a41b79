"""Which of a reader's types takes a writer's.

Source: Avro 1.12 specification, "Schema Resolution", and Java's choice of a
union branch: the same type before a promotion, then the order in the union.
"""

from typing import Final

from serde.codec.logical import Convert
from serde.codec.schema import Enum, Fixed, Named, Node, Primitive, Record, Union


def unchanged(value: int) -> int:
    return value


_PROMOTIONS: Final[dict[tuple[str, str], Convert]] = {
    ("int", "long"): unchanged,
    ("int", "float"): float,
    ("int", "double"): float,
    ("long", "float"): float,
    ("long", "double"): float,
    ("float", "double"): float,
    ("string", "bytes"): str.encode,
    ("bytes", "string"): bytes.decode,
}


def promotion(writer: str, reader: str) -> Convert | None:
    """What turns a value of primitive `writer` into one of `reader`; None if nothing does."""
    return _PROMOTIONS.get((writer, reader))


def same_name(writer: Named, reader: Named) -> bool:
    """Whether two named types of one kind match: by unqualified name, or by the reader's aliases."""
    return (
        writer is reader
        or writer.name.rpartition(".")[2] == reader.name.rpartition(".")[2]
        or writer.name in reader.aliases
    )


def best_branch(writer: Node, reader: Union) -> Node | None:
    """The branch of the reader's union for a value written as `writer`, which is no union."""
    alike = [branch for branch in reader.branches if type(branch) is type(writer)]
    if isinstance(writer, Primitive):
        primitives = [branch for branch in alike if isinstance(branch, Primitive)]
        exact = [branch for branch in primitives if branch.kind == writer.kind]
        promoted = [branch for branch in primitives if promotion(writer.kind, branch.kind)]
        return next(iter([*exact, *promoted]), None)
    if isinstance(writer, Record | Enum | Fixed):
        named = [b for b in alike if isinstance(b, Record | Enum | Fixed)]
        exact_name = [branch for branch in named if branch.name == writer.name]
        matching = [branch for branch in named if same_name(writer, branch)]
        return next(iter([*exact_name, *matching]), None)
    return next(iter(alike), None)
