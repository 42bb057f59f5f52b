"""What the documents' own examples become here: orders, fills, balances, keys, and the frames of the private stream."""

import asyncio
import hashlib
import hmac
import json
import tarfile
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from arbtui.exchanges.adapter import AccountEvents, OrderReport
from arbtui.exchanges.amounts import read
from arbtui.exchanges.bybit import orders
from arbtui.exchanges.bybit.adapter import BybitAdapter
from arbtui.exchanges.bybit.rules import spot_market
from arbtui.exchanges.ccxt_client import CcxtClient
from arbtui.exchanges.config import ExchangeConfig, UrlsConfig
from arbtui.exchanges.rate_limits import RateLimitManager
from arbtui.exchanges.venues import VENUES
from arbtui.model.clock import SystemClock
from arbtui.model.errors import OrderRejected, OrderUnknown, VenueFailed, VenueRefused, WireError
from arbtui.model.market import FeeTakenIn
from arbtui.model.order import Balance, Fill, Order, OrderState, Purpose, Side, TimeInForce
from tests.exchanges.bybit.test_rules import BTC
from tests.exchanges.scripted_venue import SECRET, ScriptedVenue, made_up_keys, scripted, value

XRP = spot_market("XRP", "USDT", Decimal("0.0001"), Decimal("0.01"))

# "Get Open & Closed Orders", "Get Trade History": the examples' fields, of a spot order.
ROW: dict[str, Any] = {
    "orderId": "1523347543495541248", "orderLinkId": "a1", "blockTradeId": "", "symbol": "XRPUSDT", "price": "2.1400", "qty": "10.00",
    "side": "Buy", "isLeverage": "0", "positionIdx": 0, "orderStatus": "PartiallyFilledCanceled", "cancelType": "UNKNOWN",
    "rejectReason": "EC_NoError", "avgPrice": "2.1399", "leavesQty": "0.00", "leavesValue": "0", "cumExecQty": "7.00",
    "cumExecValue": "14.9793", "cumExecFee": "0.007", "timeInForce": "IOC", "orderType": "Limit", "stopOrderType": "", "orderIv": "",
    "triggerPrice": "0", "smpType": "None", "smpGroup": 0, "smpOrderId": "", "createdTime": "1499405658650", "updatedTime": "1499405658660",
    "cumFeeDetail": {"XRP": "0.007"},
}  # fmt: skip
EXECUTION: dict[str, Any] = {
    "symbol": "XRPUSDT", "orderType": "Limit", "underlyingPrice": "", "orderLinkId": "a1", "side": "Buy", "indexPrice": "",
    "orderId": "1523347543495541248", "stopOrderType": "UNKNOWN", "leavesQty": "3.00", "execTime": "1499405658657", "feeCurrency": "XRP",
    "isMaker": False, "execFee": "0.007", "feeRate": "0.001", "execId": "2290000000000000056", "tradeIv": "", "blockTradeId": "",
    "markPrice": "", "execPrice": "2.1399", "markIv": "", "orderQty": "10.00", "orderPrice": "2.1400", "execValue": "14.9793",
    "execType": "Trade", "execQty": "7.00", "closedSize": "", "extraFees": "", "seq": 4688002127,
}  # fmt: skip
FILL = Fill(
    exchange="bybit", trade_id="XRPUSDT:2290000000000000056", client_order_id="a1", venue_order_id="1523347543495541248", market="XRPUSDT",
    base="XRP", quote="USDT", side=Side.BUY, qty=Decimal(7), price=Decimal("2.1399"), cost=Decimal("14.9793"), fee=Decimal("0.007"),
    fee_currency="XRP", liquidity="taker", ts_event=1499405658657,
)  # fmt: skip
KEY: dict[str, Any] = {
    "id": "13770661", "note": "trade", "apiKey": "XXXXXX", "readOnly": 0, "secret": "",
    "permissions": {"ContractTrade": [], "Spot": ["SpotTrade"], "Wallet": [], "Options": [], "Derivatives": [], "Exchange": [], "Earn": [],
                    "FiatP2P": [], "FiatBitPay": [], "FiatConvertBroker": [], "BitCard": [], "ByXPost": []},
    "ips": ["18.181.170.164"], "type": 1, "deadlineDay": -2, "expiredAt": "1970-01-01T00:00:00Z", "uta": 1, "userID": 24617703,
    "isMaster": True, "parentUid": "0",
}  # fmt: skip


