"""One odd market never stops a start: it is left out, named once and counted, and the others are traded. At each venue that has a door."""

import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from arbtui.exchanges.amounts import fee_rate, last_price
from arbtui.exchanges.ccxt_adapter import CcxtAdapter
from arbtui.exchanges.config import ExchangeConfig, UrlsConfig
from arbtui.exchanges.rate_limits import RateLimitManager
from arbtui.exchanges.registry import ExchangeRegistry
from arbtui.exchanges.venues import VENUES, documented_limits
from arbtui.model.clock import SystemClock
from arbtui.model.errors import VenueRefused, WireError
from arbtui.sandbox.answer import Answer, encode
from arbtui.sandbox.call import Call
from arbtui.sandbox.doors import door_names
from arbtui.sandbox.sandbox import Sandbox, SandboxOptions, sandbox
from tests.exchanges.contract.venues import keys_of, run

ODD, GOOD = "ADA", "XRP"
#: What each venue is asked for fees, and the fields that tell them.
FEES = {
    "upbit": ("/v1/orders/chance", {"bid_fee", "ask_fee"}),
    "bithumb": ("/v1/orders/chance", {"bid_fee", "ask_fee"}),
    "coinone": ("/v2.1/account/trade_fee", {"taker"}),
    "binance": ("/api/v3/account/commission", {"taker"}),
    "bybit": ("/v5/account/fee-rate", {"takerFeeRate"}),
    "okx": ("/api/v5/account/trade-fee", {"taker"}),
    "bitget": ("/api/v2/common/trade-rate", {"takerFeeRate"}),
}
#: And for last prices.
PRICES = {
    "upbit": ("/v1/ticker", "trade_price"),
    "bithumb": ("/v1/ticker", "trade_price"),
    "coinone": ("/public/v2/ticker_new/KRW", "last"),
    "binance": ("/api/v3/ticker/price", "price"),
    "bybit": ("/v5/market/tickers", "lastPrice"),
    "okx": ("/api/v5/market/tickers", "last"),
    "bitget": ("/api/v2/spot/market/tickers", "lastPr"),
}
#: And for every market with its rules, of which one makes no sense.
RULES = {
    "upbit": ("/v1/orderbook/instruments", "tick_size"),
    "bithumb": ("/v1/ticker", "trade_price"),
    "coinone": ("/public/v2/markets/KRW", "qty_unit"),
    "binance": ("/api/v3/exchangeInfo", "stepSize"),
    "bybit": ("/v5/market/instruments-info", "basePrecision"),
    "okx": ("/api/v5/public/instruments", "lotSz"),
    "bitget": ("/api/v2/spot/public/symbols", "quantityPrecision"),
}
#: Questions about one market, and how the venue refuses one for that market's sake.
REFUSED: dict[str, tuple[str, dict[str, Any], int]] = {
    "upbit": ("/v1/orders/chance", {"error": {"name": "notfoundmarket", "message": "x"}}, 404),
    "bithumb": ("/v1/orders/chance", {"error": {"name": 404, "message": "Code not found"}}, 200),
    "coinone": ("/public/v2/range_units/KRW/ADA", {"result": "error", "error_code": "108", "error_msg": "Unknown cryptocurrency"}, 200),
    "binance": ("/api/v3/account/commission", {"code": -1121, "msg": "Invalid symbol."}, 400),
    "bitget": ("/api/v2/common/trade-rate", {"code": "40034", "msg": "Parameter does not exist"}, 400),
}

Rewrite = Callable[[Call, Answer], Answer]


def spoiled(value: Any, keys: set[str], of: set[str] | None, told: Any) -> Any:
    """``value`` with ``told`` under ``keys``, in what names one of ``of``; None: everywhere."""
    if isinstance(value, list):
        return [spoiled(one, keys, of, told) for one in value]
    if not isinstance(value, dict):
        return value
    if of is None or of & {one for one in value.values() if isinstance(one, str)}:
        return {name: told if name in keys else spoiled(one, keys, None, told) for name, one in value.items()}
    return {name: spoiled(one, keys, of, told) for name, one in value.items()}


def code_of(box: Sandbox, exchange: str, base: str) -> str:
    (code,) = (market.code for market in box.cores[exchange].markets.values() if market.base == base)
    return code


