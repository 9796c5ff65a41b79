"""Damaged messages and odd values through the native codec, beside the pure one; and columns, see `columns`.

    python -m tests.fuzz.codec --seconds 600 --sanitize

For each input both codecs must give the same value, the same bytes or the same fault, and no
other exception. With ``--sanitize`` the native codec is built again with AddressSanitizer and
run under it, in a process of its own; a crash or a report ends that process with an error.
Prints how many inputs there were. The seed is printed too: the same one gives the same inputs.
"""

import argparse
import json
import os
import pickle
import random
import resource
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections import UserDict
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import IntEnum
from pathlib import Path
from typing import Any
from uuid import UUID

from serde.codec import AvroSchema, Fault, native, parse_schema, pure
from serde.errors import InvalidSchema
from tests.fuzz.classes import ClassCase, is_object, odd_object
from tests.fuzz.columns import BATCH, Batch, damaged_buffers

ROOT = Path(__file__).resolve().parents[2]
NATIVE = ROOT / "serde" / "codec" / "native"
SANITIZE = ["-fsanitize=address", "-fno-omit-frame-pointer", "-g1", "-O1"]
MAX_MEGABYTES = 2000
SCHEMAS = 400


class Level(IntEnum):
    HIGH = 3


class Text(str):
    __slots__ = ()


class Case:
    """A pair of schemas, compiled by both codecs, and a value of the writer's."""

    def __init__(self, writer: Any, reader: Any, value: Any) -> None:
        self.writer, self.value = parse_schema(json.dumps(writer)), value
        self.reader: AvroSchema | None = None if reader is None else parse_schema(json.dumps(reader))
        self.encode = native.compile_encoder(self.writer), pure.compile_encoder(self.writer)
        self.decode = (
            native.compile_decoder(self.writer, self.reader),
            pure.compile_decoder(self.writer, self.reader),
        )
        self.body = self.encode[0](value)
        try:
            self.batch: Batch | None = Batch(self.writer, self.reader)
        except InvalidSchema:
            self.batch = None  # columns hold nothing that holds itself


def outcome(function: Any, *arguments: Any) -> tuple[str, Any]:
    """What a codec gave or said. Values are compared as text: NaN equals itself, and 1 is not 1.0."""
    try:
        return "gave", repr(function(*arguments))
    except Fault as fault:
        return "fault", str(fault)


def damaged(body: bytes, other: bytes, dice: random.Random) -> bytes:
    """`body` after one to four changes."""
    data = bytearray(body)
    for _ in range(dice.randint(1, 4)):
        at = dice.randint(0, len(data))
        match dice.randrange(8):
            case 0 if data:
                data[at % len(data)] ^= 1 << dice.randrange(8)
            case 1:
                data[at : at + 1] = dice.randbytes(dice.randint(0, 3))
            case 2:
                del data[at:]
            case 3:
                data[at:at] = dice.choice(NUMBERS)
            case 4:
                data[at : at + 1] = dice.choice(NUMBERS)
            case 5:
                end = dice.randint(at, len(data))
                data[at:at] = bytes(data[at:end]) * dice.randint(1, 3)
            case 6:
                data[at:] = other[dice.randint(0, len(other)) :]
            case _:
                data += dice.randbytes(dice.randint(1, 20))
    return bytes(data)


def odd(value: Any, dice: random.Random) -> Any:
    """`value` with one of its parts, or the whole, another thing."""
    if isinstance(value, dict) and value and dice.random() < 0.8:
        changed = dict(value)
        key = dice.choice(list(changed))
        match dice.randrange(8):
            case 0:
                del changed[key]
            case 1:
                changed[dice.choice(["-type", "extra", 1, Text(key)])] = dice.choice(ODDITIES)
            case 2:
                return UserDict(changed)
            case _:
                changed[key] = odd(changed[key], dice)
        return changed
    if isinstance(value, list | tuple) and value and dice.random() < 0.8:
        items = list(value)
        at = dice.randrange(len(items))
        items[at] = odd(items[at], dice)
        return dice.choice([list, list, tuple])(items) if isinstance(value, list) else tuple(items)
    if is_object(value) and dice.random() < 0.9:
        return odd_object(value, lambda inner: odd(inner, dice), dice)
    return dice.choice(ODDITIES)


def _itself() -> list[Any]:
    holder: list[Any] = []
    holder.append(holder)
    return holder


def _deep(levels: int) -> dict[str, Any]:
    value: Any = None
    for _ in range(levels):
        value = {"next": value}
    found: dict[str, Any] = value
    return found


NUMBERS = [
    more * length + last
    for more in (b"\x80", b"\xff")
    for length in (0, 1, 4, 7, 8, 9, 10)
    for last in (b"\x00", b"\x01", b"\x02", b"\x0f", b"\x7f")
]
ODDITIES: list[Any] = [
    *(None, True, 0, 1, -1, 1 << 31, 1 << 62, 1 << 63, -(1 << 63), 1 << 64, 10**40, 1.5, float("nan"), 1e300),
    *("", "x", "\ud800", "é" * 70, Text("sub"), b"", b"ab", bytearray(b"abc"), memoryview(b"abcd")),
    *([], [None], (), ("string", "x"), ("null", None), {}, {"a": 1}, UserDict(a=1), range(3), {1, 2}),
    *(Level.HIGH, 2 + 3j, object, Decimal("1.5"), Decimal("NaN"), Decimal("1E+30"), Decimal("-0.00")),
    *(UUID(int=0), UUID(int=(1 << 128) - 1), "00000000-0000-0000-0000-00000000000G", "{" + "0" * 32 + "}"),
    *(date.min, date.max, datetime.min, datetime.max, datetime(1969, 12, 31, 23, 59, 59, 999999, UTC)),
    datetime(2024, 1, 1, tzinfo=timezone(timedelta(hours=5))),
    *(_itself(), _deep(50), _deep(100)),
]
SPECIAL: list[tuple[Any, Any, Any]] = [
    (
        {"type": "record", "name": "N", "fields": [{"name": "next", "type": ["null", "N"]}]},
        None,
        _deep(20),
    ),
    ({"type": "array", "items": {"type": "array", "items": "null"}}, None, [[None] * 3, []]),
    ({"type": "map", "values": {"type": "map", "values": "string"}}, None, {"a": {"b": "c"}, "": {}}),
    (
        [
            {"type": "record", "name": n, "fields": [{"name": "x", "type": t}]}
            for n, t in (("A", "int"), ("B", "string"))
        ],
        None,
        {"x": "y"},
    ),
]


