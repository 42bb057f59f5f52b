"""A round over three markets of one venue, live: its own money into BTC, BTC into ETH, ETH into its own money, and the books agree."""

from decimal import Decimal
from pathlib import Path

import pytest

from arbtui.execution.plan import CyclePlan, Tolerances, plan_of
from arbtui.journal.events import CycleState, LegAfter, On
from arbtui.model.book import BookState
from arbtui.model.money import ONE, decimal_of
from arbtui.model.order import Side
from arbtui.routes.hops import RateMark, TradeHop
from arbtui.routes.route import ArbRoute, SizedHop
from arbtui.routes.size import kept_of_bought
from arbtui.simulation.config import SimulatorConfig
from tests.faults.desk import Desk, desk, play
from tests.routes.pairs import TERMS

CODES = {"upbit": ("KRW-BTC", "BTC-ETH", "KRW-ETH"), "binance": ("BTCUSDT", "ETHBTC", "ETHUSDT")}
QTY = Decimal("0.028")  #: ETH, worth about a hundred dollars
AFTER = {number: (LegAfter(number - 1, On.ARRIVAL),) for number in (1, 2)}


def triangle(d: Desk, venue: str) -> CyclePlan:
    """A round of :data:`QTY`: as much BTC for it as it costs at most. Prices up to 1 % beyond the touch, 0.3 % where BTC are left of it."""
    parts = d.engine.components
    coin, cross, asset = (d.venues.markets[venue][code] for code in CODES[venue])
    hops = [
        TradeHop(market, parts.aggregator.books[venue, market.code], side)
        for market, side in ((coin, Side.BUY), (cross, Side.BUY), (asset, Side.SELL))
    ]
    cross_price = cross.price_up(decimal_of(hops[1].book.ask * 1.003))
    spent = coin.qty_up(QTY * cross_price * (ONE + cross.fees.taker) / kept_of_bought(coin))
    orders = [
        SizedHop(hops[0], spent, coin.price_up(decimal_of(hops[0].book.ask * 1.01))),
        SizedHop(hops[1], QTY, cross_price),
        SizedHop(hops[2], asset.qty_down(QTY * kept_of_bought(cross)), asset.price_down(decimal_of(hops[2].book.bid * 0.99))),
    ]
    route = ArbRoute(f"BTC>ETH:{venue}", "ETH", [*hops, RateMark(coin.quote, coin.quote)], parts.rates, TERMS)
    now = parts.clock.monotonic()
    return plan_of(route, orders, AFTER, Tolerances(200.0, 200.0), edge_bps=5.0, value=98.0, decided_at=now, deadline_s=10.0)


@pytest.mark.parametrize("venue", CODES)
def test_a_round_over_a_cross_market_is_traded_and_booked_and_the_venue_agrees(venue: str, tmp_path: Path) -> None:
    async def main() -> None:
        settings = {"execution": {"min_edge_bps": 500.0, "max_decision_age_ms": 5000}}  # nothing else opens
        async with desk(tmp_path, ("BTC", "ETH"), simulator=SimulatorConfig(scenario="calm"), cross_quotes=["BTC"], settings=settings) as d:
            books = d.engine.components.aggregator.books
            await d.until(lambda: all(books[venue, code].state is BookState.LIVE for code in CODES[venue]), "the three books")
            said: list[object] = []

            def opens() -> bool:
                said.append(d.engine.open(triangle(d, venue)))
                return said[-1] is None

            await d.until(opens, f"the round opens; refusals: {said}")
            await d.until(lambda: not d.engine.executor.open, "the round ends")
            (cycle,) = d.engine.cycles.values()
            assert cycle.state is CycleState.HEDGED, [(order.leg, order.state, order.reason) for order in cycle.orders]
            await d.agree()
            ledger = d.ledger()
            fills = [fill for fill in ledger["fills"] if fill["market"] == CODES[venue][1]]
            assert {(fill["quote"], fill["fee_currency"]) for fill in fills} == {("BTC", "BTC" if venue == "upbit" else "ETH")}
            assert {fill["market"] for fill in ledger["fills"]} == set(CODES[venue])
            (row,) = ledger["cycles"]
            assert -5.0 < float(row["pnl"]["total"]) < 0.0, row["pnl"]  # it cost three fees and spreads: nothing was planted

    play(main)
