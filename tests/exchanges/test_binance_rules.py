import gzip
import json
from decimal import Decimal
from pathlib import Path

import pytest

from arbtui.exchanges.binance.rules import USDM, linear_market, parse_exchange_info
from arbtui.model.errors import WireError
from arbtui.model.market import FeeTakenIn

LISTS = ("binance_exchangeInfo_2021-10-12.json.gz", "binance_exchangeInfo_2023-04-10_via_binance.me.json.gz")


def _info(*filters: dict[str, str], status: str = "TRADING") -> bytes:
    symbol = {"symbol": "XYZUSDT", "status": status, "baseAsset": "XYZ", "quoteAsset": "USDT", "filters": filters}
    return json.dumps({"timezone": "UTC", "symbols": [symbol]}).encode()


PRICE = {"filterType": "PRICE_FILTER", "minPrice": "0.00010000", "maxPrice": "1000.00000000", "tickSize": "0.00010000"}
LOT = {"filterType": "LOT_SIZE", "minQty": "0.10000000", "maxQty": "900000.00000000", "stepSize": "0.10000000"}
NOTIONAL = {"filterType": "NOTIONAL", "minNotional": "5.00000000", "maxNotional": "9000000.00000000"}


@pytest.mark.parametrize("name", LISTS)
def test_every_trading_symbol_of_a_real_list_becomes_a_market(shared_data: Path, name: str) -> None:
    raw = gzip.decompress((shared_data / "markets" / name).read_bytes())
    listed = [symbol for symbol in json.loads(raw)["symbols"] if symbol["status"] == "TRADING"]
    markets = parse_exchange_info(raw)
    assert list(markets) == [symbol["symbol"] for symbol in listed]
    for symbol in listed:
        filters = {f["filterType"]: f for f in symbol["filters"]}
        market = markets[symbol["symbol"]]
        assert (market.base, market.quote) == (symbol["baseAsset"], symbol["quoteAsset"])
        assert market.price_units.at(Decimal(1)) == Decimal(filters["PRICE_FILTER"]["tickSize"])
        assert market.lot_step == Decimal(filters["LOT_SIZE"]["stepSize"])
        assert market.min_qty == Decimal(filters["LOT_SIZE"]["minQty"])
        assert market.max_qty == Decimal(filters["LOT_SIZE"]["maxQty"])
        assert market.min_cost == Decimal(filters["MIN_NOTIONAL"]["minNotional"])


def test_bitcoin_of_2023(shared_data: Path) -> None:
    market = parse_exchange_info(gzip.decompress((shared_data / "markets" / LISTS[1]).read_bytes()))["BTCUSDT"]
    assert market.refusal(Decimal("28000.01"), Decimal("0.00036")) is None
    assert "MIN_COST" in (market.refusal(Decimal("28000.01"), Decimal("0.00035")) or "")
    assert "PRICE_UNIT" in (market.refusal(Decimal("28000.011"), Decimal(1)) or "")
    assert "LOT_SIZE" in (market.refusal(Decimal(28000), Decimal(9001)) or "")
    assert market.fees.taken_in is FeeTakenIn.RECEIVED


def test_todays_notional_filter_gives_the_minimum() -> None:
    assert parse_exchange_info(_info(PRICE, LOT, NOTIONAL))["XYZUSDT"].min_cost == 5


def test_perpetuals_name_their_minimum_notional_and_pay_in_quote() -> None:
    market = parse_exchange_info(_info(PRICE, LOT, {"filterType": "MIN_NOTIONAL", "notional": "100"}), USDM)["XYZUSDT"]
    assert market.min_cost == 100
    assert (market.exchange, market.fees.taker, market.fees.taken_in) == ("binanceusdm", Decimal("0.0005"), FeeTakenIn.QUOTE)
    by_hand = linear_market("XYZ", "USDT", Decimal("0.0001"), Decimal("0.1"), Decimal(100))
    assert (by_hand.key, by_hand.fees) == (market.key, market.fees)
    assert (by_hand.base, by_hand.quote) == ("XYZ", "USDT")


def test_a_switched_off_step_leaves_eight_decimals() -> None:
    markets = parse_exchange_info(_info({**PRICE, "tickSize": "0.00000000"}, LOT, NOTIONAL))
    assert markets["XYZUSDT"].price_units.at(Decimal(1)) == Decimal("0.00000001")


def test_a_market_without_a_least_quantity_or_value_is_one() -> None:
    market = parse_exchange_info(_info(PRICE, {**LOT, "minQty": "0"}, {**NOTIONAL, "minNotional": "0", "notional": "0"}))["XYZUSDT"]
    assert (market.min_qty, market.min_cost) == (Decimal(0), Decimal(0))


def test_symbols_that_do_not_trade_are_left_out() -> None:
    assert parse_exchange_info(_info(PRICE, LOT, NOTIONAL, status="BREAK")) == {}


@pytest.mark.parametrize(
    ("raw", "word"),
    [
        (b"<html>", "exchangeInfo"),
        (b"{}", "symbols"),
        (b'{"symbols":{}}', "symbols"),
    ],
)
def test_a_body_without_the_rules_is_refused(raw: bytes, word: str) -> None:
    with pytest.raises(WireError, match=word):
        parse_exchange_info(raw)


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        (_info(LOT, NOTIONAL), "PRICE_FILTER"),
        (_info(PRICE, NOTIONAL), "LOT_SIZE"),
        (_info(PRICE, LOT), "NOTIONAL"),
        (_info({**PRICE, "tickSize": "0.0001"}, LOT, NOTIONAL).replace(b'"tickSize": "0.0001"', b'"tickSize": null'), "tickSize"),
        (_info({**PRICE, "tickSize": "abc"}, LOT, NOTIONAL), "Conversion"),
        (_info({**PRICE, "tickSize": "NaN"}, LOT, NOTIONAL), "no sense"),
        (_info(PRICE, {**LOT, "stepSize": "-1"}, NOTIONAL), "no sense"),
        (_info({**PRICE, "tickSize": "-0.0001"}, LOT, NOTIONAL), "no sense"),
        (_info(PRICE, {**LOT, "minQty": "-1"}, NOTIONAL), "no sense"),
        (_info(PRICE, {**LOT, "maxQty": "Infinity"}, NOTIONAL), "no sense"),
        (b'{"symbols":[{"symbol":"XYZUSDT","status":"TRADING"}]}', "baseAsset"),
        (b'{"symbols":[{"symbol":"XYZUSDT","status":"TRADING","baseAsset":null,"quoteAsset":"USDT","filters":[]}]}', "baseAsset"),
        (b'{"symbols":[null]}', "object"),
    ],
)
def test_one_odd_market_is_left_out_and_named_and_the_others_are_read(odd: bytes, why: str) -> None:
    (row,) = json.loads(odd)["symbols"]
    good = json.loads(_info(PRICE, LOT, NOTIONAL))["symbols"][0] | {"symbol": "ABCUSDT", "baseAsset": "ABC"}
    named: dict[str, str] = {}
    markets = parse_exchange_info(json.dumps({"symbols": [row, good]}).encode(), odd=named)
    assert list(markets) == ["ABCUSDT"]
    ((code, said),) = named.items()
    assert code == ("?" if row is None else "XYZUSDT")
    assert why in said
