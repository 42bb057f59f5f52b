"""Orders, fills and balances of the venues that came later, field by field: all of them told, and no more than there must be."""

import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from arbtui.exchanges.adapter import OrderReport
from arbtui.exchanges.amounts import read
from arbtui.exchanges.bitget import orders as bitget
from arbtui.exchanges.bithumb import orders as bithumb
from arbtui.exchanges.bybit import orders as bybit
from arbtui.exchanges.coinone import orders as coinone
from arbtui.exchanges.coinone.order_ids import KnownOrder, OrderIds
from arbtui.exchanges.okx import orders as okx
from arbtui.exchanges.private_stream import StreamRefused
from arbtui.exchanges.won import orders as won
from arbtui.model.errors import WireError
from arbtui.model.order import Balance, Fill, OrderState, Side
from tests.exchanges.scripted_venue import XRP

Fields = Mapping[str, Any]
MS = 1_700_000_000_123
LEFT_OUT = "left out"  #: instead of a value


def fields(row: Fields, **changed: Any) -> dict[str, Any]:
    return {name: value for name, value in {**row, **changed}.items() if value is not LEFT_OUT}


def frame(data: Any) -> bytes:
    return json.dumps(data).encode()


def fill(exchange: str, trade_id: str, **changed: Any) -> Fill:
    """Four XRP bought at 2.5 for order a1 (o1 at the venue), at the venue's own rate, as a taker."""
    market = XRP[exchange][0]
    known = Fill(
        exchange=exchange, trade_id=trade_id, client_order_id="a1", venue_order_id="o1", market=market.code, base="XRP",
        quote=market.quote, side=Side.BUY, qty=Decimal(4), price=Decimal("2.5"), cost=Decimal(10), fee=Decimal("0.004"),
        fee_currency="XRP", liquidity="taker", ts_event=MS,
    )  # fmt: skip
    return replace(known, **changed)


def report(exchange: str, state: OrderState, filled: str = "0", *fills: Fill, **changed: Any) -> OrderReport:
    return replace(OrderReport(exchange, "a1", "o1", state, Decimal(filled), fills), **changed)


ACCEPTED, PARTIALLY_FILLED, FILLED = OrderState.ACCEPTED, OrderState.PARTIALLY_FILLED, OrderState.FILLED
CANCELED, EXPIRED, REJECTED = OrderState.CANCELED, OrderState.EXPIRED, OrderState.REJECTED

# bybit

BYBIT = {
    "symbol": "XRPUSDT", "orderId": "o1", "execId": "7", "side": "Buy", "execPrice": "2.5", "execQty": "4", "execTime": str(MS),
    "execType": "Trade", "orderLinkId": "a1", "execValue": "10", "execFee": "0.004", "feeCurrency": "XRP", "isMaker": False,
    "extraFees": "", "category": "spot",
}  # fmt: skip
BYBIT_ROW = {"symbol": "XRPUSDT", "orderId": "o1", "orderStatus": "New", "cumExecQty": "0", "orderLinkId": "a1"}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, {}),
        ({"orderLinkId": LEFT_OUT, "isMaker": True}, {"client_order_id": "", "liquidity": "maker"}),
        ({"execValue": "10.5"}, {"cost": Decimal("10.5")}),
        ({"execValue": LEFT_OUT, "isMaker": LEFT_OUT}, {}),
        ({"side": "Sell", "feeCurrency": "USDT", "execFee": "0.01"}, {"side": Side.SELL, "fee": Decimal("0.01"), "fee_currency": "USDT"}),
        ({"execFee": "0", "feeCurrency": ""}, {"fee": Decimal(0)}),
        ({"feeCurrency": LEFT_OUT}, {}),
        ({"execFee": "-0.004", "feeCurrency": ""}, {"fee": Decimal("-0.004"), "fee_currency": "USDT"}),
        ({"execFee": LEFT_OUT}, {}),
        ({"execFee": ""}, {}),
        ({"execFee": None, "side": "Sell"}, {"side": Side.SELL, "fee": Decimal("0.01"), "fee_currency": "USDT"}),
        (
            {"execFee": "0.01", "side": "Sell", "feeCurrency": None},
            {"side": Side.SELL, "fee": Decimal("0.01"), "fee_currency": "USDT"},
        ),
        (
            {"execFee": "-0.01", "side": "Sell", "feeCurrency": None},
            {"side": Side.SELL, "fee": Decimal("-0.01"), "fee_currency": "XRP"},
        ),
        (
            {"extraFees": [{"feeCoin": "XRP", "fee": "0.001"}, {"feeCoin": "USDT", "fee": "5"}, {"feeCoin": "XRP", "fee": "0.002"}]},
            {"fee": Decimal("0.007")},
        ),
        ({"extraFees": LEFT_OUT}, {}),
        ({"extraFees": None}, {}),
    ],
)
def test_a_fill_of_bybit(changed: Fields, expected: Fields) -> None:
    row = read(fields(BYBIT, **changed), bybit.ExecutionRow, "execution")
    assert bybit.fill_of(row, XRP["bybit"][0]) == fill("bybit", "XRPUSDT:7", **expected)


