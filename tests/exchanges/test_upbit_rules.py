from decimal import Decimal
from itertools import pairwise

import pytest

from arbtui.exchanges.upbit.rules import KRW_PRICE_UNITS, krw_market
from arbtui.model.market import FeeTakenIn


@pytest.mark.parametrize(
    ("price", "unit"),
    [
        ("138000000", "1000"),
        ("1000000", "1000"),
        ("999999", "500"),
        ("500000", "500"),
        ("100000", "100"),
        ("50000", "50"),
        ("10000", "10"),
        ("5000", "5"),
        ("4999", "1"),
        ("1000", "1"),
        ("999", "1"),
        ("100", "1"),
        ("99.9", "0.1"),
        ("10", "0.1"),
        ("9.99", "0.01"),
        ("1", "0.01"),
        ("0.1", "0.001"),
        ("0.01", "0.0001"),
        ("0.001", "0.00001"),
        ("0.0001", "0.000001"),
        ("0.00009", "0.0000001"),
    ],
)
def test_price_unit_of_each_band(price: str, unit: str) -> None:
    assert krw_market("BTC").price_units.at(Decimal(price)) == Decimal(unit)


@pytest.mark.parametrize(("price", "unit"), [("1400", "0.5"), ("9999.5", "0.5"), ("10000", "10"), ("999", "1")])
def test_stablecoins_have_a_finer_unit_between_1000_and_10000(price: str, unit: str) -> None:
    assert krw_market("USDT").price_units.at(Decimal(price)) == Decimal(unit)


def test_each_unit_divides_the_units_above_it() -> None:
    """The simulator rules a whole ladder by its highest price's unit; that is only right as long as this holds."""
    assert all(higher % lower == 0 for (_, higher), (_, lower) in pairwise(KRW_PRICE_UNITS.bands))


def test_krw_market_rules() -> None:
    market = krw_market("XRP")
    assert (market.code, market.key, market.quote) == ("KRW-XRP", "upbit:KRW-XRP", "KRW")
    assert market.fees.taker == Decimal("0.0005")
    assert market.fees.taken_in is FeeTakenIn.QUOTE
    assert market.refusal(Decimal(3000), Decimal("1.66666667")) is None
    assert "MIN_COST" in (market.refusal(Decimal(3000), Decimal("1.66666666")) or "")
    assert "PRICE_UNIT" in (market.refusal(Decimal("3000.5"), Decimal(2)) or "")
    assert "LOT_STEP" in (market.refusal(Decimal(3000), Decimal("2.000000001")) or "")
