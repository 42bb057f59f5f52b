"""Bithumb's orders, fills and balances, decoded exactly.

Sources: apidocs.bithumb.com, reference: 주문-요청 (2026-07-09), 개별-주문-조회 (2026-06-30), 대기- and 종료-주문-목록-조회,
주문-취소-접수, 내-주문-및-체결-myorder (private v2, 2026-11-13), 내-자산-myasset. One order's id is ``uuid`` in ``/v1`` and ``order_id``
in ``/v2`` and in the stream; REST has amounts as strings, the stream as numbers.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from arbtui.exchanges.adapter import OrderReport
from arbtui.exchanges.amounts import amount, reader
from arbtui.exchanges.bithumb.errors import told_error
from arbtui.exchanges.bithumb.rules import EXCHANGE
from arbtui.exchanges.private_stream import StreamRefused
from arbtui.model.errors import WireError
from arbtui.model.market import Market
from arbtui.model.money import ZERO
from arbtui.model.order import Balance, Fill, OrderState, Side

#: ``time_in_force`` of orders that never rest.
IMMEDIATE = frozenset({"ioc", "fok"})
_SIDES = {"bid": Side.BUY, "buy": Side.BUY, "ask": Side.SELL, "sell": Side.SELL}


class TradeRow(msgspec.Struct):
    """A fill inside an order. It has no fee of its own, and its time is in whole seconds."""

    uuid: str
    price: Decimal
    volume: Decimal
    created_at: str | None = None
    funds: Decimal | None = None

    @property
    def value(self) -> Decimal:
        """``funds``, price times volume, also where it is not told."""
        return self.price * self.volume if self.funds is None else self.funds


class OrderRow(msgspec.Struct):
    """``GET /v1/order``: an order with its trades."""

    uuid: str
    market: str
    side: str
    state: str
    executed_volume: Decimal
    volume: Decimal | None = None
    paid_fee: Decimal | None = None
    client_order_id: str | None = None
    time_in_force: str | None = None
    created_at: str | None = None
    trades: list[TradeRow] | None = None


class ListedOrder(msgspec.Struct):
    """A row of ``GET /v2/orders/pending`` or ``/v2/orders/history``, without its trades."""

    order_id: str
    market: str
    side: str
    state: str
    executed_volume: Decimal
    volume: Decimal | None = None
    client_order_id: str | None = None
    time_in_force: str | None = None
    created_at: str | None = None


class OrderPage(msgspec.Struct):
    """One page of a list of orders; ``next_key`` asks for the next one."""

    data: list[ListedOrder]
    has_next: bool = False
    next_key: str | None = None


class OrderTaken(msgspec.Struct):
    """The answer to ``POST /v2/orders``: that it was taken, and nothing of what became of it."""

    order_id: str
    market: str
    client_order_id: str | None = None


class _Error(msgspec.Struct):
    name: str | int = ""
    message: str | None = None


class _Cancelled(msgspec.Struct):
    order_id: str


class NotCancelled(msgspec.Struct):
    """An order that ``POST /v2/orders/cancel`` did not cancel."""

    order_id: str | None = None
    client_order_id: str | None = None
    error: _Error = msgspec.field(default_factory=_Error)


class CancelBatch(msgspec.Struct):
    """The answer to ``POST /v2/orders/cancel``."""

    success: list[_Cancelled] = []
    fail: list[NotCancelled] = []


class AccountRow(msgspec.Struct):
    """A row of ``GET /v1/accounts``: ``balance`` is the free amount."""

    currency: str
    balance: Decimal
    locked: Decimal


class KeyRow(msgspec.Struct):
    """A row of ``GET /v1/api_keys``: every key of the account."""

    access_key: str


class _Total(msgspec.Struct):
    min_total: Decimal = ZERO


class _ChanceMarket(msgspec.Struct):
    id: str
    bid: _Total
    ask: _Total
    state: str = "active"


class Chance(msgspec.Struct):
    """``GET /v1/orders/chance``: fees and bounds of one market for this account."""

    bid_fee: Decimal
    ask_fee: Decimal
    market: _ChanceMarket
    maker_bid_fee: Decimal | None = None
    maker_ask_fee: Decimal | None = None


def side_of(side: str) -> Side:
    """Our side for bid and ask (REST), buy and sell (stream)."""
    try:
        return _SIDES[side.lower()]
    except KeyError:
        raise WireError("side", f"{side!r} is no side") from None


def state_of(state: str, time_in_force: str | None, filled: Decimal, volume: Decimal | None) -> OrderState:
    """Our order state for Bithumb's.

    An immediate order that filled in part is ``done`` like one that filled whole, and one that filled in nothing is ``cancel``
    (reference/주문-요청): only the quantities tell them apart.

    Raises:
        WireError: a state that is not in the documentation.
    """
    if state == "done" and (volume is None or filled >= volume):
        return OrderState.FILLED
    if state in ("done", "cancel"):
        return OrderState.EXPIRED if time_in_force in IMMEDIATE else OrderState.CANCELED
    if state not in ("wait", "watch", "trade"):
        raise WireError("state", f"{state!r} is not an order state")
    return OrderState.PARTIALLY_FILLED if filled else OrderState.ACCEPTED


def report_of(row: OrderRow, market: Market) -> OrderReport:
    """The report of an order and its fills from ``row``.

    Raises:
        WireError: amounts or fields are invalid.
    """
    filled = amount(row.executed_volume, "executed_volume")
    state = state_of(row.state, row.time_in_force, filled, row.volume)
    return OrderReport(EXCHANGE, row.client_order_id or "", row.uuid, state, filled, fills_of(row, market))


def report_of_taken(taken: OrderTaken, client_order_id: str) -> OrderReport:
    """The report of an order of which the venue has told no more than that it was taken."""
    return OrderReport(EXCHANGE, client_order_id, taken.order_id, OrderState.ACCEPTED, ZERO)


def state_report_of(row: ListedOrder) -> OrderReport:
    """The report of an order without its fills, in a market that need not be connected.

    Raises:
        WireError: amounts or fields are invalid.
    """
    filled = amount(row.executed_volume, "executed_volume")
    state = state_of(row.state, row.time_in_force, filled, row.volume)
    return OrderReport(EXCHANGE, row.client_order_id or "", row.order_id, state, filled)


def fills_of(row: OrderRow, market: Market) -> tuple[Fill, ...]:
    """The fills that ``row`` tells, oldest first, each with its part of the order's fee."""
    trades = sorted(row.trades or (), key=lambda trade: (trade.created_at or row.created_at or "", trade.uuid))
    for trade in trades:  # before anything is added up or compared, which a NaN would stop
        amount(trade.volume, "volume"), amount(trade.price, "price"), amount(trade.value, "funds")
    fees = _split_fee(row, trades, market)
    return tuple(
        Fill(
            exchange=EXCHANGE,
            trade_id=trade.uuid,
            client_order_id=row.client_order_id or "",
            venue_order_id=row.uuid,
            market=market.code,
            base=market.base,
            quote=market.quote,
            side=side_of(row.side),
            qty=trade.volume,
            price=trade.price,
            cost=trade.value,
            fee=fee,
            fee_currency=market.quote,
            liquidity="taker" if row.time_in_force in IMMEDIATE else "maker",  # not reported; both pay the same fee at Bithumb
            ts_event=ms_of(trade.created_at or row.created_at),
        )
        for trade, fee in zip(trades, fees, strict=True)
    )


