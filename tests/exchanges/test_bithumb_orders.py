"""Bithumb's answers and events, in the shapes of its documents (cited in arbtui/exchanges/bithumb/orders.py)."""

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from arbtui.exchanges.amounts import read
from arbtui.exchanges.answers import Answer, refusal_of
from arbtui.exchanges.bithumb import orders
from arbtui.exchanges.bithumb.refusals import NAMES, refusal
from arbtui.exchanges.bithumb.rules import krw_market
from arbtui.exchanges.private_stream import StreamRefused
from arbtui.exchanges.refusals import Meaning, Scope
from arbtui.exchanges.won import orders as won
from arbtui.exchanges.won.networks import Address, Wallet, WithdrawChance, by_asset, terms_of
from arbtui.model.errors import WireError
from arbtui.model.order import Balance, OrderState, Side
from tests.exchanges.test_refusals import listed

BTC = krw_market("BTC")

# reference/개별-주문-조회: an immediate order that filled whole.
ORDER: dict[str, Any] = {
    "uuid": "C0101000000001799231", "client_order_id": "a1", "side": "bid", "ord_type": "limit", "price": "83000000", "state": "done",
    "market": "KRW-BTC", "created_at": "2024-07-09T16:32:23+09:00", "volume": "1", "remaining_volume": "0", "reserved_fee": "207500",
    "remaining_fee": "0", "paid_fee": "207500", "locked": "0", "executed_volume": "1", "executed_funds": "83000000", "trades_count": 1,
    "stp_type": "cancel_taker", "time_in_force": "ioc",
    "trades": [
        {"market": "KRW-BTC", "uuid": "C0101000000001713006", "price": "83000000", "volume": "1", "funds": "83000000", "side": "bid",
         "created_at": "2024-07-09T16:32:23+09:00"},
    ],
}  # fmt: skip

# reference/종료-주문-목록-조회.
PAGE: dict[str, Any] = {
    "data": [
        {"order_id": "C0101000007410714029", "side": "bid", "order_type": "limit", "price": "50000000.0", "state": "done",
         "market": "KRW-BTC", "created_at": "2026-04-06T12:00:00.000+09:00", "volume": "0.001", "remaining_volume": "0.0",
         "reserved_fee": "25.0", "remaining_fee": "0.0", "paid_fee": "25.0", "locked": "0.0", "executed_volume": "0.001",
         "executed_funds": "50000.0", "trades_count": 1, "client_order_id": "my-order-001"},
        {"order_id": "C0101000007410714030", "side": "ask", "order_type": "market", "state": "cancel", "market": "KRW-BTC",
         "volume": "1", "remaining_volume": "1", "reserved_fee": "0", "remaining_fee": "0", "paid_fee": "0", "locked": "0",
         "executed_volume": "0", "executed_funds": "0", "trades_count": 0},
    ],
    "has_next": False,
    "next_key": None,
}  # fmt: skip

# reference/내-주문-및-체결-myorder, private v2.
EVENT: dict[str, Any] = {
    "type": "myOrder", "code": "KRW-BTC", "order_id": "C0101000000001818113", "client_order_id": "my-client-order-id-1", "side": "buy",
    "order_type": "limit", "state": "trade", "time_in_force": "post_only", "order_price": 1927000, "order_quantity": 0.55,
    "order_amount": 1059850, "order_timestamp": 1727052318074, "timestamp": 1727052318369, "trade_id": "C0101000000001744207",
    "trade_price": 1927000, "trade_quantity": 0.4697, "trade_amount": 905111.9, "trade_timestamp": 1727052318148,
    "executed_quantity": 0.4697, "remaining_quantity": 0.0803, "executed_amount": 905111.9, "paid_fee": 0, "remaining_fee": 0,
    "reserved_fee": 0, "stream_type": "REALTIME",
}  # fmt: skip

# reference/내-자산-myasset.
ASSETS: dict[str, Any] = {
    "type": "myAsset", "assets": [{"currency": "KRW", "balance": "2061832.35", "locked": "3824127.3"}],
    "asset_timestamp": 1727052537592, "timestamp": 1727052537687, "stream_type": "REALTIME",
}  # fmt: skip