def rewriting(path: str, keys: set[str], code: str, told: Any) -> Rewrite:
    def rewrite(call: Call, answer: Answer) -> Answer:
        if call.path != path:
            return answer
        whole = code in call.query and not any(sign in call.query for sign in (",", "%2C"))  # it is about that market alone
        value = spoiled(json.loads(answer.body), keys, None if whole else {code, ODD, ODD.lower()}, told)
        return Answer(encode(value), answer.status, answer.headers)

    return rewrite


def with_group(fees: Rewrite, code: str) -> Rewrite:
    """At OKX a market's fees are those of its group: the odd one has its own here."""

    def rewrite(call: Call, answer: Answer) -> Answer:
        if call.path == "/api/v5/account/instruments":
            return Answer(encode(spoiled(json.loads(answer.body), {"groupId"}, {code}, "9")), answer.status, answer.headers)
        if call.path == "/api/v5/account/trade-fee":
            value = json.loads(answer.body)
            value["data"][0]["feeGroup"].append({"groupId": "9", "taker": "NaN", "maker": "-0.001"})
            return Answer(encode(value), answer.status, answer.headers)
        return answer

    return rewrite


@asynccontextmanager
async def opened(exchange: str, folder: Path) -> AsyncIterator[tuple[Sandbox, CcxtAdapter]]:
    """A sandbox with two symbols, and an adapter to it that has asked nothing yet."""
    async with sandbox(SandboxOptions(port=0, symbols=[GOOD, ODD], venues=[exchange], state_dir=folder)) as box:
        config = ExchangeConfig(quote=VENUES[exchange].quote, urls=UrlsConfig(**box.urls[exchange]))
        limits = {exchange: RateLimitManager(exchange, SystemClock(), documented_limits(exchange))}
        registry = await ExchangeRegistry.open({exchange: config}, {exchange: keys_of(exchange)}, SystemClock(), limits, {})
        try:
            yield box, registry.adapters[exchange]
        finally:
            await registry.close()


def left_out(exchange: str, code: str, caplog: pytest.LogCaptureFixture) -> list[str]:
    """The warnings that name it."""
    lines = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    return [line for line in lines if line.startswith(f"{exchange}: 1 of its markets left out: {code}: ")]


