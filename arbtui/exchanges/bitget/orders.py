"""Bitget's orders, fills and balances, decoded exactly (bitget.com/api-doc, spot, "Trade" and WebSocket private channels, 2025-11)."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from arbtui.exchanges.adapter import OrderReport
from arbtui.exchanges.amounts import amount, number, read, reader, side_of
from arbtui.exchanges.bitget.errors import error_of
from arbtui.exchanges.bitget.rules import EXCHANGE
from arbtui.exchanges.fill_fee import fee_of
from arbtui.exchanges.private_stream import StreamRefused
from arbtui.model.errors import WireError
from arbtui.model.market import Market
from arbtui.model.money import ZERO
from arbtui.model.order import Balance, Fill, OrderState, Side

T = TypeVar("T")

#: ``force`` of orders that never rest.
IMMEDIATE = frozenset({"ioc", "fok"})

_STATES = {
    "init": OrderState.ACCEPTED,
    "new": OrderState.ACCEPTED,
    "live": OrderState.ACCEPTED,
    "partially_filled": OrderState.PARTIALLY_FILLED,
    "filled": OrderState.FILLED,
    "cancelled": OrderState.CANCELED,
}


class _Envelope(msgspec.Struct):
    data: msgspec.Raw


class Placed(msgspec.Struct):
    """The data of an answer to an order, or to its cancel: that it was taken, not what became of it."""

    orderId: str
    clientOid: str | None = None


class OrderRow(msgspec.Struct):
    """An order, as every REST answer has it. It names no time in force and none of its fills."""

    symbol: str
    orderId: str
    side: str
    status: str
    baseVolume: Decimal
    clientOid: str | None = None
    cTime: str = "0"

    @property
    def code(self) -> str:
        """The market's code: the document's own examples write it in small letters here and there."""
        return self.symbol.upper()


class _FeeDetail(msgspec.Struct):
    feeCoin: str | None = None
    totalFee: str | None = None


class FillRow(msgspec.Struct):
    """A row of ``trade/fills``. It refers to its order by the venue's id only."""

    symbol: str
    orderId: str
    tradeId: str
    side: str
    priceAvg: Decimal
    size: Decimal
    cTime: str
    tradeScope: str = ""
    feeDetail: _FeeDetail | None = None

    @property
    def ts_ms(self) -> int:
        """When it was made, in ms: the document's text says seconds, its example has ms.

        Raises:
            WireError: that is no time.
        """
        if not self.cTime.isdecimal():
            raise WireError("cTime", f"{self.cTime!r} is no time")
        return int(self.cTime)


class AssetRow(msgspec.Struct):
    """A row of ``account/assets`` or of the ``account`` channel: ``frozen`` by orders, ``locked`` for other reasons."""

    coin: str
    available: Decimal
    frozen: Decimal
    locked: Decimal = ZERO


class AccountInfo(msgspec.Struct):
    """``account/info``: who it is and what the key may do. ``ips``: addresses that it works from; empty: every one."""

    userId: str
    authorities: list[str]
    ips: str | None = None


class TradeRate(msgspec.Struct):
    """``common/trade-rate``: the account's fees in one market."""

    makerFeeRate: Decimal
    takerFeeRate: Decimal


class Deduct(msgspec.Struct):
    """``account/deduct-info``: whether fees are taken in BGB as long as there is some."""

    deduct: str


class Ticker(msgspec.Struct):
    """A row of ``market/tickers``: a market's last price."""

    symbol: str
    lastPr: Decimal


def data_of(answer: Any, kind: type[T], what: str) -> T:
    """The ``data`` of a REST answer as ``kind``.

    Raises:
        WireError: there is none, or it is something else.
    """
    if not isinstance(answer, dict) or "data" not in answer:
        raise WireError(what, "an answer without data")
    return read(answer["data"], kind, what)


def state_of(status: str, force: str = "") -> OrderState:
    """Our order state for Bitget's; ``force``: the order's time in force, where it is told.

    Raises:
        WireError: a status that is not in the documentation.
    """
    if status == "cancelled" and force in IMMEDIATE:
        return OrderState.EXPIRED
    try:
        return _STATES[status]
    except KeyError:
        raise WireError("status", f"{status!r} is not an order status") from None


def report_of(row: OrderRow, fills: tuple[Fill, ...] = (), force: str = "") -> OrderReport:
    """The report of an order from ``row`` and its separately fetched ``fills``."""
    filled = amount(row.baseVolume, "baseVolume").normalize() + ZERO
    return OrderReport(EXCHANGE, row.clientOid or "", row.orderId, state_of(row.status, force), filled, fills)


def fill_of_row(row: FillRow, market: Market, client_order_id: str) -> Fill:
    """A row of ``trade/fills`` as a fill."""
    fee = row.feeDetail or _FeeDetail()
    return _fill(
        market,
        trade_id=row.tradeId,
        client_order_id=client_order_id,
        order_id=row.orderId,
        side=side_of(row.side, "buy", "sell"),
        qty=row.size,
        price=row.priceAvg,
        fee=number(fee.totalFee, "totalFee"),
        fee_currency=fee.feeCoin,
        is_maker=row.tradeScope == "maker",
        ts_ms=row.ts_ms,
    )


