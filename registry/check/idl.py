"""The schemas of an Avro IDL file, for `registry.check.sources`."""

from collections.abc import Callable, Sequence
from typing import Any

from registry.languages.avro.idl import IdlFile, IdlSchema, parse_idl

IDL_SUFFIX = ".avdl"

Located = tuple[IdlSchema, Callable[[Sequence[str]], tuple[int, int]]]
"""A schema, and line and column in the file of what a JSON pointer's tokens lead to in it."""


def idl_schemas(text: str) -> list[Located]:
    """What a file is for: its main schema; without one, each type that no other type of the file uses.

    Types of the file are spelt out in them; those of other files, imported or not, are named.

    Raises SchemaFault with line and column.
    """
    file = parse_idl(text)
    if file.main is not None:
        return [_located(file.main)]
    return [_located(file.schema(name)) for name in _roots(file)]


def _located(schema: IdlSchema) -> Located:
    return schema, lambda tokens: schema.at("".join(f"/{token}" for token in tokens))


def _roots(file: IdlFile) -> list[str]:
    """The types that no other uses, and of those that only use each other in a circle the first."""
    uses = {name: _named(file.definition(name).value) & set(file.names) - {name} for name in file.names}
    used = set[str]().union(*uses.values())
    roots = [name for name in file.names if name not in used]
    reached: set[str] = set()
    waiting = list(roots)
    for name in file.names:
        while waiting:
            one = waiting.pop()
            if one not in reached:
                reached.add(one)
                waiting += uses[one]
        if name not in reached:
            roots.append(name)
            waiting.append(name)
    return roots


def _named(value: Any) -> set[str]:
    """The names of types in a definition, and other strings."""
    found: set[str] = set()
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            found.add(one)
        elif isinstance(one, list):
            waiting += one
        elif isinstance(one, dict):
            waiting += [one[key] for key in ("type", "items", "values", "fields") if key in one]
    return found