def run(cases: Sequence[tuple[Any, Any, Any]], seed: int, seconds: float) -> dict[str, int]:
    """Try inputs for so many seconds. Raises AssertionError at the first that the codecs differ on."""
    dice = random.Random(seed)
    compiled: list[Case | ClassCase] = [Case(*case) for case in cases]
    # A class is as much work as a tenth of them.
    compiled += [ClassCase(changed=n % 2 == 1) for n in range(1 + len(cases) // 20)]
    counts = {"messages": 0, "values": 0, "batched": 0, "rows": 0, "seed": seed}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        case, other = dice.choice(compiled), dice.choice(compiled)
        for _ in range(50):
            data = damaged(case.body, other.body, dice)
            found, wanted = (outcome(decode, data, 0) for decode in case.decode)
            assert found == wanted, (case.writer, case.reader, data, found, wanted)
        for _ in range(10):
            value = odd(case.value, dice)
            found, wanted = (outcome(encode, value) for encode in case.encode)
            assert found == wanted, (case.writer, value, found, wanted)
        if case.batch is not None and dice.random() < 0.3:
            messages = [bytes(5) + damaged(case.body, other.body, dice) for _ in range(BATCH)]
            sound = [bytes(5) + case.body] * BATCH
            case.batch.read([*messages, *sound[:2]])
            case.batch.write(damaged_buffers(case.batch.read(sound), dice))
            counts["batched"] += 2 * BATCH + 2
            counts["rows"] += BATCH
        counts["messages"] += 50
        counts["values"] += 10
    counts["rows left to pure"] = sum(case.batch.rare for case in compiled if case.batch is not None)
    counts["left to pure"] = native.left_to_pure()
    counts["megabytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    assert counts["megabytes"] < MAX_MEGABYTES, counts
    # What is nested very deep may be; what any other value is would be slow for want of a case.
    assert counts["left to pure"] <= counts["messages"] // 10_000, counts
    return counts


def generate(seed: int) -> list[tuple[Any, Any, Any]]:
    """Pairs of schemas with values, as the tests have them."""
    import hypothesis

    from tests.serde.generated import evolutions, schemas_with_many, schemas_with_values

    found: list[tuple[Any, Any, Any]] = []

    @hypothesis.seed(seed)
    @hypothesis.settings(max_examples=SCHEMAS // 2, database=None, deadline=None)
    @hypothesis.given(schemas_with_values(), evolutions(), schemas_with_many())
    def collect(
        plain: tuple[Any, Any, Any], evolution: tuple[Any, Any, Any, Any], many: tuple[Any, list[Any]]
    ) -> None:
        found.append((plain[0], None, plain[1]))
        found.extend((many[0], None, written) for written, _ in many[1][:1])
        found.append(evolution[:3])

    collect()
    return [*SPECIAL, *found]


def build_sanitized(folder: Path) -> None:
    """Compile the C that the install left beside the sources, and lay out a package of it in `folder`."""
    include = sysconfig.get_paths()["include"]
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    for path in (ROOT / "serde").rglob("*.py"):
        target = folder / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(path)
    for source in sources():
        target = folder / source.relative_to(ROOT).with_name(source.stem + suffix)
        subprocess.run(
            ["gcc", *SANITIZE, "-shared", "-fPIC", "-w", f"-I{include}", str(source), "-o", str(target)],
            check=True,
        )


def sources() -> list[Path]:
    return sorted(NATIVE.glob("*.c"))


def sanitized(seed: int, seconds: float) -> subprocess.CompletedProcess[str]:
    """`run` under AddressSanitizer, in another process; its last line is the counts."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        build_sanitized(folder)
        cases = folder / "cases.pickle"
        cases.write_bytes(pickle.dumps(generate(seed)))
        library = subprocess.check_output(["gcc", "-print-file-name=libasan.so"], text=True).strip()
        environment = {
            **os.environ,
            "LD_PRELOAD": str(Path(library).resolve()),
            "PYTHONMALLOC": "malloc",
            # Python frees little at its end, which is no leak. What is freed stays a while, to be found.
            "ASAN_OPTIONS": "detect_leaks=0:quarantine_size_mb=64:allocator_may_return_null=1",
            "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}",
        }
        return subprocess.run(
            [
                *(sys.executable, "-m", "tests.fuzz.codec", "--cases", str(cases)),
                *("--seed", str(seed), "--seconds", str(seconds)),
            ],
            env=environment,
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.codec")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--sanitize", action="store_true", help="under AddressSanitizer; takes gcc")
    parser.add_argument("--cases", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> int:
    arguments = _arguments(given)
    if arguments.sanitize:
        done = sanitized(arguments.seed, arguments.seconds)
        sys.stdout.write(done.stdout + done.stderr[-8000:])
        return done.returncode
    cases = pickle.loads(arguments.cases.read_bytes()) if arguments.cases else generate(arguments.seed)
    sys.stdout.write(json.dumps(run(cases, arguments.seed, arguments.seconds)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
