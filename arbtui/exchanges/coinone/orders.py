"""Coinone's orders, fills and balances, decoded exactly.

Sources: docs.coinone.co.kr, reference: place-order, order-detail, find-active-orders, find-completed-orders, find-balance,
find-all-trade-fees, private-websocket-1-myorder and -myasset. Amounts are strings; times are ms from REST, and seconds in the stream. An
order's fills are in no answer about it: they are asked for by its market and time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

from arbtui.exchanges.adapter import OrderReport
from arbtui.exchanges.amounts import amount, charge, reader
from arbtui.exchanges.coinone.errors import error_of
from arbtui.exchanges.coinone.order_ids import OrderIds
from arbtui.exchanges.coinone.rules import EXCHANGE, code_of
from arbtui.exchanges.private_stream import StreamRefused
from arbtui.model.errors import WireError
from arbtui.model.market import Market
from arbtui.model.money import ZERO
from arbtui.model.order import Balance, Fill, OrderState, Side

_SECONDS_BELOW = 10**11  #: in ms this would be the year 1973
_SIDES = {"BUY": Side.BUY, "BID": Side.BUY, "SELL": Side.SELL, "ASK": Side.SELL}
_OPEN = frozenset({"LIVE", "PARTIALLY_FILLED", "NOT_TRIGGERED", "NOT_TRIGGERED_PARTIALLY_CANCELED", "TRIGGERED"})
_ENDED = frozenset(
    {"CANCELED", "NOT_TRIGGERED_CANCELED", "CANCELED_NO_ORDER", "CANCELED_LIMIT_PRICE_EXCEED", "CANCELED_UNDER_PRODUCT_UNIT"}
)


class Taken(msgspec.Struct):
    """The answer to ``POST /v2.1/order``: the order's id, and nothing of what became of it."""

    order_id: str


class OrderRow(msgspec.Struct):
    """``order`` of ``/v2.1/order/detail``, or a row of ``/v2.1/order/active_orders``, which has no ``status``.

    ``user_order_id`` is in neither's documents, and read where it is sent all the same.
    """

    order_id: str
    quote_currency: str
    target_currency: str
    status: str = "LIVE"
    original_qty: Decimal | None = None
    executed_qty: Decimal | None = None
    canceled_qty: Decimal | None = None
    remain_qty: Decimal | None = None
    ordered_at: int = 0
    updated_at: int = 0
    user_order_id: str | None = None

    @property
    def code(self) -> str:
        """Its market."""
        return code_of(self.quote_currency, self.target_currency)

    @property
    def filled(self) -> Decimal:
        """What is filled, in base."""
        return amount(self.executed_qty or ZERO, "executed_qty")


class Detail(msgspec.Struct):
    """``/v2.1/order/detail``."""

    order: OrderRow


class ActiveOrders(msgspec.Struct):
    """``/v2.1/order/active_orders``: every open order, in one answer."""

    active_orders: list[OrderRow]


class TradeRow(msgspec.Struct):
    """A row of ``/v2.1/order/completed_orders`` and ``completed_orders/all``: one fill."""

    trade_id: str
    order_id: str
    quote_currency: str
    target_currency: str
    is_ask: bool
    price: Decimal
    qty: Decimal
    timestamp: int
    fee: Decimal
    is_maker: bool = False
    fee_currency: str | None = None

    @property
    def code(self) -> str:
        """Its market."""
        return code_of(self.quote_currency, self.target_currency)


class Trades(msgspec.Struct):
    """One page of fills, the newest first."""

    completed_orders: list[TradeRow]


class BalanceRow(msgspec.Struct):
    """A row of ``/v2.1/account/balance/all``, and of ``MYASSET``: ``limit`` is what orders hold."""

    currency: str
    available: Decimal
    limit: Decimal


class Balances(msgspec.Struct):
    """``/v2.1/account/balance/all``."""

    balances: list[BalanceRow]


class FeeRow(msgspec.Struct):
    """A market's fee rates for this account."""

    quote_currency: str
    target_currency: str
    maker: Decimal
    taker: Decimal


