"""OKX's orders, fills and balances, from the examples of okx.com/docs-v5 (2026-07), and what of them makes no sense."""

import json
from decimal import Decimal
from typing import Any

import pytest

from arbtui.exchanges.amounts import read
from arbtui.exchanges.answers import Answer, refusal_of
from arbtui.exchanges.okx import orders
from arbtui.exchanges.okx.errors import error_of
from arbtui.exchanges.okx.networks import Currency, networks_of
from arbtui.exchanges.okx.refusals import CODES, refusal
from arbtui.exchanges.okx.rules import spot_market
from arbtui.exchanges.private_stream import StreamRefused
from arbtui.exchanges.refusals import Meaning, Scope
from arbtui.model.errors import WireError
from arbtui.model.order import Balance, OrderState, Side
from tests.exchanges.test_refusals import listed

MARKET = spot_market("BTC", "USDT", Decimal("0.1"), Decimal("0.00000001"), Decimal("0.00001"))
ORDER = {
    "accFillSz": "0.00192834", "avgPx": "51858", "cTime": "1708587373361", "clOrdId": "b15", "fee": "-0.00000192834", "feeCcy": "BTC",
    "fillPx": "51858", "fillSz": "0.00192834", "fillTime": "1708587373361", "instId": "BTC-USDT", "instType": "SPOT", "ordId":
    "680800019749904384", "ordType": "ioc", "px": "", "side": "buy", "state": "filled", "sz": "100", "tradeId": "744876980",
    "uTime": "1708587373362",
}  # fmt: skip
FILL = {
    "side": "buy", "fillSz": "0.00192834", "fillPx": "51858", "fee": "-0.00000192834", "ordId": "680800019749904384", "feeRate": "-0.001",
    "instType": "SPOT", "instId": "BTC-USDT", "clOrdId": "b15", "billId": "680800019754098688", "subType": "1", "fillTime": "1708587373361",
    "execType": "T", "tradeId": "744876980", "feeCcy": "BTC", "ts": "1708587373362",
}  # fmt: skip
PUSH = {
    "accFillSz": "0.001", "avgPx": "31527.1", "clOrdId": "b15", "execType": "M", "fee": "-0.02522168", "feeCcy": "USDT", "fillFee":
    "-0.02522168", "fillFeeCcy": "USDT", "fillPx": "31527.1", "fillSz": "0.001", "fillTime": "1654084353263", "instId": "BTC-USDT",
    "instType": "SPOT", "ordId": "452197707845865472", "ordType": "limit", "px": "31527.1", "side": "sell", "state": "filled",
    "sz": "0.001",
    "tradeId": "242589207", "uTime": "1654084353264",
}  # fmt: skip


def frame(channel: str, *rows: Any) -> bytes:
    return json.dumps({"arg": {"channel": channel, "uid": "7"}, "data": rows}).encode()


def test_an_order_and_its_fill() -> None:
    row = orders.row_of({"code": "0", "data": [ORDER], "msg": ""}, orders.OrderRow, "order")
    report = orders.report_of(row)
    assert (report.client_order_id, report.venue_order_id) == ("b15", "680800019749904384")
    assert (report.state, report.filled_qty) == (OrderState.FILLED, Decimal("0.00192834"))
    fill = orders.fill_of(read(FILL, orders.FillRow, "fills"), MARKET)
    assert (fill.trade_id, fill.side, fill.qty, fill.price) == ("BTC-USDT:744876980", Side.BUY, Decimal("0.00192834"), Decimal(51858))
    assert (fill.fee, fill.fee_currency, fill.liquidity) == (Decimal("0.00000192834"), "BTC", "taker")
    assert fill.cost == Decimal("0.00192834") * 51858
    assert fill.ts_event == 1708587373361


@pytest.mark.parametrize(
    ("state", "order_type", "expected"),
    [
        ("live", "limit", OrderState.ACCEPTED),
        ("partially_filled", "limit", OrderState.PARTIALLY_FILLED),
        ("filled", "ioc", OrderState.FILLED),
        ("canceled", "ioc", OrderState.EXPIRED),
        ("canceled", "fok", OrderState.EXPIRED),
        ("canceled", "limit", OrderState.CANCELED),
        ("mmp_canceled", "limit", OrderState.CANCELED),
    ],
)
def test_states(state: str, order_type: str, expected: OrderState) -> None:
    assert orders.state_of(state, order_type) is expected


