"""A batch is one moment: whatever the order of its books, the same rate prices the same routes, and the same cycles open."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arbtui.engine.decider import Decider
from arbtui.engine.denials import Denials
from arbtui.engine.episodes import Episodes
from arbtui.exchanges.config import HealthConfig
from arbtui.exchanges.health import ExchangeHealthMonitor
from arbtui.model.book import BookState, OrderBook
from arbtui.model.clock import LoopClock
from arbtui.model.reason import Reason
from arbtui.model.scoped_halts import ScopedHalts
from arbtui.model.virtual_loop import run_virtual
from arbtui.portfolio.marks import LiveMarks
from arbtui.portfolio.portfolio import Portfolio
from arbtui.portfolio.trading_state import TradingState
from arbtui.risk.config import RiskConfig, default_limits
from arbtui.risk.guard import RiskGuard
from arbtui.routes.prioritizer import RoutePrioritizer
from arbtui.routes.route import Opportunity, RouteTerms
from arbtui.routes.universe import ArbUniverse
from tests.execution.world import markets_of, world
from tests.routes.pairs import one_rate

_SYMBOLS = ("XRP", "ADA")
_RATE = ("upbit", "KRW-USDT")


class _Desk:
    """Routes of two assets, risk that lets ``most`` cycles open, and a decider whose opened cycles are only noted."""

    def __init__(self, clock: LoopClock, most: int) -> None:
        markets = [market for listed in markets_of(_SYMBOLS).values() for market in listed.values()]
        self.books = {(market.exchange, market.code): OrderBook(market.exchange, market.code) for market in markets}
        self.books[_RATE] = OrderBook(*_RATE)
        self.clock = clock
        self.rates = one_rate(self.books[_RATE])
        terms = RouteTerms(3.0, 0.0, 100.0, "USDT", (0.8, 1.25))
        self.universe = ArbUniverse(markets, self.books, self.rates, terms, 0.0, _SYMBOLS)
        for node in self.universe.nodes.values():
            node.available = 1e9
        health = {name: ExchangeHealthMonitor(name, clock, HealthConfig()) for name in ("upbit", "binance")}
        limits = default_limits("paper")
        limits["global"]["max_open_cycles"] = most
        limits["symbol"]["price_band_bps"] = 10_000.0
        limits["route"]["max_edge_bps"] = 10_000.0
        marks = LiveMarks("USDT", self.rates, [(market, self.books[market.exchange, market.code]) for market in markets], clock)
        self.risk = RiskGuard(
            RiskConfig.model_validate(limits),
            health,
            portfolio=Portfolio(),
            marks=marks,
            state=lambda: TradingState.ARMED,
            last_message=lambda _: clock.monotonic(),
            health=health,
            throttled=dict.fromkeys(health, lambda: None),
            halts=ScopedHalts(Path("/nowhere")),
            time_ms=clock.time_ms,
        )
        self.most = most
        for monitor in health.values():
            monitor.on_message(clock.monotonic())
        self.opened: list[tuple[str, Decimal, Decimal, float]] = []
        self.denied: list[tuple[str, Reason]] = []
        self.episodes = Episodes(clock, Denials(clock), asyncio.get_running_loop().call_at)
        self.decider = Decider(
            universe=self.universe,
            rates=self.rates,
            prioritizer=RoutePrioritizer(),
            clock=clock,
            episodes=self.episodes,
            open_cycle=self._open,
        )

    def quote(self, key: tuple[str, str], mid: float) -> None:
        book = self.books[key]
        book.replace([(mid * 0.9998, 1e6)], [(mid * 1.0002, 1e6)])
        book.state = BookState.LIVE
        book.ts_init = self.clock.monotonic()

    async def decide(self, mids: dict[tuple[str, str], float], order: Sequence[tuple[str, str]]) -> tuple[object, ...]:
        """What one batch with these books, in this order, brings about."""
        for key in self.books:
            self.quote(key, _FAIR[key])
        self.rates.refresh()
        for key, mid in mids.items():
            self.quote(key, mid)
        self.decider.on_books([self.books[key] for key in order])
        await self.decider.settled.wait()  # the sweeps after a rate tick, and after a change of a book of many routes
        gaps = tuple((name, one.gate, one.cycles, one.best_bps, one.size) for name, one in self.episodes.open.items())
        return tuple(self.opened), tuple(self.denied), self.decider.opportunities, gaps

    def _open(self, opportunity: Opportunity) -> Reason | None:
        route = opportunity.route
        refusal = self.risk.check_entry(route, opportunity.edge_bps, opportunity.value, opportunity.decided_at)
        if refusal is None and len(self.opened) >= self.most:
            refusal = Reason.OPEN_CYCLES
        if refusal is not None:
            self.denied.append((route.id, refusal))
            return refusal
        bought, sold = (order.qty for order in opportunity.orders)
        self.opened.append((route.id, bought, sold, opportunity.edge_bps))
        for one in self.universe.of_symbol(route.symbol):
            one.blocked = Reason.ROUTE_BUSY
        return None


_FAIR = {
    ("upbit", "KRW-XRP"): 3000.0,
    ("upbit", "KRW-ADA"): 1500.0,
    ("binance", "XRPUSDT"): 2.0,
    ("binance", "ADAUSDT"): 1.0,
    _RATE: 1500.0,
}


def _decided(mids: dict[tuple[str, str], float], order: Sequence[tuple[str, str]], most: int) -> tuple[object, ...]:
    async def main() -> tuple[object, ...]:
        return await _Desk(LoopClock(asyncio.get_running_loop()), most).decide(mids, order)

    decided: tuple[object, ...] = run_virtual(main())
    return decided


@pytest.mark.parametrize(("few", "slice_of"), [(12, 250), (0, 1)], ids=["as shipped", "a route at a time"])
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    moves=st.lists(st.floats(-120.0, 120.0), min_size=5, max_size=5),
    changed=st.permutations(list(_FAIR)).flatmap(lambda keys: st.integers(1, 5).map(lambda n: keys[:n])),
    shuffle=st.randoms(use_true_random=False),
    most=st.integers(1, 3),
)
def test_the_books_of_one_batch_in_any_order_give_one_decision(
    moves: list[float],
    changed: list[tuple[str, str]],
    shuffle: object,
    most: int,
    few: int,
    slice_of: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in (("_FEW", few), ("_SLICE", slice_of), ("_GAPS", min(25, slice_of))):
        monkeypatch.setattr(f"arbtui.engine.decider.{name}", value)
    mids = {key: _FAIR[key] * (1.0 + bps / 1e4) for key, bps in zip(_FAIR, moves, strict=True) if key in changed}
    other = list(changed)
    shuffle.shuffle(other)  # type: ignore[attr-defined]
    assert _decided(mids, changed, most) == _decided(mids, other, most) == _decided(mids, changed[::-1], most)


@pytest.mark.parametrize("rate_first", [True, False])
def test_a_price_that_pays_at_the_old_rate_only_opens_nothing_beside_the_new_rate(tmp_path: Path, rate_first: bool) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            rate = w.components.rates.markets[0].book
            assert rate is not None
            price = w.quote("upbit", ([(3015.0, 400.0)], [(3016.0, 400.0)]))  # pays 30 bps at 1,401
            rate.replace([(1408.0, 1e6)], [(1409.0, 1e6)])  # and at this one neither way
            w.engine.decider.on_books([rate, price] if rate_first else [price, rate])
            await asyncio.sleep(0.1)
            assert w.engine.cycles == {}

    run_virtual(main())


@pytest.mark.parametrize("rate_first", [True, False])
def test_a_price_that_pays_at_the_new_rate_only_is_sized_and_priced_at_that(tmp_path: Path, rate_first: bool) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            rate = w.components.rates.markets[0].book
            assert rate is not None
            price = w.quote("upbit", ([(3015.0, 400.0)], [(3016.0, 400.0)]))
            rate.replace([(1396.0, 1e6)], [(1397.0, 1e6)])
            w.engine.decider.on_books([rate, price] if rate_first else [price, rate])
            (cycle,) = w.engine.cycles.values()
            # 2.14 bought at Binance (10 bps in coin) and sold at 3,015 (5 bps), dollars for won at 1,397 (5 bps).
            expected = 3015.0 * (1 - 0.0005) / (1397.0 * (1 + 0.0005)) / (2.14 / (1 - 0.001)) - 1.0
            assert cycle.plan.edge_bps == pytest.approx(expected * 1e4, abs=0.5)  # sizes are whole lots
            await w.engine.executor.quiet.wait()

    run_virtual(main())


@pytest.mark.parametrize("reverse", [False, True])
def test_a_route_whose_books_both_changed_is_one_opportunity(reverse: bool) -> None:
    order = [("upbit", "KRW-XRP"), ("binance", "XRPUSDT")]
    mids = {order[0]: 3030.0, order[1]: 2.0}
    opened, denied, opportunities, _ = _decided(mids, order[::-1] if reverse else order, 1)
    assert [one[0] for one in opened] == ["XRP:binance>upbit"]  # type: ignore[attr-defined]
    assert (denied, opportunities) == ((), 1)


def test_of_two_equal_opportunities_the_same_one_opens_in_any_order() -> None:
    order = [("upbit", "KRW-XRP"), ("upbit", "KRW-ADA")]
    mids = {order[0]: 3030.0, order[1]: 1515.0}
    first = _decided(mids, order, 1)
    assert first == _decided(mids, order[::-1], 1)
    opened, denied, *_ = first
    assert [one[0] for one in opened] == ["ADA:binance>upbit"]  # type: ignore[attr-defined]
    assert denied == (("XRP:binance>upbit", Reason.OPEN_CYCLES),)
