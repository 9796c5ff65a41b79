"""What a test needs beyond Python, and what to do where it is missing.

On a developer's machine a missing JVM or Redis skips the test with a reason. In CI
(``FIVEBYTE_REQUIRE_ALL=1``, set by ``.ci/run``) the same absence fails it, so
that a green run means that every check was made.
"""

import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT.parent / "shared" / "corpus"


def need(condition: bool, reason: str) -> None:
    """Skip the test, or fail it where everything is required, unless `condition` holds."""
    if condition:
        return
    if os.environ.get("FIVEBYTE_REQUIRE_ALL") == "1":
        pytest.fail(f"required here, but {reason}", pytrace=False)
    pytest.skip(reason)


def need_programs(*names: str) -> None:
    """Require that each named program is on the PATH."""
    missing = [name for name in names if shutil.which(name) is None]
    need(not missing, f"not installed: {', '.join(missing)}")


def need_corpus() -> Path:
    """Require the corpus of real schemas and records, which is kept beside the project, not in it."""
    need(CORPUS.is_dir(), f"the corpus of real schemas is not beside the project ({CORPUS.name}/)")
    return CORPUS
