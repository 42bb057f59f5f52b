"""Bybit's orders, fills and balances, decoded exactly (bybit-exchange/docs, v5: Trade, Account, User, WebSocket Stream "Private")."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from arbtui.exchanges.adapter import OrderReport
from arbtui.exchanges.amounts import amount, number, read, reader, side_of
from arbtui.exchanges.bybit.rules import EXCHANGE
from arbtui.exchanges.private_stream import StreamRefused
from arbtui.model.errors import WireError
from arbtui.model.market import Market
from arbtui.model.money import ZERO
from arbtui.model.order import Balance, Fill, OrderState, Side

T = TypeVar("T")

SPOT = "spot"
#: ``timeInForce`` of orders that never rest.
IMMEDIATE = frozenset({"IOC", "FOK"})
_STATES = {
    "New": OrderState.ACCEPTED,
    "Untriggered": OrderState.ACCEPTED,
    "Triggered": OrderState.ACCEPTED,
    "PartiallyFilled": OrderState.PARTIALLY_FILLED,
    "Filled": OrderState.FILLED,
    "Rejected": OrderState.REJECTED,
    "Cancelled": OrderState.CANCELED,
    "PartiallyFilledCanceled": OrderState.CANCELED,
    "Deactivated": OrderState.CANCELED,
}
#: ``stopOrderType`` of an order that is none of these kinds; the name of a kind is its ``orderFilter``, but for one.
_NORMAL = frozenset({"", "UNKNOWN"})
_FILTERS = {"Stop": "StopOrder"}


class _Answer(msgspec.Struct):
    retCode: int
    result: dict[str, Any]
    retMsg: str = ""


class Page(msgspec.Struct):
    """``result`` of a list that comes in pages."""

    list: list[Any]
    nextPageCursor: str | None = ""


class Placed(msgspec.Struct):
    """``result`` of a new order or a cancel: it was taken, and nothing more is said."""

    orderId: str
    orderLinkId: str = ""


class OrderRow(msgspec.Struct):
    """An order, of REST and of the topic ``order``."""

    symbol: str
    orderId: str
    orderStatus: str
    cumExecQty: str
    orderLinkId: str = ""
    side: str = ""
    timeInForce: str = ""
    rejectReason: str = ""
    stopOrderType: str = ""
    category: str = SPOT

    @property
    def filter(self) -> str:
        """The kind of order that a cancel must name (``orderFilter``)."""
        return "Order" if self.stopOrderType in _NORMAL else _FILTERS.get(self.stopOrderType, self.stopOrderType)


class _ExtraFee(msgspec.Struct):
    feeCoin: str
    fee: Decimal


class ExecutionRow(msgspec.Struct):
    """A fill, of REST and of the topic ``execution``."""

    symbol: str
    orderId: str
    execId: str
    side: str
    execPrice: Decimal
    execQty: Decimal
    execTime: str
    execType: str = "Trade"
    orderLinkId: str = ""
    execValue: str = ""
    execFee: str | None = None
    feeCurrency: str | None = None
    isMaker: bool | None = None
    extraFees: list[_ExtraFee] | str | None = None
    category: str = SPOT


class _CoinRow(msgspec.Struct):
    coin: str
    walletBalance: str
    locked: str = ""
    spotBorrow: str = ""


class _WalletRow(msgspec.Struct):
    coin: list[_CoinRow]
    accountType: str = "UNIFIED"


class _Permissions(msgspec.Struct):
    """What may move money has a right of its own; the others of the list do not concern it."""

    Spot: list[str] = []
    Wallet: list[str] = []
    FiatP2P: list[str] = []
    FiatBitPay: list[str] = []
    FiatConvertBroker: list[str] = []
    BitCard: list[str] = []


class KeyInfo(msgspec.Struct):
    """``GET /v5/user/query-api``: what a key may do."""

    readOnly: int
    permissions: _Permissions
    uta: int
    userID: int
    ips: list[str] = []

    @property
    def may_move_money(self) -> str:
        """What it could do with money beside trading, in the venue's words; empty where nothing."""
        rights = self.permissions
        wallet = [right for right in rights.Wallet if right != "SubMemberTransferList"]  # a list, to read
        return ", ".join([*wallet, *rights.FiatP2P, *rights.FiatBitPay, *rights.FiatConvertBroker, *rights.BitCard])

    @property
    def works_everywhere(self) -> bool:
        """True where no address list restricts it."""
        return not self.ips or "*" in self.ips


