"""One cycle in full: from the running engine, and from the journal after a restart."""

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest

from arbtui.model.money import plain
from arbtui.model.virtual_loop import run_virtual
from arbtui.monitoring.log import LogRing
from arbtui.portfolio.ledger import read_ledger
from arbtui.portfolio.past_cycles import past_cycles
from arbtui.simulation.faults import Fault, FaultKind
from arbtui.views.live import EngineViews
from tests.execution.world import UPBIT_DEAR, world
from tests.views.test_detail import views_of


def test_a_hedged_cycle_tells_both_legs(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            await w.trade()
            views = views_of(w)
            (line,) = views.cycles()
            told = views.cycle(line.id)
            assert told is not None
            assert (told.state, told.reason, line.reason) == ("HEDGED", "", "")
            assert [(order.side, order.exchange, order.state) for order in told.orders] == [
                ("buy", "BINANCE", "FILLED"),
                ("sell", "UPBIT", "FILLED"),
            ]
            for order in told.orders:
                assert order.ordered == order.filled
                assert Decimal(order.average) > 0
                assert order.fees
                assert order.client_order_id
                assert order.venue_order_id
            assert told.pnl["currency"] == "USDT"
            assert views.cycle("nobody") is None
        async with world(tmp_path) as w:
            earlier = EngineViews(w.engine, "SIM", "", LogRing(), past_cycles(w.journal.path))
            before = earlier.cycle(line.id)
            assert before is not None
            assert (before.orders, before.pnl, before.reason) == (told.orders, told.pnl, told.reason)

    run_virtual(main())


def test_an_open_cycle_tells_what_is_uncovered_and_the_way_out(tmp_path: Path) -> None:
    """Upbit's answer is lost: until it is found, the purchase at Binance may be one-sided."""

    async def main() -> None:
        async with world(tmp_path) as w:
            w.upbit.core.faults.add(Fault(FaultKind.REQUEST_LOST))
            w.show("upbit", UPBIT_DEAR)
            await asyncio.sleep(1.5)
            (line,) = views_of(w).cycles()
            told = views_of(w).cycle(line.id)
            assert told is not None
            assert told.state == "WORKING"
            bought, _ = (Decimal(order.filled) for order in told.orders)
            kept = bought * Decimal("0.999")
            (exposure,) = told.exposure
            assert exposure.startswith(f"XRP: 0 covered, 0 under way, {plain(kept)} uncovered")
            assert told.way_out.startswith(f"sell {plain(kept.quantize(Decimal('0.1')))} XRP at BINANCE, at worst 2.")
            assert 100 < float(told.naked.split()[0]) < 160, "about 100 USDT for 1.4 s"
            await w.engine.executor.quiet.wait()
            told = views_of(w).cycle(line.id)
            assert told is not None
            assert (told.exposure, told.way_out) == ((), "")
            value_s, most = told.naked.split(" in all, ")
            assert 200 < float(value_s.removesuffix(" USDT s")) < 900, "100 USDT until the order was proved absent, and the leg completed"
            assert 95 < float(most.split()[0]) < 110
            assert w.engine.executor.naked()[1] == pytest.approx(float(most.split()[0]), abs=0.01)

    run_virtual(main())


def test_a_cycle_in_which_nothing_filled_tells_why(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            for venue in w.venues.values():
                venue.core.faults.add(Fault(FaultKind.REJECT))
            w.show("upbit", UPBIT_DEAR)
            await w.engine.executor.quiet.wait()
            await asyncio.sleep(0)
            (line,) = views_of(w).cycles()
            told = views_of(w).cycle(line.id)
            assert told is not None
            assert line.trades == ()
            assert line.reason == told.reason != ""
            assert all(order.filled == "0" and order.average == "" for order in told.orders)

    run_virtual(main())


def test_a_cycle_tells_the_venues_that_filled_and_no_average_over_two_currencies(tmp_path: Path) -> None:
    """Bought at Binance; Upbit took a part of the sale, and the rest went back to Binance: two sales, in won and in dollars."""

    async def main() -> None:
        async with world(tmp_path) as w:
            w.show("upbit", UPBIT_DEAR)
            await asyncio.sleep(0.01)  # the orders are under way
            w.quote("upbit", ([(3030.0, 20.0), (2900.0, 400.0)], UPBIT_DEAR[1]))
            await w.engine.executor.quiet.wait()
            views = views_of(w)
            (line,) = views.cycles()
            (cycle,) = w.engine.cycles.values()
            assert (line.state, line.planned) == ("UNWOUND", "BINANCE→UPBIT")
            assert {(one.exchange, one.side, one.base, one.quote) for one in line.trades} == {
                ("BINANCE", "buy", "XRP", "USDT"),
                ("UPBIT", "sell", "XRP", "KRW"),
                ("BINANCE", "sell", "XRP", "USDT"),
            }
            prices = {(one.exchange, one.side): one.price for one in line.trades}
            assert prices == {("BINANCE", "buy"): 2.14, ("UPBIT", "sell"): 3030.0, ("BINANCE", "sell"): 2.1399}
            quantities = {(one.exchange, one.side): one.qty for one in line.trades}
            assert quantities["UPBIT", "sell"] == 20.0
            assert quantities["BINANCE", "sell"] == pytest.approx(quantities["BINANCE", "buy"] - 20.0, abs=0.1)
            told = views.cycle(line.id)
            assert told is not None
            undone = told.orders[-1]
            assert (undone.exchange, undone.side, undone.purpose, undone.average, undone.quote) == (
                *("BINANCE", "sell", "unwind", "2.1399", "USDT"),
            )
            (row,) = read_ledger(w.journal.path)["cycles"]
            assert [leg["exchange"] for leg in row["legs"]] == ["binance", "upbit"]
            filled = {(one["exchange"], one["side"], one["quote"]): one for one in row["filled"]}
            assert filled.keys() == {("binance", "buy", "USDT"), ("upbit", "sell", "KRW"), ("binance", "sell", "USDT")}
            assert (filled["upbit", "sell", "KRW"]["price"], filled["binance", "sell", "USDT"]["price"]) == ("3030", "2.1399")
            costs = {key: Decimal(one["cost"]) for key, one in filled.items()}
            assert costs == {
                key: sum((fill.cost for fill in cycle.fills if (fill.exchange, fill.side, fill.quote) == key), Decimal(0)) for key in costs
            }
        async with world(tmp_path) as w:
            (again,) = EngineViews(w.engine, "SIM", "", LogRing(), past_cycles(w.journal.path)).cycles()
            assert (again.planned, set(again.trades)) == (line.planned, set(line.trades))

    run_virtual(main())


def test_a_sale_that_was_refused_is_shown_where_it_was_undone(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            w.upbit.core.faults.add(*[Fault(FaultKind.REJECT)] * 9)
            cycle = await w.trade()
            assert cycle.state == "UNWOUND"
            (line,) = views_of(w).cycles()
            assert [(one.exchange, one.side) for one in line.trades] == [("BINANCE", "buy"), ("BINANCE", "sell")]

    run_virtual(main())
