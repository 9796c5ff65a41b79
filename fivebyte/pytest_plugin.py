"""What fivebyte adds to pytest: a registry for a test. Found by pytest itself where fivebyte is installed."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from serde import RegistryClient


@pytest.fixture
def schema_registry() -> "Iterator[RegistryClient]":
    """A client on a registry of the test's own: the real one, in this process, empty, without a socket."""
    from serde.testing import registry  # not before a test wants it

    with registry() as client:
        yield client
