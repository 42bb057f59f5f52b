"""Measures the simulated market by the same methods as the recorded ones, and compares both.

``python -m arbtui.simulation.calibration`` prints the tables of docs/simulator.md. Simulated figures come from the wire
bytes through the venues' own decoders; recorded ones are those of the project's study of real recordings (BTC on Binance
on two volatile evenings, alts of Bitget and Upbit, KRW-BTC over a year).
"""

import argparse
import asyncio
import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from statistics import fmean, pstdev

from arbtui.exchanges.feed import Frame
from arbtui.exchanges.streams import PUBLIC_STREAMS
from arbtui.exchanges.wire import WireDecoder
from arbtui.model.book import Level, OrderBook
from arbtui.model.clock import LoopClock
from arbtui.model.order import Side
from arbtui.model.rng import Rng
from arbtui.model.virtual_loop import run_virtual
from arbtui.simulation.config import SimulatorConfig
from arbtui.simulation.market_simulator import MarketSimulator
from arbtui.simulation.played_venue import DEFAULT_VENUES

STEP_S = 0.1  #: between two samples
PER_S = round(1 / STEP_S)
WARM_UP_S = 2.0
MAJOR, MID_CAP, THIN = "BTC", "STX", "S0800"  #: ranks 1, 42 and 800


class Series:
    """What is sampled of one market every :data:`STEP_S`: mids, spreads in bps, values at best and at the best five in quote."""

    def __init__(self, code: str) -> None:
        self.book = OrderBook("", code)
        self.mids: list[float] = []
        self.spreads: list[float] = []
        self.tops: list[float] = []
        self.fives: list[float] = []
        self.touches: list[int] = []  #: best-price messages in each step
        self.touches_now = self.books = self.trades = 0

    def sample(self) -> None:
        """Take one sample."""
        book = self.book
        self.mids.append(book.mid)
        self.spreads.append((book.ask / book.bid - 1.0) * 1e4)
        self.tops.append(book.bid * book.bid_qty)
        if len(self.mids) % PER_S == 0:
            self.fives.append(sum(price * qty for (price, qty), _ in zip(book.bids(), range(5), strict=False)))
        self.touches.append(self.touches_now)
        self.touches_now = 0

    def returns(self, seconds: float) -> list[float]:
        """Changes of the logarithm of the mid over ``seconds``, in bps, one after the other."""
        logs = [math.log(mid) for mid in self.mids[:: max(1, round(seconds / STEP_S))]]
        return [(after - before) * 1e4 for before, after in pairwise(logs)]


class Measurement:
    """A market data sink that keeps the books and the series of a few markets."""

    def __init__(self, codes: Sequence[str]) -> None:
        self.series = {code: Series(code) for code in codes}
        self._decoders: dict[str, WireDecoder] = {name: PUBLIC_STREAMS[name].decoder(self) for name in DEFAULT_VENUES}

    def take(self, batch: Sequence[Frame]) -> None:
        """Decode one batch."""
        for frame in batch:
            decoder = self._decoders[frame.exchange]
            if frame.snapshot_of:
                decoder.feed_snapshot(frame.snapshot_of, frame.raw)
            else:
                decoder.feed(frame.raw)

    def on_snapshot(self, code: str, bids: Sequence[Level], asks: Sequence[Level], ts_event: int, update_id: int) -> None:
        """A whole book."""
        series = self.series[code]
        series.book.replace(bids, asks)
        series.books += 1

    def on_diff(
        self, code: str, first_id: int, last_id: int, prev_id: int, bids: Sequence[Level], asks: Sequence[Level], ts_event: int
    ) -> None:
        """Changed levels."""
        series = self.series[code]
        series.book.apply(bids, asks)
        series.books += 1

    def on_touch(self, code: str, update_id: int, bid: float, bid_qty: float, ask: float, ask_qty: float, ts_event: int) -> None:
        """Best prices."""
        series = self.series[code]
        series.book.touch(bid, bid_qty, ask, ask_qty)
        series.touches_now += 1

    def on_trade(self, code: str, trade_id: str, price: float, qty: float, taker: Side, ts_event: int) -> None:
        """A public trade."""
        self.series[code].trades += 1

    def on_other(self, kind: str) -> None:
        """Never called: the simulator sends nothing else."""


