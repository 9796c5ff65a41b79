"""A short run of the fuzzer under AddressSanitizer; a long one is started by hand, see `tests.fuzz.codec`."""

import subprocess
from pathlib import Path

from tests.serde.conftest import native_codec
from tests.support.needs import need, need_programs

SECONDS = 15


def test_damaged_messages_and_odd_values_break_nothing() -> None:
    need_programs("gcc")
    library = subprocess.check_output(["gcc", "-print-file-name=libasan.so"], text=True).strip()
    need(Path(library).is_absolute(), "gcc has no AddressSanitizer here")
    native_codec()
    from tests.fuzz.codec import sanitized, sources

    need(bool(sources()), "the C of the native codec is not beside its sources: an install leaves it there")
    done = sanitized(0, SECONDS)
    assert done.returncode == 0, done.stderr
