"""Coinone's signed REST calls of version 2.1: orders, cancels, look-ups, accounts (docs.coinone.co.kr, reference)."""

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from arbtui.exchanges.coinone.rules import code_of
from arbtui.model.errors import OrderRejected
from arbtui.model.market import Market
from arbtui.model.order import Fill, OrderState, Side, TimeInForce
from arbtui.sandbox.coinone.bodies import active, balance, cancelled, detail, fee_rate, trade
from arbtui.sandbox.coinone.names import order_id, order_number, trade_id
from arbtui.sandbox.coinone.refusals import refused, refused_by_core
from arbtui.sandbox.order_calls import OrderCalls
from arbtui.sandbox.order_log import OrderRecord
from arbtui.simulation.order_request import OrderRequest

_SIDES = {"BUY": Side.BUY, "SELL": Side.SELL}
_CLIENT_ID = re.compile(r"[a-z0-9._-]{1,150}")
_DAY_MS = 86_400_000
_MOST_DAYS = 90
_MOST_ROWS = 100

Body = Mapping[str, Any]


class CoinoneExchange(OrderCalls):
    """Handlers of the signed calls; each takes its parameters and returns what is in the answer beside its result."""

    async def place(self, body: Body) -> dict[str, Any]:
        """``/v2.1/order``: the order's id. Market and stop orders are not played: nothing here sends them."""
        market, side = self.market(body), _SIDES.get(str(body.get("side")))
        if body.get("type") != "LIMIT" or side is None:
            raise refused("166" if side is not None else "107")
        for name, missing in (("price", "161"), ("qty", "162"), ("post_only", "163")):
            if body.get(name) is None:
                raise refused(missing)
        if body["post_only"] is not False:
            raise refused("166")
        price, qty = _number(body["price"]), _number(body["qty"])
        client_order_id = body.get("user_order_id")
        if client_order_id is not None and not _CLIENT_ID.fullmatch(str(client_order_id)):
            raise refused("314")
        if self.takes_no_order(market.code):
            raise refused("300")
        request = OrderRequest(str(client_order_id or self.make_id()), market.code, side, qty, price, TimeInForce.GTC)
        try:
            return {"order_id": order_id((await self._account.place(request)).number)}
        except OrderRejected as rejected:
            raise refused_by_core(rejected.reason) from None

    async def detail(self, body: Body) -> dict[str, Any]:
        """``/v2.1/order/detail``."""
        order = self._found(body)
        return {"order": detail(order, self._account.markets[order.code])}

    async def active(self, body: Body) -> dict[str, Any]:
        """``/v2.1/order/active_orders``: all of them, the newest first."""
        code = self.market(body).code if "target_currency" in body else None
        kinds = body.get("order_type") or ["LIMIT", "STOP_LIMIT"]
        rows = self._account.log.open_orders(code)[::-1] if "LIMIT" in kinds else []
        return {"active_orders": [active(order, self._account.markets[order.code]) for order in rows]}

    async def completed(self, body: Body) -> dict[str, Any]:
        """``/v2.1/order/completed_orders``."""
        return self._trades(body, self.market(body).code)

    async def all_completed(self, body: Body) -> dict[str, Any]:
        """``/v2.1/order/completed_orders/all``."""
        return self._trades(body, None)

    async def cancel(self, body: Body) -> dict[str, Any]:
        """``/v2.1/order/cancel``."""
        order = self._found(body)
        done = await self._account.cancel(order)
        if done is None:
            filled = self._account.log.by_number(order.number)
            raise refused("116" if filled is not None and filled.state is OrderState.FILLED else "117")
        return cancelled(done, self._account.markets[order.code], self._clock.time_ms())

    async def balances(self, body: Body) -> dict[str, Any]:
        """``/v2.1/account/balance/all``."""
        return {"balances": [balance(asset, held) for asset, held in self._account.balances().items()]}

    async def trade_fees(self, body: Body) -> dict[str, Any]:
        """``/v2.1/account/trade_fee``."""
        return {"fee_rates": [fee_rate(market) for market in self._account.markets.values()]}

    def market(self, body: Body) -> Market:
        """The market that a request names.

        Raises:
            Refusal: it names none, or one that is not there.
        """
        quote, base = body.get("quote_currency"), body.get("target_currency")
        if not quote or not base:
            raise refused("107")
        market = self._account.markets.get(code_of(str(quote), str(base)))
        if market is None:
            raise refused("108")
        return market

    def _found(self, body: Body) -> OrderRecord:
        told, client_order_id = body.get("order_id"), body.get("user_order_id")
        if told and client_order_id:
            raise refused("313")
        if not told and not client_order_id:
            raise refused("107")
        market, log = self.market(body), self._account.log
        number = order_number(str(told)) if told else None
        order = (log.by_number(number) if number is not None else None) if told else log.by_client_id(str(client_order_id))
        if order is None or order.code != market.code:
            raise refused("104")
        return order

    def _trades(self, body: Body, code: str | None) -> dict[str, Any]:
        """The newest fills of a time, before ``to_trade_id`` where it is told."""
        since, until, size = (_whole(body.get(name)) for name in ("from_ts", "to_ts", "size"))
        if not 1 <= size <= _MOST_ROWS:
            raise refused("317")
        if not until - _MOST_DAYS * _DAY_MS <= since <= until or until // _DAY_MS > self._clock.time_ms() // _DAY_MS:
            raise refused("316")
        rows: list[Fill] = self._account.log.fills(code, since_ms=since, until_ms=until)[::-1]
        before = body.get("to_trade_id")
        if before is not None:
            places = {trade_id(fill.trade_id): place for place, fill in enumerate(rows)}
            rows = rows[places.get(str(before), len(rows)) + 1 :]
        return {"completed_orders": [trade(fill, self._account.markets[fill.market]) for fill in rows[:size]]}


def _number(told: object) -> Decimal:
    """An amount, which must be a string."""
    try:
        value = Decimal(told) if isinstance(told, str) else Decimal("NaN")
    except InvalidOperation:
        raise refused("107") from None
    if not value.is_finite():
        raise refused("107")
    return value


def _whole(told: object) -> int:
    if isinstance(told, bool) or not isinstance(told, int):
        raise refused("107")
    return told