def test_a_fee_that_is_not_told_is_not_zero_and_a_rebate_is_negative() -> None:
    untold = orders.fill_of(read({**FILL, "fee": "", "feeCcy": ""}, orders.FillRow, "fills"), MARKET)
    assert (untold.fee, untold.fee_currency) == (Decimal("0.00192834") * MARKET.fees.taker, "BTC")
    paid = orders.fill_of(read({**FILL, "fee": "0.5", "feeCcy": "USDT", "side": "sell"}, orders.FillRow, "fills"), MARKET)
    assert (paid.fee, paid.fee_currency) == (Decimal("-0.5"), "USDT")
    free = orders.fill_of(read({**FILL, "fee": "0", "feeCcy": "", "side": "sell"}, orders.FillRow, "fills"), MARKET)
    assert (free.fee, free.fee_currency) == (Decimal(0), "USDT")


def test_a_pushed_order_carries_the_fill_of_this_message() -> None:
    pushed = orders.pushed_of(frame("orders", PUSH))
    report = orders.report_of_push(pushed.rows[0], {"BTC-USDT": MARKET})
    assert report is not None
    assert (report.state, report.filled_qty, report.client_order_id) == (OrderState.FILLED, Decimal("0.001"), "b15")
    (fill,) = report.fills
    assert (fill.trade_id, fill.fee, fill.fee_currency, fill.liquidity) == ("BTC-USDT:242589207", Decimal("0.02522168"), "USDT", "maker")


def test_a_push_without_a_trade_has_no_fill_and_a_market_unknown_here_none_either() -> None:
    nothing = {**PUSH, "tradeId": "", "fillSz": "0", "fillPx": "", "fillFee": "0", "fillTime": "", "state": "live", "accFillSz": "0"}
    for row, markets in ((nothing, {"BTC-USDT": MARKET}), (PUSH, {})):
        report = orders.report_of_push(json.dumps(row).encode(), markets)
        assert report is not None
        assert report.fills == ()
    assert orders.report_of_push(json.dumps({**PUSH, "instType": "SWAP"}).encode(), {}) is None


def test_balances_are_what_is_free_and_what_is_frozen() -> None:
    detail = {"availBal": "4834.317093622894", "cashBal": "4850.435693622894", "ccy": "USDT", "frozenBal": "158.573", "ordFrozen": "0"}
    expected = {"USDT": Balance(Decimal("4834.317093622894"), Decimal("158.573"))}
    answer = {"code": "0", "data": [{"adjEq": "", "details": [detail], "totalEq": "5"}], "msg": ""}
    assert orders.balances_of(orders.row_of(answer, orders.AccountRow, "balance")) == expected
    assert orders.balances_of_push(orders.pushed_of(frame("account", {"details": [detail]})).rows[0]) == expected


@pytest.mark.parametrize("change", [{"availBal": "-1"}, {"availBal": "NaN"}, {"frozenBal": "x"}, {"ccy": None}])
def test_balances_that_make_no_sense(change: dict[str, Any]) -> None:
    row = {"details": [{"availBal": "1", "ccy": "USDT", "frozenBal": "0", **change}]}
    with pytest.raises(WireError):
        orders.balances_of_push(json.dumps(row).encode())


@pytest.mark.parametrize(
    "change",
    [{"fillSz": "0"}, {"fillPx": ""}, {"fillSz": "-1"}, {"side": "long"}, {"tradeId": ""}, {"ordId": ""}, {"fee": "Infinity"}, {"ts": 3}],
)
def test_fills_that_make_no_sense(change: dict[str, Any]) -> None:
    with pytest.raises(WireError):
        orders.fill_of(read({**FILL, **change}, orders.FillRow, "fills"), MARKET)


def test_frames_of_the_private_socket() -> None:
    assert orders.pushed_of(b'{"event":"login","code":"0","msg":"","connId":"a4d3ae55"}').event == "login"
    notice = orders.pushed_of(b'{"event":"notice","code":"64008","msg":"soon","connId":"a4d3ae55"}')
    assert (notice.event, notice.code) == ("notice", orders.UPGRADE)
    assert orders.pushed_of(b"pong").event == "pong"
    with pytest.raises(StreamRefused) as refused:
        orders.pushed_of(b'{"event":"error","code":"60009","msg":"Login failed.","connId":"a4d3ae55"}')
    assert refused.value.code == "60009"
    for wrong in (b"{}", b"[]", b"<html>", b'{"arg":{}}'):
        with pytest.raises(WireError):
            orders.pushed_of(wrong)