@pytest.mark.parametrize("exchange", door_names())
def test_a_fee_that_is_no_number_leaves_one_market_out(exchange: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with opened(exchange, tmp_path) as (box, adapter):
            odd, good = code_of(box, exchange, ODD), code_of(box, exchange, GOOD)
            path, keys = FEES[exchange]
            rewrite = rewriting(path, keys, odd, "NaN")
            box.fronts[exchange].rewrite = with_group(rewrite, odd) if exchange == "okx" else rewrite
            for _ in range(2):  # and is not named again
                await adapter.connect([odd, good])
                assert list(adapter.markets) == [good]
                assert list(adapter.odd) == [odd]
                assert len(left_out(exchange, odd, caplog)) == 1
            adapter.odd.clear()
            assert list(await adapter.fetch_rules([odd, good])) == [good]  # as while a run goes on
            assert len(left_out(exchange, odd, caplog)) == 2

    run(main)


@pytest.mark.parametrize("exchange", door_names())
def test_rules_that_make_no_sense_leave_one_market_out_of_the_list(exchange: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with opened(exchange, tmp_path) as (box, adapter):
            odd, good = code_of(box, exchange, ODD), code_of(box, exchange, GOOD)
            path, key = RULES[exchange]
            box.fronts[exchange].rewrite = rewriting(path, {key}, odd, "NaN")
            for _ in range(2):  # and is not named again
                listed = await adapter.listed()
                assert (good in listed, odd in listed) == (True, False)
                assert list(adapter.odd) == [odd]
                assert len(left_out(exchange, odd, caplog)) == 1

    run(main)


@pytest.mark.parametrize("exchange", door_names())
def test_no_market_is_left_out_of_a_start_unnamed(exchange: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Some venues are asked elsewhere for those rules at a start: there the market is traded."""

    async def main() -> None:
        async with opened(exchange, tmp_path) as (box, adapter):
            odd, good = code_of(box, exchange, ODD), code_of(box, exchange, GOOD)
            path, key = RULES[exchange]
            box.fronts[exchange].rewrite = rewriting(path, {key}, odd, "NaN")
            await adapter.connect([odd, good])
            assert good in adapter.markets
            is_left_out = odd not in adapter.markets
            assert is_left_out is (exchange not in ("bithumb", "okx"))
            assert len(left_out(exchange, odd, caplog)) == is_left_out

    run(main)


def test_a_list_of_what_trades_names_what_is_odd_in_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with opened("coinone", tmp_path) as (box, adapter):
            odd, good = code_of(box, "coinone", ODD), code_of(box, "coinone", GOOD)
            path, key = RULES["coinone"]
            box.fronts["coinone"].rewrite = rewriting(path, {key}, odd, "NaN")
            trading = await adapter.fetch_trading([odd, good])
            assert (good in trading, odd in trading) == (True, False)
            assert len(left_out("coinone", odd, caplog)) == 1

    run(main)


@pytest.mark.parametrize("told", ["NaN", "Infinity", "sNaN", "0"])
@pytest.mark.parametrize("exchange", door_names())
def test_a_price_that_is_no_number_is_no_price(exchange: str, told: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(exchange, tmp_path) as (box, adapter):
            odd, good = code_of(box, exchange, ODD), code_of(box, exchange, GOOD)
            path, key = PRICES[exchange]
            box.fronts[exchange].rewrite = rewriting(path, {key}, odd, told)
            listed = await adapter.listed()
            assert listed[good].price > 0
            assert odd not in listed or listed[odd].price == 0

    run(main)


@pytest.mark.parametrize("exchange", door_names())
def test_a_price_of_a_market_that_nobody_asked_for_is_nobody_s(exchange: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(exchange, tmp_path) as (box, adapter):
            odd, good = code_of(box, exchange, ODD), code_of(box, exchange, GOOD)
            named = {"upbit": "market", "bithumb": "market", "coinone": "target_currency", "okx": "instId"}.get(exchange, "symbol")
            box.fronts[exchange].rewrite = rewriting(PRICES[exchange][0], {named}, odd, "NEW")
            listed = await adapter.listed()
            assert listed[good].price > 0
            assert odd not in listed or listed[odd].price == 0
            assert not [code for code in (*listed, *adapter.odd) if "NEW" in code]

    run(main)


@pytest.mark.parametrize("exchange", REFUSED)
def test_a_market_that_the_venue_will_not_tell_of_is_left_out(exchange: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with opened(exchange, tmp_path) as (box, adapter):
            odd, good = code_of(box, exchange, ODD), code_of(box, exchange, GOOD)
            path, told, status = REFUSED[exchange]

            def rewrite(call: Call, answer: Answer) -> Answer:
                return Answer(encode(told), status) if call.path == path and (odd in call.query or ODD in call.path) else answer

            box.fronts[exchange].rewrite = rewrite
            await adapter.connect([odd, good])
            assert list(adapter.markets) == [good]
            assert len(left_out(exchange, odd, caplog)) == 1

    run(main)


def test_a_refusal_of_the_keys_ends_a_start_all_the_same(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened("binance", tmp_path) as (box, adapter):

            def rewrite(call: Call, answer: Answer) -> Answer:
                told = {"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."}
                return Answer(encode(told), 401) if call.path == "/api/v3/account/commission" else answer

            box.fronts["binance"].rewrite = rewrite
            with pytest.raises(VenueRefused):
                await adapter.connect()

    run(main)


@pytest.mark.parametrize("text", ["NaN", "sNaN", "Infinity", "-Infinity", "1", "-1", "25"])
def test_a_rate_that_is_none(text: str) -> None:
    with pytest.raises(WireError, match="is not a fee"):
        fee_rate(Decimal(text), "fee")


def test_rates_and_prices() -> None:
    assert [fee_rate(Decimal(text), "fee") for text in ("0", "0.0025", "-0.0001")] == [Decimal(0), Decimal("0.0025"), Decimal("-0.0001")]
    assert [last_price(Decimal(text)) for text in ("1.5", "0", "-1", "NaN", "sNaN", "Infinity")] == [1.5, 0.0, 0.0, 0.0, 0.0, 0.0]
