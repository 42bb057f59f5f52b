"""The shapes of Upbit's answers about orders and money (docs.upbit.com, reference of orders, accounts, myOrder, myAsset).

REST has amounts as strings, the private socket as numbers. Both are written exactly from the ledger's decimals,
so that no digit is lost.
"""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import msgspec

from arbtui.model.market import Market
from arbtui.model.money import ZERO, plain
from arbtui.model.order import Balance, OrderState, Side, TimeInForce
from arbtui.sandbox.account import AccountEvent, What
from arbtui.sandbox.order_log import OrderRecord
from arbtui.sandbox.upbit.names import order_uuid, trade_uuid

KST = timezone(timedelta(hours=9))
#: Client ids that begin with this were generated here for orders sent without an identifier, and are never sent.
UNNAMED = "~"

_STATES = {
    OrderState.ACCEPTED: "wait",
    OrderState.PARTIALLY_FILLED: "wait",
    OrderState.FILLED: "done",
    OrderState.EXPIRED: "cancel",
    OrderState.CANCELED: "cancel",
}
_EVENTS = {What.NEW: "wait", What.TRADE: "trade", What.DONE: "done", What.CANCELED: "cancel", What.EXPIRED: "cancel"}


def kst(ts_ms: int) -> str:
    """Upbit's ``created_at``: Korean time to the second."""
    return datetime.fromtimestamp(ts_ms // 1000, KST).isoformat()


def kst_micro(ts_ms: int) -> str:
    """The ``created_at`` of a trade: Korean time to the microsecond."""
    return datetime.fromtimestamp(ts_ms / 1000, KST).isoformat(timespec="microseconds")


def utc(ts_ms: int) -> datetime:
    """``ts_ms`` as a UTC time."""
    return datetime.fromtimestamp(ts_ms / 1000, UTC)


def side_of(side: Side) -> str:
    """``bid`` buys, ``ask`` sells."""
    return "bid" if side is Side.BUY else "ask"


def order_body(order: OrderRecord, market: Market, ord_type: str) -> dict[str, Any]:
    """An order as ``POST /v1/orders`` and the lists have it."""
    money = _Money(order, market)
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
    if not order.client_order_id.startswith(UNNAMED):
        body["identifier"] = order.client_order_id
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
    return {
        "currency": asset,
        "balance": plain(balance.free),
        "locked": plain(balance.locked),
        "avg_buy_price": "0",
        "avg_buy_price_modified": True,
        "unit_currency": "KRW",
    }


def chance_body(market: Market, bid: Balance, ask: Balance, state: str) -> dict[str, Any]:
    """``GET /v1/orders/chance``: fees, minimum and free balances."""
    taker, maker = plain(market.fees.taker), plain(market.fees.maker)
    minimum = plain(market.min_cost)
    return {
        "bid_fee": taker,
        "ask_fee": taker,
        "maker_bid_fee": maker,
        "maker_ask_fee": maker,
        "market": {
            "id": market.code,
            "name": f"{market.base}/{market.quote}",
            "order_types": [],
            "order_sides": ["ask", "bid"],
            "bid_types": ["best_fok", "best_ioc", "limit", "limit_fok", "limit_ioc", "price"],
            "ask_types": ["best_fok", "best_ioc", "limit", "limit_fok", "limit_ioc", "market"],
            "bid": {"currency": market.quote, "min_total": minimum},
            "ask": {"currency": market.base, "min_total": minimum},
            "max_total": "1000000000",
            "state": state,
        },
        "bid_account": account_body(market.quote, bid),
        "ask_account": account_body(market.base, ask),
    }


def my_order(event: AccountEvent, market: Market, ord_type: str) -> dict[str, Any]:
    """One ``myOrder`` event. ``price`` and ``volume`` are the fill's own when ``state`` is ``trade``, else the order's."""
    order, fill = event.order, event.fill
    money = _Money(order, market)
    average = order.cost / order.filled_qty if order.filled_qty else ZERO
    return {
        "type": "myOrder",
        "code": order.code,
        "uuid": order_uuid(order.number),
        "ask_bid": side_of(order.side).upper(),
        "order_type": ord_type,
        "state": _EVENTS[event.what],
        "trade_uuid": trade_uuid(fill.trade_id) if fill else None,
        "price": _number(fill.price if fill else order.price),
        "avg_price": _number(average),
        "volume": _number(fill.qty if fill else order.qty),
        "remaining_volume": _number(order.leaves_qty),
        "executed_volume": _number(order.filled_qty),
        "trades_count": len(order.fills),
        "reserved_fee": _number(money.reserved_fee),
        "remaining_fee": _number(money.remaining_fee),
        "paid_fee": _number(order.fee),
        "locked": _number(money.locked),
        "executed_funds": _number(order.cost),
        "time_in_force": None if order.tif is TimeInForce.GTC else order.tif.value,
        "trade_fee": _number(fill.fee) if fill else None,
        "is_maker": fill.liquidity == "maker" if fill else None,
        "identifier": None if order.client_order_id.startswith(UNNAMED) else order.client_order_id,
        "smp_type": None,
        "prevented_volume": 0,
        "prevented_locked": 0,
        "trade_timestamp": fill.ts_event if fill else None,
        "order_timestamp": order.ts_ms,
        "timestamp": event.ts_ms,
        "stream_type": "REALTIME",
    }


def my_asset(balances: dict[str, Balance], number: int, ts_ms: int) -> dict[str, Any]:
    """One ``myAsset`` event: the assets that changed."""
    return {
        "type": "myAsset",
        "asset_uuid": f"a55e7000-0000-4000-8000-{number:012x}",
        "assets": [
            {"currency": asset, "balance": _number(balance.free), "locked": _number(balance.locked)} for asset, balance in balances.items()
        ],
        "asset_timestamp": ts_ms,
        "timestamp": ts_ms,
        "stream_type": "REALTIME",
    }


class _Money:
    """What an order still locks of the balance, and of its fee."""

    def __init__(self, order: OrderRecord, market: Market) -> None:
        buys, is_open = order.side is Side.BUY, not order.state.is_final
        self.reserved_fee = order.qty * order.price * market.fees.taker if buys else ZERO
        self.remaining_fee = max(self.reserved_fee - order.fee, ZERO) if is_open else ZERO
        reckoned = order.leaves_qty * order.price + self.remaining_fee if buys else order.leaves_qty
        self.locked = (order.locked or reckoned) if is_open else ZERO


def _number(value: Decimal) -> msgspec.Raw:
    return msgspec.Raw(plain(value).encode())
