"""Avro schemas by chance: valid, changed a little, and broken ones. The same seed gives the same."""

import copy
import random
from typing import Any

PRIMITIVES = ("null", "boolean", "int", "long", "float", "double", "bytes", "string")
_NUMBERS = ("int", "long", "float", "double")
_SCALAR_DEFAULTS: dict[str, tuple[Any, ...]] = {
    "null": (None,),
    "boolean": (True, False),
    "int": (0, 1, -7, 2**31 - 1, -(2**31)),
    "long": (0, -1, 2**31, 2**63 - 1),
    "float": (0, 1.5, -2.25, 1e10, 1e-5, "NaN", "1.5"),
    "double": (0.0, 3, 1e7, 123456.789, 0.001, "-Infinity"),
    "bytes": ("", "\u00ff\u0001", "abc"),
    "string": ("", "x", 'a "quoted" \\ \u00e9 \u2028', "\u0007\n"),
}
_ATTRIBUTES: tuple[tuple[str, Any], ...] = (
    ("arg.properties", {"options": [1, 2.5, None], "range": {"min": 0}}),
    ("logicalType", "no-such-type"),
    ("x", "\u00e9"),
    ("y", [True, -0.0, 1e21]),
    ("order", "descending"),
    ("z", None),
)
_LOGICAL: dict[str, dict[str, Any]] = {
    "int": {"logicalType": "date"},
    "long": {"logicalType": "timestamp-millis"},
    "bytes": {"logicalType": "decimal", "precision": 9, "scale": 2},
    "string": {"logicalType": "uuid"},
}


