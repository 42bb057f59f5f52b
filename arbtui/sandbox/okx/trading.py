"""OKX's signed calls (okx.com/docs-v5: Trade, Trading Account, Funding Account), for spot in Spot mode."""

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from arbtui.model.errors import OrderRejected
from arbtui.model.market import Market
from arbtui.model.money import ZERO, plain
from arbtui.model.order import Fill, Side, TimeInForce
from arbtui.sandbox.account import Account
from arbtui.sandbox.clock import VenueClock
from arbtui.sandbox.faults import WireFaults
from arbtui.sandbox.keys import Key
from arbtui.sandbox.okx.bodies import UID, balance_row, cancellation, currency_row, fill_row, operation, order_row
from arbtui.sandbox.okx.market_data import FEE_GROUP, require_spot
from arbtui.sandbox.okx.names import bill_number, order_number
from arbtui.sandbox.okx.refusals import failed, failed_by_core, refused
from arbtui.sandbox.order_calls import OrderCalls
from arbtui.sandbox.order_log import OrderRecord
from arbtui.sandbox.trade_numbers import TradeNumbers
from arbtui.simulation.networks import simulated_terms
from arbtui.simulation.order_request import OrderRequest

Params = Mapping[str, Any]

_SIDES = {"buy": Side.BUY, "sell": Side.SELL}
_TYPES = {"limit": TimeInForce.GTC, "ioc": TimeInForce.IOC, "fok": TimeInForce.FOK}
_CLIENT_ID = re.compile(r"[A-Za-z0-9]{1,32}")
_MOST_ROWS = 100
#: ms for which an order that was cancelled without a fill is still found, and for which ``trade/fills`` has a fill.
_UNFILLED_MS = 2 * 3_600_000
_RECENT_MS = 3 * 86_400_000


