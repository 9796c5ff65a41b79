"""How long `fivebyte check` takes on a git repository of 1,000 schemas, from a cold start.

    npm install --prefix .cache/buf @bufbuild/buf
    python -m benchmarks.check [--rounds 5]

Each is a process of its own. In turns: Python alone, the command line's own start,
a check where nothing, one file, or every file has changed, and, beside them, what
`buf breaking` takes on as many Protobuf files of the same fields, one or all of them
changed; without it, its rows are left out. All changes are harmless, so both
have to look at everything. Every schema uses a type of another file, and has
twenty fields; they are in twenty folders.
"""

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.support.needs import ROOT
from tests.support.repository import GitRepository

SCHEMAS, FOLDERS, FIELDS = 1000, 20, 20
BUF = ROOT / ".cache" / "buf" / "node_modules" / ".bin" / "buf"
RESULTS = ROOT / "benchmarks" / "results" / "check.txt"


def avro(number: int, *, added: bool) -> str:
    """A schema; `added` with an optional field more."""
    fields = [
        {
            "name": f"field{index}",
            "type": ["null", "string"] if index % 2 else "long",
            **({"default": None} if index % 2 else {}),
        }
        for index in range(FIELDS)
    ]
    fields.append({"name": "total", "type": "shared.Money"})
    if added:
        fields.append({"name": "added", "type": ["null", "long"], "default": None})
    namespace = f"service{number % FOLDERS}"
    return json.dumps(
        {"type": "record", "name": f"Topic{number}", "namespace": namespace, "fields": fields}, indent=2
    )


MONEY = json.dumps(
    {"type": "record", "name": "Money", "namespace": "shared", "fields": [{"name": "cents", "type": "long"}]}
)


def proto(number: int, *, added: bool) -> str:
    """The same as a message."""
    fields = [
        f"  {'optional string' if index % 2 else 'int64'} field{index} = {index + 1};"
        for index in range(FIELDS)
    ]
    fields.append(f"  shared.Money total = {FIELDS + 1};")
    if added:
        fields.append(f"  optional int64 added = {FIELDS + 2};")
    head = f'syntax = "proto3";\npackage service{number % FOLDERS};\nimport "shared/money.proto";\n'
    return head + f"message Topic{number} {{\n" + "\n".join(fields) + "\n}\n"


def write(repository: GitRepository, make: Callable[..., str], suffix: str, changed: int) -> None:
    """The schemas, of which the first `changed` have changed."""
    repository.write(
        {
            f"service{number % FOLDERS}/topic{number}.{suffix}": make(number, added=number < changed)
            for number in range(SCHEMAS)
        }
    )


def seconds(command: list[str], folder: Path) -> tuple[float, float]:
    """Of a run of the command, which must succeed: by the clock, and of CPU in all its processes."""
    begin, used = time.perf_counter(), cpu()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (command, done.stdout[-500:], done.stderr[-500:])
    return time.perf_counter() - begin, cpu() - used


def cpu() -> float:
    """Seconds of CPU that the processes have used which have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    """Run all and keep the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    fivebyte = str(Path(sys.executable).parent / "fivebyte")
    with tempfile.TemporaryDirectory(prefix="fivebyte-check-") as folder:
        schemas = GitRepository(Path(folder) / "avro")
        write(schemas, avro, "avsc", 0)
        schemas.commit({"shared/money.avsc": MONEY})
        messages = GitRepository(Path(folder) / "protobuf")
        write(messages, proto, "proto", 0)
        messages.commit(
            {
                "buf.yaml": "version: v2\n",
                "shared/money.proto": 'syntax = "proto3";\npackage shared;\n'
                "message Money {\n  int64 cents = 1;\n}\n",
            }
        )
        taken: dict[str, list[tuple[float, float]]] = {}

        def measure(name: str, command: list[str], where: Path) -> None:
            taken.setdefault(name, []).append(seconds(command, where))

        for _ in range(rounds):
            measure("python -c pass", [sys.executable, "-c", "pass"], schemas.folder)
            measure("fivebyte --version", [fivebyte, "--version"], schemas.folder)
            for changed, name in ((0, "nothing"), (1, "one"), (SCHEMAS, "all")):
                write(schemas, avro, "avsc", changed)
                measure(f"fivebyte check, {name} changed", [fivebyte, "check"], schemas.folder)
                if BUF.exists() and changed:
                    write(messages, proto, "proto", changed)
                    against = ["--against", ".git#branch=main"]
                    measure(
                        f"buf breaking, {name} changed", [str(BUF), "breaking", *against], messages.folder
                    )
    median = {
        name: [statistics.median(one) for one in zip(*runs, strict=True)] for name, runs in taken.items()
    }
    load = f"load average {os.getloadavg()[0]:.1f}"
    lines = [
        f"{SCHEMAS} schemas of {FIELDS + 1} fields in a git repository, {rounds} rounds",
        f"{os.cpu_count()} cores, {load}; {platform.system()}, Python {platform.python_version()}",
        "",
        f"{'seconds from a cold start':32} {'median':>7} {'best':>7} {'CPU':>7}",
    ]
    for name, (clock, used) in median.items():
        best = min(run[0] for run in taken[name])
        lines.append(f"{name:32} {clock:7.2f} {best:7.2f} {used:7.2f}")
    for name in ("one", "all"):
        if f"buf breaking, {name} changed" in median:
            ours, theirs = (
                median[f"{tool}, {name} changed"][0] for tool in ("fivebyte check", "buf breaking")
            )
            lines.append(f"buf / fivebyte, {name} changed: {theirs / ours:.1f}")
    text = "\n".join(lines)
    print(text)
    RESULTS.write_text(f"{text}\n")


if __name__ == "__main__":
    main()
