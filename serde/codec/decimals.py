"""Python's Decimal to and from the bytes of a decimal and of a big-decimal. No number is ever rounded.

Turning digits into bytes, and back, takes time by the square of their number: a megabyte would take minutes.
So there is a limit, the one that Python itself has for int and str.
"""

from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal
from typing import Final

from serde.codec.binary import INT_MAX, INT_MIN, read_bytes, read_int, varint
from serde.codec.fault import Fault

MAX_DIGITS: Final = 4300
MAX_BYTES: Final = (MAX_DIGITS * 3322 // 1000) // 8 + 1  # a digit is 3.322 bits

# Exact, whatever the number of digits.
_EXACT: Final = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)


def decimal_to_bytes(value: Decimal, precision: int, scale: int, size: int | None) -> bytes:
    """The unscaled number, two's complement, big-endian.

    size: of the result; None: as few bytes as can hold it, as Java writes.

    Raises Fault if `value` has more digits than `precision` and `scale` allow, or than `MAX_DIGITS`.
    """
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        raise Fault(f"expected a decimal, got {value}")
    if max(exponent, 0) > precision:
        raise Fault(f"the decimal {value} has more than {precision} digits")
    unscaled = _number(digits)
    shift = exponent + scale
    if shift >= 0:
        unscaled *= int(10**shift)
    elif -shift > len(digits) and unscaled:
        raise Fault(f"the decimal {value} has more than {scale} digits after the point")
    else:
        unscaled, lost = divmod(unscaled, 10 ** min(-shift, len(digits)))
        if lost:
            raise Fault(f"the decimal {value} has more than {scale} digits after the point")
    if unscaled >= 10**precision:
        raise Fault(f"the decimal {value} has more than {precision} digits at scale {scale}")
    return _signed(-unscaled if sign else unscaled, size)


def decimal_from_bytes(raw: bytes, scale: int) -> Decimal:
    if len(raw) > MAX_BYTES:
        raise Fault(f"a decimal of {len(raw)} bytes: more than {MAX_DIGITS} digits are not read")
    return Decimal(int.from_bytes(raw, "big", signed=True)).scaleb(-scale, _EXACT)


def big_decimal_to_bytes(value: Decimal) -> bytes:
    """The unscaled number as Avro bytes, then the scale as an Avro int: both are the value's own."""
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        raise Fault(f"expected a decimal, got {value}")
    if not INT_MIN <= -exponent <= INT_MAX:
        raise Fault(f"the scale of the decimal {value} is outside 32 bits")
    unscaled = _number(digits)
    raw = _signed(-unscaled if sign else unscaled, None)
    return varint(len(raw)) + raw + varint(-exponent)


def big_decimal_from_bytes(data: bytes) -> Decimal:
    raw, end = read_bytes(data, 0)
    scale, end = read_int(data, end)
    if end != len(data):
        raise Fault(f"{len(data) - end} bytes are left after the big-decimal")
    return decimal_from_bytes(raw, scale)


def _number(digits: tuple[int, ...]) -> int:
    if len(digits) > MAX_DIGITS:
        raise Fault(f"a decimal of {len(digits)} digits: more than {MAX_DIGITS} are not written")
    return int("".join(map(str, digits)))


def _signed(number: int, size: int | None) -> bytes:
    # One bit for the sign; -128 needs one byte though its magnitude has eight bits.
    length = size if size is not None else (max(number, ~number).bit_length() + 8) // 8
    return number.to_bytes(length, "big", signed=True)
