"""Java's Avro as an oracle: what it makes of many schemas, in one run of a JVM."""

import json
import subprocess
from collections.abc import Iterable, Sequence

from tests.support.jvm import class_path

Answer = dict[str, object]


def ask(
    requests: Iterable[dict[str, object]], program: str = "Oracle", *, project: str = "avro"
) -> list[Answer]:
    """The answers to `requests`, in order; ``tests/jvm/avro/Oracle.java``, or another, tells their shapes."""
    lines = "".join(json.dumps(request) + "\n" for request in requests)
    done = subprocess.run(
        ["java", "-Xss4m", "-cp", class_path(project), program],
        input=lines,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    # Not splitlines: it would also split at separators that JSON leaves unescaped.
    return [json.loads(line) for line in done.stdout.split("\n") if line]


def parse_request(schema: str, references: Sequence[str] = (), *, strict: bool = True) -> dict[str, object]:
    return {"schema": schema, "references": list(references), "strict": strict}


def compare_request(reader: str, writer: str, references: Sequence[str] = ()) -> dict[str, object]:
    return {"reader": reader, "writer": writer, "references": list(references)}


def copy_request(
    writer: str, body: bytes, reader: str | None = None, *, logical: bool = False
) -> dict[str, object]:
    """For the program ``Codec``."""
    return {"writer": writer, "reader": reader or writer, "body": body.hex(), "logical": logical}
