"""Quiet hours: alerts that can wait are held back."""

from datetime import UTC, datetime, timedelta, tzinfo


class DeskHours:
    """Times of day at the desk, such as ``07:00``, put on the clock of the world; over a change of summer time too."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone

    def next(self, now_ms: int, minute: int) -> int:
        """When it is ``minute`` (of the day) at the desk the next time after ``now_ms``; both in ms since the epoch."""
        local = datetime.fromtimestamp(now_ms / 1000, self._zone)
        for days in range(3):  # an hour that a change of the clock leaves out is there the day after
            day = local.date() + timedelta(days=days)
            at = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=self._zone)
            at_ms = round(at.astimezone(UTC).timestamp() * 1000)
            if at_ms > now_ms:
                return at_ms
        raise AssertionError("a day has every minute")

    def last_midnight(self, now_ms: int) -> int:
        """When the desk's day of ``now_ms`` began; both in ms since the epoch."""
        local = datetime.fromtimestamp(now_ms / 1000, self._zone)
        begun = datetime(local.year, local.month, local.day, tzinfo=self._zone)
        return round(begun.astimezone(UTC).timestamp() * 1000)

    def minute(self, now_ms: int) -> int:
        """Which minute of the desk's day it is."""
        local = datetime.fromtimestamp(now_ms / 1000, self._zone)
        return local.hour * 60 + local.minute


class QuietHours:
    """From ``begins`` to ``ends``, minutes of the desk's day; over midnight where it begins later than it ends."""

    def __init__(self, hours: DeskHours, begins: int, ends: int) -> None:
        self._hours = hours
        self._begins, self._ends = begins, ends

    def left_s(self, now_ms: int) -> float:
        """For how long it is still quiet, in s; 0.0 outside."""
        minute = self._hours.minute(now_ms)
        inside = self._begins <= minute < self._ends if self._begins < self._ends else not self._ends <= minute < self._begins
        return (self._hours.next(now_ms, self._ends) - now_ms) / 1000 if inside else 0.0


def minute_of(text: str) -> int:
    """The minute of the day that ``07:30`` says.

    Raises:
        ValueError: it says none.
    """
    hour, colon, minute = text.strip().partition(":")
    if not (colon and len(minute) == 2 and hour.isdecimal() and minute.isdecimal() and int(hour) < 24 and int(minute) < 60):
        raise ValueError(f"{text!r} is no time of day such as 07:30")
    return int(hour) * 60 + int(minute)


def hours_of(text: str) -> tuple[int, int]:
    """Beginning and end that ``23:00-07:00`` says, in minutes of the day.

    Raises:
        ValueError: it says none, or no time at all.
    """
    begins, dash, ends = text.partition("-")
    if not dash:
        raise ValueError(f"{text!r} are no hours such as 23:00-07:00")
    first, last = minute_of(begins), minute_of(ends)
    if first == last:
        raise ValueError(f"{text!r} ends when it begins; leave it empty for no quiet hours")
    return first, last
