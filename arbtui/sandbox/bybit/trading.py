"""Bybit's signed calls (v5: Trade, Account, User, Asset), for spot."""

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import quote

from arbtui.model.errors import OrderRejected
from arbtui.model.market import Market
from arbtui.model.money import ZERO
from arbtui.model.order import Fill, Side, TimeInForce
from arbtui.sandbox.account import Account
from arbtui.sandbox.bybit.bodies import coin_body, execution_row, order_row, wallet
from arbtui.sandbox.bybit.names import order_id, order_number
from arbtui.sandbox.bybit.refusals import refused, refused_by_core
from arbtui.sandbox.clock import VenueClock
from arbtui.sandbox.faults import WireFaultKind, WireFaults
from arbtui.sandbox.keys import Key
from arbtui.sandbox.order_calls import UNNAMED, OrderCalls, sent_id
from arbtui.sandbox.order_log import OrderRecord
from arbtui.sandbox.trade_numbers import TradeNumbers
from arbtui.simulation.networks import simulated_terms
from arbtui.simulation.order_request import OrderRequest

Params = Mapping[str, Any]

_SIDES = {"Buy": Side.BUY, "Sell": Side.SELL}
_TIFS = {"GTC": TimeInForce.GTC, "IOC": TimeInForce.IOC, "FOK": TimeInForce.FOK}
_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,36}")
_WEEK_MS = 7 * 86_400_000
#: Ended orders that ``order/realtime`` still has.
_RECENT = 500


