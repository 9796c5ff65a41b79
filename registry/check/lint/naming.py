"""The linter's rules for names and documentation."""

import re
from collections.abc import Iterator

from registry.check.lint.fault import Fault, Fix
from registry.check.lint.spots import Spot

_PASCAL = re.compile(r"_*[A-Z][A-Za-z0-9]*")
_SNAKE = re.compile(r"_*[a-z][a-z0-9]*(_[a-z0-9]+)*_*")
_CAMEL = re.compile(r"_*[a-z][A-Za-z0-9]*")
_UPPER = re.compile(r"[A-Z0-9_]+")
_NAMESPACE = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)*")
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


def naming(spot: Spot) -> Iterator[Fault]:
    """What is to be said of the names and docs of a type or a field."""
    if spot.kind == "named":
        yield from _type(spot)
        yield from _aliases(spot)
        yield from _doc(spot, "TYPE_WITHOUT_DOC")
    elif spot.kind == "field":
        yield from _field(spot)
        yield from _aliases(spot)
        yield from _doc(spot, "FIELD_WITHOUT_DOC")


def _type(spot: Spot) -> Iterator[Fault]:
    simple = str(spot.text("name")).rpartition(".")[2]
    if not _PASCAL.fullmatch(simple):
        better = "".join(word[0].upper() + word[1:] for word in _words(simple))
        yield Fault(
            "TYPE_NAME_CASE",
            (*spot.tokens, "name"),
            f"the {spot.value['type']} {simple} is not in PascalCase",
            f'such as "{better}"' if better else "",
            spot.value["name"],
        )
    if not spot.namespace and spot.is_root:
        yield Fault(
            "NAMESPACE_MISSING",
            (*spot.tokens, "name"),
            f"the {spot.value['type']} {simple} has no namespace",
            'add "namespace": "..."',
        )
    elif spot.namespace and not _NAMESPACE.fullmatch(spot.namespace):
        key = "namespace" if "namespace" in spot.value else "name"
        if key in spot.value and (key == "namespace" or "." in spot.value["name"]):
            yield Fault(
                "NAMESPACE_CASE",
                (*spot.tokens, key),
                f"the namespace {spot.namespace} is not in lower case",
                f'such as "{spot.namespace.lower()}"',
                spot.namespace,
            )
    if spot.value["type"] == "enum":
        yield from _symbols(spot, simple)
    else:
        yield from _fields(spot, simple)


def _symbols(spot: Spot, name: str) -> Iterator[Fault]:
    found = spot.value.get("symbols")
    symbols = [one if isinstance(one, str) else "" for one in found] if isinstance(found, list) else []
    for index, symbol in enumerate(symbols):
        if not _UPPER.fullmatch(symbol):
            yield Fault(
                "SYMBOL_CASE",
                (*spot.tokens, "symbols", str(index)),
                f"the symbol {symbol} of {name} is not in UPPER_CASE",
                f'such as "{_joined(symbol).upper()}"',
                symbol,
            )
    yield from _alike(spot, "symbols", symbols, "symbols", ())
    if not isinstance(spot.value.get("default"), str):
        yield Fault(
            "ENUM_WITHOUT_DEFAULT",
            spot.tokens,
            f"the enum {name} has no default: no symbol can be added without breaking older readers",
            'add "default": "..." with one of its symbols',
        )


def _fields(spot: Spot, name: str) -> Iterator[Fault]:
    found = spot.value.get("fields")
    fields = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    names = [str(one.get("name", "")) for one in fields]
    yield from _alike(spot, "fields", names, "fields", ("name",))
    snake = [one for one in names if "_" in one.strip("_") and _SNAKE.fullmatch(one)]
    camel = [one for one in names if _CAMEL.fullmatch(one) and not one.islower() and "_" not in one]
    if snake and camel:
        index = names.index((camel if len(camel) <= len(snake) else snake)[0])
        yield Fault(
            "FIELD_NAMES_MIXED",
            (*spot.tokens, "fields", str(index), "name"),
            f"{name} has fields in snake_case ({snake[0]}) and in camelCase ({camel[0]})",
            f"use {'snake_case' if len(camel) <= len(snake) else 'camelCase'}, as most of them do",
            names[index],
        )


def _alike(spot: Spot, key: str, names: list[str], what: str, within: tuple[str, ...]) -> Iterator[Fault]:
    first: dict[str, str] = {}
    for index, name in enumerate(names):
        before = first.setdefault(name.replace("_", "").lower(), name)
        if before != name:
            yield Fault(
                "NAMES_DIFFER_BY_CASE",
                (*spot.tokens, key, str(index), *within),
                f"the {what} {before} and {name} differ only by case or underscores",
                "rename one of them",
                name,
            )


def _field(spot: Spot) -> Iterator[Fault]:
    name = spot.text("name")
    if name and not _SNAKE.fullmatch(name) and not _CAMEL.fullmatch(name):
        yield Fault(
            "FIELD_NAME_CASE",
            (*spot.tokens, "name"),
            f"the field {name} is neither in snake_case nor in camelCase",
            f'such as "{_joined(name).lower()}"',
            name,
        )


def _aliases(spot: Spot) -> Iterator[Fault]:
    own = spot.value.get("name")
    kept = [one for one in dict.fromkeys(map(str, spot.aliases)) if one != own]
    if len(kept) < len(spot.aliases):
        tokens = (*spot.tokens, "aliases")
        yield Fault(
            "ALIAS_REDUNDANT",
            tokens,
            f"{own} has an alias that is its name, or is there twice",
            f'write "aliases": {kept}'.replace("'", '"'),
            spot.value["aliases"],
            Fix(tokens, None, kept),
        )


def _doc(spot: Spot, missing: str) -> Iterator[Fault]:
    doc = spot.text("doc")
    what = f"{'field' if spot.kind == 'field' else spot.value['type']} {spot.value.get('name', '')}"
    if doc is None or not doc.strip():
        yield Fault(missing, spot.tokens, f"the {what} has no doc", 'add "doc": "..."')
    if doc is not None and (doc != doc.strip() or not doc):
        tokens = (*spot.tokens, "doc")
        tidy = doc.strip()
        yield Fault(
            "DOC_UNTIDY",
            tokens,
            f"the doc of the {what} " + ("has white space around it" if tidy else "is empty"),
            "remove the white space" if tidy else "write one, or remove it",
            doc,
            Fix(tokens, None, tidy) if tidy else None,
        )


def _words(name: str) -> list[str]:
    return _WORDS.findall(name)


def _joined(name: str) -> str:
    return "_".join(_words(name)) or name
