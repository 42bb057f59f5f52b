"""Binance's words for orders, fills and balances, read exactly (developers.binance.com: Spot, REST API and User Data Stream)."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from arbtui.exchanges.adapter import OrderReport
from arbtui.exchanges.amounts import amount, read, reader, usual_fee
from arbtui.exchanges.ccxt_client import told_error
from arbtui.exchanges.private_stream import StreamRefused
from arbtui.model.errors import WireError
from arbtui.model.market import Market
from arbtui.model.order import Balance, Fill, OrderState, Side

EXCHANGE = "binance"

_STATES = {
    "NEW": OrderState.ACCEPTED,
    "PENDING_NEW": OrderState.ACCEPTED,
    "PENDING_CANCEL": OrderState.ACCEPTED,
    "PARTIALLY_FILLED": OrderState.PARTIALLY_FILLED,
    "FILLED": OrderState.FILLED,
    "CANCELED": OrderState.CANCELED,
    "REJECTED": OrderState.REJECTED,
    "EXPIRED": OrderState.EXPIRED,
    "EXPIRED_IN_MATCH": OrderState.EXPIRED,  # self-trade prevention
}


class _OrderFill(msgspec.Struct):
    """A fill inside the answer to an order (``newOrderRespType=FULL``)."""

    tradeId: int
    price: Decimal
    qty: Decimal
    commission: Decimal | None = None
    commissionAsset: str | None = None


class OrderRow(msgspec.Struct):
    """An order, as every REST answer has it."""

    symbol: str
    orderId: int
    clientOrderId: str
    status: str
    executedQty: Decimal
    side: str
    transactTime: int | None = None
    fills: list[_OrderFill] | None = None


class TradeRow(msgspec.Struct):
    """A row of ``myTrades``. It names its order by the venue's id only."""

    symbol: str
    id: int
    orderId: int
    price: Decimal
    qty: Decimal
    time: int
    isBuyer: bool
    commission: Decimal | None = None
    commissionAsset: str | None = None
    isMaker: bool | None = None


class _BalanceRow(msgspec.Struct):
    asset: str
    free: Decimal
    locked: Decimal


class _CommissionRates(msgspec.Struct):
    maker: Decimal
    taker: Decimal


class Account(msgspec.Struct):
    """``GET /api/v3/account``."""

    canTrade: bool
    balances: list[_BalanceRow]
    commissionRates: _CommissionRates


class KeyRestrictions(msgspec.Struct):
    """``GET /sapi/v1/account/apiRestrictions``: what a key may do."""

    enableWithdrawals: bool
    enableSpotAndMarginTrading: bool
    enableInternalTransfer: bool = False
    ipRestrict: bool = False


class _SideRates(msgspec.Struct, frozen=True):
    maker: Decimal = Decimal(0)
    taker: Decimal = Decimal(0)
    buyer: Decimal = Decimal(0)
    seller: Decimal = Decimal(0)


class _Discount(msgspec.Struct, frozen=True):
    enabledForAccount: bool = False
    enabledForSymbol: bool = False


class Commission(msgspec.Struct):
    """``GET /api/v3/account/commission``: rates of one symbol; a fee is the sum of its parts."""

    symbol: str
    standardCommission: _SideRates
    specialCommission: _SideRates = _SideRates()
    taxCommission: _SideRates = _SideRates()
    discount: _Discount = _Discount()

    @property
    def taker(self) -> Decimal:
        """What a taker pays at most, buying or selling."""
        parts = (self.standardCommission, self.specialCommission, self.taxCommission)
        return sum((part.taker + max(part.buyer, part.seller) for part in parts), Decimal(0))

    @property
    def maker(self) -> Decimal:
        """What a maker pays at most, buying or selling."""
        parts = (self.standardCommission, self.specialCommission, self.taxCommission)
        return sum((part.maker + max(part.buyer, part.seller) for part in parts), Decimal(0))

    @property
    def is_paid_in_bnb(self) -> bool:
        """True when the account pays its fees in BNB as long as it has some."""
        return self.discount.enabledForAccount and self.discount.enabledForSymbol


def state_of(status: str) -> OrderState:
    """Our word for Binance's order status.

    Raises:
        WireError: a status that the documentation does not have.
    """
    try:
        return _STATES[status]
    except KeyError:
        raise WireError("status", f"{status!r} is no order status") from None


def side_of(side: str) -> Side:
    """Our word for BUY and SELL."""
    if side not in ("BUY", "SELL"):
        raise WireError("side", f"{side!r} is neither BUY nor SELL")
    return Side.BUY if side == "BUY" else Side.SELL


def report_of(row: OrderRow, fills: tuple[Fill, ...] = ()) -> OrderReport:
    """What ``row`` and separately fetched ``fills`` say of an order."""
    filled = amount(row.executedQty, "executedQty")
    return OrderReport(EXCHANGE, row.clientOrderId, str(row.orderId), state_of(row.status), filled, fills)


def report_of_answer(answer: Any, market: Market) -> OrderReport:
    """What the answer to a new order says; its fills have no time of their own but the order's.

    Raises:
        WireError: it is no such answer; the order may stand all the same.
    """
    row = read(answer, OrderRow, "order")
    side = side_of(row.side)
    fills = tuple(
        fill_of(
            market,
            trade_id=fill.tradeId,
            client_order_id=row.clientOrderId,
            order_id=row.orderId,
            side=side,
            qty=fill.qty,
            price=fill.price,
            fee=fill.commission,
            fee_currency=fill.commissionAsset,
            is_maker=False,  # an order's own answer tells what it took on arrival
            ts_ms=row.transactTime or 0,
        )
        for fill in row.fills or ()
    )
    return report_of(row, fills)