@pytest.mark.parametrize("changed", [{"execId": ""}, {"execTime": "x"}, {"side": "BUY"}, {"execQty": "-1"}, {"execPrice": "NaN"}])
def test_what_is_no_fill_of_bybit(changed: Fields) -> None:
    with pytest.raises(WireError):
        bybit.fill_of(read({**BYBIT, **changed}, bybit.ExecutionRow, "execution"), XRP["bybit"][0])


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, report("bybit", ACCEPTED)),
        ({"cumExecQty": ""}, report("bybit", ACCEPTED)),
        ({"orderLinkId": LEFT_OUT}, report("bybit", ACCEPTED, client_order_id="")),
        ({"orderStatus": "Rejected", "rejectReason": "EC_X"}, report("bybit", REJECTED, reason="EC_X")),
        ({"orderStatus": "Cancelled", "rejectReason": "EC_NoError", "timeInForce": "GTC"}, report("bybit", CANCELED)),
        ({"orderStatus": "Cancelled", "timeInForce": "IOC"}, report("bybit", EXPIRED)),
        ({"orderStatus": "Filled", "cumExecQty": "4", "timeInForce": "IOC"}, report("bybit", FILLED, "4")),
    ],
)
def test_an_order_of_bybit(changed: Fields, expected: OrderReport) -> None:
    assert bybit.report_of(read(fields(BYBIT_ROW, **changed), bybit.OrderRow, "order")) == expected


@pytest.mark.parametrize(("kind", "named"), [("", "Order"), ("UNKNOWN", "Order"), ("Stop", "StopOrder"), ("tpslOrder", "tpslOrder")])
def test_the_kind_of_an_order_of_bybit(kind: str, named: str) -> None:
    assert read({**BYBIT_ROW, "stopOrderType": kind}, bybit.OrderRow, "order").filter == named
    assert read(BYBIT_ROW, bybit.OrderRow, "order").filter == "Order"


def test_what_executions_alone_say_of_their_orders() -> None:
    rows = [
        read({**BYBIT, **changed}, bybit.ExecutionRow, "execution")
        for changed in ({}, {"execId": "8"}, {"execId": "9", "orderId": "o2", "orderLinkId": "b2"}, {"symbol": "ADAUSDT"})
    ]
    first, second = (fill("bybit", f"XRPUSDT:{number}") for number in (7, 8))
    third = fill("bybit", "XRPUSDT:9", venue_order_id="o2", client_order_id="b2")
    assert bybit.report_of_executions(rows, {"XRPUSDT": XRP["bybit"][0]}) == [
        report("bybit", PARTIALLY_FILLED, "8", first, second),
        report("bybit", PARTIALLY_FILLED, "4", third, client_order_id="b2", venue_order_id="o2"),
    ]


def test_only_spot_and_trades_are_heard_of_bybits_stream() -> None:
    assert [row.orderId for row in bybit.orders_of_event(frame([BYBIT_ROW, {**BYBIT_ROW, "category": "linear", "orderId": "o2"}]))] == [
        "o1"
    ]
    told = [BYBIT, {**BYBIT, "category": "linear"}, {**BYBIT, "execType": "Funding"}, fields(BYBIT, category=LEFT_OUT, execType=LEFT_OUT)]
    assert len(bybit.executions_of_event(frame(told))) == 2


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"topic": "order.spot", "data": [1]}, ("order", b"[1]")),
        ({"topic": "wallet", "data": []}, ("wallet", b"[]")),
        ({"op": "auth", "success": True}, ("answer auth", b"")),
        ({"op": "pong"}, ("answer pong", b"")),
        ({"request": {"op": "subscribe"}, "success": True}, ("answer subscribe", b"")),
    ],
)
def test_a_private_frame_of_bybit(told: Any, expected: tuple[str, bytes]) -> None:
    assert bybit.event_of(frame(told)) == expected


@pytest.mark.parametrize(
    ("told", "code", "words"),
    [
        ({"op": "auth", "success": False, "ret_msg": "10004: wrong sign"}, "10004", "wrong sign"),
        ({"op": "auth", "success": False, "ret_msg": "wrong sign"}, "10007", "wrong sign"),
        ({"op": "subscribe", "success": False, "ret_msg": "wrong topic"}, "", "wrong topic"),
        ({"op": "subscribe", "success": False, "ret_msg": "10001, wrong"}, "10001", "wrong"),
        ({"success": False, "request": {"op": "auth"}}, "10007", ""),
    ],
)
def test_an_error_of_bybits_private_stream(told: Any, code: str, words: str) -> None:
    with pytest.raises(StreamRefused) as refused:
        bybit.event_of(frame(told))
    assert (refused.value.code, refused.value.message, refused.value.status) == (code, words, 400)


def test_a_frame_of_bybit_that_says_nothing_is_refused() -> None:
    with pytest.raises(WireError, match="neither a topic nor an answer"):
        bybit.event_of(b"{}")


def test_an_answer_of_bybit_is_its_result_or_its_error() -> None:
    assert bybit.result_of({"retCode": 0, "result": {"list": [7]}}, bybit.Page, "x").list == [7]
    with pytest.raises(WireError, match=r"^x: 10001 wrong$"):
        bybit.result_of({"retCode": 10001, "retMsg": "wrong", "result": {"list": []}}, bybit.Page, "x")


def test_what_a_key_of_bybit_could_do_with_money() -> None:
    rights = {"Wallet": ["AccountTransfer", "SubMemberTransferList"], "FiatP2P": ["A"], "FiatBitPay": ["B"], "FiatConvertBroker": ["C"]}
    key = {"readOnly": 0, "permissions": rights | {"BitCard": ["D"]}, "uta": 1, "userID": 7}
    assert read(key, bybit.KeyInfo, "key").may_move_money == "AccountTransfer, A, B, C, D"
    bare = read(key | {"permissions": {}}, bybit.KeyInfo, "key")
    assert (bare.may_move_money, bare.permissions.Spot, bare.works_everywhere) == ("", [], True)
    assert [read(key | {"ips": ips}, bybit.KeyInfo, "key").works_everywhere for ips in ([], ["*"], ["1.2.3.4"])] == [True, True, False]
    assert read({}, bybit.TradeConfig, "config").smsef is False


