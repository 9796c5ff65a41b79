"""What an Avro IDL file says: its types as JSON schemas, with the place of every part in the file."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from registry.languages.avro.idl.lexer import Place
from registry.languages.avro.json_text import MAX_NESTING
from registry.languages.language import SchemaFault

NAMED = ("record", "error", "enum", "fixed")  # no set: what stands for a type may be any JSON


@dataclass(slots=True, eq=False)
class Node:
    """A part of a schema: a type, or a field.

    value: its JSON: the name of a type, or an object, in which what `parts` holds is still missing.
    places: JSON pointers into it, without its parts, and where in the file these stand. "" is the node.
    parts: the nodes within an object, by key. branches: those of a union, which has no value.
    """

    value: Any
    places: dict[str, Place]
    parts: dict[str, "Node | list[Node]"] = field(default_factory=dict)
    branches: list["Node"] | None = None


@dataclass(frozen=True, slots=True)
class IdlSchema:
    """A schema of an IDL file.

    name: the full name of the type that it defines, or names; "" for any other.
    value: the schema as JSON. Other types stand in it by their full names.
    places: JSON pointers into it, and where these stand in the file; `at` answers for all.
    """

    name: str
    value: Any
    places: Mapping[str, Place]

    @property
    def text(self) -> str:
        """The schema as JSON text, for Avro's parser."""
        return json.dumps(self.value)

    def at(self, pointer: str) -> Place:
        """Line and column of what a JSON pointer leads to, or of the nearest thing around it."""
        while pointer not in self.places:
            pointer = pointer.rpartition("/")[0]
        return self.places[pointer]


@dataclass(frozen=True, slots=True)
class Import:
    """A file whose types are used. kind: ``idl``, ``protocol`` or ``schema``. location: as written."""

    kind: str
    location: str
    place: Place


@dataclass(frozen=True)
class IdlFile:
    """An IDL file, parsed.

    protocol: the full name of the protocol; None for a file in the schema form.
    names: the full names of its types, in their order.
    imports: what it imports. They are not read here: see `registry.languages.avro.idl.imports`.
    used: the full names that stand for types somewhere, messages included, and where each first does.
    """

    protocol: str | None
    nodes: Mapping[str, Node]
    main_node: Node | None
    imports: tuple[Import, ...]
    used: Mapping[str, Place]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.nodes)

    @cached_property
    def missing(self) -> dict[str, Place]:
        """The types that are used and not defined in this file, and where each first is."""
        return {name: place for name, place in self.used.items() if name not in self.nodes}

    @property
    def main(self) -> IdlSchema | None:
        """The schema that ``schema ...;`` gives, with the types of this file spelt out; None without one.

        Raises SchemaFault where it would nest too deep.
        """
        return None if self.main_node is None else self._schema(self.main_node, spelt_out=True)

    def schema(self, name: str) -> IdlSchema:
        """The type `name`, with the other types of this file spelt out where each is first met.

        Raises KeyError for a name that is none of `names`; SchemaFault where it would nest too deep.
        """
        return self._schema(self.nodes[name], spelt_out=True)

    def definition(self, name: str) -> IdlSchema:
        """The type `name` alone; all others stand in it by name. Raises KeyError as `schema` does."""
        return self._schema(self.nodes[name], spelt_out=False)

    def _schema(self, node: Node, *, spelt_out: bool) -> IdlSchema:
        writer = _Writer(self.nodes if spelt_out else {})
        value = writer.put(node, "", 0)
        name = value if isinstance(value, str) else full_name(value)
        return IdlSchema(name, value, writer.places)


def full_name(value: Any) -> str:
    """The full name of a named type's JSON; "" for any other."""
    if not isinstance(value, dict) or value.get("type") not in NAMED:
        return ""  # a field has a name too
    return f"{value['namespace']}.{value['name']}" if value.get("namespace") else str(value["name"])


class _Writer:
    """Puts nodes together, and notes where each part of the whole stands."""

    def __init__(self, types: Mapping[str, Node]) -> None:
        self.places: dict[str, Place] = {}
        self._types = types
        self._met: set[str] = set()

    def put(self, node: Node, pointer: str, depth: int) -> Any:
        # One frame of Python's stack a level, at most: see MAX_NESTING.
        if depth > MAX_NESTING:
            line, column = node.places[""]
            raise SchemaFault(
                f"nested more than {MAX_NESTING} levels deep with its types spelt out",
                line=line,
                column=column,
            )
        for inner, place in node.places.items():
            self.places.setdefault(pointer + inner, place)  # of a use and its definition, the use
        if node.branches is not None:
            found = []
            for number, branch in enumerate(node.branches):
                found.append(self.put(branch, f"{pointer}/{number}", depth + 1))
            return found
        if isinstance(node.value, str):
            definition = self._types.get(node.value)
            if definition is None or node.value in self._met:
                return node.value
            return self.put(definition, pointer, depth)
        if name := full_name(node.value):
            self._met.add(name)
        whole = dict(node.value)
        for key, part in node.parts.items():
            if isinstance(part, Node):
                whole[key] = self.put(part, f"{pointer}/{key}", depth + 1)
            else:
                whole[key] = []
                for number, element in enumerate(part):
                    whole[key].append(self.put(element, f"{pointer}/{key}/{number}", depth + 2))
        return whole
