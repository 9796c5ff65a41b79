from collections.abc import Callable
from typing import Any, TypeAlias

from serde.codec.native import decode, encode

Convert: TypeAlias = Callable[[Any], Any]

class DateWriter(encode.Converted): ...

class TimeWriter(encode.Converted):
    def __init__(
        self, inner: encode.Writer, python: type, encode: Convert, from_text: Convert | None, unit: int
    ) -> None: ...

class TimestampWriter(encode.Converted):
    def __init__(
        self,
        inner: encode.Writer,
        python: type,
        encode: Convert,
        from_text: Convert | None,
        unit: int,
        local: bool,
    ) -> None: ...

class UuidWriter(encode.Converted):
    def __init__(
        self, inner: encode.Writer, python: type, encode: Convert, from_text: Convert | None, text: bool
    ) -> None: ...

class DecimalWriter(encode.Converted):
    def __init__(
        self,
        inner: encode.Writer,
        python: type,
        encode: Convert,
        from_text: Convert | None,
        precision: int,
        scale: int,
        size: int,
    ) -> None: ...

class DateReader(decode.Converted):
    def __init__(self, inner: decode.Number, convert: Convert) -> None: ...

class TimeReader(decode.Converted):
    def __init__(self, inner: decode.Number, convert: Convert, unit: int) -> None: ...

class TimestampReader(decode.Converted):
    def __init__(self, inner: decode.Number, convert: Convert, unit: int, local: bool) -> None: ...

class UuidReader(decode.Converted):
    def __init__(self, inner: decode.Span, convert: Convert, text: bool) -> None: ...

class DecimalReader(decode.Converted):
    def __init__(self, inner: decode.Span, convert: Convert, scale: int) -> None: ...
