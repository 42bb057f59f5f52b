"""The shapes of Bithumb's answers about orders and money.

Sources: apidocs.bithumb.com, reference: 주문-요청, 개별-주문-조회, 대기- and 종료-주문-목록-조회, 주문-취소-접수, 다건-주문-취소-접수,
주문-가능-정보, 전체-계좌-조회, 내-주문-및-체결-myorder (private v2), 내-자산-myasset. One order's id is ``uuid`` in ``/v1``, and
``order_id`` in ``/v2`` and in the stream; REST has amounts as strings, ``myOrder`` as numbers, and it leaves out what has no value. All
are written exactly from the ledger's decimals, so that no digit is lost.
"""

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import msgspec

from arbtui.model.market import Market
from arbtui.model.money import ZERO, plain
from arbtui.model.order import Balance, OrderState, Side, TimeInForce
from arbtui.sandbox.account import AccountEvent, What
from arbtui.sandbox.bithumb.names import order_id, trade_id
from arbtui.sandbox.order_log import OrderRecord

_KST = timezone(timedelta(hours=9))
#: Client ids that begin with this were generated here for orders sent without one, and are never sent.
UNNAMED = "~"
_STP = "cancel_taker"
_EVENTS = {What.NEW: "wait", What.TRADE: "trade", What.DONE: "done", What.CANCELED: "cancel"}