class BybitTrading(OrderCalls):
    """Handlers of the signed calls; each takes its parameters and returns the answer's ``result``."""

    def __init__(
        self, account: Account, numbers: TradeNumbers, faults: WireFaults, is_halted: Callable[[str], bool], clock: VenueClock
    ) -> None:
        super().__init__(account, faults, is_halted, clock)
        self._numbers = numbers

    async def place(self, key: Key, params: Params) -> Any:
        """``POST /v5/order/create``: that the order was taken; its outcome is told by lists and events."""
        request = self._read(params)
        _require_trade(key)
        if self.takes_no_order(request.code):
            raise refused(170151)
        try:
            return _named(await self._account.place(request))
        except OrderRejected as rejected:
            raise refused_by_core(rejected.reason) from None

    async def cancel(self, key: Key, params: Params) -> Any:
        """``POST /v5/order/cancel``."""
        _require_trade(key)
        market = self._market(params)
        if not params.get("orderId") and not params.get("orderLinkId"):
            raise refused(10001, "orderId or orderLinkId is required")
        order = self._found(params)
        ended = None if order is None or order.code != market.code else await self._account.cancel(order)
        if ended is None:
            raise refused(170213)
        return _named(ended)

    async def cancel_all(self, key: Key, params: Params) -> Any:
        """``POST /v5/order/cancel-all``: those of one symbol, or of all; of the kind ``orderFilter``, of which there is one here."""
        _require_spot(params)
        _require_trade(key)
        code = self._market(params).code if params.get("symbol") else None
        orders = self._account.log.open_orders(code) if params.get("orderFilter", "Order") == "Order" else []
        done = [await self._account.cancel(order) for order in orders]
        return {"list": [_named(order) for order in done if order is not None], "success": "1"}

    async def realtime(self, key: Key, params: Params) -> Any:
        """``GET /v5/order/realtime``: open orders; one that is named may also be among the newest ended ones."""
        _require_spot(params)
        if params.get("orderId") or params.get("orderLinkId"):
            order = self._found(params)
            newest = self._account.log.orders(None, limit=_RECENT)
            is_there = order is not None and (not order.state.is_final or order.number >= (newest[0].number if newest else 0))
            return _page([order] if is_there and order is not None else [], order_row, params, 20, 50)
        code = self._market(params).code if params.get("symbol") else None
        if str(params.get("openOnly", "0")) == "1":
            ended = [order for order in self._account.log.orders(code, limit=_RECENT) if order.state.is_final]
            return _page(ended[::-1], order_row, params, 20, 50)
        return _page(self._account.log.open_orders(code)[::-1], order_row, params, 20, 50)

    async def history(self, key: Key, params: Params) -> Any:
        """``GET /v5/order/history``: ended orders, of seven days."""
        _require_spot(params)
        if params.get("orderId") or params.get("orderLinkId"):
            order = self._found(params)
            return _page([order] if order is not None and order.state.is_final else [], order_row, params, 20, 50)
        since, until = self._window(params)
        code = self._market(params).code if params.get("symbol") else None
        found = self._account.log.orders(code, since_ms=since, until_ms=until, limit=10_000)
        return _page([order for order in reversed(found) if order.state.is_final], order_row, params, 20, 50)

    async def executions(self, key: Key, params: Params) -> Any:
        """``GET /v5/execution/list``: those of one order, or of seven days; the newest first."""
        _require_spot(params)
        if params.get("orderId") or params.get("orderLinkId"):
            order = self._found(params)
            fills: Sequence[Fill] = () if order is None else order.fills
        else:
            since, until = self._window(params)
            code = self._market(params).code if params.get("symbol") else None
            fills = self._account.log.fills(code, since_ms=since, until_ms=until)
        return _page(list(fills)[::-1], self._execution, params, 50, 100)

    async def wallet_balance(self, key: Key, params: Params) -> Any:
        """``GET /v5/account/wallet-balance``: assets of which there is something, or those named."""
        if params.get("accountType") != "UNIFIED":
            raise refused(10001, "accountType only support UNIFIED.")
        names = [name for name in str(params.get("coin", "")).split(",") if name]
        balances = self._account.balances()
        return {"list": [wallet({asset: one for asset, one in balances.items() if (asset in names if names else one.total)})]}

    async def info(self, key: Key, params: Params) -> Any:
        """``GET /v5/account/info``: a unified account, version 2.0."""
        return {
            "marginMode": "REGULAR_MARGIN",
            "updatedTime": str(self._clock.time_ms()),
            "unifiedMarginStatus": 5,
            "dcpStatus": "OFF",
            "timeWindow": 0,
            "smpGroup": 0,
            "isMasterTrader": False,
            "spotHedgingStatus": "OFF",
        }

    async def config(self, key: Key, params: Params) -> Any:
        """``GET /v5/account/user-setting-config``."""
        in_coin = self._faults.find(WireFaultKind.FEE_COIN) is not None
        return {"lpaSpot": False, "lpaPerp": False, "deltaEnable": False, "smsef": in_coin, "fmsef": False}

    async def fee_rates(self, key: Key, params: Params) -> Any:
        """``GET /v5/account/fee-rate``: of one symbol, or of all."""
        _require_spot(params)
        markets = [self._market(params)] if params.get("symbol") else list(self._account.markets.values())
        return {"list": [{"symbol": one.code, "takerFeeRate": str(one.fees.taker), "makerFeeRate": str(one.fees.maker)} for one in markets]}

    async def key_info(self, key: Key, params: Params) -> Any:
        """``GET /v5/user/query-api``: what the key may do."""
        nothing = (
            "ContractTrade", "Options", "Derivatives", "CopyTrading", "BlockTrade", "Exchange", "NFT", "Affiliate",
        )  # fmt: skip
        return {
            "id": "1",
            "note": "sandbox",
            "apiKey": key.key,
            "readOnly": 0 if key.can_trade else 1,
            "secret": "",
            "permissions": {
                **{name: [] for name in nothing},
                "Spot": ["SpotTrade"] if key.can_trade else [],
                "Wallet": ["Withdraw"] if key.can_withdraw else [],
            },
            "ips": ["127.0.0.1"],
            "type": 1,
            "deadlineDay": -2,
            "expiredAt": "1970-01-01T00:00:00Z",
            "createdAt": "2026-01-01T00:00:00Z",
            "unified": 0,
            "uta": 1,
            "userID": 100_000_001,
            "inviterID": 0,
            "vipLevel": "No VIP",
            "mktMakerLevel": "0",
            "affiliateID": 0,
            "rsaPublicKey": "",
            "isMaster": True,
            "parentUid": "0",
            "kycLevel": "LEVEL_1",
            "kycRegion": "",
        }

    async def coins(self, key: Key, params: Params) -> Any:
        """``GET /v5/asset/coin/query-info``: each asset with a network of its own name."""
        assets = dict.fromkeys([*self._account.balances(), *(market.base for market in self._account.markets.values())])
        wanted = params.get("coin")
        return {"rows": [coin_body(simulated_terms(asset)) for asset in assets if wanted in (None, asset)]}

    def _read(self, params: Params) -> OrderRequest:
        """A new order's parameters, checked one by one as Bybit does."""
        market = self._market(params)
        side = _SIDES.get(str(params.get("side")))
        if side is None:
            raise refused(170117)
        if params.get("orderType") != "Limit":
            raise refused(170116)
        tif = _TIFS.get(str(params.get("timeInForce", "GTC")))
        if tif is None:
            raise refused(170115)
        if str(params.get("isLeverage", 0)) != "0":
            raise refused(10001, "margin trading is not played here")
        name = str(params.get("orderLinkId") or self.make_id())
        if not name.startswith(UNNAMED) and not _CLIENT_ID.fullmatch(name):
            raise refused(10001, "OrderLinkId is invalid.")
        return OrderRequest(name, market.code, side, _decimal(params, "qty"), _decimal(params, "price"), tif)

    def _market(self, params: Params) -> Market:
        _require_spot(params)
        market = self._account.markets.get(str(params.get("symbol", "")))
        if market is None:
            raise refused(170121)
        return market

    def _found(self, params: Params) -> OrderRecord | None:
        """The order that is named; its own id decides where both are given."""
        if params.get("orderId"):
            return self._account.log.by_number(order_number(str(params["orderId"])))
        return self._account.log.by_client_id(str(params["orderLinkId"]))

    def _execution(self, fill: Fill) -> dict[str, Any]:
        order = self._account.log.by_number(int(fill.venue_order_id))
        if order is None:
            raise LookupError(f"the order of trade {fill.trade_id} is not in the ledger")
        return execution_row(fill, order, self._numbers.of(fill))

    def _window(self, params: Params) -> tuple[int, int]:
        """Times asked for: seven days at most, from the start or up to the end."""
        since, until = params.get("startTime"), params.get("endTime")
        if since is not None and until is not None and int(until) - int(since) > _WEEK_MS:
            raise refused(10001, "The time range between startTime and endTime cannot exceed 7 days")
        if since is not None:
            return int(since), int(until) if until is not None else int(since) + _WEEK_MS
        end = int(until) if until is not None else self._clock.time_ms()
        return end - _WEEK_MS, end


