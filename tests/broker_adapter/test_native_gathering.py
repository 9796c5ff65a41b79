"""Gathering, compiled: it is in use, it is of this source, and the source works without it."""

import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest

from broker_adapter.filelog import gathering
from broker_adapter.filelog.native import built
from broker_adapter.filelog.producer import FileProducer
from tests.support.needs import ROOT, need

TESTS = "tests/broker_adapter/test_producer.py"
NATIVE = [*ROOT.glob("serde/codec/native/*.pyx"), *ROOT.glob("broker_adapter/filelog/native/*.pyx")]


def test_a_producer_uses_what_was_compiled() -> None:
    compiled = built("gathering")
    need(compiled is not None, "gathering was not compiled: no C compiler")
    assert issubclass(FileProducer, compiled.Sender)
    assert not issubclass(FileProducer, gathering.Sender)


def test_what_was_compiled_takes_what_the_source_takes() -> None:
    compiled = built("gathering")
    need(compiled is not None, "gathering was not compiled: no C compiler")
    ours, theirs = (inspect.signature(each.Sender.send).parameters.values() for each in (gathering, compiled))
    assert [(each.name, each.kind) for each in theirs] == [(each.name, each.kind) for each in ours]


@pytest.mark.parametrize("source", [*NATIVE, Path(gathering.__file__)], ids=lambda path: path.stem)
def test_what_is_in_c_is_of_this_source(source: Path) -> None:
    folder = source.parent if source.suffix == ".pyx" else source.parent / "native"
    made = list(folder.glob(f"{source.stem}.*.so"))
    need(bool(made), f"{source.stem} was not compiled: no C compiler")
    newest = max(path.stat().st_mtime for path in made)
    assert newest >= source.stat().st_mtime, f"{source.name} was changed since it was compiled: run make test"


def test_producers_without_it() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "tests/broker_adapter/test_producer.py",
        ],
        cwd=ROOT,
        env={**os.environ, "FIVEBYTE_CODEC": "pure"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