def fill_of(
    market: Market,
    *,
    trade_id: int,
    client_order_id: str,
    order_id: int,
    side: Side,
    qty: Decimal,
    price: Decimal,
    fee: Decimal | None,
    fee_currency: str | None,
    is_maker: bool | None,
    ts_ms: int,
) -> Fill:
    """One fill. Binance numbers trades per symbol only, so our trade id holds the symbol too."""
    if trade_id < 0 or (fee is not None and not fee.is_finite()):
        raise WireError("fill", f"trade {trade_id}, fee {fee} {fee_currency}")
    if fee is None or not fee_currency:
        fee, fee_currency = usual_fee(market, side, amount(qty, "qty"), amount(price, "price") * qty)
    return Fill(
        exchange=EXCHANGE,
        trade_id=f"{market.code}:{trade_id}",
        client_order_id=client_order_id,
        venue_order_id=str(order_id),
        market=market.code,
        base=market.base,
        quote=market.quote,
        side=side,
        qty=amount(qty, "qty"),
        price=amount(price, "price"),
        cost=price * qty,
        fee=fee,  # negative where a maker is paid
        fee_currency=fee_currency,
        liquidity="maker" if is_maker else "taker",
        ts_event=ts_ms,
    )


def fill_of_trade(row: TradeRow, market: Market, client_order_id: str) -> Fill:
    """A row of ``myTrades`` as a fill."""
    return fill_of(
        market,
        trade_id=row.id,
        client_order_id=client_order_id,
        order_id=row.orderId,
        side=Side.BUY if row.isBuyer else Side.SELL,
        qty=row.qty,
        price=row.price,
        fee=row.commission,
        fee_currency=row.commissionAsset,
        is_maker=row.isMaker,
        ts_ms=row.time,
    )


def balances_of(account: Account) -> dict[str, Balance]:
    """Balances by asset."""
    return {row.asset: Balance(amount(row.free, row.asset), amount(row.locked, row.asset)) for row in account.balances}


class _Told(msgspec.Struct):
    """A frame of the ws-api: an event in its envelope, or the answer to a request."""

    event: msgspec.Raw = msgspec.Raw()
    id: str | int | None = None
    status: int = 0
    error: dict[str, Any] | None = None


class _Kind(msgspec.Struct):
    kind: str = msgspec.field(name="e")


class _Execution(msgspec.Struct):
    symbol: str = msgspec.field(name="s")
    client_order_id: str = msgspec.field(name="c")
    side: str = msgspec.field(name="S")
    what: str = msgspec.field(name="x")
    status: str = msgspec.field(name="X")
    order_id: int = msgspec.field(name="i")
    filled: Decimal = msgspec.field(name="z")
    qty: Decimal = msgspec.field(name="l")
    price: Decimal = msgspec.field(name="L")
    trade_id: int = msgspec.field(name="t")
    ts_ms: int = msgspec.field(name="T")
    cancelled_id: str | None = msgspec.field(name="C", default=None)
    is_maker: bool | None = msgspec.field(name="m", default=None)
    fee: Decimal | None = msgspec.field(name="n", default=None)
    fee_currency: str | None = msgspec.field(name="N", default=None)
    reject_reason: str | None = msgspec.field(name="r", default=None)


class _Position(msgspec.Struct):
    class Asset(msgspec.Struct):
        asset: str = msgspec.field(name="a")
        free: Decimal = msgspec.field(name="f")
        locked: Decimal = msgspec.field(name="l")

    changed: list[Asset] = msgspec.field(name="B")


_told = reader(_Told, "frame")
_kind = reader(_Kind, "event")
_execution = reader(_Execution, "executionReport")
_position = reader(_Position, "outboundAccountPosition")


def event_of(frame: bytes) -> tuple[str, bytes]:
    """A frame's kind of event and its JSON; ``answer`` with the frame itself for the answer to a request.

    Raises:
        StreamRefused: the answer is an error.
        WireError: it is neither.
    """
    told = _told(frame)
    event = bytes(told.event)
    if not event:
        if told.id is None and not told.status and not told.error:
            raise WireError("frame", "neither an event nor an answer")
        if told.status != 200 or told.error:
            code, message, retry_at_ms = told_error(told.error or {})
            raise StreamRefused(code or str(told.status), message, told.status or None, retry_at_ms)
        return "answer", frame
    return _kind(event).kind, event


def report_of_event(event: bytes, markets: Mapping[str, Market]) -> OrderReport | None:
    """What an ``executionReport`` tells; None for a market that is not ours.

    A cancel has a client id of its own in ``c``; the order's is in ``C`` then (User Data Stream, Order Update).
    """
    told = _execution(event)
    market = markets.get(told.symbol)
    if market is None:
        return None
    client_order_id = told.cancelled_id or told.client_order_id
    fills: tuple[Fill, ...] = ()
    if told.what == "TRADE":
        fills = (
            fill_of(
                market,
                trade_id=told.trade_id,
                client_order_id=client_order_id,
                order_id=told.order_id,
                side=side_of(told.side),
                qty=told.qty,
                price=told.price,
                fee=told.fee,
                fee_currency=told.fee_currency,
                is_maker=told.is_maker,
                ts_ms=told.ts_ms,
            ),
        )
    reason = "" if told.reject_reason in (None, "NONE") else told.reject_reason
    return OrderReport(EXCHANGE, client_order_id, str(told.order_id), state_of(told.status), amount(told.filled, "filled"), fills, reason)


def balances_of_event(event: bytes) -> dict[str, Balance]:
    """What an ``outboundAccountPosition`` tells: the assets that may have changed."""
    return {row.asset: Balance(amount(row.free, row.asset), amount(row.locked, row.asset)) for row in _position(event).changed}
