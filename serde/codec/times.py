"""Python's dates, times of day, moments and durations to and from the numbers Avro stores.

A unit is a number of nanoseconds. What is finer than it is rounded down.
"""

from datetime import UTC, date, datetime, time, timedelta
from struct import Struct
from typing import Final

from serde.codec.fault import Fault, shown
from serde.codec.values import Duration, NanoDatetime

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LOCAL_EPOCH: Final = datetime(1970, 1, 1)
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_DURATION: Final = Struct("<III")
_DURATION_MAX: Final = (1 << 32) - 1


def timestamp_to_number(value: datetime, unit: int) -> int:
    # A datetime without a zone is local time, as everywhere in Python's datetime.
    return _since(_EPOCH, value if value.tzinfo else value.astimezone(UTC), unit)


def timestamp_from_number(number: int, unit: int) -> datetime:
    return _moment(_EPOCH, number, unit)


def local_timestamp_to_number(value: datetime, unit: int) -> int:
    return _since(_LOCAL_EPOCH, value.replace(tzinfo=None), unit)


def local_timestamp_from_number(number: int, unit: int) -> datetime:
    return _moment(_LOCAL_EPOCH, number, unit)


def _since(epoch: datetime, value: datetime, unit: int) -> int:
    delta = value - epoch
    micros = (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds
    # Pandas has nanoseconds under the same name as NanoDatetime.
    return (micros * 1000 + getattr(value, "nanosecond", 0)) // unit


def _moment(epoch: datetime, number: int, unit: int) -> datetime:
    try:
        if unit > 1:
            return epoch + timedelta(microseconds=number * (unit // 1000))
        micros, nanosecond = divmod(number, 1000)
        return NanoDatetime.of(epoch + timedelta(microseconds=micros), nanosecond)
    except OverflowError:
        raise _no_date(f"the timestamp {number}") from None


def time_to_number(value: time, unit: int) -> int:
    seconds = (value.hour * 60 + value.minute) * 60 + value.second
    return (seconds * 1_000_000 + value.microsecond) * 1000 // unit


def time_from_number(number: int, unit: int) -> time:
    if number < 0:
        raise Fault(f"the time of day {number} is before midnight")
    seconds, micros = divmod(number * (unit // 1000), 1_000_000)
    if seconds >= 86_400:
        raise Fault(f"the time of day {number} is after midnight")
    minutes, seconds = divmod(seconds, 60)
    return time(minutes // 60, minutes % 60, seconds, micros)


def date_to_number(value: date) -> int:
    if isinstance(value, datetime):
        raise Fault(f"expected a date, got {shown(value)}, whose time of day would be lost")
    return value.toordinal() - _EPOCH_DAY


def date_from_number(number: int) -> date:
    try:
        return date.fromordinal(number + _EPOCH_DAY)
    except (ValueError, OverflowError):
        raise _no_date(f"the date {number}") from None


def _no_date(what: str) -> Fault:
    return Fault(f"{what} is outside the years 1 to 9999: raw_logical_types would leave it a number")


def date_from_text(text: str) -> int:
    try:
        return date_to_number(date.fromisoformat(text))
    except ValueError:
        raise Fault(f"expected a date, or one as YYYY-MM-DD, got {shown(text)}") from None


def duration_to_bytes(value: Duration) -> bytes:
    for name in ("months", "days", "millis"):
        part = getattr(value, name)
        if type(part) is not int or not 0 <= part <= _DURATION_MAX:
            raise Fault(
                f"the {name} of a duration are a whole number from 0 to {_DURATION_MAX}, not {part!r}"
            )
    return _DURATION.pack(value.months, value.days, value.millis)


def duration_from_bytes(raw: bytes) -> Duration:
    return Duration(*_DURATION.unpack(raw))