def measure(scenario: str, hours: float, seed: int) -> dict[str, Series]:
    """Run three symbols for ``hours`` of virtual time; the series by market code."""

    async def main() -> dict[str, Series]:
        config = SimulatorConfig.model_validate({"scenario": scenario})
        simulator = MarketSimulator(config, [MAJOR, MID_CAP, THIN], Rng(seed), LoopClock(asyncio.get_running_loop()))
        measurement = Measurement([code for markets in simulator.markets.values() for code in markets])
        running = asyncio.create_task(simulator.run(measurement.take))
        await asyncio.sleep(WARM_UP_S)
        for _ in range(round(hours * 3600 * PER_S)):
            for series in measurement.series.values():
                series.sample()
            await asyncio.sleep(STEP_S)
        running.cancel()
        return measurement.series

    result: dict[str, Series] = run_virtual(main())
    return result


def quantiles(values: Sequence[float], *shares: float) -> list[float]:
    """The values below which ``shares`` of ``values`` lie."""
    ordered = sorted(values)
    return [ordered[min(len(ordered) - 1, int(share * len(ordered)))] for share in shares]


def kurtosis(values: Sequence[float]) -> float:
    """Kurtosis: the fourth moment over the squared second; 3 for a normal distribution."""
    mean = fmean(values)
    second = fmean((value - mean) ** 2 for value in values)
    return fmean((value - mean) ** 4 for value in values) / second**2


def correlation(xs: Sequence[float], ys: Sequence[float]) -> float:
    """Pearson's correlation coefficient."""
    mean_x, mean_y = fmean(xs), fmean(ys)
    covariance = fmean((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True))
    return covariance / (pstdev(xs) * pstdev(ys))


