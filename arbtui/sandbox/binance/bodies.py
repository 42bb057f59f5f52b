"""The shapes of Binance's answers and events about orders and money (Spot API: trading and account endpoints, user data stream)."""

from decimal import Decimal
from typing import Any

from arbtui.model.market import Market
from arbtui.model.money import ZERO
from arbtui.model.order import Balance, Fill, OrderState, Side
from arbtui.sandbox.account import AccountEvent, What
from arbtui.sandbox.order_log import OrderRecord
from arbtui.sandbox.trade_numbers import TradeNumbers

_STATES = {
    OrderState.ACCEPTED: "NEW",
    OrderState.PARTIALLY_FILLED: "PARTIALLY_FILLED",
    OrderState.FILLED: "FILLED",
    OrderState.EXPIRED: "EXPIRED",
    OrderState.CANCELED: "CANCELED",
}
_ZERO = "0.00000000"


def eight(value: Decimal) -> str:
    """An amount with the eight decimals that Binance writes; an amount with more is an error."""
    text = f"{value:.8f}"
    if Decimal(text) != value:
        raise ArithmeticError(f"{value} has more than eight decimals; Binance could not represent it")
    return text


def order_body(order: OrderRecord, order_type: str) -> dict[str, Any]:
    """An order as ``GET /api/v3/order`` and the lists have it."""
    return {
        "symbol": order.code,
        "orderId": order.number,
        "orderListId": -1,
        "clientOrderId": order.client_order_id,
        "price": _ZERO if order_type == "MARKET" else eight(order.price),
        "origQty": eight(order.qty),
        "executedQty": eight(order.filled_qty),
        "cummulativeQuoteQty": eight(order.cost),
        "status": _STATES[order.state],
        "timeInForce": order.tif.value.upper(),
        "type": order_type,
        "side": order.side.value.upper(),
        "stopPrice": _ZERO,
        "icebergQty": _ZERO,
        "time": order.ts_ms,
        "updateTime": order.updated_ms,
        "isWorking": True,
        "workingTime": order.ts_ms,
        "origQuoteOrderQty": _ZERO,
        "selfTradePreventionMode": "NONE",
    }


def placed_body(order: OrderRecord, order_type: str, kind: str, numbers: TradeNumbers) -> dict[str, Any]:
    """The answer to a new order, as short or full as ``newOrderRespType`` asks."""
    body: dict[str, Any] = {
        "symbol": order.code,
        "orderId": order.number,
        "orderListId": -1,
        "clientOrderId": order.client_order_id,
        "transactTime": order.updated_ms,
    }
    if kind == "ACK":
        return body
    whole = order_body(order, order_type)
    for name in ("price", "origQty", "executedQty", "origQuoteOrderQty", "cummulativeQuoteQty", "status", "timeInForce", "type", "side"):
        body[name] = whole[name]
    body["workingTime"] = order.ts_ms
    if kind == "FULL":
        body["fills"] = [
            {
                "price": eight(fill.price),
                "qty": eight(fill.qty),
                "commission": eight(fill.fee),
                "commissionAsset": fill.fee_currency,
                "tradeId": numbers.of(fill),
            }
            for fill in order.fills
        ]
    body["selfTradePreventionMode"] = "NONE"
    return body


def canceled_body(order: OrderRecord, order_type: str, cancel_id: str, ts_ms: int) -> dict[str, Any]:
    """The answer to a cancel: ``clientOrderId`` is the cancel's own id, the order's is ``origClientOrderId``."""
    whole = order_body(order, order_type)
    body = {"symbol": order.code, "origClientOrderId": order.client_order_id, "orderId": order.number, "orderListId": -1}
    body |= {"clientOrderId": cancel_id, "transactTime": ts_ms}
    for name in ("price", "origQty", "executedQty", "origQuoteOrderQty", "cummulativeQuoteQty", "status", "timeInForce", "type", "side"):
        body[name] = whole[name]
    body["selfTradePreventionMode"] = "NONE"
    return body