class AccountInfo(msgspec.Struct):
    """``GET /v5/account/info``. ``unifiedMarginStatus``: 1 is a classic account, 3 to 6 are unified ones."""

    unifiedMarginStatus: int


class TradeConfig(msgspec.Struct):
    """``GET /v5/account/user-setting-config``. ``smsef``: spot fees are paid in MNT."""

    smsef: bool = False


class FeeRow(msgspec.Struct):
    """A row of ``GET /v5/account/fee-rate``."""

    symbol: str
    takerFeeRate: Decimal
    makerFeeRate: Decimal


def result_of(answer: Any, kind: type[T], what: str) -> T:
    """``result`` of an answer.

    Raises:
        WireError: it is no such answer, or an error.
    """
    told = read(answer, _Answer, what)
    if told.retCode:
        raise WireError(what, f"{told.retCode} {told.retMsg}")
    return read(told.result, kind, what)


def state_of(status: str, time_in_force: str, filled: Decimal) -> OrderState:
    """Our order state for Bybit's.

    Raises:
        WireError: a status that is not in the documentation.
    """
    try:
        state = _STATES[status]
    except KeyError:
        raise WireError("orderStatus", f"{status!r} is not an order status") from None
    if state is OrderState.CANCELED and time_in_force in IMMEDIATE:
        return OrderState.EXPIRED
    if state is OrderState.REJECTED and filled:
        raise WireError("orderStatus", f"Rejected, and {filled} of it filled")
    return state


def report_of(row: OrderRow, fills: tuple[Fill, ...] = ()) -> OrderReport:
    """The report of an order and its separately fetched ``fills``, in a market that need not be connected."""
    filled = _amount(row.cumExecQty, "cumExecQty")
    state = state_of(row.orderStatus, row.timeInForce, filled)
    reason = "" if row.rejectReason in ("", "EC_NoError") else row.rejectReason
    return OrderReport(EXCHANGE, row.orderLinkId, row.orderId, state, filled, fills, reason)


def fill_of(row: ExecutionRow, market: Market) -> Fill:
    """An execution as a fill. Executions are numbered by market, so our trade id holds the market too.

    Raises:
        WireError: an amount or id that makes no sense.
    """
    if not row.execId:
        raise WireError("execution", "it has no execId")
    side, qty, price = side_of(row.side, "Buy", "Sell"), amount(row.execQty, "execQty"), amount(row.execPrice, "execPrice")
    cost = _amount(row.execValue, "execValue") if row.execValue else price * qty
    fee, currency = _fee(row, market, side, qty, cost)
    try:
        ts_event = int(row.execTime)
    except ValueError:
        raise WireError("execTime", f"{row.execTime!r} is no time") from None
    return Fill(
        exchange=EXCHANGE,
        trade_id=f"{market.code}:{row.execId}",
        client_order_id=row.orderLinkId,
        venue_order_id=row.orderId,
        market=market.code,
        base=market.base,
        quote=market.quote,
        side=side,
        qty=qty,
        price=price,
        cost=cost,
        fee=fee,
        fee_currency=currency,
        liquidity="maker" if row.isMaker else "taker",
        ts_event=ts_event,
    )


def _fee(row: ExecutionRow, market: Market, side: Side, qty: Decimal, cost: Decimal) -> tuple[Decimal, str]:
    """A fill's fee and its currency: as reported, else by the market's rate and rule. A fee that is not reported is not a fee of zero.

    The currency is base on a buy and quote on a sell, the reverse for a maker who is paid (Enums, "Spot Fee Currency Instruction").
    """
    received = market.base if side is Side.BUY else market.quote
    fee = number(row.execFee, "execFee")
    if fee is None:
        return (qty if side is Side.BUY else cost) * market.fees.taker, received
    paid = market.quote if side is Side.BUY else market.base
    currency = row.feeCurrency or (received if fee >= 0 else paid)
    if isinstance(row.extraFees, list):  # taxes of some countries
        fee += sum((amount(one.fee, "extraFees") for one in row.extraFees if one.feeCoin == currency), ZERO)
    return fee, currency


