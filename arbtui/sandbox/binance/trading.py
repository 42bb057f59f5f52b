"""Binance's signed calls (Spot API, trading and account endpoints, and the wallet calls that clients make at start)."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from arbtui.exchanges.networks import NetworkTerms
from arbtui.model.errors import OrderRejected
from arbtui.model.market import Market
from arbtui.model.money import ZERO, floor_to, plain
from arbtui.model.order import Balance, OrderState, Side, TimeInForce
from arbtui.sandbox.account import Account
from arbtui.sandbox.binance.bodies import account_body, canceled_body, eight, my_trade, order_body, placed_body
from arbtui.sandbox.binance.limits import BinanceLimits
from arbtui.sandbox.binance.refusals import closed_market, mandatory, refused, refused_by_core
from arbtui.sandbox.clock import VenueClock
from arbtui.sandbox.faults import WireFaultKind, WireFaults
from arbtui.sandbox.keys import Key
from arbtui.sandbox.order_calls import OrderCalls
from arbtui.sandbox.order_log import OrderRecord
from arbtui.sandbox.trade_numbers import TradeNumbers
from arbtui.simulation.matching import BookSource
from arbtui.simulation.networks import simulated_terms
from arbtui.simulation.order_request import OrderRequest

Params = Mapping[str, str]

_SIDES = {"BUY": Side.BUY, "SELL": Side.SELL}
_TIFS = {"GTC": TimeInForce.GTC, "IOC": TimeInForce.IOC, "FOK": TimeInForce.FOK}
_CLIENT_ID = re.compile(r"[\.A-Z\:/a-z0-9_-]{1,36}")
_DAY_MS = 86_400_000


#: So many order types are remembered; an older order shows as a LIMIT one.
_TYPES = 10_000


class BinanceTrading(OrderCalls):
    """Handlers of the signed calls; each takes its parameters and returns the answer's body."""

    def __init__(
        self,
        account: Account,
        book_of: BookSource,
        numbers: TradeNumbers,
        limits: BinanceLimits,
        faults: WireFaults,
        is_halted: Callable[[str], bool],
        clock: VenueClock,
    ) -> None:
        self.numbers = numbers
        self.cancel_ids: dict[int, str] = {}  #: order number -> the id of the cancel under way
        self._order_types: dict[str, str] = {}  # client id -> type, where it is not LIMIT; the newest, lost at a restart
        super().__init__(account, faults, is_halted, clock)
        self._book_of = book_of
        self._limits = limits

    def order_type(self, order: OrderRecord) -> str:
        """Binance's order type of ``order``."""
        return self._order_types.get(order.client_order_id, "LIMIT")

    async def place(self, key: Key, params: Params) -> Any:
        """``POST /api/v3/order``."""
        request, order_type = self._read(params)
        if not key.can_trade:
            raise refused(-2015)
        if self.takes_no_order(request.code):
            raise closed_market()
        if order_type == "LIMIT":
            self._order_types.pop(request.client_order_id, None)
        else:
            self._order_types[request.client_order_id] = order_type
            if len(self._order_types) > _TYPES:
                del self._order_types[next(iter(self._order_types))]
        try:
            order = await self._account.place(request)
        except OrderRejected as rejected:
            raise refused_by_core(rejected.reason) from None
        kind = params.get("newOrderRespType", "ACK" if order_type == "LIMIT_MAKER" else "FULL")
        return placed_body(order, order_type, kind, self.numbers)

    async def test(self, key: Key, params: Params) -> Any:
        """``POST /api/v3/order/test``: checks a new order without placing it."""
        request, _ = self._read(params)
        if not key.can_trade:
            raise refused(-2015)
        broken = self._market(params).refusal(request.price, request.qty)
        if broken is not None:
            raise refused_by_core(broken)
        return {}

    async def order(self, key: Key, params: Params) -> Any:
        """``GET /api/v3/order``."""
        order = self._find(params, refused(-2013))
        return order_body(order, self.order_type(order))

    async def cancel(self, key: Key, params: Params) -> Any:
        """``DELETE /api/v3/order``."""
        if not key.can_trade:
            raise refused(-2015)
        canceled = await self._cancel(self._find(params, refused(-2011)), params.get("newClientOrderId"))
        if canceled is None:
            raise refused(-2011)
        return canceled

    async def cancel_all(self, key: Key, params: Params) -> Any:
        """``DELETE /api/v3/openOrders``: every open order of one symbol."""
        if not key.can_trade:
            raise refused(-2015)
        code = self._market(params).code
        done = [await self._cancel(order, None) for order in self._account.log.open_orders(code)]
        if not any(done):
            raise refused(-2011)
        return [body for body in done if body is not None]

    async def open_orders(self, key: Key, params: Params) -> Any:
        """``GET /api/v3/openOrders``: of one symbol, or of all."""
        code = self._market(params).code if "symbol" in params else None
        return [order_body(order, self.order_type(order)) for order in self._account.log.open_orders(code)]

    async def all_orders(self, key: Key, params: Params) -> Any:
        """``GET /api/v3/allOrders``: of one symbol; with times at most 24 hours of them."""
        since, until = _times(params)
        found = self._account.log.orders(
            self._market(params).code,
            from_number=int(params.get("orderId", 0)),
            since_ms=since,
            until_ms=until,
            limit=min(int(params.get("limit", 500)), 1000),
            oldest_first="orderId" in params or "startTime" in params,
        )
        return [order_body(order, self.order_type(order)) for order in found]

    async def my_trades(self, key: Key, params: Params) -> Any:
        """``GET /api/v3/myTrades``: of one symbol; from ``fromId`` or ``startTime`` on, else the latest."""
        since, until = _times(params)
        number = int(params["orderId"]) if "orderId" in params else None
        fills = self._account.log.fills(self._market(params).code, since_ms=since, until_ms=until, number=number)
        rows = [my_trade(fill, self.numbers) for fill in fills]
        limit = min(int(params.get("limit", 500)), 1000)
        if "fromId" in params:
            return [row for row in rows if row["id"] >= int(params["fromId"])][:limit]
        return rows[:limit] if "startTime" in params else rows[-limit:]

    async def account(self, key: Key, params: Params) -> Any:
        """``GET /api/v3/account``."""
        market = next(iter(self._account.markets.values()))
        omit = params.get("omitZeroBalances", "false").lower() == "true"
        return account_body(self._account.balances(), market, self._clock.time_ms(), omit_zero=omit)

    async def commission(self, key: Key, params: Params) -> Any:
        """``GET /api/v3/account/commission``: the base tier; BNB pays only while that is scripted."""
        market = self._market(params)
        in_bnb = self._faults.find(WireFaultKind.FEE_COIN) is not None
        zeros = dict.fromkeys(("maker", "taker", "buyer", "seller"), "0.00000000")
        return {
            "symbol": market.code,
            "standardCommission": {**zeros, "maker": eight(market.fees.maker), "taker": eight(market.fees.taker)},
            "specialCommission": zeros,
            "taxCommission": zeros,
            "discount": {"enabledForAccount": in_bnb, "enabledForSymbol": in_bnb, "discountAsset": "BNB", "discount": "0.25000000"},
        }

    async def order_limits(self, key: Key, params: Params) -> Any:
        """``GET /api/v3/rateLimit/order``."""
        return [row for row in self._limits.rows(orders=True) if row["rateLimitType"] == "ORDERS"]

    async def restrictions(self, key: Key, params: Params) -> Any:
        """``GET /sapi/v1/account/apiRestrictions``: a key that trades and cannot withdraw, as a trading key should be."""
        return {
            "ipRestrict": True,
            "createTime": self._clock.time_ms() - 30 * _DAY_MS,
            "enableReading": True,
            "enableSpotAndMarginTrading": key.can_trade,
            "enableWithdrawals": key.can_withdraw,
            "enableInternalTransfer": False,
            "permitsUniversalTransfer": False,
            "enableVanillaOptions": False,
            "enableFutures": False,
            "enableMargin": False,
            "enablePortfolioMarginTrading": False,
            "enableFixApiTrade": False,
            "enableFixReadOnly": False,
        }

    async def coins(self, key: Key, params: Params) -> Any:
        """``GET /sapi/v1/capital/config/getall``: each asset with a network of its own name."""
        balances = self._account.balances()
        assets = dict.fromkeys([*balances, *(market.base for market in self._account.markets.values())])
        return [_coin(simulated_terms(asset), balances.get(asset, Balance())) for asset in assets]

    async def trade_fees(self, key: Key, params: Params) -> Any:
        """``GET /sapi/v1/asset/tradeFee``."""
        markets = [self._market(params)] if "symbol" in params else list(self._account.markets.values())
        return [{"symbol": one.code, "makerCommission": str(one.fees.maker), "takerCommission": str(one.fees.taker)} for one in markets]

    async def margin_pairs(self, key: Key, params: Params) -> Any:
        """``GET /sapi/v1/margin/allPairs`` and its isolated counterpart: nothing trades on margin here."""
        return []

    async def _cancel(self, order: OrderRecord, cancel_id: str | None) -> dict[str, Any] | None:
        self.cancel_ids[order.number] = cancel_id or self.make_id()
        try:
            ended = await self._account.cancel(order)
            if ended is None or ended.state is not OrderState.CANCELED:
                return None
            return canceled_body(ended, self.order_type(ended), self.cancel_ids[order.number], self._clock.time_ms())
        finally:
            del self.cancel_ids[order.number]

    def _read(self, params: Params) -> tuple[OrderRequest, str]:
        """A new order's parameters, checked one by one as Binance does."""
        market = self._market(params)
        side = _SIDES.get(params.get("side", ""))
        if side is None:
            raise refused(-1117) if "side" in params else mandatory("side")
        order_type = params.get("type")
        if order_type not in ("LIMIT", "MARKET", "LIMIT_MAKER"):
            raise refused(-1116) if order_type else mandatory("type")
        client_order_id = params.get("newClientOrderId") or self.make_id()
        if not _CLIENT_ID.fullmatch(client_order_id):
            raise refused(-1100, "Illegal characters found in parameter 'newClientOrderId'; legal range is '^[\\.A-Z\\:/a-z0-9_-]{1,36}$'.")
        if order_type == "MARKET":
            return self._market_order(params, market, side, client_order_id), order_type
        price, qty = _decimal(params, "price"), _decimal(params, "quantity")
        if order_type == "LIMIT_MAKER":
            best = self._shown(market.code, side)[:1]
            if best and (price >= best[0] if side is Side.BUY else price <= best[0]):
                raise refused(-2010, "Order would immediately match and take.")
            return OrderRequest(client_order_id, market.code, side, qty, price, TimeInForce.GTC), order_type
        tif = _TIFS.get(params.get("timeInForce", ""))
        if tif is None:
            raise refused(-1115) if "timeInForce" in params else mandatory("timeInForce")
        return OrderRequest(client_order_id, market.code, side, qty, price, tif), order_type

    def _market_order(self, params: Params, market: Market, side: Side, client_order_id: str) -> OrderRequest:
        """A market order takes whatever the book shows; ``quoteOrderQty`` is its cost or proceeds."""
        shown = self._shown(market.code, side)
        if "price" in params:
            raise refused(-1106)
        if not shown:
            raise closed_market()
        if "quantity" in params:
            qty = _decimal(params, "quantity")
        else:
            qty = floor_to(_decimal(params, "quoteOrderQty") / shown[0], market.lot_step)
        return OrderRequest(client_order_id, market.code, side, qty, shown[-1], TimeInForce.IOC)

    def _shown(self, code: str, side: Side) -> list[Decimal]:
        """Prices of the side that an order of ``side`` would meet, best first."""
        book = self._book_of(code)
        return [Decimal(repr(price)) for price, _ in (book.asks() if side is Side.BUY else book.bids())]

    def _find(self, params: Params, otherwise: Exception) -> OrderRecord:
        market = self._market(params)
        if "orderId" in params:
            order = self._account.log.by_number(int(params["orderId"]))
        elif "origClientOrderId" in params:
            order = self._account.log.by_client_id(params["origClientOrderId"])
        else:
            raise refused(-1102, "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!")
        if order is None or order.code != market.code:
            raise otherwise
        return order

    def _market(self, params: Params) -> Market:
        code = params.get("symbol")
        if not code:
            raise mandatory("symbol")
        market = self._account.markets.get(code)
        if market is None:
            raise refused(-1121)
        return market

    def make_id(self) -> str:
        """See :class:`OrderCalls`: Binance makes one that is sent."""
        self._unnamed += 1
        return f"sbx{self._clock.time_ms():x}n{self._unnamed}"


