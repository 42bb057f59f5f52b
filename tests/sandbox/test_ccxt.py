"""ccxt, unmodified, over real sockets: markets, orders, look-ups, cancels, trades, balances, and what is pushed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import ccxt  # type: ignore[import-untyped]
import ccxt.pro  # type: ignore[import-untyped]
import pytest

from arbtui.exchanges.binance.rules import parse_exchange_info
from arbtui.sandbox.binance.venue import BinanceVenue
from arbtui.sandbox.sandbox import Sandbox
from arbtui.sandbox.upbit.venue import UpbitVenue
from tests.sandbox.boxes import bench, box, run, until


@asynccontextmanager
async def upbit(on: Sandbox) -> AsyncIterator[Any]:
    urls = on.urls["upbit"]
    api = {"public": urls["rest"], "private": urls["rest"], "ws": urls["stream"]}
    client = ccxt.pro.upbit({"apiKey": "sandbox-upbit", "secret": "sandbox-upbit-secret", "urls": {"api": api}})
    try:
        await client.load_markets()
        yield client
    finally:
        await client.close()


@asynccontextmanager
async def binance(on: Sandbox) -> AsyncIterator[Any]:
    urls = on.urls["binance"]
    rest = f"{urls['rest']}/api/v3"
    api = {
        "public": rest,
        "private": rest,
        "sapi": f"{urls['rest']}/sapi/v1",
        "ws": {"spot": urls["stream"], "ws-api": {"spot": urls["private"]}},
    }
    options = {"defaultType": "spot", "fetchMarkets": {"types": ["spot"]}}
    client = ccxt.pro.binance({"apiKey": "sandbox-binance", "secret": "sandbox-binance-secret", "options": options, "urls": {"api": api}})
    try:
        await client.load_markets()
        yield client
    finally:
        await client.close()


def _dear(book: Any, unit: float) -> float:
    return float(round(book["asks"][0][0] * 1.02 / unit) * unit)


def test_upbit_orders_from_beginning_to_end() -> None:
    async def scenario() -> None:
        async with box() as on, upbit(on) as client:
            assert set(client.markets) == {"USDT/KRW", "BTC/KRW", "ETH/KRW", "XRP/KRW"}
            book = await client.watch_order_book("XRP/KRW")
            pushed = asyncio.create_task(_collect(client.watch_orders, lambda order: order["status"] == "closed"))
            balance = asyncio.create_task(client.watch_balance())
            await _subscribed(on.door(UpbitVenue))
            placed = await client.create_order("XRP/KRW", "limit", "buy", 10, _dear(book, 1), {"timeInForce": "IOC", "clientOrderId": "u1"})
            assert placed["status"] == "open"  # taken, not yet matched, as Upbit answers
            found = client.parse_order(await client.private_get_order({"identifier": "u1"}))
            assert (found["status"], found["filled"], found["clientOrderId"]) == ("closed", 10.0, "u1")
            assert sum(trade["amount"] for trade in found["trades"]) == 10.0
            assert (await asyncio.wait_for(pushed, 30))["clientOrderId"] == "u1"
            told = (await asyncio.wait_for(balance, 30))["XRP"]["free"]
            held = (await client.fetch_balance())["XRP"]["free"]
            assert told == held == float(on.cores["upbit"].balances()["XRP"].free)
            none = await client.create_order("XRP/KRW", "limit", "buy", 5e4, 1200, {"timeInForce": "FOK", "clientOrderId": "u2"})
            assert (await client.fetch_order(none["id"]))["status"] == "canceled"
            rests = await client.create_order("XRP/KRW", "limit", "buy", 10, 1200, {"clientOrderId": "u3"})
            assert [order["id"] for order in await client.fetch_open_orders("XRP/KRW")] == [rests["id"]]
            await client.cancel_order(rests["id"])
            assert await client.fetch_open_orders() == []
            assert (await client.fetch_order(rests["id"]))["status"] == "canceled"
            assert [order["clientOrderId"] for order in await client.fetch_closed_orders("XRP/KRW")] == ["u1"]
            assert (await client.fetch_trading_fee("XRP/KRW"))["taker"] == 0.0005
            with pytest.raises(ccxt.InsufficientFunds):
                await client.create_order("BTC/KRW", "limit", "buy", 1000, 100_000_000, {"timeInForce": "IOC"})
            with pytest.raises(ccxt.OrderNotFound):
                await client.fetch_order("7f3e0000-0000-4000-8000-000000000000")

    run(scenario)


def test_binance_orders_from_beginning_to_end() -> None:
    async def scenario() -> None:
        async with box() as on, binance(on) as client:
            assert set(client.markets) == {"BTC/USDT", "ETH/USDT", "XRP/USDT", "BNB/USDT"}  # the coin of its fees is always listed
            book = await client.watch_order_book("XRP/USDT", 100)
            pushed = asyncio.create_task(_collect(client.watch_orders, lambda order: order["status"] == "closed"))
            balance = asyncio.create_task(client.watch_balance())
            await _subscribed(on.door(BinanceVenue))
            price = _dear(book, 0.001)
            placed = await client.create_order("XRP/USDT", "limit", "buy", 100, price, {"timeInForce": "IOC", "clientOrderId": "b1"})
            assert (placed["status"], placed["filled"]) == ("closed", 100.0)
            fee = sum(Decimal(fill["commission"]) for fill in placed["info"]["fills"])
            assert fee == Decimal("0.1")  # 0.1 % of what was bought, in XRP
            assert (await client.fetch_order(None, "XRP/USDT", {"clientOrderId": "b1"}))["status"] == "closed"
            assert (await asyncio.wait_for(pushed, 30))["clientOrderId"] == "b1"
            await asyncio.wait_for(balance, 30)
            assert (await client.fetch_balance())["XRP"]["free"] == float(on.cores["binance"].balances()["XRP"].free)
            trades = await client.fetch_my_trades("XRP/USDT")
            assert [trade["id"] for trade in trades] == [str(number) for number in range(1, len(trades) + 1)]
            assert {("binance", f"XRPUSDT:{trade['id']}") for trade in trades} == set(on.trades())
            none = await client.create_order("XRP/USDT", "limit", "buy", 1e6, 0.05, {"timeInForce": "FOK"})
            assert none["status"] == "expired"
            rests = await client.create_order("XRP/USDT", "limit", "buy", 100, 0.5, {"clientOrderId": "b2"})
            assert [order["clientOrderId"] for order in await client.fetch_open_orders("XRP/USDT")] == ["b2"]
            assert rests["status"] == "open"
            assert (await client.cancel_order(None, "XRP/USDT", {"origClientOrderId": "b2"}))["status"] == "canceled"
            await client.create_order("XRP/USDT", "limit", "buy", 100, 0.5)
            assert len(await client.cancel_all_orders("XRP/USDT")) == 1
            assert await client.fetch_open_orders("XRP/USDT") == []
            with pytest.raises(ccxt.OrderNotFound):
                await client.cancel_order(None, "XRP/USDT", {"origClientOrderId": "b2"})
            with pytest.raises(ccxt.InsufficientFunds):
                await client.create_order("BTC/USDT", "limit", "buy", 1000, 90_000)
            off = {"symbol": "XRPUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "IOC", "quantity": "100", "price": "0.500001"}
            with pytest.raises(ccxt.InvalidOrder):
                await client.private_post_order(off)

    run(scenario)


def test_everything_that_ccxt_watches_comes() -> None:
    async def scenario() -> None:
        async with box() as on, upbit(on) as won, binance(on) as tether:
            waits = [
                won.watch_trades("BTC/KRW"),
                won.watch_ticker("BTC/KRW"),
                tether.watch_order_book_for_symbols(["BTC/USDT", "ETH/USDT"], 100),
                tether.watch_bids_asks(["BTC/USDT"]),
                tether.watch_trades("BTC/USDT"),
                tether.watch_ticker("BTC/USDT"),
            ]
            async with asyncio.timeout(60):
                trades, ticker, book, touches, more_trades, day = await asyncio.gather(*waits)
            assert trades[0]["symbol"] == "BTC/KRW"
            assert ticker["last"] > 0
            assert book["bids"][0][0] < book["asks"][0][0]
            assert touches["BTC/USDT"]["bid"] > 0
            assert more_trades[0]["price"] > 0
            assert day["last"] > 0
            books = await won.fetch_order_books(["BTC/KRW", "ETH/KRW"])
            assert set(books) == {"BTC/KRW", "ETH/KRW"}
            assert len(await won.fetch_tickers()) == 4
            assert len(await tether.fetch_tickers()) == 4
            assert (await tether.fetch_trading_fee("BTC/USDT"))["taker"] == 0.001

    run(scenario)


def test_what_binance_tells_of_its_markets_is_what_its_core_asks_for() -> None:
    async def scenario() -> None:
        async with bench(20) as on:
            told = parse_exchange_info((await on.binance.ask("exchangeInfo")).raw)
            core = on.box.cores["binance"].markets
            assert set(told) == set(core)
            for code, market in core.items():
                rules = told[code]
                for name in ("base", "quote", "price_units", "lot_step", "min_qty", "min_cost", "fees"):
                    assert getattr(rules, name) == getattr(market, name), (code, name)

    run(scenario)


async def _collect(watch: Any, wanted: Any) -> Any:
    while True:
        for order in await watch():
            if wanted(order):
                return order


async def _subscribed(venue: UpbitVenue | BinanceVenue) -> None:
    """Wait until the venue has the client's private subscriptions."""
    await until(lambda: venue.private_streams == (2 if isinstance(venue, UpbitVenue) else 1))