def result(data: Any, code: int = 0, words: str = "OK") -> dict[str, Any]:
    return {"retCode": code, "retMsg": words, "result": data, "retExtInfo": {}, "time": 1672211918471}


def page(*rows: Mapping[str, Any], cursor: str = "") -> Any:
    return value(result({"list": list(rows), "nextPageCursor": cursor, "category": "spot"}))


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(60):
            await main()

    asyncio.run(bounded())


def admit() -> None:
    """The gate says yes."""


def order_of(tif: TimeInForce = TimeInForce.IOC) -> Order:
    return Order("a1", XRP, Side.BUY, Decimal(10), Decimal("2.14"), "c1", 0, 1, Purpose.ENTRY, 0, 0.0, 1e9, tif)


@asynccontextmanager
async def connected(limits: RateLimitManager | None = None) -> AsyncIterator[tuple[ScriptedVenue, BybitAdapter]]:
    """A scripted venue and an adapter to it that knows one market, XRP."""
    async with scripted() as venue:
        socket = venue.url.replace("http", "ws")
        urls = UrlsConfig(rest=venue.url, stream=f"{socket}/v5/public/spot", private=f"{socket}/v5/private")
        facts = VENUES["bybit"].rest
        assert facts is not None
        client = CcxtClient("bybit", facts, ExchangeConfig(quote="USDT", urls=urls), made_up_keys(), SystemClock(), limits)
        adapter = BybitAdapter(client, urls.private, SystemClock())
        adapter.markets = {XRP.code: XRP}
        try:
            yield venue, adapter
        finally:
            await adapter.close()


def test_an_order_is_sent_once_signed_and_without_borrowing_and_its_end_is_looked_up() -> None:
    async def main() -> None:
        async with connected() as (venue, adapter):
            venue.on("POST", "/v5/order/create", value(result({"orderId": "1523347543495541248", "orderLinkId": "a1"})))
            open_row = ROW | {"orderStatus": "New", "cumExecQty": "0"}
            venue.on("GET", "/v5/order/realtime", page(), page(open_row), page(ROW))
            venue.on("GET", "/v5/order/history", page())
            venue.on("GET", "/v5/execution/list", page(), page(EXECUTION))  # it may not be readable yet
            report = await adapter.place(order_of(), admit)
            assert (report.state, report.filled_qty, report.fills) == (OrderState.EXPIRED, Decimal(7), (FILL,))
            (asked,) = venue.of("POST", "/v5/order/create")
            assert json.loads(asked.body) == {
                "category": "spot", "symbol": "XRPUSDT", "side": "Buy", "orderType": "Limit", "qty": "10", "price": "2.14",
                "timeInForce": "IOC", "orderLinkId": "a1", "isLeverage": 0,
            }  # fmt: skip
            signed = asked.headers["X-BAPI-TIMESTAMP"] + "k3y-of-a-test" + "5000" + asked.body
            assert asked.headers["X-BAPI-SIGN"] == hmac.new(SECRET.encode(), signed.encode(), hashlib.sha256).hexdigest()
            assert "Referer" not in asked.headers  # ccxt's own id as a broker is nobody's business

    run(main)


def test_an_order_that_rests_is_told_as_taken() -> None:
    async def main() -> None:
        async with connected() as (venue, adapter):
            venue.on("POST", "/v5/order/create", value(result({"orderId": "7", "orderLinkId": "a1"})))
            report = await adapter.place(order_of(TimeInForce.GTC), admit)
            assert (report.state, report.venue_order_id, len(venue.asked)) == (OrderState.ACCEPTED, "7", 1)

    run(main)


