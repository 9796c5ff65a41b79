"""Python types for the two logical types of Avro that Python has none for."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Duration:
    """Avro's duration: so many months, days and milliseconds, each 0 to 2**32 - 1.

    None turns into another: a month is not 30 days, nor a day always 24 hours.
    """

    months: int = 0
    days: int = 0
    millis: int = 0


class NanoDatetime(datetime):
    """A datetime with nanoseconds: what a timestamp-nanos is read as.

        NanoDatetime.of(datetime(2026, 1, 2, tzinfo=UTC), 7)

    nanosecond: 0 to 999, what goes beyond `microsecond`.

    It can stand wherever a datetime can. It equals a datetime only if its nanosecond is 0. Adding a
    timedelta, changing the zone and replacing a part keep the nanosecond; the difference of two moments
    is a timedelta, which has only microseconds.
    """

    __slots__ = ("nanosecond",)
    nanosecond: int

    @classmethod
    def of(cls, moment: datetime, nanosecond: int) -> Self:
        """`moment` and so many nanoseconds, 0 to 999; its own are dropped. ValueError outside that."""
        if not 0 <= nanosecond <= 999:
            raise ValueError(f"nanosecond must be in 0..999, not {nanosecond}")
        made = cls(
            *(moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second),
            *(moment.microsecond, moment.tzinfo),
            fold=moment.fold,
        )
        made.nanosecond = nanosecond
        return made

    def __new__(cls, *args: Any, nanosecond: int = 0, **more: Any) -> Self:
        made = super().__new__(cls, *args, **more)
        made.nanosecond = nanosecond
        return made

    def replace(self, *args: Any, **more: Any) -> Self:
        """As datetime's; also takes ``nanosecond=``."""
        nanosecond = more.pop("nanosecond", self.nanosecond)
        return self.of(super().replace(*args, **more), nanosecond)

    def astimezone(self, tz: Any = None) -> Self:
        return self.of(super().astimezone(tz), self.nanosecond)

    def isoformat(self, sep: str = "T", timespec: str = "auto") -> str:
        """As datetime's, with nine digits of a second where there are nanoseconds."""
        if timespec not in {"auto", "nanoseconds"} or (timespec == "auto" and not self.nanosecond):
            return super().isoformat(sep, timespec)
        text = super().isoformat(sep, "microseconds")
        # 2026-01-02T03:04:05.123456 is 26 characters; an offset may follow.
        return f"{text[:26]}{self.nanosecond:03}{text[26:]}"

    def __repr__(self) -> str:
        moment = datetime.__repr__(self)
        return f"{moment[:-1]}, nanosecond={self.nanosecond})" if self.nanosecond else moment

    def __eq__(self, other: object) -> bool:
        return super().__eq__(other) is True and self.nanosecond == _nanosecond(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        moment = super().__hash__()
        return hash((moment, self.nanosecond)) if self.nanosecond else moment

    def __lt__(self, other: Any) -> bool:
        return self._compare(other) < 0 if isinstance(other, datetime) else NotImplemented

    def __le__(self, other: Any) -> bool:
        return self._compare(other) <= 0 if isinstance(other, datetime) else NotImplemented

    def __gt__(self, other: Any) -> bool:
        return self._compare(other) > 0 if isinstance(other, datetime) else NotImplemented

    def __ge__(self, other: Any) -> bool:
        return self._compare(other) >= 0 if isinstance(other, datetime) else NotImplemented

    def _compare(self, other: datetime) -> int:
        """Negative, 0 or positive, as this is before, at or after `other`."""
        if super().__lt__(other):
            return -1
        return 1 if super().__gt__(other) else self.nanosecond - _nanosecond(other)

    def __add__(self, other: timedelta) -> Self:
        return self.of(super().__add__(other), self.nanosecond)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        found = super().__sub__(other)
        return self.of(found, self.nanosecond) if isinstance(found, datetime) else found

    def __reduce_ex__(self, _protocol: Any) -> tuple[Any, ...]:
        moment = datetime.combine(self.date(), self.timetz())
        return type(self).of, (moment, self.nanosecond)


def _nanosecond(value: object) -> int:
    found: int = getattr(value, "nanosecond", 0)
    return found
