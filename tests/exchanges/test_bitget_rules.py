"""Bitget's market rules: the document's own rows, and the whole list of 2022 in today's words."""

import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from arbtui.exchanges.amounts import read
from arbtui.exchanges.answers import Answer, refusal_of
from arbtui.exchanges.bitget.networks import Coin, networks_of
from arbtui.exchanges.bitget.refusals import CODES, refusal
from arbtui.exchanges.bitget.rules import markets_of
from arbtui.exchanges.refusals import Meaning, Retry, Scope
from arbtui.model.errors import WireError
from arbtui.model.market import FeeTakenIn

#: "Get Symbol Info", of 2023 and of 2025.
OLD = {
    "symbol": "BTCUSDT", "baseCoin": "BTC", "quoteCoin": "USDT", "minTradeAmount": "0.0001", "maxTradeAmount": "10000",
    "takerFeeRate": "0.001", "makerFeeRate": "0.001", "pricePrecision": "4", "quantityPrecision": "8", "quotePrecision": "4",
    "minTradeUSDT": "5", "status": "online", "buyLimitPriceRatio": "0.05", "sellLimitPriceRatio": "0.05",
}  # fmt: skip
NEW = {
    **OLD, "minTradeAmount": "0", "maxTradeAmount": "900000000000000000000", "takerFeeRate": "0.002", "makerFeeRate": "0.002",
    "pricePrecision": "2", "quantityPrecision": "6", "quotePrecision": "8", "minTradeUSDT": "1", "areaSymbol": "no", "orderQuantity": "200",
    "openTime": "1532454360000", "offTime": "",
}  # fmt: skip


def one(**fields: Any) -> Any:
    return markets_of([{**NEW, **fields}])


def test_a_row_of_the_document_becomes_a_market() -> None:
    market = one()["BTCUSDT"]
    assert (market.base, market.quote, market.price_units.at(Decimal(1)), market.lot_step) == (
        "BTC",
        "USDT",
        Decimal("0.01"),
        Decimal("0.000001"),
    )
    assert (market.min_qty, market.max_qty, market.min_cost) == (Decimal("0.000001"), Decimal("1e15"), Decimal(1))
    assert (market.fees.taker, market.fees.taken_in) == (Decimal("0.002"), FeeTakenIn.RECEIVED)


def test_least_and_most_quantities_hold_where_they_are_told() -> None:
    market = markets_of([OLD])["BTCUSDT"]
    assert (market.min_qty, market.max_qty, market.min_cost) == (Decimal("0.0001"), Decimal(10000), Decimal(5))


@pytest.mark.parametrize("fields", [{"status": "halt"}, {"status": "gray"}, {"status": "offline"}, {"areaSymbol": "yes"}])
def test_a_market_that_not_everybody_can_trade_is_left_out(fields: dict[str, str]) -> None:
    assert one(**fields) == {}


def test_markets_of_other_quotes_are_left_out_since_their_least_value_is_told_in_dollars() -> None:
    assert one(symbol="ETHBTC", baseCoin="ETH", quoteCoin="BTC") == {}
    assert list(one(symbol="BTCUSDC", quoteCoin="USDC")) == ["BTCUSDC"]


@pytest.mark.parametrize(
    "fields",
    [{"pricePrecision": "-1"}, {"quantityPrecision": "99"}, {"minTradeUSDT": "NaN"}, {"minTradeUSDT": "-1"}, {"takerFeeRate": "x"}],
)
def test_rules_that_make_no_sense_leave_one_market_out_and_are_named(fields: dict[str, str]) -> None:
    odd: dict[str, str] = {}
    assert list(markets_of([{**NEW, **fields}, {**NEW, "symbol": "ETHUSDT", "baseCoin": "ETH"}], odd)) == ["ETHUSDT"]
    assert list(odd) == ["BTCUSDT"]


def test_what_is_no_list_is_refused() -> None:
    with pytest.raises(WireError):
        markets_of({"symbol": "BTCUSDT"})


def test_the_list_of_2022_is_read_whole(shared_data: Path) -> None:
    """Its words are those of the first interface; scale and shape of the numbers are the same."""
    with gzip.open(shared_data / "markets" / "bitget_spot_products_2022-04-07.json.gz") as file:
        rows = json.load(file)["data"]
    today = [
        {
            **row,
            "symbol": row["symbolName"],
            "pricePrecision": row["priceScale"],
            "quantityPrecision": row["quantityScale"],
            "minTradeUSDT": "5",
        }
        for row in rows
    ]
    odd: dict[str, str] = {}
    markets = markets_of(today, odd)
    assert (len(rows), len(markets), odd) == (
        245,
        sum(row["quoteCoin"] in ("USDT", "USDC") and row["status"] == "online" for row in rows),
        {},
    )
    for market in markets.values():
        price = market.price_up(Decimal("0.123456789012345"))
        qty = market.qty_up(max(market.min_qty, market.min_cost / price))
        assert market.refusal(price, qty) is None


