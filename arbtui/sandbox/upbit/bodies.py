"""The shapes of Upbit's answers about orders and money (docs.upbit.com, reference of orders, accounts, myOrder, myAsset).

REST has amounts as strings, the private socket as numbers. Both are written exactly from the ledger's decimals,
so that no digit is lost.
"""

from datetime import datetime
from typing import Any

from arbtui.model.market import Market
from arbtui.model.money import ZERO, plain
from arbtui.model.order import Balance, OrderState, Side, TimeInForce
from arbtui.sandbox.account import AccountEvent, What
from arbtui.sandbox.notices import PlayedNotice
from arbtui.sandbox.order_calls import sent_id
from arbtui.sandbox.order_log import OrderRecord
from arbtui.sandbox.upbit.names import order_uuid, trade_uuid
from arbtui.sandbox.won import bodies as won
from arbtui.sandbox.won.bodies import KST, OrderMoney, kst, number, side_of

_STATES = {
    OrderState.ACCEPTED: "wait",
    OrderState.PARTIALLY_FILLED: "wait",
    OrderState.FILLED: "done",
    OrderState.EXPIRED: "cancel",
    OrderState.CANCELED: "cancel",
}
_EVENTS = {What.NEW: "wait", What.TRADE: "trade", What.DONE: "done", What.CANCELED: "cancel", What.EXPIRED: "cancel"}


def kst_micro(ts_ms: int) -> str:
    """The ``created_at`` of a trade: Korean time to the microsecond."""
    return datetime.fromtimestamp(ts_ms / 1000, KST).isoformat(timespec="microseconds")


def order_body(order: OrderRecord, market: Market, ord_type: str) -> dict[str, Any]:
    """An order as ``POST /v1/orders`` and the lists have it."""
    money = OrderMoney(order, market)
    body: dict[str, Any] = {
        "uuid": order_uuid(order.number),
        "side": side_of(order.side),
        "ord_type": ord_type,
        "price": None if ord_type == "market" else plain(order.price),
        "state": _STATES[order.state],
        "market": order.code,
        "created_at": kst(order.ts_ms),
        "volume": plain(order.qty),
        "remaining_volume": plain(order.leaves_qty),
        "executed_volume": plain(order.filled_qty),
        "executed_funds": plain(order.cost),
        "reserved_fee": plain(money.reserved_fee),
        "remaining_fee": plain(money.remaining_fee),
        "paid_fee": plain(order.fee),
        "locked": plain(money.locked),
        "prevented_volume": "0",
        "prevented_locked": "0",
        "trades_count": len(order.fills),
    }
    if order.tif is not TimeInForce.GTC:
        body["time_in_force"] = order.tif.value
    if named := sent_id(order.client_order_id):
        body["identifier"] = named
    return body


def order_with_trades(order: OrderRecord, market: Market, ord_type: str) -> dict[str, Any]:
    """An order as ``GET /v1/order`` has it. Its trades have no fee: only ``paid_fee`` has, for all of them."""
    body = order_body(order, market, ord_type)
    body["trades"] = [
        {
            "market": fill.market,
            "uuid": trade_uuid(fill.trade_id),
            "price": plain(fill.price),
            "volume": plain(fill.qty),
            "funds": plain(fill.cost),
            "trend": "up" if fill.side is Side.BUY else "down",
            "created_at": kst_micro(fill.ts_event),
            "side": side_of(fill.side),
        }
        for fill in order.fills
    ]
    return body


def account_body(asset: str, balance: Balance) -> dict[str, Any]:
    """One asset of ``GET /v1/accounts``. Its average cost is not known here."""
    return won.account_body(asset, balance, modified=True)


def chance_body(market: Market, bid: Balance, ask: Balance, is_halted: bool) -> dict[str, Any]:
    """``GET /v1/orders/chance``: fees, minimum and free balances."""
    types: dict[str, list[str]] = {
        "order_types": [],
        "bid_types": ["best_fok", "best_ioc", "limit", "limit_fok", "limit_ioc", "price"],
        "ask_types": ["best_fok", "best_ioc", "limit", "limit_fok", "limit_ioc", "market"],
    }
    accounts = {"bid_account": account_body(market.quote, bid), "ask_account": account_body(market.base, ask)}
    return won.chance_body(market, accounts, "delisted" if is_halted else "active", types, {}, "1000000000")


def my_order(event: AccountEvent, market: Market, ord_type: str) -> dict[str, Any]:
    """One ``myOrder`` event. ``price`` and ``volume`` are the fill's own when ``state`` is ``trade``, else the order's."""
    order, fill = event.order, event.fill
    money = OrderMoney(order, market)
    average = order.cost / order.filled_qty if order.filled_qty else ZERO
    return {
        "type": "myOrder",
        "code": order.code,
        "uuid": order_uuid(order.number),
        "ask_bid": side_of(order.side).upper(),
        "order_type": ord_type,
        "state": _EVENTS[event.what],
        "trade_uuid": trade_uuid(fill.trade_id) if fill else None,
        "price": number(fill.price if fill else order.price),
        "avg_price": number(average),
        "volume": number(fill.qty if fill else order.qty),
        "remaining_volume": number(order.leaves_qty),
        "executed_volume": number(order.filled_qty),
        "trades_count": len(order.fills),
        "reserved_fee": number(money.reserved_fee),
        "remaining_fee": number(money.remaining_fee),
        "paid_fee": number(order.fee),
        "locked": number(money.locked),
        "executed_funds": number(order.cost),
        "time_in_force": None if order.tif is TimeInForce.GTC else order.tif.value,
        "trade_fee": number(fill.fee) if fill else None,
        "is_maker": fill.liquidity == "maker" if fill else None,
        "identifier": sent_id(order.client_order_id) or None,
        "smp_type": None,
        "prevented_volume": 0,
        "prevented_locked": 0,
        "trade_timestamp": fill.ts_event if fill else None,
        "order_timestamp": order.ts_ms,
        "timestamp": event.ts_ms,
        "stream_type": "REALTIME",
    }


def my_asset(balances: dict[str, Balance], count: int, ts_ms: int) -> dict[str, Any]:
    """One ``myAsset`` event: the assets that changed."""
    return {
        "type": "myAsset",
        "asset_uuid": f"a55e7000-0000-4000-8000-{count:012x}",
        "assets": [
            {"currency": asset, "balance": number(balance.free), "locked": number(balance.locked)} for asset, balance in balances.items()
        ],
        "asset_timestamp": ts_ms,
        "timestamp": ts_ms,
        "stream_type": "REALTIME",
    }


def announcement(notice: PlayedNotice, first_ms: int, now_ms: int, *, is_update: bool) -> dict[str, Any]:
    """The event ``announcement`` (reference/websocket-announcement), with its body."""
    return {
        "type": "announcement",
        "uuid": notice.id,
        "category": notice.category or "notice",
        "event_type": "UPDATED" if is_update else "CREATED",
        "title": notice.title,
        "url": f"https://upbit.com/service_center/notice?id={notice.id}",
        "first_listed_at": kst(first_ms),
        "listed_at": kst(now_ms),
        "body": notice.body,
        "timestamp": now_ms,
        "stream_type": "REALTIME",
    }
