"""The shapes of Coinone's answers about orders and money.

Sources: docs.coinone.co.kr, reference: order-detail, find-active-orders, find-completed-orders, cancel-order, find-balance,
find-all-trade-fees, private-websocket-1-myorder and -myasset. Lists name Coinone's own ids only. Amounts are strings, written exactly from
the ledger's decimals; times are ms in REST and seconds in the stream.
"""

from decimal import Decimal
from typing import Any

from arbtui.exchanges.coinone.rules import pair_of
from arbtui.model.market import Market
from arbtui.model.money import ZERO, plain
from arbtui.model.order import Balance, Fill, OrderState, Side
from arbtui.sandbox.account import AccountEvent, What
from arbtui.sandbox.coinone.names import order_id, trade_id
from arbtui.sandbox.order_calls import sent_id
from arbtui.sandbox.order_log import OrderRecord

_STATUS = {
    OrderState.ACCEPTED: "LIVE",
    OrderState.PARTIALLY_FILLED: "PARTIALLY_FILLED",
    OrderState.FILLED: "FILLED",
    OrderState.CANCELED: "CANCELED",
    OrderState.EXPIRED: "CANCELED",
}
_EVENTS = {What.NEW: "wait", What.TRADE: "trade", What.DONE: "trade_done", What.CANCELED: "cancel", What.EXPIRED: "cancel"}
_CHANGES = {What.NEW: "order", What.TRADE: "trade", What.DONE: "trade", What.CANCELED: "cancel", What.EXPIRED: "cancel"}


def _side(side: Side) -> str:
    return "BUY" if side is Side.BUY else "SELL"


def status_of(order: OrderRecord) -> str:
    """One that had filled in part when it was cancelled is cancelled in part."""
    return "PARTIALLY_CANCELED" if order.state is OrderState.CANCELED and order.fills else _STATUS[order.state]


def _amounts(order: OrderRecord) -> dict[str, Any]:
    ended = order.state.is_final
    return {
        "price": plain(order.price),
        "original_qty": plain(order.qty),
        "executed_qty": plain(order.filled_qty),
        "canceled_qty": plain(order.leaves_qty if ended else ZERO),
        "remain_qty": plain(ZERO if ended else order.leaves_qty),
        "side": _side(order.side),
        "fee": plain(order.fee),
    }


def _rates(order: OrderRecord, market: Market) -> dict[str, Any]:
    average = order.cost / order.filled_qty if order.filled_qty else ZERO
    rate = market.fees.taker if order.fills else ZERO
    return {"fee_rate": plain(rate), "average_executed_price": plain(average)}


def detail(order: OrderRecord, market: Market) -> dict[str, Any]:
    """``order`` of ``/v2.1/order/detail``, of a limit order."""
    return {
        "order_id": order_id(order.number),
        "type": "LIMIT",
        **pair_of(order.code),
        "status": status_of(order),
        **_amounts(order),
        **_rates(order, market),
        "updated_at": order.updated_ms // 1000 * 1000,
        "ordered_at": order.ts_ms // 1000 * 1000,
        "limit_price": None,
        "traded_amount": None,
        "original_amount": None,
        "canceled_amount": None,
        "is_triggered": None,
        "trigger_price": None,
    }


def active(order: OrderRecord, market: Market) -> dict[str, Any]:
    """A row of ``/v2.1/order/active_orders``."""
    return {
        "order_id": order_id(order.number),
        "type": "LIMIT",
        **pair_of(order.code),
        **_amounts(order),
        **_rates(order, market),
        "ordered_at": order.ts_ms // 1000 * 1000,
        "is_triggered": None,
        "trigger_price": None,
        "triggered_at": None,
    }


