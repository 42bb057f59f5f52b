"""What limits count of fills that come late: after their cycle's end, or on another day than the cycle's first."""

from decimal import Decimal

import pytest

from arbtui.journal.events import CycleState
from arbtui.model.money import ONE, ZERO
from arbtui.model.order import OrderState, Side
from arbtui.portfolio.portfolio import Portfolio
from tests.portfolio.telling import Telling, fill_of, leg

PRICES = {"KRW": Decimal("0.0007"), "XRP": Decimal("2.1"), "USDT": ONE}
QTY = Decimal(10)
ROUTE = "XRP:binance>upbit"


@pytest.mark.parametrize("sold_first", [True, False], ids=["was hedged", "was missed"])
def test_a_late_fill_that_leaves_a_leg_over_counts_as_one_of_the_hour(sold_first: bool) -> None:
    """A cycle counted as it had ended: a venue that told its fills late brought any number of one-sided cycles in an hour."""
    tell = Telling().start()
    tell.marks(PRICES, "start")
    tell.open("c1", leg(0, "binance", Side.BUY, QTY, Decimal("2.1")), leg(1, "upbit", Side.SELL, QTY, Decimal(3000)))
    if sold_first:
        tell.fill("c1", fill_of("binance", Side.BUY, QTY, Decimal("2.1"), "b1", client_order_id="c1-0"), PRICES)
        tell.fill("c1", fill_of("upbit", Side.SELL, QTY, Decimal(3000), "s1", client_order_id="c1-1"), PRICES)
    for key in ("c1-0", "c1-1"):
        tell.order(key, OrderState.FILLED if sold_first else OrderState.EXPIRED, QTY if sold_first else ZERO)
    tell.end("c1")
    (cycle,) = tell.portfolio.state.cycles.values()
    assert cycle.state is (CycleState.HEDGED if sold_first else CycleState.MISSED)
    assert ROUTE not in tell.portfolio.state.routes or tell.portfolio.state.routes[ROUTE].parted == []
    for trade_id in ("late", "later"):  # once, however many come
        tell.fill("c1", fill_of("binance", Side.BUY, QTY, Decimal("2.1"), trade_id, client_order_id="c1-0"), PRICES)
        assert [one.id for one in tell.portfolio.positions] == ["c1"]
        assert len(tell.portfolio.state.routes[ROUTE].parted) == 1
    assert Portfolio.load(tell.portfolio.dump()).state.routes[ROUTE].parted == tell.portfolio.state.routes[ROUTE].parted


def test_what_a_reverse_trade_of_yesterday_gives_back_is_no_budget_of_today() -> None:
    """Charged before midnight, and earned back by the second leg after it: the new day could spend more than its part."""
    tell = Telling().start()
    tell.marks(PRICES, "day")
    tell.open("c1", leg(0, "binance", Side.BUY, QTY, Decimal("2.3")), leg(1, "upbit", Side.SELL, QTY, Decimal(3000)), most_cost=ONE * 3)
    tell.fill("c1", fill_of("binance", Side.BUY, QTY, Decimal("2.3"), "b1", client_order_id="c1-0"), PRICES)
    assert tell.portfolio.rebalance_spent_today() == 2
    tell.marks(PRICES, "day", "2026-01-02")
    tell.fill("c1", fill_of("upbit", Side.SELL, QTY, Decimal(3200), "s1", client_order_id="c1-1"), PRICES)
    assert tell.portfolio.rebalance_spent_today() == 0
    assert tell.portfolio.state.rebalance_spent == Decimal("0.6")
    tell.end("c1")
    tell.open("c2", leg(0, "binance", Side.BUY, QTY, Decimal("2.2")), most_cost=ONE * 3)
    tell.fill("c2", fill_of("binance", Side.BUY, QTY, Decimal("2.2"), "b2", client_order_id="c2-0"), PRICES)
    assert tell.portfolio.rebalance_spent_today() == 1
    tell.fill("c2", fill_of("upbit", Side.SELL, QTY, Decimal(3200), "s2", client_order_id="c2-1"), PRICES)
    assert tell.portfolio.rebalance_spent_today() == 0, "of today it is given back as far as it was charged"
    assert Portfolio.load(tell.portfolio.dump()).rebalance_spent_today() == 0
