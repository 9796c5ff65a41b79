"""Whether a JSON value can stand as the default of a field.

The rules are Java Avro 1.12's: any branch of a union will do, an enum's or
fixed's default need only be a string, and what a record's default leaves out
is taken from the defaults of the record's fields.
"""

from collections.abc import Iterable

from registry.languages.avro.attributes import article, excerpt
from registry.languages.avro.json_text import MAX_NESTING
from registry.languages.avro.schema import (
    MISSING,
    Array,
    Field,
    Map,
    Named,
    Primitive,
    Record,
    Schema,
    Union,
)
from registry.languages.language import SchemaFault

_NOTHING = Primitive("null", {})
_INTEGER_BITS = {"int": 31, "long": 63}


MAX_CHECKS = 500_000
"""How many values may be held against types for the defaults of one schema: about a second."""

_WITH_PARTS = (Record, Union, Array, Map)


class Defaults:
    """Checks the defaults of one schema, whose nodes and JSON values stay as they are meanwhile.

    What a type makes of a value is remembered: records whose fields default to one another would
    otherwise double the work with each record.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], bool] = {}
        self._open: set[tuple[int, int]] = set()
        self._checks = 0

    def check(self, field: Field, path: str) -> None:
        """Raise SchemaFault unless the default of `field`, whose path is `path`, fits its type."""
        try:
            valid = self.is_valid(field.schema, field.default)
        except SchemaFault as fault:
            raise SchemaFault(
                f'invalid default for field "{field.name}": {fault.message}', path=f"{path}/default"
            ) from None
        if not valid:
            raise SchemaFault(
                f'invalid default for field "{field.name}": {excerpt(field.default)} '
                f"is not {_expected(field.schema)}",
                path=f"{path}/default",
            )

    def is_valid(self, schema: Schema, value: object, depth: int = 0) -> bool:
        """Whether `value`, which is JSON or MISSING, is a default for `schema`.

        Raises SchemaFault where the defaults of records call for each other without end, or too deep,
        or where there is too much to check.
        """
        self._checks += 1
        if self._checks > MAX_CHECKS:
            raise SchemaFault(f"the defaults of this schema take more than {MAX_CHECKS:,} checks")
        if value is None and isinstance(schema, Union):
            for branch in schema.branches:
                if branch.type == "null":
                    return True  # most defaults
        if not isinstance(schema, _WITH_PARTS):
            return value is not MISSING and _is_valid_scalar(schema.type, value)
        key = (id(schema), id(value))
        if key not in self._known:
            if key in self._open:
                raise SchemaFault("its default needs itself: the defaults of its fields go round in a circle")
            if depth > MAX_NESTING:
                raise SchemaFault(f"its default nests more than {MAX_NESTING} levels deep when spelt out")
            self._open.add(key)
            # A union is satisfied by one branch; everything else needs all its parts.
            valid = wanted = isinstance(schema, Union)
            for inner, part in _parts(schema, value):
                if self.is_valid(inner, part, depth + 1) == wanted:
                    break
            else:
                valid = not wanted
            self._open.remove(key)
            self._known[key] = valid
        return self._known[key]


def _parts(schema: Record | Union | Array | Map, value: object) -> Iterable[tuple[Schema, object]]:
    """What of `value` has to be a default for which type. A value of a wrong kind is none for any type."""
    match schema:
        case Union():
            return [(branch, value) for branch in schema.branches]
        case Record() if isinstance(value, dict):
            return [(field.schema, value.get(field.name, field.default)) for field in schema.fields]
        case Array() if isinstance(value, list):
            return [(schema.items, element) for element in value]
        case Map() if isinstance(value, dict):
            return [(schema.values, element) for element in value.values()]
    return [(_NOTHING, MISSING)]


def _is_valid_scalar(type_: str, value: object) -> bool:
    match type_:
        case "null":
            return value is None
        case "boolean":
            return isinstance(value, bool)
        case "int" | "long":
            limit = 1 << _INTEGER_BITS[type_]
            return isinstance(value, int) and not isinstance(value, bool) and -limit <= value < limit
        case "float" | "double":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case _:  # string, bytes, enum, fixed
            return isinstance(value, str)


def _expected(schema: Schema) -> str:
    if isinstance(schema, Union):
        return "of any of the types " + ", ".join(branch.type_name for branch in schema.branches)
    if isinstance(schema, Named):
        return f"of the {schema.type} {schema.name.full}"
    if isinstance(schema, Array | Map):
        return f"{article(schema.type)} of what its schema says"
    return article(schema.type)
