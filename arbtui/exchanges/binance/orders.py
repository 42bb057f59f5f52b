"""Binance's orders, fills and balances, decoded exactly (developers.binance.com: Spot, REST API and User Data Stream)."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from arbtui.exchanges.adapter import OrderReport
from arbtui.exchanges.amounts import amount, fee_rate, read, reader, side_of
from arbtui.exchanges.binance.errors import error_of
from arbtui.exchanges.fill_fee import fee_of
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
    """A row of ``myTrades``. It refers to its order by the venue's id only."""

    symbol: str
    id: int
    orderId: int
    price: Decimal
    qty: Decimal
    time: int
    isBuyer: bool
    isMaker: bool | None = None
    commission: Decimal | None = None
    commissionAsset: str | None = None


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
    uid: int | str | None = None


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

    def of(self, rate: Decimal) -> Decimal:
        """``rate`` with what buying or selling costs on top, whichever is more; raises WireError for what is no rate."""
        return fee_rate(rate, "commission") + max(fee_rate(self.buyer, "commission"), fee_rate(self.seller, "commission"))


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
        """The taker rate, the greater of buying and selling; raises WireError where a part of it is no rate."""
        return sum((part.of(part.taker) for part in self._parts), Decimal(0))

    @property
    def maker(self) -> Decimal:
        """The maker rate, the greater of buying and selling; raises WireError where a part of it is no rate."""
        return sum((part.of(part.maker) for part in self._parts), Decimal(0))

    @property
    def _parts(self) -> tuple[_SideRates, ...]:
        return self.standardCommission, self.specialCommission, self.taxCommission

    @property
    def is_paid_in_bnb(self) -> bool:
        """True when the account pays its fees in BNB as long as it has some."""
        return self.discount.enabledForAccount and self.discount.enabledForSymbol


def state_of(status: str) -> OrderState:
    """Our order state for Binance's order status.

    Raises:
        WireError: a status that is not in the documentation.
    """
    try:
        return _STATES[status]
    except KeyError:
        raise WireError("status", f"{status!r} is not an order status") from None


def report_of(row: OrderRow, fills: tuple[Fill, ...] = ()) -> OrderReport:
    """The report of an order from ``row`` and its separately fetched ``fills``."""
    filled = amount(row.executedQty, "executedQty")
    return OrderReport(EXCHANGE, row.clientOrderId, str(row.orderId), state_of(row.status), filled, fills)


def report_of_answer(answer: Any, market: Market, now_ms: int) -> OrderReport:
    """What the answer to a new order says; its fills have no time of their own but the order's, else ``now_ms``.

    Raises:
        WireError: it is not such an answer; the order may have been accepted all the same.
    """
    row = read(answer, OrderRow, "order")
    side = side_of(row.side, "BUY", "SELL")
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
            is_maker=False,  # an order's own answer reports what it took on arrival
            ts_ms=row.transactTime or now_ms,
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
    """One fill. Binance numbers trades per symbol only, so our trade id holds the symbol too.

    Raises:
        WireError: an amount or id that makes no sense.
    """
    if trade_id < 0 or (fee is not None and not fee.is_finite()):
        raise WireError("fill", f"trade {trade_id}, fee {fee} {fee_currency}")
    fee, fee_currency = fee_of(market, side, amount(qty, "qty"), amount(price, "price"), fee, fee_currency)
    return Fill(
        exchange=EXCHANGE,
        trade_id=f"{market.code}:{trade_id}",
        client_order_id=client_order_id,
        venue_order_id=str(order_id),
        market=market.code,
        base=market.base,
        quote=market.quote,
        side=side,
        qty=qty,
        price=price,
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


class _Envelope(msgspec.Struct):
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


_envelope = reader(_Envelope, "frame")
_kind = reader(_Kind, "event")
_execution = reader(_Execution, "executionReport")
_position = reader(_Position, "outboundAccountPosition")


def event_of(frame: bytes) -> tuple[str, bytes]:
    """A frame's kind of event and its JSON; ``answer`` with the frame itself for the answer to a request.

    Raises:
        StreamRefused: the answer is an error.
        WireError: it is neither.
    """
    envelope = _envelope(frame)
    event = bytes(envelope.event)
    if not event:
        if envelope.id is None and not envelope.status and not envelope.error:
            raise WireError("frame", "neither an event nor an answer")
        if envelope.status != 200 or envelope.error:
            code, message, retry_at_ms = error_of(envelope.error or {})
            raise StreamRefused(code or str(envelope.status), message, envelope.status or None, retry_at_ms)
        return "answer", frame
    return _kind(event).kind, event


def report_of_event(event: bytes, markets: Mapping[str, Market]) -> OrderReport:
    """The report of an ``executionReport``; without fills in a market that is not connected here.

    A cancel has a client id of its own in ``c``; the order's is in ``C`` then (User Data Stream, Order Update).
    """
    execution = _execution(event)
    market = markets.get(execution.symbol)
    client_order_id = execution.cancelled_id or execution.client_order_id
    fills: tuple[Fill, ...] = ()
    if execution.what == "TRADE" and market is not None:
        fills = (
            fill_of(
                market,
                trade_id=execution.trade_id,
                client_order_id=client_order_id,
                order_id=execution.order_id,
                side=side_of(execution.side, "BUY", "SELL"),
                qty=execution.qty,
                price=execution.price,
                fee=execution.fee,
                fee_currency=execution.fee_currency,
                is_maker=execution.is_maker,
                ts_ms=execution.ts_ms,
            ),
        )
    reason = "" if execution.reject_reason in (None, "NONE") else execution.reject_reason
    state, filled = state_of(execution.status), amount(execution.filled, "filled")
    return OrderReport(EXCHANGE, client_order_id, str(execution.order_id), state, filled, fills, reason)


def balances_of_event(event: bytes) -> dict[str, Balance]:
    """The balances of an ``outboundAccountPosition``: assets that may have changed."""
    return {row.asset: Balance(amount(row.free, row.asset), amount(row.locked, row.asset)) for row in _position(event).changed}
