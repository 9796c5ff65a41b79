"""The corpus of real schemas, read: each record type's history, with what each version refers to."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from registry.languages.avro import json_text
from registry.languages.language import SchemaFault
from tests.support.needs import need_corpus

History = list[tuple[str, tuple[str, ...]]]
"""Versions, oldest first: the schema's text and the texts it needs, in dependency order."""


@dataclass(frozen=True)
class Folder:
    """The schemas of one version: texts by full name, and how a name becomes a subject."""

    texts: dict[str, str]
    subject: Callable[[str], str]

    def direct_references(self, name: str) -> list[str]:
        """Which of the other schemas the schema `name` names itself."""
        value = json.loads(self.texts[name])
        used = set(_types_named(value, str(value.get("namespace") or name.rpartition(".")[0])))
        return [other for other in self.texts if other in used and other != name]

    def needed(self, name: str) -> list[str]:
        """The names that the schema `name` needs, directly or not, each after what it needs itself."""
        order: list[str] = []
        for other in self.direct_references(name):
            order.extend(found for found in [*self.needed(other), other] if found not in order)
        return order

    def in_dependency_order(self) -> list[str]:
        """All names, each after those it needs."""
        order: list[str] = []
        for name in self.texts:
            order.extend(found for found in [*self.needed(name), name] if found not in order)
        return order


def lsst_folders() -> list[Folder]:
    """The versions of the Rubin alert schema, in order of their numbers."""
    folders = sorted(
        (need_corpus() / "lsst").glob("*/*"), key=lambda path: (int(path.parent.name), int(path.name))
    )
    # lsst.v7_4.diaSource: the version is in the namespace, the record type is what stays
    return [_folder(path, lambda name: f"lsst.{name.rpartition('.')[2]}") for path in folders]


def ztf_folders() -> list[Folder]:
    """The versions of the ZTF alert schema, oldest first, without the one that is not JSON as published."""
    folders = sorted(
        (path for path in (need_corpus() / "ztf").iterdir() if path.name[0].isdigit()),
        key=lambda path: int(path.name.partition("-")[0]),
    )
    parsed = [_folder(path, str) for path in folders]
    return [folder for folder in parsed if folder.texts]


def lsst_versions() -> dict[str, History]:
    """The history of each Rubin record type."""
    return _histories(lsst_folders())


def ztf_versions() -> dict[str, History]:
    """The history of each ZTF record type."""
    return _histories(ztf_folders())


def _histories(folders: list[Folder]) -> dict[str, History]:
    histories: dict[str, History] = {}
    for folder in folders:
        for name, text in folder.texts.items():
            needs = tuple(folder.texts[need] for need in folder.needed(name))
            histories.setdefault(folder.subject(name), []).append((text, needs))
    return histories


def _folder(path: Path, subject: Callable[[str], str]) -> Folder:
    """The schemas of a folder; none if one is not JSON."""
    texts: dict[str, str] = {}
    for file in sorted(path.glob("*.avsc")):
        text = file.read_text()
        try:
            value = json_text.read(text)
        except SchemaFault:
            return Folder({}, subject)
        assert isinstance(value, dict)
        texts[_full_name(value)] = text
    return Folder(texts, subject)


def _full_name(value: dict[str, object]) -> str:
    name, namespace = str(value["name"]), value.get("namespace")
    return f"{namespace}.{name}" if namespace and "." not in name else name


def _types_named(value: Any, namespace: str) -> Iterator[str]:
    """The full names that stand for types in a schema (a name is also anything that is not qualified)."""
    if isinstance(value, str):
        yield value if "." in value else f"{namespace}.{value}"
    elif isinstance(value, list):
        for branch in value:
            yield from _types_named(branch, namespace)
    else:
        for key in ("type", "items", "values"):
            if key in value:
                yield from _types_named(value[key], namespace)
        for field in value.get("fields", []):
            yield from _types_named(field["type"], namespace)


def arg_properties(schema: object) -> list[object]:
    """Every ``arg.properties`` in a schema, in an order that does not hang on that of the attributes."""
    if isinstance(schema, list):
        return [found for item in schema for found in arg_properties(item)]
    if not isinstance(schema, dict):
        return []
    inner = [found for key in sorted(schema) for found in arg_properties(schema[key])]
    return [schema["arg.properties"], *inner] if "arg.properties" in schema else inner
