"""Orders, fills and balances of these venues, decoded exactly. A venue's own names of a field are in its subclasses of the rows.

Sources: docs.upbit.com and apidocs.bithumb.com, REST reference and WebSocket ``myOrder`` and ``myAsset``; each venue's own module
names the pages.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

import msgspec
from msgspec import field

from arbtui.exchanges.adapter import OrderReport
from arbtui.exchanges.amounts import amount, charge, fee_rate, reader
from arbtui.model.errors import WireError
from arbtui.model.market import Fees, Market
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
        """``funds``, price times volume, also where it is left out."""
        return self.price * self.volume if self.funds is None else self.funds


class OrderRow(msgspec.Struct, kw_only=True):
    """An order as REST lists it; only ``GET /v1/order`` has ``trades``."""

    exchange: ClassVar[str]

    order_id: str = field(name="uuid")
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

    @property
    def our_state(self) -> OrderState:
        """Our order state for the venue's; raises WireError for one that is not in its documents."""
        raise NotImplementedError


class OrderEvent(msgspec.Struct, kw_only=True):
    """``myOrder``, an order that changed or filled. Fields without a value may be left out."""

    exchange: ClassVar[str]

    code: str
    order_id: str
    side: str
    state: str
    client_order_id: str | None = None
    time_in_force: str | None = None
    trade_id: str | None = None
    trade_price: Decimal | None = None
    trade_quantity: Decimal | None = None
    trade_timestamp: int | None = None
    timestamp: int | None = None

    @property
    def filled(self) -> Decimal:
        """What is filled of the order, in base; raises WireError where that is no amount."""
        raise NotImplementedError

    @property
    def our_state(self) -> OrderState:
        """As :attr:`OrderRow.our_state`."""
        raise NotImplementedError

    @property
    def has_rested(self) -> bool:
        """Whether the order was in the book when it filled."""
        return self.time_in_force not in IMMEDIATE

    def fee_of(self, cost: Decimal, market: Market) -> Decimal:
        """The fee of a fill worth ``cost``, in quote."""
        return cost * market.fees.taker


class AccountRow(msgspec.Struct):
    """A row of ``GET /v1/accounts`` and of ``myAsset``: ``balance`` is the free amount."""

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

    def fees(self, documented: Fees) -> Fees:
        """The account's own rates, of either side the higher; ``documented`` says in which coin they are taken.

        Raises:
            WireError: a rate that makes no sense.
        """
        taker = max(fee_rate(self.bid_fee, "bid_fee"), fee_rate(self.ask_fee, "ask_fee"))
        reported = [fee for fee in (self.maker_bid_fee, self.maker_ask_fee) if fee is not None]
        maker = max((fee_rate(fee, "maker_fee") for fee in reported), default=taker)
        return replace(documented, taker=taker, maker=maker)


class _MyAsset(msgspec.Struct):
    assets: list[AccountRow]


_my_asset = reader(_MyAsset, "myAsset")


def side_of(side: str) -> Side:
    """Our side for bid and ask in either case, or buy and sell, as one venue's stream has them."""
    try:
        return _SIDES[side.lower()]
    except KeyError:
        raise WireError("side", f"{side!r} is neither bid nor ask") from None


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
    return OrderReport(row.exchange, row.client_order_id or "", row.order_id, row.our_state, filled)


def fills_of(row: OrderRow, market: Market) -> tuple[Fill, ...]:
    """The fills that ``row`` lists, oldest first, each with its part of the order's fee."""
    trades = sorted(row.trades or (), key=lambda trade: (trade.created_at or row.created_at or "", trade.uuid))
    for trade in trades:  # before anything is added up or compared, which a NaN would stop
        amount(trade.volume, "volume"), amount(trade.price, "price"), amount(trade.value, "funds")
    fees = _split_fee(row, trades, market)
    return tuple(
        Fill(
            exchange=row.exchange,
            trade_id=trade.uuid,
            client_order_id=row.client_order_id or "",
            venue_order_id=row.order_id,
            market=market.code,
            base=market.base,
            quote=market.quote,
            side=side_of(row.side),
            qty=trade.volume,
            price=trade.price,
            cost=trade.value,
            fee=fee,
            fee_currency=market.quote,
            liquidity="taker" if row.time_in_force in IMMEDIATE else "maker",  # not reported; both pay the same fee here
            ts_event=ms_of(trade.created_at or row.created_at),
        )
        for trade, fee in zip(trades, fees, strict=True)
    )


def _split_fee(row: OrderRow, trades: Sequence[TradeRow], market: Market) -> list[Decimal]:
    """Each trade's part of ``paid_fee``, which is the order's.

    The rate is the same for all trades of an order, so each pays by its value; what rounding leaves goes with the last. By
    the market's rate instead where the sum is of more trades than are listed, or is not reported at all: that is no fee of zero.
    """
    value = sum((trade.value for trade in trades), ZERO)
    by_rate = [trade.value * market.fees.taker for trade in trades]
    is_whole = sum(trade.volume for trade in trades) >= row.executed_volume
    paid = sum(by_rate, ZERO) if row.paid_fee is None else charge(row.paid_fee, "paid_fee")
    if not is_whole or not value or paid == value * market.fees.taker:
        return by_rate
    fees = [(paid * trade.value / value).quantize(Decimal("1e-8")) for trade in trades[:-1]]
    return [*fees, paid - sum(fees, ZERO)]


def ms_of(created_at: str | None) -> int:
    """``2026-01-01T09:00:00+09:00`` in ms since the epoch; 0 where it is left out.

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


def report_of_event(event: OrderEvent, markets: Mapping[str, Market]) -> OrderReport:
    """The report of ``event``; without fills in a market that is not connected here.

    Raises:
        WireError: amounts or fields are invalid.
    """
    market, filled = markets.get(event.code), event.filled
    fills: tuple[Fill, ...] = ()
    if event.state == "trade" and market is not None:
        if event.trade_id is None or event.trade_price is None or event.trade_quantity is None:
            raise WireError("myOrder", "a trade without its id, price or quantity")
        cost = amount(event.trade_price, "price") * amount(event.trade_quantity, "quantity")
        fills = (
            Fill(
                exchange=event.exchange,
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
                fee=event.fee_of(cost, market),
                fee_currency=market.quote,
                liquidity="maker" if event.has_rested else "taker",
                ts_event=event.trade_timestamp or event.timestamp or 0,
            ),
        )
    return OrderReport(event.exchange, event.client_order_id or "", event.order_id, event.our_state, filled, fills)


def balances_of_event(frame: bytes) -> dict[str, Balance]:
    """The balances of a ``myAsset`` frame: the assets that changed."""
    return balances_of(_my_asset(frame).assets)
