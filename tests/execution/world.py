"""A whole engine over two paper venues, in virtual time, with books by hand: what the floors above routes are tested on."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from math import inf
from pathlib import Path

from arbtui.engine.components import EngineComponents
from arbtui.engine.engine import Engine
from arbtui.exchanges.adapter import OrderReport, StandingOrder
from arbtui.exchanges.binance.rules import spot_market
from arbtui.exchanges.config import HealthConfig
from arbtui.exchanges.health import ExchangeHealthMonitor
from arbtui.exchanges.rate_limit import Lane
from arbtui.exchanges.upbit.rules import krw_market
from arbtui.execution.config import ExecutionConfig, NettingConfig
from arbtui.execution.cycle import ArbCycle
from arbtui.failover.config import FailoverConfig
from arbtui.failover.reconciler import Reconciled
from arbtui.journal.events import RunStarted
from arbtui.journal.journal import Journal
from arbtui.journal.reader import reading
from arbtui.journal.state import JournalState
from arbtui.marketdata.aggregator import OrderbookAggregator
from arbtui.marketdata.config import MarketDataConfig
from arbtui.marketdata.rate_book import RateBook
from arbtui.marketdata.rate_market import RateMarket
from arbtui.model.book import BookState, Level, OrderBook
from arbtui.model.clock import LoopClock
from arbtui.model.halt import Halt
from arbtui.model.market import Market
from arbtui.model.order import Order
from arbtui.model.rng import Rng
from arbtui.model.scoped_halts import ScopedHalts
from arbtui.portfolio.config import DeskConfig, RebalanceConfig
from arbtui.portfolio.ledger import read_ledger
from arbtui.portfolio.marks import LiveMarks
from arbtui.portfolio.portfolio import Portfolio
from arbtui.portfolio.position_sync import CrossExchangePositionSync, coarsest_lots
from arbtui.portfolio.projections import ProjectingPortfolio
from arbtui.portfolio.restore import fold, restore
from arbtui.portfolio.trading_state import TradingState
from arbtui.risk.config import RiskConfig, default_limits
from arbtui.risk.guard import RiskGuard
from arbtui.risk.state import trading_state
from arbtui.routes.config import CostsConfig
from arbtui.routes.route import RouteTerms
from arbtui.routes.rules import RouteRules
from arbtui.routes.universe import ArbUniverse
from arbtui.runtime.startup import begin_day, reconciler_of
from arbtui.simulation.ledger import VenueLedger
from arbtui.simulation.paper import PaperExchange
from arbtui.simulation.venue import VenueCore

Levels = tuple[list[Level], list[Level]]  #: bids and asks

FUNDS: dict[str, dict[str, Decimal]] = {
    "upbit": {"KRW": Decimal(3_000_000), "XRP": Decimal(1000), "ADA": Decimal(1000)},
    "binance": {"USDT": Decimal(2000), "XRP": Decimal(1000), "ADA": Decimal(1000)},
}
#: Bids and asks at which nothing pays, and at which buying at Binance (or at Upbit) pays about 1 %.
FAIR: dict[str, Levels] = {
    "upbit": ([(2996.0, 400.0), (2995.0, 500.0)], [(2997.0, 400.0), (2998.0, 500.0)]),
    "binance": ([(2.1399, 300.0), (2.1398, 500.0)], [(2.14, 300.0), (2.1401, 500.0)]),
}
UPBIT_DEAR: Levels = ([(3030.0, 400.0), (3029.0, 500.0)], [(3031.0, 400.0), (3032.0, 500.0)])
UPBIT_CHEAP: Levels = ([(2960.0, 400.0), (2959.0, 500.0)], [(2961.0, 400.0), (2962.0, 500.0)])


class Venue(PaperExchange):
    """A paper venue that a test can look over the shoulder of, and whose answers it can bend."""

    def __init__(self, core: VenueCore, rng: Rng, latency_ms: tuple[int, int]) -> None:
        super().__init__(core, rng, latency_ms)
        self.placed: list[Order] = []  #: orders that were admitted, in order
        self.asked: list[Order] = []  #: orders with which the adapter was called
        self.look_ups: list[tuple[float, str]] = []
        self.before_place: Callable[[Order], None] = lambda _: None
        self.before_admit: Callable[[Order], None] = lambda _: None
        self.bend: Callable[[OrderReport], OrderReport] = lambda report: report  #: of an answer
        self.bend_look_up: Callable[[OrderReport | None], OrderReport | None] = lambda report: report
        self.listed = 0

    async def place(self, order: Order, admit: Callable[[], None]) -> OrderReport:
        self.asked.append(order)
        self.before_place(order)

        def admitted() -> None:
            self.before_admit(order)
            admit()
            self.placed.append(order)

        return self.bend(await super().place(order, admitted))

    async def fetch_order(self, code: str, client_order_id: str, lane: Lane = Lane.HEDGE) -> OrderReport | None:
        report = await super().fetch_order(code, client_order_id, lane)
        self.look_ups.append((asyncio.get_running_loop().time(), client_order_id))
        return self.bend_look_up(report)

    async def list_standing(self) -> Sequence[StandingOrder]:
        self.listed += 1
        return await super().list_standing()


#: As these tests were written for, whatever the defaults become.
EXECUTION = ExecutionConfig(
    order_value=100.0, min_edge_bps=3.0, leg_deadline_ms=1000, unwind_bps=100.0, cooldown_ms=500, max_decision_age_ms=250
)


@dataclass
class World:
    """Everything of one run."""

    folder: Path
    clock: LoopClock
    halt: Halt
    journal: Journal
    venues: dict[str, Venue]
    components: EngineComponents
    engine: Engine
    remembered: JournalState
    reconciled: Reconciled
    asked_again: list[tuple[str, str]]  #: books that were asked for once more
    fresh: bool = True  #: books and streams are kept fresh
    step_s: float = 0.05  #: between two housekeepings
    silent: set[str] = field(default_factory=set)  #: but not these venues
    ended: list[ArbCycle] = field(default_factory=list)

    @property
    def upbit(self) -> Venue:
        return self.venues["upbit"]

    @property
    def binance(self) -> Venue:
        return self.venues["binance"]

    def book(self, exchange: str, symbol: str = "XRP") -> OrderBook:
        return self.components.aggregator.books[exchange, f"KRW-{symbol}" if exchange == "upbit" else f"{symbol}USDT"]

    def quote(self, exchange: str, levels: Levels, symbol: str = "XRP") -> OrderBook:
        """Put a book there without telling the engine."""
        made = self.book(exchange, symbol)
        made.replace(*levels)
        return made

    def show(self, exchange: str, levels: Levels, symbol: str = "XRP") -> None:
        """Put a book there and let the engine decide on it."""
        self.engine.decider.on_books([self.quote(exchange, levels, symbol)])

    def freshen(self) -> None:
        now = self.clock.monotonic()
        for book in self.components.aggregator.books.values():
            if book.exchange not in self.silent:
                book.ts_init = now
                if book.state is BookState.STALE:
                    book.state = BookState.LIVE
        for name, watch in self.components.aggregator.watches.items():
            if name not in self.silent:
                watch.last_message = now

    async def trade(self, exchange: str = "upbit", levels: Levels = UPBIT_DEAR) -> ArbCycle:
        """Show a good book, and wait until the cycle that it opened has ended."""
        before = set(self.engine.cycles)
        self.show(exchange, levels)
        (cycle_id,) = (key for key in self.engine.cycles if key not in before)
        cycle = self.engine.cycles[cycle_id]
        await self.engine.executor.quiet.wait()
        return cycle

    @property
    def portfolio(self) -> Portfolio:
        return self.components.portfolio

    def agree(self) -> None:
        """Portfolio, journal and venue say the same; nothing is reserved or in flight; what is read back is what is live."""
        portfolio = self.portfolio
        told = {(fill.exchange, fill.trade_id): fill for venue in self.venues.values() for fill in venue.core.fills_since(0)}
        booked = {(row["exchange"], row["trade_id"]) for row in read_ledger(self.journal.path)["fills"]}
        assert booked == set(told)
        for name, venue in self.venues.items():
            balances = {asset: balance.total for asset, balance in venue.core.balances().items()}
            assert portfolio.differences(name, balances) == []
            for asset, total in balances.items():
                assert portfolio.available(name, asset) == total, (name, asset)
        assert (list(portfolio.open_orders), list(portfolio.open_cycles)) == ([], [])
        assert not any(guard.in_flight for guard in self.engine.risk.exchange.values())
        assert (self.engine.tracker.open, self.engine.executor.open) == ({}, {})
        self.same_after_restart()

    def same_after_restart(self) -> None:
        """Live = fold(journal): from the newest snapshot, and from the first event."""
        live = self.portfolio.dump()
        assert restore(self.journal.path)[1].dump() == live
        with reading(self.journal.path) as db:
            assert fold(self.journal.path, db, Portfolio(), self.journal.seq).dump() == live


def markets_of(symbols: Sequence[str]) -> dict[str, dict[str, Market]]:
    listed: dict[str, dict[str, Market]] = {"upbit": {}, "binance": {}}
    for symbol in symbols:
        for market in (krw_market(symbol), spot_market(symbol, "USDT", Decimal("0.0001"), Decimal("0.1"), Decimal(5))):
            listed[market.exchange][market.code] = market
    return listed


#: Limits under which a refusal, or a price that jumps, as a test scripts it, pauses nothing.
UNRESTING = RiskConfig.model_validate(
    {
        **default_limits("paper"),
        "symbol": {**default_limits("paper")["symbol"], "max_jump_1s_bps": 1e6, "max_jump_10s_bps": 1e6},
        "route": {**default_limits("paper")["route"], "refusal_pause_s": 0.0},
    }
)


@asynccontextmanager
async def world(
    folder: Path,
    *,
    symbols: Sequence[str] = ("XRP",),
    execution: ExecutionConfig | None = None,
    risk: RiskConfig | None = None,
    funds: Mapping[str, Mapping[str, Decimal]] = FUNDS,
    keep_fresh: bool = True,
    on_open: Callable[[Mapping[str, Venue]], None] = lambda _: None,
    on_journal: Callable[[Journal], None] = lambda _: None,
    unclean: str = "",
    unconfirmed: str = "",
    desk: DeskConfig | None = None,
    rebalance: RebalanceConfig | None = None,
    recovery_wait_s: float = 30.0,
    listed: Mapping[str, Mapping[str, Market]] | None = None,
    books: Mapping[tuple[str, str], Levels] | None = None,
    netting: NettingConfig | None = None,
    profile: str = "p",
    resumes: bool = False,
    unresumed: str = "",
    failover: FailoverConfig | None = None,
    rules: RouteRules | None = None,
    costs: CostsConfig | None = None,
) -> AsyncIterator[World]:
    """Open (or, in the same folder, open again) and arm; needs a virtual-time loop. Times restart at 0: give runs an epoch.

    With ``netting`` the rate's market can be traded, and what cycles leave open of the won is. ``rules``: which routes there are.
    """
    loop = asyncio.get_running_loop()
    clock = LoopClock(loop)
    journal = await Journal.open(folder / "journal.db", clock=clock, door="sync", salt="5a17")
    ledger = await VenueLedger.open(folder / "venue.db", "sync")
    venues: dict[str, Venue] = {}
    on_journal(journal)
    try:
        markets = {name: dict(each) for name, each in (listed or markets_of(symbols)).items()}
        if netting is not None:
            markets["upbit"]["KRW-USDT"] = krw_market("USDT")
        config, execution = risk or UNRESTING, execution or EXECUTION
        halt = Halt(folder)
        remembered, portfolio = restore(journal.path)
        journal.fold = ProjectingPortfolio(portfolio)
        run_id = f"r{remembered.runs + 1}"
        await journal.commit(RunStarted(run_id, profile, "sim", 1, "0", "c", dict.fromkeys(markets, "simulator"), "RECOVERING"))
        keys = [(name, code) for name, listed in markets.items() for code in listed]
        keys += [] if netting is not None else [("upbit", "KRW-USDT")]
        engine: Engine | None = None

        def on_books(books: Sequence[OrderBook]) -> None:
            if engine is not None:
                engine.decider.on_books(books)

        aggregator = OrderbookAggregator(clock, MarketDataConfig(), keys, on_books, lambda *_: None)
        for name, of_venue in markets.items():
            core = VenueCore(name, of_venue, lambda code, name=name: aggregator.books[name, code], ledger, clock)  # type: ignore[misc]
            await core.open_account({asset: amount for asset, amount in funds[name].items() if asset in ("KRW", "USDT", *symbols)})
            venues[name] = Venue(core, Rng(1), (50, 200))
        on_open(venues)
        its_books = [book for book in aggregator.books.values() if book.code == "KRW-USDT"]
        rates = RateBook([RateMarket(book, "USDT", "KRW", 5.0, 0.0005) for book in its_books], "USDT")
        reserve_bps = execution.completion_bps + config.route.max_edge_bps
        terms = RouteTerms(execution.min_edge_bps, 0.0, execution.order_value, "USDT", (0.8, 1.25), reserve_bps)
        traded = [market for listed in markets.values() for market in listed.values()]
        shadow = (rebalance or RebalanceConfig()).shadow_bps_at_empty
        universe = ArbUniverse(traded, aggregator.books, rates, terms, shadow, symbols, settlement=("KRW", "USDT"), rules=rules)
        marks = LiveMarks("USDT", rates, [(market, aggregator.books[market.exchange, market.code]) for market in traded], clock)
        health = {name: ExchangeHealthMonitor(name, clock, HealthConfig()) for name in markets}
        throttled = {name: venues[name].throttled if name in venues else lambda: None for name in markets}
        guard = RiskGuard(
            config,
            markets,
            portfolio=portfolio,
            marks=marks,
            state=partial(trading_state, portfolio, halt, journal),
            last_message=lambda name: aggregator.watches[name].last_message,
            health=health,
            throttled=throttled,
            halts=ScopedHalts(halt.folder),
            time_ms=clock.time_ms,
            max_open_fx=inf if netting is None else netting.limit_for(execution.order_value),
        )
        asked_again: list[tuple[str, str]] = []
        components = EngineComponents(
            "p",
            run_id,
            clock,
            halt,
            journal,
            venues,
            aggregator,
            rates,
            universe,
            guard,
            portfolio,
            marks,
            CrossExchangePositionSync(
                adapters=venues,
                portfolio=portfolio,
                journal=journal,
                clock=clock,
                lots=coarsest_lots((market.base, market.lot_step) for market in traded),
            ),
            execution,
            desk or DeskConfig(),
            lambda *key: asked_again.append(key),
            netting=netting or NettingConfig(enabled=False),
            rebalance=rebalance or RebalanceConfig(),
            failover=failover or FailoverConfig(),
            costs=costs or CostsConfig(),
        )
        for (name, code), book in aggregator.books.items():
            book.replace(*(([(1400.0, 1e6)], [(1401.0, 1e6)]) if code == "KRW-USDT" else (books or {}).get((name, code)) or FAIR[name]))
            book.state = BookState.LIVE
        rates.refresh()
        marks.restore(portfolio.state.marks)
        await begin_day(journal, portfolio, components.desk.day_of(clock.time_ms()))
        reconciled = await reconciler_of(components, recovery_wait_s, resumes=resumes).run()
        async with asyncio.TaskGroup() as tasks:
            engine = Engine(components, remembered, tasks)
            journal.on_failure = engine.on_journal_failure
            made = World(folder, clock, halt, journal, venues, components, engine, remembered, reconciled, asked_again, keep_fresh)
            made.freshen()
            engine.arm(reconciled, unclean=unclean, unconfirmed=unconfirmed, unresumed=unresumed)
            turn = tasks.create_task(_turn(made))
            yield made
            engine.abandon()
            turn.cancel()
    finally:
        for venue in venues.values():
            await venue.close()
        await ledger.close()
        await journal.close()


async def _turn(made: World) -> None:
    while True:
        if made.fresh:
            made.freshen()
        made.engine.housekeep()
        await asyncio.sleep(made.step_s)


def armed(made: World) -> bool:
    return made.engine.state is TradingState.ARMED
