"""The shapes of Bithumb's answers about orders and money.

Sources: apidocs.bithumb.com, reference: 주문-요청, 개별-주문-조회, 대기- and 종료-주문-목록-조회, 주문-취소-접수, 다건-주문-취소-접수,
주문-가능-정보, 전체-계좌-조회, 내-주문-및-체결-myorder (private v2), 내-자산-myasset. One order's id is ``uuid`` in ``/v1``, and
``order_id`` in ``/v2`` and in the stream; REST has amounts as strings, ``myOrder`` as numbers, and it leaves out what has no value. All
are written exactly from the ledger's decimals, so that no digit is lost.
"""

from typing import Any

from arbtui.model.market import Market
from arbtui.model.money import plain
from arbtui.model.order import Balance, OrderState, Side, TimeInForce
from arbtui.sandbox.account import AccountEvent, What
from arbtui.sandbox.bithumb.names import order_id, trade_id
from arbtui.sandbox.notices import PlayedNotice
from arbtui.sandbox.order_calls import sent_id
from arbtui.sandbox.order_log import OrderRecord
from arbtui.sandbox.won import bodies as won
from arbtui.sandbox.won.bodies import OrderMoney, kst, number, side_of

_STP = "cancel_taker"
_EVENTS = {What.NEW: "wait", What.TRADE: "trade", What.DONE: "done", What.CANCELED: "cancel"}


def state_of(order: OrderRecord) -> str:
    """An immediate order that filled in part is done; one that filled in nothing is cancelled."""
    if not order.state.is_final:
        return "wait"
    return "done" if order.state is OrderState.FILLED or (order.state is OrderState.EXPIRED and order.fills) else "cancel"


def _named(order: OrderRecord) -> dict[str, Any]:
    return {"client_order_id": named} if (named := sent_id(order.client_order_id)) else {}


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
    money = OrderMoney(order, market)
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
    return won.account_body(asset, balance, modified=False)


def chance_body(market: Market, bid: Balance, ask: Balance, is_halted: bool) -> dict[str, Any]:
    """``GET /v1/orders/chance``: fees, minimum and free balances."""
    types = {"order_types": ["limit"], "bid_types": ["limit", "price"], "ask_types": ["limit", "market"]}
    accounts = {"bid_account": account_body(market.quote, bid), "ask_account": account_body(market.base, ask)}
    return won.chance_body(market, accounts, "suspended" if is_halted else "active", types, {"price_unit": "1"}, "5000000000")


def my_order(event: AccountEvent, market: Market) -> dict[str, Any]:
    """One ``myOrder`` event; what has no value is left out."""
    order, fill = event.order, event.fill
    money = OrderMoney(order, market)
    body: dict[str, Any] = {
        "type": "myOrder",
        "code": order.code,
        "order_id": order_id(order.number),
        **_named(order),
        "side": "buy" if order.side is Side.BUY else "sell",
        "order_type": "limit",
        "state": _EVENTS.get(event.what) or state_of(order),
        **_tif(order),
        "order_price": number(order.price),
        "order_quantity": number(order.qty),
        "order_amount": number(order.price * order.qty),
        "order_timestamp": order.ts_ms,
        "timestamp": event.ts_ms,
    }
    if fill is not None:
        body |= {
            "trade_id": trade_id(fill.trade_id),
            "trade_price": number(fill.price),
            "trade_quantity": number(fill.qty),
            "trade_amount": number(fill.cost),
            "trade_timestamp": fill.ts_event,
        }
    return body | {
        "executed_quantity": number(order.filled_qty),
        "remaining_quantity": number(order.leaves_qty),
        "executed_amount": number(order.cost),
        "paid_fee": number(order.fee),
        "remaining_fee": number(money.remaining_fee),
        "reserved_fee": number(money.reserved_fee),
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


def notice_row(notice: PlayedNotice, first_ms: int) -> dict[str, Any]:
    """A row of ``GET /v1/notices`` (공지사항 조회): no body, and Korean times without a zone."""
    published = kst(first_ms)[:19].replace("T", " ")
    return {
        "categories": [notice.category or "안내"],
        "title": notice.title,
        "pc_url": f"https://feed.bithumb.com/notice/{notice.id}",
        "published_at": published,
        "modified_at": published,
    }
