"""A transitive check of a schema of 50 fields against 1,000 versions, over HTTP.

    python -m benchmarks.registry.transitive [--rounds 5]

Each round starts a server on the log. The first check is cold: all versions are
parsed for it. Warm are those after it: of schemas that were not seen before
(the versions are parsed, the pairs are not compared) and of one that was.
Each version differs from the others in one field, and all get on.
"""

import argparse
import statistics
import tempfile
from pathlib import Path

from benchmarks.registry.support import Client, Target, machine, record, save
from registry.model import SchemaContent
from registry.records import SchemaRecord
from registry.store import Entry, SQLiteStore
from tests.support.server import running_registry

VERSIONS = 1000
FIELDS = 50
LEVELS = ("BACKWARD_TRANSITIVE", "FULL_TRANSITIVE")
_PATH = "/compatibility/subjects/orders/versions"


def write_log(path: Path) -> None:
    """A subject of many versions."""
    store = SQLiteStore(path)
    records = [
        SchemaRecord("orders", n, n, SchemaContent("AVRO", record(FIELDS, last=f"last_{n}"))).to_log()
        for n in range(1, VERSIONS + 1)
    ]
    store.extend([Entry(n, 1_700_000_000_000, (each,)) for n, each in enumerate(records, 1)])
    store.close()


def check(client: Client, number: int) -> float:
    """The seconds that a check of the schema `number` takes."""
    return client.timed("POST", _PATH, {"schema": record(FIELDS, last=f"new_{number}")})


def measure(log: Path, level: str) -> tuple[float, float, float]:
    """Seconds for the cold check, for one of a schema not seen before, and of one that was."""
    with (
        running_registry(f"sqlite:///{log}", compatibility=level) as registry,
        Client(registry.port) as client,
    ):
        cold = check(client, 0)
        return cold, min(check(client, n) for n in range(1, 6)), min(check(client, 0) for _ in range(5))


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    about = machine()
    with tempfile.TemporaryDirectory(prefix="fivebyte-bench-") as folder:
        log = Path(folder) / "registry.db"
        write_log(log)
        found: dict[str, list[tuple[float, float, float]]] = {level: [] for level in LEVELS}
        for _ in range(rounds):
            for level in LEVELS:
                found[level].append(measure(log, level))
    size = len(record(FIELDS))
    lines = [
        about,
        f"{VERSIONS} versions of {FIELDS} fields, {size} bytes each; median of {rounds} servers",
        "",
    ]
    lines.append(f"{'milliseconds':>20}{'cold':>9}{'new schema':>12}{'known schema':>14}")
    for level in LEVELS:
        median = [statistics.median(times) * 1e3 for times in zip(*found[level], strict=True)]
        lines.append(f"{level:>20}{median[0]:>9.0f}{median[1]:>12.1f}{median[2]:>14.1f}")
    cold, new, known = (statistics.median(times) * 1e3 for times in zip(*found[LEVELS[0]], strict=True))
    lines += [
        "",
        str(Target(f"{LEVELS[0]}, cold", cold, 1000, " ms")),
        str(Target(f"{LEVELS[0]}, warm, a schema not seen before", new, 50, " ms")),
        str(Target(f"{LEVELS[0]}, warm, a known schema", known, 50, " ms")),
    ]
    save("transitive", "\n".join(lines))


if __name__ == "__main__":
    main()
