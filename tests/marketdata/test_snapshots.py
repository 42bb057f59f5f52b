"""Questions for depth snapshots: one market's follow one another more and more rarely, and never keep others waiting."""

import asyncio
from itertools import pairwise

from arbtui.marketdata.snapshots import SnapshotRequester
from arbtui.model.clock import LoopClock
from arbtui.model.rng import Rng
from arbtui.model.virtual_loop import run_virtual


def test_a_market_that_asks_again_and_again_is_asked_for_less_and_less_often() -> None:
    async def main() -> None:
        clock = LoopClock(asyncio.get_running_loop())
        asked: dict[str, list[float]] = {"bad": [], "good": []}

        async def fetch(code: str) -> None:
            asked[code].append(clock.monotonic())
            if code == "bad":  # its answer never does: the book asks at once for another
                asyncio.get_running_loop().call_later(0.01, requester.want, code)

        requester = SnapshotRequester(fetch, clock, Rng(1).stream("test"))
        running = asyncio.create_task(requester.run())
        requester.want("bad")
        await asyncio.sleep(100.0)
        gaps = [round(later - earlier, 2) for earlier, later in pairwise(asked["bad"])]
        assert gaps[:5] == [0.6, 1.2, 2.4, 4.8, 9.6]
        assert set(gaps[5:]) == {10.0}
        requester.want("good")
        await asyncio.sleep(0.001)
        assert len(asked["good"]) == 1, "another market is asked for at once"
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    run_virtual(main())


def test_a_calm_market_is_asked_for_at_once_again() -> None:
    async def main() -> None:
        clock = LoopClock(asyncio.get_running_loop())
        asked: list[float] = []

        async def fetch(code: str) -> None:
            asked.append(clock.monotonic())

        requester = SnapshotRequester(fetch, clock, Rng(1).stream("test"))
        running = asyncio.create_task(requester.run())
        for _ in range(4):
            requester.want("market")
            await asyncio.sleep(61.0)
        assert [round(later - earlier, 6) for earlier, later in pairwise(asked)] == [61.0] * 3
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    run_virtual(main())