def test_balances_of_bybit() -> None:
    told = [
        {"coin": [{"coin": "XRP", "walletBalance": "12.5", "locked": "2.25", "spotBorrow": "0.25"}, {"coin": "ADA", "walletBalance": ""}]}
    ]
    assert bybit.balances_of_event(frame(told)) == {"XRP": Balance(Decimal(10), Decimal("2.25")), "ADA": Balance(Decimal(0))}
    with pytest.raises(WireError, match=r"the account owes 0\.5 XRP"):
        bybit.balances_of_event(frame([{"coin": [{"coin": "XRP", "walletBalance": "1", "spotBorrow": "1.5"}]}]))


# okx

OKX = {
    "instId": "XRP-USDT", "tradeId": "7", "ordId": "o1", "clOrdId": "a1", "billId": "b7", "side": "buy", "fillSz": "4", "fillPx": "2.5",
    "fee": "-0.004", "feeCcy": "XRP", "ts": "1", "execType": "T", "fillTime": str(MS),
}  # fmt: skip
OKX_PUSH = {
    "instType": "SPOT", "instId": "XRP-USDT", "ordId": "o1", "clOrdId": "a1", "ordType": "ioc", "state": "partially_filled",
    "side": "buy", "accFillSz": "4", "fillSz": "4", "fillPx": "2.5", "fillFee": "-0.004", "fillFeeCcy": "XRP", "fillTime": str(MS),
    "tradeId": "7", "execType": "T",
}  # fmt: skip
OKX_FILL = fill("okx", "XRP-USDT:7")


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, {}),
        ({"execType": "M"}, {"liquidity": "maker"}),
        ({"execType": LEFT_OUT}, {}),
        ({"fillTime": LEFT_OUT, "ts": str(MS + 1)}, {"ts_event": MS + 1}),
        ({"fillTime": "", "ts": ""}, {"ts_event": 0}),
        ({"fee": "0.004"}, {"fee": Decimal("-0.004")}),
        ({"fee": ""}, {}),
        ({"feeCcy": ""}, {}),
        ({"side": "sell", "fee": "", "feeCcy": ""}, {"side": Side.SELL, "fee": Decimal("0.01"), "fee_currency": "USDT"}),
    ],
)
def test_a_fill_of_okx(changed: Fields, expected: Fields) -> None:
    row = read(fields(OKX, **changed), okx.FillRow, "fills")
    assert okx.fill_of(row, XRP["okx"][0]) == replace(OKX_FILL, **expected)


@pytest.mark.parametrize(
    "changed",
    [{"tradeId": ""}, {"ordId": ""}, {"fillSz": ""}, {"fillSz": "0"}, {"fillPx": ""}, {"fillPx": "0"}, {"fillPx": "-1"}, {"side": "x"}],
)
def test_what_is_no_fill_of_okx(changed: Fields) -> None:
    with pytest.raises(WireError):
        okx.fill_of(read({**OKX, **changed}, okx.FillRow, "fills"), XRP["okx"][0])


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, report("okx", PARTIALLY_FILLED, "4", OKX_FILL)),
        ({"execType": "M"}, report("okx", PARTIALLY_FILLED, "4", replace(OKX_FILL, liquidity="maker"))),
        ({"state": "canceled"}, report("okx", EXPIRED, "4", OKX_FILL)),
        ({"state": "canceled", "ordType": "limit"}, report("okx", CANCELED, "4", OKX_FILL)),
        ({"tradeId": LEFT_OUT}, report("okx", PARTIALLY_FILLED, "4")),
        ({"fillSz": LEFT_OUT}, report("okx", PARTIALLY_FILLED, "4")),
        ({"fillSz": "0"}, report("okx", PARTIALLY_FILLED, "4")),
        ({"accFillSz": ""}, report("okx", PARTIALLY_FILLED, "0", OKX_FILL)),
        ({"instId": "ADA-USDT"}, report("okx", PARTIALLY_FILLED, "4")),
        ({"fillFee": LEFT_OUT, "fillFeeCcy": LEFT_OUT, "fillTime": LEFT_OUT, "execType": LEFT_OUT},
         report("okx", PARTIALLY_FILLED, "4", replace(OKX_FILL, ts_event=0))),
    ],
)  # fmt: skip
def test_a_pushed_order_of_okx(changed: Fields, expected: OrderReport) -> None:
    assert okx.report_of_push(frame(fields(OKX_PUSH, **changed)), {"XRP-USDT": XRP["okx"][0]}) == expected


def test_other_products_of_okx_are_not_heard() -> None:
    assert okx.report_of_push(frame({**OKX_PUSH, "instType": "SWAP"}), {"XRP-USDT": XRP["okx"][0]}) is None


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (b"pong", okx.Pushed(event="pong")),
        ({"event": "login", "code": "0"}, okx.Pushed(event="login", code="0")),
        ({"event": "login"}, okx.Pushed(event="login")),
        ({"event": "subscribe", "arg": {"channel": "orders"}}, okx.Pushed(event="subscribe", channel="orders")),
        ({"arg": {"channel": "orders"}, "data": [1, {}]}, okx.Pushed(channel="orders", rows=(b"1", b"{}"))),
        ({"event": "notice", "code": "64008"}, okx.Pushed(event="notice", code="64008")),
    ],
)
def test_a_private_frame_of_okx(told: Any, expected: okx.Pushed) -> None:
    assert okx.pushed_of(told if isinstance(told, bytes) else frame(told)) == expected


