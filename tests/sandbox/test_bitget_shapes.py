"""Every message that the sandbox's Bitget sends has the keys and JSON types of a message that others transcribed from the documents."""

from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.bitget_bench import PRIVATE, bitget_bench, channel, login, private, public
from tests.sandbox.boxes import Socket, run
from tests.sandbox.shapes import Fixtures, differences

_REST = "bitget:Endpoints/Spot"
_STREAM = "bitget:Subscriptions/Spot"
_MSG = {"$ lacks message": "the document's older word", "$ invents msg": "the word of the documents and of most fixtures"}
_SEQ = {"$.data[0] invents seq": 'documented: "Depth Channel"'}

#: Message -> fixture, and the differences that are known, each with its reason.
FOREIGN: dict[str, tuple[str, dict[str, str]]] = {
    "time": (f"{_REST}/ExchangeData/GetServerTime.txt", {}),
    "symbols": (f"{_REST}/ExchangeData/GetSymbols.txt", {}),
    "tickers": (f"{_REST}/ExchangeData/GetTickers.txt", {}),
    "orderbook": (f"{_REST}/ExchangeData/GetOrderBook.txt", {}),
    "coins": (f"{_REST}/ExchangeData/GetAssets.txt", {}),
    "account/info": (f"{_REST}/Account/GetAccountInfo.txt", {}),
    "account/assets": (f"{_REST}/Account/GetSpotBalances.txt", _MSG),
    "account/deduct-info": (f"{_REST}/Account/GetBgbDeductEnabled.txt", {}),
    "trade-rate": (f"{_REST}/Account/GetTradeFee.txt", {}),
    "place-order": (f"{_REST}/Trading/PlaceOrder.txt", {}),
    "cancel-order": (f"{_REST}/Trading/CancelOrder.txt", _MSG),
    "orderInfo": (f"{_REST}/Trading/GetOrder.txt", {}),
    "unfilled-orders": (f"{_REST}/Trading/GetOpenOrders.txt", _MSG),
    "history-orders": (f"{_REST}/Trading/GetClosedOrders.txt", _MSG),
    "fills": (f"{_REST}/Trading/GetUserTrades.txt", {}),
    "stream books15": (f"{_STREAM}/OrderBook.txt", _SEQ),
    "stream books1": (f"{_STREAM}/OrderBook.txt", _SEQ),
    "stream trade": (f"{_STREAM}/Trades.txt", {}),
    "subscribe": (f"ack of {_STREAM}/OrderBook.txt", {}),
    "login": ("ack of login", {}),
    "orders": (f"{_STREAM}/Order.txt", {}),
    "account": (f"{_STREAM}/Balance.txt", {}),
}

#: What no recording or transcription is at hand for, with the page that it was written from.
NO_FIXTURE = {
    "REST error": "bitget.com/api-doc/spot/error-code/restapi",
    "stream error": "bitget.com/api-doc/common/websocket-intro",
    "margin/currencies": "bitget.com/api-doc/margin/common/support-currencies; empty here",
}


@pytest.fixture(scope="module")
def sent() -> dict[str, Any]:
    """One of each, as the sandbox sends it."""
    told: dict[str, Any] = {}

    async def scenario() -> None:
        async with bitget_bench() as on:
            async with public(on, channel("books15"), channel("books1"), channel("trade")) as socket:
                while len(told) < 4:
                    frame = await socket.next()
                    told.setdefault("subscribe" if "event" in frame else f"stream {frame['arg']['channel']}", frame)
            for name, path in (
                ("time", "public/time"),
                ("symbols", "spot/public/symbols"),
                ("tickers", "spot/market/tickers"),
                ("orderbook", "spot/market/orderbook?symbol=XRPUSDT"),
                ("coins", "spot/public/coins"),
            ):
                told[name] = (await on.ask(path)).body
            async with private(on) as events:
                told["place-order"] = (await on.buy(clientOid="one")).body
                told["orders"] = await events.next(lambda frame: frame["arg"]["channel"] == "orders" and "tradeId" in frame["data"][0])
                told["account"] = await events.next(lambda frame: frame["arg"]["channel"] == "account")
            async with on.session.ws_connect(on.urls["private"]) as raw:
                socket = Socket(raw)
                await socket.send(login())
                told["login"] = await socket.next()
                await socket.send({"op": "subscribe", "args": PRIVATE})
            await on.buy("20", "1.20", force="gtc", clientOid="rests")
            for path in ("account/info", "account/assets", "account/deduct-info"):
                told[path] = (await on.call("GET", f"spot/{path}")).body
            one = {"symbol": "XRPUSDT"}
            told["trade-rate"] = (await on.call("GET", "common/trade-rate", {**one, "businessType": "spot"})).body
            told["orderInfo"] = (await on.call("GET", "spot/trade/orderInfo", {"clientOid": "one"})).body
            for name in ("unfilled-orders", "history-orders", "fills"):
                told[name] = (await on.call("GET", f"spot/trade/{name}", one)).body
            told["cancel-order"] = (await on.call("POST", "spot/trade/cancel-order", {**one, "clientOid": "rests"})).body

    run(scenario)
    return told


@pytest.fixture(scope="module")
def fixtures(shared_data: Path) -> Fixtures:
    return Fixtures(shared_data)


@pytest.mark.parametrize("name", FOREIGN)
def test_a_message_has_the_shape_of_a_foreign_one(name: str, sent: dict[str, Any], fixtures: Fixtures) -> None:
    fixture, known = FOREIGN[name]
    if fixture == "ack of login":
        theirs: Any = {"event": "login", "code": 0, "msg": ""}  # as documented; the fixture has the code as a text, and both are read
        assert fixtures.ack(f"{_STREAM}/Order.txt").keys() == theirs.keys()
    else:
        theirs = fixtures.ack(fixture.removeprefix("ack of ")) if fixture.startswith("ack of ") else fixtures.of(fixture)
    assert set(differences(sent[name], theirs)) == set(known), name


def test_every_message_is_in_one_of_the_two_tables(sent: dict[str, Any]) -> None:
    assert set(sent) == set(FOREIGN)
    assert not set(FOREIGN) & set(NO_FIXTURE)
