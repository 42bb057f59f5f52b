"""Upbit's words for orders, fills and balances, read exactly (docs.upbit.com: REST reference, WebSocket myOrder and myAsset)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from arbtui.exchanges.adapter import OrderReport
from arbtui.exchanges.amounts import amount, reader
from arbtui.exchanges.ccxt_client import told_error
from arbtui.exchanges.private_stream import StreamRefused
from arbtui.exchanges.upbit.rules import EXCHANGE
from arbtui.model.errors import WireError
from arbtui.model.market import Market
from arbtui.model.money import ZERO
from arbtui.model.order import Balance, Fill, OrderState, Side

#: Orders that end by themselves: what is left of them is `cancel` at Upbit, as is a person's own cancel of any other.
#: ``time_in_force`` of orders that never rest.
IMMEDIATE = frozenset({"ioc", "fok"})


class TradeRow(msgspec.Struct):
    """A fill inside an order. It has no fee of its own, and its time in whole seconds."""

    uuid: str
    price: Decimal
    volume: Decimal
    funds: Decimal | None = None
    created_at: str | None = None

    @property
    def cost(self) -> Decimal:
        """Value in quote."""
        return self.price * self.volume if self.funds is None else self.funds


class OrderRow(msgspec.Struct):
    """An order; ``trades`` are told by ``GET /v1/order`` only."""

    uuid: str
    market: str
    side: str
    state: str
    executed_volume: Decimal
    remaining_volume: Decimal | None = None
    paid_fee: Decimal | None = None
    identifier: str | None = None
    time_in_force: str | None = None
    created_at: str | None = None
    trades: list[TradeRow] | None = None


class AccountRow(msgspec.Struct):
    """A row of ``GET /v1/accounts``: ``balance`` is what is free."""

    currency: str
    balance: Decimal
    locked: Decimal


class Instrument(msgspec.Struct):
    """A row of ``GET /v1/orderbook/instruments``: the price unit that holds at the market's present price."""

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
    """Our word for bid and ask, which myOrder writes in capitals."""
    lowered = side.lower()
    if lowered not in ("bid", "ask"):
        raise WireError("side", f"{side!r} is neither bid nor ask")
    return Side.BUY if lowered == "bid" else Side.SELL


def state_of(state: str, time_in_force: str | None, filled: Decimal) -> OrderState:
    """Our word for Upbit's order state.

    Raises:
        WireError: a state that the documentation does not have.
    """
    if state == "done":
        return OrderState.FILLED
    if state == "cancel":
        return OrderState.EXPIRED if time_in_force in IMMEDIATE else OrderState.CANCELED
    if state not in ("wait", "watch", "trade", "prevented"):
        raise WireError("state", f"{state!r} is no order state")
    return OrderState.PARTIALLY_FILLED if filled else OrderState.ACCEPTED


def report_of(row: OrderRow, market: Market) -> OrderReport:
    """What ``row`` says of an order and its fills.

    Raises:
        WireError: amounts or fields that make no sense.
    """
    filled = amount(row.executed_volume, "executed_volume")
    state = state_of(row.state, row.time_in_force, filled)
    return OrderReport(EXCHANGE, row.identifier or "", row.uuid, state, filled, fills_of(row, market))


def fills_of(row: OrderRow, market: Market) -> tuple[Fill, ...]:
    """The fills that ``row`` tells, oldest first, each with its part of the order's fee."""
    trades = sorted(row.trades or (), key=lambda trade: (trade.created_at or row.created_at or "", trade.uuid))
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
            qty=amount(trade.volume, "volume"),
            price=amount(trade.price, "price"),
            cost=amount(trade.cost, "funds"),
            fee=fee,
            fee_currency=market.quote,
            liquidity="taker" if row.time_in_force in IMMEDIATE else "maker",  # not told here; either pays the same at Upbit
            ts_event=ms_of(trade.created_at or row.created_at),
        )
        for trade, fee in zip(trades, fees, strict=True)
    )


def _split_fee(row: OrderRow, trades: Sequence[TradeRow], market: Market) -> list[Decimal]:
    """Each trade's part of ``paid_fee``: REST tells the order's sum only, myOrder (``trade_fee``) each trade's own.

    The rate is the same for all trades of an order, so each pays by its value; what rounding leaves goes with the last.
    """
    value = sum((trade.cost for trade in trades), ZERO)
    usual = [trade.cost * market.fees.taker for trade in trades]
    if row.paid_fee is None or not value or sum(trade.volume for trade in trades) < row.executed_volume:
        return usual  # the sum is not told, or of more trades than are told
    paid = amount(row.paid_fee, "paid_fee")
    if paid == sum(usual, ZERO):
        return usual
    fees = [(paid * trade.cost / value).quantize(Decimal("1e-8")) for trade in trades[:-1]]
    return [*fees, paid - sum(fees, ZERO)]


