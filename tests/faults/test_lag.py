"""A stream that falls behind under a live session: its messages keep coming, and its prices are old."""

from pathlib import Path

import pytest

from arbtui.model.reason import Reason
from arbtui.sandbox.faults import WireFaultKind as K
from tests.faults.desk import Desk, desk, play

_LIMITS = {"risk": {"symbol": {"max_excess_delay_ms": 600, "max_leg_skew_ms": 600}}}


def refusals(d: Desk) -> set[Reason | None]:
    """Why each route would open nothing now."""
    now = d.engine.components.clock.monotonic()
    return {d.engine.risk.symbol.check(route, now) for route in d.engine.components.universe.routes}


@pytest.mark.parametrize("venue", ["upbit", "binance"])
def test_a_stream_that_lags_is_not_traded_on_until_it_has_caught_up(tmp_path: Path, venue: str) -> None:
    async def main() -> None:
        async with desk(tmp_path, settings=_LIMITS) as d:
            await d.cycles(1)
            d.fault(venue, K.LAG, ms=850)
            await d.until(lambda: refusals(d) == {Reason.EXCESS_DELAY}, "the lag is seen")
            opened = d.engine.portfolio.state.tally.opened
            await d.until(lambda: d.engine.risk.denials.get(Reason.EXCESS_DELAY, 0) > 3, "edges are doubted")
            assert d.engine.portfolio.state.tally.opened == opened
            d.box.faults[venue].clear()
            await d.cycles(1)
            await d.agree()

    play(main)


def test_a_lag_that_grows_slowly_is_seen_all_the_same(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path, settings=_LIMITS) as d:
            await d.cycles(1)
            d.fault("binance", K.LAG, ms=0, growth_ms_per_s=150.0)
            await d.until(lambda: Reason.EXCESS_DELAY in refusals(d), "the lag is seen")
            assert max(delay.excess for delay in d.engine.components.aggregator.delays.sockets("binance")) > 600.0

    play(main)


def test_a_quiet_market_on_a_live_socket_trades(tmp_path: Path) -> None:
    async def main() -> None:
        settings = {"risk": {"symbol": {"max_book_age_ms": 1000}}}
        async with desk(tmp_path, settings=settings) as d:
            await d.cycles(1)
            book = d.engine.components.aggregator.books["upbit", "KRW-XRP"]
            d.fault("upbit", K.FREEZE, symbol="KRW-XRP", seconds=1.6)
            clock = d.engine.components.clock
            await d.until(lambda: clock.monotonic() - book.ts_init > 1.2, "its book has not changed for longer than the limit")
            assert d.engine.risk.symbol.is_current(book, clock.monotonic())

    play(main)
