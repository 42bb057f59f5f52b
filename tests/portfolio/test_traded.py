"""What fills come to, by market and side."""

from decimal import Decimal

from arbtui.model.order import Side
from arbtui.portfolio.traded import TradedSums
from tests.portfolio.telling import fill_of


def test_fills_are_added_up_by_market_and_side_in_order_of_the_first() -> None:
    sums = TradedSums(
        [fill_of("upbit", Side.SELL, Decimal(3), Decimal(3000), "a"), fill_of("binance", Side.BUY, Decimal(4), Decimal(2), "b")]
    )
    sums.add(fill_of("upbit", Side.SELL, Decimal(1), Decimal(3100), "c"))
    sums.add(fill_of("upbit", Side.BUY, Decimal(1), Decimal(3), "d"))
    sums.add(fill_of("binance", Side.SELL, Decimal(0), Decimal(3), "e"))
    assert [row.facts() for row in sums.rows()] == [
        {
            "exchange": "upbit",
            "market": "XRPKRW",
            "base": "XRP",
            "quote": "KRW",
            "side": "sell",
            "qty": "4",
            "price": "3025",
            "cost": "12100",
        },
        {"exchange": "binance", "market": "XRPUSDT", "base": "XRP", "quote": "USDT", "side": "buy", "qty": "4", "price": "2", "cost": "8"},
        {"exchange": "upbit", "market": "XRPKRW", "base": "XRP", "quote": "KRW", "side": "buy", "qty": "1", "price": "3", "cost": "3"},
    ]