def _split_fee(row: OrderRow, trades: Sequence[TradeRow], market: Market) -> list[Decimal]:
    """Each trade's part of ``paid_fee``, which is the order's.

    The rate is the same for all trades of an order, so each pays by its value; what rounding leaves goes with the last. By
    the market's rate instead where the sum is of more trades than are told, or is not told at all: that is no fee of zero.
    """
    value = sum((trade.value for trade in trades), ZERO)
    by_rate = [trade.value * market.fees.taker for trade in trades]
    is_whole = sum(trade.volume for trade in trades) >= row.executed_volume
    paid = sum(by_rate, ZERO) if row.paid_fee is None else amount(row.paid_fee, "paid_fee")
    if not is_whole or not value or paid == value * market.fees.taker:
        return by_rate
    fees = [(paid * trade.value / value).quantize(Decimal("1e-8")) for trade in trades[:-1]]
    return [*fees, paid - sum(fees, ZERO)]


def ms_of(created_at: str | None) -> int:
    """``2026-01-01T09:00:00+09:00`` in ms since the epoch; 0 where it is not told.

    Raises:
        WireError: no such time.
    """
    if not created_at:
        return 0
    try:
        moment = datetime.fromisoformat(created_at)
    except ValueError as error:
        raise WireError("created_at", f"{created_at!r} is no time") from error
    if moment.tzinfo is None:
        raise WireError("created_at", f"{created_at} has no time zone")
    return round(moment.timestamp() * 1000)