def balances_of(rows: Sequence[AssetRow]) -> dict[str, Balance]:
    """Balances by asset."""
    return {
        row.coin.upper(): Balance(amount(row.available, row.coin), amount(row.frozen, row.coin) + amount(row.locked, row.coin))
        for row in rows
    }


class _Arg(msgspec.Struct):
    channel: str = ""
    instType: str = ""


class _Frame(msgspec.Struct):
    event: str = ""
    code: str | int | None = None
    msg: str | None = None
    arg: _Arg | None = None
    data: msgspec.Raw = msgspec.Raw()


class _OrderEvent(msgspec.Struct):
    """``baseVolume``, ``fill...``, ``tradeId`` and ``tradeScope`` are of the latest fill, and missing or empty where there is none."""

    instId: str
    orderId: str
    side: str
    status: str
    accBaseVolume: Decimal
    clientOid: str | None = None
    force: str = ""
    tradeId: str | None = None
    fillPrice: str | None = None
    baseVolume: str | None = None
    fillTime: str | None = None
    fillFee: str | None = None
    fillFeeCoin: str | None = None
    tradeScope: str | None = None


_frame = reader(_Frame, "frame")
_orders = reader(list[_OrderEvent], "orders")
_assets = reader(list[AssetRow], "account")


def event_of(frame: bytes) -> tuple[str, str, bytes]:
    """What a frame of the private stream is (``pong``, ``login``, ``subscribe``, ``data``), its channel and its data.

    Raises:
        StreamRefused: the venue answers with an error.
        WireError: it is nothing of the kind.
    """
    if frame == b"pong":
        return "pong", "", b""
    told = _frame(frame)
    channel = told.arg.channel if told.arg is not None else ""
    if told.event:
        if told.event == "error" or str(told.code or 0) != "0":
            error = error_of({"code": told.code, "msg": told.msg})
            raise StreamRefused(*(error[:2] if error is not None else ("", told.msg or told.event)))
        return told.event, channel, b""
    if not channel or not bytes(told.data):
        raise WireError("frame", "neither data of a channel nor an event")
    return "data", channel, bytes(told.data)


def reports_of_event(data: bytes, markets: Mapping[str, Market]) -> list[OrderReport]:
    """The reports of a frame of the ``orders`` channel; without fills in a market that is not connected here."""
    return [_report_of_event(event, markets.get(event.instId)) for event in _orders(data)]


def _report_of_event(event: _OrderEvent, market: Market | None) -> OrderReport:
    qty, price = number(event.baseVolume, "baseVolume") or ZERO, number(event.fillPrice, "fillPrice") or ZERO
    fills: tuple[Fill, ...] = ()
    if event.tradeId and qty and market is not None:
        fills = (
            _fill(
                market,
                trade_id=event.tradeId,
                client_order_id=event.clientOid or "",
                order_id=event.orderId,
                side=side_of(event.side, "buy", "sell"),
                qty=qty,
                price=price,
                fee=number(event.fillFee, "fillFee"),
                fee_currency=event.fillFeeCoin,
                is_maker=event.tradeScope == "M",
                ts_ms=int(number(event.fillTime, "fillTime") or ZERO),
            ),
        )
    filled = amount(event.accBaseVolume, "accBaseVolume").normalize() + ZERO
    return OrderReport(EXCHANGE, event.clientOid or "", event.orderId, state_of(event.status, event.force), filled, fills)


def balances_of_event(data: bytes) -> dict[str, Balance]:
    """The balances of a frame of the ``account`` channel: the assets that changed."""
    return balances_of(_assets(data))


def _fill(
    market: Market,
    *,
    trade_id: str,
    client_order_id: str,
    order_id: str,
    side: Side,
    qty: Decimal,
    price: Decimal,
    fee: Decimal | None,
    fee_currency: str | None,
    is_maker: bool,
    ts_ms: int,
) -> Fill:
    """One fill. A fee is reported as a negative number ("Order Channel", ``fillFee``)."""
    if ts_ms < 0:
        raise WireError("fill", f"a time of {ts_ms}")
    qty, price = amount(qty, "size").normalize() + ZERO, amount(price, "price").normalize() + ZERO
    fee, fee_currency = fee_of(market, side, qty, price, None if fee is None else -fee, fee_currency)
    return Fill(
        exchange=EXCHANGE,
        trade_id=trade_id,
        client_order_id=client_order_id,
        venue_order_id=order_id,
        market=market.code,
        base=market.base,
        quote=market.quote,
        side=side,
        qty=qty,
        price=price,
        cost=price * qty,
        fee=fee,
        fee_currency=fee_currency,
        liquidity="maker" if is_maker else "taker",
        ts_event=ts_ms,
    )
