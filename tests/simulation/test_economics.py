"""The simulated market does not print money: who trades without looking pays the costs; who waits for an edge has one to take."""

import asyncio
import itertools
from decimal import Decimal
from pathlib import Path

import pytest

from arbtui.model.book import Level
from arbtui.model.clock import LoopClock
from arbtui.model.money import decimal_of
from arbtui.model.order import Order, Purpose, Side
from arbtui.model.rng import Rng
from arbtui.model.virtual_loop import run_virtual
from arbtui.simulation.funding import starting_balances
from arbtui.simulation.ledger import VenueLedger
from arbtui.simulation.market_simulator import MarketSimulator
from arbtui.simulation.order_request import OrderRequest
from arbtui.simulation.paper import PaperExchange
from arbtui.simulation.venue import VenueCore
from tests.simulation.market_worlds import simulator

SYMBOLS = ["BTC", "XRP", "SUI", "DOGE", "HBAR", "KAVA", "S0500", "S1000"]
FEES = 0.002  #: Upbit 5 bps, Binance 10 bps, changing KRW to USDT or back 5 bps
ORDER_USDT = 100.0


def _best(sim: MarketSimulator, exchange: str, code: str) -> tuple[Level, Level]:
    book = sim.book(exchange, code)
    return next(book.bids()), next(book.asks())


class Trader:
    """Trades both legs at once against a paper account without end, and books every flow at fair prices of the instant."""

    def __init__(self, sim: MarketSimulator, ledger: VenueLedger) -> None:
        clock = LoopClock(asyncio.get_running_loop())
        self.sim = sim
        self.cores = {
            name: VenueCore(name, markets, lambda code, name=name: sim.book(name, code), ledger, clock)  # type: ignore[misc]
            for name, markets in sim.markets.items()
        }
        self.ledger = ledger
        self.trades = 0
        self.results_bps: list[float] = []

    async def open(self) -> None:
        for core in self.cores.values():
            assets = {market.base: Decimal(10) ** 12 for market in core.markets.values()}
            await core.open_account({**assets, "KRW": Decimal(10) ** 15, "USDT": Decimal(10) ** 12})

    async def trade(self, symbol: str, buy_on_binance: bool) -> None:
        """Buy at one venue and sell at the other at once; the net result, in bps of the order, after fees and the rate's spread."""
        (_, (ask, _)) = _best(self.sim, "binance", f"{symbol}USDT")
        market = self.cores["binance"].markets[f"{symbol}USDT"]
        qty = market.qty_down(decimal_of(ORDER_USDT / ask))
        self.trades += 1
        legs = {"binance": Side.BUY if buy_on_binance else Side.SELL, "upbit": Side.SELL if buy_on_binance else Side.BUY}
        krw = usdt = coins = Decimal(0)
        for name, side in legs.items():
            code = f"{symbol}USDT" if name == "binance" else f"KRW-{symbol}"
            leg_market = self.cores[name].markets[code]
            (bid, _), (ask, _) = _best(self.sim, name, code)
            far = leg_market.price_up(decimal_of(ask * 1.2)) if side is Side.BUY else leg_market.price_down(decimal_of(bid * 0.8))
            report = await self.cores[name].execute(OrderRequest(f"{name}{self.trades}", code, side, qty, far))
            assert report.filled_qty == qty
            sign = 1 if side is Side.BUY else -1
            for fill in report.fills:
                coins += sign * fill.qty - (fill.fee if fill.fee_currency == symbol else 0)
                cost = -sign * fill.cost - (fill.fee if fill.fee_currency != symbol else 0)
                krw, usdt = (krw + cost, usdt) if name == "upbit" else (krw, usdt + cost)
        (rate_bid, _), (rate_ask, _) = _best(self.sim, "upbit", "KRW-USDT")
        exchanged = float(krw) / (rate_ask if krw > 0 else rate_bid) - 0.0005 * abs(float(krw)) / rate_ask
        result = float(usdt) + exchanged + float(coins) * self.sim.prices()[symbol]
        self.results_bps.append(1e4 * result / (float(qty) * self.sim.prices()[symbol]))

    def edges(self, symbol: str) -> tuple[float, float]:
        """Net edges at the best prices, in bps: (buy on Binance and sell on Upbit, the other way round)."""
        (ub, _), (ua, _) = _best(self.sim, "upbit", f"KRW-{symbol}")
        (bb, _), (ba, _) = _best(self.sim, "binance", f"{symbol}USDT")
        (rate_bid, _), (rate_ask, _) = _best(self.sim, "upbit", "KRW-USDT")
        return 1e4 * (ub / rate_ask / ba - 1.0 - FEES), 1e4 * (bb * rate_bid / ua - 1.0 - FEES)


