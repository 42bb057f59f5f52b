"""Waits for what a test waits for, and never for time to pass."""

import time
from collections.abc import Callable
from typing import TypeVar

Told = TypeVar("Told")

#: s that anything may take which happens at all, on a busy machine: only a hang takes longer.
DEADLINE_S = 150.0


def until(look: Callable[[], Told | None], what: str) -> Told:
    """Look again and again until ``look`` gives something true; that.

    Raises:
        AssertionError: it did not within ``DEADLINE_S``.
    """
    deadline = time.monotonic() + DEADLINE_S
    while True:
        told = look()
        if told:
            return told
        assert time.monotonic() < deadline, f"not within {DEADLINE_S:g} s: {what}"
        time.sleep(0.01)
