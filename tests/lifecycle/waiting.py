"""Waits for what a test waits for, and never for time to pass."""

import time
from collections.abc import Callable
from typing import TypeVar

Told = TypeVar("Told")


def until(look: Callable[[], Told | None], within: float, what: str) -> Told:
    """Look again and again until ``look`` gives something true; that.

    Raises:
        AssertionError: it did not within so many seconds.
    """
    deadline = time.monotonic() + within
    while True:
        told = look()
        if told:
            return told
        assert time.monotonic() < deadline, f"not within {within:g} s: {what}"
        time.sleep(0.01)
