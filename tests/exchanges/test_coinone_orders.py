"""Coinone's orders, fills and private events. Shapes: docs.coinone.co.kr, reference; examples of the documents where they are whole."""

import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from arbtui.exchanges.amounts import read
from arbtui.exchanges.coinone import orders
from arbtui.exchanges.coinone.order_ids import OrderIds
from arbtui.exchanges.private_stream import StreamRefused
from arbtui.model.errors import WireError
from arbtui.model.order import Balance, OrderState, Side
from tests.exchanges.scripted_venue import COINONE_XRP

# reference/order-detail, example "limit"
DETAIL: dict[str, Any] = {
    "order_id": "0f1c26d0-1e4d-11e9-9ec7-00e04c3600d7", "type": "LIMIT", "quote_currency": "KRW", "target_currency": "BTC",
    "status": "CANCELED", "side": "BUY", "fee": "0", "fee_rate": "0.0", "average_executed_price": "0", "updated_at": 1680055490000,
    "ordered_at": 1680051059000, "price": "100000", "original_qty": "1", "executed_qty": "0", "canceled_qty": "1", "remain_qty": "0",
    "limit_price": None, "traded_amount": None, "original_amount": None, "canceled_amount": None, "is_triggered": None,
    "trigger_price": None,
}  # fmt: skip
# reference/find-completed-orders, first row of the example, in XRP
TRADE: dict[str, Any] = {
    "trade_id": "0e2bb80f-1e4d-11e9-9ec7-00e04c3600d1", "order_id": "0e2b9627-1e4d-11e9-9ec7-00e04c3600d2", "quote_currency": "KRW",
    "target_currency": "XRP", "order_type": "LIMIT", "is_ask": True, "is_maker": True, "price": "8420", "qty": "0.1599",
    "timestamp": 1680055490000, "fee_rate": "0.001", "fee": "1.3463", "fee_currency": "KRW",
}  # fmt: skip
# reference/private-websocket-1-myorder: 체결
EVENT: dict[str, Any] = {
    "quote_currency": "KRW", "target_currency": "XRP", "order_id": "C1", "type": "LIMIT", "status": "trade", "side": "BID",
    "order_price": None, "order_qty": None, "order_amount": None, "trade_id": "T1", "is_maker": False, "executed_price": "3000",
    "executed_qty": "4.5", "executed_fee": "27", "remain_qty": "5.5", "remain_amount": "0", "user_order_id": "a1", "prevented_qty": None,
    "executed_timestamp": 1761024895, "order_timestamp": 1761024895, "timestamp": 1761024907,
}  # fmt: skip


def row(**fields: Any) -> orders.OrderRow:
    return read({**DETAIL, **fields}, orders.OrderRow, "order")


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({}, OrderState.CANCELED),
        ({"status": "LIVE", "remain_qty": "1", "canceled_qty": "0"}, OrderState.ACCEPTED),
        ({"status": "live"}, OrderState.ACCEPTED),
        ({"status": "PARTIALLY_FILLED", "executed_qty": "0.4"}, OrderState.PARTIALLY_FILLED),
        ({"status": "FILLED", "executed_qty": "1"}, OrderState.FILLED),
        ({"status": "PARTIALLY_CANCELED", "executed_qty": "0.4", "canceled_qty": "0.6"}, OrderState.CANCELED),
        ({"status": "PARTIALLY_CANCELED", "executed_qty": "0.4", "canceled_qty": "0.1", "remain_qty": "0.5"}, OrderState.PARTIALLY_FILLED),
        ({"status": "CANCELED_NO_ORDER"}, OrderState.CANCELED),
        ({"status": "NOT_TRIGGERED", "remain_qty": "1"}, OrderState.ACCEPTED),
    ],
)
def test_states_of_an_order(fields: dict[str, Any], state: OrderState) -> None:
    assert orders.state_of(row(**fields)) is state


def test_an_unknown_state_is_no_state() -> None:
    with pytest.raises(WireError, match="MELTED"):
        orders.state_of(row(status="MELTED"))


@pytest.mark.parametrize("qty", ["NaN", "-1", "Infinity"])
def test_a_filled_quantity_that_is_none_is_refused(qty: str) -> None:
    with pytest.raises(WireError):
        orders.report_of(row(executed_qty=qty), "a1")


def test_a_fill_has_its_own_fee() -> None:
    fill = orders.fill_of(read(TRADE, orders.TradeRow, "trade"), COINONE_XRP, "a1")
    assert (fill.side, fill.qty, fill.price, fill.cost) == (Side.SELL, Decimal("0.1599"), Decimal(8420), Decimal("1346.3580"))
    assert (fill.fee, fill.fee_currency, fill.liquidity, fill.ts_event) == (Decimal("1.3463"), "KRW", "maker", 1680055490000)
    assert (fill.client_order_id, fill.venue_order_id, fill.market) == ("a1", TRADE["order_id"], "KRW-XRP")


def report(ids: OrderIds | None = None, **fields: Any) -> Any:
    frame = json.dumps({"response_type": "DATA", "channel": "MYORDER", "data": {**EVENT, **fields}}).encode()
    return orders.report_of_event(frame, {"KRW-XRP": COINONE_XRP}, ids or known())


def known(qty: str | None = "10") -> OrderIds:
    ids = OrderIds()
    ids.learn("C1", "a1", None if qty is None else Decimal(qty))
    return ids