class TestErrors:
    def test_an_orders_own_code_stands_in_its_row(self) -> None:
        row = {"clOrdId": "x", "ordId": "", "sCode": "51008", "sMsg": "Order failed. Insufficient USDT balance in account"}
        told = error_of({"code": "1", "data": [row], "msg": "All operations failed"})
        assert told is not None
        assert (told.code, told.message) == ("51008", row["sMsg"])
        assert error_of({"code": "0", "data": [{**row, "sCode": "0"}], "msg": ""}) is None
        assert error_of({"code": "1", "data": [], "msg": "Operation failed."}) == ("1", "Operation failed.", None)
        assert error_of({"code": "50111", "data": [], "msg": "Invalid OK-ACCESS-KEY."}) == ("50111", "Invalid OK-ACCESS-KEY.", None)
        assert error_of([]) is error_of(None) is error_of({"data": 1}) is None

    def test_every_documented_code_has_a_row(self) -> None:
        codes = [code for line in listed("okx_codes.txt") for code in _spans(line)]
        assert len(codes) > 500
        assert [code for code in codes if refusal(code, "") is None] == []
        assert all(row.say for row in CODES.values())

    @pytest.mark.parametrize(
        ("status", "code", "message", "scope", "meaning"),
        [
            (200, "51008", "Order failed. Insufficient USDT balance in account", Scope.ORDER, Meaning.REFUSED),
            (200, "51008_1000", "", Scope.ORDER, Meaning.REFUSED),
            (200, "51016", "Client order ID already exists.", Scope.EARLIER_COPY, Meaning.UNKNOWN),
            (200, "51603", "Order does not exist.", Scope.ORDER, Meaning.NOT_FOUND),
            (200, "51400", "Order cancellation failed as the order has been filled", Scope.ORDER, Meaning.NOT_FOUND),
            (200, "51024", "Trading account is blocked.", Scope.ACCOUNT, Meaning.ACCOUNT),
            (400, "51000", "Parameter tdMode error", Scope.ACCOUNT, Meaning.ACCOUNT),
            (400, "51000", "Parameter px error", Scope.ORDER, Meaning.REFUSED),
            (200, "51022", "Contract suspended.", Scope.SYMBOL, Meaning.REFUSED),
            (401, "50111", "Invalid OK-ACCESS-KEY.", Scope.KEY, Meaning.KEYS),
            (401, "50110", "Your IP is not included", Scope.IP, Meaning.KEYS),
            (401, "50102", "Timestamp request expired.", Scope.ORDER, Meaning.CLOCK),
            (200, "50037", "Order expired.", Scope.ORDER, Meaning.CLOCK),
            (200, "50011", "Rate limit reached.", Scope.ACCOUNT, Meaning.RATE_LIMITED),
            (429, "50011", "Too Many Requests", Scope.ACCOUNT, Meaning.RATE_LIMITED),
            (200, "50061", "You've reached the maximum order rate limit", Scope.ACCOUNT, Meaning.RATE_LIMITED),
            (503, "50001", "Service temporarily unavailable.", Scope.VENUE, Meaning.UNKNOWN),
            (400, "50004", "API endpoint request timeout.", Scope.VENUE, Meaning.UNKNOWN),
            (200, "1", "Operation failed.", Scope.VENUE, Meaning.UNKNOWN),
            (200, "51999", "A code of tomorrow.", Scope.ACCOUNT, Meaning.UNKNOWN),
            (401, "50199", "A code of tomorrow.", Scope.KEY, Meaning.UNKNOWN),
        ],
    )
    def test_whom_a_refusal_concerns(self, status: int, code: str, message: str, scope: Scope, meaning: Meaning) -> None:
        row = refusal_of(Answer(status, code, message, sent=True), refusal)
        assert (row.scope, row.meaning) == (scope, meaning)


def _spans(line: str) -> list[str]:
    found = []
    for part in line.split():
        first, _, last = part.partition("-")
        found += [str(code) for code in range(int(first), int(last or first) + 1)]
    return found


def test_networks() -> None:
    row = {
        "burningFeeRate": "", "canDep": True, "canInternal": True, "canWd": False, "ccy": "USDT", "chain": "USDT-TRC20", "fee": "1.5",
        "minWd": "2", "wdTickSz": "6", "minFee": "0.8", "name": "Tether",
    }  # fmt: skip
    rows = [
        read({**row, **change}, Currency, "currencies") for change in ({}, {"chain": "USDT-ERC20", "burningFeeRate": "0.05", "fee": ""})
    ]
    tron, ether = networks_of(rows, ["USDT"])["USDT"]
    assert (tron.network, tron.deposits, tron.withdrawals, tron.fee, tron.least) == ("TRC20", True, False, Decimal("1.5"), Decimal(2))
    assert tron.step == Decimal("0.000001")
    assert (ether.fee, ether.words) == (Decimal("0.8"), "burns 5.00 % of what is sent")
    assert networks_of(rows, ["BTC"]) == {}
