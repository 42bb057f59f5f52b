"""Upbit's signed REST calls: orders, cancels, lookups, accounts (docs.upbit.com, Exchange API)."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from arbtui.model.errors import OrderRejected
from arbtui.model.market import Market
from arbtui.model.money import ZERO, floor_to
from arbtui.model.order import Balance, OrderState, Side, TimeInForce
from arbtui.sandbox.account import Account, as_of
from arbtui.sandbox.clock import VenueClock
from arbtui.sandbox.faults import WireFaults
from arbtui.sandbox.keys import Key
from arbtui.sandbox.order_calls import UNNAMED
from arbtui.sandbox.order_log import OrderRecord
from arbtui.sandbox.upbit.bodies import account_body, chance_body, order_body, order_with_trades
from arbtui.sandbox.upbit.names import order_number
from arbtui.sandbox.upbit.refusals import refused, refused_by_core
from arbtui.sandbox.won.account_calls import AccountCalls
from arbtui.sandbox.won.parameters import Body, number_of
from arbtui.simulation.matching import BookSource
from arbtui.simulation.order_request import OrderRequest

_SIDES = {"bid": Side.BUY, "ask": Side.SELL}
_TIFS = {None: TimeInForce.GTC, "ioc": TimeInForce.IOC, "fok": TimeInForce.FOK}
_STATES = {
    "wait": (OrderState.ACCEPTED, OrderState.PARTIALLY_FILLED),
    "done": (OrderState.FILLED,),
    "cancel": (OrderState.CANCELED, OrderState.EXPIRED),
}
#: So many order types are remembered; an older order shows as a limit order.
_TYPES = 10_000
_VOLUME_STEP = Decimal("0.00000001")


class UpbitExchange(AccountCalls):
    """Handlers of the signed calls; each takes its parameters and returns the answer's body."""

    def __init__(
        self, account: Account, book_of: BookSource, faults: WireFaults, is_halted: Callable[[str], bool], clock: VenueClock
    ) -> None:
        super().__init__(account, faults, is_halted, clock)
        self.ord_types: dict[str, str] = {}  #: client id -> Upbit's order type, where it is not ``limit``; the newest, lost at a restart
        self._book_of = book_of

    def ord_type(self, order: OrderRecord) -> str:
        """Upbit's order type of ``order``."""
        return self.ord_types.get(order.client_order_id, "limit")

    async def place(self, key: Key, body: Body) -> dict[str, Any]:
        """``POST /v1/orders``: the order as accepted, before it is matched.

        ``GET /v1/order`` and ``myOrder`` report its outcome.
        """
        order = await self._place(body)
        return order_body(as_of(order, 0), self.market(order.code), self.ord_type(order))

    async def test(self, key: Key, body: Body) -> dict[str, Any]:
        """``POST /v1/orders/test``: checks a new order without placing it."""
        market, side, qty, price, tif, ord_type = self._read(body)
        broken = market.refusal(price, qty)
        if broken is not None:
            raise refused_by_core(broken, str(body.get("side")))
        order = OrderRecord(0, UNNAMED, market.code, side, qty, price, tif, self._clock.time_ms(), OrderState.ACCEPTED, ZERO)
        return order_body(order, market, ord_type)

    async def order(self, key: Key, query: Body) -> dict[str, Any]:
        """``GET /v1/order`` by ``uuid`` or ``identifier``; ``uuid`` wins when both are there."""
        order = self._found(query)
        return order_with_trades(order, self.market(order.code), self.ord_type(order))

    async def open_orders(self, key: Key, query: Body) -> list[dict[str, Any]]:
        """``GET /v1/orders/open``."""
        return [self._row(order) for order in _page(self._account.log.open_orders(query.get("market")), query)]

    async def closed_orders(self, key: Key, query: Body) -> list[dict[str, Any]]:
        """``GET /v1/orders/closed``: a window of at most seven days, the newest first."""
        wanted = [state for name in _many(query, "states", query.get("state")) or ["done", "cancel"] for state in _STATES.get(name, ())]
        now = self._clock.time_ms()
        until = _time(query.get("end_time"), now)
        since = _time(query.get("start_time"), until - 7 * 86_400_000)
        if until - since > 7 * 86_400_000:
            until = since + 7 * 86_400_000
        limit = min(int(query.get("limit", 100)), 1000)
        ascending = query.get("order_by") == "asc"
        code = query.get("market")
        rows = self._account.log.orders(code, states=wanted, since_ms=since, until_ms=until, limit=limit, oldest_first=ascending)
        return [self._row(order) for order in (rows if ascending else rows[::-1])]

    async def orders_by_id(self, key: Key, query: Body) -> list[dict[str, Any]]:
        """``GET /v1/orders/uuids``: by ``uuids[]`` or ``identifiers[]``, at most a hundred; unknown ones are left out."""
        uuids, identifiers = _many(query, "uuids"), _many(query, "identifiers")
        if bool(uuids) == bool(identifiers):
            raise refused("validation_error")
        found = [self._by_uuid(uuid) for uuid in uuids] + [self._account.log.by_client_id(one) for one in identifiers]
        return [self._row(order) for order in found[:100] if order is not None and order.code == query.get("market", order.code)]

    async def cancel(self, key: Key, query: Body) -> dict[str, Any]:
        """``DELETE /v1/order``: the order as it was when the cancel was accepted."""
        order = self._found(query)
        body = self._row(order)
        if await self._account.cancel(order) is None:
            raise refused("order_not_found")
        return body

    async def cancel_all(self, key: Key, query: Body) -> dict[str, Any]:
        """``DELETE /v1/orders/open``: cancel open orders, at most ``count`` (20), of ``pairs`` or a side."""
        pairs = [code for code in str(query.get("pairs", "")).split(",") if code]
        side = _SIDES.get(str(query.get("cancel_side", "all")))
        count = min(int(query.get("count", 20)), 300)
        done: list[dict[str, Any]] = []
        failed: list[dict[str, Any]] = []
        for order in self._account.log.open_orders():
            if (pairs and order.code not in pairs) or (side is not None and order.side is not side) or len(done) >= count:
                continue
            (done if await self._account.cancel(order) is not None else failed).append(self._named(order))
        return {"success": {"count": len(done), "orders": done}, "failed": {"count": len(failed), "orders": failed}}

    def account_body(self, asset: str, balance: Balance) -> dict[str, Any]:
        """See :class:`AccountCalls`."""
        return account_body(asset, balance)

    def chance_body(self, market: Market, bid: Balance, ask: Balance, is_halted: bool) -> dict[str, Any]:
        """See :class:`AccountCalls`."""
        return chance_body(market, bid, ask, is_halted)

    def market(self, code: str) -> Market:
        """See :class:`AccountCalls`."""
        market = self._account.markets.get(code)
        if market is None:
            raise refused("market_not_found") if code else refused("validation_error")
        return market

    async def _place(self, body: Body) -> OrderRecord:
        market, side, qty, price, tif, ord_type = self._read(body)
        if self.takes_no_order(market.code):
            raise refused("market_offline")
        client_order_id = str(body.get("identifier") or self.make_id())
        if ord_type != "limit":
            self.ord_types[client_order_id] = ord_type
            if len(self.ord_types) > _TYPES:
                del self.ord_types[next(iter(self.ord_types))]
        try:
            return await self._account.place(OrderRequest(client_order_id, market.code, side, qty, price, tif))
        except OrderRejected as rejected:
            raise refused_by_core(rejected.reason, str(body["side"])) from None

    def _read(self, body: Body) -> tuple[Market, Side, Decimal, Decimal, TimeInForce, str]:
        """An order's parameters, checked one by one as Upbit does."""
        market = self.market(str(body.get("market", "")))
        side = _SIDES.get(str(body.get("side")))
        ord_type, time_in_force = str(body.get("ord_type")), body.get("time_in_force")
        if side is None or ord_type not in ("limit", "best", "price", "market") or time_in_force not in _TIFS:
            raise refused("validation_error")
        tif = _TIFS[time_in_force]
        if ord_type == "limit":
            return (
                market,
                side,
                number_of(body, "volume", refused("validation_error")),
                number_of(body, "price", refused("validation_error")),
                tif,
                ord_type,
            )
        if (ord_type == "best") is (time_in_force is None) or (ord_type == "price") is not (side is Side.BUY and ord_type != "best"):
            raise refused(f"create_{body['side']}_error")
        # None of these has a limit price: `best` takes the best price on the other side, the others whatever the book shows.
        book = self._book_of(market.code)
        shown = [Decimal(repr(price)) for price, _ in (book.asks() if side is Side.BUY else book.bids())]
        if not shown:
            raise refused(f"create_{body['side']}_error")
        price = shown[0] if ord_type == "best" else shown[-1]
        tif = tif if ord_type == "best" else TimeInForce.IOC
        if side is Side.SELL:
            return market, side, number_of(body, "volume", refused("validation_error")), price, tif, ord_type
        return market, side, floor_to(number_of(body, "price", refused("validation_error")) / shown[0], _VOLUME_STEP), price, tif, ord_type

    def _found(self, query: Body) -> OrderRecord:
        uuid, identifier = query.get("uuid"), query.get("identifier")
        if not uuid and not identifier:
            raise refused("validation_error")
        order = self._by_uuid(str(uuid)) if uuid else self._account.log.by_client_id(str(identifier))
        if order is None:
            raise refused("order_not_found")
        return order

    def _by_uuid(self, uuid: str) -> OrderRecord | None:
        number = order_number(uuid)
        return None if number is None else self._account.log.by_number(number)

    def _row(self, order: OrderRecord) -> dict[str, Any]:
        return order_body(order, self.market(order.code), self.ord_type(order))

    def _named(self, order: OrderRecord) -> dict[str, Any]:
        row = self._row(order)
        return {name: row[name] for name in ("uuid", "market", "identifier") if name in row}


def _many(query: Body, name: str, single: object = None) -> list[str]:
    value = query.get(name, single)
    return [] if value is None else [str(one) for one in value] if isinstance(value, list) else str(value).split(",")


def _page(orders: list[OrderRecord], query: Body) -> list[OrderRecord]:
    """One page, the newest first."""
    limit, page = min(int(query.get("limit", 100)), 100), max(1, int(query.get("page", 1)))
    ordered = orders if query.get("order_by") == "asc" else orders[::-1]
    return ordered[(page - 1) * limit : page * limit]


def _time(value: object, otherwise: int) -> int:
    """A time in ms, from ms or from ISO 8601."""
    if value is None:
        return otherwise
    text = str(value)
    try:
        return int(text) if text.isdigit() else round(datetime.fromisoformat(text).timestamp() * 1000)
    except ValueError:
        raise refused("validation_error") from None