@pytest.mark.parametrize("event", ["error", "login"])
def test_an_error_of_okxs_private_stream(event: str) -> None:
    with pytest.raises(StreamRefused) as refused:
        okx.pushed_of(frame({"event": event, "code": "60009", "msg": "no"}))
    assert (refused.value.code, refused.value.message) == ("60009", "no")
    with pytest.raises(WireError, match="neither an event nor a channel's data"):
        okx.pushed_of(b"{}")


def test_times_rows_and_balances_of_okx() -> None:
    assert [okx.ms_of(text, "t") for text in ("", "0", "7", str(2**62 - 1))] == [0, 0, 7, 2**62 - 1]
    for text in ("-1", str(2**62), "x"):
        with pytest.raises(WireError):
            okx.ms_of(text, "t")
    assert okx.rows_of({"code": "0", "data": [1, 2]}, int, "x") == [1, 2]
    assert okx.row_of({"code": "0", "data": [1]}, int, "x") == 1
    with pytest.raises(WireError, match=r"^x: 50011 busy$"):
        okx.rows_of({"code": "50011", "data": [], "msg": "busy"}, int, "x")
    for rows in ([], [1, 2]):
        with pytest.raises(WireError, match=rf"^x: {len(rows)} rows for one$"):
            okx.row_of({"code": "0", "data": rows}, int, "x")
    pushed = frame({"details": [{"ccy": "XRP", "availBal": "1.5", "frozenBal": "2"}, {"ccy": "ADA", "availBal": "", "frozenBal": ""}]})
    assert okx.balances_of_push(pushed) == {"XRP": Balance(Decimal("1.5"), Decimal(2)), "ADA": Balance(Decimal(0))}
    assert read({"uid": "7", "acctLv": "1", "perm": ""}, okx.Config, "config") == okx.Config("7", "1", "", "", "0", False)


# bitget

BITGET = {
    "symbol": "XRPUSDT", "orderId": "o1", "tradeId": "7", "side": "buy", "priceAvg": "2.50", "size": "4.0", "cTime": str(MS),
    "tradeScope": "taker", "feeDetail": {"feeCoin": "XRP", "totalFee": "-0.004"},
}  # fmt: skip
BITGET_EVENT = {
    "instId": "XRPUSDT", "orderId": "o1", "side": "buy", "status": "partially_filled", "accBaseVolume": "4.0", "clientOid": "a1",
    "force": "ioc", "tradeId": "7", "fillPrice": "2.50", "baseVolume": "4.0", "fillTime": str(MS), "fillFee": "-0.004",
    "fillFeeCoin": "XRP", "tradeScope": "T",
}  # fmt: skip
BITGET_FILL = fill("bitget", "7")


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, {}),
        ({"tradeScope": "maker"}, {"liquidity": "maker"}),
        ({"tradeScope": LEFT_OUT}, {}),
        ({"feeDetail": LEFT_OUT}, {}),
        ({"feeDetail": {"totalFee": "-0.5"}}, {}),
        ({"feeDetail": {"feeCoin": "BGB", "totalFee": "-0.5"}}, {"fee": Decimal("0.5"), "fee_currency": "BGB"}),
        ({"cTime": "0"}, {"ts_event": 0}),
    ],
)
def test_a_fill_of_bitget(changed: Fields, expected: Fields) -> None:
    row = read(fields(BITGET, **changed), bitget.FillRow, "fills")
    assert bitget.fill_of_row(row, XRP["bitget"][0], "a1") == replace(BITGET_FILL, **expected)


@pytest.mark.parametrize("changed", [{"cTime": "x"}, {"cTime": "-1"}, {"size": "-1"}, {"priceAvg": "NaN"}, {"side": "x"}])
def test_what_is_no_fill_of_bitget(changed: Fields) -> None:
    with pytest.raises(WireError):
        bitget.fill_of_row(read({**BITGET, **changed}, bitget.FillRow, "fills"), XRP["bitget"][0], "a1")


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, report("bitget", PARTIALLY_FILLED, "4", BITGET_FILL)),
        ({"tradeScope": "M"}, report("bitget", PARTIALLY_FILLED, "4", replace(BITGET_FILL, liquidity="maker"))),
        ({"clientOid": LEFT_OUT}, report("bitget", PARTIALLY_FILLED, "4", replace(BITGET_FILL, client_order_id=""), client_order_id="")),
        ({"status": "cancelled"}, report("bitget", EXPIRED, "4", BITGET_FILL)),
        ({"status": "cancelled", "force": LEFT_OUT}, report("bitget", CANCELED, "4", BITGET_FILL)),
        ({"tradeId": LEFT_OUT}, report("bitget", PARTIALLY_FILLED, "4")),
        ({"baseVolume": LEFT_OUT}, report("bitget", PARTIALLY_FILLED, "4")),
        ({"instId": "ADAUSDT"}, report("bitget", PARTIALLY_FILLED, "4")),
        ({"fillTime": LEFT_OUT}, report("bitget", PARTIALLY_FILLED, "4", replace(BITGET_FILL, ts_event=0))),
        ({"fillFee": LEFT_OUT, "fillFeeCoin": LEFT_OUT, "tradeScope": LEFT_OUT}, report("bitget", PARTIALLY_FILLED, "4", BITGET_FILL)),
    ],
)
def test_a_pushed_order_of_bitget(changed: Fields, expected: OrderReport) -> None:
    told = frame([fields(BITGET_EVENT, **changed)])
    assert bitget.reports_of_event(told, {"XRPUSDT": XRP["bitget"][0]}) == [expected]


def test_a_pushed_fill_of_bitget_before_all_time_is_none() -> None:
    with pytest.raises(WireError, match="a time of -1"):
        bitget.reports_of_event(frame([BITGET_EVENT | {"fillTime": "-1"}]), {"XRPUSDT": XRP["bitget"][0]})


