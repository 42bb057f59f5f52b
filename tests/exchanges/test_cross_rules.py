"""The rules of markets of one coin against another, as the venues' own lists and documents tell them."""

import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from arbtui.exchanges.binance.rules import parse_exchange_info
from arbtui.exchanges.bitget import rules as bitget
from arbtui.exchanges.bithumb import rules as bithumb
from arbtui.exchanges.bybit import rules as bybit
from arbtui.exchanges.okx import rules as okx
from arbtui.exchanges.upbit import rules as upbit
from arbtui.exchanges.venues import VENUES
from arbtui.model.market import FeeTakenIn
from tests.exchanges.test_bitget_rules import NEW


def listed(shared_data: Path, name: str) -> bytes:
    with gzip.open(shared_data / "markets" / f"{name}.json.gz") as file:
        return file.read()


def rows(body: bytes, *path: str) -> Any:
    found = json.loads(body)
    for part in path:
        found = found[part]
    return found


@pytest.mark.parametrize("rules", [upbit, bithumb], ids=["upbit", "bithumb"])
def test_won_venues_have_one_price_unit_and_a_least_order_in_the_coin(rules: Any) -> None:
    market = rules.market_of("BTC-ETH")
    assert (market.code, market.base, market.quote, market.fees.taken_in) == ("BTC-ETH", "ETH", "BTC", FeeTakenIn.QUOTE)
    assert market.fees.taker == Decimal("0.0025")
    assert [market.price_units.at(Decimal(price)) for price in ("0.5", "0.0000001")] == [Decimal("0.00000001")] * 2
    assert market.refusal(Decimal("0.035"), Decimal("0.00142858")) is None
    assert "MIN_COST" in (market.refusal(Decimal("0.035"), Decimal("0.00142857")) or "")
    assert "PRICE_UNIT" in (market.refusal(Decimal("0.035000001"), Decimal(1)) or "")
    assert rules.market_of("KRW-ETH").quote == "KRW"
    with pytest.raises(ValueError, match="USDT-ETH is no KRW or BTC market"):
        rules.market_of("USDT-ETH")


def test_dollar_venues_tell_them_in_their_lists(shared_data: Path) -> None:
    binance = parse_exchange_info(listed(shared_data, "binance_exchangeInfo_2023-04-10_via_binance.me"))["ETHBTC"]
    at_bybit = bybit.markets_of(rows(listed(shared_data, "bybit_instruments_spot_2026-08-09"), "result", "list"))["ETHBTC"]
    at_okx = okx.markets_of(rows(listed(shared_data, "okx_instruments_spot_2022-05-13"), "data"))["ETH-BTC"]
    for market, unit, lot, least in (
        (binance, "0.000001", "0.0001", "0.0001"),
        (at_bybit, "0.000001", "0.00001", "0.000065"),
        (at_okx, "0.00001", "0.000001", "0"),
    ):
        assert (market.base, market.quote, market.fees.taken_in) == ("ETH", "BTC", FeeTakenIn.RECEIVED)
        assert (market.price_units.at(Decimal("0.035")), market.lot_step, market.min_cost) == (Decimal(unit), Decimal(lot), Decimal(least))


def test_a_least_order_that_is_told_in_dollars_is_known_once_somebody_tells_what_the_coin_is_worth() -> None:
    row = {**NEW, "symbol": "ETHBTC", "baseCoin": "ETH", "quoteCoin": "BTC", "minTradeUSDT": "5"}
    market = bitget.markets_of([row], None, {"BTC": Decimal(100_000)})["ETHBTC"]
    assert market.min_cost == Decimal("0.00006")  # a fifth more: the coin's price moves while we trade
    assert bitget.markets_of([row], None, {"BTC": Decimal(99_999)})["ETHBTC"].min_cost == Decimal("0.00006001")
    assert bitget.markets_of([row], None, {"ETH": Decimal(3000)}) == {}
    assert bitget.markets_of([NEW], None, {"BTC": Decimal(100_000)})["BTCUSDT"].min_cost == Decimal(1)


def test_a_venue_s_row_says_which_coins_it_trades_others_against() -> None:
    assert [name for name, venue in VENUES.items() if not venue.cross_quotes] == ["binanceusdm", "coinone"]
    assert {coin for venue in VENUES.values() for coin in venue.cross_quotes} == {"BTC"}
