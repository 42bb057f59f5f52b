"""The course of equity: what the portfolio is worth at live prices, a point a minute for a day."""

import asyncio
from itertools import pairwise
from pathlib import Path

import pytest

from arbtui.model.turns import Turns
from arbtui.model.virtual_loop import run_virtual
from arbtui.views.equity import EquityHistory, EquityPoint
from tests.execution.world import world
from tests.views.test_detail import views_of


def test_points_are_a_minute_apart_but_for_the_newest_and_a_day_is_kept() -> None:
    history = EquityHistory()
    for second in range(0, 2 * 86_400, 20):
        history.add(EquityPoint(second * 1000, float(second), 0.0))
    times = [point.ts_ms for point in history.points]
    assert times[-1] == (2 * 86_400 - 20) * 1000
    assert {after - before for before, after in pairwise(times[:-1])} == {60_000}
    assert 86_300_000 <= times[-1] - times[0] <= 86_500_000


def test_a_point_is_the_portfolios_value_and_the_headers_trading(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            views = views_of(w)
            await asyncio.sleep(1)  # the run's first marks are taken
            await views.note_equity(Turns())
            await w.trade()
            await asyncio.sleep(60)
            await views.note_equity(Turns())
            first, last = views.equity.points
            parts = w.components
            worth = w.portfolio.value(parts.marks.prices(list(w.portfolio.state.counters.qty)))
            assert last.equity == pytest.approx(float(worth.equity))
            assert last.trading == views.header().trading_session > 0.0
            assert last.ts_ms - first.ts_ms >= 60_000
            assert last.equity - first.equity == pytest.approx(views.header().pnl_session, abs=0.01)

    run_virtual(main())


def test_nothing_is_noted_while_an_asset_has_no_price(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, keep_fresh=False) as w:
            views = views_of(w)
            w.components.marks.prices = lambda assets: {}  # type: ignore[method-assign]
            assert not await views.note_equity(Turns())
            assert views.equity.points == ()

    run_virtual(main())
