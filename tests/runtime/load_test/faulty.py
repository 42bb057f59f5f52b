"""The program with one fault planted in it: run as a load test's child by the tests, `faulty.py FAULT ARGUMENT...`."""

import asyncio
import os
import sys
import time
from collections.abc import Sequence
from typing import Any

from arbtui.cli import main
from arbtui.exchanges.feed import Frame
from arbtui.model.reason import Reason
from arbtui.risk.guard import RiskGuard
from arbtui.routes.inventory_route import InventoryRoute
from arbtui.runtime.periodic_tasks import PeriodicTasks
from arbtui.runtime.stop import Stop
from arbtui.runtime.update_metrics import UpdateMetrics

MUTE = "ETH"
LATE_S = 0.05
STALL_S = 0.05
LEAK_BYTES = 100_000


def stall() -> None:
    """The loop is blocked once for 50 ms, a second into the run."""
    housekeep = PeriodicTasks._housekeeping

    async def blocking(keeper: PeriodicTasks) -> None:
        asyncio.get_running_loop().call_later(1.0, time.sleep, STALL_S)
        await housekeep(keeper)

    PeriodicTasks._housekeeping = blocking  # type: ignore[method-assign, assignment]


def mute() -> None:
    """One symbol is refused whatever it offers."""
    check = RiskGuard.check_entry

    def refusing(guard: RiskGuard, route: InventoryRoute, *facts: Any) -> Reason | None:
        return Reason.COOLDOWN if route.symbol == MUTE else check(guard, route, *facts)

    RiskGuard.check_entry = refusing  # type: ignore[method-assign, assignment]


def leak() -> None:
    """Every batch of market data leaves something behind."""
    deliver = UpdateMetrics.deliver
    left: list[bytes] = []

    def leaking(update_metrics: UpdateMetrics, frames: Sequence[Frame]) -> None:
        left.append(os.urandom(LEAK_BYTES))
        deliver(update_metrics, frames)

    UpdateMetrics.deliver = leaking  # type: ignore[method-assign, assignment]


def late() -> None:
    """The run stops 50 ms after its time."""
    ask = Stop.ask

    def waiting(stop: Stop, reason: str, code: int = 0, error: BaseException | None = None) -> None:
        if reason == "max_runtime":
            asyncio.get_running_loop().call_later(LATE_S, ask, stop, reason, code, error)
        else:
            ask(stop, reason, code, error)

    Stop.ask = waiting  # type: ignore[method-assign, assignment]


def early() -> None:
    """The run stops for another reason before its time."""
    housekeep = PeriodicTasks._housekeeping

    async def stopping(keeper: PeriodicTasks) -> None:
        asyncio.get_running_loop().call_later(0.5, os.kill, os.getpid(), 15)
        await housekeep(keeper)

    PeriodicTasks._housekeeping = stopping  # type: ignore[method-assign, assignment]


def lose() -> None:
    """Every hundredth frame is dropped on its way to the engine."""
    deliver = UpdateMetrics.deliver
    seen = 0

    def losing(update_metrics: UpdateMetrics, frames: Sequence[Frame]) -> None:
        nonlocal seen
        kept = []
        for frame in frames:
            seen += 1
            if seen % 100:
                kept.append(frame)
        deliver(update_metrics, kept)

    UpdateMetrics.deliver = losing  # type: ignore[method-assign, assignment]


def crash() -> None:
    """The process dies in the midst of the run."""
    housekeep = PeriodicTasks._housekeeping

    async def dying(keeper: PeriodicTasks) -> None:
        asyncio.get_running_loop().call_later(0.5, os.kill, os.getpid(), 9)
        await housekeep(keeper)

    PeriodicTasks._housekeeping = dying  # type: ignore[method-assign, assignment]


def none() -> None:
    """No fault."""


FAULTS = {plant.__name__: plant for plant in (stall, mute, leak, late, early, lose, crash, none)}

if __name__ == "__main__":
    FAULTS[sys.argv.pop(1)]()
    sys.exit(main())
