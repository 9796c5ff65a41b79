"""The attributes of a schema's JSON objects: reading one, and saying what is wrong with it.

`path` is the JSON pointer of the object. All raise SchemaFault with the path
of the attribute that is at fault.
"""

from collections.abc import Mapping

from registry.languages.avro import json_text
from registry.languages.language import SchemaFault

NO_PROPS: Mapping[str, object] = {}
_ORDERS = frozenset({"ascending", "descending", "ignore"})


def props(value: Mapping[str, object], reserved: frozenset[str]) -> Mapping[str, object]:
    """The attributes of `value` that are not `reserved`: those the specification does not know."""
    if reserved.issuperset(value):
        return NO_PROPS
    return {name: prop for name, prop in value.items() if name not in reserved}


def required(value: Mapping[str, object], key: str, what: str, path: str) -> object:
    """The attribute `key`; SchemaFault where `value`, which is a `what`, has none."""
    if key not in value:
        raise SchemaFault(f'{article(what)} has no "{key}"', path=path)
    return value[key]


def optional_text(value: Mapping[str, object], key: str) -> str | None:
    """The attribute `key` if it is a string. One that is not counts as missing, as in Java."""
    text = value.get(key)
    return text if isinstance(text, str) else None


def alias_texts(value: Mapping[str, object], path: str) -> list[str]:
    """The aliases as written, each once."""
    if "aliases" not in value:
        return []
    aliases = value["aliases"]
    if not isinstance(aliases, list):
        raise SchemaFault("aliases is an array of names", path=f"{path}/aliases")
    for index, alias in enumerate(aliases):
        if not isinstance(alias, str):
            raise SchemaFault(f"an alias is a string, not {excerpt(alias)}", path=f"{path}/aliases/{index}")
    return list(dict.fromkeys(aliases))


def order(value: Mapping[str, object], name: str, path: str) -> str:
    """The sort order of the field `name`, in lower case."""
    if "order" not in value:
        return "ascending"
    order = value["order"]
    if not isinstance(order, str) or order.lower() not in _ORDERS:
        raise SchemaFault(
            f'the order of field "{name}" must be "ascending", "descending" or "ignore", '
            f"not {excerpt(order)}",
            path=f"{path}/order",
        )
    return order.lower()


def number(text: str, name: str, path: str) -> float:
    """The number that a float's default gives in quotes, such as ``"NaN"``."""
    number = json_text.parse_java_double(text)
    if number is None:
        raise SchemaFault(
            f'invalid default for field "{name}": {excerpt(text)} is not a number', path=f"{path}/default"
        )
    return number


def article(noun: str) -> str:
    """`noun` behind a or an."""
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def excerpt(value: object) -> str:
    """The start of a JSON value, for a message."""
    text = json_text.write(value)
    return text if len(text) <= 80 else text[:77] + "..."