def order(**changed: Any) -> orders.OrderRow:
    return read({**ORDER, **changed}, orders.OrderRow, "order")


def event(**changed: Any) -> bytes:
    fields = {**EVENT, **changed}
    return json.dumps({name: value for name, value in fields.items() if value is not ...}).encode()


def read_event(**changed: Any) -> won.OrderEvent:
    return orders.event_of(event(**changed))


def test_a_whole_order_with_its_fill() -> None:
    report = won.report_of(order(), BTC)
    assert (report.state, report.filled_qty, report.client_order_id) == (OrderState.FILLED, Decimal(1), "a1")
    assert report.venue_order_id == "C0101000000001799231"
    (fill,) = report.fills
    assert (fill.trade_id, fill.side, fill.qty, fill.price, fill.cost) == (
        "C0101000000001713006", Side.BUY, Decimal(1), Decimal(83_000_000), Decimal(83_000_000),
    )  # fmt: skip
    assert (fill.fee, fill.fee_currency, fill.liquidity) == (Decimal(207_500), "KRW", "taker")
    assert fill.ts_event == 1720510343000


@pytest.mark.parametrize(
    ("state", "tif", "filled", "volume", "expected"),
    [
        ("done", "ioc", "1", "1", OrderState.FILLED),
        ("done", "ioc", "0.4", "1", OrderState.EXPIRED),  # an immediate order that filled in part is done, too
        ("cancel", "ioc", "0", "1", OrderState.EXPIRED),
        ("cancel", "fok", "0", "1", OrderState.EXPIRED),
        ("cancel", None, "0.4", "1", OrderState.CANCELED),
        ("cancel", "post_only", "0", "1", OrderState.CANCELED),
        ("done", None, "0.4", "1", OrderState.CANCELED),  # done does not say how much of it
        ("wait", None, "0", "1", OrderState.ACCEPTED),
        ("wait", None, "0.4", "1", OrderState.PARTIALLY_FILLED),
        ("watch", None, "0", "1", OrderState.ACCEPTED),
    ],
)
def test_what_a_state_means(state: str, tif: str | None, filled: str, volume: str, expected: OrderState) -> None:
    assert orders.state_of(state, tif, Decimal(filled), Decimal(volume)) is expected


def test_a_state_or_a_side_of_tomorrow_is_not_guessed() -> None:
    with pytest.raises(WireError, match="state"):
        orders.state_of("prevented", None, Decimal(0), Decimal(1))
    with pytest.raises(WireError, match="side"):
        won.report_of(order(side="both"), BTC)


def two_trades(paid_fee: str | None) -> orders.OrderRow:
    """20,993 KRW in one trade and 2,999 in another."""
    trades = [
        {"market": "KRW-BTC", "uuid": "t2", "price": "2999", "volume": "1", "funds": "2999", "side": "bid",
         "created_at": "2024-07-09T16:32:24+09:00"},
        {"market": "KRW-BTC", "uuid": "t1", "price": "2999", "volume": "7", "side": "bid", "created_at": "2024-07-09T16:32:23+09:00"},
    ]  # fmt: skip
    return order(volume="8", executed_volume="8", trades=trades, paid_fee=paid_fee)


def test_each_fill_has_its_part_of_the_orders_fee() -> None:
    exact = won.fills_of(two_trades("59.98"), BTC)  # 0.25 % of 23,992 KRW
    assert [(fill.trade_id, fill.fee) for fill in exact] == [("t1", Decimal("52.4825")), ("t2", Decimal("7.4975"))]
    cut = won.fills_of(two_trades("59.97"), BTC)  # by another rate, or cut: in sum what was paid
    assert sum(fill.fee for fill in cut) == Decimal("59.97")
    assert [fill.fee for fill in won.fills_of(two_trades(None), BTC)] == [fill.fee for fill in exact]
    partly = msgspec.structs.replace(two_trades("59.98"), trades=(two_trades("59.98").trades or [])[:1])
    assert [fill.fee for fill in won.fills_of(partly, BTC)] == [Decimal("7.4975")]


