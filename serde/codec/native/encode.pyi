from collections.abc import Callable
from typing import Any

class Writer: ...
class Null(Writer): ...
class Boolean(Writer): ...
class Int(Writer): ...
class Long(Writer): ...
class Float(Writer): ...
class Double(Writer): ...
class Bytes(Writer): ...
class String(Writer): ...

class Fixed(Writer):
    def __init__(self, size: int) -> None: ...

class Enum(Writer):
    def __init__(self, symbols: dict[str, bytes]) -> None: ...

class Array(Writer):
    def __init__(self, item: Writer) -> None: ...

class Map(Writer):
    def __init__(self, value: Writer) -> None: ...

class Record(Writer):
    def __init__(
        self,
        name: str,
        names: tuple[str, ...],
        writers: tuple[Writer, ...],
        defaults: tuple[bytes | None, ...],
        strict: bool,
        find_attributes: Callable[[type], tuple[str | None, ...] | None],
    ) -> None: ...

class Union(Writer):
    def __init__(
        self,
        names: tuple[str, ...],
        writers: tuple[Writer, ...],
        by_class: dict[type, tuple[int, ...]],
        fields: tuple[frozenset[str] | None, ...],
        hints: bool,
        find_branch: Callable[[type], int | None],
    ) -> None: ...

class Converted(Writer):
    def __init__(
        self,
        inner: Writer,
        python: type,
        encode: Callable[[Any], Any],
        from_text: Callable[[Any], Any] | None,
    ) -> None: ...

class Forward(Writer):
    def __init__(self, find: Callable[[], Writer]) -> None: ...
    def settle(self) -> None: ...

class Encoder:
    def __init__(
        self,
        root: Writer,
        prefix: bytes,
        find_pure: Callable[[], Callable[[Any], bytes]],
        left: Callable[[Any], None],
    ) -> None: ...
    def encode(self, value: Any, /) -> bytes: ...