def test_a_trade_of_the_stream_is_a_fill_of_a_known_order() -> None:
    told = report()
    assert (told.client_order_id, told.venue_order_id, told.state) == ("a1", "C1", OrderState.PARTIALLY_FILLED)
    assert told.filled_qty == Decimal("4.5")
    (fill,) = told.fills
    assert (fill.trade_id, fill.side, fill.qty, fill.fee, fill.liquidity) == ("T1", Side.BUY, Decimal("4.5"), Decimal(27), "taker")
    assert fill.ts_event == 1761024895000


def test_the_last_trade_comes_twice_and_is_one_fill() -> None:
    """``trade`` and then ``trade_done`` with the same trade: its id tells that they are one. The quantity is the last trade's."""
    ids = known()
    first = report(ids, executed_qty="5.5", remain_qty="0", trade_id="T2")
    done = report(ids, executed_qty="5.5", remain_qty="0", trade_id="T2", status="trade_done")
    assert (first.state, first.filled_qty) == (OrderState.PARTIALLY_FILLED, Decimal(10))
    assert (done.state, done.filled_qty) == (OrderState.FILLED, Decimal(10))
    assert [fill.trade_id for fill in first.fills] == ["T2"]
    assert done.fills == ()


def test_a_last_trade_that_comes_as_the_end_only_is_a_fill() -> None:
    done = report(known(), executed_qty="5.5", remain_qty="0", trade_id="T2", status="trade_done")
    assert [fill.trade_id for fill in done.fills] == ["T2"]


def test_a_cancel_tells_what_was_cancelled_and_so_what_had_filled() -> None:
    told = report(status="cancel", trade_id=None, executed_price=None, executed_qty="5.5", executed_fee=None, remain_qty="0.00000000")
    assert (told.state, told.filled_qty, told.fills) == (OrderState.CANCELED, Decimal("4.5"), ())


@pytest.mark.parametrize(("qty", "fields"), [(None, {}), ("10", {"prevented_qty": "1"}), ("10", {"executed_qty": None})])
def test_a_cancel_that_leaves_open_what_had_filled_is_left_to_a_look_up(qty: str | None, fields: dict[str, Any]) -> None:
    assert report(known(qty), status="cancel", **{"trade_id": None, "executed_qty": "5.5", "remain_qty": "0", **fields}) is None


def test_an_end_of_an_order_whose_quantity_is_not_known_is_no_end_yet() -> None:
    told = report(known(None), status="trade_done", remain_qty="0")
    assert (told.state, told.filled_qty, len(told.fills)) == (OrderState.PARTIALLY_FILLED, Decimal("4.5"), 1)


def test_an_order_that_stands_is_learned_of() -> None:
    ids = OrderIds()
    waits = {"status": "wait", "order_qty": "10.00000000", "trade_id": None, "executed_qty": None, "executed_fee": None, "remain_qty": None}
    told = report(ids, **waits)
    assert (told.state, told.client_order_id) == (OrderState.ACCEPTED, "a1")
    assert (ids.client_id("C1"), ids.of("C1").qty) == ("a1", Decimal(10))


def test_a_trade_in_a_market_that_is_not_connected_has_no_fill_here() -> None:
    assert report(target_currency="ADA").fills == ()


@pytest.mark.parametrize(
    "fields",
    [{"status": "melted"}, {"trade_id": None}, {"executed_qty": "NaN"}, {"side": "HOLD"}, {"remain_qty": "-1"}, {"remain_qty": "11"}],
)
def test_events_that_make_no_sense_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(WireError):
        report(**fields)


def test_balances_are_free_and_held() -> None:
    # reference/private-websocket-1-myasset: 입금
    frame = {
        "response_type": "DATA", "channel": "MYASSET",
        "data": {
            "assets": [{"currency": "KRW", "available": "205620364.5029", "limit": "8400.0000"}],
            "type": "deposit", "timestamp": 1760939843,
        },
    }  # fmt: skip
    assert orders.balances_of_event(json.dumps(frame).encode()) == {"KRW": Balance(Decimal("205620364.5029"), Decimal("8400.0000"))}


def test_frames_of_the_private_stream_are_told_apart() -> None:
    assert orders.kind_of(b'{"response_type":"SUBSCRIBED","channel":"MYASSET"}') == orders.FrameKind("SUBSCRIBED", "MYASSET")
    assert orders.kind_of(b'{"response_type":"PONG"}') == orders.FrameKind("PONG", "")
    with pytest.raises(StreamRefused) as caught:
        orders.kind_of(b'{"response_type":"ERROR","error_code":160012,"message":"Invalid Topic"}')
    assert (caught.value.code, caught.value.message) == ("160012", "Invalid Topic")
    for raw in (b"", b"[]", b"{}", b"\xff"):
        with pytest.raises(WireError):
            orders.kind_of(raw)


def test_amounts_are_exact_as_told() -> None:
    told = msgspec.json.decode(json.dumps({**TRADE, "qty": "0.1234567890123456789"}))
    assert read(told, orders.TradeRow, "trade").qty == Decimal("0.1234567890123456789")


def test_ids_are_learned_once_and_kept_apart() -> None:
    ids = OrderIds()
    ids.sent("a1", "KRW-XRP")
    assert ids.unanswered(["C9"]) == [("a1", "KRW-XRP")]
    assert ids.unanswered([]) == []
    ids.learn("C1", "a1", Decimal(10))
    assert ids.unanswered(["C9"]) == []
    ids.learn("C1", "")
    assert (ids.client_id("C1"), ids.of("C1").qty, ids.client_id("C9")) == ("a1", Decimal(10), "")
    ids.sent("a2", "KRW-XRP")
    ids.never_arrived("a2")
    assert ids.unanswered(["C9"]) == []
