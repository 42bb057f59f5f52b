"""The decisions that are kept of each route: newest first, runs counted, bounded."""

import asyncio

from arbtui.engine.decisions import KEPT, Decision, DecisionLog
from arbtui.model.clock import LoopClock
from arbtui.model.virtual_loop import run_virtual


def test_the_newest_decision_is_first_and_each_is_as_it_was_told() -> None:
    async def main() -> None:
        clock = LoopClock(asyncio.get_running_loop())
        log = DecisionLog(clock)
        log.record("a", "OPENED", 12.5)
        first = clock.time_ms()
        await asyncio.sleep(1)
        log.record("a", "HEDGED", 12.25, "pnl +0.50")
        log.record("b", "COOLDOWN", -0.1)
        assert log.of_route("a") == [Decision(first + 1000, "HEDGED", 12.25, "pnl +0.50"), Decision(first, "OPENED", 12.5, "")]
        assert log.of_route("b") == [Decision(first + 1000, "COOLDOWN", -0.1, "")]
        assert not log.of_route("c")

    run_virtual(main())


def test_a_run_of_the_same_denial_is_one_line_that_counts() -> None:
    async def main() -> None:
        clock = LoopClock(asyncio.get_running_loop())
        log = DecisionLog(clock)
        for edge in (1.0, 2.0, 3.0):
            log.record("a", "COOLDOWN", edge)
            await asyncio.sleep(1)
        assert log.of_route("a") == [Decision(clock.time_ms() - 1000, "COOLDOWN", 3.0, "", 3)]
        log.record("a", "HEDGED", 4.0, "pnl +1.00")
        log.record("a", "HEDGED", 4.0, "pnl +1.00")  # two cycles, however alike
        assert [(one.word, one.count) for one in log.of_route("a")] == [("HEDGED", 1), ("HEDGED", 1), ("COOLDOWN", 3)]

    run_virtual(main())


def test_a_route_keeps_its_last_decisions_only() -> None:
    async def main() -> None:
        log = DecisionLog(LoopClock(asyncio.get_running_loop()))
        for number in range(3 * KEPT):
            log.record("a", f"word {number}", float(number), f"detail {number}")
        kept = log.of_route("a")
        wanted = range(3 * KEPT - 1, 2 * KEPT - 1, -1)
        assert [(one.word, one.edge_bps, one.detail) for one in kept] == [(f"word {n}", float(n), f"detail {n}") for n in wanted]

    run_virtual(main())
