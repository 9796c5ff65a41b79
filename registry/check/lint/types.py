"""The linter's rules for types: defaults, logical types, unions, attributes."""

import difflib
import math
from collections.abc import Iterator, Mapping
from typing import Any

from registry.check.lint.catalogue import LINT
from registry.check.lint.fault import Fault, Fix
from registry.check.lint.spots import IGNORE, Spot
from registry.languages.avro.schema import PRIMITIVES

_BACKING: Mapping[str, tuple[str, ...]] = {
    "date": ("int",),
    "time-millis": ("int",),
    "time-micros": ("long",),
    "timestamp-millis": ("long",),
    "timestamp-micros": ("long",),
    "timestamp-nanos": ("long",),
    "local-timestamp-millis": ("long",),
    "local-timestamp-micros": ("long",),
    "local-timestamp-nanos": ("long",),
    "uuid": ("string", "fixed"),
    "duration": ("fixed",),
    "decimal": ("bytes", "fixed"),
    "big-decimal": ("bytes",),
}
"""Avro's logical types, and the types each may stand on."""

_SIZES = {"uuid": 16, "duration": 12}
_TIMES = ("_at", "At", "timestamp", "Timestamp", "_time", "Time", "_date", "Date")
_IDS = frozenset(rule.id for rule in LINT)

_OF_A_TYPE = {
    "record": ("fields", "doc", "aliases", "name", "namespace"),
    "error": ("fields", "doc", "aliases", "name", "namespace"),
    "enum": ("symbols", "default", "doc", "aliases", "name", "namespace"),
    "fixed": ("size", "doc", "aliases", "name", "namespace"),
    "array": ("items",),
    "map": ("values",),
}
_OF_A_FIELD = ("name", "type", "doc", "default", "order", "aliases")
_AVROS = frozenset({*_OF_A_FIELD, *(name for names in _OF_A_TYPE.values() for name in names), "logicalType"})


def types(spot: Spot) -> Iterator[Fault]:
    """What is to be said of a type, or of a field's type and default."""
    if spot.kind == "field":
        yield from _field(spot)
    if spot.kind == "union" and spot.tokens:  # a whole file may be a list of types
        others = [one for one in spot.value if one != "null"]
        if len(others) > 1:
            yield Fault(
                "UNION_OF_MANY",
                spot.tokens,
                f"{spot.element} is a union of {len(others)} types",
                "use one type, or a record with an optional field for each",
                spot.value,
            )
    if isinstance(spot.value, dict):
        yield from _attributes(spot)
        if spot.kind != "field":
            yield from _logical(spot)


def _field(spot: Spot) -> Iterator[Fault]:
    type_, name = spot.value.get("type"), spot.value.get("name")
    has_default = "default" in spot.value
    if isinstance(type_, list) and len(type_) > 1 and "null" in type_:
        if type_[0] == "null" and not has_default:
            yield Fault(
                "OPTIONAL_WITHOUT_DEFAULT",
                spot.tokens,
                f"the optional field {name} has no default",
                'add "default": null',
                fix=Fix(spot.tokens, "default", None),
            )
        elif type_[0] != "null" and not has_default:
            yield Fault(
                "NULL_NOT_FIRST",
                (*spot.tokens, "type"),
                f"the field {name} takes null, and cannot default to it: null is not the first of its types",
                'put "null" first and add "default": null',
                type_,
            )
    elif not has_default:
        yield Fault(
            "FIELD_WITHOUT_DEFAULT", spot.tokens, f"the field {name} has no default", 'add "default": ...'
        )
    if isinstance(type_, list) and type_ and has_default and not _may_be(type_[0], spot.value["default"]):
        yield Fault(
            "DEFAULT_NOT_OF_FIRST_BRANCH",
            (*spot.tokens, "default"),
            f"the default of {name} is not of the first type of its union",
            "put the type of the default first",
            spot.value["default"],
        )
    if "logicalType" in spot.value:
        yield Fault(
            "LOGICAL_TYPE_ON_FIELD",
            (*spot.tokens, "logicalType"),
            f"the logical type of {name} stands beside its type and means nothing there",
            "move it into the type",
            spot.value["logicalType"],
        )
    elif isinstance(name, str) and name.endswith(_TIMES):
        bare = [one for one in (type_ if isinstance(type_, list) else [type_]) if one != "null"]
        if bare and all(one in ("int", "long", "string", "double", "float") for one in bare):
            yield Fault(
                "LOGICAL_TYPE_MISSING",
                (*spot.tokens, "type"),
                f"the field {name} is named as a time, and is a bare {bare[0]}",
                'such as {"type": "long", "logicalType": "timestamp-millis"}',
                type_,
            )


