"""Whether a JSON value can stand as the default of a field.

The rules are Java Avro 1.12's: any branch of a union will do, an enum's or
fixed's default need only be a string, and what a record's default leaves out
is taken from the defaults of the record's fields.
"""

from registry.languages.avro.json_text import MAX_NESTING
from registry.languages.avro.schema import MISSING, Array, Map, Record, Schema, Union
from registry.languages.language import SchemaFault

_INTEGER_BITS = {"int": 31, "long": 63}


def is_valid_default(schema: Schema, value: object, depth: int = 0) -> bool:
    """Whether `value`, which is JSON or MISSING, is a default for `schema`.

    Raises SchemaFault where the defaults of recursive records call for each other without end.
    """
    if depth > MAX_NESTING:
        raise SchemaFault("its default needs itself: the defaults of the records in it go round in a circle")
    match schema:
        case Union():
            return any(is_valid_default(branch, value, depth + 1) for branch in schema.branches)
        case Record():
            return isinstance(value, dict) and all(
                is_valid_default(field.schema, value.get(field.name, field.default), depth + 1)
                for field in schema.fields
            )
        case Array():
            return isinstance(value, list) and all(
                is_valid_default(schema.items, element, depth + 1) for element in value
            )
        case Map():
            return isinstance(value, dict) and all(
                is_valid_default(schema.values, element, depth + 1) for element in value.values()
            )
    return value is not MISSING and _is_valid_scalar(schema.type, value)


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
