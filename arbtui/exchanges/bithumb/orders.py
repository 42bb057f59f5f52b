"""Bithumb's orders, fills and balances, decoded exactly.

Sources: apidocs.bithumb.com, reference: 주문-요청 (2026-07-09), 개별-주문-조회 (2026-06-30), 대기- and 종료-주문-목록-조회,
주문-취소-접수, 내-주문-및-체결-myorder (private v2, 2026-11-13), 내-자산-myasset. One order's id is ``uuid`` in ``/v1`` and ``order_id``
in ``/v2`` and in the stream; REST has amounts as strings, the stream as numbers.
"""

from decimal import Decimal
from typing import Any, ClassVar

import msgspec
from msgspec import field

from arbtui.exchanges.adapter import OrderReport
from arbtui.exchanges.amounts import amount, reader
from arbtui.exchanges.bithumb.rules import EXCHANGE
from arbtui.exchanges.private_stream import StreamRefused
from arbtui.exchanges.won import orders as won
from arbtui.exchanges.won.errors import error_of
from arbtui.model.errors import WireError
from arbtui.model.money import ZERO
from arbtui.model.order import OrderState


class OrderRow(won.OrderRow, kw_only=True):
    """An order of ``GET /v1/order``, with its trades."""

    exchange: ClassVar[str] = EXCHANGE

    @property
    def our_state(self) -> OrderState:
        """See :func:`state_of`."""
        return state_of(self.state, self.time_in_force, self.executed_volume, self.volume)


class ListedOrder(OrderRow, kw_only=True):
    """A row of ``GET /v2/orders/pending`` or ``/v2/orders/history``, without its trades."""

    order_id: str = field(name="order_id")


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


def state_of(state: str, time_in_force: str | None, filled: Decimal, volume: Decimal | None) -> OrderState:
    """Our order state for Bithumb's.

    An immediate order that filled in part is ``done`` like one that filled whole, and one that filled in nothing is ``cancel``
    (reference/주문-요청): only the quantities distinguish them.

    Raises:
        WireError: a state that is not in the documentation.
    """
    if state == "done" and (volume is None or filled >= volume):
        return OrderState.FILLED
    if state in ("done", "cancel"):
        return OrderState.EXPIRED if time_in_force in won.IMMEDIATE else OrderState.CANCELED
    if state not in ("wait", "watch", "trade"):
        raise WireError("state", f"{state!r} is not an order state")
    return OrderState.PARTIALLY_FILLED if filled else OrderState.ACCEPTED


def report_of_taken(taken: OrderTaken, client_order_id: str) -> OrderReport:
    """The report of an order of which the venue has reported no more than that it was taken."""
    return OrderReport(EXCHANGE, client_order_id, taken.order_id, OrderState.ACCEPTED, ZERO)


class _Header(msgspec.Struct):
    type: str | None = None
    error: dict[str, Any] | None = None
    status: str | None = None


class _MyOrder(won.OrderEvent, kw_only=True):
    """Numbers, not strings. Its fee is the order's so far, and in the document's own example 0: a fill's is reckoned by the rate."""

    exchange: ClassVar[str] = EXCHANGE
    volume: Decimal | None = field(name="order_quantity", default=None)
    executed_quantity: Decimal | None = None

    @property
    def filled(self) -> Decimal:
        """See there."""
        if self.executed_quantity is None and self.state not in ("wait", "watch"):
            raise WireError("myOrder", f"state {self.state} without an executed quantity")
        return amount(self.executed_quantity or ZERO, "executed_quantity")

    @property
    def our_state(self) -> OrderState:
        """See :func:`state_of`."""
        return state_of(self.state, self.time_in_force, self.filled, self.volume)


_header = reader(_Header, "frame")
event_of = reader(_MyOrder, "myOrder")  #: reads a ``myOrder`` frame


def kind_of(frame: bytes) -> str:
    """``myOrder``, ``myAsset``, ``status`` for the answer to a PING, or the type of another frame, which carries no event.

    Raises:
        StreamRefused: the frame is an error.
        WireError: it is not a JSON object.
    """
    header = _header(frame)
    if header.error is not None:
        raise StreamRefused(*error_of(header.error)[:2])
    return header.type or ("status" if header.status else "")
