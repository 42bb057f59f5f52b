"""As test_requests.py, of the venues that came later: what each call asks, word for word, in which lane and at which cost."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from arbtui.exchanges.adapter import OrderReport, StandingOrder
from arbtui.exchanges.ccxt_adapter import CcxtAdapter
from arbtui.exchanges.rate_limit import Lane
from arbtui.model.errors import OrderUnknown, VenueFailed, WireError
from arbtui.model.order import Balance, Order, OrderState, TimeInForce
from tests.exchanges.bybit.test_orders import COIN, EXECUTION, KEY
from tests.exchanges.bybit.test_orders import ROW as BYBIT_ROW
from tests.exchanges.bybit.test_rules import BTC as BYBIT_BTC
from tests.exchanges.calls import Call, Request, made
from tests.exchanges.okx.test_orders import FILL as OKX_FILL
from tests.exchanges.okx.test_orders import ORDER as OKX_ORDER
from tests.exchanges.okx.test_rules import ROW as OKX_RULES
from tests.exchanges.scripted_venue import order_of
from tests.exchanges.test_bitget_orders import FILL as BITGET_FILL
from tests.exchanges.test_bitget_rules import NEW as BITGET_RULES
from tests.exchanges.test_bithumb_adapter import CHANCE, LISTED, TAKEN
from tests.exchanges.test_bithumb_adapter import ROW as BITHUMB_ROW
from tests.exchanges.test_coinone_adapter import PAIR, STANDS, trade
from tests.exchanges.test_coinone_orders import DETAIL
from tests.exchanges.test_fills import Moment
from tests.exchanges.test_requests import account, admit, hedge_of, keys, listed

NOW_MS = 1_700_000_000_000
DAY_MS = 86_400_000
#: A resting order may fill an hour after it was made.
AN_HOUR_BEFORE = NOW_MS - 8 * DAY_MS - 3_600_000
NONE = Decimal(0)


def resting(exchange: str) -> Order:
    order = order_of(exchange)
    order.tif = TimeInForce.GTC
    return order


async def fills(adapter: CcxtAdapter, since_ms: int = NOW_MS - 1000) -> list[tuple[str, str]]:
    adapter._clock = Moment(NOW_MS)
    return [(fill.trade_id, fill.client_order_id) for fill in await adapter.fetch_fills(since_ms)]


async def networks(adapter: CcxtAdapter) -> list[str]:
    return [terms.network for terms in (await adapter.fetch_networks(["XRP"]))["XRP"]]


async def trading(adapter: CcxtAdapter) -> list[str]:
    return list(await adapter.fetch_trading([next(iter(adapter.markets))]))


async def rules(adapter: CcxtAdapter) -> list[str]:
    return list(await adapter.fetch_rules([next(iter(adapter.markets))]))


async def connected(adapter: CcxtAdapter) -> list[str]:
    await adapter.connect([next(iter(adapter.markets))])
    return list(adapter.markets)


async def hedged(adapter: CcxtAdapter) -> tuple[str, OrderState, Decimal, int]:
    report = await adapter.place(hedge_of(adapter.name), admit)
    return report.venue_order_id, report.state, report.filled_qty, len(report.fills)


async def found(adapter: CcxtAdapter) -> tuple[str, OrderState, Decimal, int] | None:
    report = await adapter.fetch_order(next(iter(adapter.markets)), "a1")
    return None if report is None else (report.venue_order_id, report.state, report.filled_qty, len(report.fills))


# bybit


def bybit(path: str, params: Mapping[str, Any] | None, group: str, lane: Lane = Lane.DATA, method: str = "GET") -> Request:
    return "private", method, path, dict(params or {}), lane, {"http": 1, group: 1}


def bybit_public(path: str, params: Mapping[str, Any] | None = None, lane: Lane = Lane.DATA) -> Request:
    return "public", "GET", path, dict(params or {}), lane, {"http": 1}


def result(data: Any) -> dict[str, Any]:
    return {"retCode": 0, "retMsg": "OK", "result": data, "retExtInfo": {}, "time": 1672211918471}


def page(*rows: Any) -> dict[str, Any]:
    return result({"list": list(rows), "nextPageCursor": "", "category": "spot"})


SPOT = {"category": "spot"}
MINE = SPOT | {"symbol": "XRPUSDT"}
BYBIT_OPEN = BYBIT_ROW | {"orderStatus": "New", "cumExecQty": "0"}
BYBIT_RULES = BYBIT_BTC | {"symbol": "XRPUSDT", "baseCoin": "XRP"}
BYBIT_FEE = {"symbol": "XRPUSDT", "takerFeeRate": "0.0008", "makerFeeRate": "0.0002"}
BYBIT_ID = "1523347543495541248"
BYBIT_SENT = MINE | {
    "side": "Buy", "orderType": "Limit", "qty": "10", "price": "2.14", "orderLinkId": "a1", "isLeverage": 0,
}  # fmt: skip
CALLS = [
    Call("ping", "bybit", lambda one: one.ping(), {("GET", "/v5/market/time"): result({})},
         [*[bybit_public("market/time", lane=Lane.HEDGE)] * 3]),
    Call("keys", "bybit", keys, {("GET", "/v5/user/query-api"): result(KEY)},
         [bybit("user/query-api", None, "key")], ("may read and trade, cannot withdraw", ("uid 24617703",))),
    Call("account", "bybit", account, {("GET", "/v5/account/info"): result({"unifiedMarginStatus": 5})},
         [bybit("account/info", None, "account")], ()),
    Call("listed", "bybit", listed,
         {("GET", "/v5/market/instruments-info"): page(BYBIT_RULES),
          ("GET", "/v5/market/tickers"): page({"symbol": "XRPUSDT", "lastPrice": "2.14005"})},
         [bybit_public("market/instruments-info", SPOT), bybit_public("market/tickers", SPOT)], [("XRPUSDT", Decimal("0.01"), 2.14005)]),
    Call("trading", "bybit", trading, {("GET", "/v5/market/instruments-info"): page(BYBIT_RULES)},
         [bybit_public("market/instruments-info", SPOT)], ["XRPUSDT"]),
    Call("rules", "bybit", rules,
         {("GET", "/v5/market/instruments-info"): page(BYBIT_RULES), ("GET", "/v5/account/fee-rate"): page(BYBIT_FEE),
          ("GET", "/v5/account/user-setting-config"): result({"smsef": False})},
         [bybit_public("market/instruments-info", SPOT), bybit("account/fee-rate", SPOT, "fee-rate"),
          bybit("account/user-setting-config", None, "account")], ["XRPUSDT"]),
    Call("connect", "bybit", connected,
         {("GET", "/v5/market/time"): result({}), ("GET", "/v5/user/query-api"): result(KEY),
          ("GET", "/v5/account/info"): result({"unifiedMarginStatus": 5}), ("GET", "/v5/market/instruments-info"): page(BYBIT_RULES),
          ("GET", "/v5/account/fee-rate"): page(BYBIT_FEE), ("GET", "/v5/account/user-setting-config"): result({})},
         [*[bybit_public("market/time", lane=Lane.HEDGE)] * 3, bybit("user/query-api", None, "key"),
          bybit("account/info", None, "account"), bybit_public("market/instruments-info", SPOT),
          bybit("account/fee-rate", SPOT, "fee-rate"), bybit("account/user-setting-config", None, "account")], ["XRPUSDT"]),
    Call("entry", "bybit", lambda one: one.place(resting("bybit"), admit),
         {("POST", "/v5/order/create"): result({"orderId": "7", "orderLinkId": "a1"})},
         [bybit("order/create", BYBIT_SENT | {"timeInForce": "GTC"}, "create", Lane.ENTRY, "POST")],
         OrderReport("bybit", "a1", "7", OrderState.ACCEPTED, NONE)),
    Call("hedge", "bybit", hedged,
         {("POST", "/v5/order/create"): result({"orderId": BYBIT_ID, "orderLinkId": "a1"}), ("GET", "/v5/order/realtime"): page(BYBIT_ROW),
          ("GET", "/v5/execution/list"): page(EXECUTION)},
         [bybit("order/create", BYBIT_SENT | {"timeInForce": "IOC"}, "create", Lane.HEDGE, "POST"),
          bybit("order/realtime", SPOT | {"orderLinkId": "a1"}, "orders", Lane.HEDGE),
          bybit("execution/list", SPOT | {"orderId": BYBIT_ID, "limit": 100}, "executions", Lane.HEDGE)],
         (BYBIT_ID, OrderState.EXPIRED, Decimal("7.00"), 1)),
    Call("cancel", "bybit", lambda one: one.cancel("XRPUSDT", "a1"), {("POST", "/v5/order/cancel"): result({})},
         [bybit("order/cancel", MINE | {"orderLinkId": "a1"}, "cancel", Lane.CANCEL, "POST")]),
    Call("cancel standing", "bybit", lambda one: one.cancel_standing(StandingOrder("XRPUSDT", "a1", "7")),
         {("POST", "/v5/order/cancel"): result({})},
         [bybit("order/cancel", MINE | {"orderId": "7"}, "cancel", Lane.CANCEL, "POST")]),
    Call("cancel all", "bybit", lambda one: one.cancel_all(),
         {("POST", "/v5/order/cancel-all"): page({}, {}), ("GET", "/v5/order/realtime"): page()},
         [bybit("order/cancel-all", SPOT | {"orderFilter": "Order"}, "cancel-all", Lane.CANCEL, "POST"),
          bybit("order/realtime", SPOT | {"openOnly": 0, "limit": 50}, "orders", Lane.CANCEL)], 2),
    Call("standing", "bybit", lambda one: one.list_standing(), {("GET", "/v5/order/realtime"): page(BYBIT_OPEN)},
         [bybit("order/realtime", SPOT | {"openOnly": 0, "limit": 50}, "orders", Lane.CANCEL)], [StandingOrder("XRPUSDT", "a1", BYBIT_ID)]),
    Call("open orders", "bybit", lambda one: one.fetch_open_orders(), {("GET", "/v5/order/realtime"): page(BYBIT_OPEN)},
         [bybit("order/realtime", SPOT | {"openOnly": 0, "limit": 50}, "orders")],
         [OrderReport("bybit", "a1", BYBIT_ID, OrderState.ACCEPTED, NONE)]),
    Call("look-up", "bybit", found, {("GET", "/v5/order/realtime"): page(BYBIT_ROW), ("GET", "/v5/execution/list"): page(EXECUTION)},
         [bybit("order/realtime", SPOT | {"orderLinkId": "a1"}, "orders", Lane.HEDGE),
          bybit("execution/list", SPOT | {"orderId": BYBIT_ID, "limit": 100}, "executions", Lane.HEDGE)],
         (BYBIT_ID, OrderState.EXPIRED, Decimal("7.00"), 1)),
    Call("look-up in the history", "bybit", found, {("GET", "/v5/order/realtime"): page(), ("GET", "/v5/order/history"): page(BYBIT_OPEN)},
         [bybit("order/realtime", SPOT | {"orderLinkId": "a1"}, "orders", Lane.HEDGE),
          bybit("order/history", SPOT | {"orderLinkId": "a1"}, "history", Lane.HEDGE)], (BYBIT_ID, OrderState.ACCEPTED, NONE, 0)),
    Call("fills", "bybit", fills, {("GET", "/v5/execution/list"): page(EXECUTION | {"execTime": str(NOW_MS - 1000)})},
         [bybit("execution/list", SPOT | {"startTime": NOW_MS - 1000, "endTime": NOW_MS - 1000 + 7 * DAY_MS, "limit": 100}, "executions")],
         [("XRPUSDT:2290000000000000056", "a1")]),
    Call("balances", "bybit", lambda one: one.fetch_balances(),
         {("GET", "/v5/account/wallet-balance"): result({"list": [{"accountType": "UNIFIED", "coin": [COIN]}]})},
         [bybit("account/wallet-balance", {"accountType": "UNIFIED"}, "balances")], {"XRP": Balance(Decimal("10.25"), Decimal("2.25"))}),
    Call("networks", "bybit", networks,
         {("GET", "/v5/asset/coin/query-info"):
          result({"rows": [{"coin": "XRP", "chains": [{"chain": "XRP", "chainDeposit": "1", "chainWithdraw": "1"}]}]})},
         [bybit("asset/coin/query-info", None, "coins")], ["XRP"]),
]  # fmt: skip

# okx


def okx(path: str, params: Mapping[str, Any] | None, group: str, lane: Lane = Lane.DATA, method: str = "GET") -> Request:
    return "private", method, path, dict(params or {}), lane, {group: 1}


def okx_public(path: str, params: Mapping[str, Any] | None, group: str, lane: Lane = Lane.DATA) -> Request:
    return "public", "GET", path, dict(params or {}), lane, {group: 1}


def data(*rows: Any) -> dict[str, Any]:
    return {"code": "0", "msg": "", "data": list(rows)}


V5 = "/api/v5/"
OKX_SPOT = {"instType": "SPOT"}
OKX_INSTRUMENT = OKX_RULES | {"instId": "XRP-USDT", "baseCcy": "XRP", "quoteCcy": "USDT"}
OKX_CONFIG = {"uid": "7", "acctLv": "1", "perm": "read_only,trade", "ip": "1.2.3.4"}
OKX_ROW = OKX_ORDER | {"instId": "XRP-USDT", "clOrdId": "a1", "ordId": "o1"}
OKX_OPEN = OKX_ROW | {"state": "live", "accFillSz": "0"}
OKX_TRADE = OKX_FILL | {"instId": "XRP-USDT", "clOrdId": "a1", "ordId": "o1", "fillTime": str(NOW_MS - 1000), "ts": str(NOW_MS - 1000)}
OKX_SENT = {"instId": "XRP-USDT", "tdMode": "cash", "side": "buy", "sz": "10", "px": "2.14", "clOrdId": "a1"}
OKX_PLACED = data({"ordId": "o1", "clOrdId": "a1", "sCode": "0", "sMsg": ""})
OKX_RATES = data({"taker": "-0.001", "maker": "-0.0008", "feeGroup": []})
CALLS += [
    Call("ping", "okx", lambda one: one.ping(), {("GET", V5 + "public/time"): data({"ts": "1"})},
         [*[okx_public("public/time", None, "time", Lane.HEDGE)] * 3]),
    Call("keys", "okx", keys, {("GET", V5 + "account/config"): data(OKX_CONFIG)},
         [okx("account/config", None, "config")], ("may read and trade, cannot withdraw", ("uid 7",))),
    Call("account", "okx", account, {("GET", V5 + "account/config"): data(OKX_CONFIG)},
         [okx("account/config", None, "config")], ("uid 7",)),
    Call("listed", "okx", listed,
         {("GET", V5 + "public/instruments"): data(OKX_INSTRUMENT),
          ("GET", V5 + "market/tickers"): data({"instId": "XRP-USDT", "last": "2.14005"})},
         [okx_public("public/instruments", OKX_SPOT, "instruments"), okx_public("market/tickers", OKX_SPOT, "ticker")],
         [("XRP-USDT", Decimal("1"), 2.14005)]),
    Call("trading", "okx", trading, {("GET", V5 + "public/instruments"): data(OKX_INSTRUMENT)},
         [okx_public("public/instruments", OKX_SPOT, "instruments")], ["XRP-USDT"]),
    Call("rules", "okx", rules,
         {("GET", V5 + "account/config"): data(OKX_CONFIG), ("GET", V5 + "account/instruments"): data(OKX_INSTRUMENT),
          ("GET", V5 + "account/trade-fee"): OKX_RATES},
         [okx("account/config", None, "config"), okx("account/instruments", OKX_SPOT, "instruments"),
          okx("account/trade-fee", OKX_SPOT, "trade-fee")], ["XRP-USDT"]),
    Call("connect", "okx", connected,
         {("GET", V5 + "public/time"): data({"ts": "1"}), ("GET", V5 + "account/config"): data(OKX_CONFIG),
          ("GET", V5 + "account/instruments"): data(OKX_INSTRUMENT), ("GET", V5 + "account/trade-fee"): OKX_RATES},
         [*[okx_public("public/time", None, "time", Lane.HEDGE)] * 3, okx("account/config", None, "config"),
          okx("account/instruments", OKX_SPOT, "instruments"), okx("account/trade-fee", OKX_SPOT, "trade-fee")], ["XRP-USDT"]),
    Call("entry", "okx", lambda one: one.place(resting("okx"), admit), {("POST", V5 + "trade/order"): OKX_PLACED},
         [okx("trade/order", OKX_SENT | {"ordType": "limit"}, "order", Lane.ENTRY, "POST")],
         OrderReport("okx", "a1", "o1", OrderState.ACCEPTED, NONE)),
    Call("hedge", "okx", hedged,
         {("POST", V5 + "trade/order"): OKX_PLACED, ("GET", V5 + "trade/order"): data(OKX_ROW),
          ("GET", V5 + "trade/fills-history"): data(OKX_TRADE)},
         [okx("trade/order", OKX_SENT | {"ordType": "ioc"}, "order", Lane.HEDGE, "POST"),
          okx("trade/order", {"instId": "XRP-USDT", "clOrdId": "a1"}, "order-query", Lane.HEDGE),
          okx("trade/fills-history", OKX_SPOT | {"instId": "XRP-USDT", "ordId": "o1", "limit": 100}, "fills-history", Lane.HEDGE)],
         ("o1", OrderState.FILLED, Decimal("0.00192834"), 1)),
    Call("cancel", "okx", lambda one: one.cancel("XRP-USDT", "a1"), {("POST", V5 + "trade/cancel-order"): OKX_PLACED},
         [okx("trade/cancel-order", {"instId": "XRP-USDT", "clOrdId": "a1"}, "cancel", Lane.CANCEL, "POST")]),
    Call("cancel standing", "okx", lambda one: one.cancel_standing(StandingOrder("XRP-USDT", "a1", "o1")),
         {("POST", V5 + "trade/cancel-order"): OKX_PLACED},
         [okx("trade/cancel-order", {"instId": "XRP-USDT", "ordId": "o1"}, "cancel", Lane.CANCEL, "POST")]),
    Call("cancel all", "okx", lambda one: one.cancel_all(),
         {("GET", V5 + "trade/orders-pending"): data(OKX_OPEN), ("POST", V5 + "trade/cancel-order"): OKX_PLACED},
         [okx("trade/orders-pending", OKX_SPOT | {"limit": 100}, "orders-pending", Lane.CANCEL),
          okx("trade/cancel-order", {"instId": "XRP-USDT", "ordId": "o1"}, "cancel", Lane.CANCEL, "POST")], 1),
    Call("standing", "okx", lambda one: one.list_standing(), {("GET", V5 + "trade/orders-pending"): data(OKX_OPEN)},
         [okx("trade/orders-pending", OKX_SPOT | {"limit": 100}, "orders-pending", Lane.CANCEL)], [StandingOrder("XRP-USDT", "a1", "o1")]),
    Call("open orders", "okx", lambda one: one.fetch_open_orders(), {("GET", V5 + "trade/orders-pending"): data(OKX_OPEN)},
         [okx("trade/orders-pending", OKX_SPOT | {"limit": 100}, "orders-pending")],
         [OrderReport("okx", "a1", "o1", OrderState.ACCEPTED, NONE)]),
    Call("look-up", "okx", found, {("GET", V5 + "trade/order"): data(OKX_OPEN)},
         [okx("trade/order", {"instId": "XRP-USDT", "clOrdId": "a1"}, "order-query", Lane.HEDGE)], ("o1", OrderState.ACCEPTED, NONE, 0)),
    Call("look-up of old fills", "okx", found,
         {("GET", V5 + "trade/order"): data(OKX_ROW), ("GET", V5 + "trade/fills-history"): data(OKX_TRADE)},
         [okx("trade/order", {"instId": "XRP-USDT", "clOrdId": "a1"}, "order-query", Lane.HEDGE),
          okx("trade/fills-history", OKX_SPOT | {"instId": "XRP-USDT", "ordId": "o1", "limit": 100}, "fills-history", Lane.HEDGE)],
         ("o1", OrderState.FILLED, Decimal("0.00192834"), 1)),
    Call("fills", "okx", fills, {("GET", V5 + "trade/fills"): data(OKX_TRADE)},
         [okx("trade/fills", OKX_SPOT | {"begin": NOW_MS - 1000, "limit": 100}, "fills")], [("XRP-USDT:744876980", "a1")]),
    Call("old fills", "okx", lambda one: fills(one, NOW_MS - 3 * DAY_MS - 1), {("GET", V5 + "trade/fills-history"): data(OKX_TRADE)},
         [okx("trade/fills-history", OKX_SPOT | {"begin": NOW_MS - 3 * DAY_MS - 1, "limit": 100}, "fills-history")],
         [("XRP-USDT:744876980", "a1")]),
    Call("balances", "okx", lambda one: one.fetch_balances(),
         {("GET", V5 + "account/balance"): data({"details": [{"ccy": "XRP", "availBal": "10.25", "frozenBal": "2.25"}]})},
         [okx("account/balance", None, "balance")], {"XRP": Balance(Decimal("10.25"), Decimal("2.25"))}),
    Call("networks", "okx", networks,
         {("GET", V5 + "asset/currencies"): data({"ccy": "XRP", "chain": "XRP-Ripple", "canDep": True, "canWd": True})},
         [okx("asset/currencies", None, "currencies")], ["Ripple"]),
]  # fmt: skip

# bitget


def bitget(path: str, params: Mapping[str, Any] | None, group: str, lane: Lane = Lane.DATA, method: str = "GET") -> Request:
    return "private", method, path, dict(params or {}), lane, {group: 1, "address": 1}


def bitget_public(path: str, params: Mapping[str, Any] | None = None, group: str = "market", lane: Lane = Lane.DATA) -> Request:
    return "public", "GET", path, dict(params or {}), lane, {group: 1, "address": 1}


def told(of: Any) -> dict[str, Any]:
    return {"code": "00000", "msg": "success", "data": of}


API, SPOT_API = "/api/v2/", "/api/v2/spot/"
BITGET_INFO = {"userId": "7", "authorities": ["stor", "stow"], "ips": "1.2.3.4"}
BITGET_SYMBOL = BITGET_RULES | {"symbol": "XRPUSDT", "baseCoin": "XRP"}
BITGET_OPEN = {"symbol": "XRPUSDT", "orderId": "o1", "side": "buy", "status": "live", "baseVolume": "0", "clientOid": "a1"}
BITGET_ROW = BITGET_OPEN | {"status": "filled", "baseVolume": "0.0007"}
BITGET_TRADE = BITGET_FILL | {"symbol": "XRPUSDT", "orderId": "o1", "tradeId": "t1", "cTime": str(NOW_MS - 1000)}
BITGET_SENT = {
    "symbol": "XRPUSDT", "side": "buy", "orderType": "limit", "price": "2.14", "size": "10", "clientOid": "a1", "receiveWindow": "5000",
}  # fmt: skip
BITGET_PLACED = told({"orderId": "o1", "clientOid": "a1"})
BITGET_RATE = told({"takerFeeRate": "0.0008", "makerFeeRate": "0.0002"})
BITGET_CHAIN = {
    "chain": "XRP", "withdrawable": "true", "rechargeable": "true", "withdrawFee": "0.2", "minWithdrawAmount": "2",
}  # fmt: skip
CALLS += [
    Call("ping", "bitget", lambda one: one.ping(), {("GET", API + "public/time"): told({"serverTime": "1"})},
         [*[bitget_public("v2/public/time", lane=Lane.HEDGE)] * 3]),
    Call("keys", "bitget", keys, {("GET", SPOT_API + "account/info"): told(BITGET_INFO)},
         [bitget("v2/spot/account/info", None, "account-info")], ("may read and trade, cannot withdraw", ("uid 7",))),
    Call("listed", "bitget", listed,
         {("GET", SPOT_API + "public/symbols"): told([BITGET_SYMBOL]),
          ("GET", SPOT_API + "market/tickers"): told([{"symbol": "XRPUSDT", "lastPr": "2.14005"}])},
         [bitget_public("v2/spot/public/symbols"), bitget_public("v2/spot/market/tickers")], [("XRPUSDT", Decimal("0.01"), 2.14005)]),
    Call("trading", "bitget", trading, {("GET", SPOT_API + "public/symbols"): told([BITGET_SYMBOL])},
         [bitget_public("v2/spot/public/symbols")], ["XRPUSDT"]),
    Call("trading for bitcoin", "bitget", lambda one: one.fetch_trading(["XRPBTC"]),
         {("GET", SPOT_API + "public/symbols"): told([BITGET_SYMBOL]),
          ("GET", SPOT_API + "market/tickers"): told([{"symbol": "BTCUSDT", "lastPr": "60000"}])},
         [bitget_public("v2/spot/market/tickers", {"symbol": "BTCUSDT"}), bitget_public("v2/spot/public/symbols")], {"XRPUSDT": None}),
    Call("rules", "bitget", rules,
         {("GET", SPOT_API + "public/symbols"): told([BITGET_SYMBOL]), ("GET", SPOT_API + "account/deduct-info"): told({"deduct": "off"}),
          ("GET", API + "common/trade-rate"): BITGET_RATE},
         [bitget_public("v2/spot/public/symbols"), bitget("v2/spot/account/deduct-info", None, "deduct-info"),
          bitget("v2/common/trade-rate", {"symbol": "XRPUSDT", "businessType": "spot"}, "trade-rate")], ["XRPUSDT"]),
    Call("connect", "bitget", connected,
         {("GET", API + "public/time"): told({"serverTime": "1"}), ("GET", SPOT_API + "account/info"): told(BITGET_INFO),
          ("GET", SPOT_API + "public/symbols"): told([BITGET_SYMBOL]), ("GET", SPOT_API + "account/deduct-info"): told({"deduct": "off"}),
          ("GET", API + "common/trade-rate"): BITGET_RATE},
         [*[bitget_public("v2/public/time", lane=Lane.HEDGE)] * 3, bitget("v2/spot/account/info", None, "account-info"),
          bitget_public("v2/spot/public/symbols"), bitget("v2/spot/account/deduct-info", None, "deduct-info"),
          bitget("v2/common/trade-rate", {"symbol": "XRPUSDT", "businessType": "spot"}, "trade-rate")], ["XRPUSDT"]),
    Call("entry", "bitget", lambda one: one.place(resting("bitget"), admit), {("POST", SPOT_API + "trade/place-order"): BITGET_PLACED},
         [bitget("v2/spot/trade/place-order", BITGET_SENT | {"force": "gtc"}, "order", Lane.ENTRY, "POST")],
         OrderReport("bitget", "a1", "o1", OrderState.ACCEPTED, NONE)),
    Call("hedge", "bitget", hedged,
         {("POST", SPOT_API + "trade/place-order"): BITGET_PLACED, ("GET", SPOT_API + "trade/orderInfo"): told([BITGET_ROW]),
          ("GET", SPOT_API + "trade/fills"): told([BITGET_TRADE])},
         [bitget("v2/spot/trade/place-order", BITGET_SENT | {"force": "ioc"}, "order", Lane.HEDGE, "POST"),
          bitget("v2/spot/trade/orderInfo", {"orderId": "o1"}, "order-info", Lane.HEDGE),
          bitget("v2/spot/trade/fills", {"symbol": "XRPUSDT", "orderId": "o1", "limit": "100"}, "fills", Lane.HEDGE)],
         ("o1", OrderState.FILLED, Decimal("0.0007"), 1)),
    Call("cancel", "bitget", lambda one: one.cancel("XRPUSDT", "a1"), {("POST", SPOT_API + "trade/cancel-order"): BITGET_PLACED},
         [bitget("v2/spot/trade/cancel-order", {"symbol": "XRPUSDT", "clientOid": "a1"}, "cancel", Lane.CANCEL, "POST")]),
    Call("cancel standing", "bitget", lambda one: one.cancel_standing(StandingOrder("XRPUSDT", "a1", "o1")),
         {("POST", SPOT_API + "trade/cancel-order"): BITGET_PLACED},
         [bitget("v2/spot/trade/cancel-order", {"symbol": "XRPUSDT", "orderId": "o1"}, "cancel", Lane.CANCEL, "POST")]),
    Call("cancel all", "bitget", lambda one: one.cancel_all(),
         {("GET", SPOT_API + "trade/unfilled-orders"): told([BITGET_OPEN]), ("POST", SPOT_API + "trade/cancel-order"): BITGET_PLACED},
         [bitget("v2/spot/trade/unfilled-orders", {"limit": "100"}, "open-orders", Lane.CANCEL),
          bitget("v2/spot/trade/cancel-order", {"symbol": "XRPUSDT", "orderId": "o1"}, "cancel", Lane.CANCEL, "POST")], 1),
    Call("standing", "bitget", lambda one: one.list_standing(), {("GET", SPOT_API + "trade/unfilled-orders"): told([BITGET_OPEN])},
         [bitget("v2/spot/trade/unfilled-orders", {"limit": "100"}, "open-orders", Lane.CANCEL)], [StandingOrder("XRPUSDT", "a1", "o1")]),
    Call("open orders", "bitget", lambda one: one.fetch_open_orders(), {("GET", SPOT_API + "trade/unfilled-orders"): told([BITGET_OPEN])},
         [bitget("v2/spot/trade/unfilled-orders", {"limit": "100"}, "open-orders")],
         [OrderReport("bitget", "a1", "o1", OrderState.ACCEPTED, NONE)]),
    Call("look-up", "bitget", found,
         {("GET", SPOT_API + "trade/orderInfo"): told([BITGET_ROW]), ("GET", SPOT_API + "trade/fills"): told([BITGET_TRADE])},
         [bitget("v2/spot/trade/orderInfo", {"clientOid": "a1"}, "order-info", Lane.HEDGE),
          bitget("v2/spot/trade/fills", {"symbol": "XRPUSDT", "orderId": "o1", "limit": "100"}, "fills", Lane.HEDGE)],
         ("o1", OrderState.FILLED, Decimal("0.0007"), 1)),
    Call("look-up of what is found nowhere", "bitget", found,
         {("GET", SPOT_API + "trade/orderInfo"): told([]), ("GET", SPOT_API + "trade/unfilled-orders"): told([]),
          ("GET", SPOT_API + "trade/history-orders"): told([])},
         [bitget("v2/spot/trade/orderInfo", {"clientOid": "a1"}, "order-info", Lane.HEDGE),
          bitget("v2/spot/trade/unfilled-orders", {"symbol": "XRPUSDT", "limit": "100"}, "open-orders", Lane.HEDGE),
          bitget("v2/spot/trade/history-orders", {"symbol": "XRPUSDT", "limit": "100"}, "history", Lane.HEDGE)]),
    Call("right to look up", "bitget", lambda one: one.ask(*one.look_up, one.unknown_order(one.any_market(), "a1")),
         {("GET", SPOT_API + "trade/orderInfo"): told([])},
         [bitget("v2/spot/trade/orderInfo", {"clientOid": "a1"}, "order-info", Lane.HEDGE)]),
    Call("right to cancel", "bitget", lambda one: one.ask(*one.cancel_order, one.unknown_order(one.any_market(), "a1")),
         {("POST", SPOT_API + "trade/cancel-order"): BITGET_PLACED},
         [bitget("v2/spot/trade/cancel-order", {"symbol": "XRPUSDT", "clientOid": "a1"}, "cancel", Lane.HEDGE, "POST")]),
    Call("fills", "bitget", fills,
         {("GET", SPOT_API + "trade/fills"): told([BITGET_TRADE]), ("GET", SPOT_API + "trade/orderInfo"): told([BITGET_ROW])},
         [bitget("v2/spot/trade/fills", {"startTime": str(NOW_MS - 1000), "limit": "100"}, "fills"),
          bitget("v2/spot/trade/orderInfo", {"orderId": "o1"}, "order-info")], [("t1", "a1")]),
    Call("old fills", "bitget", lambda one: fills(one, 7),
         {("GET", SPOT_API + "trade/fills"): told([])},
         [bitget("v2/spot/trade/fills", {"startTime": str(NOW_MS - 90 * DAY_MS), "limit": "100"}, "fills")], []),
    Call("balances", "bitget", lambda one: one.fetch_balances(),
         {("GET", SPOT_API + "account/assets"): told([{"coin": "XRP", "available": "10.25", "frozen": "2", "locked": "0.25"}])},
         [bitget("v2/spot/account/assets", None, "assets")], {"XRP": Balance(Decimal("10.25"), Decimal("2.25"))}),
    Call("networks", "bitget", networks,
         {("GET", SPOT_API + "public/coins"): told([{"coin": "XRP", "chains": [BITGET_CHAIN]}, {"coin": "ADA"}])},
         [bitget_public("v2/spot/public/coins", group="coins")], ["XRP"]),
]  # fmt: skip

# bithumb


def bithumb(
    path: str, params: Mapping[str, Any] | None = None, lane: Lane = Lane.DATA, method: str = "GET", group: str = "default"
) -> Request:
    return "private", method, path, dict(params or {}), lane, {group: 1}


def bithumb_public(path: str, params: Mapping[str, Any]) -> Request:
    return "public", "GET", path, dict(params), Lane.DATA, {"quotation": 1}


def week_of(start_ms: int) -> dict[str, Any]:
    return {"states": ["done", "cancel"], "start_time": start_ms, "end_time": start_ms + 7 * DAY_MS, "limit": 1000, "order_by": "asc"}


def orders(*rows: Any) -> dict[str, Any]:
    return {"data": list(rows), "has_next": False, "next_key": None}


MARKETS = [{"market": "KRW-XRP", "market_warning": "NONE"}, {"market": "BTC-XRP", "market_warning": "NONE"}, {"market": "USDT-XRP"}]
WAIT, WATCH = {"state": "wait", "limit": 100}, {"state": "watch", "limit": 100}
BITHUMB_SENT = {
    "market": "KRW-XRP", "side": "bid", "volume": "10", "price": "3000", "client_order_id": "a1", "order_type": "limit",
}  # fmt: skip
WALLET = {"currency": "XRP", "wallet_state": "working", "net_type": "XRP"}
MAY_WITHDRAW = {"currency": {"withdraw_fee": "1"}, "withdraw_limit": {"minimum": "20", "fixed": 6}}
CALLS += [
    Call("ping", "bithumb", lambda one: one.ping(), {("GET", "/v1/api_keys"): [{"access_key": "k7"}]},
         [bithumb("v1/api_keys")]),
    Call("keys", "bithumb", keys, {("GET", "/v1/api_keys"): [{"access_key": "k7"}]},
         [bithumb("v1/api_keys")], ("is accepted", ("key k7",))),
    Call("listed", "bithumb", listed,
         {("GET", "/v1/market/all"): MARKETS, ("GET", "/v1/ticker"): [{"market": "KRW-XRP", "trade_price": 3000.5}]},
         [bithumb_public("v1/market/all", {"isDetails": "true"}), bithumb_public("v1/ticker", {"markets": "KRW-XRP"})],
         [("KRW-XRP", Decimal("1"), 3000.5)]),
    Call("trading", "bithumb", trading, {("GET", "/v1/market/all"): MARKETS},
         [bithumb_public("v1/market/all", {"isDetails": "true"})], ["KRW-XRP", "BTC-XRP"]),
    Call("rules", "bithumb", rules, {("GET", "/v1/market/all"): MARKETS, ("GET", "/v1/orders/chance"): CHANCE},
         [bithumb_public("v1/market/all", {"isDetails": "true"}), bithumb("v1/orders/chance", {"market": "KRW-XRP"})], ["KRW-XRP"]),
    Call("connect", "bithumb", connected,
         {("GET", "/v1/api_keys"): [{"access_key": "k7"}], ("GET", "/v1/market/all"): MARKETS, ("GET", "/v1/orders/chance"): CHANCE},
         [bithumb("v1/api_keys"), bithumb_public("v1/market/all", {"isDetails": "true"}),
          bithumb("v1/orders/chance", {"market": "KRW-XRP"})], ["KRW-XRP"]),
    Call("entry", "bithumb", lambda one: one.place(resting("bithumb"), admit), {("POST", "/v2/orders"): TAKEN},
         [bithumb("v2/orders", BITHUMB_SENT, lane=Lane.ENTRY, method="POST", group="order")],
         OrderReport("bithumb", "a1", "C1", OrderState.ACCEPTED, NONE)),
    Call("hedge", "bithumb", hedged,
         {("POST", "/v2/orders"): TAKEN, ("GET", "/v1/order"): BITHUMB_ROW},
         [bithumb("v2/orders", BITHUMB_SENT | {"time_in_force": "ioc"}, lane=Lane.HEDGE, method="POST", group="order"),
          bithumb("v1/order", {"client_order_id": "a1"}, lane=Lane.HEDGE)], ("C1", OrderState.FILLED, Decimal("10"), 1)),
    Call("cancel", "bithumb", lambda one: one.cancel("KRW-XRP", "a1"), {("DELETE", "/v2/order"): {}},
         [bithumb("v2/order", {"client_order_id": "a1"}, lane=Lane.CANCEL, method="DELETE", group="order-cancel")]),
    Call("cancel standing", "bithumb", lambda one: one.cancel_standing(StandingOrder("KRW-XRP", "a1", "C1")), {("DELETE", "/v2/order"): {}},
         [bithumb("v2/order", {"order_id": "C1"}, lane=Lane.CANCEL, method="DELETE", group="order-cancel")]),
    Call("cancel all", "bithumb", lambda one: one.cancel_all(),
         {("GET", "/v2/orders/pending"): (orders(LISTED), orders(LISTED | {"order_id": "C2"})),
          ("POST", "/v2/orders/cancel"): {"success": [{"order_id": "C1"}], "failed": []}, ("GET", "/v1/order"): BITHUMB_ROW},
         [bithumb("v2/orders/pending", WAIT, lane=Lane.CANCEL), bithumb("v2/orders/pending", WATCH, lane=Lane.CANCEL),
          bithumb("v2/orders/cancel", {"order_ids": ["C1", "C2"]}, lane=Lane.CANCEL, method="POST", group="order-cancel-all"),
          bithumb("v1/order", {"uuid": "C2"}, lane=Lane.CANCEL)], 1),
    Call("standing", "bithumb", lambda one: one.list_standing(), {("GET", "/v2/orders/pending"): (orders(LISTED), orders())},
         [bithumb("v2/orders/pending", WAIT, lane=Lane.CANCEL), bithumb("v2/orders/pending", WATCH, lane=Lane.CANCEL)],
         [StandingOrder("KRW-XRP", "a1", "C1")]),
    Call("open orders", "bithumb", lambda one: one.fetch_open_orders(), {("GET", "/v2/orders/pending"): (orders(LISTED), orders())},
         [bithumb("v2/orders/pending", WAIT), bithumb("v2/orders/pending", WATCH)],
         [OrderReport("bithumb", "a1", "C1", OrderState.ACCEPTED, NONE)]),
    Call("look-up", "bithumb", found, {("GET", "/v1/order"): BITHUMB_ROW},
         [bithumb("v1/order", {"client_order_id": "a1"}, lane=Lane.HEDGE)], ("C1", OrderState.FILLED, Decimal("10"), 1)),
    Call("fills", "bithumb", lambda one: fills(one, NOW_MS - 8 * DAY_MS),
         {("GET", "/v2/orders/history"): orders(), ("GET", "/v2/orders/pending"): orders()},
  
               [bithumb("v2/orders/history", week_of(AN_HOUR_BEFORE)),
  
                bithumb("v2/orders/history", week_of(AN_HOUR_BEFORE + 7 * DAY_MS)),
          bithumb("v2/orders/pending", WAIT), bithumb("v2/orders/pending", WATCH)], []),
    Call("balances", "bithumb", lambda one: one.fetch_balances(),
         {("GET", "/v1/accounts"): [{"currency": "KRW", "balance": "5.5", "locked": "2"}]},
         [bithumb("v1/accounts")], {"KRW": Balance(Decimal("5.5"), Decimal("2"))}),
    Call("networks", "bithumb", networks,
         {("GET", "/v1/status/wallet"): [WALLET], ("GET", "/v1/withdraws/coin_addresses"): [],
          ("GET", "/v1/withdraws/chance"): MAY_WITHDRAW},
         [bithumb("v1/status/wallet"), bithumb("v1/withdraws/coin_addresses"),
          bithumb("v1/withdraws/chance", {"currency": "XRP", "net_type": "XRP"})], ["XRP"]),
]  # fmt: skip

# coinone


def coinone(path: str, params: Mapping[str, Any] | None = None, lane: Lane = Lane.DATA, group: str = "query") -> Request:
    return "private", "POST", path, dict(params or {}), lane, {group: 1}


def coinone_public(path: str) -> Request:
    return "public", "GET", path, {}, Lane.DATA, {"public": 1}


def said(**fields: Any) -> dict[str, Any]:
    return {"result": "success", "error_code": "0", **fields}


V21 = "/v2.1/"
COINONE_MARKET = {
    **PAIR, "qty_unit": "0.0001", "trade_status": 1, "maintenance_status": 0, "min_order_amount": "5000.0", "min_qty": "0.0001",
    "max_qty": "1000000.0",
}  # fmt: skip
COINONE_SENT = PAIR | {"side": "BUY", "type": "LIMIT", "price": "3000", "qty": "10", "post_only": False, "user_order_id": "a1"}
UNITS = said(range_price_units=[{"range_min": 0, "price_unit": 1}])
FEES = said(fee_rates=[{**PAIR, "maker": "0.0001", "taker": "0.0004"}])
COINONE_OPEN = said(order={**DETAIL, **PAIR, "order_id": "C1", "status": "LIVE", "original_qty": "10", "remain_qty": "10"})
COINONE_ROW = said(order={**DETAIL, **PAIR, "order_id": "C1", "status": "FILLED", "original_qty": "4.5", "executed_qty": "4.5"})
ACTIVE = said(active_orders=[STANDS])
CALLS += [
    Call("ping", "coinone", lambda one: one.ping(), {("POST", V21 + "account/balance/all"): said(balances=[])},
         [coinone("v2.1/account/balance/all")]),
    Call("keys", "coinone", keys, {("POST", V21 + "account/balance/all"): said(balances=[])},
         [coinone("v2.1/account/balance/all")], ("is accepted", ())),
    Call("listed", "coinone", listed,
         {("GET", "/public/v2/markets/KRW"): said(markets=[COINONE_MARKET]),
          ("GET", "/public/v2/ticker_new/KRW"): said(tickers=[{"quote_currency": "krw", "target_currency": "xrp", "last": "3001"}])},
         [coinone_public("public/v2/markets/KRW"), coinone_public("public/v2/ticker_new/KRW")], [("KRW-XRP", Decimal("1"), 3001.0)]),
    Call("trading", "coinone", trading, {("GET", "/public/v2/markets/KRW"): said(markets=[COINONE_MARKET])},
         [coinone_public("public/v2/markets/KRW")], ["KRW-XRP"]),
    Call("rules", "coinone", rules,
         {("GET", "/public/v2/markets/KRW"): said(markets=[COINONE_MARKET]), ("POST", V21 + "account/trade_fee"): FEES,
          ("GET", "/public/v2/range_units/KRW/XRP"): UNITS},
         [coinone_public("public/v2/markets/KRW"), coinone("v2.1/account/trade_fee"), coinone_public("public/v2/range_units/KRW/XRP")],
         ["KRW-XRP"]),
    Call("connect", "coinone", connected,
         {("POST", V21 + "account/balance/all"): said(balances=[]), ("GET", "/public/v2/markets/KRW"): said(markets=[COINONE_MARKET]),
          ("POST", V21 + "account/trade_fee"): FEES, ("GET", "/public/v2/range_units/KRW/XRP"): UNITS},
         [coinone("v2.1/account/balance/all"), coinone_public("public/v2/markets/KRW"), coinone("v2.1/account/trade_fee"),
          coinone_public("public/v2/range_units/KRW/XRP")], ["KRW-XRP"]),
    Call("entry", "coinone", lambda one: one.place(resting("coinone"), admit), {("POST", V21 + "order"): said(order_id="C1")},
         [coinone("v2.1/order", COINONE_SENT, lane=Lane.ENTRY, group="order")],
         OrderReport("coinone", "a1", "C1", OrderState.ACCEPTED, NONE)),
    Call("cancel", "coinone", lambda one: one.cancel("KRW-XRP", "a1"), {("POST", V21 + "order/cancel"): said()},
         [coinone("v2.1/order/cancel", PAIR | {"user_order_id": "a1"}, lane=Lane.CANCEL, group="order")]),
    Call("cancel standing", "coinone", lambda one: one.cancel_standing(StandingOrder("KRW-XRP", "a1", "C1")),
         {("POST", V21 + "order/cancel"): said()},
         [coinone("v2.1/order/cancel", PAIR | {"order_id": "C1"}, lane=Lane.CANCEL, group="order")]),
    Call("cancel all", "coinone", lambda one: one.cancel_all(),
         {("POST", V21 + "order/active_orders"): ACTIVE, ("POST", V21 + "order/cancel"): said()},
         [coinone("v2.1/order/active_orders", lane=Lane.CANCEL),
          coinone("v2.1/order/cancel", PAIR | {"order_id": "C1"}, lane=Lane.CANCEL, group="order")], 1),
    Call("standing", "coinone", lambda one: one.list_standing(), {("POST", V21 + "order/active_orders"): ACTIVE},
         [coinone("v2.1/order/active_orders", lane=Lane.CANCEL)], [StandingOrder("KRW-XRP", "", "C1")]),
    Call("open orders", "coinone", lambda one: one.fetch_open_orders(), {("POST", V21 + "order/active_orders"): ACTIVE},
         [coinone("v2.1/order/active_orders")], [OrderReport("coinone", "", "C1", OrderState.ACCEPTED, NONE)]),
    Call("look-up", "coinone", found, {("POST", V21 + "order/detail"): COINONE_OPEN},
         [coinone("v2.1/order/detail", PAIR | {"user_order_id": "a1"}, lane=Lane.HEDGE)], ("C1", OrderState.ACCEPTED, NONE, 0)),
    Call("fills", "coinone", fills,
         {("POST", V21 + "order/completed_orders/all"): said(completed_orders=[trade(timestamp=NOW_MS - 1000)])},
         [coinone("v2.1/order/completed_orders/all", {"size": 100, "from_ts": NOW_MS - 1000, "to_ts": NOW_MS})], [("T1", "")]),
    Call("balances", "coinone", lambda one: one.fetch_balances(),
         {("POST", V21 + "account/balance/all"): said(balances=[{"currency": "XRP", "available": "10.25", "limit": "2.25"}])},
         [coinone("v2.1/account/balance/all")], {"XRP": Balance(Decimal("10.25"), Decimal("2.25"))}),
    Call("networks", "coinone", networks,
         {("GET", "/public/v2/currencies"): said(currencies=[{"symbol": "XRP", "deposit_status": "normal", "withdraw_status": "normal"}])},
         [coinone_public("public/v2/currencies")], ["XRP"]),
]  # fmt: skip


async def look_up(adapter: CcxtAdapter) -> None:
    """As the right to it is proven."""
    await adapter.ask(*adapter.look_up, adapter.unknown_order(adapter.any_market(), "a1"))


async def cancel(adapter: CcxtAdapter) -> None:
    """As the right to it is proven."""
    await adapter.ask(*adapter.cancel_order, adapter.unknown_order(adapter.any_market(), "a1"))


OKX_NAMED = {"instId": "XRP-USDT", "clOrdId": "a1"}
CALLS += [
    Call("right to look up", "bybit", look_up, {("GET", "/v5/order/realtime"): page()},
         [bybit("order/realtime", MINE | {"orderLinkId": "a1"}, "orders", Lane.HEDGE)]),
    Call("right to cancel", "bybit", cancel, {("POST", "/v5/order/cancel"): result({})},
         [bybit("order/cancel", MINE | {"orderLinkId": "a1"}, "orders", Lane.HEDGE, "POST")]),
    Call("right to look up", "okx", look_up, {("GET", V5 + "trade/order"): data(OKX_OPEN)},
         [okx("trade/order", OKX_NAMED, "order-query", Lane.HEDGE)]),
    Call("right to cancel", "okx", cancel, {("POST", V5 + "trade/cancel-order"): OKX_PLACED},
         [okx("trade/cancel-order", OKX_NAMED, "order-query", Lane.HEDGE, "POST")]),
    Call("right to look up", "bithumb", look_up, {("GET", "/v1/order"): BITHUMB_ROW},
         [bithumb("v1/order", {"client_order_id": "a1"}, lane=Lane.HEDGE)]),
    Call("right to cancel", "bithumb", cancel, {("DELETE", "/v2/order"): {}},
         [bithumb("v2/order", {"client_order_id": "a1"}, lane=Lane.HEDGE, method="DELETE")]),
    Call("right to look up", "coinone", look_up, {("POST", V21 + "order/detail"): COINONE_OPEN},
         [coinone("v2.1/order/detail", PAIR | {"user_order_id": "a1"}, lane=Lane.HEDGE)]),
    Call("right to cancel", "coinone", cancel, {("POST", V21 + "order/cancel"): said()},
         [coinone("v2.1/order/cancel", PAIR | {"user_order_id": "a1"}, lane=Lane.HEDGE)]),
]  # fmt: skip


@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call.exchange} {call.name}")
def test_a_call_asks_for_this_at_that_cost_and_gives_what_was_answered(call: Call) -> None:
    seen, given = made(call)
    assert seen == call.asked
    assert given == call.gives


#: Answers that are only noticed to have come, or of which an odd one is told of its market alone.
UNREAD = ("/api_keys", "/chance", "/trade-rate", "/cancel", "/cancel-order", "/coin_addresses", "/range_units/KRW/XRP", "/v2/order")
ODD = [
    (call, place)
    for call in CALLS
    for place in call.answers
    if not place[1].endswith(UNREAD) and not call.name.startswith(("ping", "right")) and (call.name != "hedge" or place[0] == "POST")
]
#: What a good answer of each venue holds something else in.
GOOD: Mapping[str, Any] = {
    "bybit": result({"odd": 1}), "okx": {"code": "0", "msg": "", "data": {}}, "bitget": told({"odd": 1}), "bithumb": {"odd": 1},
    "coinone": said(odd=1),
}  # fmt: skip
#: Good answers that need not have anything in them.
BARE = ("/v5/market/time", "/v5/account/user-setting-config")


def named(value: Any) -> str:
    return f"{value.exchange} {value.name}" if isinstance(value, Call) else str(value[1])


def raised(call: Call) -> type[Exception]:
    """What a call says of an answer that cannot be read; an order that was taken is one of unknown fate."""
    if call.name in ("entry", "hedge"):
        return OrderUnknown
    return VenueFailed


@pytest.mark.parametrize(("call", "odd"), ODD, ids=named)
def test_an_answer_of_another_form_says_nothing_and_the_call_says_so(call: Call, odd: tuple[str, str]) -> None:
    error = WireError if (call.exchange, call.name) == ("bitget", "keys") else raised(call)
    with pytest.raises(error):
        made(replace(call, answers={**call.answers, odd: {"odd": 1}}))


@pytest.mark.parametrize(("call", "odd"), [one for one in ODD if one[1][1] not in BARE], ids=named)
def test_a_good_answer_with_something_else_in_it_says_nothing_either(call: Call, odd: tuple[str, str]) -> None:
    error = WireError if call.name == "keys" and call.exchange != "coinone" else raised(call)
    with pytest.raises(error):
        made(replace(call, answers={**call.answers, odd: GOOD[call.exchange]}))


@pytest.mark.parametrize("call", [call for call in CALLS if call.name == "hedge"], ids=lambda call: str(call.exchange))
def test_the_end_of_an_order_that_was_taken_is_not_known_where_its_look_up_cannot_be_read(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"arbtui.exchanges.{call.exchange}.adapter._LOOK_AFTER_S", (0.0, 0.0))
    for place in [place for place in call.answers if place[0] == "GET"]:
        given = made(replace(call, answers={**call.answers, place: {"odd": 1}}))[1]
        assert given[1:] == (OrderState.ACCEPTED, NONE, 0)