@pytest.mark.parametrize(
    ("status", "answer", "kind", "word"),
    [
        (200, result({}, 170131, "Balance insufficient"), OrderRejected, "INSUFFICIENT_FUNDS"),
        (200, result({}, 10006, "Too many visits!"), OrderRejected, "RATE_LIMITED"),
        (200, result({}, 10003, "API key is invalid."), OrderRejected, "KEYS"),
        (403, {}, OrderRejected, "RATE_LIMITED"),
        (401, {}, OrderRejected, "KEYS"),
        (200, result({}, 170141, "Duplicate clientOrderId"), OrderUnknown, ""),
        (200, result({}, 170007, "Timeout waiting for response from backend server."), OrderUnknown, ""),
        (200, result({}, 987654, "A code of tomorrow"), OrderUnknown, ""),
        (200, {"retCode": None}, OrderUnknown, ""),
        (200, {"result": {"orderId": "1"}}, OrderUnknown, ""),
        (200, [], OrderUnknown, ""),
        (200, result({"orderId": "1", "orderLinkId": "b2"}), OrderUnknown, ""),
        (500, {}, OrderUnknown, ""),
        (404, {}, OrderUnknown, ""),
    ],
)
def test_an_error_under_status_200_is_one_and_only_a_documented_no_is_a_no(
    status: int, answer: Any, kind: type[Exception], word: str
) -> None:
    async def main() -> None:
        async with connected() as (venue, adapter):
            venue.on("POST", "/v5/order/create", value(answer, status))
            with pytest.raises(kind) as caught:
                await adapter.place(order_of(), admit)
            assert str(caught.value).startswith(word)
            assert len(venue.of("POST", "/v5/order/create")) == 1

    run(main)


def test_an_ended_order_is_found_in_the_history_where_the_venue_has_begun_anew_and_an_unknown_one_in_neither() -> None:
    async def main() -> None:
        async with connected() as (venue, adapter):
            venue.on("GET", "/v5/order/realtime", page())
            venue.on("GET", "/v5/order/history", page(ROW | {"orderStatus": "Cancelled", "cumExecQty": "0"}), page())
            found = await adapter.fetch_order("XRPUSDT", "a1")
            assert found is not None
            assert (found.state, found.filled_qty) == (OrderState.EXPIRED, Decimal(0))
            assert await adapter.fetch_order("XRPUSDT", "a1") is None
            assert [asked.query["orderLinkId"] for asked in venue.of("GET", "/v5/order/history")] == ["a1", "a1"]

    run(main)


def test_an_answer_about_another_order_is_no_answer() -> None:
    async def main() -> None:
        async with connected() as (venue, adapter):
            venue.on("GET", "/v5/order/realtime", page(ROW | {"orderLinkId": "b2"}))
            with pytest.raises(VenueFailed, match="asked for a1, got b2"):
                await adapter.fetch_order("XRPUSDT", "a1")

    run(main)


def test_fills_are_listed_page_by_page_and_oldest_first() -> None:
    async def main() -> None:
        async with connected() as (venue, adapter):
            now = SystemClock().time_ms()
            rows = [EXECUTION | {"execId": str(number), "execTime": str(now - number)} for number in range(150)]
            funding = EXECUTION | {"execId": "x", "execType": "CorporateAction"}
            other = EXECUTION | {"execId": "y", "symbol": "ADAUSDT"}
            first, second = page(*rows[:100], cursor="132766%3A2%2C132766%3A2"), page(*rows[100:], funding, other)
            venue.on("GET", "/v5/execution/list", first, second, first, second)
            fills = await adapter.fetch_fills(now - 120)
            assert [fill.ts_event for fill in fills] == [now - number for number in range(120, -1, -1)]
            asked = venue.of("GET", "/v5/execution/list")
            assert [one.query.get("cursor") for one in asked] == [None, "132766:2,132766:2"]  # as the venue reads what it gave
            assert asked[0].query["category"] == "spot"

    run(main)


def test_a_long_time_is_asked_for_by_windows_of_seven_days() -> None:
    async def main() -> None:
        async with connected() as (venue, adapter):
            venue.on("GET", "/v5/execution/list", page())
            now = SystemClock().time_ms()
            assert await adapter.fetch_fills(now - 20 * 86_400_000) == []
            windows = [(int(one.query["startTime"]), int(one.query["endTime"])) for one in venue.of("GET", "/v5/execution/list")]
            assert windows[0][0] == now - 20 * 86_400_000
            assert all(end - start == 7 * 86_400_000 for start, end in windows)
            assert [start for start, _ in windows[1:]] == [end for _, end in windows[:-1]]
            assert windows[-1][1] > now

    run(main)


