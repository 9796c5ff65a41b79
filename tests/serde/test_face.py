"""What `import serde` gives, and what it must not bring along."""

import subprocess
import sys

import serde


def test_the_face_is_sorted_and_there() -> None:
    assert serde.__all__ == sorted(serde.__all__)
    assert all(hasattr(serde, name) for name in serde.__all__)


def test_serde_knows_neither_the_registry_nor_the_broker() -> None:
    code = (
        "import sys, serde, serde.testing;"
        "print(sorted({m.partition('.')[0] for m in sys.modules} & {'registry', 'broker_adapter', 'flask'}))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
