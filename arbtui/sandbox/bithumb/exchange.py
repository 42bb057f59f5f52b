"""Bithumb's signed REST calls: orders, cancels, look-ups, accounts (apidocs.bithumb.com, Private API)."""

import re
from typing import Any

from arbtui.model.errors import OrderRejected
from arbtui.model.market import Market
from arbtui.model.order import Balance, OrderState, Side, TimeInForce
from arbtui.sandbox.answer import Refusal
from arbtui.sandbox.bithumb.bodies import account_body, cancelled, chance_body, listed, order_with_trades, taken
from arbtui.sandbox.bithumb.names import order_id, order_number
from arbtui.sandbox.bithumb.refusals import no_market, no_parameter, refused, refused_by_core
from arbtui.sandbox.keys import Key
from arbtui.sandbox.order_log import OrderRecord
from arbtui.sandbox.won.account_calls import AccountCalls
from arbtui.sandbox.won.parameters import Body, number_of
from arbtui.simulation.order_request import OrderRequest

_SIDES = {"bid": Side.BUY, "ask": Side.SELL}
_TIFS = {None: TimeInForce.GTC, "ioc": TimeInForce.IOC, "fok": TimeInForce.FOK}
_ENDED = (OrderState.FILLED, OrderState.CANCELED, OrderState.EXPIRED)
_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,36}")
_WINDOW_MS = 7 * 86_400_000
_CANCELS = 30


class BithumbExchange(AccountCalls):
    """Handlers of the signed calls; each takes its parameters and returns the answer's body."""

    async def place(self, key: Key, body: Body) -> dict[str, Any]:
        """``POST /v2/orders``: that it was accepted. ``GET /v1/order`` and ``myOrder`` report its outcome."""
        market = self.market(str(body.get("market", "")))
        side, time_in_force = _SIDES.get(str(body.get("side"))), body.get("time_in_force")
        # Market orders, and `post_only`, are not played: nothing here sends them.
        if side is None or body.get("order_type") != "limit" or time_in_force not in _TIFS:
            raise refused("invalid_parameter")
        qty, price = number_of(body, "volume", refused("invalid_parameter")), number_of(body, "price", refused("invalid_parameter"))
        client_order_id = body.get("client_order_id")
        if client_order_id is not None and not _CLIENT_ID.fullmatch(str(client_order_id)):
            raise refused("invalid_parameter", "client_order_id must be 1 to 36 characters of [A-Za-z0-9_-]")
        if self.takes_no_order(market.code):
            raise refused("market_offline")
        request = OrderRequest(str(client_order_id or self.make_id()), market.code, side, qty, price, _TIFS[time_in_force])
        try:
            return taken(await self._account.place(request))
        except OrderRejected as rejected:
            raise refused_by_core(rejected.reason, str(body["side"])) from None

    async def order(self, key: Key, query: Body) -> dict[str, Any]:
        """``GET /v1/order`` by ``uuid`` or ``client_order_id``; ``uuid`` wins when both are there."""
        order = self._found(query, "uuid")
        return order_with_trades(order, self._account.markets[order.code])

    async def pending(self, key: Key, query: Body) -> dict[str, Any]:
        """``GET /v2/orders/pending``: open orders, the newest first; none here waits for a condition (``watch``)."""
        found = self._account.log.open_orders(query.get("market")) if query.get("state", "wait") == "wait" else []
        return self._page(found, query, 100)

    async def history(self, key: Key, query: Body) -> dict[str, Any]:
        """``GET /v2/orders/history``: orders that have ended, of a window of at most seven days by their creation."""
        wanted = many(query, "states") or ["done", "cancel"]
        until = int(query.get("end_time", self._clock.time_ms()))
        since = int(query.get("start_time", until - _WINDOW_MS))
        if until - since > _WINDOW_MS:
            raise refused("invalid_parameter")
        rows = self._account.log.orders(query.get("market"), states=_ENDED, since_ms=since, until_ms=until, limit=1_000_000)
        return self._page([order for order in rows if listed(order, self._account.markets[order.code])["state"] in wanted], query, 1000)

    async def cancel(self, key: Key, query: Body) -> dict[str, Any]:
        """``DELETE /v2/order``: that it was accepted."""
        order = self._found(query, "order_id")
        if await self._account.cancel(order) is None:
            raise refused("order_not_found")
        return cancelled(order)

    async def cancel_many(self, key: Key, body: Body) -> dict[str, Any]:
        """``POST /v2/orders/cancel``: up to thirty, by ``order_ids`` or ``client_order_ids``."""
        name = "order_ids" if "order_ids" in body else "client_order_ids"
        ids = many(body, name)
        if not 0 < len(ids) <= _CANCELS:
            raise refused("invalid_parameter")
        done, failed = [], []
        for one in ids:
            try:
                done.append(await self.cancel(key, {name.removesuffix("s"): one}))
            except Refusal as no:
                failed.append({name.removesuffix("s"): one, **no.body})
        return {"success": done, "fail": failed}

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
            raise no_market() if code else no_parameter()
        return market

    def code_of(self, query: Body) -> str:
        """The market of the order that a cancel names; empty where it names none."""
        try:
            return self._found(query, "order_id").code
        except Refusal:
            return ""

    def _found(self, query: Body, name: str) -> OrderRecord:
        told, client_order_id = query.get(name), query.get("client_order_id")
        if not told and not client_order_id:
            raise no_parameter()
        number = order_number(str(told)) if told else None
        log = self._account.log
        order = (log.by_number(number) if number is not None else None) if told else log.by_client_id(str(client_order_id))
        if order is None:
            raise refused("order_not_found")
        return order

    def _page(self, found: list[OrderRecord], query: Body, most: int) -> dict[str, Any]:
        """One page of ``found``, which are oldest first; ``next_key`` names the last order that was told."""
        limit = min(int(query.get("limit", most)), most)
        if limit < 1:
            raise refused("invalid_parameter")
        ordered = found if query.get("order_by") == "asc" else found[::-1]
        key = query.get("next_key")
        places = {order_id(order.number): place for place, order in enumerate(ordered)}
        begin = 0 if key is None else places.get(str(key), len(ordered)) + 1
        rows = ordered[begin : begin + limit]
        more = begin + limit < len(ordered)
        return {
            "data": [listed(order, self._account.markets[order.code]) for order in rows],
            "has_next": more,
            "next_key": order_id(rows[-1].number) if more else None,
        }


def many(query: Body, name: str) -> list[str]:
    """A list of texts; empty where it is not there."""
    value = query.get(name)
    return [] if value is None else [str(one) for one in value] if isinstance(value, list) else [str(value)]
