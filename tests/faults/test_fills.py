"""Orders in docs/faults.md, F13, F14 and F16: fills told twice, late, out of order, by nobody, and with odd fees."""

from decimal import Decimal
from math import inf
from pathlib import Path

import pytest

from arbtui.journal.events import CycleState
from arbtui.model.money import ZERO
from arbtui.model.order import OrderState, Side
from arbtui.sandbox.faults import WireFaultKind
from arbtui.simulation.order_request import OrderRequest
from arbtui.simulation.played_venue import DEFAULT_VENUES as VENUES
from tests.faults.desk import Desk, desk, play
from tests.faults.test_order_path import deaf

K = WireFaultKind


def test_f13_fills_told_twice_out_of_order_before_the_answer_and_by_both_ways_count_once(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path) as d:
            slow = [d.fault(venue, K.DELAY, ms=200, on="order", count=6) for venue in VENUES]  # the stream is first then
            events = [d.fault(venue, kind, count=6) for venue in VENUES for kind in (K.DUPLICATE, K.REORDER, K.LOSE)]
            await d.met(*slow, *events, times=6)
            d.fault("binance", K.RESET_AFTER, count=2)
            await d.healthy()
            await d.agree()
            assert d.breaches("LATE_FILL") == []

    play(main)


@pytest.mark.parametrize("venue", VENUES)
def test_f13_a_fill_before_the_cancel_and_one_after_it_are_both_booked(venue: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path) as d:
            order = await d.resting(venue)
            half = order.market.qty_down(order.qty / 2)
            d.fill_at_venue(order, half)
            await d.until(lambda: order.filled_qty == half, "half of it filled")
            for kind in (K.REORDER, K.DUPLICATE):
                d.fault(venue, kind, count=3)
            d.fill_at_venue(order, half / 2)
            await d.venues.adapters[venue].cancel(order.market.code, order.client_order_id)
            await d.until(lambda: order.state is OrderState.CANCELED, "the rest is cancelled")
            assert order.filled_qty > half
            await d.healthy()
            await d.agree()

    play(main)


@pytest.mark.parametrize("venue", VENUES)
def test_f14_a_fill_that_nobody_tells_is_asked_for(venue: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path) as d:
            frozen = deaf(d)
            order = await d.resting(venue, for_s=5.0)
            met = {fault.venue: fault.met for fault in frozen}
            d.fill_at_venue(order, order.qty)
            await d.until(lambda: order.state is OrderState.FILLED, "the fill is found")
            assert sum(fault.met for fault in frozen) > sum(met.values()), "it was told, to nobody"
            await d.healthy()
            await d.agree()

    play(main)


def test_f14_a_persons_fill_that_nobody_tells_is_found_by_the_poll(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path) as d:
            deaf(d)
            await d.settle()
            core = d.box.cores["binance"]
            market = core.markets["XRPUSDT"]
            book = d.engine.components.aggregator.books["binance", "XRPUSDT"]
            await d.until(lambda: book.ask < inf, "the book is there")
            price = market.price_up(Decimal(str(book.ask)) * Decimal("1.01"))
            report = await core.execute(OrderRequest("byhand", "XRPUSDT", Side.BUY, Decimal(50), price))
            assert report.filled_qty
            await d.until(lambda: bool(d.breaches("ACCOUNT_SHARED")), "it is told")
            (told, *_) = d.breaches("ACCOUNT_SHARED")
            assert "byhand" in told.detail
            assert [halt.scope for halt in d.engine.components.risk.halts.standing] == ["exchange.binance"]

    play(main)


def sold_and_bought(d: Desk) -> list[tuple[Decimal, Decimal, Decimal]]:
    """Of each hedged cycle that bought at Binance: what was bought before fees and net of them, and what was sold."""
    cycle_of = {row["client_order_id"]: row["cycle_id"] for row in d.ledger()["orders"]}
    found = []
    for cycle in d.ledger()["cycles"]:
        fills = [fill for fill in d.venue_fills().values() if cycle_of[fill.client_order_id] == cycle["id"]]
        bought = [fill for fill in fills if fill.side is Side.BUY and fill.exchange == "binance"]
        if cycle["state"] == CycleState.HEDGED and bought and all(fill in bought for fill in fills if fill.side is Side.BUY):
            gross = sum((fill.qty for fill in bought), ZERO)
            in_coin = sum((fill.fee for fill in bought if fill.fee_currency == fill.base), ZERO)
            found.append((gross, gross - in_coin, sum((fill.qty for fill in fills if fill.side is Side.SELL), ZERO)))
    return found


def test_f16_what_is_sold_is_what_is_left_of_a_purchase_after_its_fee_in_the_coin(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path) as d:
            await d.until(lambda: sum(1 for route in d.engine.portfolio.state.routes if ":binance>" in route) >= 2, "it buys at Binance")
            await d.healthy()
            await d.agree()
            cycles = sold_and_bought(d)
            assert cycles
            for gross, net, sold in cycles:
                assert net < gross
                assert abs(net - sold) * 50 <= gross
                assert abs(net - sold) < abs(gross - sold) or abs(net - sold) < Decimal(1)

    play(main)


@pytest.mark.parametrize("known", [True, False], ids=["known at start", "changed later"])
def test_f16_a_fee_in_a_third_coin_is_taken_from_that_coin_and_from_nothing_else(known: bool, tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path, start=False) as d:
            await d.box.deposit("binance", "BNB", "10")
            if known:
                d.fault("binance", K.FEE_COIN)
            await d.start()
            if not known:
                await d.cycles(1, CycleState.HEDGED)
            before = d.engine.portfolio.total("binance", "BNB")
            if known:
                await d.cycles(4, CycleState.HEDGED)
                await d.healthy()
            else:  # nothing prices it in this run, so nothing more opens there
                d.fault("binance", K.FEE_COIN)
                await d.until(lambda: bool(d.breaches("NO_MARK")), "it is told")
            await d.agree()
            fees = {fill.fee_currency for fill in d.venue_fills().values() if fill.exchange == "binance"}
            assert "BNB" in fees
            assert fees == {"BNB"} or not known
            assert d.engine.portfolio.total("binance", "BNB") != before

    play(main)