def test_an_order_of_bitget() -> None:
    row = {"symbol": "xrpusdt", "orderId": "o1", "side": "buy", "status": "filled", "baseVolume": "4.00"}
    bare = read(row, bitget.OrderRow, "order")
    assert bitget.report_of(bare) == report("bitget", FILLED, "4", client_order_id="")
    assert (bare.code, bare.cTime) == ("XRPUSDT", "0")
    cancelled = read(row | {"status": "cancelled", "clientOid": "a1"}, bitget.OrderRow, "order")
    assert bitget.report_of(cancelled, (BITGET_FILL,), "fok") == report("bitget", EXPIRED, "4", BITGET_FILL)
    assert bitget.report_of(cancelled) == report("bitget", CANCELED, "4")


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (b"pong", ("pong", "", b"")),
        ({"event": "login", "code": 0}, ("login", "", b"")),
        ({"event": "login", "code": "0"}, ("login", "", b"")),
        ({"event": "subscribe", "arg": {"channel": "orders"}}, ("subscribe", "orders", b"")),
        ({"arg": {"channel": "orders"}, "data": [1]}, ("data", "orders", b"[1]")),
    ],
)
def test_a_private_frame_of_bitget(told: Any, expected: tuple[str, str, bytes]) -> None:
    assert bitget.event_of(told if isinstance(told, bytes) else frame(told)) == expected


@pytest.mark.parametrize(
    ("told", "code", "words"),
    [
        ({"event": "error", "code": 30005, "msg": "no"}, "30005", "no"),
        ({"event": "login", "code": 30005, "msg": "no"}, "30005", "no"),
        ({"event": "error", "msg": "no"}, "", "no"),
        ({"event": "error"}, "", "error"),
    ],
)
def test_an_error_of_bitgets_private_stream(told: Any, code: str, words: str) -> None:
    with pytest.raises(StreamRefused) as refused:
        bitget.event_of(frame(told))
    assert (refused.value.code, refused.value.message) == (code, words)


@pytest.mark.parametrize("told", [{}, {"arg": {"channel": "orders"}}, {"arg": {}, "data": [1]}, {"data": [1]}])
def test_a_frame_of_bitget_that_says_nothing_is_refused(told: Any) -> None:
    with pytest.raises(WireError, match="neither data of a channel nor an event"):
        bitget.event_of(frame(told))


def test_answers_and_balances_of_bitget() -> None:
    assert bitget.data_of({"data": [1]}, list[int], "x") == [1]
    odds: list[Any] = [[], {}, 7]
    for odd in odds:
        with pytest.raises(WireError, match=r"^x: an answer without data$"):
            bitget.data_of(odd, list[int], "x")
    told = frame([{"coin": "xrp", "available": "1.5", "frozen": "2", "locked": "0.5"}, {"coin": "ADA", "available": "1", "frozen": "0"}])
    assert bitget.balances_of_event(told) == {"XRP": Balance(Decimal("1.5"), Decimal("2.5")), "ADA": Balance(Decimal(1))}


# bithumb

BITHUMB = {
    "uuid": "o1", "client_order_id": "a1", "side": "bid", "market": "KRW-XRP", "state": "done", "volume": "4", "executed_volume": "4",
    "paid_fee": "0.025", "time_in_force": "ioc", "created_at": "2023-11-15T07:13:20+09:00",
    "trades": [{"uuid": "7", "price": "2.5", "volume": "4", "funds": "10", "created_at": "2023-11-15T07:13:21+09:00"}],
}  # fmt: skip
BITHUMB_EVENT = {
    "type": "myOrder", "code": "KRW-XRP", "order_id": "o1", "client_order_id": "a1", "side": "buy", "state": "trade",
    "time_in_force": "ioc", "order_quantity": 10, "trade_id": "7", "trade_price": 2.5, "trade_quantity": 4, "trade_timestamp": MS,
    "timestamp": 1, "executed_quantity": 4,
}  # fmt: skip
WON = {"fee": Decimal("0.025"), "fee_currency": "KRW"}
BITHUMB_FILL = fill("bithumb", "7", **WON)
AT_MS = 1_700_000_001_000


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, report("bithumb", FILLED, "4", replace(BITHUMB_FILL, ts_event=AT_MS))),
        (
            {"client_order_id": LEFT_OUT, "time_in_force": LEFT_OUT, "side": "ask"},
            report(
                "bithumb", FILLED, "4",
                replace(BITHUMB_FILL, ts_event=AT_MS, client_order_id="", liquidity="maker", side=Side.SELL), client_order_id="",
            ),
        ),
        ({"volume": LEFT_OUT, "paid_fee": LEFT_OUT}, report("bithumb", FILLED, "4", replace(BITHUMB_FILL, ts_event=AT_MS))),
        ({"paid_fee": "0.5"}, report("bithumb", FILLED, "4", replace(BITHUMB_FILL, ts_event=AT_MS, fee=Decimal("0.5")))),
        ({"volume": "4.1"}, report("bithumb", EXPIRED, "4", replace(BITHUMB_FILL, ts_event=AT_MS))),
        (
            {"volume": "4.1", "time_in_force": None},
            report("bithumb", CANCELED, "4", replace(BITHUMB_FILL, ts_event=AT_MS, liquidity="maker")),
        ),
        ({"state": "wait", "executed_volume": "0", "trades": LEFT_OUT}, report("bithumb", ACCEPTED)),
        ({"state": "watch", "executed_volume": "1", "trades": None}, report("bithumb", PARTIALLY_FILLED, "1")),
        ({"state": "cancel", "executed_volume": "0", "trades": []}, report("bithumb", EXPIRED)),
        (
            {"trades": [{"uuid": "7", "price": "2.5", "volume": "4"}]},
            report("bithumb", FILLED, "4", replace(BITHUMB_FILL, ts_event=AT_MS - 1000)),
        ),
        (
            {"trades": [{"uuid": "7", "price": "2.5", "volume": "4"}], "created_at": LEFT_OUT},
            report("bithumb", FILLED, "4", replace(BITHUMB_FILL, ts_event=0)),
        ),
    ],
)  # fmt: skip
def test_an_order_of_bithumb_and_its_fills(changed: Fields, expected: OrderReport) -> None:
    row = read(fields(BITHUMB, **changed), bithumb.OrderRow, "order")
    assert won.report_of(row, XRP["bithumb"][0]) == expected