def cancelled(order: OrderRecord, market: Market, now_ms: int) -> dict[str, Any]:
    """The answer to ``/v2.1/order/cancel``; ``order`` as it is after it."""
    rates = _rates(order, market)
    return {
        "order_id": order_id(order.number),
        "price": plain(order.price),
        "qty": plain(order.leaves_qty),
        "remain_qty": "0",
        "side": _side(order.side),
        "original_qty": plain(order.qty),
        "traded_qty": plain(order.filled_qty),
        "canceled_qty": plain(order.leaves_qty),
        "fee": plain(order.fee),
        "fee_rate": rates["fee_rate"],
        "avg_price": rates["average_executed_price"],
        "canceled_at": now_ms // 1000,
        "ordered_at": order.ts_ms // 1000,
    }


def trade(fill: Fill, market: Market) -> dict[str, Any]:
    """A row of ``/v2.1/order/completed_orders``."""
    maker = fill.liquidity == "maker"
    return {
        "trade_id": trade_id(fill.trade_id),
        "order_id": order_id(int(fill.venue_order_id)),
        **pair_of(fill.market),
        "order_type": "LIMIT",
        "is_ask": fill.side is Side.SELL,
        "is_maker": maker,
        "price": plain(fill.price),
        "qty": plain(fill.qty),
        "timestamp": fill.ts_event,
        "fee_rate": plain(market.fees.maker if maker else market.fees.taker),
        "fee": plain(fill.fee),
        "fee_currency": fill.fee_currency,
    }


def balance(asset: str, held: Balance) -> dict[str, Any]:
    """A row of ``/v2.1/account/balance/all``. Its average cost is not known here."""
    return {"available": plain(held.free), "limit": plain(held.locked), "average_price": "0", "currency": asset}


def fee_rate(market: Market) -> dict[str, Any]:
    """A row of ``/v2.1/account/trade_fee``."""
    return {**pair_of(market.code), "maker": plain(market.fees.maker), "taker": plain(market.fees.taker)}


def my_order(event: AccountEvent) -> dict[str, Any]:
    """``data`` of one ``MYORDER`` event; the end of an order that has filled repeats its last trade."""
    order, fill = event.order, event.fill
    if event.what is What.DONE and order.fills:
        fill = order.fills[-1]
    is_new, is_end = event.what is What.NEW, event.what in (What.CANCELED, What.EXPIRED)
    changed = fill.qty if fill is not None else order.leaves_qty if is_end else None
    return {
        **pair_of(order.code),
        "order_id": order_id(order.number),
        "type": "LIMIT",
        "status": _EVENTS[event.what],
        "side": "BID" if order.side is Side.BUY else "ASK",
        "order_price": plain(order.price) if is_new else None,
        "order_qty": plain(order.qty) if is_new else None,
        "order_amount": None,
        "trade_id": None if fill is None else trade_id(fill.trade_id),
        "is_maker": None if fill is None else fill.liquidity == "maker",
        "executed_price": None if fill is None else plain(fill.price),
        "executed_qty": None if changed is None else plain(changed),
        "executed_fee": None if fill is None else plain(fill.fee),
        "remain_qty": None if is_new else plain(ZERO if is_end else order.leaves_qty),
        "remain_amount": None if fill is None else "0",
        "user_order_id": sent_id(order.client_order_id) or None,
        "prevented_qty": None,
        "executed_timestamp": None if is_new else event.ts_ms // 1000,
        "order_timestamp": None if is_end else order.ts_ms // 1000,
        "timestamp": event.ts_ms // 1000,
    }


def my_asset(balances: dict[str, Balance], change: str, ts_ms: int) -> dict[str, Any]:
    """``data`` of one ``MYASSET`` event: the assets that changed, and by what."""
    rows = [{"currency": asset, "available": plain(held.free), "limit": plain(held.locked)} for asset, held in balances.items()]
    return {"assets": rows, "type": change, "timestamp": ts_ms // 1000}


def change_of(event: AccountEvent) -> str:
    """What an event of an order is called as a change of balances."""
    return _CHANGES[event.what]


def transfer_of(change: Decimal) -> str:
    """What a change from outside is called."""
    return "deposit" if change >= 0 else "withdrawal"
