"""Which standing orders fall under a scope."""

import pytest

from arbtui.engine.scope_orders import ScopeOrders
from arbtui.exchanges.adapter import StandingOrder

MARKETS = {("upbit", "KRW-XRP"): ("XRP", "KRW"), ("binance", "XRPUSDT"): ("XRP", "USDT"), ("binance", "BTCUSDT"): ("BTC", "USDT")}
ROUTES = {"known": "XRP:upbit>binance", "back": "XRP:binance>upbit"}


def orders(scope: str) -> ScopeOrders:
    return ScopeOrders(scope, lambda exchange, code: MARKETS.get((exchange, code), ()), ROUTES.get)


@pytest.mark.parametrize(
    ("scope", "exchange", "code", "client_order_id", "is_meant"),
    [
        ("global", "upbit", "KRW-XRP", "any", True),
        ("exchange.upbit", "upbit", "KRW-NEW", "any", True),
        ("exchange.upbit", "binance", "XRPUSDT", "any", False),
        ("symbol.XRP", "upbit", "KRW-XRP", "any", True),
        ("symbol.XRP", "binance", "BTCUSDT", "any", False),
        ("symbol.USDT", "binance", "BTCUSDT", "any", True),
        ("symbol.XRP", "upbit", "KRW-NEW", "any", False),
        ("symbol.upbit:XRP", "upbit", "KRW-XRP", "any", True),
        ("symbol.upbit:XRP", "binance", "XRPUSDT", "any", False),
        ("route.XRP:upbit>binance", "upbit", "KRW-XRP", "known", True),
        ("route.XRP:upbit>binance", "upbit", "KRW-XRP", "back", False),
        ("route.XRP:upbit>binance", "binance", "XRPUSDT", "lost", True),
        ("route.XRP:upbit>binance", "binance", "BTCUSDT", "lost", False),
        ("route.XRP:upbit>bybit", "binance", "XRPUSDT", "lost", False),
    ],
)
def test_orders_of_a_scope(scope: str, exchange: str, code: str, client_order_id: str, is_meant: bool) -> None:
    assert orders(scope).covers(exchange, StandingOrder(code, client_order_id, "1")) is is_meant


@pytest.mark.parametrize(
    ("scope", "where"),
    [
        ("global", ["upbit", "binance"]),
        ("exchange.binance", ["binance"]),
        ("exchange.bybit", []),
        ("symbol.XRP", ["upbit", "binance"]),
        ("symbol.upbit:XRP", ["upbit"]),
        ("route.XRP:upbit>bybit", ["upbit"]),
    ],
)
def test_where_such_orders_may_stand(scope: str, where: list[str]) -> None:
    assert orders(scope).exchanges(["upbit", "binance"]) == where
