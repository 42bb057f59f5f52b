"""The shapes of OKX's answers and pushes about orders, fills and money (okx.com/docs-v5, as of 2026-07). Every amount is a string."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from arbtui.exchanges.networks import NetworkTerms
from arbtui.model.market import Market
from arbtui.model.money import ZERO, plain
from arbtui.model.order import Balance, Fill, OrderState, Side, TimeInForce
from arbtui.sandbox.account import AccountEvent
from arbtui.sandbox.okx.names import bill_id, order_id
from arbtui.sandbox.order_calls import sent_id
from arbtui.sandbox.order_log import OrderRecord

UID = "100000001"

_STATES = {
    OrderState.ACCEPTED: "live",
    OrderState.PARTIALLY_FILLED: "partially_filled",
    OrderState.FILLED: "filled",
    OrderState.CANCELED: "canceled",
    OrderState.EXPIRED: "canceled",
}
_TYPES = {TimeInForce.GTC: "limit", TimeInForce.IOC: "ioc", TimeInForce.FOK: "fok"}
#: Fields of an order, in answers and pushes, that an ordinary spot order leaves empty.
_UNUSED = (
    "algoClOrdId", "algoId", "attachAlgoClOrdId", "cancelSource", "ccy", "lever", "pxType", "pxUsd", "pxVol", "quickMgnType", "slOrdPx",
    "slTriggerPx", "slTriggerPxType", "source", "stpId", "stpMode", "tag", "tgtCcy", "tpOrdPx", "tpTriggerPx", "tpTriggerPxType",
)  # fmt: skip
_PUSH_UNUSED = (
    "amendResult", "amendSource", "fillPxVol", "fillPxUsd", "fillMarkVol", "fillFwdPx", "fillMarkPx", "fillIdxPx", "msg", "reqId",
)  # fmt: skip


def operation(order: OrderRecord, ts_ms: int) -> dict[str, str]:
    """The row of an order that was placed."""
    return {
        "clOrdId": sent_id(order.client_order_id),
        "ordId": order_id(order.number),
        "tag": "",
        "ts": str(ts_ms),
        "sCode": "0",
        "sMsg": "",
    }


def cancellation(order: OrderRecord, ts_ms: int) -> dict[str, str]:
    """The row of an order whose cancel was taken."""
    row = operation(order, ts_ms)
    del row["tag"]
    return row


def order_row(order: OrderRecord, market: Market, trade_number: int | None) -> dict[str, Any]:
    """An order as ``trade/order`` has it; ``trade_number``: of its last fill."""
    last = order.fills[-1] if order.fills else None
    fee_currency = last.fee_currency if last is not None else market.base if order.side is Side.BUY else market.quote
    return {
        **dict.fromkeys(_UNUSED, ""),
        "accFillSz": plain(order.filled_qty),
        "attachAlgoOrds": [],
        "avgPx": _average(order) if last is not None else "",
        "cTime": str(order.ts_ms),
        "cancelSourceReason": "",
        "category": "normal",
        "clOrdId": sent_id(order.client_order_id),
        "fee": _charged(order.fee),
        "feeCcy": fee_currency,
        "fillPx": plain(last.price) if last is not None else "",
        "fillSz": plain(last.qty) if last is not None else "0",
        "fillTime": str(last.ts_event) if last is not None else "",
        "instId": order.code,
        "instType": "SPOT",
        "isTpLimit": "false",
        "linkedAlgoOrd": {"algoId": ""},
        "ordId": order_id(order.number),
        "ordType": _TYPES[order.tif],
        "pnl": "0",
        "posSide": "net",
        "px": plain(order.price),
        "rebate": "0",
        "rebateCcy": market.quote if order.side is Side.BUY else market.base,
        "reduceOnly": "false",
        "side": order.side.value,
        "state": _STATES[order.state],
        "sz": plain(order.qty),
        "tdMode": "cash",
        "tradeId": "" if trade_number is None else str(trade_number),
        "tradeQuoteCcy": market.quote,
        "uTime": str(order.updated_ms),
    }


def order_push(event: AccountEvent, market: Market, trade_number: int | None) -> dict[str, Any]:
    """A row of the channel ``orders``: an order after one change. What a fill was stands in the push of that fill only."""
    order, fill = event.order, event.fill
    row = order_row(order, market, trade_number if fill is not None else None)
    del row["cancelSourceReason"]
    usd = plain(round(order.qty * order.price, 8))
    return {
        **row,
        **dict.fromkeys(_PUSH_UNUSED, ""),
        "avgPx": _average(order) if order.fills else "0",
        "code": "0",
        "execType": "" if fill is None else _liquidity(fill),
        "fillFee": "0" if fill is None else _charged(fill.fee),
        "fillFeeCcy": "" if fill is None else fill.fee_currency,
        "fillNotionalUsd": "" if fill is None else plain(round(fill.cost, 8)),
        "fillPnl": "0",
        "fillPx": "" if fill is None else plain(fill.price),
        "fillSz": "0" if fill is None else plain(fill.qty),
        "fillTime": "" if fill is None else str(fill.ts_event),
        "lastPx": plain(order.price if fill is None else fill.price),
        "lever": "0",
        "notionalUsd": usd,
        "posSide": "",
        "uTime": str(event.ts_ms),
    }


def fill_row(fill: Fill, trade_number: int) -> dict[str, Any]:
    """A row of ``trade/fills`` and ``trade/fills-history``."""
    rate = fill.fee / (fill.qty if fill.fee_currency == fill.base else fill.cost)
    return {
        **dict.fromkeys(("fillPxVol", "fillFwdPx", "fillPxUsd", "fillMarkVol", "tag", "fillIdxPx", "fillMarkPx"), ""),
        "billId": bill_id(fill.trade_id),
        "clOrdId": sent_id(fill.client_order_id),
        "execType": _liquidity(fill),
        "fee": _charged(fill.fee),
        "feeCcy": fill.fee_currency,
        "feeRate": _charged(round(rate, 8)),
        "fillPnl": "0",
        "fillPx": plain(fill.price),
        "fillSz": plain(fill.qty),
        "fillTime": str(fill.ts_event),
        "instId": fill.market,
        "instType": "SPOT",
        "ordId": order_id(int(fill.venue_order_id)),
        "posSide": "net",
        "side": fill.side.value,
        "subType": "1" if fill.side is Side.BUY else "2",
        "tradeId": str(trade_number),
        "ts": str(fill.ts_event),
    }


#: Fields of one asset, and of the whole account, that Spot mode leaves at zero or empty.
_ZEROS = (
    "borrowFroz", "crossLiab", "colRes", "colBorrAutoConversion", "disEq", "smtSyncEq", "spotCopyTradingEq", "fixedBal", "frpType",
    "interest", "isoEq", "isoLiab", "isoUpl", "liab", "maxLoan", "rewardBal", "spotIsoBal", "stgyEq", "twap", "upl", "uplLiab",
)  # fmt: skip
_EMPTY = (
    "imr", "mgnRatio", "mmr", "notionalLever", "spotInUseAmt", "clSpotInUseAmt", "openAvgPx", "accAvgPx", "spotUpl", "spotUplRatio",
    "totalPnl", "totalPnlRatio",
)  # fmt: skip
_ACCOUNT_ZEROS = (
    "borrowFroz", "delta", "deltaLever", "deltaNeutralStatus", "imr", "isoEq", "mmr", "notionalUsd", "notionalUsdForBorrow",
    "notionalUsdForFutures", "notionalUsdForOption", "notionalUsdForSwap", "upl",
)  # fmt: skip


def balance_row(balances: Mapping[str, Balance], ts_ms: int) -> dict[str, Any]:
    """``account/balance``. Values in dollars are not played: they are 0."""
    own = {"autoLendStatus": "off", "autoLendMtAmt": "0", "maxSpotInUse": ""}
    return _account(balances, ts_ms, own)


def balance_push(balances: Mapping[str, Balance], ts_ms: int, *, whole: bool) -> dict[str, Any]:
    """A push of the channel ``account``: all of it (``whole``), or what an event may have changed."""
    head: dict[str, Any] = {"arg": {"channel": "account", "uid": UID}, "eventType": "snapshot" if whole else "event_update"}
    page = {"curPage": 1, "lastPage": True} if whole else {}
    return {**head, **page, "data": [_account(balances, ts_ms, {"coinUsdPrice": "0", "maxSpotInUseAmt": ""})]}


def _account(balances: Mapping[str, Balance], ts_ms: int, own: Mapping[str, str]) -> dict[str, Any]:
    return {
        **dict.fromkeys(_ACCOUNT_ZEROS, "0"),
        "adjEq": "",
        "availEq": "",
        "details": [{**_detail(asset, balance, ts_ms), **own} for asset, balance in balances.items()],
        "mgnRatio": "",
        "ordFroz": "",
        "totalEq": "0",
        "uTime": str(ts_ms),
    }


def _detail(asset: str, balance: Balance, ts_ms: int) -> dict[str, Any]:
    total = plain(balance.total)
    return {
        **dict.fromkeys(_ZEROS, "0"),
        **dict.fromkeys(_EMPTY, ""),
        "availBal": plain(balance.free),
        "availEq": plain(balance.free),
        "cashBal": total,
        "ccy": asset,
        "collateralEnabled": False,
        "collateralRestrict": False,
        "eq": total,
        "eqUsd": "0",
        "frozenBal": plain(balance.locked),
        "ordFrozen": plain(balance.locked),
        "spotBal": total,
        "uTime": str(ts_ms),
    }


def currency_row(terms: NetworkTerms) -> dict[str, Any]:
    """A row of ``asset/currencies``: an asset's one network."""
    fee, step = plain(terms.fee or ZERO), terms.step or Decimal(1)
    return {
        **dict.fromkeys(("burningFeeRate", "ctAddr", "depEstOpenTime", "depQuotaFixed", "depQuoteDailyLayer2", "logoLink"), ""),
        **dict.fromkeys(("maxFeeForCtAddr", "minFeeForCtAddr", "usedDepQuotaFixed", "wdEstOpenTime"), ""),
        "canDep": terms.deposits,
        "canInternal": True,
        "canWd": terms.withdrawals,
        "ccy": terms.asset,
        "chain": f"{terms.asset}-{terms.network}",
        "fee": fee,
        "mainNet": True,
        "maxFee": fee,
        "maxWd": "10000000",
        "minDep": plain(step),
        "minDepArrivalConfirm": "1",
        "minFee": fee,
        "minInternal": plain(step),
        "minWd": plain(terms.least or ZERO),
        "minWdUnlockConfirm": "1",
        "name": terms.asset,
        "needTag": False,
        "usedWdQuota": "0",
        "wdQuota": "10000000",
        "wdTickSz": str(max(0, -int(step.normalize().as_tuple().exponent))),
    }


def _average(order: OrderRecord) -> str:
    return plain(round(order.cost / order.filled_qty, 12).normalize())


def _charged(fee: Decimal) -> str:
    """A fee that is taken has a minus."""
    return plain(-fee) if fee else "0"


def _liquidity(fill: Fill) -> str:
    return "M" if fill.liquidity == "maker" else "T"
