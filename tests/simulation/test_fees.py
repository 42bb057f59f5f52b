"""What a simulated venue books as an order's fee is what its row declares."""

from decimal import Decimal

import pytest

from arbtui.exchanges.venues import VENUES
from arbtui.model.money import ceil_to
from arbtui.simulation.fees import FeeCoin, booked_fee
from arbtui.simulation.played_venue import played_venue, simulated_markets

EXACT = Decimal("349.0648378456512")
PLAYED = ("upbit", "bithumb", "coinone", "binance", "bybit", "okx", "bitget")


@pytest.mark.parametrize("venue", PLAYED)
def test_a_fee_is_rounded_as_the_venue_declares_and_else_not_at_all(venue: str) -> None:
    step = VENUES[venue].fee_step
    for market in simulated_markets(3, (venue, "binance" if VENUES[venue].quotes[0] == "KRW" else "upbit"))[venue].values():
        booked = booked_fee(market, EXACT)
        assert booked == (EXACT if step is None else ceil_to(EXACT, step))


def test_some_venue_rounds_and_some_does_not() -> None:
    assert {VENUES[venue].fee_step is None for venue in PLAYED} == {True, False}


def test_a_fee_in_the_venues_own_coin_has_the_coins_decimals() -> None:
    steps = {venue: played_venue(venue).fee_coin_step for venue in PLAYED if played_venue(venue).fee_coin is not None}
    assert steps == {"binance": Decimal("1e-8"), "bybit": Decimal("1e-8"), "bitget": Decimal("1e-12")}
    (market,) = (market for market in simulated_markets(["XRP"], ("upbit", "binance"))["binance"].values() if market.base == "XRP")
    cost = Decimal("17.3")  # 0.1 %, less a quarter, at 0.7: 0.018535714...
    assert FeeCoin("BNB", Decimal("0.7")).fee(market, cost) == Decimal("0.01853572")
    assert FeeCoin("BGB", Decimal("0.7"), Decimal("1e-12")).fee(market, cost) == Decimal("0.018535714286")
