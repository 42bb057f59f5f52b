"""The market simulator: two venues' wire bytes from a random process, in real or virtual time by the same code."""

import asyncio
import math
import time
from collections.abc import Mapping, Sequence
from functools import partial
from random import Random
from typing import Any

from arbtui.exchanges.binance.rules import spot_market
from arbtui.exchanges.feed import Deliver, MarketDataFeed
from arbtui.exchanges.venues import VENUES
from arbtui.model.clock import Clock
from arbtui.model.market import Market
from arbtui.model.money import decimal_of
from arbtui.model.rng import Rng
from arbtui.simulation.assets import RATE, RATE_ASSET, Asset, select, simulated_markets
from arbtui.simulation.binance_market import BinanceMarket
from arbtui.simulation.config import SimulatorConfig
from arbtui.simulation.event_scheduler import EventScheduler, MarketListener
from arbtui.simulation.frame_sink import FrameSink, VenueLine
from arbtui.simulation.matching import ExternalBook
from arbtui.simulation.paths import BPS, TICK_S, AssetPath, RatePath, Swing
from arbtui.simulation.scenario import SCENARIOS, depth_usdt, volatility_bps
from arbtui.simulation.troubles import TroubleMaker
from arbtui.simulation.upbit_market import UpbitMarket

#: After a stall of the process at most this much is caught up, in one delivery; the rest of the market's time is skipped.
MAX_CATCH_UP_TICKS = 50
#: Markets that open in one tick: a thousand symbols are open after one second, without one large burst.
OPENINGS_PER_TICK = 10

_RATE_BOOKS_PER_S, _RATE_TRADES_PER_S = 4.0, 1.0
_RATE_LEVEL_USDT = 40_000.0  #: KRW-USDT is among Upbit's deepest markets
_FIRST_UPDATE_ID, _FIRST_TRADE_ID = 10_000_000_000, 1_000_000_000

State = Mapping[str, Any]