@pytest.mark.parametrize("scenario", ["busy", "normal"])
def test_trading_without_a_threshold_loses_about_the_costs(tmp_path: Path, scenario: str) -> None:
    """At random instants, in random directions: the mean result is minus fees and half spreads, not better, not much worse."""

    async def main() -> tuple[float, float]:
        sim = simulator(SYMBOLS, scenario)
        running = asyncio.create_task(sim.run(lambda _: None))
        ledger = await VenueLedger.open(tmp_path / "venue.db", "sync")
        trader = Trader(sim, ledger)
        await trader.open()
        chance = Rng(9).stream("trader")
        await asyncio.sleep(2)
        costs = 0.0
        for _ in range(150):
            for symbol in SYMBOLS:
                costs -= sum(trader.edges(symbol)) / 2
                await trader.trade(symbol, chance.random() < 0.5)
            await asyncio.sleep(chance.expovariate(1 / 4.0))
        running.cancel()
        await ledger.close()
        return sum(trader.results_bps) / len(trader.results_bps), costs / len(trader.results_bps)

    result, costs = run_virtual(main())
    assert 20.0 < costs < 80.0
    assert result < -0.8 * costs
    assert result > -1.25 * costs  # orders reach behind the best level now and then


def test_busy_offers_every_rank_edges_in_both_directions_that_outlive_an_order() -> None:
    """Ten minutes: net edges over 3 bps at the best prices that stay for a second or longer, in each direction."""
    lasting: dict[tuple[str, int], int] = dict.fromkeys(((symbol, way) for symbol in SYMBOLS for way in (0, 1)), 0)
    profitable_later: list[bool] = []

    async def main() -> None:
        sim = simulator(SYMBOLS)
        running = asyncio.create_task(sim.run(lambda _: None))
        trader = Trader.__new__(Trader)
        trader.sim = sim
        await asyncio.sleep(2)
        since: dict[tuple[str, int], int] = {}
        for step in range(6000):
            for symbol in SYMBOLS:
                for way, edge in enumerate(trader.edges(symbol)):
                    key = symbol, way
                    if edge >= 3.0:
                        begun = since.setdefault(key, step)
                        if step - begun == 2:
                            profitable_later.append(edge > 0.0)
                        if step - begun == 10:
                            lasting[key] += 1
                    elif key in since and step - since.pop(key) <= 2:
                        profitable_later.append(edge > 0.0)
            await asyncio.sleep(0.1)
        running.cancel()

    run_virtual(main())
    for symbol in SYMBOLS:
        both = lasting[symbol, 0] + lasting[symbol, 1]
        assert both >= 50, (symbol, lasting)
        assert min(lasting[symbol, 0], lasting[symbol, 1]) >= 0.25 * both, (symbol, lasting)
    assert sum(profitable_later) >= 0.9 * len(profitable_later)


