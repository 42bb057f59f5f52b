"""Plans of two, three and split legs under market moves, partial fills, refusals, lost and late answers, kills and restarts.

After every step the invariants of a cycle hold: an intent is sent once, what the portfolio says is what the venues hold once
nothing is under way, nothing leaves after a kill, and what is one-sided is a named position.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from arbtui.execution.plan import CyclePlan, compile_plan
from arbtui.journal.events import CycleState, OrderIntended
from arbtui.journal.reader import events, reading
from arbtui.model.virtual_loop import run_virtual
from arbtui.simulation.faults import Fault, FaultKind
from tests.execution.test_plans import TOLERANCES, split, split_world, triangle, triangle_world
from tests.execution.world import UPBIT_DEAR, World, world

FAULTS = {
    "reject": Fault(FaultKind.REJECT),
    "lose request": Fault(FaultKind.REQUEST_LOST),
    "lose answer": Fault(FaultKind.ANSWER_LOST),
    "late answer": Fault(FaultKind.ANSWER_LATE, 2.0),
}
STEPS = ["open", "open", "open", "open", "up", "down", "thin", "deep", *FAULTS, "wait", "wait", "pause", "kill", "rearm", "restart"]


def pair(w: World) -> CyclePlan | None:
    """The plan of two legs that the books offer, if they do."""
    found = w.components.universe.by_id["XRP:binance>upbit"].evaluate(w.clock.monotonic())
    return None if found is None else compile_plan(found, 1.0, TOLERANCES)


def pair_world(folder: Path) -> AbstractAsyncContextManager[World]:
    return world(folder, books={("upbit", "KRW-XRP"): UPBIT_DEAR})


Shape = tuple[Callable[[Path], AbstractAsyncContextManager[World]], Callable[[World], CyclePlan | None]]
SHAPES: dict[str, Shape] = {"pair": (pair_world, pair), "triangle": (triangle_world, triangle), "split": (split_world, split)}


@dataclass
class Machine:
    """One desk that lives through ``steps``, over any number of runs."""

    shape: Shape
    folder: Path
    rng: random.Random
    ended: Counter[CycleState] = field(default_factory=Counter)
    placed: Counter[str] = field(default_factory=Counter)

    async def play(self, steps: Sequence[str]) -> None:
        left = list(steps)
        while True:
            async with self.shape[0](self.folder) as w:
                for venue in w.venues.values():
                    venue.before_admit = lambda order: self.placed.update((order.client_order_id,))
                while left:
                    step = left.pop(0)
                    await self.step(w, step)
                    self.check(w)
                    if step == "restart":
                        break
                else:
                    await self.settle(w)
                    self.at_rest(w)
                    self.ended.update(cycle.state for cycle in w.portfolio.state.cycles.values())
                    return

    async def step(self, w: World, step: str) -> None:
        if step == "open":
            plan = self.shape[1](w)
            if plan is not None:
                w.engine.open(plan)
            await asyncio.sleep(self.rng.choice((0.001, 0.05, 0.12, 0.3)))
        elif step in FAULTS:
            skipped: list[Fault | None] = [None] * self.rng.randrange(2)
            w.venues[self.rng.choice(list(w.venues))].core.faults.add(*skipped, FAULTS[step])
        elif step in ("up", "down", "thin", "deep"):
            self.move(w, step)
        elif step == "wait":
            await asyncio.sleep(self.rng.choice((0.5, 3.0)))
        elif step == "pause":
            w.engine.operator.toggle_pause()
        elif step == "kill":
            w.engine.kill_switch.kill("TEST", "of a step")
            sent = self.placed.total()
            await asyncio.sleep(0.5)
            assert self.placed.total() == sent, "nothing leaves after a kill"
        elif step == "rearm" and not w.engine.executor.open:
            w.engine.operator.rearm("p", "of a step", w.engine.components.halt.kills)

    def move(self, w: World, step: str) -> None:
        """Move one book by up to a percent, or take nine tenths of its size away, or bring ten times as much."""
        books = [book for key, book in w.components.aggregator.books.items() if key != ("upbit", "KRW-USDT")]
        book = self.rng.choice(books)
        factor = {"up": 1 + self.rng.random() / 100, "down": 1 - self.rng.random() / 100}.get(step, 1.0)
        share = {"thin": 0.1, "deep": 10.0}.get(step, 1.0)
        sides = ([(price * factor, qty * share) for price, qty in side] for side in (list(book.bids()), list(book.asks())))
        book.replace(*sides)

    def check(self, w: World) -> None:
        """What holds at every moment."""
        assert set(self.placed.values()) <= {1}, "every order is sent once"
        assert all(
            order.state.is_final or order.client_order_id in w.engine.tracker.open
            for c in w.engine.executor.open.values()
            for order in c.orders
        )
        limit = w.engine.risk.total.limits.max_unhedged
        open_value = sum(cycle.value for cycle in w.portfolio.open_cycles)
        assert open_value <= limit, "what is at risk at worst is under its limit"
        if w.engine.components.halt.is_closed:
            assert w.engine.state.is_halt

    async def settle(self, w: World) -> None:
        async with asyncio.timeout(600):
            await w.engine.executor.quiet.wait()

    def at_rest(self, w: World) -> None:
        """What holds once nothing is under way."""
        portfolio = w.portfolio
        for name, venue in w.venues.items():
            balances = {asset: balance.total for asset, balance in venue.core.balances().items()}
            assert portfolio.differences(name, balances) == []
            assert all(portfolio.reserved(name, asset) == 0 for asset in balances)
        told = {(fill.exchange, fill.trade_id) for venue in w.venues.values() for fill in venue.core.fills_since(0)}
        with reading(w.journal.path) as connection:
            journaled = [one.event for one in events(connection)]
        intents = {event.client_order_id for event in journaled if isinstance(event, OrderIntended)}
        assert set(self.placed) <= intents
        booked = Counter(key for cycle in portfolio.state.cycles.values() for key in cycle.fill_keys)
        assert booked == Counter(f"{exchange}/{trade_id}" for exchange, trade_id in told), "every fill once"
        coins: dict[str, Decimal] = {}
        for cycle in portfolio.state.cycles.values():
            assert (cycle.state is CycleState.RESIDUAL) == bool(portfolio.left(cycle))
            for asset, amount in cycle.net(portfolio.state.settlement).items():
                coins[asset] = coins.get(asset, Decimal(0)) + amount
        for asset in {asset for held in portfolio.state.balances.values() for asset in held} - set(portfolio.state.settlement):
            change = sum(
                (portfolio.total(name, asset) - portfolio.state.opening.get(name, {}).get(asset, Decimal(0)) for name in w.venues),
                Decimal(0),
            )
            assert change == coins.get(asset, Decimal(0)), f"{asset}: what is one-sided is named"
        w.same_after_restart()


def lives(shape: str, steps: Sequence[str], seed: int) -> Counter[CycleState]:
    """How the cycles of one life ended."""
    with TemporaryDirectory(prefix="arbtui-plans-") as name:
        folder = Path(name) / "sim"  # the journal's tip lies beside it
        folder.mkdir()
        machine = Machine(SHAPES[shape], folder, random.Random(seed))
        run_virtual(machine.play(steps))
        return machine.ended


@pytest.mark.parametrize("shape", list(SHAPES))
@settings(max_examples=25, suppress_health_check=list(HealthCheck), derandomize=True)
@given(steps=st.lists(st.sampled_from(STEPS), min_size=3, max_size=25), seed=st.integers(0, 2**16))
@example(steps=["open", "kill", "restart", "rearm", "open"], seed=1)
@example(steps=["lose answer", "open", "restart", "wait", "open"], seed=2)
def test_whatever_happens_the_invariants_hold(shape: str, steps: list[str], seed: int) -> None:
    lives(shape, steps, seed)


@pytest.mark.parametrize("shape", list(SHAPES))
def test_the_machine_meets_every_end(shape: str) -> None:
    """The check itself: within a few lives, cycles end in each way."""
    rng, seen = random.Random(4), Counter[CycleState]()
    for _ in range(40):
        seen += lives(
            shape, [rng.choice([step for step in STEPS if step not in ("kill", "pause")]) for _ in range(20)], rng.randrange(2**16)
        )
    assert CycleState.HEDGED in seen
    assert len(seen) >= 3, seen
