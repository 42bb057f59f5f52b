"""A fee in a coin that nothing prices is a cost unknown, never nothing: it denies entries at the venue that took it, and only there."""

from decimal import Decimal

import pytest

from arbtui.exchanges.config import HealthConfig
from arbtui.exchanges.health import ExchangeHealthMonitor
from arbtui.journal.events import BalanceOpened
from arbtui.model.money import ONE, ZERO
from arbtui.model.order import Side
from arbtui.model.reason import Reason
from arbtui.portfolio.portfolio import Portfolio
from arbtui.risk.config import RiskConfig, default_limits
from arbtui.risk.tiers import ExchangeGuard
from tests.journal.synthetic import FixedClock
from tests.portfolio.telling import Telling, fill_of, leg

PRICES = {"XRP": Decimal("2.1"), "KRW": Decimal("0.0007")}
BNB = Decimal("0.001")


def _denied(portfolio: Portfolio) -> dict[str, Reason | None]:
    """What each venue's guard says."""
    limits = RiskConfig.model_validate(default_limits("paper")).exchange
    guards = {}
    for name in ("upbit", "binance"):
        health = ExchangeHealthMonitor(name, FixedClock(), HealthConfig())
        guards[name] = ExchangeGuard(name, limits, portfolio, lambda _: 0.0, health, lambda: None)
    return {name: guard.unpriced_fees() for name, guard in guards.items()}


def _told(*, most_cost: Decimal = ZERO, fee: Decimal = BNB) -> Telling:
    """A cycle buys at Binance, where BNB pays the fee; BNB is held at Upbit, too."""
    tell = Telling().start()
    tell(BalanceOpened("upbit", "BNB", ONE), BalanceOpened("binance", "BNB", ONE))
    tell.marks(PRICES, "start")
    bought = leg(0, "binance", Side.BUY, Decimal(10), Decimal("2.1"))
    tell.open("c1", bought, most_cost=most_cost)
    tell.fill("c1", fill_of("binance", Side.BUY, Decimal(10), Decimal("2.1"), "t1", fee=fee, fee_currency="BNB"), PRICES)
    return tell


@pytest.mark.parametrize("most_cost", [ZERO, ONE], ids=["usual", "reverse"])
def test_it_denies_the_venue_that_took_it_whatever_the_trade_was_for(most_cost: Decimal) -> None:
    """That of a reverse trade was seen by no limit; that of any other denied every venue that held the coin."""
    tell = _told(most_cost=most_cost)
    assert _denied(tell.portfolio) == {"upbit": None, "binance": Reason.NO_MARK}
    again = Portfolio.load(tell.portfolio.dump())
    assert _denied(again) == _denied(tell.portfolio), "a snapshot keeps it"
    tell.end("c1")
    tell.marks(PRICES)
    assert _denied(tell.portfolio)["binance"] is Reason.NO_MARK, "other prices say nothing of it"
    tell.marks({**PRICES, "BNB": Decimal(600)})
    assert _denied(tell.portfolio) == {"upbit": None, "binance": None}
    counters = tell.portfolio.state.counters
    if most_cost:
        assert counters.rotation == Decimal("-0.6")
    else:
        assert counters.fees == Decimal("0.6")


def test_the_next_start_lifts_it() -> None:
    tell = _told(most_cost=ONE)
    tell.start("r2")
    assert _denied(tell.portfolio) == {"upbit": None, "binance": None}


def test_no_fee_is_no_fee_whatever_its_coin_and_a_rebate_is_unknown_as_well() -> None:
    assert _denied(_told(fee=ZERO).portfolio)["binance"] is None
    assert _denied(_told(fee=-BNB).portfolio)["binance"] is Reason.NO_MARK


def test_a_coin_that_had_a_price_once_is_valued_at_that_one() -> None:
    """Its first mark has been, so what was not valued then would never be."""
    tell = Telling().start()
    tell.marks({**PRICES, "BNB": Decimal(600)}, "start")
    tell.open("c1", leg(0, "binance", Side.BUY, Decimal(10), Decimal("2.1")))
    tell.fill("c1", fill_of("binance", Side.BUY, Decimal(10), Decimal("2.1"), "t1", fee=BNB, fee_currency="BNB"), PRICES)
    assert _denied(tell.portfolio)["binance"] is None
    assert tell.portfolio.state.counters.fees == Decimal("0.6")