@pytest.mark.parametrize("code", [0, 170213, 170142, 170139])
def test_a_cancel_of_what_has_ended_is_no_error(code: int) -> None:
    async def main() -> None:
        async with connected() as (venue, adapter):
            venue.on("POST", "/v5/order/cancel", value(result({"orderId": "1", "orderLinkId": "a1"} if not code else {}, code)))
            await adapter.cancel("XRPUSDT", "a1")
            (asked,) = venue.asked
            assert json.loads(asked.body) == {"category": "spot", "symbol": "XRPUSDT", "orderLinkId": "a1"}

    run(main)


def test_all_orders_are_cancelled_with_one_request_and_those_of_other_kinds_with_one_each() -> None:
    async def main() -> None:
        async with connected() as (venue, adapter):
            cancelled = value(
                result({"list": [{"orderId": "1", "orderLinkId": "a1"}, {"orderId": "2", "orderLinkId": ""}], "success": "1"})
            )
            venue.on("POST", "/v5/order/cancel-all", cancelled)
            resting = ROW | {"orderStatus": "New", "cumExecQty": "0"}
            stop = resting | {"orderStatus": "Untriggered", "stopOrderType": "Stop", "orderLinkId": ""}
            venue.on("GET", "/v5/order/realtime", page(), page(stop))
            assert await adapter.cancel_all() == 2
            assert await adapter.cancel_all() == 4
            kinds = [json.loads(one.body)["orderFilter"] for one in venue.of("POST", "/v5/order/cancel-all")]
            assert kinds == ["Order", "Order", "StopOrder"]

    run(main)


def test_what_stands_is_listed_whatever_its_kind_and_market() -> None:
    async def main() -> None:
        async with connected() as (venue, adapter):
            resting = ROW | {"orderStatus": "New", "cumExecQty": "0", "timeInForce": "GTC"}
            rows = [resting | {"orderId": str(number), "symbol": "ADAUSDT"} for number in range(50)]
            venue.on("GET", "/v5/order/realtime", page(*rows, cursor="next"), page(resting))
            standing = await adapter.list_standing()
            assert [one.venue_order_id for one in standing] == [*map(str, range(50)), "1523347543495541248"]
            venue.on("GET", "/v5/order/realtime", page(resting))
            (report,) = await adapter.fetch_open_orders()
            assert (report.state, report.client_order_id) == (OrderState.ACCEPTED, "a1")

    run(main)


def wallet(*coins: Mapping[str, Any]) -> Any:
    return value(result({"list": [{"accountType": "UNIFIED", "totalEquity": "3.3", "coin": list(coins)}]}))


COIN = {"coin": "XRP", "walletBalance": "12.5", "locked": "2.25", "spotBorrow": "0", "borrowAmount": "0.0", "equity": "12.5", "free": ""}


def test_balances_are_what_is_ours_exactly() -> None:
    async def main() -> None:
        async with connected() as (venue, adapter):
            usdt = {"coin": "USDT", "walletBalance": "0.123456789012345678", "locked": "", "spotBorrow": ""}
            borrowed = COIN | {"coin": "ADA", "walletBalance": "10", "spotBorrow": "4", "locked": "1"}
            venue.on("GET", "/v5/account/wallet-balance", wallet(COIN, usdt, borrowed))
            assert await adapter.fetch_balances() == {
                "XRP": Balance(Decimal("10.25"), Decimal("2.25")),
                "USDT": Balance(Decimal("0.123456789012345678"), Decimal(0)),
                "ADA": Balance(Decimal(5), Decimal(1)),
            }
            for odd in ({"walletBalance": "NaN"}, {"walletBalance": "x"}, {"locked": "-1"}, {"walletBalance": "1"}, {"spotBorrow": "20"}):
                venue.on("GET", "/v5/account/wallet-balance", wallet(COIN | odd))
                with pytest.raises(VenueFailed):
                    await adapter.fetch_balances()

    run(main)


