"""What a simulated venue books as an order's fee is what its row declares."""

from decimal import Decimal

import pytest

from arbtui.exchanges.venues import VENUES
from arbtui.model.money import ceil_to
from arbtui.simulation.fees import booked_fee
from arbtui.simulation.played_venue import simulated_markets

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
