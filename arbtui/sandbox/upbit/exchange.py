"""Upbit's signed REST calls: orders, cancels, lookups, accounts (docs.upbit.com, Exchange API)."""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import parse_qsl

from arbtui.model.errors import OrderRejected
from arbtui.model.market import Market
from arbtui.model.money import ZERO, floor_to, plain
from arbtui.model.order import Balance, OrderState, Side, TimeInForce
from arbtui.sandbox.account import Account, as_of
from arbtui.sandbox.clock import VenueClock
from arbtui.sandbox.faults import WireFaultKind, WireFaults
from arbtui.sandbox.keys import Key
from arbtui.sandbox.order_log import OrderRecord
from arbtui.sandbox.upbit.bodies import UNNAMED, account_body, chance_body, kst, order_body, order_with_trades
from arbtui.sandbox.upbit.names import order_number
from arbtui.sandbox.upbit.refusals import refused, refused_by_core
from arbtui.simulation.matching import BookSource
from arbtui.simulation.networks import simulated_terms
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
_YEAR_MS = 365 * 86_400_000
_VOLUME_STEP = Decimal("0.00000001")

Body = Mapping[str, Any]


class UpbitExchange:
    """Handlers of the signed calls; each takes its parameters and returns the answer's body."""

    def __init__(
        self, account: Account, book_of: BookSource, faults: WireFaults, is_halted: Callable[[str], bool], clock: VenueClock
    ) -> None:
        self.ord_types: dict[str, str] = {}  #: client id -> Upbit's order type, where it is not ``limit``; the newest, lost at a restart
        self._account = account
        self._book_of = book_of
        self._faults = faults
        self._is_halted = is_halted
        self._clock = clock
        self._unnamed = 0

    def ord_type(self, order: OrderRecord) -> str:
        """Upbit's order type of ``order``."""
        return self.ord_types.get(order.client_order_id, "limit")

    async def place(self, key: Key, body: Body) -> dict[str, Any]:
        """``POST /v1/orders``: the order as accepted, before it is matched.

        ``GET /v1/order`` and ``myOrder`` report its outcome.
        """
        order = await self._place(body)
        return order_body(as_of(order, 0), self._market(order.code), self.ord_type(order))

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
        return order_with_trades(order, self._market(order.code), self.ord_type(order))

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

    async def accounts(self, key: Key, query: Body) -> list[dict[str, Any]]:
        """``GET /v1/accounts``: assets with a balance."""
        return [account_body(asset, balance) for asset, balance in self._account.balances().items() if balance.total]

    async def chance(self, key: Key, query: Body) -> dict[str, Any]:
        """``GET /v1/orders/chance``."""
        market = self._market(str(query.get("market", "")))
        balances = self._account.balances()
        state = "delisted" if self._is_halted(market.code) else "active"
        return chance_body(market, balances.get(market.quote, Balance()), balances.get(market.base, Balance()), state)

    async def withdraw_chance(self, key: Key, query: Body) -> dict[str, Any]:
        """``GET /v1/withdraws/chance``: fee and least amount."""
        asset = str(query.get("currency", ""))
        terms = simulated_terms(asset)
        balance = self._account.balances().get(asset, Balance())
        return {
            "currency": {"code": asset, "withdraw_fee": plain(terms.fee or ZERO), "is_coin": True, "wallet_state": "working"},
            "account": account_body(asset, balance),
            "withdraw_limit": {"currency": asset, "minimum": plain(terms.least or ZERO), "fixed": 8, "can_withdraw": True},
        }

    async def withdraw_addresses(self, key: Key, query: Body) -> list[dict[str, Any]]:
        """``GET /v1/withdraws/coin_addresses``: every asset's address at Binance is registered."""
        assets = sorted({market.base for market in self._account.markets.values()})
        return [
            {
                "currency": asset,
                "net_type": asset,
                "network_name": asset,
                "withdraw_address": f"sandbox-{asset}",
                "exchange_name": "Binance",
            }
            for asset in assets
        ]

    async def wallet_status(self, key: Key, query: Body) -> list[dict[str, Any]]:
        """``GET /v1/status/wallet``: every asset's network works."""
        assets = sorted({market.base for market in self._account.markets.values()})
        return [
            {
                "currency": asset,
                "wallet_state": "working",
                "block_state": "normal",
                "block_height": 1_000_000,
                "block_updated_at": kst(self._clock.time_ms()),
                "block_elapsed_minutes": 0,
                "net_type": asset,
                "network_name": asset,
            }
            for asset in assets
        ]

    async def api_keys(self, key: Key, query: Body) -> list[dict[str, Any]]:
        """``GET /v1/api_keys``: the keys and when they expire, a year from now."""
        return [{"access_key": key.key, "expire_at": kst(self._clock.time_ms() + _YEAR_MS)}]

    async def _place(self, body: Body) -> OrderRecord:
        market, side, qty, price, tif, ord_type = self._read(body)
        self._faults.take(WireFaultKind.RULES, symbol=market.code)  # counts the fault as met: the rules themselves are in the market
        scripted = self._faults.take(WireFaultKind.HALT, symbol=market.code) is not None
        if scripted or self._is_halted(market.code):
            raise refused("market_offline")
        client_order_id = str(body.get("identifier") or self._make_id())
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
        market = self._market(str(body.get("market", "")))
        side = _SIDES.get(str(body.get("side")))
        ord_type, time_in_force = str(body.get("ord_type")), body.get("time_in_force")
        if side is None or ord_type not in ("limit", "best", "price", "market") or time_in_force not in _TIFS:
            raise refused("validation_error")
        tif = _TIFS[time_in_force]
        if ord_type == "limit":
            return market, side, _decimal(body, "volume"), _decimal(body, "price"), tif, ord_type
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
            return market, side, _decimal(body, "volume"), price, tif, ord_type
        return market, side, floor_to(_decimal(body, "price") / shown[0], _VOLUME_STEP), price, tif, ord_type

    def _market(self, code: str) -> Market:
        market = self._account.markets.get(code)
        if market is None:
            raise refused("market_not_found") if code else refused("validation_error")
        return market

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
        return order_body(order, self._market(order.code), self.ord_type(order))

    def _named(self, order: OrderRecord) -> dict[str, Any]:
        row = self._row(order)
        return {name: row[name] for name in ("uuid", "market", "identifier") if name in row}

    def _make_id(self) -> str:
        self._unnamed += 1
        return f"{UNNAMED}{self._clock.time_ms():x}-{self._unnamed}"


