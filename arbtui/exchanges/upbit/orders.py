"""Upbit's orders, fills and balances, decoded exactly (docs.upbit.com: REST reference, WebSocket myOrder and myAsset)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from arbtui.exchanges.adapter import OrderReport
from arbtui.exchanges.amounts import amount, reader
from arbtui.exchanges.private_stream import StreamRefused
from arbtui.exchanges.upbit.errors import told_error
from arbtui.exchanges.upbit.rules import EXCHANGE
from arbtui.model.errors import WireError
from arbtui.model.market import Market
from arbtui.model.money import ZERO
from arbtui.model.order import Balance, Fill, OrderState, Side

#: Orders that end by themselves: their remainder has state `cancel` at Upbit, as has any other order that was cancelled.
#: ``time_in_force`` of orders that never rest.
IMMEDIATE = frozenset({"ioc", "fok"})


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
    """An order; only ``GET /v1/order`` has ``trades``."""

    uuid: str
    market: str
    side: str
    state: str
    executed_volume: Decimal
    paid_fee: Decimal | None = None
    identifier: str | None = None
    time_in_force: str | None = None
    created_at: str | None = None
    trades: list[TradeRow] | None = None


class AccountRow(msgspec.Struct):
    """A row of ``GET /v1/accounts``: ``balance`` is the free amount."""

    currency: str
    balance: Decimal
    locked: Decimal


class KeyRow(msgspec.Struct):
    """A row of ``GET /v1/api_keys``: every key of the account."""

    access_key: str


class Instrument(msgspec.Struct):
    """A row of ``GET /v1/orderbook/instruments``: the price unit at the market's present price."""

    market: str
    quote_currency: str
    tick_size: Decimal


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
    maker_bid_fee: Decimal = ZERO
    maker_ask_fee: Decimal = ZERO


def side_of(side: str) -> Side:
    """Our side for bid and ask, which myOrder writes in capitals."""
    lowered = side.lower()
    if lowered not in ("bid", "ask"):
        raise WireError("side", f"{side!r} is neither bid nor ask")
    return Side.BUY if lowered == "bid" else Side.SELL


def state_of(state: str, time_in_force: str | None, filled: Decimal) -> OrderState:
    """Our order state for Upbit's.

    Raises:
        WireError: a state that is not in the documentation.
    """
    if state == "done":
        return OrderState.FILLED
    if state == "cancel":
        return OrderState.EXPIRED if time_in_force in IMMEDIATE else OrderState.CANCELED
    if state not in ("wait", "watch", "trade", "prevented"):
        raise WireError("state", f"{state!r} is not an order state")
    return OrderState.PARTIALLY_FILLED if filled else OrderState.ACCEPTED


def report_of(row: OrderRow, market: Market) -> OrderReport:
    """The report of an order and its fills from ``row``.

    Raises:
        WireError: amounts or fields are invalid.
    """
    return replace(state_report_of(row), fills=fills_of(row, market))


def state_report_of(row: OrderRow) -> OrderReport:
    """The report of an order without its fills, in a market that need not be connected.

    Raises:
        WireError: amounts or fields are invalid.
    """
    filled = amount(row.executed_volume, "executed_volume")
    return OrderReport(EXCHANGE, row.identifier or "", row.uuid, state_of(row.state, row.time_in_force, filled), filled)


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
            client_order_id=row.identifier or "",
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
            liquidity="taker" if row.time_in_force in IMMEDIATE else "maker",  # not reported here; both pay the same fee at Upbit
            ts_event=ms_of(trade.created_at or row.created_at),
        )
        for trade, fee in zip(trades, fees, strict=True)
    )


def _split_fee(row: OrderRow, trades: Sequence[TradeRow], market: Market) -> list[Decimal]:
    """Each trade's part of ``paid_fee``: REST has the order's sum only, myOrder (``trade_fee``) each trade's own.

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


class _Subscribed(msgspec.Struct):
    type: str


class _Header(msgspec.Struct):
    type: str | None = None
    error: dict[str, Any] | None = None
    method: str | None = None
    result: list[_Subscribed] | None = None


class _MyOrder(msgspec.Struct):
    """``price`` and ``volume`` are the fill's while ``state`` is ``trade``, else the order's. Numbers, not strings."""

    code: str
    uuid: str
    ask_bid: str
    state: str
    executed_volume: Decimal
    price: Decimal | None = None
    volume: Decimal | None = None
    identifier: str | None = None
    time_in_force: str | None = None
    trade_uuid: str | None = None
    trade_fee: Decimal | None = None
    trade_timestamp: int | None = None
    timestamp: int | None = None
    is_maker: bool | None = None


class _MyAsset(msgspec.Struct):
    assets: list[AccountRow]


_header = reader(_Header, "frame")
_my_order = reader(_MyOrder, "myOrder")
_my_asset = reader(_MyAsset, "myAsset")


def kind_of(frame: bytes) -> str:
    """``myOrder``, ``myAsset``, or the type of another frame, which carries no event.

    Raises:
        StreamRefused: the frame is an error.
        WireError: it is not a JSON object.
    """
    header = _header(frame)
    if header.error is not None:
        raise StreamRefused(*told_error(header.error)[:2])
    return header.type or ""


def subscribed(frame: bytes) -> frozenset[str] | None:
    """The types that an answer to LIST_SUBSCRIPTIONS names; None for another frame.

    Raises:
        StreamRefused: the frame is an error.
        WireError: it is not a JSON object.
    """
    header = _header(frame)
    if header.error is not None:
        raise StreamRefused(*told_error(header.error)[:2])
    return None if header.method != "LIST_SUBSCRIPTIONS" else frozenset(one.type for one in header.result or ())


def report_of_event(frame: bytes, markets: Mapping[str, Market]) -> OrderReport:
    """The report of a ``myOrder`` frame; without fills in a market that is not connected here."""
    event = _my_order(frame)
    market = markets.get(event.code)
    filled = amount(event.executed_volume, "executed_volume")
    fills: tuple[Fill, ...] = ()
    if event.state == "trade" and market is not None:
        if event.trade_uuid is None or event.price is None or event.volume is None:
            raise WireError("myOrder", "a trade without its uuid, price or volume")
        cost = amount(event.price, "price") * amount(event.volume, "volume")
        fills = (
            Fill(
                exchange=EXCHANGE,
                trade_id=event.trade_uuid,
                client_order_id=event.identifier or "",
                venue_order_id=event.uuid,
                market=market.code,
                base=market.base,
                quote=market.quote,
                side=side_of(event.ask_bid),
                qty=event.volume,
                price=event.price,
                cost=cost,
                fee=cost * market.fees.taker if event.trade_fee is None else amount(event.trade_fee, "trade_fee"),
                fee_currency=market.quote,
                liquidity="maker" if event.is_maker else "taker",
                ts_event=event.trade_timestamp or event.timestamp or 0,
            ),
        )
    state = state_of(event.state, event.time_in_force, filled)
    return OrderReport(EXCHANGE, event.identifier or "", event.uuid, state, filled, fills)


def balances_of_event(frame: bytes) -> dict[str, Balance]:
    """The balances of a ``myAsset`` frame: the assets that changed."""
    return balances_of(_my_asset(frame).assets)
