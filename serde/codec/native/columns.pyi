from collections.abc import Callable, Mapping, Sequence
from typing import Any

from serde.codec.columns.buffers import Buffers
from serde.codec.columns.layout import Column
from serde.codec.columns.pairs import Scaling
from serde.codec.fault import Fault
from serde.codec.pure import Decode

class Part:
    def __init__(
        self,
        does: str = "PURE",
        parts: tuple[Part, ...] = (),
        size: int = 0,
        data: bytes = b"",
        places: Sequence[int] = (),
        scaling: Scaling | None = None,
        bound: bytes = b"",
    ) -> None: ...
    def settle(self, target: Part) -> None: ...

class Program:
    def __init__(self, root: Part, find_pure: Callable[[], Decode], strict: bool) -> None: ...

class Builder:
    def __init__(self, column: Column, *, wrapped: bool, most: int = ...) -> None: ...
    def read(
        self,
        values: Sequence[bytes | None],
        keys: Sequence[bytes | None] | None,
        programs: Mapping[bytes, Program],
        find: Callable[[int, bytes | None], Program | None],
        fail: Callable[[int, bytes, Fault], None],
        *,
        nulls: bool,
    ) -> None: ...
    def finish(self) -> tuple[Buffers, dict[int, Any]]: ...

def frames_of(messages: list[bytes | None], keys: Sequence[bytes | None] | None) -> dict[bytes, int]: ...
