"""Avro's binary encoding of single values: varints, floats, strings.

A reader is ``read(data, position) -> (value, next position)``. It raises
IndexError or struct.error where the data ends too early; `fault.as_fault` words
that. Source: Avro 1.12 specification, "Binary Encoding".
"""

from collections.abc import Callable
from numbers import Integral, Real
from struct import Struct
from typing import Any, Final, TypeAlias

from serde.codec.fault import Fault, mismatch, shown

Reader: TypeAlias = Callable[[bytes, int], tuple[Any, int]]
Writer: TypeAlias = Callable[[Any], bytes]

INT_MIN: Final = -(1 << 31)
INT_MAX: Final = (1 << 31) - 1
LONG_MIN: Final = -(1 << 63)
LONG_MAX: Final = (1 << 63) - 1

_BYTE: Final = [bytes((n,)) for n in range(256)]
_FLOAT: Final = Struct("<f")
_DOUBLE: Final = Struct("<d")
_unpack_float = _FLOAT.unpack_from
_unpack_double = _DOUBLE.unpack_from
_pack_float = _FLOAT.pack
_pack_double = _DOUBLE.pack


def varint(number: int) -> bytes:
    """A long as a zig-zag varint. `number` must be within 64 bits, signed."""
    rest = (number << 1) ^ (number >> 63)
    if rest < 0x80:
        return _BYTE[rest]
    if rest < 0x4000:
        return bytes((rest & 0x7F | 0x80, rest >> 7))
    out = bytearray()
    while rest >= 0x80:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)


def write_null(value: object) -> bytes:
    if value is not None:
        raise mismatch("null", value)
    return b""


def write_boolean(value: object) -> bytes:
    if value is True:
        return b"\x01"
    if value is False:
        return b"\x00"
    raise mismatch("boolean", value)


def write_int(value: object) -> bytes:
    if type(value) is not int:
        value = as_whole(value, "int")
    if INT_MIN <= value <= INT_MAX:
        return varint(value)
    raise Fault(f"expected int, got {shown(value)}, which is outside 32 bits")


def write_long(value: object) -> bytes:
    if type(value) is not int:
        value = as_whole(value, "long")
    if LONG_MIN <= value <= LONG_MAX:
        return varint(value)
    raise Fault(f"expected long, got {shown(value)}, which is outside 64 bits")


def write_float(value: object) -> bytes:
    try:
        return _pack_float(value if type(value) is float else as_real(value, "float"))
    except OverflowError:
        raise Fault(f"expected float, got {shown(value)}, which is outside 32 bits") from None


def write_double(value: object) -> bytes:
    return _pack_double(value if type(value) is float else as_real(value, "double"))


def write_bytes(value: object) -> bytes:
    if type(value) is not bytes:
        value = as_bytes(value, "bytes")
    return varint(len(value)) + value


def write_string(value: object) -> bytes:
    if type(value) is not str and not isinstance(value, str):
        raise mismatch("string", value)
    text = value.encode()
    return varint(len(text)) + text


def as_bytes(value: object, expected: str) -> bytes:
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value)
    raise mismatch(expected, value)


def as_message(data: object) -> bytes:
    """The bytes of a message that is another buffer. Raises TypeError for what is none."""
    if isinstance(data, bytes | bytearray | memoryview):
        return bytes(data)
    raise TypeError(f"a message is bytes, not {type(data).__name__}")


def as_whole(value: object, expected: str) -> int:
    """An int of another class (numpy's, an IntEnum), but never a bool, a float or a str."""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise mismatch(expected, value)
    return int(value)


def as_real(value: object, expected: str) -> float:
    """A float from an int or a number of another class, but never from a bool, a Decimal or a str."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise mismatch(expected, value)
    try:
        return float(value)
    except OverflowError:
        raise Fault(f"expected {expected}, got {shown(value)}, which is outside 64 bits") from None


def read_null(_data: bytes, pos: int) -> tuple[None, int]:
    return None, pos


def read_boolean(data: bytes, pos: int) -> tuple[bool, int]:
    byte = data[pos]
    if byte > 1:
        raise Fault(f"expected a boolean, which is 0 or 1, and met the byte 0x{byte:02x}")
    return byte == 1, pos + 1


def read_long(data: bytes, pos: int) -> tuple[int, int]:
    byte = data[pos]
    pos += 1
    if byte < 0x80:
        return (byte >> 1) ^ -(byte & 1), pos
    number = byte & 0x7F
    shift = 7
    while True:
        byte = data[pos]
        pos += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
        shift += 7
        if shift > 63:
            raise Fault("a number of more than ten bytes")
    if number >> 64:
        raise Fault("a number outside 64 bits")
    return (number >> 1) ^ -(number & 1), pos


def read_int(data: bytes, pos: int) -> tuple[int, int]:
    byte = data[pos]
    if byte < 0x80:
        return (byte >> 1) ^ -(byte & 1), pos + 1
    number, pos = read_long(data, pos)
    if INT_MIN <= number <= INT_MAX:
        return number, pos
    raise Fault(f"expected an int and met {number}, which is outside 32 bits")


def read_float(data: bytes, pos: int) -> tuple[float, int]:
    return _unpack_float(data, pos)[0], pos + 4


def read_double(data: bytes, pos: int) -> tuple[float, int]:
    return _unpack_double(data, pos)[0], pos + 8


def read_bytes(data: bytes, pos: int) -> tuple[bytes, int]:
    length = data[pos]
    if length < 0x80 and not length & 1:
        start = pos + 1
        end = start + (length >> 1)
    else:
        length, start = read_long(data, pos)
        end = start + length
    if not start <= end <= len(data):
        raise too_long(end - start, len(data) - start)
    return data[start:end], end


def read_string(data: bytes, pos: int) -> tuple[str, int]:
    length = data[pos]
    if length < 0x80 and not length & 1:
        start = pos + 1
        end = start + (length >> 1)
    else:
        length, start = read_long(data, pos)
        end = start + length
    if not start <= end <= len(data):
        raise too_long(end - start, len(data) - start)
    return data[start:end].decode(), end


def too_long(length: int, left: int) -> Fault:
    """The fault of a length or count that what is left of the message cannot hold."""
    if length < 0:
        return Fault(f"a length of {length}")
    return Fault(f"the message ends inside this value: it should be {length} bytes long, {left} are left")


WRITERS: Final[dict[str, Writer]] = {
    "null": write_null,
    "boolean": write_boolean,
    "int": write_int,
    "long": write_long,
    "float": write_float,
    "double": write_double,
    "bytes": write_bytes,
    "string": write_string,
}

READERS: Final[dict[str, Reader]] = {
    "null": read_null,
    "boolean": read_boolean,
    "int": read_int,
    "long": read_long,
    "float": read_float,
    "double": read_double,
    "bytes": read_bytes,
    "string": read_string,
}
