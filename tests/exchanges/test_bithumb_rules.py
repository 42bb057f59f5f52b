import gzip
import json
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from arbtui.exchanges.bithumb.limits import LIMITS, banned, used
from arbtui.exchanges.bithumb.rules import KRW_PRICE_UNITS, krw_market
from arbtui.model.market import FeeTakenIn


@pytest.mark.parametrize(
    ("price", "unit"),
    [
        ("150000000", "1000"),
        ("1000000", "1000"),
        ("999500", "500"),
        ("500000", "500"),
        ("499900", "100"),
        ("100000", "100"),
        ("99950", "50"),
        ("50000", "50"),
        ("49990", "10"),
        ("10000", "10"),
        ("9995", "5"),
        ("5000", "5"),
        ("4999", "1"),
        ("1343", "1"),
        ("100", "1"),
        ("99.99", "0.01"),
        ("10", "0.01"),
        ("9.999", "0.001"),
        ("1", "0.001"),
        ("0.9999", "0.0001"),
        ("0.00001", "0.0001"),
    ],
)
def test_price_unit_of_each_band(price: str, unit: str) -> None:
    assert krw_market("BTC").price_units.at(Decimal(price)) == Decimal(unit)


def test_each_unit_divides_the_units_above_it() -> None:
    """The simulator rules a whole ladder by its highest price's unit; that is only right as long as this holds."""
    assert all(higher % lower == 0 for (_, higher), (_, lower) in pairwise(KRW_PRICE_UNITS.bands))


def test_krw_market_rules() -> None:
    market = krw_market("XRP")
    assert (market.code, market.key, market.quote) == ("KRW-XRP", "bithumb:KRW-XRP", "KRW")
    assert market.fees.taker == Decimal("0.0025")
    assert market.fees.taken_in is FeeTakenIn.QUOTE
    assert market.refusal(Decimal(3000), Decimal("1.66666667")) is None
    assert "MIN_COST" in (market.refusal(Decimal(3000), Decimal("1.66666666")) or "")
    assert "PRICE_UNIT" in (market.refusal(Decimal("3000.5"), Decimal(2)) or "")
    assert "LOT_STEP" in (market.refusal(Decimal(3000), Decimal("2.000000001")) or "")


def test_prices_of_a_recorded_list_lie_on_coarser_or_equal_grids(shared_data: Path) -> None:
    """The list of 2021, older than today's table: every price lies on some unit of the table, none is finer than its finest."""
    with gzip.open(shared_data / "markets" / "bithumb_ticker_ALL_KRW_2021-06-01.json.gz", "rt") as file:
        rows = json.load(file)["data"]
    prices = [Decimal(row["closing_price"]) for row in rows.values() if isinstance(row, dict)]
    assert len(prices) > 100
    finest = KRW_PRICE_UNITS.bands[-1][1]
    assert [price for price in prices if price % finest] == []


def test_the_use_of_public_limits_is_read_off_the_answers() -> None:
    headers = {"x-ratelimit-remaining": "120", "x-ratelimit-burst-capacity": "150", "x-ratelimit-replenish-rate": "150"}
    assert list(used(headers)) == [("quotation", 30.0)]
    assert list(used({**headers, "x-ratelimit-burst-capacity": "140"})) == []  # private: of which category is not told
    assert list(used({**headers, "x-ratelimit-remaining": "many"})) == []
    assert list(used({})) == []
    assert "quotation" in {limit.name for limit in LIMITS}


def test_a_refusal_for_too_many_requests_silences_its_own_category() -> None:
    assert banned(429, "", ("order",)) == ("order",)
    assert banned(429, "", ()) is None
    assert banned(418, "", ("order",)) is None
