"""Bitget's signed calls (bitget.com/api-doc, spot, "Trade" and "Account"; common, "Get Trade Rate"). Orders are limit orders."""

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from arbtui.model.errors import OrderRejected
from arbtui.model.market import Market
from arbtui.model.money import ZERO
from arbtui.model.order import OrderState, Side, TimeInForce
from arbtui.sandbox.account import Account
from arbtui.sandbox.bitget.bodies import USER_ID, asset_body, ended_body, fill_body, open_body, order_body, placed_body
from arbtui.sandbox.bitget.names import order_number, trade_number
from arbtui.sandbox.bitget.refusals import refused, refused_by_core
from arbtui.sandbox.clock import VenueClock
from arbtui.sandbox.faults import WireFaultKind, WireFaults
from arbtui.sandbox.keys import Key
from arbtui.sandbox.order_calls import UNNAMED, OrderCalls
from arbtui.sandbox.order_log import OrderRecord
from arbtui.simulation.order_request import OrderRequest

Params = Mapping[str, Any]
T = TypeVar("T")

_SIDES = {"buy": Side.BUY, "sell": Side.SELL}
_TIFS = {"gtc": TimeInForce.GTC, "ioc": TimeInForce.IOC, "fok": TimeInForce.FOK}
_CLIENT_ID = re.compile(r"[A-Za-z0-9_:#+-]+")
_LONGEST_ID, _WIDEST_MS = 50, 60_000
_MOST_ROWS = 100
_ENDED = (OrderState.FILLED, OrderState.CANCELED, OrderState.EXPIRED)


