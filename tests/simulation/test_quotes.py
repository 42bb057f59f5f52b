"""A venue of dollars is played in each currency that its row says is built there."""

import pytest

from arbtui.exchanges.venues import VENUES
from arbtui.model.errors import UsageError
from arbtui.simulation.played_venue import played_names, played_venue, simulated_markets

EACH = [(name, quote) for name in played_names() for quote in VENUES[name].quotes]


@pytest.mark.parametrize(("name", "quote"), EACH)
def test_it_is_played_in_each_and_its_rules_stay(name: str, quote: str) -> None:
    usual = simulated_markets(["XRP"], [name])[name]
    listed = simulated_markets(["XRP"], [name], currencies={name: quote})[name]
    (xrp,), (before,) = ([one for one in markets.values() if one.base == "XRP"] for markets in (listed, usual))
    assert xrp.quote == quote
    assert quote in xrp.code
    assert (xrp.price_units, xrp.lot_step, xrp.min_qty, xrp.min_cost, xrp.fees) == (
        before.price_units,
        before.lot_step,
        before.min_qty,
        before.min_cost,
        before.fees,
    )


def test_a_rate_between_two_dollar_coins_is_there_where_one_venue_quotes_in_each() -> None:
    listed = simulated_markets(["XRP"], ["binance", "okx"], currencies={"okx": "USDC"})
    assert [one.code for one in listed["binance"].values() if one.base == "USDC"] == ["USDCUSDT"]
    assert {one.quote for one in listed["okx"].values()} == {"USDC"}


@pytest.mark.parametrize(("name", "quote"), [("upbit", "USDC"), ("binance", "EUR")])
def test_what_is_not_played_is_refused(name: str, quote: str) -> None:
    with pytest.raises(UsageError, match=f"the simulator plays no {quote} markets of {name}"):
        played_venue(name).quoting(quote)
