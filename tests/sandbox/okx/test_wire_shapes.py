"""Every message that the local OKX sends has the keys and JSON types of a message that others transcribed from the venue."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.boxes import run
from tests.sandbox.okx.callers import PRIVATE, OkxBench, login, okx_bench
from tests.sandbox.shapes import Fixtures, differences

_API = "okx:Endpoints/UnifiedApi"
_PUSHED = "okx:Subscriptions/Unified"


def _new(where: str, page: str, *keys: str) -> dict[str, str]:
    """Keys that the fixture is too old for, with the page of okx.com/docs-v5 (2026-07) that has them."""
    return {f"{where} invents {key}": f"documented: {page}" for key in keys}


_INSTRUMENTS = _new(
    "$.data[0]", "Get instruments",
    "auctionEndTime", "contTdSwTime", "elp", "floatPxLmtPct", "futureSettlement", "groupId", "initPxLmtPct", "instCategory", "instIdCode",
    "maxPlatOICoinLmt", "maxPlatOILmt", "maxPxLmtPct", "openType", "posLmtAmt", "posLmtPct", "preMktSwTime", "ruleType",
    "tradeQuoteCcyList", "upcChg",
)  # fmt: skip
_ASSET = (
    "colRes", "colBorrAutoConversion", "collateralEnabled", "collateralRestrict", "smtSyncEq", "spotCopyTradingEq", "frpType", "spotBal",
    "openAvgPx", "accAvgPx", "spotUpl", "spotUplRatio", "totalPnl", "totalPnlRatio",
)  # fmt: skip
_ACCOUNT = (
    "availEq", "delta", "deltaLever", "deltaNeutralStatus", "notionalUsdForBorrow", "notionalUsdForFutures", "notionalUsdForOption",
    "notionalUsdForSwap",
)  # fmt: skip

#: Message -> fixture, and the differences that are known, each with its reason.
FOREIGN: dict[str, tuple[str, dict[str, str]]] = {
    "public/time": (f"{_API}/ExchangeData/GetServerTime.txt", {}),
    "public/instruments": (f"{_API}/ExchangeData/GetSymbols.txt", _INSTRUMENTS),
    "account/instruments": (f"{_API}/ExchangeData/GetSymbols.txt", _INSTRUMENTS),
    "market/tickers": (f"{_API}/ExchangeData/GetTickers.txt", {}),
    "market/ticker": (f"{_API}/ExchangeData/GetTicker.txt", {}),
    "market/books": (f"{_API}/ExchangeData/GetOrderBook.txt", _new("$.data[0]", "Get order book", "seqId")),
    "stream subscribe": (f"ack of {_PUSHED}/ExchangeData/OrderBook.txt", {}),
    "stream books": (f"{_PUSHED}/ExchangeData/OrderBook.txt", _new("$", "Order book channel", "action")),
    "stream trades": (f"{_PUSHED}/ExchangeData/Trades.txt", _new("$.data[0]", "Trades channel", "source", "seqId")),
    "trade/order, placed": (f"{_API}/Trading/PlaceOrder.txt", {}),
    "trade/cancel-order": (f"{_API}/Trading/CancelOrder.txt", {}),
    "trade/order": (f"{_API}/Trading/GetOrderDetails.txt", _new("$.data[0]", "Order details", "tradeQuoteCcy")),
    "trade/orders-pending": (
        f"{_API}/Trading/GetOrders.txt",
        _new("$.data[0]", "Order List", "cancelSource", "linkedAlgoOrd", "tradeQuoteCcy"),
    ),
    "trade/fills": (f"{_API}/Trading/GetUserTrades.txt", {}),
    "trade/fills-history": (f"{_API}/Trading/GetUserTradesArchive.txt", {}),
    "account/balance": (
        f"{_API}/Account/GetAccountBalance.txt",
        _new("$.data[0]", "Get balance", *_ACCOUNT)
        | _new("$.data[0].details[0]", "Get balance", *_ASSET, "autoLendStatus", "autoLendMtAmt", "maxSpotInUse")
        | {"$.data[0].details[0] lacks maxSpotInUseAmt": "documented as maxSpotInUse: Get balance"},
    ),
    "account/config": (
        f"{_API}/Account/GetAccountConfiguration.txt",
        _new(
            "$.data[0]", "Get account configuration",
            "enableSpotBorrow", "feeType", "liquidationGear", "settleCcy", "settleCcyList", "spotBorrowAutoRepay", "stgyType", "type",
        ),
    ),
    "account/trade-fee": (f"{_API}/Account/GetFeeRates.txt", _new("$.data[0]", "Get fee rates", "feeGroup", "ruleType")),
    "asset/currencies": (
        f"{_API}/Account/GetAssets.txt",
        _new("$.data[0]", "Get currencies", "burningFeeRate", "ctAddr", "depEstOpenTime", "fee", "minInternal", "wdEstOpenTime"),
    ),
    "private login": (f"ack of {_PUSHED}/Trading/Order.txt", {}),
    "private subscribe": (f"second ack of {_PUSHED}/Trading/Order.txt", {}),
    "private orders": (
        f"{_PUSHED}/Trading/Order.txt",
        _new("$.data[0]", "Order channel", "fillIdxPx", "linkedAlgoOrd", "tradeQuoteCcy") | _new("$.arg", "Order channel", "uid"),
    ),
    "private account": (
        f"{_PUSHED}/Account/Balance.txt",
        _new("$", "Account channel", "eventType")
        | _new("$.arg", "Account channel", "uid")
        | _new("$.data[0]", "Account channel", *_ACCOUNT)
        | _new("$.data[0].details[0]", "Account channel", *_ASSET),
    ),
}  # fmt: skip

#: What no transcription is at hand for, with the page of okx.com/docs-v5 that it was written from.
NO_FIXTURE = {
    "stream bbo-tbt": "Order book channel",
    "stream unsubscribe": "Unsubscribe",
    "stream error": "Subscribe",
    "stream notice": "Notification",
    "private whole account": "Account channel",
    "private channel-conn-count": "WebSocket connection count limit",
    "refused order": "Place order",
    "refused request": "Error Code",
}


@pytest.fixture(scope="module")
def sent() -> dict[str, Any]:
    """One of each, as the sandbox sends it."""
    told: dict[str, Any] = {}

    async def scenario() -> None:
        async with okx_bench(limits=False) as on:
            await _public(on, told)
            await _signed(on, told)

    run(scenario)
    return told


@pytest.mark.parametrize("name", FOREIGN)
def test_a_message_has_the_shape_of_a_foreign_one(name: str, sent: dict[str, Any], shared_data: Path) -> None:
    fixture, known = FOREIGN[name]
    assert set(differences(sent[name], _foreign(fixture, Fixtures(shared_data)))) == set(known), name


def test_every_message_is_in_one_of_the_two_tables(sent: dict[str, Any]) -> None:
    assert set(sent) == {*FOREIGN, *NO_FIXTURE}
    assert not set(FOREIGN) & set(NO_FIXTURE)


def test_what_no_fixture_has_is_as_documented(sent: dict[str, Any]) -> None:
    touch = sent["stream bbo-tbt"]["data"][0]
    assert set(touch) == {"asks", "bids", "ts", "seqId"}
    assert [len(touch[side][0]) for side in ("asks", "bids")] == [4, 4]
    assert set(sent["stream unsubscribe"]) == {"event", "arg", "connId"}
    assert set(sent["stream error"]) == {"id", "event", "code", "msg", "connId"}
    assert set(sent["stream notice"]) == {"event", "code", "msg", "connId"}
    assert set(sent["private channel-conn-count"]) == {"event", "channel", "connCount", "connId"}
    whole = sent["private whole account"]
    assert (whole["eventType"], whole["curPage"], whole["lastPage"]) == ("snapshot", 1, True)
    assert set(sent["refused order"]["data"][0]) == {"clOrdId", "ordId", "tag", "ts", "sCode", "sMsg"}
    assert set(sent["refused request"]) == {"code", "msg", "data"}


def _foreign(fixture: str, fixtures: Fixtures) -> Any:
    if fixture.startswith("second ack of "):
        return fixtures.ack(fixture.removeprefix("second ack of "), 1)
    return fixtures.ack(fixture.removeprefix("ack of ")) if fixture.startswith("ack of ") else fixtures.of(fixture)


async def _public(on: OkxBench, told: dict[str, Any]) -> None:
    for path, params in (
        ("public/time", {}),
        ("public/instruments", {"instType": "SPOT"}),
        ("market/tickers", {"instType": "SPOT"}),
        ("market/ticker", {"instId": "BTC-USDT"}),
        ("market/books", {"instId": "BTC-USDT"}),
    ):
        told[path] = (await on.okx.ask(path, **params)).body
    args = [{"channel": channel, "instId": "BTC-USDT"} for channel in ("books", "bbo-tbt", "trades")]
    async with on.socket() as socket:
        await socket.send({"op": "subscribe", "args": args[:1]})
        told["stream subscribe"] = await socket.next()
        told["stream books"] = await socket.next()
        await socket.send({"op": "subscribe", "args": args[1:]})
        for channel in ("bbo-tbt", "trades"):
            told[f"stream {channel}"] = await socket.next(lambda one: "data" in one and one["arg"]["channel"] == channel)  # noqa: B023
        await socket.send({"op": "unsubscribe", "args": args[:1]})
        told["stream unsubscribe"] = await socket.next(lambda one: "event" in one)
        await socket.send({"id": "3", "op": "subscribe", "args": [{"channel": "books", "instId": "NO-SUCH"}]})
        told["stream error"] = await socket.next(lambda one: "event" in one)
        on.box.venues["okx"].shut_down("public", 30.0)
        told["stream notice"] = await socket.next(lambda one: "event" in one)


async def _signed(on: OkxBench, told: dict[str, Any]) -> None:
    call = on.okx
    async with on.session.ws_connect(call.urls["private"]) as raw, on.socket(*PRIVATE, private=True) as events:
        for name, message in (("login", login(call.key)), ("subscribe", {"op": "subscribe", "args": PRIVATE[:1]})):
            await raw.send_str(json.dumps(message))
            told[f"private {name}"] = json.loads((await raw.receive(30)).data)
        told["private channel-conn-count"] = json.loads((await raw.receive(30)).data)
        told["private whole account"] = await events.next(lambda one: "data" in one)
        told["trade/order, placed"] = (await call.buy("one")).body
        for _ in range(4):  # taken, then filled: an order and what it left, each
            frame = await events.next(lambda one: "data" in one)
            told[f"private {frame['arg']['channel']}"] = frame
    told["refused order"] = (await call.buy("two", qty="0.000000001")).body
    told["refused request"] = (await call.get("trade/order", instId="XRP-USDT", clOrdId="nosuch")).body
    told["trade/order"] = (await call.get("trade/order", instId="XRP-USDT", clOrdId="one")).body
    for path in ("trade/fills", "trade/fills-history", "account/instruments", "account/trade-fee"):
        told[path] = (await call.get(path, instType="SPOT")).body
    await call.buy("three", price="0.5", qty="20", kind="limit")
    told["trade/orders-pending"] = (await call.get("trade/orders-pending", instType="SPOT")).body
    told["trade/cancel-order"] = (await call.post("trade/cancel-order", instId="XRP-USDT", clOrdId="three")).body
    for path in ("account/balance", "account/config", "asset/currencies"):
        told[path] = (await call.get(path)).body