def _short(value: float) -> str:
    for size, suffix in ((1e6, " M"), (1e3, " k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{suffix}"
    return f"{value:.2g}" if abs(value) < 10 else f"{value:.0f}"


def _list(values: Sequence[float]) -> str:
    return " · ".join(_short(value) for value in values)


Row = tuple[str, str, Callable[[dict[str, Series]], str]]


def _spread(code: str) -> Callable[[dict[str, Series]], str]:
    return lambda series: _list(quantiles(series[code].spreads, 0.5, 0.9, 0.99))


def _top(code: str) -> Callable[[dict[str, Series]], str]:
    return lambda series: _short(quantiles(series[code].tops, 0.5)[0])


def _five(code: str) -> Callable[[dict[str, Series]], str]:
    def text(series: dict[str, Series]) -> str:
        low, middle, high = quantiles(series[code].fives, 0.1, 0.5, 0.9)
        return f"{_short(middle)} ({_short(low)}-{_short(high)})"

    return text


def _sigma(code: str) -> Callable[[dict[str, Series]], str]:
    return lambda series: _list([pstdev(series[code].returns(seconds)) for seconds in (0.1, 1, 10)])


def _kurtosis(series: dict[str, Series]) -> str:
    return _list([kurtosis(series["BTCUSDT"].returns(seconds)) for seconds in (0.1, 1, 10)])


def _resting(series: dict[str, Series]) -> str:
    shares = []
    for seconds in (0.1, 1):
        changes = series["BTCUSDT"].returns(seconds)
        shares.append(100.0 * sum(change == 0.0 for change in changes) / len(changes))
    return " · ".join(f"{share:.0f} %" for share in shares)


def _rates(code: str) -> Callable[[dict[str, Series]], str]:
    def text(series: dict[str, Series]) -> str:
        one = series[code]
        seconds = len(one.mids) * STEP_S
        return _list([one.books / seconds, sum(one.touches) / seconds, one.trades / seconds])

    return text


def _bursts(series: dict[str, Series]) -> str:
    active = [float(count) for count in series["BTCUSDT"].touches if count]
    middle, high = quantiles(active, 0.5, 0.99)
    return f"{_list([middle, high, max(active)])} (p99 = {high / middle:.0f} x p50)"


def _basis(series: dict[str, Series]) -> list[float]:
    """The logarithm of KRW-BTC over BTCUSDT every five minutes, in bps."""
    step = 300 * PER_S
    pairs = zip(series["KRW-BTC"].mids[::step], series["BTCUSDT"].mids[::step], strict=True)
    return [1e4 * math.log(krw / usdt) for krw, usdt in pairs]


def _basis_changes(series: dict[str, Series]) -> str:
    basis = _basis(series)
    changes = [after - before for before, after in pairwise(basis)]
    return f"{pstdev(changes):.1f}, autocorrelation {correlation(changes[1:], changes[:-1]):.2f}"


def _basis_deviation(series: dict[str, Series]) -> str:
    basis = _basis(series)
    deviations = [value - fmean(basis[max(0, i - 11) : i + 1]) for i, value in enumerate(basis)][12:]
    decay = correlation(deviations[1:], deviations[:-1])
    half_life = f"{5.0 * math.log(0.5) / math.log(decay):.0f} min" if 0.0 < decay < 1.0 else "under 1 min"
    return f"sigma {pstdev(deviations):.1f}, half-life {half_life}"


def _five_minutes(series: dict[str, Series]) -> str:
    krw, usdt = series["KRW-BTC"].returns(300), series["BTCUSDT"].returns(300)
    return f"sigma {pstdev(krw):.1f} and {pstdev(usdt):.1f}, correlation {correlation(krw, usdt):.2f}"


ROWS: tuple[Row, ...] = (
    ("Spread, Binance BTC: p50 · p90 · p99, bps", "0.0016 · 0.0016 · 0.0016 (1 tick 99 % of the time)", _spread("BTCUSDT")),
    ("Spread, Upbit KRW-BTC", "0.44-0.94", _spread("KRW-BTC")),
    ("Spread, Binance mid-cap (STX, rank 42)", "Bitget alts 16-27 · 18-33 · 20-40; proposed 7 +- 4", _spread("STXUSDT")),
    ("Spread, Upbit mid-cap (KRW-STX)", "KRW-WAVES 9.9 · - · 19.8", _spread("KRW-STX")),
    ("Spread, Binance thin (S0800)", "52-194", _spread("S0800USDT")),
    ("Top of book, Binance BTC, USDT", "64-80 k", _top("BTCUSDT")),
    ("Top of book, Upbit KRW-BTC, KRW", "0.7-30 M", _top("KRW-BTC")),
    ("Top 5 of a side, Binance BTC, USDT: p50 (p10-p90)", "93-218 k (13-398 k)", _five("BTCUSDT")),
    ("Top 5 of a side, Upbit KRW-BTC, KRW", "7-185 M", _five("KRW-BTC")),
    ("Top 5 of a side, Binance mid-cap, USDT", "5-30 k", _five("STXUSDT")),
    ("Top 5 of a side, Upbit mid-cap, KRW", "15-27 M", _five("KRW-STX")),
    ("Sigma of the mid, Binance BTC: 0.1 s · 1 s · 10 s, bps", "0.29-0.33 · 1.1-1.2 · 3.5-4.8", _sigma("BTCUSDT")),
    ("Sigma of the mid, Binance mid-cap", "- · 2.5-4.4 · -", _sigma("STXUSDT")),
    ("Kurtosis, Binance BTC: 0.1 s · 1 s · 10 s", "12-290 · 4-25 · 2-6", _kurtosis),
    ("Mid unchanged, Binance BTC: 0.1 s · 1 s", "82-92 % · 26-60 %", _resting),
    ("Messages a second, Binance BTC: depth · best price · trades", "10 · 81-148 · 28-33", _rates("BTCUSDT")),
    ("Messages a second, Upbit KRW-BTC: books · - · trades", "up to 10 · - · 0.7-2.3", _rates("KRW-BTC")),
    ("Messages a second, Binance thin", "1.7-1.9 · 0.03-1.8 · 0.1-0.2 (Bitget alts)", _rates("S0800USDT")),
    ("Best prices in a busy 100 ms, Binance BTC: p50 · p99 · max", "2-9 · 70-150 · 172-244 (p99 = 15-35 x p50)", _bursts),
    ("KRW basis of BTC, change over 5 min, sigma in bps", "5.6, autocorrelation -0.28", _basis_changes),
    ("KRW basis less its trailing hour", "sigma 7.2, half-life 11 min", _basis_deviation),
    ("5-minute returns, KRW-BTC and BTCUSDT, bps", "sigma 8.1 and 9.1, correlation 0.79 (a calm summer)", _five_minutes),
)


def table(hours: float, seed: int) -> str:
    """The Markdown table: recorded, ``normal``, ``busy``."""
    normal, busy = measure("normal", hours, seed), measure("busy", hours, seed)
    lines = ["| figure | recorded | simulated, `normal` | simulated, `busy` |", "|---|---|---|---|"]
    lines += [f"| {name} | {recorded} | {cell(normal)} | {cell(busy)} |" for name, recorded, cell in ROWS]
    return "\n".join(lines)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="sets the simulated market against recorded ones")
    parser.add_argument("--hours", type=float, default=6.0, help="virtual hours to measure, at least two")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    if arguments.hours < 2.0:
        parser.error("--hours: the basis against its trailing hour needs two hours or more")
    print(table(arguments.hours, arguments.seed))


if __name__ == "__main__":
    main()