def scripted_account(venue: ScriptedVenue, key: Mapping[str, Any] = KEY, *, status: int = 5, in_coin: bool = False) -> None:
    venue.on("GET", "/v5/market/time", value(result({"timeSecond": "1688639403", "timeNano": "1688639403423213947"})))
    venue.on("GET", "/v5/user/query-api", value(result(key, words="")))
    venue.on("GET", "/v5/account/info", value(result({"marginMode": "REGULAR_MARGIN", "unifiedMarginStatus": status})))
    venue.on("GET", "/v5/market/instruments-info", value(result({"category": "spot", "list": [BTC, BTC | {"symbol": "NEWUSDT"}]})))
    fee = {"symbol": "BTCUSDT", "takerFeeRate": "0.0008", "makerFeeRate": "-0.0001"}
    venue.on("GET", "/v5/account/fee-rate", page(fee, {"symbol": "ODDUSDT", "takerFeeRate": ""}))
    config = {"lpaSpot": False, "lpaPerp": False, "deltaEnable": False, "smsef": in_coin, "fmsef": False}
    venue.on("GET", "/v5/account/user-setting-config", value(result(config)))


def test_a_start_reads_rules_and_the_accounts_own_fees() -> None:
    async def main() -> None:
        async with connected() as (venue, adapter):
            scripted_account(venue)
            await adapter.connect(["BTCUSDT", "NEWUSDT", "NONEUSDT"])
            assert list(adapter.markets) == ["BTCUSDT"]
            assert adapter.odd == {"NEWUSDT": "its fee rate is not told"}
            fees = adapter.markets["BTCUSDT"].fees
            assert (fees.taker, fees.maker, fees.taken_in) == (Decimal("0.0008"), Decimal("-0.0001"), FeeTakenIn.RECEIVED)
            assert adapter.account_names == ("uid 24617703",)
            assert adapter.clock_skew_ms is not None
            scripted_account(venue, in_coin=True)
            await adapter.connect(["BTCUSDT"])
            fees = adapter.markets["BTCUSDT"].fees
            assert (fees.taken_in, fees.coin) == (FeeTakenIn.COIN, "MNT")

    run(main)


def test_the_public_list_has_the_documented_fees_and_last_prices() -> None:
    async def main() -> None:
        async with connected() as (venue, adapter):
            scripted_account(venue)
            tickers = [{"symbol": "BTCUSDT", "lastPrice": "20533.13"}, {"symbol": "NEWUSDT", "lastPrice": ""}]
            venue.on("GET", "/v5/market/tickers", value(result({"category": "spot", "list": tickers})))
            listed = await adapter.listed()
            assert {code: one.price for code, one in listed.items()} == {"BTCUSDT": 20533.13, "NEWUSDT": 0.0}

    run(main)


def _rights(**changed: list[str]) -> dict[str, Any]:
    return KEY | {"permissions": KEY["permissions"] | changed}


@pytest.mark.parametrize(
    ("key", "status", "words"),
    [
        (_rights(Wallet=["Withdraw"]), 5, "Withdraw"),
        (_rights(Wallet=["AccountTransfer", "SubMemberTransfer"]), 5, "AccountTransfer, SubMemberTransfer"),
        (_rights(FiatBitPay=["FaitPayOrder"]), 5, "FaitPayOrder"),
        (_rights(Spot=[]), 5, "may not trade"),
        (KEY | {"readOnly": 1}, 5, "can only read"),
        (KEY | {"uta": 0}, 5, "unified"),
        (KEY, 1, "unified"),
    ],
)
def test_a_key_or_account_that_is_not_for_trading_is_refused(key: dict[str, Any], status: int, words: str) -> None:
    async def main() -> None:
        async with connected() as (venue, adapter):
            scripted_account(venue, key, status=status)
            with pytest.raises(VenueRefused, match=words):
                await adapter.connect(["BTCUSDT"])

    run(main)