def _may_be(type_: Any, default: Any) -> bool:
    """Whether a default can be of a type, as far as the kind of its JSON tells. A name may be anything."""
    kind = type_.get("type") if isinstance(type_, dict) else type_
    match kind:
        case "null":
            return default is None
        case "boolean":
            return isinstance(default, bool)
        case "int" | "long":
            return isinstance(default, int) and not isinstance(default, bool)
        case "float" | "double":
            return isinstance(default, int | float) and not isinstance(default, bool)
        case "string" | "bytes" | "enum" | "fixed":
            return isinstance(default, str)
        case "array":
            return isinstance(default, list)
        case "map" | "record" | "error":
            return isinstance(default, dict)
    return True


def _logical(spot: Spot) -> Iterator[Fault]:
    name = spot.value.get("logicalType")
    if name is None:
        return
    tokens = (*spot.tokens, "logicalType")
    if not isinstance(name, str) or name not in _BACKING:
        near = difflib.get_close_matches(str(name).lower().replace("_", "-"), _BACKING, n=1)
        yield Fault(
            "LOGICAL_TYPE_UNKNOWN",
            tokens,
            f"Avro knows no logical type {name}, and ignores it",
            f'did you mean "{near[0]}"?' if near else "use one of Avro's",
            name,
        )
        return
    wrong = _misfit(name, spot.value)
    if wrong is not None:
        yield Fault("LOGICAL_TYPE_INVALID", tokens, f"{wrong}, and it is ignored", "", name)


def _misfit(name: str, value: Mapping[str, Any]) -> str | None:
    """Why the logical type does not fit the type that it is on; None where it does."""
    type_, size = value.get("type"), value.get("size")
    if type_ not in _BACKING[name]:
        return f"{name} stands on {' or '.join(_BACKING[name])}, not on {type_}"
    if type_ == "fixed" and name in _SIZES and size != _SIZES[name]:
        return f"{name} on a fixed has {_SIZES[name]} bytes, not {size}"
    if name != "decimal":
        return None
    precision, scale = value.get("precision"), value.get("scale", 0)
    if not isinstance(precision, int) or isinstance(precision, bool) or precision < 1:
        return "a decimal has a precision, a positive integer"
    if not isinstance(scale, int) or isinstance(scale, bool) or not 0 <= scale <= precision:
        return f"the scale of a decimal is an integer from 0 to its precision, {precision}"
    if type_ == "fixed" and isinstance(size, int) and size > 0:
        most = math.floor(math.log10(2) * (8 * size - 1))
        if precision > most:
            return f"a decimal on {size} bytes holds {most} digits, not {precision}"
    return None


def _attributes(spot: Spot) -> Iterator[Fault]:
    type_ = spot.value.get("type")
    if spot.kind == "field":
        known: tuple[str, ...] = _OF_A_FIELD
        what = f"the field {spot.value.get('name', '')}"
    elif isinstance(type_, str) and type_ not in PRIMITIVES and type_ not in _OF_A_TYPE:
        for name in spot.value:
            if name != "type" and name != IGNORE:
                yield Fault(
                    "ATTRIBUTE_IGNORED",
                    (*spot.tokens, name),
                    f"{name} stands beside the name of the type {type_}, and is lost",
                    "put it where the type is defined, or remove it",
                    spot.value[name],
                )
        return
    else:
        known = ("type", "logicalType", *_OF_A_TYPE.get(str(type_), ()))
        what = f"the {type_} {spot.value.get('name', '')}".rstrip()
    if spot.value.get("logicalType") == "decimal":
        known += ("precision", "scale")
    for name in spot.value:
        if name in known or name == IGNORE:
            continue
        near = difflib.get_close_matches(
            name.lower().replace("_", ""), [one.lower() for one in known], 1, 0.8
        )
        if name in _AVROS and name != "logicalType":
            yield Fault(
                "ATTRIBUTE_IGNORED",
                (*spot.tokens, name),
                f"{name} means nothing to {what}",
                "move it to where it means something, or remove it",
                spot.value[name],
            )
        elif near and name not in _AVROS:
            meant = next(one for one in known if one.lower() == near[0])
            yield Fault(
                "ATTRIBUTE_MISSPELT",
                (*spot.tokens, name),
                f"{what} has an attribute {name}, which means nothing to Avro",
                f'did you mean "{meant}"?',
                spot.value[name],
            )
    given = spot.value.get(IGNORE, [])
    for name in [given] if isinstance(given, str) else given if isinstance(given, list) else [given]:
        if name not in _IDS:
            near = difflib.get_close_matches(str(name).upper(), _IDS, n=1)
            yield Fault(
                "IGNORE_UNKNOWN",
                (*spot.tokens, IGNORE),
                f"{IGNORE} names {name}, which is no rule of the linter",
                f'did you mean "{near[0]}"?' if near else "`fivebyte explain` lists the rules",
                given,
            )
