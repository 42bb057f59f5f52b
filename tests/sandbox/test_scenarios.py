"""What the market itself does in scenario ``crash`` reaches the wire: halts, empty books, outages."""

import asyncio

import pytest

from arbtui.sandbox.binance.venue import BinanceVenue
from arbtui.simulation.config import SimulatorConfig
from tests.sandbox.boxes import bench, run, user_data

CRASH = SimulatorConfig(scenario="crash")


def test_a_halted_market_with_an_empty_book() -> None:
    async def scenario() -> None:
        async with bench(config=CRASH, limits=False) as on:
            for name, code in (("upbit", "KRW-XRP"), ("binance", "XRPUSDT")):
                on.box.simulator.book(name, code).halt(empty=True)
                on.box.cores[name].on_halt(code, True)
            assert (await on.upbit.buy("10", "5000")).error == "market_offline"
            assert (await on.binance.buy("10", "4")).body["msg"] == "Market is closed."
            market = {"symbol": "XRPUSDT", "side": "BUY", "type": "MARKET", "quantity": "10"}
            assert (await on.binance.call("POST", "order", market)).body["msg"] == "Market is closed."
            assert (await on.binance.ask("ticker/bookTicker?symbol=XRPUSDT")).body["bidPrice"] == "0.00000000"
            assert (await on.binance.ask("depth?symbol=XRPUSDT")).body["bids"] == []
            for path in ("ticker/24hr", "ticker/price?symbol=XRPUSDT", "exchangeInfo"):
                assert (await on.binance.ask(path)).status == 200
            for path in ("orderbook", "ticker", "orderbook/instruments", "trades/ticks"):
                assert (await on.upbit.ask(f"{path}?{'market' if 'ticks' in path else 'markets'}=KRW-XRP")).status == 200
            assert (await on.upbit.call("GET", "orders/chance", {"market": "KRW-XRP"})).body["market"]["state"] != "active"

    run(scenario)


def test_a_dead_venue_answers_nothing_and_executes_nothing() -> None:
    async def scenario() -> None:
        async with bench() as on, user_data(on):
            on.box.cores["binance"].on_outage(True)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(on.binance.ask("ping"), 0.3)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(on.session.ws_connect(on.binance.urls["stream"]), 0.3)
            lost = asyncio.create_task(on.binance.call("POST", "order", {"symbol": "XRPUSDT"}))
            assert (await on.upbit.buy("10", "5000")).status == 201
            on.box.cores["binance"].on_outage(False)
            assert (await on.binance.buy("10", "4", newClientOrderId="after")).status == 200
            assert [order.client_order_id for order in on.box.door(BinanceVenue).account.log.orders(None)] == ["after"]
            lost.cancel()

    run(scenario)