def _decimal(params: Params, name: str) -> Decimal:
    try:
        value = Decimal(params[name])
    except (KeyError, InvalidOperation):
        raise mandatory(name) from None
    if not value.is_finite() or value <= ZERO:
        raise refused(-1100, f"Illegal characters found in parameter '{name}'; legal range is '^([0-9]{{1,20}})(\\.[0-9]{{1,20}})?$'.")
    return value


def _times(params: Params) -> tuple[int, int]:
    since, until = int(params.get("startTime", 0)), int(params.get("endTime", 2**62))
    if "startTime" in params and "endTime" in params and until - since > _DAY_MS:
        raise refused(-1127, "More than 24 hours between startTime and endTime.")
    return since, until


def _coin(terms: NetworkTerms, balance: Balance) -> dict[str, Any]:
    asset, zero = terms.asset, "0.00000000"
    network = {
        "addressRegex": "",
        "coin": asset,
        "depositEnable": terms.deposits,
        "isDefault": True,
        "memoRegex": "",
        "minConfirm": 1,
        "name": asset,
        "network": terms.network,
        "specialTips": "",
        "unLockConfirm": 1,
        "withdrawEnable": terms.withdrawals,
        "withdrawFee": plain(terms.fee or ZERO),
        "withdrawIntegerMultiple": plain(terms.step or ZERO),
        "withdrawMax": zero,
        "withdrawMin": plain(terms.least or ZERO),
        "sameAddress": False,
        "estimatedArrivalTime": terms.minutes,
        "busy": False,
    }
    return {
        "coin": asset,
        "depositAllEnable": False,
        "free": eight(balance.free),
        "freeze": zero,
        "ipoable": zero,
        "ipoing": zero,
        "isLegalMoney": False,
        "locked": eight(balance.locked),
        "name": asset,
        "networkList": [network],
        "storage": zero,
        "trading": True,
        "withdrawAllEnable": False,
        "withdrawing": zero,
    }