def trades(*told: tuple[str, str, str, str]) -> list[dict[str, str]]:
    return [dict(zip(("uuid", "price", "volume", "created_at"), one, strict=True)) for one in told]


@pytest.mark.parametrize(
    ("paid", "executed", "fees"),
    [
        ("0.3", "7", {"a": "0.1", "b": "0.1", "c": "0.1"}),  # by value
        ("1", "7", {"a": "0.33333333", "b": "0.33333333", "c": "0.33333334"}),  # what rounding leaves goes with the last
        ("0.75", "7", {"a": "0.25", "b": "0.25", "c": "0.25"}),  # the rate's own
        (None, "7", {"a": "0.25", "b": "0.25", "c": "0.25"}),
        ("1", "7.1", {"a": "0.25", "b": "0.25", "c": "0.25"}),  # of more trades than are listed
        ("0", "7", {"a": "0", "b": "0", "c": "0"}),
        ("-0.3", "7", {"a": "-0.1", "b": "-0.1", "c": "-0.1"}),  # a maker who is paid
    ],
)
def test_the_fee_of_a_won_order_is_split_by_value(paid: str | None, executed: str, fees: dict[str, str]) -> None:
    """Three trades of 100 each, told in another order than they were made."""
    early, late = "2023-11-15T07:13:20+09:00", "2023-11-15T07:13:21+09:00"
    told = trades(("c", "25", "4", late), ("b", "100", "1", late), ("a", "50", "2", early))
    row = read({**BITHUMB, "paid_fee": paid, "executed_volume": executed, "volume": executed, "trades": told}, bithumb.OrderRow, "order")
    found = won.fills_of(row, XRP["bithumb"][0])
    assert [one.trade_id for one in found] == ["a", "b", "c"]
    assert {one.trade_id: one.fee for one in found} == {name: Decimal(fee) for name, fee in fees.items()}
    assert [one.cost for one in found] == [100, 100, 100]


@pytest.mark.parametrize(
    "changed", [{"price": "NaN"}, {"volume": "-1"}, {"funds": "NaN"}, {"created_at": "soon"}, {"created_at": "2023-11-15T07:13:21"}]
)
def test_what_is_no_trade_of_a_won_venue(changed: Fields) -> None:
    (trade,) = BITHUMB["trades"]
    row = read({**BITHUMB, "trades": [{**trade, **changed}]}, bithumb.OrderRow, "order")  # type: ignore[dict-item]
    with pytest.raises(WireError):
        won.fills_of(row, XRP["bithumb"][0])


def test_times_of_won_venues() -> None:
    assert [won.ms_of(text) for text in (None, "", "2023-11-15T07:13:20+09:00", "2023-11-14T22:13:20.123Z")] == [
        0,
        0,
        1_700_000_000_000,
        1_700_000_000_123,
    ]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, report("bithumb", PARTIALLY_FILLED, "4", BITHUMB_FILL)),
        ({"time_in_force": LEFT_OUT}, report("bithumb", PARTIALLY_FILLED, "4", replace(BITHUMB_FILL, liquidity="maker"))),
        ({"trade_timestamp": LEFT_OUT}, report("bithumb", PARTIALLY_FILLED, "4", replace(BITHUMB_FILL, ts_event=1))),
        ({"trade_timestamp": LEFT_OUT, "timestamp": LEFT_OUT}, report("bithumb", PARTIALLY_FILLED, "4", replace(BITHUMB_FILL, ts_event=0))),
        (
            {"client_order_id": LEFT_OUT, "side": "SELL"},
            report(
                "bithumb", PARTIALLY_FILLED, "4", replace(BITHUMB_FILL, client_order_id="", side=Side.SELL), client_order_id=""
            ),
        ),
        ({"code": "KRW-ADA"}, report("bithumb", PARTIALLY_FILLED, "4")),
        ({"state": "wait", "executed_quantity": LEFT_OUT}, report("bithumb", ACCEPTED)),
        ({"state": "watch", "executed_quantity": LEFT_OUT}, report("bithumb", ACCEPTED)),
        ({"state": "done", "executed_quantity": 10}, report("bithumb", FILLED, "10")),
        ({"state": "done", "executed_quantity": 4}, report("bithumb", EXPIRED, "4")),
        ({"state": "done", "executed_quantity": 4, "order_quantity": LEFT_OUT}, report("bithumb", FILLED, "4")),
    ],
)  # fmt: skip
def test_a_pushed_order_of_bithumb(changed: Fields, expected: OrderReport) -> None:
    event = bithumb.event_of(frame(fields(BITHUMB_EVENT, **changed)))
    assert won.report_of_event(event, {"KRW-XRP": XRP["bithumb"][0]}) == expected


