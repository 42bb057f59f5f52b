"""Waits for what a test waits for, and never for time to pass."""

import time
from collections.abc import Callable
from typing import TypeVar

Told = TypeVar("Told")

#: s that anything may take which happens at all, on a busy machine: only a hang takes longer.
DEADLINE_S = 150.0


def until(look: Callable[[], Told | None], what: str, within_s: float = DEADLINE_S) -> Told:
    """Look again and again until ``look`` gives something true; that.

    Raises:
        AssertionError: it did not within ``within_s`` seconds.
    """
    deadline = time.monotonic() + within_s
    while True:
        told = look()
        if told:
            return told
        assert time.monotonic() < deadline, f"not within {within_s:g} s: {what}"
        time.sleep(0.01)