def kst(ts_ms: int) -> str:
    """Bithumb's ``created_at``: Korean time to the second."""
    return datetime.fromtimestamp(ts_ms // 1000, _KST).isoformat()


def side_of(side: Side) -> str:
    """``bid`` buys, ``ask`` sells."""
    return "bid" if side is Side.BUY else "ask"


def state_of(order: OrderRecord) -> str:
    """An immediate order that filled in part is done; one that filled in nothing is cancelled."""
    if not order.state.is_final:
        return "wait"
    return "done" if order.state is OrderState.FILLED or (order.state is OrderState.EXPIRED and order.fills) else "cancel"


def _named(order: OrderRecord) -> dict[str, Any]:
    return {} if order.client_order_id.startswith(UNNAMED) else {"client_order_id": order.client_order_id}


def _tif(order: OrderRecord) -> dict[str, Any]:
    return {} if order.tif is TimeInForce.GTC else {"time_in_force": order.tif.value}


def taken(order: OrderRecord) -> dict[str, Any]:
    """The answer to ``POST /v2/orders``: that it was accepted."""
    return {
        "order_id": order_id(order.number),
        **_named(order),
        "market": order.code,
        "side": side_of(order.side),
        "order_type": "limit",
        **_tif(order),
        "created_at": kst(order.ts_ms),
        "stp_type": _STP,
    }


def cancelled(order: OrderRecord) -> dict[str, Any]:
    """The answer to a cancel: that it was accepted."""
    return {"order_id": order_id(order.number), **_named(order), "created_at": kst(order.ts_ms)}


def _amounts(order: OrderRecord, market: Market) -> dict[str, Any]:
    money = _Money(order, market)
    return {
        "volume": plain(order.qty),
        "remaining_volume": plain(order.leaves_qty),
        "reserved_fee": plain(money.reserved_fee),
        "remaining_fee": plain(money.remaining_fee),
        "paid_fee": plain(order.fee),
        "locked": plain(money.locked),
        "executed_volume": plain(order.filled_qty),
        "executed_funds": plain(order.cost),
        "trades_count": len(order.fills),
    }


def listed(order: OrderRecord, market: Market) -> dict[str, Any]:
    """A row of ``GET /v2/orders/pending`` or ``/v2/orders/history``."""
    return {
        "order_id": order_id(order.number),
        "side": side_of(order.side),
        "order_type": "limit",
        "price": plain(order.price),
        "state": state_of(order),
        "market": order.code,
        "created_at": kst(order.ts_ms),
        **_amounts(order, market),
        **_named(order),
        **_tif(order),
        "stp_type": _STP,
    }


def order_with_trades(order: OrderRecord, market: Market) -> dict[str, Any]:
    """``GET /v1/order``. Its trades have no fee: only ``paid_fee`` has, for all of them."""
    expired = {"cancel_type": "tif_cancel"} if state_of(order) == "cancel" and order.state is OrderState.EXPIRED else {}
    return {
        "uuid": order_id(order.number),
        **_named(order),
        "side": side_of(order.side),
        "ord_type": "limit",
        "price": plain(order.price),
        "state": state_of(order),
        "market": order.code,
        "created_at": kst(order.ts_ms),
        **_amounts(order, market),
        "stp_type": _STP,
        **_tif(order),
        **expired,
        "trades": [
            {
                "market": fill.market,
                "uuid": trade_id(fill.trade_id),
                "price": plain(fill.price),
                "volume": plain(fill.qty),
                "funds": plain(fill.cost),
                "side": side_of(fill.side),
                "created_at": kst(fill.ts_event),
            }
            for fill in order.fills
        ],
    }


def account_body(asset: str, balance: Balance) -> dict[str, Any]:
    """One asset of ``GET /v1/accounts``. Its average cost is not known here."""
    return {
        "currency": asset,
        "balance": plain(balance.free),
        "locked": plain(balance.locked),
        "avg_buy_price": "0",
        "avg_buy_price_modified": False,
        "unit_currency": "KRW",
    }


def chance_body(market: Market, bid: Balance, ask: Balance, state: str) -> dict[str, Any]:
    """``GET /v1/orders/chance``: fees, minimum and free balances."""
    taker, maker, minimum = plain(market.fees.taker), plain(market.fees.maker), plain(market.min_cost)
    return {
        "bid_fee": taker,
        "ask_fee": taker,
        "maker_bid_fee": maker,
        "maker_ask_fee": maker,
        "market": {
            "id": market.code,
            "name": f"{market.base}/{market.quote}",
            "order_types": ["limit"],
            "order_sides": ["ask", "bid"],
            "bid_types": ["limit", "price"],
            "ask_types": ["limit", "market"],
            "bid": {"currency": market.quote, "price_unit": "1", "min_total": minimum},
            "ask": {"currency": market.base, "price_unit": "1", "min_total": minimum},
            "max_total": "5000000000",
            "state": state,
        },
        "bid_account": account_body(market.quote, bid),
        "ask_account": account_body(market.base, ask),
    }


def my_order(event: AccountEvent, market: Market) -> dict[str, Any]:
    """One ``myOrder`` event; what has no value is left out."""
    order, fill = event.order, event.fill
    money = _Money(order, market)
    body: dict[str, Any] = {
        "type": "myOrder",
        "code": order.code,
        "order_id": order_id(order.number),
        **_named(order),
        "side": "buy" if order.side is Side.BUY else "sell",
        "order_type": "limit",
        "state": _EVENTS.get(event.what) or state_of(order),
        **_tif(order),
        "order_price": _number(order.price),
        "order_quantity": _number(order.qty),
        "order_amount": _number(order.price * order.qty),
        "order_timestamp": order.ts_ms,
        "timestamp": event.ts_ms,
    }
    if fill is not None:
        body |= {
            "trade_id": trade_id(fill.trade_id),
            "trade_price": _number(fill.price),
            "trade_quantity": _number(fill.qty),
            "trade_amount": _number(fill.cost),
            "trade_timestamp": fill.ts_event,
        }
    return body | {
        "executed_quantity": _number(order.filled_qty),
        "remaining_quantity": _number(order.leaves_qty),
        "executed_amount": _number(order.cost),
        "paid_fee": _number(order.fee),
        "remaining_fee": _number(money.remaining_fee),
        "reserved_fee": _number(money.reserved_fee),
        "stream_type": "REALTIME",
    }


def my_asset(balances: dict[str, Balance], ts_ms: int) -> dict[str, Any]:
    """One ``myAsset`` event: the assets that changed, with amounts as strings."""
    return {
        "type": "myAsset",
        "assets": [
            {"currency": asset, "balance": plain(balance.free), "locked": plain(balance.locked)} for asset, balance in balances.items()
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