def test_a_list_of_ones_sub_accounts_moves_nothing() -> None:
    async def main() -> None:
        async with connected() as (venue, adapter):
            scripted_account(venue, _rights(Wallet=["SubMemberTransferList"]) | {"ips": ["*"]})
            assert await adapter.check_keys() == "may read and trade, cannot withdraw; works from every address"

    run(main)


def test_networks_are_told_with_their_fees(shared_data: Path) -> None:
    with tarfile.open(shared_data / "fixtures" / "jkorf-Bybit.Net.tar.gz") as tar:
        file = tar.extractfile("./Bybit.UnitTests/Endpoints/V5Api/Account/GetAssetInfo.txt")
        assert file is not None
        recorded = json.loads(file.read().decode("utf-8-sig").split("\n", 3)[3])

    async def main() -> None:
        async with connected() as (venue, adapter):
            venue.on("GET", "/v5/asset/coin/query-info", value(recorded))
            networks = await adapter.fetch_networks({"ETH"})
            first, second = networks["ETH"]
            assert (first.network, first.fee, first.least, first.step) == ("ETH", Decimal(3), Decimal(3), Decimal("0.00000001"))
            assert (first.deposits, first.withdrawals, first.words) == (True, True, "")
            assert (second.network, second.fee) == ("MANTLE", Decimal(0))
            chain = recorded["result"]["rows"][0]["chains"][0]
            chain |= {"withdrawFee": "", "withdrawPercentageFee": "0.022", "chainDeposit": "0", "minAccuracy": ""}
            venue.on("GET", "/v5/asset/coin/query-info", value(recorded))
            first = (await adapter.fetch_networks({"ETH"}))["ETH"][0]
            assert (first.deposits, first.withdrawals, first.fee, first.step) == (False, False, None, None)
            assert first.words == "and 2.200 % of the amount"

    run(main)


class Ear(AccountEvents):
    """Hears what the private stream tells."""

    def __init__(self) -> None:
        self.reports: list[OrderReport] = []
        self.balances: dict[str, Balance] = {}
        self.opened = 0
        self.heard = asyncio.Event()

    def on_order(self, report: OrderReport) -> None:
        self.reports.append(report)
        self.heard.set()

    def on_balances(self, exchange: str, balances: Mapping[str, Balance]) -> None:
        self.balances |= balances
        self.heard.set()

    def on_reconnected(self, exchange: str) -> None:
        self.opened += 1
        self.heard.set()

    def on_disconnected(self, exchange: str) -> None:
        self.heard.set()


# "Order", "Execution", "Wallet" of the private stream: the envelope of the examples.
def pushed(topic: str, *rows: Mapping[str, Any]) -> str:
    return json.dumps({"id": "5923240c6880ab", "topic": topic, "creationTime": 1672364262474, "data": list(rows)})