@pytest.mark.parametrize("field", ["price", "volume", "funds"])
@pytest.mark.parametrize("value", ["NaN", "-1", "Infinity"])
def test_amounts_that_are_none_are_refused(field: str, value: str) -> None:
    trade = {**ORDER["trades"][0], field: value}
    with pytest.raises(WireError):
        won.report_of(order(trades=[trade]), BTC)


def test_a_page_of_closed_orders() -> None:
    page = read(PAGE, orders.OrderPage, "history")
    first, second = (won.state_report_of(row) for row in page.data)
    assert (first.client_order_id, first.state, first.filled_qty) == ("my-order-001", OrderState.FILLED, Decimal("0.001"))
    assert (second.client_order_id, second.state, second.filled_qty) == ("", OrderState.CANCELED, Decimal(0))
    assert (page.has_next, page.next_key) == (False, None)


def test_a_trade_over_the_stream_is_a_fill_with_every_digit() -> None:
    report = won.report_of_event(read_event(trade_quantity=0.46970001, executed_quantity=0.46970001), {"KRW-BTC": BTC})
    assert (report.state, report.client_order_id, report.venue_order_id) == (
        OrderState.PARTIALLY_FILLED, "my-client-order-id-1", "C0101000000001818113",
    )  # fmt: skip
    (fill,) = report.fills
    assert (fill.trade_id, fill.qty, fill.cost) == ("C0101000000001744207", Decimal("0.46970001"), Decimal("905111.91927"))
    assert (fill.fee, fill.fee_currency) == (fill.cost * BTC.fees.taker, "KRW")
    assert (fill.side, fill.liquidity, fill.ts_event) == (Side.BUY, "maker", 1727052318148)


def test_orders_that_were_taken_and_that_ended_over_the_stream() -> None:
    markets = {"KRW-BTC": BTC}
    gone = dict.fromkeys(("trade_id", "trade_price", "trade_quantity", "trade_amount", "trade_timestamp"), ...)
    taken = won.report_of_event(read_event(state="wait", executed_quantity=..., remaining_quantity=..., **gone), markets)
    assert (taken.state, taken.filled_qty, taken.fills) == (OrderState.ACCEPTED, Decimal(0), ())
    whole = won.report_of_event(read_event(state="done", executed_quantity=0.55, time_in_force="ioc", **gone), markets)
    assert (whole.state, whole.fills) == (OrderState.FILLED, ())
    part = won.report_of_event(read_event(state="done", time_in_force="ioc", **gone), markets)
    assert (part.state, part.filled_qty) == (OrderState.EXPIRED, Decimal("0.4697"))
    assert won.report_of_event(read_event(state="cancel", time_in_force=..., **gone), markets).state is OrderState.CANCELED
    assert won.report_of_event(read_event(code="KRW-XRP"), markets).fills == ()  # a market that is not connected here


@pytest.mark.parametrize("missing", ["trade_id", "trade_price", "trade_quantity", "executed_quantity", "order_id", "code"])
def test_a_trade_without_what_makes_it_one_cannot_be_read(missing: str) -> None:
    with pytest.raises(WireError):
        won.report_of_event(read_event(**{missing: ...}), {"KRW-BTC": BTC})


def test_frames_of_the_private_stream_are_told_apart() -> None:
    assert orders.kind_of(event()) == "myOrder"
    assert orders.kind_of(json.dumps(ASSETS).encode()) == "myAsset"
    assert orders.kind_of(b'{"status":"UP"}') == "status"
    with pytest.raises(StreamRefused) as caught:
        orders.kind_of('{"error":{"name":"INVALID_PARAM","message":"codes 필드가 비어 있습니다."}}'.encode())
    assert caught.value.code == "INVALID_PARAM"
    with pytest.raises(WireError):
        orders.kind_of(b"[]")


