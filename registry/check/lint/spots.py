"""A schema's JSON taken apart: every type and field in it, with its place and what stands around it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

IGNORE = "fivebyte.ignore"
"""The attribute, or annotation, that names the rules which are not to be followed within its object."""

NAMED = frozenset({"record", "error", "enum", "fixed"})


@dataclass(frozen=True, slots=True)
class Spot:
    """A type or a field in a schema.

    kind: ``named``, ``type`` (another object), ``union``, ``name`` (a type that is only named) or ``field``.
    tokens: the JSON pointer to it. element: the way to it in names (``Order.lines[].sku``).
    namespace: the one in force within it. ignored: the rules that it, or something around it, ignores.
    """

    kind: str
    value: Any
    tokens: tuple[str, ...]
    element: str
    namespace: str
    ignored: frozenset[str]

    @property
    def is_root(self) -> bool:
        """Whether it is the whole schema, or a branch of a union that is."""
        return len(self.tokens) == 0 or (len(self.tokens) == 1 and self.kind == "named")

    def text(self, key: str) -> str | None:
        """The attribute `key`, if it is a string."""
        found = self.value.get(key)
        return found if isinstance(found, str) else None

    @property
    def aliases(self) -> Sequence[Any]:
        """The aliases as written."""
        found = self.value.get("aliases")
        return found if isinstance(found, list) else ()


def spots(value: Any) -> Iterator[Spot]:
    """The types and fields of a schema, each before what is in it. What is no schema is passed over."""
    # One frame of Python's stack a level or two: texts nest 256 levels deep at most.
    yield from _type(value, (), "", "", frozenset())


def _ignored(value: Mapping[str, Any], outer: frozenset[str]) -> frozenset[str]:
    names = value.get(IGNORE)
    given = [names] if isinstance(names, str) else names if isinstance(names, list) else []
    return outer.union(str(name) for name in given) if given else outer


def _type(
    value: Any, tokens: tuple[str, ...], element: str, namespace: str, ignored: frozenset[str]
) -> Iterator[Spot]:
    if isinstance(value, str):
        yield Spot("name", value, tokens, element, namespace, ignored)
    elif isinstance(value, list):
        yield Spot("union", value, tokens, element, namespace, ignored)
        for index, branch in enumerate(value):
            yield from _type(branch, (*tokens, str(index)), element, namespace, ignored)
    elif isinstance(value, dict):
        ignored = _ignored(value, ignored)
        if value.get("type") in ("record", "error", "enum", "fixed") and isinstance(value.get("name"), str):
            yield from _named(value, tokens, element, namespace, ignored)
            return
        yield Spot("type", value, tokens, element, namespace, ignored)
        for key, sign in (("items", "[]"), ("values", "{}")):
            if key in value:
                yield from _type(value[key], (*tokens, key), element + sign, namespace, ignored)


def _named(
    value: dict[str, Any], tokens: tuple[str, ...], element: str, namespace: str, ignored: frozenset[str]
) -> Iterator[Spot]:
    space, _, simple = value["name"].rpartition(".")
    own = value.get("namespace")
    space = space or (own if isinstance(own, str) else namespace)
    element = element or simple
    yield Spot("named", value, tokens, element, space, ignored)
    fields = value.get("fields")
    for index, field in enumerate(fields if isinstance(fields, list) else ()):
        if isinstance(field, dict):
            at = (*tokens, "fields", str(index))
            way = f"{element}.{field.get('name', '')}"
            within = _ignored(field, ignored)
            yield Spot("field", field, at, way, space, within)
            if "type" in field:
                yield from _type(field["type"], (*at, "type"), way, space, within)
