"""OKX's orders, fills and balances, decoded exactly. Amounts are strings; an empty one is not told.

Sources: okx.com/docs-v5, "Order details", "Transaction details", "Order channel", "Account channel", as of 2026-07.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from arbtui.exchanges.adapter import OrderReport
from arbtui.exchanges.amounts import amount, number, read, reader, side_of
from arbtui.exchanges.fill_fee import fee_of
from arbtui.exchanges.okx.rules import EXCHANGE
from arbtui.exchanges.private_stream import StreamRefused
from arbtui.model.errors import WireError
from arbtui.model.market import Market
from arbtui.model.money import ZERO
from arbtui.model.order import Balance, Fill, OrderState, TimeInForce

T = TypeVar("T")

#: Our times in force as OKX's ``ordType``.
ORDER_TYPES: Mapping[TimeInForce, str] = {TimeInForce.GTC: "limit", TimeInForce.IOC: "ioc", TimeInForce.FOK: "fok"}
_IMMEDIATE = frozenset({"ioc", "fok"})
_SPOT = "SPOT"


class _Answer(msgspec.Struct):
    code: str
    data: list[Any]
    msg: str = ""


class Placed(msgspec.Struct, rename="camel"):
    """The answer to an order: that it was taken, not what became of it."""

    ord_id: str
    cl_ord_id: str
    s_code: str


class OrderRow(msgspec.Struct, rename="camel"):
    """An order, as ``trade/order`` and ``trade/orders-pending`` have it."""

    inst_id: str
    ord_id: str
    cl_ord_id: str
    ord_type: str
    state: str
    side: str
    acc_fill_sz: str
    u_time: str = ""


class FillRow(msgspec.Struct, rename="camel"):
    """A row of ``trade/fills`` and ``trade/fills-history``. A trade's number is unique within its market, a bill's everywhere."""

    inst_id: str
    trade_id: str
    ord_id: str
    cl_ord_id: str
    bill_id: str
    side: str
    fill_sz: str
    fill_px: str
    fee: str
    fee_ccy: str
    ts: str
    exec_type: str = ""
    fill_time: str = ""


class _Detail(msgspec.Struct, rename="camel"):
    ccy: str
    avail_bal: str
    frozen_bal: str


class AccountRow(msgspec.Struct):
    """``account/balance``, and a row of the channel ``account``: the trading account's assets."""

    details: list[_Detail]


class Config(msgspec.Struct, rename="camel"):
    """``GET /api/v5/account/config``: the account's mode and what the key may do."""

    uid: str
    acct_lv: str
    perm: str
    ip: str = ""
    fee_type: str = "0"
    enable_spot_borrow: bool = False


def rows_of(answer: Any, kind: type[T], what: str) -> list[T]:
    """The rows of a REST answer.

    Raises:
        WireError: it is not a good answer, or a row cannot be read.
    """
    envelope = read(answer, _Answer, what)
    if envelope.code != "0":
        raise WireError(what, f"{envelope.code} {envelope.msg}")
    return [read(row, kind, what) for row in envelope.data]


def row_of(answer: Any, kind: type[T], what: str) -> T:
    """The only row of a REST answer; raises WireError as :func:`rows_of` does, and where there is not exactly one."""
    rows = rows_of(answer, kind, what)
    if len(rows) != 1:
        raise WireError(what, f"{len(rows)} rows for one")
    return rows[0]


def ms_of(text: str, what: str) -> int:
    """A time in ms since the epoch; 0 where it is empty."""
    value = number(text, what)
    if value is not None and not 0 <= value < 2**62:
        raise WireError(what, f"{text!r} is not a time")
    return int(value or 0)


def state_of(state: str, order_type: str) -> OrderState:
    """Our order state for OKX's; what an immediate order did not fill at once has expired.

    Raises:
        WireError: a state that is not in the documentation.
    """
    if state in ("canceled", "mmp_canceled"):
        return OrderState.EXPIRED if order_type in _IMMEDIATE else OrderState.CANCELED
    states = {"live": OrderState.ACCEPTED, "partially_filled": OrderState.PARTIALLY_FILLED, "filled": OrderState.FILLED}
    if state not in states:
        raise WireError("state", f"{state!r} is not an order state")
    return states[state]


def report_of(row: OrderRow, fills: tuple[Fill, ...] = ()) -> OrderReport:
    """The report of an order from ``row`` and its separately fetched ``fills``."""
    filled = amount(number(row.acc_fill_sz, "accFillSz") or ZERO, "accFillSz")
    return OrderReport(EXCHANGE, row.cl_ord_id, row.ord_id, state_of(row.state, row.ord_type), filled, fills)


def fill_of(row: FillRow, market: Market) -> Fill:
    """A row of the account's fills."""
    return _fill(
        market,
        trade_id=row.trade_id,
        client_order_id=row.cl_ord_id,
        order_id=row.ord_id,
        side=row.side,
        qty=row.fill_sz,
        price=row.fill_px,
        fee=row.fee,
        fee_currency=row.fee_ccy,
        exec_type=row.exec_type,
        time=row.fill_time or row.ts,
    )


