"""A flood of market data from a sandbox, measured where it arrives: in the engine."""

import math
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.lifecycle.live import LiveDesk
from tests.lifecycle.waiting import DEADLINE_S, until

#: s over which a rate is measured.
_OVER_S = 1.0
_TRIES = 6


@dataclass(frozen=True, slots=True)
class Counts:
    """The messages that an engine under ``tests.lifecycle.counting_child`` has been given."""

    file: Path

    def now(self) -> int:
        try:
            return int(self.file.read_text() or 0)
        except FileNotFoundError:
            return 0

    def rate(self) -> float:
        """Messages a second, over the next second."""
        began, before = time.monotonic(), self.now()
        time.sleep(_OVER_S)  # a rate takes its time to measure
        return (self.now() - before) / (time.monotonic() - began)


@contextmanager
def flooded(desk: LiveDesk, counts: Counts, wanted: int) -> Iterator[float]:
    """For the block, at least ``wanted`` messages a second come to the engine: what was measured just before the block begins.

    Raises:
        AssertionError: this machine does not bring them.
    """
    until(lambda: counts.now() > 0, "the first message")
    usual, factor, measured = max(counts.rate(), 50.0), 0, 0.0
    for attempt in range(_TRIES):
        aimed = math.ceil(wanted * (1.5 + attempt) / usual)
        if aimed > factor:
            factor = aimed
            _clear(desk)
            for venue in ("upbit", "binance"):
                desk.script(venue=venue, kind="flood", factor=factor)
        measured = counts.rate()
        if measured >= wanted:
            break
    assert measured >= wanted, f"{measured:.0f} messages a second came, not {wanted}: no flood"
    assert all(fault["met"] for fault in desk.told("/faults") if fault["kind"] == "flood")
    try:
        yield measured
    finally:
        _clear(desk)


def _clear(desk: LiveDesk) -> None:
    urllib.request.urlopen(urllib.request.Request(f"{desk.control}/faults", method="DELETE"), timeout=DEADLINE_S).close()