def balances_of(wallets: Iterable[_WalletRow]) -> dict[str, Balance]:
    """Balances by asset. ``walletBalance`` holds what was borrowed (``spotBorrow``), which is not ours.

    Raises:
        WireError: an amount that makes no sense, or an asset that is owed.
    """
    found: dict[str, Balance] = {}
    for row in (coin for wallet in wallets for coin in wallet.coin):
        locked = _amount(row.locked, "locked")
        free = (number(row.walletBalance, "walletBalance") or ZERO) - locked - _amount(row.spotBorrow, "spotBorrow")
        if free < 0:
            raise WireError("wallet", f"the account owes {-free} {row.coin}: repay it; nothing is traded on borrowed money here")
        found[row.coin] = Balance(free, locked)
    return found


class Wallets(msgspec.Struct):
    """``result`` of ``GET /v5/account/wallet-balance``."""

    list: list[_WalletRow]


class _Frame(msgspec.Struct):
    """A private frame: data of a topic, or the answer to a message of ours."""

    topic: str = ""
    op: str = ""
    success: bool | None = None
    ret_msg: str = ""
    data: msgspec.Raw = msgspec.Raw()
    request: dict[str, Any] = {}


_frame = reader(_Frame, "frame")
_orders = reader(list[OrderRow], "order")
_executions = reader(list[ExecutionRow], "execution")
_wallets = reader(list[_WalletRow], "wallet")


def event_of(frame: bytes) -> tuple[str, bytes]:
    """A frame's topic and its data; what was answered, and nothing, for the answer to a message.

    Raises:
        StreamRefused: the answer is an error.
        WireError: it is neither.
    """
    told = _frame(frame)
    if told.topic:
        return told.topic.partition(".")[0], bytes(told.data)
    op = told.op or str(told.request.get("op", ""))
    if told.success is False:
        code, _, words = told.ret_msg.partition(" ")
        code = code.rstrip(":,")
        is_code = code.isdigit()
        # An unnumbered no to the login is a no to the key.
        raise StreamRefused(code if is_code else "10007" if op == "auth" else "", words if is_code else told.ret_msg, 400)
    if not op:
        raise WireError("frame", "neither a topic nor an answer")
    return f"answer {op}", b""


def orders_of_event(data: bytes) -> list[OrderRow]:
    """The orders of the topic ``order`` that are of spot."""
    return [row for row in _orders(data) if row.category == SPOT]


def executions_of_event(data: bytes) -> list[ExecutionRow]:
    """The fills of the topic ``execution`` that are of spot."""
    return [row for row in _executions(data) if row.category == SPOT and row.execType == "Trade"]


def balances_of_event(data: bytes) -> dict[str, Balance]:
    """The balances of the topic ``wallet``: the assets that it names."""
    return balances_of(_wallets(data))


def report_of_executions(rows: Sequence[ExecutionRow], markets: Mapping[str, Market]) -> list[OrderReport]:
    """What executions alone say of their orders: fills, and no end. Those of markets that are not connected are left out."""
    reports: dict[str, OrderReport] = {}
    for row in rows:
        market = markets.get(row.symbol)
        if market is None:
            continue
        fill = fill_of(row, market)
        before = reports.get(row.orderId)
        if before is None:
            reports[row.orderId] = OrderReport(EXCHANGE, row.orderLinkId, row.orderId, OrderState.PARTIALLY_FILLED, fill.qty, (fill,))
        else:
            reports[row.orderId] = replace(before, filled_qty=before.filled_qty + fill.qty, fills=(*before.fills, fill))
    return list(reports.values())


def _amount(text: str, what: str) -> Decimal:
    """An amount; Bybit writes nothing where there is none."""
    return amount(number(text, what) or ZERO, what)