class FeeRates(msgspec.Struct):
    """``/v2.1/account/trade_fee``; each row is a :class:`FeeRow`."""

    fee_rates: list[Any]


def side_of(side: str) -> Side:
    """Our side for BUY and SELL (REST), BID and ASK (stream)."""
    try:
        return _SIDES[side.upper()]
    except KeyError:
        raise WireError("side", f"{side!r} is no side") from None


def state_of(row: OrderRow) -> OrderState:
    """Our order state for Coinone's. One that is cancelled in part is open as long as something remains.

    Raises:
        WireError: a state that is not in the documentation.
    """
    status, filled = row.status.upper(), row.filled
    if status == "FILLED":
        return OrderState.FILLED
    if status in _ENDED or (status == "PARTIALLY_CANCELED" and not row.remain_qty):
        return OrderState.CANCELED
    if status not in _OPEN and status != "PARTIALLY_CANCELED":
        raise WireError("status", f"{row.status!r} is not an order state")
    return OrderState.PARTIALLY_FILLED if filled else OrderState.ACCEPTED


def report_of(row: OrderRow, client_order_id: str, fills: Sequence[Fill] = ()) -> OrderReport:
    """The report of an order, with those of its fills that were asked for.

    Raises:
        WireError: amounts or fields are invalid.
    """
    return OrderReport(EXCHANGE, client_order_id, row.order_id, state_of(row), row.filled, tuple(fills))


def report_of_taken(taken: Taken, client_order_id: str) -> OrderReport:
    """The report of an order of which the venue has reported no more than that it was taken."""
    return OrderReport(EXCHANGE, client_order_id, taken.order_id, OrderState.ACCEPTED, ZERO)


def fill_of(row: TradeRow, market: Market, client_order_id: str) -> Fill:
    """The fill of a row.

    Raises:
        WireError: amounts are invalid.
    """
    qty, price = amount(row.qty, "qty"), amount(row.price, "price")
    return Fill(
        exchange=EXCHANGE,
        trade_id=row.trade_id,
        client_order_id=client_order_id,
        venue_order_id=row.order_id,
        market=market.code,
        base=market.base,
        quote=market.quote,
        side=Side.SELL if row.is_ask else Side.BUY,
        qty=qty,
        price=price,
        cost=qty * price,
        fee=charge(row.fee, "fee"),
        fee_currency=(row.fee_currency or market.quote).upper(),
        liquidity="maker" if row.is_maker else "taker",
        ts_event=row.timestamp,
    )


def balances_of(rows: Sequence[BalanceRow]) -> dict[str, Balance]:
    """Balances by asset."""
    return {row.currency.upper(): Balance(amount(row.available, row.currency), amount(row.limit, row.currency)) for row in rows}


class _Header(msgspec.Struct):
    response_type: str
    channel: str = ""
    error_code: int | str = ""
    message: str = ""


class _MyOrder(msgspec.Struct):
    quote_currency: str
    target_currency: str
    order_id: str
    status: str
    side: str
    order_qty: Decimal | None = None
    trade_id: str | None = None
    is_maker: bool | str | None = None
    executed_price: Decimal | None = None
    executed_qty: Decimal | None = None
    executed_fee: Decimal | None = None
    remain_qty: Decimal | None = None
    prevented_qty: Decimal | None = None
    user_order_id: str | None = None
    executed_timestamp: int | None = None
    timestamp: int = 0


class _MyOrderFrame(msgspec.Struct):
    data: _MyOrder


class _Assets(msgspec.Struct):
    assets: list[BalanceRow]


class _MyAssetFrame(msgspec.Struct):
    data: _Assets


_header = reader(_Header, "frame")
_my_order = reader(_MyOrderFrame, "MYORDER")
_my_asset = reader(_MyAssetFrame, "MYASSET")


@dataclass(frozen=True, slots=True)
class FrameKind:
    """What a private frame is: ``DATA``, ``SUBSCRIBED``, ``PONG`` or ``CONNECTED``, and of which channel."""

    type: str
    channel: str


