"""Linting one file: its faults as findings, and its text with what is safe put right."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from registry.check.findings import Finding, Place
from registry.check.lint.fault import NOTHING, Fault
from registry.check.lint.fixing import fixed
from registry.check.lint.naming import naming
from registry.check.lint.spots import spots
from registry.check.lint.types import types
from registry.languages.avro import json_text
from registry.languages.avro.attributes import excerpt
from registry.languages.avro.idl import IdlSchema, parse_idl
from registry.languages.avro.layout import Layout


@dataclass(frozen=True, slots=True)
class Linted:
    """What linting a file gave. text: the file's, with the fixes that were asked for."""

    findings: tuple[Finding, ...]
    text: str


def lint(file: str, text: str, rules: Collection[str], *, fix: bool = False) -> Linted:
    """Hold a file to the rules with these ids.

    file: its name in the findings; one that ends with ``.avdl`` is Avro IDL. fix: put right what is safe;
    the findings are those of the text after it. IDL is not edited.

    Raises SchemaFault with line and column for a text that is neither.
    """
    if file.endswith(".avdl"):
        return Linted(tuple(_lint_idl(file, text, rules)), text)
    if fix:
        text = fixed(text, [fault for fault, _ in faults(json_text.read(text), rules)])
    layout = Layout.of(text)
    found = []
    for fault, element in faults(json_text.read(text), rules):
        at = layout.root.find(fault.tokens).start
        place = Place(file, text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))
        found.append(_finding(fault, element, place))
    return Linted(tuple(found), text)


def faults(value: Any, rules: Collection[str]) -> Iterator[tuple[Fault, str]]:
    """The faults of a schema, each with the way in names to what has it."""
    for spot in spots(value):
        for judge in (types, naming):
            for fault in judge(spot):
                if fault.rule in rules and fault.rule not in spot.ignored:
                    yield fault, spot.element


def _lint_idl(file: str, text: str, rules: Collection[str]) -> Iterator[Finding]:
    parsed = parse_idl(text)
    schemas: Sequence[IdlSchema] = [parsed.definition(name) for name in parsed.names]
    for schema in schemas:
        for fault, element in faults(schema.value, rules):
            line, column = schema.at("".join(f"/{token}" for token in fault.tokens))
            yield _finding(fault, element, Place(file, line, column))


def _finding(fault: Fault, element: str, place: Place) -> Finding:
    return Finding(
        fault.rule,
        fault.message,
        place=place,
        path="".join(f"/{token}" for token in fault.tokens) or "/",
        element=element,
        now="" if fault.now is NOTHING else excerpt(fault.now),
        fix=fault.advice,
    )