def _fill(
    market: Market,
    *,
    trade_id: str,
    client_order_id: str,
    order_id: str,
    side: str,
    qty: str,
    price: str,
    fee: str,
    fee_currency: str,
    exec_type: str,
    time: str,
) -> Fill:
    """One fill. OKX writes a fee that it takes with a minus.

    Raises:
        WireError: an amount or id that makes no sense.
    """
    if not trade_id or not order_id:
        raise WireError("fill", f"trade {trade_id!r} of order {order_id!r}")
    sold, at = amount(number(qty, "fillSz") or ZERO, "fillSz"), amount(number(price, "fillPx") or ZERO, "fillPx")
    if not sold or not at:
        raise WireError("fill", f"trade {trade_id} of {qty!r} at {price!r}")
    ours = side_of(side, "buy", "sell")
    charged = number(fee, "fee")
    cost, currency = fee_of(market, ours, sold, at, None if charged is None else -charged, fee_currency)
    return Fill(
        exchange=EXCHANGE,
        trade_id=f"{market.code}:{trade_id}",
        client_order_id=client_order_id,
        venue_order_id=order_id,
        market=market.code,
        base=market.base,
        quote=market.quote,
        side=ours,
        qty=sold,
        price=at,
        cost=at * sold,
        fee=cost,
        fee_currency=currency,
        liquidity="maker" if exec_type == "M" else "taker",
        ts_event=ms_of(time, "fillTime"),
    )


def balances_of(row: AccountRow) -> dict[str, Balance]:
    """Balances by asset."""
    return {
        detail.ccy: Balance(
            amount(number(detail.avail_bal, detail.ccy) or ZERO, detail.ccy),
            amount(number(detail.frozen_bal, detail.ccy) or ZERO, detail.ccy),
        )
        for detail in row.details
    }


class _Arg(msgspec.Struct):
    channel: str


class _Frame(msgspec.Struct):
    """A frame of the private socket: pushed rows, or an event."""

    arg: _Arg | None = None
    data: list[msgspec.Raw] = []
    event: str = ""
    code: str = ""
    msg: str = ""


class _OrderPush(msgspec.Struct, rename="camel"):
    inst_type: str
    inst_id: str
    ord_id: str
    cl_ord_id: str
    ord_type: str
    state: str
    side: str
    acc_fill_sz: str
    fill_sz: str = ""
    fill_px: str = ""
    fill_fee: str = ""
    fill_fee_ccy: str = ""
    fill_time: str = ""
    trade_id: str = ""
    exec_type: str = ""


_frame = reader(_Frame, "frame")
_order_push = reader(_OrderPush, "orders")
_account_push = reader(AccountRow, "account")

#: A notice that the connection will be closed for an upgrade (docs-v5, "Notification").
UPGRADE = "64008"


class Pushed(msgspec.Struct, frozen=True):
    """One private frame. ``event``: of an answer or a notice, with ``code``; else ``channel`` and its ``rows``."""

    event: str = ""
    code: str = ""
    channel: str = ""
    rows: tuple[bytes, ...] = ()


def pushed_of(frame: bytes) -> Pushed:
    """What a private frame is.

    Raises:
        StreamRefused: the venue answers with an error.
        WireError: it is neither an event nor pushed data.
    """
    if frame == b"pong":
        return Pushed(event="pong")
    read_frame = _frame(frame)
    if read_frame.event == "error" or (read_frame.event == "login" and read_frame.code not in ("", "0")):
        raise StreamRefused(read_frame.code, read_frame.msg)
    channel = "" if read_frame.arg is None else read_frame.arg.channel
    if not read_frame.event and not channel:
        raise WireError("frame", "neither an event nor a channel's data")
    return Pushed(read_frame.event, read_frame.code, channel, tuple(bytes(row) for row in read_frame.data))


def report_of_push(row: bytes, markets: Mapping[str, Market]) -> OrderReport | None:
    """The report of a row of the channel ``orders``, without fills in a market that is not connected here; None for another product's."""
    push = _order_push(row)
    if push.inst_type != _SPOT:
        return None
    market = markets.get(push.inst_id)
    filled = amount(number(push.acc_fill_sz, "accFillSz") or ZERO, "accFillSz")
    fills: tuple[Fill, ...] = ()
    if market is not None and push.trade_id and number(push.fill_sz, "fillSz"):
        fills = (
            _fill(
                market,
                trade_id=push.trade_id,
                client_order_id=push.cl_ord_id,
                order_id=push.ord_id,
                side=push.side,
                qty=push.fill_sz,
                price=push.fill_px,
                fee=push.fill_fee,
                fee_currency=push.fill_fee_ccy,
                exec_type=push.exec_type,
                time=push.fill_time,
            ),
        )
    return OrderReport(EXCHANGE, push.cl_ord_id, push.ord_id, state_of(push.state, push.ord_type), filled, fills)


def balances_of_push(row: bytes) -> dict[str, Balance]:
    """The balances of a row of the channel ``account``: assets that may have changed."""
    return balances_of(_account_push(row))
