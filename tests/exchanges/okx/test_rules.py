import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from arbtui.exchanges.amounts import read
from arbtui.exchanges.okx.orders import rows_of
from arbtui.exchanges.okx.rules import FEES, FeeRates, markets_of, with_fees
from arbtui.model.market import FeeTakenIn

#: okx.com/docs-v5, "Get instruments", Response Example (2026-07), of the fields that are read.
ROW: dict[str, Any] = {
    "baseCcy": "BTC", "expTime": "", "groupId": "4", "instId": "BTC-EUR", "instType": "SPOT", "lotSz": "0.00000001",
    "maxLmtSz": "9999999999",
    "minSz": "0.00001", "quoteCcy": "EUR", "state": "live", "ruleType": "normal", "tickSz": "1", "instCategory": "1",
}  # fmt: skip


def test_every_live_instrument_of_a_real_list_becomes_a_market(shared_data: Path) -> None:
    answer = json.loads(gzip.decompress((shared_data / "markets" / "okx_instruments_spot_2022-05-13.json.gz").read_bytes()))
    odd: dict[str, str] = {}
    markets = markets_of(rows_of(answer, Any, "instruments"), odd)
    live = [row for row in answer["data"] if row["state"] == "live"]
    assert len(live) > 500
    assert odd == {}
    assert list(markets) == [row["instId"] for row in live]
    for row in live:
        market = markets[row["instId"]]
        assert (market.base, market.quote) == (row["baseCcy"], row["quoteCcy"])
        assert market.price_units.at(Decimal(1)) == Decimal(row["tickSz"])
        assert (market.lot_step, market.min_qty, market.max_qty) == (Decimal(row["lotSz"]), Decimal(row["minSz"]), Decimal(row["maxLmtSz"]))
        assert market.fees == FEES


def test_the_rules_of_a_market_are_kept() -> None:
    market = markets_of([ROW])["BTC-EUR"]
    assert market.refusal(Decimal(50000), Decimal("0.00001")) is None
    assert "PRICE_UNIT" in (market.refusal(Decimal("50000.5"), Decimal(1)) or "")
    assert "LOT_STEP" in (market.refusal(Decimal(50000), Decimal("0.000010001")) or "")
    assert "LOT_SIZE" in (market.refusal(Decimal(50000), Decimal("0.000009")) or "")


@pytest.mark.parametrize(
    "change",
    [{"state": "suspend"}, {"state": "preopen"}, {"state": "test"}, {"ruleType": "pre_market"}, {"instCategory": "3"}],
)
def test_what_does_not_trade_and_what_is_no_coin_is_no_market(change: dict[str, str]) -> None:
    odd: dict[str, str] = {}
    assert list(markets_of([{**ROW, **change}, {**ROW, "instId": "ETH-EUR"}], odd)) == ["ETH-EUR"]
    assert odd == {}


@pytest.mark.parametrize(
    "change", [{"tickSz": "0"}, {"tickSz": ""}, {"lotSz": "x"}, {"minSz": "-1"}, {"maxLmtSz": "0.000001"}, {"baseCcy": ""}, {"state": None}]
)
def test_one_odd_market_does_not_take_the_others_with_it(change: dict[str, Any]) -> None:
    odd: dict[str, str] = {}
    assert list(markets_of([{**ROW, **change}, {**ROW, "instId": "ETH-EUR"}, 7], odd)) == ["ETH-EUR"]
    assert set(odd) == {"BTC-EUR", "?"}


def test_a_market_that_leaves_is_told() -> None:
    leaving: dict[str, str] = {}
    markets_of([ROW, {**ROW, "instId": "ETH-EUR", "expTime": "1704876947000"}], leaving=leaving)
    assert leaving == {"ETH-EUR": "1704876947000"}


def test_fees_are_those_of_the_markets_group_else_the_common_ones() -> None:
    groups: dict[str, str] = {}
    markets = markets_of([ROW, {**ROW, "instId": "ETH-EUR", "groupId": "9"}], groups=groups)
    told = {"feeGroup": [{"groupId": "4", "maker": "0.0001", "taker": "-0.0005"}], "maker": "-0.0008", "taker": "-0.001", "level": "Lv1"}
    made = with_fees(markets, read(told, FeeRates, "trade-fee"), groups, FeeTakenIn.QUOTE)
    assert [(m.fees.taker, m.fees.maker, m.fees.taken_in) for m in made.values()] == [
        (Decimal("0.0005"), Decimal("-0.0001"), FeeTakenIn.QUOTE),  # a maker may be paid
        (Decimal("0.001"), Decimal("0.0008"), FeeTakenIn.QUOTE),
    ]
    assert with_fees(markets, FeeRates(), groups, FeeTakenIn.RECEIVED)["BTC-EUR"].fees == FEES
    odd: dict[str, str] = {}
    assert with_fees(markets, FeeRates(taker="NaN", maker="0"), {}, FeeTakenIn.RECEIVED, odd) == {}  # left out, and named
    assert odd.keys() == markets.keys()


@pytest.mark.parametrize("rate", ["NaN", "x", "1", "-1.5"])
def test_a_rate_that_is_none_leaves_its_group_out_and_no_other(rate: str) -> None:
    groups: dict[str, str] = {}
    markets = markets_of([ROW, {**ROW, "instId": "ETH-EUR", "groupId": "9"}], groups=groups)
    told = {"feeGroup": [{"groupId": "4", "maker": "0", "taker": rate}], "maker": "-0.0008", "taker": "-0.001"}
    odd: dict[str, str] = {}
    assert list(with_fees(markets, read(told, FeeRates, "trade-fee"), groups, FeeTakenIn.RECEIVED, odd)) == ["ETH-EUR"]
    assert list(odd) == ["BTC-EUR"]
