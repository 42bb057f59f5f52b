"""The shapes of Bybit's answers and events about orders and money (v5, Trade, Account, and the private WebSocket stream)."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from arbtui.exchanges.networks import NetworkTerms
from arbtui.model.money import ZERO, plain
from arbtui.model.order import Balance, Fill, OrderState, Side, TimeInForce
from arbtui.sandbox.bybit.names import execution_id, order_id
from arbtui.sandbox.order_calls import sent_id
from arbtui.sandbox.order_log import OrderRecord


def status_of(order: OrderRecord) -> str:
    """``orderStatus``. A spot order that ends with fills and a rest has a name of its own."""
    if order.state in (OrderState.EXPIRED, OrderState.CANCELED):
        return "PartiallyFilledCanceled" if order.filled_qty else "Cancelled"
    return {OrderState.FILLED: "Filled", OrderState.PARTIALLY_FILLED: "PartiallyFilled"}.get(order.state, "New")


def _reason(order: OrderRecord) -> str:
    if order.state is OrderState.EXPIRED and not order.filled_qty:
        return "EC_CancelForNoFullFill" if order.tif is TimeInForce.FOK else "EC_NoImmediateQtyToFill"
    return "EC_PerCancelRequest" if order.state is OrderState.CANCELED else "EC_NoError"


def order_row(order: OrderRecord) -> dict[str, Any]:
    """An order, as the lists have it."""
    leaves = ZERO if order.state.is_final else order.leaves_qty
    average = order.cost / order.filled_qty if order.filled_qty else ZERO
    fees: dict[str, Decimal] = {}
    for fill in order.fills:
        fees[fill.fee_currency] = fees.get(fill.fee_currency, ZERO) + fill.fee
    return {
        "orderId": order_id(order.number),
        "orderLinkId": sent_id(order.client_order_id),
        "blockTradeId": "",
        "symbol": order.code,
        "price": plain(order.price),
        "qty": plain(order.qty),
        "side": side_of(order.side),
        "isLeverage": "0",
        "positionIdx": 0,
        "orderStatus": status_of(order),
        "cancelType": "CancelByUser" if order.state is OrderState.CANCELED else "UNKNOWN",
        "rejectReason": _reason(order),
        "avgPrice": plain(round(average, 8)) if average else "",
        "leavesQty": plain(leaves),
        "leavesValue": plain(leaves * order.price),
        "cumExecQty": plain(order.filled_qty),
        "cumExecValue": plain(order.cost),
        "cumExecFee": plain(order.fee),
        "timeInForce": order.tif.value.upper(),
        "orderType": "Limit",
        "stopOrderType": "",
        "orderIv": "",
        "triggerPrice": "0",
        "takeProfit": "0",
        "stopLoss": "0",
        "tpTriggerBy": "",
        "slTriggerBy": "",
        "triggerDirection": 0,
        "triggerBy": "",
        "lastPriceOnCreated": "",
        "reduceOnly": False,
        "closeOnTrigger": False,
        "smpType": "None",
        "smpGroup": 0,
        "smpOrderId": "",
        "tpslMode": "",
        "tpLimitPrice": "",
        "slLimitPrice": "",
        "placeType": "",
        "createdTime": str(order.ts_ms),
        "updatedTime": str(order.updated_ms),
        "cumFeeDetail": {currency: plain(fee) for currency, fee in fees.items()},
    }


def execution_row(fill: Fill, order: OrderRecord, number: int) -> dict[str, Any]:
    """A fill, its symbol's ``number``, as ``execution/list`` has it; ``order`` is its order at that time, or later."""
    done = ZERO
    for one in order.fills:
        done += one.qty
        if one.trade_id == fill.trade_id:
            break
    return {
        "symbol": fill.market,
        "orderType": "Limit",
        "underlyingPrice": "",
        "orderLinkId": sent_id(order.client_order_id),
        "side": side_of(fill.side),
        "indexPrice": "",
        "orderId": order_id(order.number),
        "stopOrderType": "UNKNOWN",
        "leavesQty": plain(order.qty - done),
        "execTime": str(fill.ts_event),
        "feeCurrency": fill.fee_currency,
        "isMaker": fill.liquidity == "maker",
        "execFee": plain(fill.fee),
        "feeRate": "",
        "execId": execution_id(number),
        "tradeIv": "",
        "blockTradeId": "",
        "markPrice": "",
        "execPrice": plain(fill.price),
        "markIv": "",
        "orderQty": plain(order.qty),
        "orderPrice": plain(order.price),
        "execValue": plain(fill.cost),
        "execType": "Trade",
        "execQty": plain(fill.qty),
        "closedSize": "",
        "seq": int(fill.trade_id),
    }


def side_of(side: Side) -> str:
    """``Buy`` or ``Sell``."""
    return "Buy" if side is Side.BUY else "Sell"


def wallet(balances: Mapping[str, Balance]) -> dict[str, Any]:
    """The account with those assets. What they are worth in USD is not known here."""
    totals = (
        "totalEquity", "accountIMRate", "totalMarginBalance", "totalInitialMargin", "totalAvailableBalance", "accountMMRate",
        "totalPerpUPL", "totalWalletBalance", "accountLTV", "totalMaintenanceMargin",
    )  # fmt: skip
    return {
        **dict.fromkeys(totals, "0"),
        "accountType": "UNIFIED",
        "coin": [
            {
                "availableToBorrow": "",
                "bonus": "0",
                "accruedInterest": "0",
                "availableToWithdraw": "",
                "totalOrderIM": "0",
                "equity": plain(balance.total),
                "totalPositionMM": "0",
                "usdValue": "0",
                "spotHedgingQty": "0",
                "unrealisedPnl": "0",
                "collateralSwitch": False,
                "borrowAmount": "0",
                "totalPositionIM": "0",
                "walletBalance": plain(balance.total),
                "cumRealisedPnl": "0",
                "locked": plain(balance.locked),
                "marginCollateral": True,
                "coin": asset,
                "spotBorrow": "0",
            }
            for asset, balance in balances.items()
        ],
    }


def event(topic: str, number: int, now_ms: int, *rows: Mapping[str, Any]) -> dict[str, Any]:
    """A message of the private stream."""
    return {"id": f"592324{number:014x}", "topic": topic, "creationTime": now_ms, "data": list(rows)}


def coin_body(terms: NetworkTerms) -> dict[str, Any]:
    """An asset with its one network."""
    chain = {
        "chainType": terms.network,
        "confirmation": "1",
        "withdrawFee": plain(terms.fee or ZERO),
        "depositMin": "0",
        "withdrawMin": plain(terms.least or ZERO),
        "chain": terms.network,
        "chainDeposit": "1" if terms.deposits else "0",
        "chainWithdraw": "1" if terms.withdrawals else "0",
        "minAccuracy": "8",
        "withdrawPercentageFee": "0",
        "contractAddress": "",
        "safeConfirmNumber": "1",
    }
    return {"name": terms.asset, "coin": terms.asset, "remainAmount": "0", "chains": [chain]}
