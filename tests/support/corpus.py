"""The corpus of real schemas, read: each record type's history, with what each version refers to."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from registry.languages.avro import json_text
from registry.languages.language import SchemaFault
from tests.support.needs import need_corpus

History = list[tuple[str, tuple[str, ...]]]
"""Versions, oldest first: the schema's text and the texts it needs, in dependency order."""


def lsst_versions() -> dict[str, History]:
    """The Rubin alert schemas, by record type (``lsst.alert``); versions in order of their numbers."""
    root = need_corpus() / "lsst"
    folders = sorted(root.glob("*/*"), key=lambda path: (int(path.parent.name), int(path.name)))
    histories: dict[str, History] = {}
    for folder in folders:
        for name, version in _resolved(folder).items():
            # lsst.v7_4.diaSource: the version is in the namespace, the record type is what stays
            histories.setdefault(f"lsst.{name.rpartition('.')[2]}", []).append(version)
    return histories


def ztf_versions() -> dict[str, History]:
    """The ZTF alert schemas, by full name; versions that are not JSON as published are left out."""
    root = need_corpus() / "ztf"
    folders = sorted(
        (path for path in root.iterdir() if path.name[0].isdigit()),
        key=lambda path: int(path.name.partition("-")[0]),
    )
    histories: dict[str, History] = {}
    for folder in folders:
        for name, version in _resolved(folder).items():
            histories.setdefault(name, []).append(version)
    return histories


def _resolved(folder: Path) -> dict[str, tuple[str, tuple[str, ...]]]:
    """The schemas of a folder by full name, each with the texts it needs; none if one is not JSON."""
    texts: dict[str, str] = {}
    for path in sorted(folder.glob("*.avsc")):
        text = path.read_text()
        try:
            value = json_text.read(text)
        except SchemaFault:
            return {}
        assert isinstance(value, dict)
        texts[_full_name(value)] = text
    return {name: (text, tuple(texts[need] for need in needed(name, texts))) for name, text in texts.items()}


def needed(name: str, texts: dict[str, str]) -> list[str]:
    """The names that the schema `name` needs, directly or not, each after what it needs itself."""
    order: list[str] = []
    for other in direct_references(name, texts):
        order.extend(found for found in [*needed(other, texts), other] if found not in order)
    return order


def direct_references(name: str, texts: dict[str, str]) -> list[str]:
    """Which of the other schemas in `texts` the schema `name` names itself."""
    value = json.loads(texts[name])
    used = set(_types_named(value, str(value.get("namespace") or name.rpartition(".")[0])))
    return [other for other in texts if other in used and other != name]


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