class OkxTrading(OrderCalls):
    """Handlers of the signed calls; each takes its parameters and returns the answer's ``data``."""

    def __init__(
        self, account: Account, numbers: TradeNumbers, faults: WireFaults, is_halted: Callable[[str], bool], clock: VenueClock
    ) -> None:
        super().__init__(account, faults, is_halted, clock)
        self._numbers = numbers

    async def place(self, key: Key, params: Params) -> Any:
        """``POST /api/v5/trade/order``: that the order was taken; its outcome is told by look-ups and pushes."""
        _require_trade(key)
        request, named = self._read(params)
        if self.takes_no_order(request.code):
            raise failed("51022", named)
        try:
            return [operation(await self._account.place(request), self._clock.time_ms())]
        except OrderRejected as rejected:
            raise failed_by_core(rejected.reason, named) from None

    async def cancel(self, key: Key, params: Params) -> Any:
        """``POST /api/v5/trade/cancel-order``."""
        _require_trade(key)
        named = {name: str(params.get(name, "")) for name in ("clOrdId", "ordId")}
        order = self._found(params)
        ended = None if order is None else await self._account.cancel(order)
        if ended is None:
            raise failed("51400", named)
        return [cancellation(ended, self._clock.time_ms())]

    async def order(self, key: Key, params: Params) -> Any:
        """``GET /api/v5/trade/order``: the newest one of its client id."""
        order = self._found(params)
        if order is None or (order.state.is_final and not order.fills and order.updated_ms < self._clock.time_ms() - _UNFILLED_MS):
            raise refused("51603")
        return [self._row(order)]

    async def pending(self, key: Key, params: Params) -> Any:
        """``GET /api/v5/trade/orders-pending``: open orders, the newest first, and those before ``after``."""
        code = None if not params.get("instId") else self._market(params).code
        orders = self._account.log.open_orders(code)[::-1]
        if params.get("after"):
            orders = [order for order in orders if order.number < order_number(str(params["after"]))]
        rows = [self._row(order) for order in orders[: _count(params)]]
        for row in rows:
            del row["cancelSourceReason"]
        return rows

    async def fills(self, key: Key, params: Params) -> Any:
        """``GET /api/v5/trade/fills``: those of three days."""
        return self._fills(params, self._clock.time_ms() - _RECENT_MS)

    async def fills_history(self, key: Key, params: Params) -> Any:
        """``GET /api/v5/trade/fills-history``: all; the venue has three months of them."""
        require_spot(params)
        return self._fills(params, 0)

    async def balance(self, key: Key, params: Params) -> Any:
        """``GET /api/v5/account/balance``: assets of which there is something, or of these those named."""
        names = [name for name in str(params.get("ccy", "")).split(",") if name]
        balances = {asset: one for asset, one in self._account.balances().items() if one.total and (not names or asset in names)}
        return [balance_row(balances, self._clock.time_ms())]

    async def config(self, key: Key, params: Params) -> Any:
        """``GET /api/v5/account/config``: Spot mode, without borrowing."""
        rights = ["read_only", *(["trade"] if key.can_trade else []), *(["withdraw"] if key.can_withdraw else [])]
        return [
            {
                **dict.fromkeys(("levelTmp", "spotOffsetType", "settleCcy", "liquidationGear"), ""),
                "acctLv": "1",
                "acctStpMode": "cancel_maker",
                "autoLoan": False,
                "ctIsoMode": "automatic",
                "enableSpotBorrow": False,
                "feeType": "0",
                "greeksType": "PA",
                "ip": "127.0.0.1",
                "kycLv": "3",
                "label": "sandbox",
                "level": "Lv1",
                "mainUid": UID,
                "mgnIsoMode": "automatic",
                "opAuth": "0",
                "perm": ",".join(rights),
                "posMode": "net_mode",
                "roleType": "0",
                "settleCcyList": [],
                "spotBorrowAutoRepay": False,
                "spotRoleType": "0",
                "spotTraderInsts": [],
                "stgyType": "0",
                "traderInsts": [],
                "type": "0",
                "uid": UID,
            }
        ]

    async def trade_fee(self, key: Key, params: Params) -> Any:
        """``GET /api/v5/account/trade-fee``: one group, the same for every market here."""
        require_spot(params)
        fees = next(iter(self._account.markets.values())).fees
        maker, taker = plain(-fees.maker), plain(-fees.taker)
        return [
            {
                **dict.fromkeys(("delivery", "exercise", "makerU", "makerUSDC", "takerU", "takerUSDC"), ""),
                "category": "1",
                "feeGroup": [{"elpMaker": "", "groupId": FEE_GROUP, "maker": maker, "taker": taker}],
                "fiat": [],
                "instType": "SPOT",
                "level": "Lv1",
                "maker": maker,
                "ruleType": "normal",
                "taker": taker,
                "ts": str(self._clock.time_ms()),
            }
        ]

    async def currencies(self, key: Key, params: Params) -> Any:
        """``GET /api/v5/asset/currencies``: each asset with a network of its own name."""
        assets = dict.fromkeys([*self._account.balances(), *(market.base for market in self._account.markets.values())])
        names = [name for name in str(params.get("ccy", "")).split(",") if name]
        return [currency_row(simulated_terms(asset)) for asset in assets if not names or asset in names]

    def _read(self, params: Params) -> tuple[OrderRequest, dict[str, str]]:
        """A new order's parameters, checked one by one as OKX does; and what names it in a refusal."""
        given = str(params.get("clOrdId") or "")
        named = {"clOrdId": given}
        for name in ("instId", "tdMode", "side", "ordType", "sz"):
            if not params.get(name):
                raise refused("50014", name)
        market = self._account.markets.get(str(params["instId"]))
        if market is None:
            raise failed("51001", named)
        side, tif = _SIDES.get(str(params["side"])), _TYPES.get(str(params["ordType"]))
        checks = {
            "tdMode": params["tdMode"] == "cash",
            "side": side is not None,
            "ordType": tif is not None,
            "clOrdId": not given or _CLIENT_ID.fullmatch(given) is not None,
        }
        for name, good in checks.items():
            if not good:
                raise failed("51000", named, name)
        assert side is not None
        assert tif is not None
        return OrderRequest(
            given or self.make_id(), market.code, side, _decimal(params, "sz", named), _decimal(params, "px", named), tif
        ), named

    def _market(self, params: Params) -> Market:
        if not params.get("instId"):
            raise refused("50014", "instId")
        market = self._account.markets.get(str(params["instId"]))
        if market is None:
            raise refused("51001")
        return market

    def _found(self, params: Params) -> OrderRecord | None:
        """The order that is named; its own id decides where both are given."""
        market = self._market(params)
        if params.get("ordId"):
            order = self._account.log.by_number(order_number(str(params["ordId"])))
        elif params.get("clOrdId"):
            order = self._account.log.by_client_id(str(params["clOrdId"]))
        else:
            raise refused("50014", "ordId or clOrdId")
        return None if order is None or order.code != market.code else order

    def _row(self, order: OrderRecord) -> dict[str, Any]:
        return order_row(order, self._account.markets[order.code], self._numbers.of(order.fills[-1]) if order.fills else None)

    def _fills(self, params: Params, since_ms: int) -> list[dict[str, Any]]:
        code = None if not params.get("instId") else self._market(params).code
        since, until = max(since_ms, int(params.get("begin") or 0)), int(params.get("end") or 2**62)
        number = order_number(str(params["ordId"])) if params.get("ordId") else None
        found: Sequence[Fill] = self._account.log.fills(code, since_ms=since, until_ms=until, number=number)[::-1]
        if params.get("after"):
            found = [fill for fill in found if int(fill.trade_id) < bill_number(str(params["after"]))]
        return [fill_row(fill, self._numbers.of(fill)) for fill in found[: _count(params)]]


def _require_trade(key: Key) -> None:
    if not key.can_trade:
        raise refused("50120")


def _count(params: Params) -> int:
    return min(int(params.get("limit") or _MOST_ROWS), _MOST_ROWS)


def _decimal(params: Params, name: str, named: Mapping[str, str]) -> Decimal:
    try:
        value = Decimal(str(params[name]))
    except (KeyError, InvalidOperation):
        raise failed("51000", named, name) from None
    if not value.is_finite() or value <= ZERO:
        raise failed("51000", named, name)
    return value
