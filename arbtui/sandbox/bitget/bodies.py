"""The shapes of Bitget's answers and events about orders and money (bitget.com/api-doc, spot, "Trade", "Account", private channels)."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from arbtui.model.money import ZERO, plain
from arbtui.model.order import Balance, Fill, OrderState
from arbtui.sandbox.account import AccountEvent
from arbtui.sandbox.bitget.names import order_id, trade_id
from arbtui.sandbox.order_log import OrderRecord

USER_ID = "1000000001"

_STATES = {
    OrderState.ACCEPTED: "live",
    OrderState.PARTIALLY_FILLED: "partially_filled",
    OrderState.FILLED: "filled",
    OrderState.EXPIRED: "cancelled",
    OrderState.CANCELED: "cancelled",
}


def status_of(order: OrderRecord) -> str:
    """Bitget's word for the state of ``order``."""
    return _STATES[order.state]


def placed_body(order: OrderRecord) -> dict[str, Any]:
    """The data of ``place-order`` and ``cancel-order``."""
    return {"orderId": order_id(order.number), "clientOid": order.client_order_id}


def order_body(order: OrderRecord) -> dict[str, Any]:
    """A row of ``orderInfo``."""
    return {
        "userId": USER_ID,
        "symbol": order.code,
        "orderId": order_id(order.number),
        "clientOid": order.client_order_id,
        "price": plain(order.price),
        "size": plain(order.qty),
        "orderType": "limit",
        "side": order.side.value,
        "status": status_of(order),
        "priceAvg": plain(_average(order)),
        "baseVolume": plain(order.filled_qty),
        "quoteVolume": plain(order.cost),
        "enterPointSource": "API",
        "feeDetail": _fee_text(order),
        "orderSource": "normal",
        "cTime": str(order.ts_ms),
        "uTime": str(order.updated_ms),
    }


def ended_body(order: OrderRecord) -> dict[str, Any]:
    """A row of ``history-orders``."""
    return {**order_body(order), "tpslType": "normal", "triggerPrice": None}


def open_body(order: OrderRecord) -> dict[str, Any]:
    """A row of ``unfilled-orders``, whose ``priceAvg`` is the order's own price."""
    return {
        "userId": USER_ID,
        "symbol": order.code,
        "orderId": order_id(order.number),
        "clientOid": order.client_order_id,
        "priceAvg": plain(order.price),
        "size": plain(order.qty),
        "orderType": "limit",
        "side": order.side.value,
        "status": status_of(order),
        "basePrice": plain(_average(order)),
        "baseVolume": plain(order.filled_qty),
        "quoteVolume": plain(order.cost),
        "enterPointSource": "API",
        "cTime": str(order.ts_ms),
        "tpslType": "normal",
        "triggerPrice": None,
    }


def fill_body(fill: Fill, coin: str) -> dict[str, Any]:
    """A row of ``trade/fills``; ``coin``: the venue's own, in which fees may be taken."""
    deducted, fee = fill.fee_currency == coin, plain(-fill.fee)
    return {
        "userId": USER_ID,
        "symbol": fill.market,
        "orderId": order_id(int(fill.venue_order_id)),
        "tradeId": trade_id(fill.trade_id),
        "orderType": "limit",
        "side": fill.side.value,
        "priceAvg": plain(fill.price),
        "size": plain(fill.qty),
        "amount": plain(fill.cost),
        "feeDetail": {
            "deduction": "yes" if deducted else "no",
            "feeCoin": fill.fee_currency,
            "totalDeductionFee": fee if deducted else "",
            "totalFee": fee,
        },
        "tradeScope": fill.liquidity,
        "cTime": str(fill.ts_event),
        "uTime": str(fill.ts_event),
    }


def asset_body(coin: str, balance: Balance, ts_ms: int) -> dict[str, Any]:
    """A row of ``account/assets`` and of the ``account`` channel."""
    return {
        "coin": coin,
        "available": plain(balance.free),
        "frozen": plain(balance.locked),
        "locked": "0",
        "limitAvailable": "0",
        "uTime": str(ts_ms),
    }


def order_event(event: AccountEvent) -> dict[str, Any]:
    """A row of the ``orders`` channel: an order, and its latest fill where the event is one."""
    order, fill = event.order, event.fill
    row: dict[str, Any] = {
        "instId": order.code,
        "orderId": order_id(order.number),
        "clientOid": order.client_order_id,
        "size": plain(order.qty),
        "newSize": plain(order.qty),
        "notional": plain(order.qty * order.price),
        "orderType": "limit",
        "force": order.tif.value,
        "side": order.side.value,
        "accBaseVolume": plain(order.filled_qty),
        "priceAvg": plain(_average(order)),
        "status": status_of(order),
        "cTime": str(order.ts_ms),
        "uTime": str(event.ts_ms),
        "feeDetail": [{"feeCoin": coin, "fee": plain(-fee)} for coin, fee in _fees(order).items()],
        "enterPointSource": "API",
    }
    if fill is not None:
        row |= {
            "fillPrice": plain(fill.price),
            "tradeId": trade_id(fill.trade_id),
            "baseVolume": plain(fill.qty),
            "fillTime": str(fill.ts_event),
            "fillFee": plain(-fill.fee),
            "fillFeeCoin": fill.fee_currency,
            "tradeScope": "M" if fill.liquidity == "maker" else "T",
        }
    return row


def pushed(channel: str, name: str, rows: list[dict[str, Any]], ts_ms: int) -> dict[str, Any]:
    """A message of a private channel; ``name``: what its subscription is told by, ``instId`` or ``coin``."""
    arg = {"instType": "SPOT", "channel": channel, name: "default"}
    return {"action": "snapshot", "arg": arg, "data": rows, "ts": ts_ms}


def _average(order: OrderRecord) -> Decimal:
    return order.cost / order.filled_qty if order.filled_qty else ZERO


def _fees(order: OrderRecord) -> Mapping[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for fill in order.fills:
        sums[fill.fee_currency] = sums.get(fill.fee_currency, ZERO) + fill.fee
    return sums


def _fee_text(order: OrderRecord) -> str:
    """``feeDetail``, which is JSON in a text, of floats; nothing reads an amount off it."""
    fees = _fees(order)
    if not fees:
        return ""
    total = float(-sum(fees.values()))
    told: dict[str, Any] = {"newFees": {"c": 0, "d": 0, "deduction": False, "r": total, "t": total, "totalDeductionFee": 0}}
    for coin, fee in fees.items():
        told[coin] = {"deduction": False, "feeCoinCode": coin, "totalDeductionFee": 0, "totalFee": float(-fee)}
    return json.dumps(told, separators=(",", ":"))
