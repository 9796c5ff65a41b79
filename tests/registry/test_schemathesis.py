"""schemathesis reads the description and tries a real server with some ten thousand requests made of it.

It holds every answer to the description, and finds no 500. What it makes is the same in every run.
"""

import subprocess
import sys
from pathlib import Path

from tests.support.server import running_registry

# Also a body that is as described may be no schema, or no level: that is for the registry to say.
CONFIG = """
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "404", "409", "422"]
"""

# A flag that is neither true nor false is false, as Confluent's is, so not all that is wrong is refused.
# And a subject may hold slashes: DELETE /subjects/a/versions is for the subject "a/versions", and no 405.
LEFT_OUT = "negative_data_rejection,unsupported_method,allow_header_conformance"


def test_every_answer_is_as_described(tmp_path: Path) -> None:
    config = tmp_path / "schemathesis.toml"
    config.write_text(CONFIG)
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run"]
    options = (
        f"--generation-deterministic --max-examples 10 --warnings off --no-color --exclude-checks {LEFT_OUT}"
    )
    with running_registry("memory:") as server:
        where = [f"{server.url}/openapi.json", "--url", server.url]
        done = subprocess.run(
            [*command, *where, *options.split()],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert server.stop() == 0
        assert server.output.count("\n") == 1, (
            server.output
        )  # the line that it is there, and nothing of faults
