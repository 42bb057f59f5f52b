"""Fees of fills that a start books: one in a coin that nothing prices denies its venue, as any other, and is told."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from arbtui.exchanges.rate_limit import Lane
from arbtui.journal.events import CycleState, Mark
from arbtui.model.order import Fill
from arbtui.model.reason import Reason
from arbtui.model.virtual_loop import run_virtual
from arbtui.risk.breach import Severity
from tests.execution.world import Venue, World, world
from tests.failover.test_missed_fills import _hide
from tests.failover.test_recovery import _cut_off, _lose


@pytest.mark.parametrize("late", [False, True], ids=["of an open order", "of an ended one"])
def test_a_fee_that_recovery_books_in_a_coin_that_nothing_prices_is_told(tmp_path: Path, late: bool) -> None:
    """It denied the venue, and nobody was told why: only fills that a run booked itself were looked at."""

    def in_bnb(fill: Fill) -> Fill:
        return replace(fill, fee=Decimal("0.0002"), fee_currency="BNB")

    def bend(venues: Mapping[str, Venue]) -> None:
        venue = venues["binance"]
        venue.bend_look_up = lambda one: None if one is None else replace(one, fills=tuple(map(in_bnb, one.fills)))
        told = venue.fetch_fills

        async def fetch_fills(since_ms: int, lane: Lane = Lane.DATA) -> list[Fill]:
            return [in_bnb(fill) for fill in await told(since_ms, lane)]

        venue.fetch_fills = fetch_fills  # type: ignore[method-assign]

    def told(w: World) -> list[tuple[str, Severity]]:
        return [(row.scope, row.severity) for row in w.engine.breaches.breaches.values() if row.kind == Reason.NO_MARK]

    async def main() -> None:
        if late:
            async with world(tmp_path) as w:
                await _hide(w.binance)
                assert (await w.trade()).state is CycleState.HEDGED
        else:
            await _cut_off(tmp_path, _lose())
        async with world(tmp_path, on_open=bend) as w:
            assert w.reconciled.fills == (1 if late else 2)
            assert w.engine.risk.exchange["binance"].unpriced_fees() is Reason.NO_MARK
            assert told(w) == [], "its price may come with the first books"
            await asyncio.sleep(6)
            assert told(w) == [("binance", Severity.CRIT)]

    run_virtual(main())


def test_a_fee_that_recovery_books_in_a_coin_whose_price_comes_with_the_first_books_is_not_told(tmp_path: Path) -> None:
    async def main() -> None:
        await _cut_off(tmp_path, _lose())

        def bend(venues: Mapping[str, Venue]) -> None:
            venues["binance"].bend_look_up = lambda one: (
                None
                if one is None
                else replace(one, fills=tuple(replace(fill, fee=Decimal("0.0002"), fee_currency="BNB") for fill in one.fills))
            )

        async with world(tmp_path, on_open=bend) as w:
            w.components.marks.restore({"BNB": Mark(Decimal(600), "binance:BNBUSDT", 0)})
            await asyncio.sleep(6)
            assert [row for row in w.engine.breaches.breaches.values() if row.kind == Reason.NO_MARK] == []
            assert w.engine.risk.exchange["binance"].unpriced_fees() is None

    run_virtual(main())