@pytest.mark.parametrize(
    "changed",
    [
        {"trade_id": LEFT_OUT}, {"trade_price": LEFT_OUT}, {"trade_quantity": LEFT_OUT}, {"executed_quantity": LEFT_OUT},
        {"trade_price": -1}, {"trade_quantity": -1}, {"side": "x"}, {"state": "x"},
    ],
)  # fmt: skip
def test_what_is_no_pushed_order_of_bithumb(changed: Fields) -> None:
    with pytest.raises(WireError):
        won.report_of_event(bithumb.event_of(frame(fields(BITHUMB_EVENT, **changed))), {"KRW-XRP": XRP["bithumb"][0]})


def test_pages_batches_and_balances_of_bithumb() -> None:
    page = read({"data": []}, bithumb.OrderPage, "page")
    assert (page.has_next, page.next_key) == (False, None)
    assert read({}, bithumb.CancelBatch, "batch") == bithumb.CancelBatch([], [])
    taken = read({"order_id": "o1", "market": "KRW-XRP"}, bithumb.OrderTaken, "order")
    assert bithumb.report_of_taken(taken, "a1") == report("bithumb", ACCEPTED)
    told = frame({"type": "myAsset", "assets": [{"currency": "KRW", "balance": "1.5", "locked": "2"}]})
    assert won.balances_of_event(told) == {"KRW": Balance(Decimal("1.5"), Decimal(2))}
    assert [bithumb.kind_of(frame(one)) for one in ({"type": "myOrder"}, {"status": "UP"}, {})] == ["myOrder", "status", ""]


# coinone

COINONE = {
    "trade_id": "7", "order_id": "o1", "quote_currency": "KRW", "target_currency": "XRP", "is_ask": False, "price": "2.5", "qty": "4",
    "timestamp": MS, "fee": "0.025", "is_maker": False, "fee_currency": "krw",
}  # fmt: skip
COINONE_EVENT = {
    "quote_currency": "krw", "target_currency": "xrp", "order_id": "o1", "status": "trade", "side": "BID", "order_qty": "10",
    "trade_id": "7", "is_maker": False, "executed_price": "2.5", "executed_qty": "4", "executed_fee": "0.025", "remain_qty": "6",
    "user_order_id": "a1", "executed_timestamp": MS, "timestamp": 1,
}  # fmt: skip
COINONE_FILL = fill("coinone", "7", **WON)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, {}),
        ({"is_ask": True, "is_maker": True}, {"side": Side.SELL, "liquidity": "maker"}),
        ({"is_maker": LEFT_OUT, "fee_currency": LEFT_OUT}, {}),
        ({"fee_currency": "usdt", "fee": "0"}, {"fee": Decimal(0), "fee_currency": "USDT"}),
        ({"is_maker": True, "fee": "-0.001"}, {"fee": Decimal("-0.001"), "liquidity": "maker"}),  # a maker who is paid
    ],
)
def test_a_fill_of_coinone(changed: Fields, expected: Fields) -> None:
    row = read(fields(COINONE, **changed), coinone.TradeRow, "trade")
    assert coinone.fill_of(row, XRP["coinone"][0], "a1") == replace(COINONE_FILL, **expected)
    assert row.code == "KRW-XRP"


def pushed(ids: OrderIds | None = None, **changed: Any) -> OrderReport | None:
    told = frame({"data": fields(COINONE_EVENT, **changed)})
    return coinone.report_of_event(told, {"KRW-XRP": XRP["coinone"][0]}, ids or OrderIds())


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, report("coinone", PARTIALLY_FILLED, "4", COINONE_FILL)),
        ({"remain_qty": "5"}, report("coinone", PARTIALLY_FILLED, "5", COINONE_FILL)),
        ({"remain_qty": LEFT_OUT}, report("coinone", PARTIALLY_FILLED, "4", COINONE_FILL)),
        ({"order_qty": LEFT_OUT}, report("coinone", PARTIALLY_FILLED, "4", COINONE_FILL)),
        ({"is_maker": "true"}, report("coinone", PARTIALLY_FILLED, "4", replace(COINONE_FILL, liquidity="maker"))),
        ({"is_maker": LEFT_OUT}, report("coinone", PARTIALLY_FILLED, "4", COINONE_FILL)),
        ({"executed_fee": LEFT_OUT}, report("coinone", PARTIALLY_FILLED, "4", replace(COINONE_FILL, fee=Decimal("0.02")))),
        ({"executed_fee": "-0.001"}, report("coinone", PARTIALLY_FILLED, "4", replace(COINONE_FILL, fee=Decimal("-0.001")))),
        ({"side": "ASK"}, report("coinone", PARTIALLY_FILLED, "4", replace(COINONE_FILL, side=Side.SELL))),
        ({"executed_timestamp": LEFT_OUT}, report("coinone", PARTIALLY_FILLED, "4", replace(COINONE_FILL, ts_event=1000))),
        (
            {"executed_timestamp": LEFT_OUT, "timestamp": LEFT_OUT},
            report("coinone", PARTIALLY_FILLED, "4", replace(COINONE_FILL, ts_event=0)),
        ),
        ({"target_currency": "ada"}, report("coinone", PARTIALLY_FILLED, "4")),
        (
            {"user_order_id": LEFT_OUT},
            report("coinone", PARTIALLY_FILLED, "4", replace(COINONE_FILL, client_order_id=""), client_order_id=""),
        ),
        ({"status": "trade_done", "remain_qty": "0"}, report("coinone", FILLED, "10", COINONE_FILL)),
        ({"status": "trade_done", "remain_qty": LEFT_OUT}, report("coinone", FILLED, "10", COINONE_FILL)),
        ({"status": "trade_done", "remain_qty": "6"}, report("coinone", PARTIALLY_FILLED, "4", COINONE_FILL)),
        ({"status": "trade_done", "remain_qty": "0", "order_qty": LEFT_OUT}, report("coinone", PARTIALLY_FILLED, "4", COINONE_FILL)),
        ({"status": "trade", "remain_qty": "0"}, report("coinone", PARTIALLY_FILLED, "10", COINONE_FILL)),
        ({"status": "WAIT"}, report("coinone", ACCEPTED)),
        ({"status": "watch"}, report("coinone", ACCEPTED)),
        ({"status": "not_triggered"}, report("coinone", ACCEPTED)),
        ({"status": "cancel", "remain_qty": "0"}, report("coinone", CANCELED, "6")),
        ({"status": "cancel", "remain_qty": "1"}, report("coinone", CANCELED, "5")),
        ({"status": "cancel_post_only", "remain_qty": LEFT_OUT}, report("coinone", CANCELED, "6")),
        ({"status": "cancel", "order_qty": LEFT_OUT}, None),
        ({"status": "cancel", "executed_qty": LEFT_OUT}, None),
        ({"status": "cancel", "prevented_qty": "1"}, None),
        ({"status": "cancel", "prevented_qty": "0", "remain_qty": "0"}, report("coinone", CANCELED, "6")),
    ],
)
def test_a_pushed_order_of_coinone(changed: Fields, expected: OrderReport | None) -> None:
    assert pushed(**changed) == expected