def balances_of(rows: Sequence[AccountRow]) -> dict[str, Balance]:
    """Balances by asset."""
    return {row.currency: Balance(amount(row.balance, row.currency), amount(row.locked, row.currency)) for row in rows}


class _Header(msgspec.Struct):
    type: str | None = None
    error: dict[str, Any] | None = None
    status: str | None = None


class _MyOrder(msgspec.Struct):
    """Fields without a value are left out. Numbers, not strings."""

    code: str
    order_id: str
    side: str
    state: str
    order_quantity: Decimal | None = None
    executed_quantity: Decimal | None = None
    client_order_id: str | None = None
    time_in_force: str | None = None
    trade_id: str | None = None
    trade_price: Decimal | None = None
    trade_quantity: Decimal | None = None
    trade_timestamp: int | None = None
    timestamp: int | None = None


class _MyAsset(msgspec.Struct):
    assets: list[AccountRow]


_header = reader(_Header, "frame")
_my_order = reader(_MyOrder, "myOrder")
_my_asset = reader(_MyAsset, "myAsset")


def kind_of(frame: bytes) -> str:
    """``myOrder``, ``myAsset``, ``status`` for the answer to a PING, or the type of another frame, which carries no event.

    Raises:
        StreamRefused: the frame is an error.
        WireError: it is not a JSON object.
    """
    header = _header(frame)
    if header.error is not None:
        raise StreamRefused(*told_error(header.error)[:2])
    return header.type or ("status" if header.status else "")


def report_of_event(frame: bytes, markets: Mapping[str, Market]) -> OrderReport:
    """The report of a ``myOrder`` frame; without fills in a market that is not connected here."""
    event = _my_order(frame)
    market = markets.get(event.code)
    filled = amount(event.executed_quantity or ZERO, "executed_quantity")
    if event.executed_quantity is None and event.state not in ("wait", "watch"):
        raise WireError("myOrder", f"state {event.state} without an executed quantity")
    fills: tuple[Fill, ...] = ()
    if event.state == "trade" and market is not None:
        if event.trade_id is None or event.trade_price is None or event.trade_quantity is None:
            raise WireError("myOrder", "a trade without its id, price or quantity")
        cost = amount(event.trade_price, "trade_price") * amount(event.trade_quantity, "trade_quantity")
        fills = (
            Fill(
                exchange=EXCHANGE,
                trade_id=event.trade_id,
                client_order_id=event.client_order_id or "",
                venue_order_id=event.order_id,
                market=market.code,
                base=market.base,
                quote=market.quote,
                side=side_of(event.side),
                qty=event.trade_quantity,
                price=event.trade_price,
                cost=cost,
                fee=cost * market.fees.taker,  # the stream tells the order's fee only, and in its own example it is 0
                fee_currency=market.quote,
                liquidity="taker" if event.time_in_force in IMMEDIATE else "maker",
                ts_event=event.trade_timestamp or event.timestamp or 0,
            ),
        )
    state = state_of(event.state, event.time_in_force, filled, event.order_quantity)
    return OrderReport(EXCHANGE, event.client_order_id or "", event.order_id, state, filled, fills)


def balances_of_event(frame: bytes) -> dict[str, Balance]:
    """The balances of a ``myAsset`` frame: the assets that changed."""
    return balances_of(_my_asset(frame).assets)
