"""Both codecs, for the tests that say what a codec does."""

from collections.abc import Iterator
from types import ModuleType

import pytest

import serde.codec
from serde.codec import pure
from tests.support.needs import need


def native_codec() -> ModuleType:
    """The codec in C; a test that asks for it is skipped, or fails in CI, where it was not built."""
    try:
        from serde.codec import native
    except ImportError:
        need(False, "the native codec is not built: it takes a C compiler")
        raise
    return native


@pytest.fixture(scope="module", params=["native", "pure"])
def each_codec(request: pytest.FixtureRequest) -> Iterator[None]:
    """Runs a module's tests with one codec, then with the other."""
    codec: ModuleType = pure if request.param == "pure" else native_codec()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(serde.codec, "_codec", codec)
        yield
