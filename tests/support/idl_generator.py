"""Avro IDL files made up at random: valid ones, and such with a token too few, too many or elsewhere."""

import json
import random
import re

_TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*\n|"(?:[^"\\]|\\.)*"|[\w.`+-]+|\S', re.DOTALL)
_KEYWORDS = ("record", "error", "date", "schema", "idl", "void", "null", "true", "throws", "decimal", "map")


class IdlGenerator:
    """The same files for the same `seed`."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._names: list[str] = []
        self._count = 0

    def file(self) -> str:
        """A valid file; its types may be used before they are defined, and use each other in circles."""
        pick = self._random
        self._names = [f"T{number}" for number in range(pick.randint(1, 5))]
        self._kinds = {
            name: pick.choice(["record", "record", "error", "enum", "fixed"]) for name in self._names
        }
        declarations = [self._declaration(name) for name in self._names]
        pick.shuffle(declarations)
        if pick.random() < 0.5:
            head = pick.choice(["", "namespace com.acme;", "/** of all */ namespace com;"])
            main = pick.choice(["", f"schema {self._type(1)}{pick.choice(['', '?'])};"])
            main = main.replace(">?", ">").replace("}?", "}")
            return f"{head}\n{main}\n{self._joined(declarations)}"
        head = pick.choice(["", '@namespace("com.acme") ', '/** P */ @x(1) @namespace("com") '])
        messages = [f"{self._type(1)} m{number}({self._field('a')});" for number in range(pick.randint(0, 1))]
        name = pick.choice(["P", "org.P", "`error`"])
        return f"{head}protocol {name} {{{self._joined(declarations + messages)}}}"

    def broken(self, text: str) -> str:
        """The file with one token left out, repeated, or put in another's place."""
        tokens = _TOKEN.findall(text)
        at = self._random.randrange(len(tokens))
        tokens[at : at + 1] = self._random.choice([[], [tokens[at]] * 2, [self._random.choice(tokens)]])
        return "\n".join(tokens)

    def _joined(self, parts: list[str]) -> str:
        return self._random.choice([" ", "\n", "\r\n  "]).join(["", *parts, ""])

    def _declaration(self, name: str) -> str:
        pick, kind = self._random, self._kinds[name]
        annotations = self._doc() + self._annotations(
            ['@aliases(["Old", "x.Older"])', '@p({"a": [1, 2.5, null]})']
        )
        match kind:
            case "enum":
                symbols = [f"{self._doc()}S{number}" for number in range(pick.randint(1, 4))]
                default = pick.choice(["", "", " = S0;"])
                return f"{annotations}enum {name} {{ {', '.join(symbols)} }}{default}"
            case "fixed":
                logical = self._annotations(['@logicalType("decimal") @precision(3)'])
                return f"{annotations}{logical}fixed {name}({pick.choice(['8', '0x10', '014'])});"
        fields = [f"{self._doc()}{self._field(f'f{number}')};" for number in range(pick.randint(0, 5))]
        return f"{annotations}{kind} {name} {{{self._joined(fields)}}}"

    def _field(self, name: str) -> str:
        pick = self._random
        if pick.random() < 0.1:
            name = pick.choice(_KEYWORDS) if pick.random() < 0.5 else f"`{pick.choice(_KEYWORDS)}`"
            name = f"{name}_{self._count}" if "`" not in name and pick.random() < 0.3 else name
        annotations = self._annotations(['@order("Ignore")', '@aliases(["old"])', '@q("x")', "@r(null)"])
        simple, default = pick.choice(
            [
                ("int", pick.choice(["5", "-0x1F", "017", "0"])),
                ("long", "10L"),
                ("double", pick.choice(["1.5e3", ".5", "NaN", "-Infinity", "0x1.8p1", "1f", "3"])),
                ("boolean", "true"),
                (
                    "string",
                    json.dumps(
                        pick.choice(["", "a\nb", 'q"', "é😀\u0007"]), ensure_ascii=pick.random() < 0.5
                    ),
                ),
                ("bytes", '"\\377\\0"'),
                ("date", "1"),
                ("timestamp_ms", "0"),
                ("uuid", '"x"'),
                ("decimal(9, 2)", '"\\1"'),
                ("decimal(4)", None),
            ]
        )
        match pick.randrange(6):
            case 0 if default is not None:
                return f"{self._typed(simple)} {annotations}{name} = {default}"
            case 1:
                default = (
                    "2.5" if simple == "double" else default
                )  # NaN is none for a union: JSON has no word
                mark = "" if default is None else f" = {pick.choice(['null', default])}"
                return f"{self._typed(simple)}? {annotations}{name}{mark}"
            case 2:
                return f"array<{self._type(1)}> {annotations}{name} = []"
            case 3:
                return f"map<{self._type(1)}> {name}, {self._doc()}{annotations}{name}_ = {{}}"
        return f"{self._type(2)} {annotations}{name}"

    def _typed(self, simple: str) -> str:
        return self._annotations(['@java-class("j.C")', "@avro.x([true])"]) + simple

    def _type(self, depth: int) -> str:
        pick = self._random
        kind = pick.randrange(6 if depth else 3)
        if kind == 0:
            return pick.choice([*self._names, *(f"`{name}`" for name in self._names)])
        if kind < 3:
            return self._typed(
                pick.choice(["int", "string", "null", "bytes", "time_ms", "local_timestamp_ms"])
            )
        if kind == 3:
            return f"array<{self._type(depth - 1)}>"
        if kind == 4:
            return f"map<{self._type(depth - 1)}>"
        branches = pick.sample(["null", "string", "date", "array<int>", *self._names], pick.randint(1, 3))
        return f"union {{ {', '.join(branches)} }}"

    def _annotations(self, choices: list[str]) -> str:
        return "".join(f"{choice} " for choice in choices if self._random.random() < 0.15)

    def _doc(self) -> str:
        self._count += 1
        return self._random.choice(
            [
                *[""] * 6,
                f"/** doc {self._count} */ ",
                f"/**\n   * doc {self._count}\n   *   more\n   */\n",
                f"/** doc {self._count}\n      more\n        and\n    more */",
                "/***starred\n ** twice */",
                "/* none */ // at all\n",
                "/** lost */ /* x */ /** kept */\n",
            ]
        )