def _page(rows: Sequence[Any], body: Callable[[Any], dict[str, Any]], params: Params, usual: int, most: int) -> dict[str, Any]:
    """One page of a list; where more follows, the cursor says from where."""
    limit = int(params.get("limit", usual))
    if not 1 <= limit <= most:
        raise refused(10001, f"limit must be between 1 and {most}")
    found = re.search(r"(\d+)", str(params.get("cursor", "")))
    start = int(found[1]) if found is not None else 0
    following = quote(f"page_token={start + limit}&", safe="") if len(rows) > start + limit else ""
    return {"list": [body(row) for row in rows[start : start + limit]], "nextPageCursor": following, "category": "spot"}


def _named(order: OrderRecord) -> dict[str, str]:
    return {"orderId": order_id(order.number), "orderLinkId": sent_id(order.client_order_id)}


def _require_spot(params: Params) -> None:
    if params.get("category") != "spot":
        raise refused(10001, "only category spot is played here")


def _require_trade(key: Key) -> None:
    if not key.can_trade:
        raise refused(10005)


def _decimal(params: Params, name: str) -> Decimal:
    try:
        value = Decimal(str(params[name]))
    except (KeyError, InvalidOperation):
        raise refused(170130, f"Data sent for paramter '{name}' is not valid.") from None
    if not value.is_finite() or value <= ZERO:
        raise refused(170130, f"Data sent for paramter '{name}' is not valid.")
    return value
