"""Which columns hold the values of a schema: Arrow's physical layouts, without Arrow.

Columns cannot hold what holds itself, so a recursive schema is refused here,
and nothing that uses a layout has to think of depth. Source: the Arrow
Columnar Format, "Physical Memory Layout".
"""

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final

from serde.codec.logical import conversion
from serde.codec.schema import Array, AvroSchema, Enum, Fixed, Map, Node, Primitive, Record, Union, type_name
from serde.errors import InvalidSchema

MAX_DIGITS: Final = 76
"""The most that a decimal of Arrow can have; up to 38 take 16 bytes, more take 32."""
MAX_BRANCHES: Final = 127
MAX_DEPTH: Final = 100
ROOT_NAME: Final = "value"
"""The one column of a schema that is no record."""


class Kind(IntEnum):
    """A physical layout. The numbers are also those of the native codec."""

    NULL = 0
    BOOLEAN = 1
    INT = 2
    LONG = 3
    FLOAT = 4
    DOUBLE = 5
    BYTES = 6
    STRING = 7
    FIXED = 8
    ENUM = 9
    LIST = 10
    MAP = 11
    STRUCT = 12
    UNION = 13


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """The column of one type.

    node: the Avro type; of a union of null and one other, that other.
    nullable: whether a value may be null, by `null` in the schema.
    null, other: the numbers of the two branches of such a union; -1 where there is none.
    logical: the name of the logical type it has, "" for none.
    width: the bytes of a value of kind FIXED, in the column.
    names: of a struct's fields or a union's branches. children: their columns, or that of a list's items,
    or of a map's values.
    """

    kind: Kind
    node: Node
    nullable: bool = False
    null: int = -1
    other: int = -1
    logical: str = ""
    width: int = 0
    names: tuple[str, ...] = ()
    children: tuple["Column", ...] = ()


def layout(schema: AvroSchema) -> Column:
    """The columns of a schema: a struct, of one field called ``value`` if the schema is no record.

    Raises InvalidSchema if it is recursive, or has what Arrow cannot hold.
    """
    column = _column(schema.root, ())
    if column.kind is Kind.STRUCT and not column.nullable:
        return column
    return Column(Kind.STRUCT, schema.root, names=(ROOT_NAME,), children=(column,))


def is_wrapped(column: Column) -> bool:
    """Whether `layout` made the struct, for a schema that is no record."""
    return not isinstance(column.node, Record)


def with_nulls(column: Column) -> Column:
    """The layout of rows that may be null: every field of the root can be."""
    return replace(column, children=tuple(map(_nullable, column.children)))


def _nullable(column: Column) -> Column:
    if column.kind is Kind.NULL:
        return column
    if column.kind is not Kind.UNION:
        return replace(column, nullable=True)
    # Arrow's unions have no nulls of their own: one of the branches has.
    if any(child.kind is Kind.NULL for child in column.children):
        return column
    first, *others = column.children
    return replace(column, children=(_nullable(first), *others))


def _column(node: Node, above: tuple[Node, ...]) -> Column:
    if any(node is outer for outer in above):
        raise InvalidSchema(f"{type_name(node)} holds itself, and Arrow has no recursive types")
    if len(above) > MAX_DEPTH:
        raise InvalidSchema("the schema is nested too deep")
    above = (*above, node)
    match node:
        case Primitive() | Fixed():
            return _plain(node)
        case Enum():
            return Column(Kind.ENUM, node)
        case Array():
            return Column(Kind.LIST, node, children=(_column(node.items, above),))
        case Map():
            return Column(Kind.MAP, node, children=(_column(node.values, above),))
        case Record():
            names = tuple(field.name for field in node.fields)
            children = tuple(_column(field.type, above) for field in node.fields)
            return Column(Kind.STRUCT, node, names=names, children=children)
        case Union():
            return _union(node, above)


_KINDS: Final = {
    "null": Kind.NULL,
    "boolean": Kind.BOOLEAN,
    "int": Kind.INT,
    "long": Kind.LONG,
    "float": Kind.FLOAT,
    "double": Kind.DOUBLE,
    "bytes": Kind.BYTES,
    "string": Kind.STRING,
}


def _plain(node: Primitive | Fixed) -> Column:
    logical = node.logical if conversion(node) is not None else None
    name = logical.name if logical is not None else ""
    if logical is not None and name == "decimal":
        if logical.precision > MAX_DIGITS:
            raise InvalidSchema(
                f"a decimal of {logical.precision} digits, and Arrow's have at most {MAX_DIGITS}:"
                " read it as it is stored, with raw_logical_types=['decimal']"
            )
        return Column(Kind.FIXED, node, logical=name, width=16 if logical.precision <= 38 else 32)
    if name in {"uuid", "duration"}:
        return Column(Kind.FIXED, node, logical=name, width=16)
    if isinstance(node, Fixed):
        return Column(Kind.FIXED, node, width=node.size)
    return Column(_KINDS[node.kind], node, logical=name)


def _union(node: Union, above: tuple[Node, ...]) -> Column:
    if any(isinstance(branch, Union) for branch in node.branches):
        raise InvalidSchema("a union directly within a union")
    if not 1 <= len(node.branches) <= MAX_BRANCHES:
        raise InvalidSchema(f"a union of {len(node.branches)} branches: Arrow's have 1 to {MAX_BRANCHES}")
    null = null_branch(node)
    if len(node.branches) == 2 and null >= 0 and null_branch(node, 1 - null) < 0:
        return replace(_column(node.branches[1 - null], above), nullable=True, null=null, other=1 - null)
    children = tuple(_column(branch, above) for branch in node.branches)
    return Column(Kind.UNION, node, names=tuple(map(type_name, node.branches)), children=children)


def null_branch(node: Union, only: int | None = None) -> int:
    """The number of the first branch that is null, or `only` if that is; -1 for none."""
    for number, branch in enumerate(node.branches):
        if isinstance(branch, Primitive) and branch.kind == "null" and only in {None, number}:
            return number
    return -1


def is_dense(node: Union) -> bool:
    """Whether the column of a union is one: not of null and one other."""
    null = null_branch(node)
    return not (len(node.branches) == 2 and null >= 0 and null_branch(node, 1 - null) < 0)
