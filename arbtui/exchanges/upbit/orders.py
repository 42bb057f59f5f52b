"""Upbit's orders and its private stream, decoded exactly (docs.upbit.com: REST reference, WebSocket myOrder and myAsset)."""

from decimal import Decimal
from typing import Any, ClassVar

import msgspec
from msgspec import field

from arbtui.exchanges.amounts import amount, charge, reader
from arbtui.exchanges.private_stream import StreamRefused
from arbtui.exchanges.upbit.rules import EXCHANGE
from arbtui.exchanges.won import orders as won
from arbtui.exchanges.won.errors import error_of
from arbtui.model.errors import WireError
from arbtui.model.market import Market
from arbtui.model.order import OrderState


class OrderRow(won.OrderRow, kw_only=True):
    """An order of ``GET /v1/order``, ``orders/open`` or ``orders/closed``."""

    exchange: ClassVar[str] = EXCHANGE
    client_order_id: str | None = field(name="identifier", default=None)

    @property
    def our_state(self) -> OrderState:
        """See :func:`state_of`."""
        return state_of(self.state, self.time_in_force, self.executed_volume)


class Instrument(msgspec.Struct):
    """A row of ``GET /v1/orderbook/instruments``: the price unit at the market's present price."""

    market: str
    quote_currency: str
    tick_size: Decimal


def state_of(state: str, time_in_force: str | None, filled: Decimal) -> OrderState:
    """Our order state for Upbit's. What an immediate order did not fill has state ``cancel``, as any other order that was cancelled.

    Raises:
        WireError: a state that is not in the documentation.
    """
    if state == "done":
        return OrderState.FILLED
    if state == "cancel":
        return OrderState.EXPIRED if time_in_force in won.IMMEDIATE else OrderState.CANCELED
    if state not in ("wait", "watch", "trade", "prevented"):
        raise WireError("state", f"{state!r} is not an order state")
    return OrderState.PARTIALLY_FILLED if filled else OrderState.ACCEPTED


class _Subscribed(msgspec.Struct):
    type: str


class _Header(msgspec.Struct):
    type: str | None = None
    error: dict[str, Any] | None = None
    method: str | None = None
    result: list[_Subscribed] | None = None


class _MyOrder(won.OrderEvent, kw_only=True):
    """``price`` and ``volume`` are the fill's while ``state`` is ``trade``, else the order's. Numbers, not strings."""

    exchange: ClassVar[str] = EXCHANGE
    order_id: str = field(name="uuid")
    side: str = field(name="ask_bid")
    executed_volume: Decimal
    client_order_id: str | None = field(name="identifier", default=None)
    trade_id: str | None = field(name="trade_uuid", default=None)
    trade_price: Decimal | None = field(name="price", default=None)
    trade_quantity: Decimal | None = field(name="volume", default=None)
    trade_fee: Decimal | None = None
    is_maker: bool | None = None

    @property
    def filled(self) -> Decimal:
        """See there."""
        return amount(self.executed_volume, "executed_volume")

    @property
    def our_state(self) -> OrderState:
        """See :func:`state_of`."""
        return state_of(self.state, self.time_in_force, self.executed_volume)

    @property
    def has_rested(self) -> bool:
        """As the event reports it."""
        return bool(self.is_maker)

    def fee_of(self, cost: Decimal, market: Market) -> Decimal:
        """``trade_fee``, each trade's own; by the market's rate where it is left out."""
        return super().fee_of(cost, market) if self.trade_fee is None else charge(self.trade_fee, "trade_fee")


_header = reader(_Header, "frame")
event_of = reader(_MyOrder, "myOrder")  #: reads a ``myOrder`` frame


def kind_of(frame: bytes) -> str:
    """``myOrder``, ``myAsset``, or the type of another frame, which carries no event.

    Raises:
        StreamRefused: the frame is an error.
        WireError: it is not a JSON object.
    """
    return _header_of(frame).type or ""


def subscribed(frame: bytes) -> frozenset[str] | None:
    """The types that an answer to LIST_SUBSCRIPTIONS names; None for another frame.

    Raises:
        StreamRefused: the frame is an error.
        WireError: it is not a JSON object.
    """
    header = _header_of(frame)
    return None if header.method != "LIST_SUBSCRIPTIONS" else frozenset(one.type for one in header.result or ())


def _header_of(frame: bytes) -> _Header:
    header = _header(frame)
    if header.error is not None:
        raise StreamRefused(*error_of(header.error)[:2])
    return header