@pytest.mark.parametrize(
    "changed",
    [
        {"trade_id": LEFT_OUT}, {"executed_price": LEFT_OUT}, {"executed_qty": LEFT_OUT}, {"status": "x"}, {"side": "x"},
        {"remain_qty": "-1"}, {"executed_qty": "-1"}, {"executed_price": "-1"}, {"executed_fee": "NaN"}, {"remain_qty": "11"},
    ],
)  # fmt: skip
def test_what_is_no_pushed_order_of_coinone(changed: Fields) -> None:
    with pytest.raises(WireError):
        pushed(**changed)


def test_the_last_trade_of_coinone_comes_twice_and_counts_once() -> None:
    ids = OrderIds()
    assert pushed(ids, remain_qty="0") == report("coinone", PARTIALLY_FILLED, "10", COINONE_FILL)
    assert pushed(ids, remain_qty="0", status="trade_done") == report("coinone", FILLED, "10")
    assert pushed(ids, trade_id="8") == report("coinone", PARTIALLY_FILLED, "4", replace(COINONE_FILL, trade_id="8"))


def test_times_balances_and_frames_of_coinone() -> None:
    assert [coinone.ms_of(time) for time in (0, 1_700_000_000, 99_999_999_999, 100_000_000_000, MS)] == [
        0,
        1_700_000_000_000,
        99_999_999_999_000,
        100_000_000_000,
        MS,
    ]
    told = frame({"data": {"assets": [{"currency": "xrp", "available": "1.5", "limit": "2"}]}})
    assert coinone.balances_of_event(told) == {"XRP": Balance(Decimal("1.5"), Decimal(2))}
    assert coinone.kind_of(b'{"response_type":"PONG"}') == coinone.FrameKind("PONG", "")
    assert coinone.kind_of(b'{"response_type":"DATA","channel":"MYORDER"}') == coinone.FrameKind("DATA", "MYORDER")
    for code in (160012, "160012"):
        with pytest.raises(StreamRefused) as refused:
            coinone.kind_of(frame({"response_type": "ERROR", "error_code": code, "message": "no"}))
        assert (refused.value.code, refused.value.message) == ("160012", "no")


def test_an_order_of_coinone_with_no_more_than_it_must_have() -> None:
    row = read({"order_id": "o1", "quote_currency": "krw", "target_currency": "xrp"}, coinone.OrderRow, "order")
    assert (row.code, row.filled, row.ordered_at, row.updated_at, row.user_order_id) == ("KRW-XRP", Decimal(0), 0, 0, None)
    assert coinone.report_of(row, "a1") == report("coinone", ACCEPTED)


def test_what_is_learned_of_orders_of_coinone() -> None:
    ids = OrderIds()
    ids.sent("a1", "KRW-XRP")
    ids.sent("b2", "KRW-ADA")
    assert ids.unanswered(["o1"]) == [("a1", "KRW-XRP"), ("b2", "KRW-ADA")]
    ids.learn("o9", "", Decimal(3))
    assert ids.unanswered(["o9"]) != [], "somebody else's, or one of ours"
    ids.learn("o1", "a1")
    assert (ids.of("o1"), ids.client_id("o1"), ids.client_id("o2")) == (KnownOrder("a1", None), "a1", "")
    assert ids.unanswered([]) == []
    assert ids.unanswered(["o1"]) == []
    ids.learn("o1", "", Decimal(4))
    ids.learn("o1", "c3", Decimal(5))
    assert ids.of("o1") == KnownOrder("a1", Decimal(4))
    ids.learn("o9", "b2")
    assert (ids.of("o9"), ids.unanswered(["o7"])) == (KnownOrder("b2", Decimal(3)), [])
    ids.sent("d4", "KRW-XRP")
    ids.never_arrived("d4")
    ids.never_arrived("d4")
    assert ids.unanswered(["o7"]) == []


def test_of_so_many_orders_the_oldest_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arbtui.exchanges.coinone.order_ids._MEMORY", 2)
    ids = OrderIds()
    for number in range(3):
        ids.learn(f"o{number}", f"a{number}")
        ids.sent(f"b{number}", "KRW-XRP")
    assert [ids.client_id(f"o{number}") for number in range(3)] == ["", "a1", "a2"]
    assert [name for name, _ in ids.unanswered(["o7"])] == ["b1", "b2"]
