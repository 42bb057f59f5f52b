"""Breaches: told at most once a minute for each cause and place."""

import asyncio
from pathlib import Path

from arbtui.model.virtual_loop import run_virtual
from arbtui.risk.breach import Severity
from tests.execution.world import world


def test_a_breach_is_repeated_after_a_minute_and_places_of_long_ago_are_forgotten(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            book = w.engine.breaches

            def told(kind: str, scope: str, *, every_time: bool = False) -> bool:
                return book.record(Severity.WARN, kind, scope, "", "", every_time=every_time) is not None

            known = len(book._last)
            for number in range(100):
                assert told("RESIDUAL", f"cycle {number}", every_time=True)
            assert told("IN_FLIGHT", "upbit")
            await asyncio.sleep(30)
            assert [told("IN_FLIGHT", "upbit"), told("IN_FLIGHT", "binance")] == [False, True]
            assert len(book._last) == known + 102
            await asyncio.sleep(31)
            assert [told("IN_FLIGHT", "binance"), told("IN_FLIGHT", "upbit")] == [False, True]
            assert len(book._last) == 2

    run_virtual(main())
