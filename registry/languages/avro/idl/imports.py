"""An Avro IDL file with all that it imports, directly or not, as one."""

import posixpath
from collections.abc import Callable
from typing import Any

from registry.languages.avro import json_text
from registry.languages.avro.idl.lexer import Place
from registry.languages.avro.idl.model import NAMED, IdlFile, Import, Node, full_name
from registry.languages.avro.idl.parser import parse_idl
from registry.languages.avro.schema import PRIMITIVES
from registry.languages.language import SchemaFault

Reader = Callable[[str], str]
"""Gives the text of the file at a path with slashes; raises OSError where there is none."""


def load_idl(path: str, read: Reader) -> IdlFile:
    """The file at `path` with the types of its imports among its own, before them, in the order of imports.

    Paths in imports count from the folder of the file that they stand in. A file that is imported twice, or
    imports itself by way of others, is read once.

    Raises SchemaFault for what is wrong, a name that no file defines included. For a fault of a file that is
    imported, the message names that file, and the place is the import's.
    """
    loader = _Loader(read)
    file = loader.load(path, read(path))
    merged = IdlFile(file.protocol, loader.types, file.main_node, file.imports, file.used)
    for name, place in merged.missing.items():
        raise SchemaFault(
            f'unknown type "{name}": neither defined in this file nor in those it imports',
            line=place[0],
            column=place[1],
        )
    return merged


class _Loader:
    def __init__(self, read: Reader) -> None:
        self.types: dict[str, Node] = {}
        self._read = read
        self._met: set[str] = set()

    def load(self, path: str, text: str) -> IdlFile:
        self._met.add(posixpath.normpath(path))
        file = parse_idl(text)
        for statement in file.imports:
            location = posixpath.normpath(posixpath.join(posixpath.dirname(path), statement.location))
            if location not in self._met:
                self._met.add(location)
                self._import(statement, location)
        self.types.update(file.nodes)
        return file

    def _import(self, statement: Import, location: str) -> None:
        line, column = statement.place
        try:
            text = self._read(location)
        except OSError as error:
            raise SchemaFault(
                f'"{statement.location}" cannot be imported: {error.strerror or error}',
                line=line,
                column=column,
            ) from None
        try:
            if statement.kind == "idl":
                self.load(location, text)
                return
            value = json_text.read(text)
            reader = _JsonReader(self.types, statement.place)
            if statement.kind == "schema":
                reader.type(value, "")
            else:
                reader.protocol(value)
        except SchemaFault as fault:
            raise SchemaFault(
                f'in the imported "{statement.location}": {fault}', line=line, column=column
            ) from None


class _JsonReader:
    """Adds the named types of a schema or protocol in JSON to those known; all stand at its import."""

    def __init__(self, types: dict[str, Node], place: Place) -> None:
        self._types = types
        self._place = place

    def protocol(self, value: Any) -> None:
        if not isinstance(value, dict) or not isinstance(value.get("types", []), list):
            raise SchemaFault("not a protocol: a protocol is an object with an array of types")
        for type_ in value.get("types", []):
            self.type(type_, str(value.get("namespace") or ""))

    def type(self, value: Any, namespace: str) -> Node:
        """The node of a type, where `namespace` is in force. Avro's parser is left to find what is odd."""
        if isinstance(value, str):
            full = value if value in PRIMITIVES or "." in value or not namespace else f"{namespace}.{value}"
            return Node(full, {"": self._place})
        if isinstance(value, list):
            branches = [self.type(branch, namespace) for branch in value]
            return Node(None, {"": self._place}, branches=branches)
        if not isinstance(value, dict):
            raise SchemaFault("not a schema: expected the name of a type, an object or an array")
        if value.get("type") in NAMED and isinstance(value.get("name"), str):
            return self._named(value, namespace)
        node = Node(dict(value), {"": self._place})
        for key in ("items", "values"):
            if key in value:
                node.parts[key] = self.type(value[key], namespace)
        if isinstance(value.get("type"), str) and value["type"] not in {*PRIMITIVES, "array", "map"}:
            return self.type(value["type"], namespace)
        return node

    def _named(self, value: dict[str, Any], namespace: str) -> Node:
        space, _, simple = value["name"].rpartition(".")
        own = space or str(value.get("namespace", namespace) or "")
        node = Node({**value, "name": simple, "namespace": own}, {"": self._place})
        if isinstance(value.get("fields"), list):
            fields: list[Node] = []
            for field in value["fields"]:
                if not isinstance(field, dict) or "type" not in field:
                    raise SchemaFault(f'a field of "{full_name(node.value)}" is no object with a type')
                part = Node({**field, "type": None}, {"": self._place})
                part.parts["type"] = self.type(field["type"], own)
                fields.append(part)
            node.parts["fields"] = fields
        name = full_name(node.value)
        self._types.setdefault(name, node)
        return Node(name, {"": self._place})
