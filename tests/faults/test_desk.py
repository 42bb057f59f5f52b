"""The bench of the fault tests itself: without a fault everything agrees, and a fault that was scripted is seen to happen."""

from pathlib import Path

from arbtui.journal.events import CycleState
from arbtui.sandbox.faults import WireFaultKind
from tests.faults.desk import desk, play


def test_a_desk_without_a_fault_trades_agrees_and_ends_in_order(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path) as d:
            await d.cycles(3, CycleState.HEDGED)
            await d.agree()
            assert d.posts
            assert await d.stop() == 0
            await d.agree()

    play(main)


def test_a_fault_tells_how_often_it_was_met(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path) as d:
            lost = d.fault("binance", WireFaultKind.RESET_AFTER, count=2)
            assert lost.met == 0
            await d.met(lost, times=2)
            await d.healthy()
            await d.agree()

    play(main)
