from collections.abc import Callable

from serde.codec.columns.buffers import Buffers
from serde.codec.columns.rows import Writing

class Rows:
    def __init__(
        self, column: Writing, made: Buffers, prefix: bytes, write_pure: Callable[[int], bytes]
    ) -> None: ...
    def write(self) -> list[bytes]: ...