def ms_of(created_at: str | None) -> int:
    """``2026-01-01T09:00:00+09:00`` in ms since the epoch; 0 where it is not told."""
    if not created_at:
        return 0
    try:
        moment = datetime.fromisoformat(created_at)
    except ValueError as error:
        raise WireError("created_at", created_at) from error
    if moment.tzinfo is None:
        raise WireError("created_at", f"{created_at} has no time zone")
    return round(moment.timestamp() * 1000)


def balances_of(rows: Sequence[AccountRow]) -> dict[str, Balance]:
    """Balances by asset."""
    return {row.currency: Balance(amount(row.balance, row.currency), amount(row.locked, row.currency)) for row in rows}


class _Subscribed(msgspec.Struct):
    type: str


class _Told(msgspec.Struct):
    type: str | None = None
    error: dict[str, Any] | None = None
    method: str | None = None
    result: list[_Subscribed] | None = None


class _MyOrder(msgspec.Struct):
    """``price`` and ``volume`` are the fill's while ``state`` is ``trade``, else the order's. Numbers, not strings."""

    # Of a fill only its uuid, price and volume are needed; what else is null is what it usually is.

    code: str
    uuid: str
    ask_bid: str
    state: str
    executed_volume: Decimal | None = None
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


_told = reader(_Told, "frame")
_my_order = reader(_MyOrder, "myOrder")
_my_asset = reader(_MyAsset, "myAsset")


def kind_of(frame: bytes) -> str:
    """``myOrder``, ``myAsset``, or another word for what is no news.

    Raises:
        StreamRefused: the frame is an error.
        WireError: it is no JSON object.
    """
    told = _told(frame)
    if told.error is not None:
        raise StreamRefused(*told_error(told.error)[:2])
    return told.type or ""


def subscribed(frame: bytes) -> frozenset[str] | None:
    """The types that an answer to LIST_SUBSCRIPTIONS names; None for another frame.

    Raises:
        StreamRefused: the frame is an error.
        WireError: it is no JSON object.
    """
    told = _told(frame)
    if told.error is not None:
        raise StreamRefused(*told_error(told.error)[:2])
    return None if told.method != "LIST_SUBSCRIPTIONS" else frozenset(one.type for one in told.result or ())


def report_of_event(frame: bytes, markets: Mapping[str, Market]) -> OrderReport | None:
    """What a ``myOrder`` frame tells; None for a market that is not ours."""
    told = _my_order(frame)
    market = markets.get(told.code)
    if market is None:
        return None
    if told.executed_volume is None and told.state != "trade":
        raise WireError("myOrder", "an order's end without what it has filled")
    filled = amount(told.executed_volume or told.volume or ZERO, "executed_volume")
    fills: tuple[Fill, ...] = ()
    if told.state == "trade":
        if told.trade_uuid is None or told.price is None or told.volume is None:
            raise WireError("myOrder", "a trade without its uuid, price or volume")
        cost = amount(told.price, "price") * amount(told.volume, "volume")
        fills = (
            Fill(
                exchange=EXCHANGE,
                trade_id=told.trade_uuid,
                client_order_id=told.identifier or "",
                venue_order_id=told.uuid,
                market=market.code,
                base=market.base,
                quote=market.quote,
                side=side_of(told.ask_bid),
                qty=told.volume,
                price=told.price,
                cost=cost,
                fee=cost * market.fees.taker if told.trade_fee is None else amount(told.trade_fee, "trade_fee"),
                fee_currency=market.quote,
                liquidity="maker" if told.is_maker else "taker",
                ts_event=told.trade_timestamp or told.timestamp or 0,
            ),
        )
    state = state_of(told.state, told.time_in_force, filled)
    return OrderReport(EXCHANGE, told.identifier or "", told.uuid, state, filled, fills)


def balances_of_event(frame: bytes) -> dict[str, Balance]:
    """What a ``myAsset`` frame tells: the assets that changed."""
    return balances_of(_my_asset(frame).assets)
