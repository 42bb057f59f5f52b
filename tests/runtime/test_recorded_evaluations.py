"""Recordings, replayed: a sample of evaluations equals a slow computation in Fractions.

Of the sandbox of all venues, with every shape: ``python -m tests.proof recorded-evaluations`` records ten minutes, the suite some seconds.
Of two real markets, with two legs: one of the recordings is moved in time, so that prices part as they did not when they were made.
"""

import asyncio
import gzip
import os
import random
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from arbtui.exchanges.networks import NetworkPath
from arbtui.marketdata.aggregator import OrderbookAggregator
from arbtui.marketdata.recording import open_recordings
from arbtui.marketdata.recording_feed import RecordingFeed
from arbtui.model.book import OrderBook
from arbtui.model.clock import LoopClock
from arbtui.model.market import Market
from arbtui.model.reason import Reason
from arbtui.model.virtual_loop import run_virtual
from arbtui.routes.route import ArbRoute, Opportunity, RouteTerms
from arbtui.routes.rules import SHAPES
from arbtui.routes.size import COARSEST_LOT
from arbtui.routes.universe import ArbUniverse
from arbtui.runtime.assemble import rules_of
from arbtui.runtime.rates import rate_book_of
from arbtui.runtime.venues import pairs_of, simulated_assets, with_fees
from arbtui.settings.load import load_profile
from arbtui.settings.profile import Settings
from arbtui.simulation.played_venue import simulated_markets
from tests.lifecycle.live import live_desk
from tests.lifecycle.programs import run
from tests.proof.steps import SECONDS
from tests.routes.slow import Costs, Slow

SYMBOLS = 6
#: So many moments are looked at in the suite, two a second in a proof; so many touches and opportunities of each shape must be among them.
LOOKS, LEAST_TOUCHES, LEAST_PRICED = 40, 20, 1
VALUES = (100.0, 1_000.0, 10_000.0, 50_000.0)  #: of orders, in USDT
SLIPPAGE_BPS, RISK_SD, FINANCING = 1.5, 1.0, 10.0
SIGMA = 0.0003
MINUTES = 3  #: of the recordings of real markets, which go on for six
#: Why there is no opportunity where a little would pay: it is too little for the venues' rules, or for their lots.
SMALL = (Reason.TOO_SMALL, Reason.LOT_TOO_COARSE)