def my_trade(fill: Fill, numbers: TradeNumbers) -> dict[str, Any]:
    """One row of ``GET /api/v3/myTrades``."""
    return {
        "symbol": fill.market,
        "id": numbers.of(fill),
        "orderId": int(fill.venue_order_id),
        "orderListId": -1,
        "price": eight(fill.price),
        "qty": eight(fill.qty),
        "quoteQty": eight(fill.cost),
        "commission": eight(fill.fee),
        "commissionAsset": fill.fee_currency,
        "time": fill.ts_event,
        "isBuyer": fill.side is Side.BUY,
        "isMaker": fill.liquidity == "maker",
        "isBestMatch": True,
    }


def account_body(balances: dict[str, Balance], market: Market, ts_ms: int, *, omit_zero: bool) -> dict[str, Any]:
    """``GET /api/v3/account``. ``market`` gives the account's rates."""
    rates = {"maker": eight(market.fees.maker), "taker": eight(market.fees.taker), "buyer": _ZERO, "seller": _ZERO}
    return {
        "makerCommission": int(market.fees.maker * 10_000),
        "takerCommission": int(market.fees.taker * 10_000),
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": rates,
        "canTrade": True,
        "canWithdraw": False,
        "canDeposit": True,
        "brokered": False,
        "requireSelfTradePrevention": False,
        "preventSor": False,
        "updateTime": ts_ms,
        "accountType": "SPOT",
        "balances": [
            {"asset": asset, "free": eight(balance.free), "locked": eight(balance.locked)}
            for asset, balance in balances.items()
            if balance.total or not omit_zero
        ],
        "permissions": ["SPOT"],
        "uid": 100_000_001,
    }


def execution_report(event: AccountEvent, order_type: str, numbers: TradeNumbers, number: int, cancel_id: str) -> dict[str, Any]:
    """One ``executionReport``. Of a cancel, ``c`` is the cancel's own id and ``C`` the order's."""
    order, fill, canceled = event.order, event.fill, event.what is What.CANCELED
    report: dict[str, Any] = {
        "e": "executionReport",
        "E": event.ts_ms,
        "s": order.code,
        "c": cancel_id if canceled else order.client_order_id,
        "S": order.side.value.upper(),
        "o": order_type,
        "f": order.tif.value.upper(),
        "q": eight(order.qty),
        "p": _ZERO if order_type == "MARKET" else eight(order.price),
        "P": _ZERO,
        "F": _ZERO,
        "g": -1,
        "C": order.client_order_id if canceled else "",
        "x": "TRADE" if fill else event.what.value.upper(),
        "X": _STATES[order.state],
        "r": "NONE",
        "i": order.number,
        "l": eight(fill.qty if fill else ZERO),
        "z": eight(order.filled_qty),
        "L": eight(fill.price if fill else ZERO),
        "n": eight(fill.fee) if fill else "0",
        "N": fill.fee_currency if fill else None,
        "T": event.ts_ms,
        "t": numbers.of(fill) if fill else -1,
        "I": number,
        "w": not order.state.is_final,
        "m": fill is not None and fill.liquidity == "maker",
        "M": fill is not None,
        "O": order.ts_ms,
        "Z": eight(order.cost),
        "Y": eight(fill.cost if fill else ZERO),
        "Q": _ZERO,
        "W": order.ts_ms,
        "V": "NONE",
    }
    return report


def account_position(balances: dict[str, Balance], ts_ms: int) -> dict[str, Any]:
    """``outboundAccountPosition``: the assets that an order may have changed."""
    return {
        "e": "outboundAccountPosition",
        "E": ts_ms,
        "u": ts_ms,
        "B": [{"a": asset, "f": eight(balance.free), "l": eight(balance.locked)} for asset, balance in balances.items()],
    }


def balance_update(asset: str, change: Decimal, ts_ms: int) -> dict[str, Any]:
    """``balanceUpdate``: a deposit, a withdrawal or a transfer."""
    return {"e": "balanceUpdate", "E": ts_ms, "a": asset, "d": eight(change), "T": ts_ms}