class BitgetTrading(OrderCalls):
    """Handlers of the signed calls; each takes its parameters and returns the answer's data."""

    def __init__(self, account: Account, faults: WireFaults, is_halted: Callable[[str], bool], clock: VenueClock, coin: str) -> None:
        super().__init__(account, faults, is_halted, clock)
        self._coin = coin

    async def place(self, key: Key, params: Params) -> Any:
        """``POST /api/v2/spot/trade/place-order``: that the order was taken, not what became of it."""
        self._check_window(params)
        request = self._read(params)
        if self.takes_no_order(request.code):
            raise refused("41114")
        try:
            return placed_body(await self._account.place(request))
        except OrderRejected as rejected:
            raise refused_by_core(rejected.reason) from None

    async def cancel(self, key: Key, params: Params) -> Any:
        """``POST /api/v2/spot/trade/cancel-order``."""
        market = self._market(params)
        order = self._find(params)
        if order is None or order.code != market.code or await self._account.cancel(order) is None:
            raise refused("43001")
        return placed_body(order)

    async def order(self, key: Key, params: Params) -> Any:
        """``GET /api/v2/spot/trade/orderInfo``: a list, which is empty where there is no such order."""
        order = self._find(params)
        return [] if order is None else [order_body(order)]

    async def open_orders(self, key: Key, params: Params) -> Any:
        """``GET /api/v2/spot/trade/unfilled-orders``, the newest first."""
        rows = self._account.log.open_orders(self._code(params))[::-1]
        return [open_body(order) for order in _page(rows, params, _before_order(params))]

    async def ended_orders(self, key: Key, params: Params) -> Any:
        """``GET /api/v2/spot/trade/history-orders``, the newest first."""
        since, until = _times(params)
        rows = self._account.log.orders(self._code(params), states=_ENDED, since_ms=since, until_ms=until, limit=1_000_000)[::-1]
        return [ended_body(order) for order in _page(rows, params, _before_order(params))]

    async def fills(self, key: Key, params: Params) -> Any:
        """``GET /api/v2/spot/trade/fills``, the newest first."""
        since, until = _times(params)
        number = order_number(str(params["orderId"])) if params.get("orderId") else None
        rows = self._account.log.fills(self._code(params), since_ms=since, until_ms=until, number=number)
        rows.sort(key=lambda fill: int(fill.trade_id), reverse=True)
        before = trade_number(str(params["idLessThan"])) if params.get("idLessThan") else None
        found = _page(rows, params, None if before is None else lambda fill: int(fill.trade_id) < before)
        return [fill_body(fill, self._coin) for fill in found]

    async def info(self, key: Key, params: Params) -> Any:
        """``GET /api/v2/spot/account/info``."""
        rights = ["trade"] * key.can_trade + ["withdraw"] * key.can_withdraw + ["readonly"]
        return {
            "userId": USER_ID,
            "inviterId": "0",
            "ips": "127.0.0.1",
            "authorities": rights,
            "parentId": 0,
            "traderType": "not_trader",
            "channelCode": "",
            "channel": "",
            "regisTime": "1700000000000",
        }

    async def assets(self, key: Key, params: Params) -> Any:
        """``GET /api/v2/spot/account/assets``: assets with a balance, or the one of ``coin``."""
        wanted, now = params.get("coin"), self._clock.time_ms()
        balances = self._account.balances()
        return [asset_body(coin, balance, now) for coin, balance in balances.items() if balance.total and wanted in (None, "", coin)]

    async def deduct(self, key: Key, params: Params) -> Any:
        """``GET /api/v2/spot/account/deduct-info``: on while that is scripted."""
        return {"deduct": "off" if self._faults.find(WireFaultKind.FEE_COIN) is None else "on"}

    async def rate(self, key: Key, params: Params) -> Any:
        """``GET /api/v2/common/trade-rate``."""
        fees = self._market(params).fees
        return {"makerFeeRate": f"{fees.maker:f}", "takerFeeRate": f"{fees.taker:f}"}

    def _read(self, params: Params) -> OrderRequest:
        """A new order's parameters, checked one by one as Bitget does."""
        market = self._market(params)
        side, tif = _SIDES.get(str(params.get("side"))), _TIFS.get(str(params.get("force")).lower())  # clients send capitals, too
        for name, value in (("side", side), ("force", tif), ("orderType", params.get("orderType") == "limit")):
            if not value:
                raise refused("40020", name) if params.get(name) else refused("40019", name)
        if side is None or tif is None:
            raise AssertionError("told above")
        client_order_id = str(params.get("clientOid") or self.make_id())
        if len(client_order_id) > _LONGEST_ID:
            raise refused("40304")
        if not client_order_id.startswith(UNNAMED) and not _CLIENT_ID.fullmatch(client_order_id):
            raise refused("40020", "clientOid")
        qty, price = _decimal(params, "size"), _decimal(params, "price")
        return OrderRequest(client_order_id, market.code, side, qty, price, tif)

    def _check_window(self, params: Params) -> None:
        """``requestTime`` and ``receiveWindow``, where both are given."""
        try:
            sent, window = int(params.get("requestTime") or 0), int(params.get("receiveWindow") or 0)
        except (TypeError, ValueError):
            raise refused("40020", "receiveWindow") from None
        if window > _WIDEST_MS:
            raise refused("40079")
        if sent and window and abs(self._clock.time_ms() - sent) > window:
            raise refused("40078")

    def _find(self, params: Params) -> OrderRecord | None:
        if params.get("orderId"):
            return self._account.log.by_number(order_number(str(params["orderId"])))
        if params.get("clientOid"):
            return self._account.log.by_client_id(str(params["clientOid"]))
        raise refused("40019", "orderId")

    def _market(self, params: Params) -> Market:
        code = params.get("symbol")
        if not code:
            raise refused("40019", "symbol")
        market = self._account.markets.get(str(code))
        if market is None:
            raise refused("40034", str(code))
        return market

    def _code(self, params: Params) -> str | None:
        return self._market(params).code if params.get("symbol") else None


def _before_order(params: Params) -> Callable[[OrderRecord], bool] | None:
    if not params.get("idLessThan"):
        return None
    before = order_number(str(params["idLessThan"]))
    return lambda order: order.number < before


def _page(rows: Sequence[T], params: Params, wanted: Callable[[T], bool] | None) -> Sequence[T]:
    """The first ``limit`` of ``rows`` that are wanted."""
    limit = min(int(params.get("limit") or _MOST_ROWS), _MOST_ROWS)
    return [row for row in rows if wanted is None or wanted(row)][:limit]


def _times(params: Params) -> tuple[int, int]:
    return int(params.get("startTime") or 0), int(params.get("endTime") or 2**62)


def _decimal(params: Params, name: str) -> Decimal:
    if not params.get(name):
        raise refused("40019", name)
    try:
        value = Decimal(str(params[name]))
    except InvalidOperation:
        raise refused("40020", name) from None
    if not value.is_finite() or value <= ZERO:
        raise refused("40020", name)
    return value
