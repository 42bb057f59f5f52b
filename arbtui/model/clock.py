"""Wall time and monotonic time from one interface, so that a run can use virtual time."""

import time
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # whoever only reads a journal does without
    import asyncio

#: Where virtual time starts: 2026-01-01T00:00:00Z, in ms since the epoch.
VIRTUAL_EPOCH_MS = 1_767_225_600_000


class Clock(Protocol):
    """Where every part of the program reads time from."""

    def time_ms(self) -> int:
        """UTC wall time in ms since the epoch."""
        ...

    def monotonic(self) -> float:
        """Seconds on the event loop's own time base; durations and ages come from here only."""
        ...


class SystemClock:
    """Real time."""

    def time_ms(self) -> int:
        """UTC wall time in ms since the epoch."""
        return time.time_ns() // 1_000_000

    monotonic = staticmethod(time.monotonic)
    """Seconds of the system's monotonic clock, which asyncio's loops use too. Unwrapped: called twice an update."""


class LoopClock:
    """The time of a virtual-time loop: wall time is :data:`VIRTUAL_EPOCH_MS` (or ``epoch_ms``) plus the loop's seconds."""

    def __init__(self, loop: "asyncio.AbstractEventLoop", epoch_ms: int = VIRTUAL_EPOCH_MS) -> None:
        self._loop = loop
        self._epoch_ms = epoch_ms

    def time_ms(self) -> int:
        """UTC virtual wall time in ms since the epoch."""
        return self._epoch_ms + round(self._loop.time() * 1000)

    def monotonic(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._loop.time()


def iso_ms(ts_ms: int) -> str:
    """``ts_ms`` (ms since the epoch) as UTC ISO 8601 with milliseconds, ``2026-01-01T00:00:00.000Z``."""
    seconds, ms = divmod(ts_ms, 1000)
    return f"{_iso(seconds)}.{ms:03d}Z"


def zone_of(name: str) -> tzinfo:
    """The time zone of that IANA name.

    Raises:
        LookupError, ValueError, OSError: none is known by it on this machine.
    """
    if name == "UTC":
        return UTC
    from zoneinfo import ZoneInfo

    return ZoneInfo(name)


def iso_in(told: str, zone: tzinfo) -> str:
    """A time as :func:`iso_ms` writes it, converted to ``zone``, with its offset: ``2026-01-01T09:00:00.000+09:00``; unchanged for UTC."""
    return told if zone is UTC else datetime.fromisoformat(told).astimezone(zone).isoformat(timespec="milliseconds")


@lru_cache(maxsize=256)
def _iso(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"