class MarketSimulator(MarketDataFeed):
    """Upbit's KRW markets and Binance's USDT markets of ``symbols``, and KRW-USDT.

    ``state`` is the result of :meth:`state` in an earlier run: prices and ids continue from it, with new randomness. The same
    seed, symbols and state give the same bytes.
    """

    def __init__(self, config: SimulatorConfig, symbols: int | Sequence[str], rng: Rng, clock: Clock, state: State | None = None) -> None:
        self.config = config
        self.markets: dict[str, dict[str, Market]] = simulated_markets(symbols)
        self.messages = 0  #: frames delivered so far
        self.cpu_s = 0.0  #: seconds of CPU that this thread spent inside the simulator
        self.skipped_s = 0.0  #: seconds of the market's time that were never played, because the process stalled for too long
        self.due: Sequence[float] = ()  #: monotonic seconds at which the ticks of this delivery were due
        self._clock = clock
        self._scenario = SCENARIOS[config.scenario]
        self._generation = int(state["generation"]) + 1 if state else 0
        self._rng = rng
        self._stage = EventScheduler(clock.time_ms())
        self._swing = Swing(self._scenario.swing_period_s, self._scenario.swing_damping) if self._scenario.swing else None
        self._rate = RatePath(self._stream("rate"), RATE, state["rate"] if state else None, config.rate_drift_bps)
        self._paths: dict[str, AssetPath] = {}
        self._upbit: dict[str, UpbitMarket] = {}
        self._binance: dict[str, BinanceMarket] = {}
        self._lines = {"upbit": VenueLine(), "binance": VenueLine()}
        self._earlier: dict[str, list[float]] = dict(state["assets"]) if state else {}
        rate_code = self._open_rate_market()
        for place, asset in enumerate(select(symbols)):
            self._open(asset, 1 + place // OPENINGS_PER_TICK)
        #: Causes the troubles of scenario ``crash``; None in every other.
        self.troubles: TroubleMaker | None = None
        if self._scenario.troubled:
            stream = self._stream("troubles")
            self.troubles = TroubleMaker(self._stage, stream, self._lines, self._upbit, self._binance, self._paths, rate_code)
            self.troubles.start()

    def list_at_binance(self, asset: Asset) -> None:
        """Add a market that no other venue has, as that of the coin in which Binance takes fees; a restart opens it at its first price."""
        market = spot_market(asset.symbol, "USDT", asset.tick, asset.lot, VENUES["binance"].min_cost)
        self.markets["binance"][market.code] = market
        scenario = self._scenario
        stream = self._stream(asset.symbol)
        sigma_bps = scenario.volatility_factor * volatility_bps(asset.rank)
        path = AssetPath(stream, asset.price, sigma_bps, self._rate, self._swing, scenario.basis_factor)
        self._open_at_binance(asset, market, path, stream, 1, None)

    async def run(self, deliver: Deliver) -> None:
        """Deliver what is due every 10 ms until cancelled."""
        clock, stage = self._clock, self._stage
        first = stage.tick
        start = clock.monotonic()
        start_ms = clock.time_ms()
        while True:
            # The grid is absolute, so a late wake-up does not delay the next one.
            await asyncio.sleep(start + (stage.tick + 1 - first) * TICK_S - clock.monotonic())
            entered = time.thread_time()
            due = first + math.floor((clock.monotonic() - start) / TICK_S + 1e-6)
            skipped = due - stage.tick - MAX_CATCH_UP_TICKS
            if skipped > 0:
                start += skipped * TICK_S
                start_ms += skipped * 10
                due -= skipped
                self.skipped_s += skipped * TICK_S
            ticks = range(stage.tick + 1, due + 1)
            self.due = [start + (tick - first) * TICK_S for tick in ticks]
            for tick in ticks:
                stage.act(tick, start_ms + (tick - first) * 10)
            frames, stage.frames = stage.frames, []
            self.messages += len(frames)
            self.cpu_s += time.thread_time() - entered
            if frames:
                deliver(frames)

    def request_snapshot(self, exchange: str, code: str) -> None:
        """Send a depth snapshot soon; for Upbit, whose every frame is one, the book in the next delivery."""
        if exchange == "upbit":
            self._upbit[code].send_snapshot()
        else:
            self._binance[code].request_snapshot()

    def book(self, exchange: str, code: str) -> ExternalBook:
        """The book at the venue now: the same that the last frames describe."""
        return self._upbit[code] if exchange == "upbit" else self._binance[code]

    def attach(self, exchange: str, listener: MarketListener) -> None:
        """Report every event of ``exchange`` to ``listener``, as it happens at the venue."""
        self._stage.listeners[exchange] = listener

    def prices(self) -> dict[str, float]:
        """The present fair prices in USDT by symbol."""
        return {symbol: math.exp(path.log_mid) for symbol, path in self._paths.items()}

    def state(self) -> dict[str, Any]:
        """The state from which a later run can continue, as JSON-able values; symbols of earlier runs are kept."""
        assets = dict(self._earlier)
        for symbol, path in self._paths.items():
            upbit, binance = self._upbit[f"KRW-{symbol}"], self._binance[f"{symbol}USDT"]
            assets[symbol] = [path.log_mid, *path.basis, binance.update_id, binance.trade_id, upbit.trade_id]
        return {"generation": self._generation, "rate": self._rate.log_rate, "assets": assets}

    def _open(self, asset: Asset, tick: int) -> None:
        symbol, scenario, stage = asset.symbol, self._scenario, self._stage
        upbit_market, binance_market = self.markets["upbit"][f"KRW-{symbol}"], self.markets["binance"][f"{symbol}USDT"]
        spread = {name: partial(scenario.spread_bps, name, asset.rank) for name in ("upbit", "binance")}
        binance_spread = spread["binance"](_unit_bps(binance_market, asset.price))
        rate_spread = _unit_bps(self.markets["upbit"][f"KRW-{RATE_ASSET}"], self._rate.krw)
        stream = self._stream(symbol)
        sigma_bps = scenario.volatility_factor * volatility_bps(asset.rank)
        path = AssetPath(stream, asset.price, sigma_bps, self._rate, self._swing, scenario.basis_factor)
        earlier = self._earlier.get(symbol)
        if earlier:
            path.restore(earlier[0], (earlier[1], earlier[2]))
        self._paths[symbol] = path

        def retune(unit_bps: float) -> None:
            path.set_swing(*scenario.swing_bps(spread["upbit"](unit_bps) + binance_spread, rate_spread))

        expected = scenario.rates(asset.rank)
        upbit = UpbitMarket(
            upbit_market,
            path,
            stage,
            stream,
            FrameSink(stage, "upbit", self._lines["upbit"]),
            books_per_s=expected.upbit_books,
            trades_per_s=expected.upbit_trades,
            spread_bps=spread["upbit"](0.0),
            level_usdt=depth_usdt("upbit", asset.rank) / 5,
            least_move_bps=scenario.least_move_bps,
            trade_id=int(earlier[5]) if earlier else _FIRST_TRADE_ID,
            on_unit=retune,
        )
        self._upbit[upbit.code] = upbit
        self._open_at_binance(asset, binance_market, path, stream, tick, earlier)
        upbit.start(tick + 3)

    def _open_at_binance(
        self, asset: Asset, market: Market, path: AssetPath, stream: Random, tick: int, earlier: Sequence[float] | None
    ) -> None:
        expected = self._scenario.rates(asset.rank)
        binance = BinanceMarket(
            market,
            path,
            self._stage,
            stream,
            FrameSink(self._stage, "binance", self._lines["binance"]),
            depths_per_s=expected.binance_depths,
            touches_per_s=expected.binance_touches,
            trades_per_s=expected.binance_trades,
            spread_bps=self._scenario.spread_bps("binance", asset.rank, _unit_bps(market, asset.price)),
            level_usdt=depth_usdt("binance", asset.rank) / 5,
            least_move_bps=self._scenario.least_move_bps,
            update_id=int(earlier[3]) if earlier else _FIRST_UPDATE_ID,
            trade_id=int(earlier[4]) if earlier else _FIRST_TRADE_ID,
        )
        self._binance[binance.code] = binance
        binance.start(tick)

    def _open_rate_market(self) -> str:
        market = self.markets["upbit"][f"KRW-{RATE_ASSET}"]
        rate_market = UpbitMarket(
            market,
            self._rate,
            self._stage,
            self._stream("rate market"),
            FrameSink(self._stage, "upbit", self._lines["upbit"]),
            books_per_s=_RATE_BOOKS_PER_S,
            trades_per_s=_RATE_TRADES_PER_S,
            spread_bps=_unit_bps(market, self._rate.krw),
            level_usdt=_RATE_LEVEL_USDT,
            least_move_bps=0.0,
            trade_id=_FIRST_TRADE_ID,
        )
        self._upbit[market.code] = rate_market
        rate_market.start(1)
        return market.code

    def _stream(self, name: str) -> Random:
        return self._rng.stream(f"simulator:{name}:{self._generation}")


def _unit_bps(market: Market, price: float) -> float:
    """The price unit at ``price``, in bps of it."""
    return float(market.price_units.at(decimal_of(price))) / price / BPS
