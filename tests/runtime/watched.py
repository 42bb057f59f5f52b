"""A whole session in virtual time, with somebody who looks at its books, its decisions and its simulator."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import localcontext
from functools import partial
from math import inf
from pathlib import Path

import pytest

from arbtui.engine.engine import Engine
from arbtui.execution.cycle import ArbCycle
from arbtui.execution.plan import CyclePlan
from arbtui.failover.reconciler import Reconciled
from arbtui.model.book import BookState
from arbtui.model.halt import Halt
from arbtui.model.money import DIGITS
from arbtui.model.reason import Reason
from arbtui.model.virtual_loop import VirtualTimeLoop
from arbtui.monitoring.log import LogRing
from arbtui.portfolio.past_cycles import PastCycle
from arbtui.runtime.modes import origins
from arbtui.runtime.plan import Plan
from arbtui.runtime.session import Session
from arbtui.runtime.summary import Run
from arbtui.runtime.venues import Venues, simulated_venues
from arbtui.settings.load import load_profile
from arbtui.simulation.troubles import Incident
from arbtui.views.live import EngineViews
from tests.lifecycle.state import State

EVERY_S = 0.02  #: between two looks


@dataclass(frozen=True)
class Decision:
    """What a cycle was opened on. Ages in seconds of virtual time."""

    at: float
    symbol: str
    states: tuple[BookState, BookState]
    ages: tuple[float, float]
    silences: tuple[float, float]
    rate_age: float


@dataclass
class Watched:
    """What was seen. Times are seconds since the simulator's start, as its incidents' ticks are."""

    scenario: str = ""  #: as the header shows it
    decisions: list[Decision] = field(default_factory=list)
    changes: dict[tuple[str, str], list[tuple[float, BookState]]] = field(default_factory=dict)  #: of each book's state
    mids: dict[tuple[str, str], list[tuple[float, float]]] = field(default_factory=dict)
    refusals: list[tuple[float, dict[str, Reason]]] = field(default_factory=list)  #: once a second: routes that data keeps from trading
    incidents: list[Incident] = field(default_factory=list)
    gaps: int = 0
    resyncs: int = 0
    breaches: list[tuple[str, str]] = field(default_factory=list)
    denials: dict[Reason, int] = field(default_factory=dict)
    code: int = -1

    def states(self, exchange: str, code: str, start: float, end: float) -> list[BookState]:
        """The states that a book had from ``start`` to ``end``, in order."""
        before = [state for at, state in self.changes[exchange, code] if at < start]
        return before[-1:] + [state for at, state in self.changes[exchange, code] if start <= at <= end]


class WatchedSession(Session):
    """A session that keeps a diary."""

    def __init__(self, plan: Plan, lines: LogRing, halt: Halt) -> None:
        super().__init__(plan, lines, halt)
        self.seen = Watched()

    async def _until_stopped(
        self, run: Run, reconciled: Reconciled, venues: Venues, tasks: asyncio.TaskGroup, earlier: Sequence[PastCycle]
    ) -> None:
        engine, seen = run.engine, self.seen
        origin = engine.components.clock.monotonic()
        seen.scenario = EngineViews(engine, "SIM", self._plan.scenario, self._lines, earlier).header().scenario
        watching = tasks.create_task(self._watch(engine, origin))
        start = engine.executor.start

        def started(plan: CyclePlan, tasks: asyncio.TaskGroup) -> ArbCycle | Reason:
            route, now = plan.route, engine.components.clock.monotonic()
            books = route.books
            watches = engine.components.aggregator.watches
            rate = engine.components.rates.markets[0].book
            opened = start(plan, tasks)
            if isinstance(opened, Reason) or route.shrinks_exposure:
                return opened
            seen.decisions.append(
                Decision(
                    now - origin,
                    route.symbol,
                    (books[0].state, books[1].state),
                    (now - books[0].ts_init, now - books[1].ts_init),
                    (now - watches[books[0].exchange].last_message, now - watches[books[1].exchange].last_message),
                    inf if rate is None or rate.state is not BookState.LIVE else now - rate.ts_init,
                )
            )
            return opened

        engine.executor.start = started  # type: ignore[method-assign]
        await super()._until_stopped(run, reconciled, venues, tasks, earlier)
        watching.cancel()
        assert venues.simulator is not None
        if venues.simulator.troubles is not None:
            seen.incidents = list(venues.simulator.troubles.history)
        counts = engine.components.aggregator.counts["binance"]
        seen.gaps, seen.resyncs = counts.gaps, counts.resyncs
        seen.breaches = [(breach.kind, breach.scope) for breach in engine.breaches.breaches.values()]
        seen.denials = dict(engine.risk.denials)

    async def _watch(self, engine: Engine, origin: float) -> None:
        seen, books, clock = self.seen, engine.components.aggregator.books, engine.components.clock
        looks = 0
        while True:
            now = clock.monotonic()
            for key, book in books.items():
                changes = seen.changes.setdefault(key, [])
                if not changes or changes[-1][1] is not book.state:
                    changes.append((now - origin, book.state))
                if looks % 5 == 0 and 0.0 < book.bid < book.ask < inf:
                    seen.mids.setdefault(key, []).append((now - origin, book.mid))
            if looks % 50 == 0:
                refused = {route.id: why for route in engine.components.universe.routes if (why := route.data_refusal(now)) is not None}
                seen.refusals.append((now - origin, refused))
            looks += 1
            await asyncio.sleep(EVERY_S)


def watch(root: Path, scenario: str, symbols: int, seconds: float, seed: int = 1) -> tuple[Watched, State]:
    """Play ``scenario``, named as an operator may name it, under the shipped profile for ``seconds`` of virtual time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ARBTUI_SIMULATOR__SCENARIO", scenario)
        settings = load_profile("upbit-binance", {"universe": {"symbols": symbols}, "simulator": {"seed": seed}})
    state = State(root)
    state.journal.parent.mkdir(parents=True)
    plan = Plan(
        settings,
        state.folder,
        state.journal.parent,
        partial(simulated_venues, settings),
        origins(settings),
        virtual=True,
        headless=True,
        max_runtime_s=seconds,
        json=None,
        scenario=settings.simulator.scenario,
    )
    with localcontext(prec=DIGITS), asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        session = WatchedSession(plan, LogRing(), Halt(state.folder))
        session.seen.code = runner.run(session.run())
    return session.seen, state