async def _work(trader: Trader, symbol: str, venues: dict[str, PaperExchange], edges: list[float]) -> None:
    """The plainest engine: both legs at once when the edge clears 3 bps, at prices that leave it whole, then a short rest."""
    upbit, binance = venues["upbit"].markets[f"KRW-{symbol}"], venues["binance"].markets[f"{symbol}USDT"]
    loop = asyncio.get_running_loop()
    for number in itertools.count():
        way, edge = max(enumerate(trader.edges(symbol)), key=lambda pair: pair[1])
        (bid, _), (ask, _) = _best(trader.sim, "binance", binance.code)
        qty = binance.qty_down(decimal_of(ORDER_USDT / ask))
        if edge >= 3.0 and trader.ledger.free("upbit" if way == 0 else "binance", symbol) > qty:
            (krw_bid, _), (krw_ask, _) = _best(trader.sim, "upbit", upbit.code)
            sides = (Side.SELL, Side.BUY) if way == 0 else (Side.BUY, Side.SELL)
            prices = decimal_of(krw_bid if way == 0 else krw_ask), decimal_of(ask if way == 0 else bid)
            legs = zip(("upbit", "binance"), (upbit, binance), sides, prices, strict=True)
            orders = [
                (name, Order(f"{symbol}{number}{name}", market, side, qty, price, "", 0, 1, Purpose.ENTRY, 0, 0.0, loop.time() + 1))
                for name, market, side, price in legs
            ]
            reports = await asyncio.gather(*(venues[name].place(order, lambda: None) for name, order in orders))
            edges.extend(edge for report in reports if report.fills)
            await asyncio.sleep(0.5)
        await asyncio.sleep(0.05)


def test_a_plain_engine_fills_every_symbol_often_and_its_stock_recirculates(tmp_path: Path) -> None:
    """With the shipped cash and stock and 50 to 200 ms each way: far over a hundred fills a symbol in ten minutes, both ways."""

    async def main() -> tuple[dict[str, int], dict[str, int], Decimal]:
        sim = simulator(SYMBOLS)
        running = asyncio.create_task(sim.run(lambda _: None))
        ledger = await VenueLedger.open(tmp_path / "venue.db", "sync")
        trader = Trader(sim, ledger)
        funds = starting_balances(sim.config, sim.markets, sim.prices())
        venues = {name: PaperExchange(core, Rng(4), sim.config.latency_ms) for name, core in trader.cores.items()}
        for name, core in trader.cores.items():
            await core.open_account(funds[name])
        await asyncio.sleep(2)
        edges: list[float] = []
        tasks = [asyncio.create_task(_work(trader, symbol, venues, edges)) for symbol in SYMBOLS]
        await asyncio.sleep(300)
        for task in [*tasks, running]:
            task.cancel()
        await asyncio.gather(*tasks, running, return_exceptions=True)
        for venue in venues.values():
            await venue.close()
        fills, sold = dict.fromkeys(SYMBOLS, 0), dict.fromkeys(SYMBOLS, 0)
        for core in trader.cores.values():
            for fill in core.fills_since(0):
                fills[fill.base] += 1
                sold[fill.base] += fill.exchange == "upbit" and fill.side is Side.SELL
        rate = decimal_of(_best(sim, "upbit", "KRW-USDT")[0][0])
        value = Decimal(0)
        for name, core in trader.cores.items():
            for asset, balance in core.balances().items():
                price = 1 / rate if asset == "KRW" else Decimal(1) if asset == "USDT" else decimal_of(sim.prices()[asset])
                value += price * (balance.total - funds[name][asset])
        await ledger.close()
        return fills, sold, value

    fills, sold, profit = run_virtual(main())
    assert min(fills.values()) >= 100, fills
    for symbol in SYMBOLS:  # of every four fills one is a sale on Upbit when both directions are used alike
        assert 0.15 < sold[symbol] / fills[symbol] < 0.4, (symbol, sold, fills)
    assert profit > 0


def test_normal_rarely_clears_the_costs() -> None:
    async def main() -> float:
        sim = simulator(SYMBOLS, "normal")
        running = asyncio.create_task(sim.run(lambda _: None))
        trader = Trader.__new__(Trader)
        trader.sim = sim
        await asyncio.sleep(2)
        over = 0
        for _ in range(3000):
            over += sum(max(trader.edges(symbol)) >= 3.0 for symbol in SYMBOLS)
            await asyncio.sleep(0.1)
        running.cancel()
        return over / 3000 / len(SYMBOLS)

    assert run_virtual(main()) < 0.02
