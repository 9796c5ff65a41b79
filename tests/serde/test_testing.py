"""The registry in the same process, and pytest's fixture of it."""

import subprocess
import sys
from pathlib import Path

import pytest

from serde import NotFound, RegistryClient
from serde.testing import registry

TESTS = """
import pytest

@pytest.mark.parametrize("kind", ["int", "string", "int"])
def test_it_is_empty(schema_registry, kind):
    assert schema_registry.subjects() == []
    assert schema_registry.register("s", f'"{kind}"').id == 1
    schema_registry.set_config("NONE")
"""


def test_each_is_empty_whatever_the_one_before_did() -> None:
    for _ in range(3):
        with registry() as client:
            assert client.subjects() == []
            assert client.register("s", '"int"').id == 1
            assert client.schema_by_id(1).text == '"int"'
            with pytest.raises(NotFound):
                client.schema_by_id(2)
            client.register("t", '"string"')
            assert client.schema_by_id(2).text == '"string"'


def test_two_at_once_know_nothing_of_each_other() -> None:
    with registry() as one, registry() as other:
        one.register("s", '"int"')
        assert (one.subjects(), other.subjects()) == (["s"], [])


def test_one_that_ends_with_an_error_leaves_nothing_behind() -> None:
    def fail(client: RegistryClient) -> None:
        client.register("s", '"int"')
        raise KeyError

    with pytest.raises(KeyError), registry() as client:
        fail(client)
    with registry() as client:
        assert client.subjects() == []


def test_pytest_has_one_for_each_test(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert "3 passed" in done.stdout, done.stdout + done.stderr