def test_the_private_stream_is_open_when_login_and_topics_are_confirmed() -> None:
    async def main() -> None:
        async with connected() as (venue, adapter):
            ear = Ear()
            running = asyncio.create_task(adapter.run(ear))
            try:
                stream = await venue.stream()
                login = await stream.heard()
                key, expires, signature = login["args"]
                assert (login["op"], key) == ("auth", "k3y-of-a-test")
                assert signature == hmac.new(SECRET.encode(), f"GET/realtime{expires}".encode(), hashlib.sha256).hexdigest()
                await stream.send(json.dumps({"success": True, "ret_msg": "", "op": "auth", "conn_id": "cejreaspqfh3sjdnldmg-p"}))
                assert await stream.heard() == {"op": "subscribe", "args": ["order.spot", "execution.spot", "wallet"]}
                assert ear.opened == 0
                await stream.send(pushed("execution.spot", EXECUTION | {"category": "spot"}))  # before the confirmation: kept
                await stream.send(json.dumps({"success": True, "ret_msg": "", "op": "subscribe", "conn_id": "c-2m"}))
                await stream.send(pushed("execution.spot", EXECUTION | {"category": "linear"}))
                await stream.send(pushed("order.spot", ROW | {"category": "spot"}))
                await stream.send(json.dumps({"req_id": "test", "op": "pong", "args": ["1675418560633"], "conn_id": "c"}))
                await stream.send(pushed("wallet", {"accountType": "UNIFIED", "coin": [COIN]}))
                while "XRP" not in ear.balances:
                    ear.heard.clear()
                    await ear.heard.wait()
                assert [(report.state, report.fills) for report in ear.reports] == [
                    (OrderState.PARTIALLY_FILLED, (FILL,)),
                    (OrderState.EXPIRED, ()),
                ]
                assert (ear.balances, ear.opened) == ({"XRP": Balance(Decimal("10.25"), Decimal("2.25"))}, 1)
                await stream.send(pushed("order.spot", ROW | {"category": "spot", "orderStatus": "Tomorrow"}))
                while ear.opened < 2:  # a frame that cannot be read: the account is asked for anew
                    ear.heard.clear()
                    await ear.heard.wait()
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)

    run(main)


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ({"success": False, "ret_msg": "error:USVC1111", "conn_id": "e737", "request": {"op": "auth", "args": []}}, "10007"),
        ({"success": False, "ret_msg": "10003 API key is invalid", "op": "auth"}, "10003"),
        ({"success": False, "ret_msg": "error:handler not found", "op": "subscribe"}, ""),
    ],
)
def test_a_refused_login_is_a_refused_key(frame: dict[str, Any], code: str) -> None:
    with pytest.raises(WireError) as caught:
        orders.event_of(json.dumps(frame).encode())
    assert getattr(caught.value, "code", None) == code


@pytest.mark.parametrize(
    ("changed", "fee", "currency"),
    [
        ({"side": "Sell", "feeCurrency": "USDT", "execFee": "0.0149793"}, "0.0149793", "USDT"),
        ({"feeCurrency": "MNT", "execFee": "0.00242968"}, "0.00242968", "MNT"),
        ({"feeCurrency": ""}, "0.007", "XRP"),
        ({"side": "Sell", "feeCurrency": ""}, "0.007", "USDT"),
        ({"feeCurrency": "", "execFee": "-0.001"}, "-0.001", "USDT"),  # a maker is paid in the other currency
        ({"side": "Sell", "feeCurrency": "", "execFee": "-0.001"}, "-0.001", "XRP"),
        ({"execFee": ""}, "0.007", "XRP"),  # not told: by rate, never nothing
        ({"side": "Sell", "execFee": None}, "0.0149793", "USDT"),
        (
            {"extraFees": [{"feeCoin": "XRP", "feeType": "GST", "subFeeType": "IND_GST", "feeRate": "0.1", "fee": "0.0007"}]},
            "0.0077",
            "XRP",
        ),
    ],
)
def test_what_a_fee_is_and_in_which_coin(changed: dict[str, Any], fee: str, currency: str) -> None:
    fill = orders.fill_of(read(EXECUTION | changed, orders.ExecutionRow, "x"), XRP)
    assert (fill.fee, fill.fee_currency) == (Decimal(fee), currency)


@pytest.mark.parametrize(
    "changed",
    [{"execId": ""}, {"execQty": "-1"}, {"execPrice": "NaN"}, {"execFee": "x"}, {"execFee": "NaN"}, {"execTime": "soon"}, {"side": "Hold"},
     {"execValue": "-3"}],
)  # fmt: skip
def test_a_fill_that_makes_no_sense_is_none(changed: dict[str, Any]) -> None:
    with pytest.raises(WireError):
        orders.fill_of(read(EXECUTION | changed, orders.ExecutionRow, "x"), XRP)


@pytest.mark.parametrize(
    ("status", "tif", "filled", "state"),
    [
        ("New", "GTC", "0", OrderState.ACCEPTED),
        ("PartiallyFilled", "GTC", "1", OrderState.PARTIALLY_FILLED),
        ("Filled", "IOC", "10", OrderState.FILLED),
        ("Cancelled", "IOC", "0", OrderState.EXPIRED),
        ("Cancelled", "FOK", "0", OrderState.EXPIRED),
        ("Cancelled", "GTC", "0", OrderState.CANCELED),
        ("PartiallyFilledCanceled", "GTC", "1", OrderState.CANCELED),
        ("Rejected", "IOC", "0", OrderState.REJECTED),
        ("Deactivated", "GTC", "0", OrderState.CANCELED),
    ],
)
def test_every_documented_status_has_a_state(status: str, tif: str, filled: str, state: OrderState) -> None:
    row = read(ROW | {"orderStatus": status, "timeInForce": tif, "cumExecQty": filled}, orders.OrderRow, "x")
    assert orders.report_of(row).state is state


