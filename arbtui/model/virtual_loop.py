"""An event loop whose time jumps from timer to timer, so that an hour runs in seconds and replays exactly.

``sleep``, ``timeout`` and ``call_at`` work unchanged. Nothing may wait for a thread or a socket in such a loop: real
I/O would have to take virtual time, and its order would not repeat. A loop with nothing left to run raises an error instead of
hanging.
"""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any


class VirtualTimeStalled(RuntimeError):
    """Every task waits and no timer is set: in real time the program would hang."""


class _JumpingSelector(selectors.DefaultSelector):
    """Instead of sleeping until the next timer, moves the loop's clock there."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            raise VirtualTimeStalled("every task is waiting and no timer is set")
        self.now += timeout
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """A selector loop in virtual time; ``time()`` starts at 0 and never waits."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)
        # A timer counts as due within one resolution of now; rounding in `select` must not cause a busy loop.
        self._clock_resolution = 1e-9

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._jumping.now


def run_virtual(main: Coroutine[Any, Any, Any]) -> Any:
    """Run ``main`` in a fresh virtual-time loop and return its result."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)
