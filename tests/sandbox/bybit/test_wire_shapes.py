"""Every message that the local Bybit sends has the keys and JSON types of a message that others recorded or transcribed."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.exchanges.bybit.wires import recorded
from tests.sandbox.boxes import run
from tests.sandbox.bybit.callers import BybitBench, bybit_bench, login
from tests.sandbox.shapes import Fixtures, differences

_V5 = "bybit:Endpoints/V5Api"
_PRIVATE = "bybit:Subscriptions/V5/Private"

_FEES = {"$.result.list[0] invents cumFeeDetail": "documented: Get Open & Closed Orders, Get Order History"}

#: Message -> fixture, and the differences that are known, each with its reason.
FOREIGN: dict[str, tuple[str, dict[str, str]]] = {
    "instruments-info": ("markets", {}),
    "orderbook": (f"{_V5}/ExchangeData/GetOrderbook.txt", {"$.result invents cts": "documented: Get Orderbook"}),
    "tickers": (f"{_V5}/ExchangeData/GetSpotTickers.txt", {}),
    "recent-trade": (f"{_V5}/ExchangeData/GetTradeHistory.txt", {}),
    "stream subscribe": ("recorded:subscribe", {}),
    "stream snapshot": ("recorded:snapshot", {}),
    "stream delta": ("recorded:delta", {}),
    "stream publicTrade": ("recorded:publicTrade", {}),
    "order/create": (f"{_V5}/Trading/PlaceOrder.txt", {}),
    "order/cancel": (f"{_V5}/Trading/CancelOrder.txt", {}),
    "order/cancel-all": (f"{_V5}/Trading/CancelAllOrder.txt", {}),
    "order/realtime": (f"{_V5}/Trading/GetOrders.txt", _FEES),
    "order/history": (f"{_V5}/Trading/GetOrderHistory.txt", _FEES),
    "execution/list": (f"{_V5}/Trading/GetUserTrades.txt", {}),
    "wallet-balance": (f"{_V5}/Account/GetBalances.txt", {"$.result.list[0].coin[0] invents spotBorrow": "documented: Get Wallet Balance"}),
    "account/info": (
        f"{_V5}/Account/GetMarginAccountInfo.txt",
        {f"$ invents {key}": "every answer has them; the fixture is cut short" for key in ("retExtInfo", "time")},
    ),
    "fee-rate": (f"{_V5}/Account/GetFeeRate.txt", {}),
    "query-api": (f"{_V5}/Account/GetApiKeyInfo.txt", {}),
    "coin/query-info": (f"{_V5}/Account/GetAssetInfo.txt", {}),
    "private auth": (f"ack of {_PRIVATE}/Order.txt", {}),
    "private subscribe": (f"second ack of {_PRIVATE}/Order.txt", {}),
    "private order": (f"{_PRIVATE}/Order.txt", {f"$.data[0] invents {key}": "documented: Order" for key in ("cumFeeDetail", "isLeverage")}),
    "private execution": (
        f"{_PRIVATE}/UserTrades.txt",
        {f"$.data[0] invents {key}": "documented: Execution" for key in ("feeCurrency", "execPnl")},
    ),
    "private wallet": (f"{_PRIVATE}/Balance.txt", {"$.data[0].coin[0] invents spotBorrow": "documented: Wallet"}),
}

#: What no recording or transcription is at hand for, with the page of bybit-exchange/docs (v5) that it was written from.
NO_FIXTURE = {
    "time": "market/time",
    "user-setting-config": "account/user-setting-config",
    "public pong": "ws/connect, How to Send the Heartbeat Packet",
    "private pong": "ws/connect, How to Send the Heartbeat Packet",
    "refusal": "error",
    "refused subscription": "ws/connect tells of none: as answered to ccxt's users (ccxt 4.5.90, pro/bybit.py)",
}


@pytest.fixture(scope="module")
def sent() -> dict[str, Any]:
    """One of each, as the sandbox sends it."""
    told: dict[str, Any] = {}

    async def scenario() -> None:
        async with bybit_bench() as on:
            await _public(on, told)
            await _signed(on, told)

    run(scenario)
    return told


@pytest.mark.parametrize("name", FOREIGN)
def test_a_message_has_the_shape_of_a_foreign_one(name: str, sent: dict[str, Any], shared_data: Path) -> None:
    fixture, known = FOREIGN[name]
    assert set(differences(sent[name], _foreign(fixture, shared_data))) == set(known), name


def test_every_message_is_in_one_of_the_two_tables(sent: dict[str, Any]) -> None:
    assert set(sent) == {*FOREIGN, *NO_FIXTURE}
    assert not set(FOREIGN) & set(NO_FIXTURE)


def _foreign(fixture: str, data: Path) -> Any:
    if fixture == "markets":
        with gzip.open(data / "markets" / "bybit_instruments_spot_2026-08-09.json.gz") as file:
            return json.load(file)
    source, _, kind = fixture.partition(":")
    if source == "recorded":
        frames = map(json.loads, recorded(data))
        return next(one for one in frames if kind in (one.get("op"), one.get("topic", "").partition(".")[0], _kind_of_book(one)))
    fixtures = Fixtures(data)
    if source.startswith("second ack of "):
        return fixtures.ack(fixture.removeprefix("second ack of "), 1)
    return fixtures.ack(fixture.removeprefix("ack of ")) if source.startswith("ack of ") else fixtures.of(fixture)


def _kind_of_book(frame: dict[str, Any]) -> str:
    is_book = frame.get("topic", "").startswith("orderbook.") and all(frame["data"][side] for side in "ba")
    return str(frame["type"]) if is_book else ""


async def _public(on: BybitBench, told: dict[str, Any]) -> None:
    for path in ("time", "instruments-info", "orderbook", "tickers"):
        told[path] = (await on.bybit.ask(f"market/{path}", symbol="BTCUSDT")).body
    async with on.socket() as socket:
        await socket.send({"op": "subscribe", "args": ["orderbook.50.BTCUSDT", "publicTrade.BTCUSDT"]})
        told["stream subscribe"] = await socket.next()
        told["stream snapshot"] = await socket.next(lambda frame: _kind_of_book(frame) == "snapshot")
        told["stream delta"] = await socket.next(lambda frame: _kind_of_book(frame) == "delta")
        told["stream publicTrade"] = await socket.next(lambda frame: frame["topic"] == "publicTrade.BTCUSDT")
        await socket.send({"op": "ping", "req_id": "2"})
        told["public pong"] = await socket.next(lambda frame: "topic" not in frame)
        await socket.send({"op": "subscribe", "req_id": "3", "args": ["orderbook.50.NOSUCH"]})
        told["refused subscription"] = await socket.next(lambda frame: "topic" not in frame)
    told["recent-trade"] = (await on.bybit.ask("market/recent-trade", symbol="BTCUSDT")).body


async def _signed(on: BybitBench, told: dict[str, Any]) -> None:
    call = on.bybit
    async with on.session.ws_connect(call.urls["private"]) as raw, on.socket("order", "execution", "wallet", private=True) as events:
        for name, message in (("auth", login(call.key)), ("subscribe", {"op": "subscribe", "req_id": "1", "args": ["order"]})):
            await raw.send_str(json.dumps(message))
            told[f"private {name}"] = json.loads((await raw.receive(30)).data)
        await raw.send_str('{"op": "ping"}')
        told["private pong"] = json.loads((await raw.receive(30)).data)
        told["order/create"] = (await call.buy("one")).body
        for _ in range(3):
            frame = await events.next()
            told[f"private {frame['topic']}"] = frame
    told["refusal"] = (await call.buy("two", qty="0.000000001")).body
    told["order/history"] = (await call.get("order/history")).body
    told["execution/list"] = (await call.get("execution/list")).body
    for name in ("three", "four"):
        assert (await call.buy(name, price="0.5", qty="20", tif="GTC")).body["retCode"] == 0
    told["order/realtime"] = (await call.get("order/realtime")).body
    told["order/cancel"] = (await call.post("order/cancel", symbol="XRPUSDT", orderLinkId="three")).body
    told["order/cancel-all"] = (await call.post("order/cancel-all")).body
    told["wallet-balance"] = (await call.get("account/wallet-balance", accountType="UNIFIED")).body
    for path in ("account/info", "account/user-setting-config", "account/fee-rate", "user/query-api", "asset/coin/query-info"):
        name = path if path.endswith("/info") else path.partition("/")[2]
        told[name] = (await call.get(path)).body