def test_balances_of_rest_and_stream() -> None:
    assert won.balances_of_event(json.dumps(ASSETS).encode()) == {"KRW": Balance(Decimal("2061832.35"), Decimal("3824127.3"))}
    rows = [{"currency": "KRW", "balance": "51026", "locked": "0", "avg_buy_price": "0", "unit_currency": "KRW"}]
    assert won.balances_of(read(rows, list[won.AccountRow], "accounts")) == {"KRW": Balance(Decimal(51026), Decimal(0))}
    with pytest.raises(WireError):
        won.balances_of([won.AccountRow("KRW", Decimal("NaN"), Decimal(0))])


def test_every_name_of_bithumbs_documents_has_a_row() -> None:
    names = listed("bithumb_names.txt")
    assert len(names) > 20
    assert [name for name in names if refusal(name, "") is None] == []
    assert [name for name in NAMES if name != name.lower()] == []


@pytest.mark.parametrize(
    ("status", "code", "message", "scope", "meaning"),
    [
        (400, "invalid_price", "", Scope.SYMBOL, Meaning.REFUSED),
        (400, "cross_trading", "", Scope.ORDER, Meaning.REFUSED),
        (400, "bank_account_required", "", Scope.ACCOUNT, Meaning.ACCOUNT),
        (400, "invalid_parameter", "잘못된 파라미터 입니다.", Scope.ORDER, Meaning.REFUSED),
        (400, "invalid_parameter", "중복된 client_order_id 입니다.", Scope.EARLIER_COPY, Meaning.UNKNOWN),
        (400, "a_name_of_tomorrow", "client_order_id", Scope.EARLIER_COPY, Meaning.UNKNOWN),
        (400, "a_name_of_tomorrow", "", Scope.ACCOUNT, Meaning.UNKNOWN),
        (401, "NotAllowIP", "not allowed client IP", Scope.IP, Meaning.KEYS),
        (401, "out_of_scope", "", Scope.KEY, Meaning.KEYS),
        (401, "a_name_of_tomorrow", "", Scope.KEY, Meaning.UNKNOWN),
        (403, "blocked_member_id", "", Scope.ACCOUNT, Meaning.ACCOUNT),
        (404, "order_not_found", "", Scope.ORDER, Meaning.NOT_FOUND),
        (422, "order_not_ready", "", Scope.VENUE, Meaning.UNKNOWN),
        (429, "too_many_requests", "", Scope.IP, Meaning.RATE_LIMITED),
        (500, "server_error", "", Scope.VENUE, Meaning.UNKNOWN),
        (200, "404", "Code not found", Scope.SYMBOL, Meaning.REFUSED),  # errors of questions come under status 200
    ],
)
def test_whom_a_refusal_concerns(status: int, code: str, message: str, scope: Scope, meaning: Meaning) -> None:
    row = refusal_of(Answer(status, code, message, sent=True), refusal)
    assert (row.scope, row.meaning) == (scope, meaning)
    assert row.say


def test_networks_are_told_with_their_states_and_where_the_key_may_see_them_their_terms() -> None:
    # 입출금 현황, 출금 가능 정보 and 출금 허용 주소 리스트 조회.
    working = read({"currency": "XRP", "wallet_state": "working", "net_type": "XRP"}, Wallet, "status/wallet")
    closed = read(
        {"currency": "ETH", "wallet_state": "withdraw_only", "net_type": "ETH", "block_state": "delayed"}, Wallet, "status/wallet"
    )
    chance = read(
        {"currency": {"code": "XRP", "withdraw_fee": "0.4"}, "withdraw_limit": {"minimum": "10", "can_withdraw": True}},
        WithdrawChance,
        "withdraws/chance",
    )
    address = read({"currency": "XRP", "net_type": "XRP", "withdraw_address": "r1", "exchange_name": "Binance"}, Address, "addresses")
    own = terms_of(working, chance, [address])
    assert (own.fee, own.least, own.deposits, own.withdrawals, own.known_to) == (Decimal("0.4"), Decimal(10), True, True, ("binance",))
    other = terms_of(closed, None, None)
    assert (other.fee, other.deposits, other.withdrawals, other.is_busy, other.known_to) == (None, False, True, True, None)
    assert other.words == "withdraw_only, blocks delayed"
    assert list(by_asset([own, other])) == ["XRP", "ETH"]