def test_a_status_that_is_not_documented_and_a_rejected_order_with_fills_are_not_believed() -> None:
    for changed in ({"orderStatus": "Tomorrow"}, {"orderStatus": "Rejected", "cumExecQty": "1"}, {"cumExecQty": "NaN"}):
        with pytest.raises(WireError):
            orders.report_of(read(ROW | changed, orders.OrderRow, "x"))


def test_limits_are_learnt_of_the_endpoint_that_was_asked() -> None:
    async def main() -> None:
        limits = RateLimitManager("bybit", SystemClock(), VENUES["bybit"].limits)
        async with connected(limits) as (venue, adapter):
            left = {"X-Bapi-Limit": "20", "X-Bapi-Limit-Status": "3", "X-Bapi-Limit-Reset-Timestamp": "1672738134824"}
            venue.on("POST", "/v5/order/cancel", value(result({"orderId": "1", "orderLinkId": "a1"}), headers=left))
            await adapter.cancel("XRPUSDT", "a1")
            used = {one.name: one.used for one in limits.left()}
            assert (used["cancel"], used["create"], used["http/5s"]) == (17.0, 0.0, 1.0)
            venue.on("POST", "/v5/order/cancel", value({}, 403))
            with pytest.raises(VenueFailed):
                await adapter.cancel("XRPUSDT", "a1")
            assert 590 < limits.banned_until - SystemClock().monotonic() <= 600  # "wait for at least 10 minutes"

    run(main)


def test_the_recorded_answers_are_read(shared_data: Path) -> None:
    """Of contracts, but the same rows: what is read here is of every category."""
    with tarfile.open(shared_data / "fixtures" / "jkorf-Bybit.Net.tar.gz") as tar:

        def body(name: str) -> Any:
            file = tar.extractfile(f"./Bybit.UnitTests/Endpoints/V5Api/{name}.txt")
            assert file is not None
            return json.loads(file.read().decode("utf-8-sig").split("\n", 3)[3])

        for name in ("Trading/GetOrders", "Trading/GetOrderHistory"):
            (row,) = read(orders.result_of(body(name), orders.Page, name).list, list[orders.OrderRow], name)
            assert orders.report_of(row).state in (OrderState.ACCEPTED, OrderState.CANCELED)
        (execution,) = read(orders.result_of(body("Trading/GetUserTrades"), orders.Page, "x").list, list[orders.ExecutionRow], "x")
        assert orders.fill_of(execution, XRP).cost == Decimal("119.015")
        assert orders.result_of(body("Trading/PlaceOrder"), orders.Placed, "x").orderId == "1321003749386327552"
        assert len(orders.result_of(body("Trading/CancelAllOrder"), orders.Page, "x").list) == 2
        assert orders.result_of(body("Account/GetApiKeyInfo"), orders.KeyInfo, "x").may_move_money == "AccountTransfer, SubMemberTransfer"
        assert orders.balances_of(orders.result_of(body("Account/GetBalances"), orders.Wallets, "x").list) == {"BTC": Balance()}
        assert orders.result_of(body("Account/GetMarginAccountInfo"), orders.AccountInfo, "x").unifiedMarginStatus == 4
        pushes = [("Order", orders.orders_of_event), ("UserTrades", orders.executions_of_event), ("Balance", orders.balances_of_event)]
        for name, decode in pushes:
            file = tar.extractfile(f"./Bybit.UnitTests/Subscriptions/V5/Private/{name}.txt")
            assert file is not None
            _, data = orders.event_of(file.read().decode("utf-8-sig").split("\n=", 1)[1].strip().encode())
            assert decode(data) == ({"BTC": Balance(Decimal("0.00102964"))} if name == "Balance" else [])  # those two are of contracts