def parse_query(raw: str) -> dict[str, Any]:
    """A query string's parameters; those named ``x[]`` become lists."""
    result: dict[str, Any] = {}
    for name, value in parse_qsl(raw, keep_blank_values=True):
        if name.endswith("[]"):
            result.setdefault(name.removesuffix("[]"), []).append(value)
        else:
            result[name] = value
    return result


def _many(query: Body, name: str, single: object = None) -> list[str]:
    value = query.get(name, single)
    return [] if value is None else [str(one) for one in value] if isinstance(value, list) else str(value).split(",")


def _page(orders: list[OrderRecord], query: Body) -> list[OrderRecord]:
    """One page, the newest first."""
    limit, page = min(int(query.get("limit", 100)), 100), max(1, int(query.get("page", 1)))
    ordered = orders if query.get("order_by") == "asc" else orders[::-1]
    return ordered[(page - 1) * limit : page * limit]


def _decimal(body: Body, name: str) -> Decimal:
    try:
        value = Decimal(str(body[name]))
    except (KeyError, InvalidOperation):
        raise refused("validation_error") from None
    if not value.is_finite():
        raise refused("validation_error")
    return value


def _time(value: object, otherwise: int) -> int:
    """A time in ms, from ms or from ISO 8601."""
    if value is None:
        return otherwise
    text = str(value)
    try:
        return int(text) if text.isdigit() else round(datetime.fromisoformat(text).timestamp() * 1000)
    except ValueError:
        raise refused("validation_error") from None