class AvroGenerator:
    """A source of schemas, as JSON values."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self._names = 0
        self._defined: list[tuple[str, str]] = []  # full name, kind

    def schema(self) -> Any:
        """A schema that Java accepts, of any type at its top."""
        self._names = 0
        self._defined = []
        kind = self._pick(
            "record", "record", "record", "record", "union", "array", "map", "enum", "fixed", "int"
        )
        return self._of(kind, None, 0)

    def using(self) -> tuple[Any, Any]:
        """A record that defines types, and one that uses them by name, nested ones too."""
        self._names = 0
        self._defined = []
        defining = self._named("record", None, 0)
        namespace = self._pick(None, "a", "a.b", "other")
        names = [self._reference(namespace)[0] for _ in range(3)]
        fields = [
            {"name": f"u{index}", "type": self._pick(name, {"type": "array", "items": name})}
            for index, name in enumerate(names)
        ]
        using = {"type": "record", "name": "Using", "namespace": namespace or "", "fields": fields}
        return defining, using

    def changed(self, schema: Any) -> Any:
        """`schema` after one to three changes such as people make; it may be refused."""
        schema = copy.deepcopy(schema)
        for _ in range(self.random.randint(1, 3)):
            schema = self._change(schema)
        return schema

    def broken(self, schema: Any) -> Any:
        """`schema` with something deleted, doubled or overwritten at some place."""
        box = [copy.deepcopy(schema)]
        holder, key = self._pick(*_places(box))
        choice = self.random.random()
        if choice < 0.3 and isinstance(holder, dict):
            del holder[key]
        elif choice < 0.4 and isinstance(holder, list) and holder is not box:
            holder.append(copy.deepcopy(holder[key]))
        else:
            junk = (None, 3, 1.5, "", "nope", "a b", "9x", "int", "record", "\u00e9t\u00e9", "a..b", True, -1)
            holder[key] = self._pick(*junk, [], {}, ["null"], {"type": "int"}, 2**31, 2**40, "x.y")
        return box[0]

    def _pick(self, *choices: Any) -> Any:
        return self.random.choice(choices)

    def _chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def _type(self, namespace: str | None, depth: int) -> Any:
        if depth < 3 and self._chance(0.45):
            return self._of(self._pick("record", "enum", "fixed", "array", "map", "union"), namespace, depth)
        if self._defined and self._chance(0.25):
            return self._reference(namespace)[0]
        return self._primitive()

    def _primitive(self) -> Any:
        name = self._pick(*PRIMITIVES)
        if name in _LOGICAL and self._chance(0.2):
            return {"type": name, **_LOGICAL[name]}
        return self._attributes({"type": name}) if self._chance(0.15) else name

    def _reference(self, namespace: str | None) -> tuple[str, str]:
        full, kind = self._pick(*self._defined)
        space, _, simple = full.rpartition(".")
        return (simple if space and space == namespace and self._chance(0.7) else full), kind

    def _of(self, kind: str, namespace: str | None, depth: int) -> Any:
        match kind:
            case "record" | "enum" | "fixed":
                return self._named(kind, namespace, depth)
            case "array":
                return self._attributes({"type": "array", "items": self._type(namespace, depth + 1)})
            case "map":
                return self._attributes({"type": "map", "values": self._type(namespace, depth + 1)})
            case "union":
                return self._union(namespace, depth)
            case _:
                return self._primitive()

    def _union(self, namespace: str | None, depth: int) -> Any:
        branches: dict[str, Any] = {}
        for _ in range(self.random.randint(1, 4)):
            branch = self._type(namespace, depth + 1)
            if not isinstance(branch, list):
                branches.setdefault(_branch_name(branch, namespace), branch)
        if self._chance(0.6):
            branches = {"null": "null", **branches}
        return list(branches.values())

    def _named(self, kind: str, namespace: str | None, depth: int) -> dict[str, Any]:
        self._names += 1
        simple = f"{kind[0].upper()}{self._names}"
        own = self._pick(None, None, None, "a", "a.b", "")
        space = namespace if own is None else own or None
        named: dict[str, Any] = {"type": "error" if kind == "record" and self._chance(0.05) else kind}
        if own and self._chance(0.5):
            named["name"] = f"{own}.{simple}"
        else:
            named["name"] = simple
            if own is not None:
                named["namespace"] = own
        if self._chance(0.2):
            named["doc"] = self._pick("what it is", "", 'with "quotes"\n', "\u00e9\u4e16")
        full = f"{space}.{simple}" if space else simple
        self._defined.append((full, kind)) if kind != "record" or self._chance(0.3) else None
        match kind:
            case "record":
                named["fields"] = self._fields(space, depth)
            case "enum":
                symbols = self.random.sample(["A", "B", "C", "D", "_e"], self.random.randint(1, 4))
                named["symbols"] = symbols
                if self._chance(0.3):
                    named["default"] = self._pick(*symbols)
            case "fixed":
                named["size"] = self._pick(0, 1, 4, 16)
        if (full, kind) not in self._defined:
            self._defined.append((full, kind))
        if self._chance(0.15):
            named["aliases"] = self.random.sample([f"{kind[0].upper()}1", "a.Old", "Older", "b.c.Oldest"], 2)
        return self._shuffled(self._attributes(named))

    def _fields(self, namespace: str | None, depth: int) -> list[dict[str, Any]]:
        return [self._field(f"f{index}", namespace, depth) for index in range(self.random.randint(0, 5))]

    def _field(self, name: str, namespace: str | None, depth: int) -> dict[str, Any]:
        before = len(self._defined)
        type_ = self._type(namespace, depth + 1)
        field: dict[str, Any] = {"name": name, "type": type_}
        if self._chance(0.5) and len(self._defined) == before:
            default = self._default(type_)
            if default is not _NONE:
                field["default"] = default
        if self._chance(0.1):
            field["doc"] = "a field"
        if self._chance(0.1):
            field["order"] = self._pick("ascending", "descending", "ignore", "IGNORE")
        if self._chance(0.1):
            # Seldom the name of another field: a reader's field that fits two of the writer's is a fault.
            field["aliases"] = [self._pick("old", "older"), "f0" if self._chance(0.05) else "oldest"]
        return self._shuffled(self._attributes(field, without=("order",)))

    def _default(self, type_: Any) -> Any:
        if isinstance(type_, list):
            return self._default(self._pick(*type_)) if type_ else _NONE
        name = type_ if isinstance(type_, str) else type_["type"]
        if name in _SCALAR_DEFAULTS:
            return self._pick(*_SCALAR_DEFAULTS[name])
        if name == "array":
            item = self._default(type_["items"])
            return [] if item is _NONE or isinstance(item, str) or self._chance(0.5) else [item, item]
        return {} if name == "map" else _NONE

    def _attributes(self, value: dict[str, Any], without: tuple[str, ...] = ()) -> dict[str, Any]:
        if self._chance(0.1):
            for name, attribute in self.random.sample(_ATTRIBUTES, 2):
                if name not in without:
                    value.setdefault(name, copy.deepcopy(attribute))
        return value

    def _shuffled(self, value: dict[str, Any]) -> dict[str, Any]:
        """With the same members in another order, but for what has to be read first."""
        if self._chance(0.8):
            return value
        members = list(value.items())
        self.random.shuffle(members)
        return dict(members)

    def _change(self, schema: Any) -> Any:
        """One change: a field added, dropped, renamed or retyped, a symbol, a size, a name, a branch."""
        box = [schema]
        nodes = [(holder, key) for holder, key in _places(box) if isinstance(holder[key], dict | list)]
        if not nodes:
            return self._pick(*PRIMITIVES)
        holder, key = self._pick(*nodes)
        node = holder[key]
        if isinstance(node, list):
            if holder is box or (isinstance(holder, dict) and key in ("type", "items", "values")):
                self._change_union(node)
        elif "fields" in node and isinstance(node["fields"], list):
            self._change_record(node)
        elif "symbols" in node:
            self._change_enum(node)
        elif "size" in node:
            node["size"] = self._pick(1, 2, 4)
        elif isinstance(node.get("type"), str) and node["type"] in PRIMITIVES and "name" not in node:
            node["type"] = self._pick(*PRIMITIVES)
        elif "name" in node:
            self._change_field(node)
        return box[0]

    def _change_union(self, union: list[Any]) -> None:
        if union and self._chance(0.4):
            union.pop(self.random.randrange(len(union)))
        elif self._chance(0.5):
            self.random.shuffle(union)
        else:
            present = {_branch_name(branch, None) for branch in union}
            union.append(self._pick(*(name for name in PRIMITIVES if name not in present)))

    def _change_record(self, record: dict[str, Any]) -> None:
        fields = record["fields"]
        choice = self.random.random()
        if choice < 0.35:
            fields.insert(
                self.random.randint(0, len(fields)),
                self._field(f"g{self.random.randrange(1000)}", "never.used", 9),
            )
        elif choice < 0.6 and fields:
            fields.pop(self.random.randrange(len(fields)))
        elif choice < 0.7:
            self.random.shuffle(fields)
        elif choice < 0.8:
            old = str(record["name"])
            record["name"] = f"{old}x"
            if self._chance(0.5):
                record["aliases"] = [old]
        elif fields:
            self._change_field(self._pick(*fields))

    def _change_field(self, field: dict[str, Any]) -> None:
        choice = self.random.random()
        if choice < 0.2:
            field.pop("default", None)
        elif choice < 0.35:
            old, field["name"] = field["name"], "renamed"
            if self._chance(0.5):
                field["aliases"] = [old]
        elif field.get("type") in PRIMITIVES:
            field["type"] = self._pick(*_NUMBERS, "string", "bytes")
            field.pop("default", None)

    def _change_enum(self, enum: dict[str, Any]) -> None:
        symbols = enum["symbols"]
        if len(symbols) > 1 and self._chance(0.5):
            enum.pop("default", None)
            symbols.pop()
        else:
            symbols.append(f"N{self.random.randrange(100)}")


_NONE = object()


def _branch_name(branch: Any, namespace: str | None) -> str:
    if isinstance(branch, str):
        return (
            f"{namespace}.{branch}"
            if namespace and "." not in branch and branch not in PRIMITIVES
            else branch
        )
    name = branch.get("name")
    return str(branch["type"]) if name is None or branch["type"] in PRIMITIVES else str(name)


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) below `value`."""
    keys = value.keys() if isinstance(value, dict) else range(len(value))
    found = [(value, key) for key in keys]
    for key in keys:
        if isinstance(value[key], dict | list):
            found.extend(_places(value[key]))
    return found
