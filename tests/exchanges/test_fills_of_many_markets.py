"""Binance lists fills symbol by symbol: of more than are asked one by one, those are listed that an order or a missing fill points at."""

from dataclasses import replace

from arbtui.exchanges.ccxt_adapter import CcxtAdapter
from tests.exchanges.scripted_venue import adapter_of, market_of, scripted, value
from tests.exchanges.test_answers_on_the_wire import run


def _connect_many(adapter: CcxtAdapter, count: int = 60) -> None:
    for number in range(count):
        code = f"C{number}USDT"
        adapter.markets[code] = replace(market_of("binance"), code=code, base=f"C{number}")


def test_of_many_markets_those_are_asked_for_whose_coins_differ_and_fifty_at_most() -> None:
    """A start that looked for a missed fill asked for what it had traded itself, which was nothing."""

    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "binance") as adapter:
            venue.on("GET", "/api/v3/myTrades", value([]))
            _connect_many(adapter)
            await adapter.fetch_fills(0)
            assert venue.of("GET", "/api/v3/myTrades") == []
            adapter.expect_fills(["C7", "USDT", "NOWHERE"])
            await adapter.fetch_fills(0)
            assert [asked.query["symbol"] for asked in venue.of("GET", "/api/v3/myTrades")] == ["C7USDT"]
            await adapter.fetch_fills(0)
            assert len(venue.of("GET", "/api/v3/myTrades")) == 1, "once: a run's checks go on as before"
            adapter.expect_fills([market.base for market in adapter.markets.values()])
            await adapter.fetch_fills(0)
            assert len(venue.of("GET", "/api/v3/myTrades")) - 1 == 50

    run(main)


def test_an_order_that_is_looked_up_has_its_market_s_fills_listed() -> None:
    """That a venue's fills do not name an order is a part of the proof that it never came: they have to be asked for in its market."""

    async def main() -> None:
        async with scripted() as venue, adapter_of(venue, "binance") as adapter:
            venue.on("GET", "/api/v3/myTrades", value([]))
            venue.on("GET", "/api/v3/order", value({"code": -2013, "msg": "Order does not exist."}, 400))
            _connect_many(adapter)
            assert await adapter.fetch_order("C3USDT", "a1") is None
            await adapter.fetch_fills(0)
            assert [asked.query["symbol"] for asked in venue.of("GET", "/api/v3/myTrades")] == ["C3USDT"]

    run(main)