def kind_of(frame: bytes) -> FrameKind:
    """What ``frame`` is.

    Raises:
        StreamRefused: the frame is an error.
        WireError: it is none of Coinone's.
    """
    header = _header(frame)
    if header.response_type == "ERROR":
        code, message, _ = error_of({"error_code": header.error_code, "message": header.message})
        raise StreamRefused(code, message)
    return FrameKind(header.response_type, header.channel)


def report_of_event(frame: bytes, markets: Mapping[str, Market], ids: OrderIds) -> OrderReport | None:
    """The report of a ``MYORDER`` frame; without fills in a market that is not connected here.

    None for a cancel of an order whose quantity is not known: the event does not say what had filled, and a look-up does.

    Raises:
        WireError: amounts or fields are invalid.
    """
    event = _my_order(frame).data
    code, status = code_of(event.quote_currency, event.target_currency), event.status.lower()
    ids.learn(event.order_id, event.user_order_id or "", event.order_qty)
    known = ids.of(event.order_id)
    left = amount(event.remain_qty, "remain_qty") if event.remain_qty is not None else None
    fills: tuple[Fill, ...] = ()
    if status in ("wait", "watch", "not_triggered"):
        state, filled = OrderState.ACCEPTED, ZERO
    elif status in ("trade", "trade_done"):
        fill = _fill_of(event, code, markets.get(code), known.client_order_id)
        qty = amount(event.executed_qty or ZERO, "executed_qty")
        state = OrderState.FILLED if status == "trade_done" and not left else OrderState.PARTIALLY_FILLED
        filled = qty if known.qty is None or left is None else known.qty - left
        if state is OrderState.FILLED:  # the sum is the order's own quantity; where it is not known, a look-up reports the end
            state, filled = (OrderState.PARTIALLY_FILLED, qty) if known.qty is None else (state, known.qty)
        if fill is not None and fill.trade_id != known.last_trade:  # the last trade comes twice, the second time as the order's end
            known.last_trade, fills = fill.trade_id, (fill,)
    elif status in ("cancel", "cancel_post_only"):
        if known.qty is None or event.executed_qty is None or event.prevented_qty:
            return None
        state, filled = OrderState.CANCELED, known.qty - amount(event.executed_qty, "executed_qty") - (left or ZERO)
    else:
        raise WireError("MYORDER", f"{event.status!r} is not an order state")
    return OrderReport(EXCHANGE, known.client_order_id, event.order_id, state, amount(filled, "filled"), fills)


def _fill_of(event: _MyOrder, code: str, market: Market | None, client_order_id: str) -> Fill | None:
    if event.trade_id is None or event.executed_price is None or event.executed_qty is None:
        raise WireError("MYORDER", "a trade without its id, price or quantity")
    if market is None:
        return None
    price, qty = amount(event.executed_price, "executed_price"), amount(event.executed_qty, "executed_qty")
    fee = qty * price * market.fees.taker if event.executed_fee is None else charge(event.executed_fee, "executed_fee")
    return Fill(
        exchange=EXCHANGE,
        trade_id=event.trade_id,
        client_order_id=client_order_id,
        venue_order_id=event.order_id,
        market=code,
        base=market.base,
        quote=market.quote,
        side=side_of(event.side),
        qty=qty,
        price=price,
        cost=qty * price,
        fee=fee,
        fee_currency=market.quote,
        liquidity="maker" if str(event.is_maker).lower() == "true" else "taker",
        ts_event=ms_of(event.executed_timestamp or event.timestamp),
    )


def ms_of(time: int) -> int:
    """A time of the stream in ms: its examples are in seconds."""
    return time * 1000 if time < _SECONDS_BELOW else time


def balances_of_event(frame: bytes) -> dict[str, Balance]:
    """The balances of a ``MYASSET`` frame: the assets that changed."""
    return balances_of(_my_asset(frame).data.assets)
