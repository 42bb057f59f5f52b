"""Binance's calls: path and name, documented weight (Spot API, each endpoint's "Weight"), and their handlers."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from arbtui.sandbox.binance.market_data import BinanceMarketData
from arbtui.sandbox.binance.trading import BinanceTrading
from arbtui.sandbox.faults import Part
from arbtui.sandbox.keys import Key

Params = Mapping[str, str]
Ask = Callable[[Key, Params], Awaitable[Any]]
Weigh = Callable[[Params], int]


class Endpoint(NamedTuple):
    """One call. ``weigh`` gives its request weight; a weight of 0 counts elsewhere (wallet calls have their own limit)."""

    part: Part
    weigh: Weigh
    ask: Ask
    signed: bool = True
    orders: int = 0


def endpoints(data: BinanceMarketData, trading: BinanceTrading) -> dict[tuple[str, str], Endpoint]:
    """By HTTP method and path."""

    def public(weight: int | Weigh, ask: Callable[[Params], Awaitable[Any]]) -> Endpoint:
        weigh = weight if callable(weight) else _of(weight)
        return Endpoint("public", weigh, lambda _, params: ask(params), signed=False)

    def by_symbol(one: int, many: int) -> Weigh:
        return lambda params: one if "symbol" in params else many

    return {
        ("GET", "/api/v3/ping"): public(1, data.ping),
        ("GET", "/api/v3/time"): public(1, data.time),
        ("GET", "/api/v3/exchangeInfo"): public(20, data.exchange_info),
        ("GET", "/api/v3/depth"): public(data.depth_weight, data.depth),
        ("GET", "/api/v3/trades"): public(25, data.trades),
        ("GET", "/api/v3/ticker/bookTicker"): public(by_symbol(2, 4), data.book_ticker),
        ("GET", "/api/v3/ticker/price"): public(by_symbol(2, 4), data.price),
        ("GET", "/api/v3/ticker/24hr"): public(data.ticker_weight, data.day_ticker),
        ("POST", "/api/v3/order"): Endpoint("order", _of(1), trading.place, orders=1),
        ("POST", "/api/v3/order/test"): Endpoint("test", _of(1), trading.test),
        ("GET", "/api/v3/order"): Endpoint("query", _of(4), trading.order),
        ("DELETE", "/api/v3/order"): Endpoint("cancel", _of(1), trading.cancel),
        ("GET", "/api/v3/openOrders"): Endpoint("query", by_symbol(6, 80), trading.open_orders),
        ("DELETE", "/api/v3/openOrders"): Endpoint("cancel", _of(1), trading.cancel_all),
        ("GET", "/api/v3/allOrders"): Endpoint("query", _of(20), trading.all_orders),
        ("GET", "/api/v3/myTrades"): Endpoint("query", lambda params: 5 if "orderId" in params else 20, trading.my_trades),
        ("GET", "/api/v3/account"): Endpoint("account", _of(20), trading.account),
        ("GET", "/api/v3/account/commission"): Endpoint("account", _of(20), trading.commission),
        ("GET", "/api/v3/rateLimit/order"): Endpoint("account", _of(40), trading.order_limits),
        ("GET", "/sapi/v1/account/apiRestrictions"): Endpoint("account", _of(0), trading.restrictions),
        ("GET", "/sapi/v1/capital/config/getall"): Endpoint("wallet", _of(0), trading.coins),
        ("GET", "/sapi/v1/margin/allPairs"): Endpoint("account", _of(0), trading.margin_pairs),
        ("GET", "/sapi/v1/margin/isolated/allPairs"): Endpoint("account", _of(0), trading.margin_pairs),
        ("GET", "/sapi/v1/asset/tradeFee"): Endpoint("account", _of(0), trading.trade_fees),
    }


#: Names that the WebSocket API has for calls of the REST interface.
MESSAGES: dict[str, tuple[str, str]] = {
    "ping": ("GET", "/api/v3/ping"),
    "time": ("GET", "/api/v3/time"),
    "exchangeInfo": ("GET", "/api/v3/exchangeInfo"),
    "depth": ("GET", "/api/v3/depth"),
    "trades.recent": ("GET", "/api/v3/trades"),
    "ticker.book": ("GET", "/api/v3/ticker/bookTicker"),
    "ticker.price": ("GET", "/api/v3/ticker/price"),
    "ticker.24hr": ("GET", "/api/v3/ticker/24hr"),
    "order.place": ("POST", "/api/v3/order"),
    "order.test": ("POST", "/api/v3/order/test"),
    "order.status": ("GET", "/api/v3/order"),
    "order.cancel": ("DELETE", "/api/v3/order"),
    "openOrders.status": ("GET", "/api/v3/openOrders"),
    "openOrders.cancelAll": ("DELETE", "/api/v3/openOrders"),
    "allOrders": ("GET", "/api/v3/allOrders"),
    "myTrades": ("GET", "/api/v3/myTrades"),
    "account.status": ("GET", "/api/v3/account"),
    "account.commission": ("GET", "/api/v3/account/commission"),
    "account.rateLimits.orders": ("GET", "/api/v3/rateLimit/order"),
}


def _of(weight: int) -> Weigh:
    return lambda _: weight