class Sample:
    """Plays recordings into books, and now and then compares a route of each shape with the slow computation."""

    def __init__(
        self, settings: Settings, files: Sequence[Path], looks: int, listed: Mapping[str, Mapping[str, Market]] | None = None
    ) -> None:
        self.settings, self._listed = settings, listed
        self._every = max(1, len({moment for moment, _ in open_recordings(files)}) // looks)
        self.compared: Counter[str] = Counter()  #: touches, by shape
        self.priced: Counter[str] = Counter()  #: opportunities, by shape
        self.deep: Counter[str] = Counter()  #: of those, with an order that goes beyond the touch
        self.without: Counter[str] = Counter()  #: no opportunity where one might be, by reason
        self._chance = random.Random(5)
        self._batches = 0
        run_virtual(self._play(files))

    async def _play(self, files: Sequence[Path]) -> None:
        settings, self._clock = self.settings, LoopClock(asyncio.get_running_loop())
        symbols = [asset.symbol for asset in simulated_assets(settings)]
        listed = self._listed or simulated_markets(symbols, list(settings.exchanges), settings.cross_quotes)
        markets = {name: with_fees(listed[name], settings.exchanges[name]) for name in settings.exchanges}
        traded = [market for of in markets.values() for market in of.values()]
        feed = RecordingFeed(files, self._clock, list(settings.exchanges))
        keys = [(market.exchange, market.code) for market in traded]
        aggregator = OrderbookAggregator(
            self._clock, settings.marketdata, keys, self._on_books, feed.request_snapshot, exchanges=list(settings.exchanges)
        )
        feed.attach(aggregator)
        self.rates = rate_book_of(settings, traded, aggregator.books)
        self._terms = RouteTerms(0.0, SLIPPAGE_BPS, VALUES[0], settings.desk.currency, (0.5, 2.0), 50.0, 0.0, RISK_SD, FINANCING)
        pairs = pairs_of(settings, markets, symbols)
        rules = rules_of(settings.universe)
        self.universe = ArbUniverse(traded, aggregator.books, self.rates, self._terms, 0.0, symbols, pairs, settings.settlement, rules)
        for node in self.universe.nodes.values():
            node.available = 1e15
        of_shape = {shape: [route for route in self.universe.routes if route.shape == shape] for shape in SHAPES}
        self._of_shape = {shape: routes for shape, routes in of_shape.items() if routes}
        await feed.run(aggregator.deliver)

    def _on_books(self, books: Sequence[OrderBook]) -> None:
        now = self._clock.monotonic()
        self.rates.refresh(books, now)
        self._batches += 1
        if self._batches % self._every:
            return
        self.rates.look(now)
        for shape, routes in self._of_shape.items():
            route = self._chance.choice(routes)
            self._tell_network(route, now)
            if route.data_refusal(now) is None:
                self._compare(shape, route, now)

    def _tell_network(self, route: ArbRoute, now: float) -> None:
        for hop in route.transfers:
            fee = Decimal(repr(round(route.trades[0].market.lot_step.__float__() * self._chance.choice((0, 5, 50)), 8)))
            path = NetworkPath(hop.asset, fee, Decimal(0), None, self._chance.choice((2.0, 10.0, 40.0)), "", None, "")
            hop.take([path], now, SIGMA, 1.0)

    def _compare(self, shape: str, route: ArbRoute, now: float) -> None:
        """The touch as it is; then the depth, with a least edge near the touch's so that it pays to some depth."""
        values = VALUES[2:] if shape == "split_leg" else VALUES  # a fork takes more than its best venue shows, or there is none
        value, rate_size = self._chance.choice(values), self.settings.execution.order_value
        sizes = Fraction(repr(value)), Fraction(repr(rate_size))
        slow = Slow(self.rates.markets, Costs(*sizes, self._terms.value_currency, Fraction(repr(SLIPPAGE_BPS)), RISK_SD, FINANCING), now)
        terms = replace(self._terms, order_value=value)
        route.set_terms(terms)
        touch = slow.touch_edge_bps(route)
        assert route.touch_edge_bps() == pytest.approx(float(touch), abs=1e-6), route.id
        self.compared[shape] += 1
        least_bps = round(float(touch) - self._chance.choice((-2.0, 1.0, 5.0, 20.0, 80.0)) * self._chance.random(), 3)
        route.set_terms(replace(terms, min_edge_bps=least_bps))
        found = route.evaluate(now)
        least = 1 + (Fraction(repr(route.threshold_bps())) + slow.charge_bps(route)) / 10_000
        most = slow.most_cost(route, least)
        if found is None:
            if touch > Fraction(repr(route.threshold_bps())):
                self._none_is_right(route, slow, most)
            return
        self._is_right(route, found, slow, most)
        self.priced[shape] += 1
        self.deep[shape] += any(order.price != _first(order.hop.touch_price) for order in found.orders)

    def _none_is_right(self, route: ArbRoute, slow: Slow, most: Fraction) -> None:
        """``most`` of the first money pays to the last unit: only rounding and the venues' rules may keep it from being traded."""
        self.without[f"{route.shape} {route.denied}"] += 1
        brought, quantities = slow.through(route, most)
        shares = [Fraction(hop.market.lot_step) / qty if qty else 1 for hop, qty in zip(route.trades, quantities, strict=True)]
        said = (route.id, route.denied, float(most), [float(share) for share in shares])
        if route.denied in SMALL:
            least = [
                max(Fraction(hop.market.min_cost) / Fraction(repr(hop.touch_price)), Fraction(hop.market.min_qty)) for hop in route.trades
            ]
            short = [qty < one * (1 + 2 * share) for qty, one, share in zip(quantities, least, shares, strict=True)]
            assert any(short) or max(shares) * 2 * int(COARSEST_LOT) > 1, said
        else:
            edge = (brought / most - 1) * 10_000 - slow.charge_bps(route)
            assert route.denied is Reason.BELOW_THRESHOLD, said
            assert max(shares) == 1 or edge - Fraction(repr(route.threshold_bps())) < sum(shares) * 10_000, (*said, float(edge))

    def _is_right(self, route: ArbRoute, found: Opportunity, slow: Slow, most: Fraction) -> None:
        orders, money = found.orders, slow.worth(route.trades[0].market.quote)
        assert [order.hop for order in orders] == list(route.trades)
        edge, cost = slow.edge_bps(found), slow.first_cost(found)
        assert found.edge_bps == pytest.approx(float(edge), abs=1e-5), route.id
        assert found.edge_bps >= route.threshold_bps()
        assert found.value == pytest.approx(float(cost * money), rel=1e-9)
        # As deep as one more unit pays and no deeper, but for what rounding to lots takes away.
        coarsest = max(order.hop.market.lot_step / order.qty for order in orders)
        assert float(cost) == pytest.approx(float(most), rel=float(coarsest) * 2 + 1e-6), route.id
        for order in orders:
            assert order.hop.market.refusal(order.price, order.qty) is None


def _first(price: float) -> Decimal:
    return Decimal(repr(price))


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_sample_of_evaluations_equals_fractions(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seconds = float(os.environ.get(SECONDS, "10"))
    file = tmp_path / "a.gz"
    monkeypatch.setenv("ARBTUI_UNIVERSE__SYMBOLS", str(SYMBOLS))
    monkeypatch.setenv("ARBTUI_RATES__MAX_AGE_MS", "600000")  # nothing here is about speed, and the machine may be busy
    with live_desk(tmp_path, monkeypatch, SYMBOLS, of="all-venues") as desk:
        ended = run("record", "--profile", str(desk.profile), "--duration", f"{seconds:g}", "-o", str(file), within=seconds + 300.0)
        assert ended.code == 0, ended.err
        sample = Sample(load_profile(str(desk.profile), {}), [file], max(LOOKS, round(2 * seconds)))
    with capsys.disabled():
        print(f"\nEVALUATIONS touches {dict(sample.compared)}, priced {dict(sample.priced)}, beyond the touch {dict(sample.deep)}")
        print(f"EVALUATIONS without an opportunity {dict(sample.without)}")
    assert all(sample.compared[shape] >= LEAST_TOUCHES for shape in SHAPES), sample.compared
    assert all(sample.priced[shape] >= LEAST_PRICED for shape in SHAPES), sample.priced


def moved(file: Path, by_s: int, to: Path) -> Path:
    """The first :data:`MINUTES` of a recording, received ``by_s`` later by its receiver's clock, and sent so by its venue's."""
    last_ns = 0
    with gzip.open(file, "rt") as lines, gzip.open(to, "wt", compresslevel=1) as out:
        for line in lines:
            received_ns, frame = line.split(" ", 1)
            last_ns = last_ns or int(received_ns) + MINUTES * 60 * 10**9
            if int(received_ns) > last_ns:
                break
            later = re.sub(r'"(E|T)":(\d{13})', lambda found: f'"{found[1]}":{int(found[2]) + 1000 * by_s}', frame)
            out.write(f"{int(received_ns) + by_s * 10**9} {later}")
    return to


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("by_s", [60])
def test_two_legs_on_real_books_equal_fractions(by_s: int, tmp_path: Path, shared_data: Path) -> None:
    """Bitcoin and its perpetual contract at Binance, in August 2024."""
    folder = shared_data / "hftbacktest"
    perpetual = moved(folder / "usdm_btcusdt_20240808.gz", by_s, tmp_path / "perpetual.gz")
    spot_file = moved(folder / "spot_btcusdt_20240808.gz", 0, tmp_path / "spot.gz")
    settings = load_profile("binance-spot-perp", {"universe": {"symbols": ["BTC"]}})
    spot = simulated_markets(["BTC"], ["binance"], {})["binance"]
    listed = {"binance": spot, "binanceusdm": {code: replace(market, exchange="binanceusdm") for code, market in spot.items()}}
    sample = Sample(settings, [spot_file, perpetual], 16, listed)
    assert sample.compared["two_leg"] >= 5, sample.compared
    assert sample.priced["two_leg"] >= 2, sample.priced