def test_networks_are_read_with_their_fees_steps_and_burns() -> None:
    chain = {
        "chain": "BTC", "needTag": "false", "withdrawable": "true", "rechargeable": "false", "withdrawFee": "0.005",
        "extraWithdrawFee": "0.1", "depositConfirm": "1", "withdrawConfirm": "1", "minDepositAmount": "0.001", "minWithdrawAmount": "0.002",
        "browserUrl": "x", "contractAddress": None, "withdrawStep": "0", "withdrawMinScale": "8", "congestion": "congested",
    }  # fmt: skip
    coins = read([{"coinId": "1", "coin": "BTC", "transfer": "true", "chains": [chain]}], list[Coin], "coins")
    ((terms,),) = networks_of(coins, {"BTC"}).values()
    assert (terms.network, terms.deposits, terms.withdrawals, terms.is_busy) == ("BTC", False, True, True)
    assert (terms.fee, terms.least, terms.step) == (Decimal("0.005"), Decimal("0.002"), Decimal("1e-8"))
    assert "10" in terms.words


def test_every_code_of_the_document_has_a_row() -> None:
    lines = (Path(__file__).parent / "documented" / "bitget_codes.txt").read_text().splitlines()
    codes = [line for line in lines if not line.startswith("#")]
    assert len(codes) > 800
    assert [code for code in codes if code not in CODES] == []


@pytest.mark.parametrize(
    ("status", "code", "scope", "meaning", "retry"),
    [
        (400, "43012", Scope.ORDER, Meaning.REFUSED, Retry.NEVER),
        (200, "43012", Scope.ORDER, Meaning.REFUSED, Retry.NEVER),
        (400, "43001", Scope.ORDER, Meaning.NOT_FOUND, Retry.NEVER),
        (400, "43118", Scope.EARLIER_COPY, Meaning.UNKNOWN, Retry.NEVER),
        (400, "40786", Scope.EARLIER_COPY, Meaning.UNKNOWN, Retry.NEVER),
        (400, "45110", Scope.SYMBOL, Meaning.REFUSED, Retry.LATER),
        (400, "45115", Scope.SYMBOL, Meaning.REFUSED, Retry.LATER),
        (400, "41114", Scope.SYMBOL, Meaning.REFUSED, Retry.LATER),
        (400, "40008", Scope.ORDER, Meaning.CLOCK, Retry.CLOCK),
        (401, "40006", Scope.KEY, Meaning.KEYS, Retry.PROBE),
        (400, "40012", Scope.KEY, Meaning.KEYS, Retry.PROBE),
        (400, "40014", Scope.KEY, Meaning.KEYS, Retry.PROBE),
        (400, "40018", Scope.IP, Meaning.KEYS, Retry.PROBE),
        (400, "40024", Scope.ACCOUNT, Meaning.ACCOUNT, Retry.PROBE),
        (400, "40085", Scope.ACCOUNT, Meaning.ACCOUNT, Retry.PROBE),
        (400, "40200", Scope.VENUE, Meaning.VENUE, Retry.PROBE),
        (429, "429", Scope.IP, Meaning.RATE_LIMITED, Retry.LATER),
        (400, "40010", Scope.VENUE, Meaning.UNKNOWN, Retry.LATER),
        (200, "40725", Scope.VENUE, Meaning.UNKNOWN, Retry.LATER),
        (500, "43012", Scope.VENUE, Meaning.UNKNOWN, Retry.LATER),
        (200, "99999", Scope.ACCOUNT, Meaning.UNKNOWN, Retry.PROBE),
        (400, "99999", Scope.ACCOUNT, Meaning.UNKNOWN, Retry.PROBE),
        (401, "99999", Scope.KEY, Meaning.UNKNOWN, Retry.PROBE),
        (400, "31004", Scope.ORDER, Meaning.REFUSED, Retry.NEVER),
    ],
)
def test_whom_a_refusal_concerns(status: int, code: str, scope: Scope, meaning: Meaning, retry: Retry) -> None:
    row = refusal_of(Answer(status, code, "", sent=True), refusal)
    assert (row.scope, row.meaning, row.retry) == (scope, meaning, retry)
