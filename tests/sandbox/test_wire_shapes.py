"""Every message that the sandbox sends has the keys and JSON types of a message that others recorded or transcribed."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.boxes import Bench, bench, binance_socket, message, run, upbit_socket, user_data
from tests.sandbox.shapes import Fixtures, differences

_SPOT = "binance:Endpoints/Spot"
_STREAMS = "binance:Subscriptions/Spot"
_MESSAGES = "binance:Socket/Spot"
_UPBIT = "upbit:Endpoints/Spot/ExchangeData"

#: Message -> fixture, and the differences that are known, each with its reason.
FOREIGN: dict[str, tuple[str, dict[str, str]]] = {
    "upbit market/all": (f"{_UPBIT}/GetSymbols.txt", {}),
    "upbit orderbook": (f"{_UPBIT}/GetOrderBook.txt", {}),
    "upbit orderbook/instruments": (f"{_UPBIT}/GetSymbolConfig.txt", {}),
    "upbit ticker": (
        f"{_UPBIT}/GetTickers.txt",
        {f"$[0].{key} is a number, not a string": "the fixture's first row has strings; its second, and the venue, numbers"
         for key in ("opening_price", "high_price", "low_price", "trade_price", "prev_closing_price", "signed_change_price")},
    ),
    "upbit ticker/all": (
        f"{_UPBIT}/GetTickers.txt",
        {f"$[0].{key} is a number, not a string": "as above"
         for key in ("opening_price", "high_price", "low_price", "trade_price", "prev_closing_price", "signed_change_price")},
    ),
    "upbit trades/ticks": (f"{_UPBIT}/GetTradeHistory.txt", {}),
    "upbit stream orderbook": (
        "upbit:Subscriptions/Spot/OrderBook.txt",
        {"$ invents stream_type": "documented, and `st` of the recording", "$ invents level": "documented since 2024"},
    ),
    "upbit stream trade": ("upbit:Subscriptions/Spot/Trades.txt", {}),
    "upbit stream ticker": ("upbit:Subscriptions/Spot/Tickers.txt", {}),
    "upbit stream orderbook SIMPLE": ("cryptofeed-upbit:orderbook", {"$ invents lv": "documented since 2024; recorded in 2021"}),
    "upbit stream trade SIMPLE": (
        "cryptofeed-upbit:trade",
        {f"$ invents {key}": "best prices beside a trade are told since 2024; recorded in 2021" for key in ("bap", "bas", "bbp", "bbs")},
    ),
    "binance time": (f"{_SPOT}/ExchangeData/GetServerTime.txt", {}),
    "binance exchangeInfo": (
        "markets:binance_exchangeInfo_2023-04-10_via_binance.me.json.gz",
        {f"$.symbols[0] invents {key}": "added since 2023 (exchangeInfo)" for key in ("otoAllowed", "amendAllowed", "permissionSets")},
    ),
    "binance depth": ("hft:snapshot", {}),
    "binance ticker/bookTicker": (f"{_SPOT}/ExchangeData/GetBookPrice.txt", {}),
    "binance ticker/price": (f"{_SPOT}/ExchangeData/GetPrice.txt", {}),
    "binance ticker/24hr": (f"{_SPOT}/ExchangeData/GetTicker.txt", {}),
    "binance trades": (f"{_SPOT}/ExchangeData/GetRecentTrades.txt", {}),
    "binance POST order": (f"{_SPOT}/Trading/PlaceOrder.txt", {"$ invents origQuoteOrderQty": "in the fixture of order.place"}),
    "binance GET order": (f"{_SPOT}/Trading/GetOrder.txt", {}),
    "binance DELETE order": (f"{_SPOT}/Trading/CancelOrder.txt", {"$ invents origQuoteOrderQty": "documented: Order cancel"}),
    "binance GET openOrders": (f"{_SPOT}/Trading/GetOpenOrders.txt", {}),
    "binance DELETE openOrders": (f"{_SPOT}/Trading/CancelAllOrders.txt", {"$[0] invents origQuoteOrderQty": "documented: Order cancel"}),
    "binance allOrders": (f"{_SPOT}/Trading/GetOrders.txt", {}),
    "binance myTrades": (f"{_SPOT}/Trading/GetUserTrades.txt", {}),
    "binance account": (f"{_SPOT}/Account/GetAccountInfo.txt", {}),
    "binance account/commission": (
        f"{_SPOT}/Account/GetCommissionRates.txt",
        {"$ invents specialCommission": "documented: Query Commission Rates, since 2025"},
    ),
    "binance rateLimit/order": (f"{_SPOT}/Account/GetOrderRateLimitStatus.txt", {}),
    "binance apiRestrictions": (
        f"{_SPOT}/Account/GetAPIKeyPermissions.txt",
        {f"$ invents {key}": "documented: Get API Key Permission" for key in ("enableFixApiTrade", "enableFixReadOnly")},
    ),
    "binance capital/config/getall": (
        f"{_SPOT}/Account/GetUserAssets.txt",
        {f"$[0].networkList[0] lacks {key}": "told only while a wallet is in maintenance" for key in ("depositDesc", "withdrawDesc")},
    ),
    "binance asset/tradeFee": (f"{_SPOT}/Account/GetTradeFee.txt", {}),
    "binance stream depth": ("hft:btcusdt@depth@100ms", {}),
    "binance stream bookTicker": ("hft:btcusdt@bookTicker", {}),
    "binance stream trade": ("hft:btcusdt@trade", {}),
    "binance stream aggTrade": (f"{_STREAMS}/ExchangeData/AggregatedTrades.txt", {}),
    "binance stream depth5": (f"{_STREAMS}/ExchangeData/PartialBook.txt", {}),
    "binance stream ticker": (f"{_STREAMS}/ExchangeData/Ticker.txt", {}),
    "binance stream miniTicker": (f"{_STREAMS}/ExchangeData/MiniTicker.txt", {}),
    "binance SUBSCRIBE": (f"ack of {_STREAMS}/ExchangeData/Trades.txt", {}),
    "binance userDataStream.subscribe": (f"ack of {_STREAMS}/Account/Order.txt", {"$.id is a string, not a number": "the client's own"}),
    "binance executionReport": (f"{_STREAMS}/Account/Order.txt", {}),
    "binance outboundAccountPosition": (f"{_STREAMS}/Account/AccountPosition.txt", {}),
    "binance balanceUpdate": (f"{_STREAMS}/Account/Balance.txt", {}),
    "binance order.place": (f"{_MESSAGES}/Trading/PlaceOrder.txt", {"$.result invents selfTradePreventionMode": "documented: order.place"}),
    "binance order.status": (
        f"{_MESSAGES}/Trading/GetOrder.txt",
        {f"$.result lacks {key}": "told of orders with that feature only"
         for key in ("trailingDelta", "trailingTime", "strategyId", "strategyType", "preventedMatchId", "preventedQuantity")},
    ),
}  # fmt: skip

#: What no recording or transcription is at hand for, with the page that it was written from.
NO_FIXTURE = {
    "upbit POST orders": "docs.upbit.com/kr/reference/new-order",
    "upbit GET order": "docs.upbit.com/kr/reference/get-order",
    "upbit DELETE order": "docs.upbit.com/kr/reference/cancel-order",
    "upbit orders/open": "docs.upbit.com/kr/reference/list-open-orders",
    "upbit DELETE orders/open": "docs.upbit.com/kr/reference/batch-cancel-orders",
    "upbit orders/closed": "docs.upbit.com/kr/reference/list-closed-orders",
    "upbit orders/uuids": "docs.upbit.com/kr/reference/list-orders-by-ids",
    "upbit orders/chance": "docs.upbit.com/kr/reference/available-order-information",
    "upbit accounts": "docs.upbit.com/kr/reference/get-balance",
    "upbit status/wallet": "docs.upbit.com/kr/reference/get-service-status",
    "upbit api_keys": "docs.upbit.com/kr/reference/list-api-keys",
    "upbit myOrder": "docs.upbit.com/kr/reference/websocket-myorder",
    "upbit myAsset": "docs.upbit.com/kr/reference/websocket-myasset",
    "upbit error": "docs.upbit.com/kr/reference/rest-api-guide",
    "upbit socket error, status and LIST_SUBSCRIPTIONS": "docs.upbit.com/kr/reference/websocket-guide",
    "binance error": "developers.binance.com/docs/binance-spot-api-docs/errors",
    "binance session.status": "developers.binance.com/docs/binance-spot-api-docs/websocket-api/authentication-requests",
    "binance eventStreamTerminated": "developers.binance.com/docs/binance-spot-api-docs/user-data-stream",
}  # fmt: skip


@pytest.fixture(scope="module")
def sent() -> dict[str, Any]:
    """One of each, as the sandbox sends it."""
    told: dict[str, Any] = {}

    async def scenario() -> None:
        async with bench() as on:
            await _upbit(on, told)
            await _binance(on, told)

    run(scenario)
    return told


@pytest.fixture(scope="module")
def fixtures(shared_data: Path) -> Fixtures:
    return Fixtures(shared_data)


@pytest.mark.parametrize("name", FOREIGN)
def test_a_message_has_the_shape_of_a_foreign_one(name: str, sent: dict[str, Any], fixtures: Fixtures) -> None:
    fixture, known = FOREIGN[name]
    theirs = fixtures.ack(fixture.removeprefix("ack of ")) if fixture.startswith("ack of ") else fixtures.of(fixture)
    found = set(differences(sent[name], theirs))
    assert found == set(known), name


def test_every_message_is_in_one_of_the_two_tables(sent: dict[str, Any]) -> None:
    assert set(sent) == set(FOREIGN)
    assert not set(FOREIGN) & set(NO_FIXTURE)


def test_a_wrong_shape_is_seen() -> None:
    assert differences({"a": 1, "b": [{"c": "x"}]}, {"a": "1", "b": [{"d": "x"}]}) == [
        "$.a is a number, not a string",
        "$.b[0] lacks d",
        "$.b[0] invents c",
    ]
    assert differences({"a": True}, {"a": 1}) == ["$.a is a boolean, not a number"]


async def _upbit(on: Bench, told: dict[str, Any]) -> None:
    for path, name in (
        ("market/all?is_details=true", "market/all"),
        ("orderbook?markets=KRW-BTC", "orderbook"),
        ("orderbook/instruments?markets=KRW-BTC", "orderbook/instruments"),
        ("ticker?markets=KRW-BTC", "ticker"),
        ("ticker/all?quote_currencies=KRW", "ticker/all"),
    ):
        told[f"upbit {name}"] = (await on.upbit.ask(path)).body
    subscriptions = [{"type": kind, "codes": ["KRW-BTC"]} for kind in ("orderbook", "trade", "ticker")]
    async with upbit_socket(on, *subscriptions) as long, upbit_socket(on, *subscriptions[:2], form="SIMPLE") as short:
        for kind in ("orderbook", "trade", "ticker"):
            told[f"upbit stream {kind}"] = await long.next(partial(_is, "type", kind))
        for kind in ("orderbook", "trade"):
            told[f"upbit stream {kind} SIMPLE"] = await short.next(partial(_is, "ty", kind))
    told["upbit trades/ticks"] = (await on.upbit.ask("trades/ticks?market=KRW-BTC")).body


async def _binance(on: Bench, told: dict[str, Any]) -> None:
    streams = {
        "depth": "btcusdt@depth@100ms",
        "bookTicker": "btcusdt@bookTicker",
        "trade": "btcusdt@trade",
        "aggTrade": "btcusdt@aggTrade",
        "depth5": "btcusdt@depth5@100ms",
        "ticker": "btcusdt@ticker",
        "miniTicker": "btcusdt@miniTicker",
    }
    async with binance_socket(on) as socket:
        await socket.send({"method": "SUBSCRIBE", "params": list(streams.values()), "id": 1})
        told["binance SUBSCRIBE"] = await socket.next()
        for kind, stream in streams.items():
            told[f"binance stream {kind}"] = await socket.next(partial(_whole, stream))
    for path in ("time", "exchangeInfo", "depth", "ticker/bookTicker", "ticker/price", "ticker/24hr", "trades"):
        symbol = "" if path in ("time", "exchangeInfo") else "?symbol=BTCUSDT"
        told[f"binance {path}"] = (await on.binance.ask(path + symbol)).body
    async with user_data(on) as events, on.session.ws_connect(on.binance.urls["private"]) as raw:
        told["binance POST order"] = (await on.binance.buy(newClientOrderId="one")).body
        told["binance executionReport"] = await events.next(lambda frame: frame["event"]["e"] == "executionReport")
        told["binance outboundAccountPosition"] = await events.next(lambda frame: frame["event"]["e"] == "outboundAccountPosition")
        await on.control("POST", "/deposits", {"venue": "binance", "asset": "XRP", "amount": "1.5"})
        told["binance balanceUpdate"] = await events.next(lambda frame: frame["event"]["e"] == "balanceUpdate")
        order = {"symbol": "XRPUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "IOC", "quantity": "10"}
        for name, params in (
            ("userDataStream.subscribe.signature", {}),
            ("order.place", {**order, "price": await on.binance.dear("XRPUSDT"), "newClientOrderId": "two"}),
            ("order.status", {"symbol": "XRPUSDT", "origClientOrderId": "two"}),
        ):
            await raw.send_str(json.dumps(message(name, on.binance.key, **params)))
            while "id" not in (answer := json.loads((await raw.receive(30)).data)):
                pass
            told[f"binance {name.removesuffix('.signature')}"] = answer
    one = {"symbol": "XRPUSDT", "origClientOrderId": "one"}
    told["binance GET order"] = (await on.binance.call("GET", "order", one)).body
    told["binance allOrders"] = (await on.binance.call("GET", "allOrders", {"symbol": "XRPUSDT"})).body
    told["binance myTrades"] = (await on.binance.call("GET", "myTrades", {"symbol": "XRPUSDT"})).body
    await on.binance.buy(price="0.5", qty="20", tif="GTC", newClientOrderId="three")
    await on.binance.buy(price="0.5", qty="20", tif="GTC", newClientOrderId="four")
    told["binance GET openOrders"] = (await on.binance.call("GET", "openOrders", {"symbol": "XRPUSDT"})).body
    told["binance DELETE order"] = (await on.binance.call("DELETE", "order", {"symbol": "XRPUSDT", "origClientOrderId": "three"})).body
    told["binance DELETE openOrders"] = (await on.binance.call("DELETE", "openOrders", {"symbol": "XRPUSDT"})).body
    told["binance account"] = (await on.binance.call("GET", "account")).body
    told["binance account/commission"] = (await on.binance.call("GET", "account/commission", {"symbol": "XRPUSDT"})).body
    told["binance rateLimit/order"] = (await on.binance.call("GET", "rateLimit/order")).body
    for path in ("account/apiRestrictions", "capital/config/getall", "asset/tradeFee"):
        name = path.removeprefix("account/") if "api" in path else path
        told[f"binance {name}"] = (await on.binance.call("GET", f"/sapi/v1/{path}")).body


def _is(key: str, kind: str, frame: Any) -> bool:
    return bool(frame[key] == kind)


def _whole(stream: str, frame: Any) -> bool:
    """A frame of ``stream`` with something in each of its lists."""
    if frame.get("stream") != stream:
        return False
    return all(value for value in frame["data"].values() if isinstance(value, list))
