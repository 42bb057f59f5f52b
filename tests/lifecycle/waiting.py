"""Waits for what a test waits for, and never for time to pass."""

import time
from collections.abc import Callable
from typing import TypeVar

Told = TypeVar("Told")

#: s that anything may take which happens at all, on a busy machine: only a hang takes longer.
DEADLINE_S = 150.0
#: s between two looks: at first, and of a wait that lasts. Each look at a file or a port takes CPU from what is waited for.
_SOON_S, _LATER_S = 0.01, 0.05
_SOON_FOR_S = 1.0


def until(look: Callable[[], Told | None], what: str, within_s: float = DEADLINE_S) -> Told:
    """Look again and again until ``look`` gives something true; that.

    Raises:
        AssertionError: it did not within ``within_s`` seconds.
    """
    began = time.monotonic()
    while True:
        told = look()
        if told:
            return told
        waited = time.monotonic() - began
        assert waited < within_s, f"not within {within_s:g} s: {what}"
        time.sleep(_SOON_S if waited < _SOON_FOR_S else _LATER_S)
