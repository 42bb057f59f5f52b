import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from arbtui.exchanges.bybit.rules import flags_of, markets_of, spot_market
from arbtui.model.market import FeeTakenIn

# "Get Instruments Info", spot
BTC: dict[str, Any] = {
    "symbol": "BTCUSDT", "baseCoin": "BTC", "quoteCoin": "USDT", "innovation": "0", "status": "Trading", "marginTrading": "utaOnly",
    "stTag": "0", "symbolType": "", "xstockMultiplier": "1",
    "lotSizeFilter": {"basePrecision": "0.000001", "quotePrecision": "0.00000001", "minOrderQty": "0.000011", "maxOrderQty": "83",
                      "minOrderAmt": "5", "maxOrderAmt": "8000000", "maxLimitOrderQty": "83", "maxMarketOrderQty": "41.5",
                      "postOnlyMaxLimitOrderSize": "60000"},
    "priceFilter": {"tickSize": "0.01"}, "riskParameters": {"priceLimitRatioX": "0.05", "priceLimitRatioY": "0.05"},
}  # fmt: skip


def test_every_trading_symbol_of_the_real_list_becomes_a_market(shared_data: Path) -> None:
    body = gzip.decompress((shared_data / "markets" / "bybit_instruments_spot_2026-08-09.json.gz").read_bytes())
    rows = json.loads(body)["result"]["list"]
    odd: dict[str, str] = {}
    markets = markets_of(rows, odd)
    assert (len(markets), odd) == (557, {})
    for row in rows:
        market, lot = markets[row["symbol"]], row["lotSizeFilter"]
        assert (market.base, market.quote) == (row["baseCoin"], row["quoteCoin"])
        assert market.price_units.at(Decimal(1)) == Decimal(row["priceFilter"]["tickSize"])
        assert market.lot_step == market.min_qty == Decimal(lot["basePrecision"])
        assert market.max_qty == Decimal(lot["maxLimitOrderQty"])
        assert market.min_cost == Decimal(lot["minOrderAmt"])
    assert sum(market.quote == "USDT" for market in markets.values()) == 410


@pytest.mark.parametrize("odd", [{"symbol": ["BTCUSDT"]}, {"symbol": {}}, {"symbol": None}, {"stTag": ["1"]}, {"stTag": 1}])
def test_an_odd_row_tells_no_flag_and_costs_no_other(odd: dict[str, Any]) -> None:
    rows: list[Any] = [BTC | odd, None, [], BTC | {"symbol": "XRPUSDT", "stTag": "1"}]
    flags = flags_of(rows)
    assert {code: {flag.word for flag in flags[code]} for code in ("BTCUSDT", "XRPUSDT") if code in flags} == {"XRPUSDT": {"stTag"}}


def test_bitcoin_of_2026(shared_data: Path) -> None:
    body = gzip.decompress((shared_data / "markets" / "bybit_instruments_spot_2026-08-09.json.gz").read_bytes())
    market = markets_of(json.loads(body)["result"]["list"])["BTCUSDT"]
    assert market.refusal(Decimal("65140.5"), Decimal("0.000077")) is None
    assert "MIN_COST" in (market.refusal(Decimal("65140.5"), Decimal("0.000076")) or "")
    assert "PRICE_UNIT" in (market.refusal(Decimal("65140.55"), Decimal(1)) or "")
    assert "LOT_STEP" in (market.refusal(Decimal(65140), Decimal("0.0000771")) or "")
    assert "LOT_SIZE" in (market.refusal(Decimal(65140), Decimal(231)) or "")


def test_fees_are_taken_in_what_is_received() -> None:
    fees = markets_of([BTC])["BTCUSDT"].fees
    assert (fees.taker, fees.maker, fees.taken_in) == (Decimal("0.001"), Decimal("0.001"), FeeTakenIn.RECEIVED)


@pytest.mark.parametrize(
    "changed",
    [
        {"priceFilter": {"tickSize": "0"}},
        {"priceFilter": {"tickSize": "NaN"}},
        {"priceFilter": {}},
        {"lotSizeFilter": {**BTC["lotSizeFilter"], "basePrecision": "-1"}},
        {"lotSizeFilter": {**BTC["lotSizeFilter"], "minOrderAmt": "Infinity"}},
        {"lotSizeFilter": {**BTC["lotSizeFilter"], "minOrderAmt": None}},
        {"baseCoin": None},
    ],
)
def test_a_market_whose_rules_make_no_sense_is_left_out_and_named_and_takes_no_other_with_it(changed: dict[str, Any]) -> None:
    odd: dict[str, str] = {}
    assert list(markets_of([{**BTC, **changed, "symbol": "ODDUSDT"}, BTC], odd)) == ["BTCUSDT"]
    assert list(odd) == ["ODDUSDT"]


def test_symbols_that_do_not_trade_are_left_out() -> None:
    assert markets_of([{**BTC, "status": "PreLaunch"}, 7]) == {}


def test_a_market_of_the_simulator_is_one_of_the_venue() -> None:
    market = spot_market("XRP", "USDT", Decimal("0.0001"), Decimal("0.01"))
    assert (market.key, market.min_cost) == ("bybit:XRPUSDT", Decimal(5))
