"""How an open cycle is hedged, order by order: how often, which way, how long it waits, and which books it asks for once more."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

from arbtui.execution.cycle import ArbCycle
from arbtui.execution.order_owner import OrderOwner
from arbtui.journal.events import CycleEnded, CycleState, Event
from arbtui.model.book import BookState
from arbtui.model.order import Order, OrderState, Purpose
from arbtui.model.reason import Reason
from arbtui.model.virtual_loop import run_virtual
from arbtui.simulation.faults import Fault, FaultKind
from tests.execution.test_plans import BTC, run, triangle, triangle_world
from tests.execution.world import EXECUTION, UPBIT_DEAR, World, world

C, U = Purpose.COMPLETE, Purpose.UNWIND
#: Completing within the edge, completing a little beyond it, taking back: each try goes one step further than the last.
TURNS = (C, C, U)


async def one_legged(w: World, orders: int = 0) -> ArbCycle:
    """A cycle that has bought at Binance and was refused at Upbit, as will be so many hedging orders; they are under way."""
    w.upbit.core.faults.add(*[Fault(FaultKind.REJECT)] * (1 + orders))
    w.binance.core.faults.add(None, *[Fault(FaultKind.REJECT)] * orders)
    w.show("upbit", UPBIT_DEAR)
    await asyncio.sleep(0.01)
    return list(w.engine.cycles.values())[-1]


class Asked(NamedTuple):
    """When the gate was asked, and about what."""

    at: float
    purpose: Purpose
    price: Decimal


def refuse(w: World, refusal: Callable[[Order], Reason | None]) -> list[Asked]:
    """Have the gate's first look at hedging orders say that; when it was asked, and about what."""
    asked: list[Asked] = []
    look = w.engine.gate.hedge_refusal

    def looked(cycle: OrderOwner, order: Order) -> Reason | None:
        asked.append(Asked(w.clock.monotonic(), order.purpose, order.price))
        return refusal(order) or look(cycle, order)

    w.engine.gate.hedge_refusal = looked  # type: ignore[method-assign]
    return asked


@pytest.mark.parametrize(
    ("completions", "most", "purposes"),
    [
        (2, 1, []),
        (2, 2, [C]),
        (2, 4, [C, C, U]),
        (2, 6, [C, C, U, C, U]),
        (0, 4, [U, C, U]),
        (1, 3, [C, U]),
        (9, 7, [C, C, U, C, C, U]),
    ],
)
def test_so_many_orders_complete_it_and_then_it_is_taken_back_first(
    completions: int, most: int, purposes: list[Purpose], tmp_path: Path
) -> None:
    """Where both venues refuse, each has its turn: whichever takes an order first makes it flat."""

    async def main() -> None:
        config = EXECUTION.model_copy(update={"completion_attempts": completions, "max_attempts": most})
        async with world(tmp_path, execution=config) as w:
            cycle = await one_legged(w, 9)
            await w.engine.executor.quiet.wait()
            assert [order.purpose for order in cycle.orders] == [Purpose.ENTRY, Purpose.ENTRY, *purposes]
            assert {order.state for order in cycle.orders[1:]} == {OrderState.REJECTED}
            assert cycle.state is CycleState.RESIDUAL
            ids = [order.client_order_id for order in cycle.orders]
            assert len(set(ids)) == len(ids)
            for leg in (0, 1):
                attempts = [order.attempt for order in cycle.orders if order.leg == leg]
                assert attempts == [*range(len(attempts))]
            assert [order.deadline for order in cycle.orders[2:]] == [order.decided_at + 1.0 for order in cycle.orders[2:]]
            assert {order.deadline for order in cycle.orders[:2]} == {cycle.plan.decided_at + 1.0}

    run_virtual(main())


def test_what_the_gate_refuses_is_tried_another_way_a_tenth_of_a_second_later_for_five_seconds(tmp_path: Path) -> None:
    """Once completing has had its time, what was refused longest ago is tried."""

    async def main() -> None:
        async with world(tmp_path, execution=EXECUTION.model_copy(update={"completion_s": 0.35})) as w:
            asked = refuse(w, lambda order: Reason.MESSAGE_AGE)
            counted: list[tuple[str, Reason]] = []
            w.engine.risk.on_order_refused = lambda route, reason: counted.append((route, reason))
            cycle = await one_legged(w)
            await w.engine.executor.quiet.wait()
            assert counted == [(cycle.account.route, Reason.MESSAGE_AGE)] * len(asked)
            ways = [(one.purpose, one.price) for one in asked]
            assert [purpose for purpose, _ in ways[:3]] == [*TURNS]
            assert len(set(ways[:3])) == 3, "a completion beyond the edge has another price"
            assert ways == [ways[turn % 3 if turn < 4 else 0 if turn % 2 else 2] for turn in range(len(asked))]
            assert all(0.09 < after - before < 0.2 for before, after in pairwise(one.at for one in asked))
            assert 5.0 <= asked[-1].at - asked[0].at < 5.15
            assert (cycle.state, cycle.reason) == (CycleState.RESIDUAL, Reason.MESSAGE_AGE)
            assert w.engine.risk.denials[Reason.MESSAGE_AGE] == len(asked)
            assert w.asked_again == [], "every book is young"

    run_virtual(main())


def test_without_any_time_for_it_nothing_is_completed_first_nor_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arbtui.execution.executor._HEDGE_WAIT_S", 0.0)

    async def main() -> None:
        async with world(tmp_path, execution=EXECUTION.model_copy(update={"completion_s": 0.0})) as w:
            asked = refuse(w, lambda order: Reason.MESSAGE_AGE)
            await one_legged(w)
            await w.engine.executor.quiet.wait()
            assert [one.purpose for one in asked] == [U]

    run_virtual(main())


def test_an_order_that_left_begins_the_five_seconds_and_the_turn_anew(tmp_path: Path) -> None:
    """Refused for three seconds, sent once (and refused by the venue), refused again: five seconds from that order on."""

    async def main() -> None:
        config = EXECUTION.model_copy(update={"completion_attempts": 0})
        async with world(tmp_path, execution=config) as w:
            let_pass: list[float] = []

            def refusal(order: Order) -> Reason | None:
                if w.clock.monotonic() < 3.0 or let_pass:
                    return Reason.MESSAGE_AGE
                let_pass.append(w.clock.monotonic())
                return None

            asked = refuse(w, refusal)
            cycle = await one_legged(w, 9)
            await w.engine.executor.quiet.wait()
            sent = [one.at for one in asked].index(let_pass[0])
            assert [order.purpose for order in cycle.orders[2:]] == [asked[sent].purpose]
            after = [one.purpose for one in asked[sent + 1 :]]
            other = U if asked[sent].purpose is C else C
            assert after == [(other, asked[sent].purpose)[turn % 2] for turn in range(len(after))], "where it was not just refused, first"
            assert 5.0 <= asked[-1].at - asked[sent].at < 5.5

    run_virtual(main())


@pytest.mark.parametrize("old", ["upbit", "binance"])
@pytest.mark.parametrize("how", ["no book can take an order", "the gate refuses"])
def test_a_book_that_is_old_is_asked_for_once_more_and_one_that_is_young_is_not(old: str, how: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            if how == "the gate refuses":
                refuse(w, lambda order: Reason.MESSAGE_AGE)
            cycle = await one_legged(w)
            w.silent.add(old)
            w.book(old).ts_init = w.clock.monotonic() - 60.0
            if how != "the gate refuses":
                for name in ("upbit", "binance"):
                    w.book(name).state = BookState.GAPPED
            await asyncio.sleep(2)
            assert cycle.id in w.engine.executor.open
            assert set(w.asked_again) == {(old, w.book(old).code)}
            if how != "the gate refuses":
                assert cycle.reason == Reason.STALE

    run_virtual(main())


def test_a_leg_that_the_gate_does_not_let_follow_says_why_and_is_completed_by_hedging(tmp_path: Path) -> None:
    async def main() -> None:
        async with triangle_world(tmp_path) as w:
            said: list[str] = []

            def refusal(order: Order) -> Reason | None:
                if order.purpose is not Purpose.FOLLOW:
                    said.append(next(iter(w.engine.executor.open.values())).reason)
                return Reason.MESSAGE_AGE if order.purpose is Purpose.FOLLOW else None

            asked = refuse(w, refusal)
            cycle = await run(w, triangle(w))
            assert said[0] == Reason.MESSAGE_AGE
            follows = [one.purpose for one in asked].count(Purpose.FOLLOW)
            assert w.engine.risk.denials[Reason.MESSAGE_AGE] == follows > 0
            assert [order.purpose for order in cycle.orders] == [Purpose.ENTRY, C, C]
            assert cycle.state is CycleState.HEDGED
            w.agree()

    run_virtual(main())


def test_a_cycle_has_ended_when_its_end_is_on_disk(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            executor, record = w.engine.executor, w.journal.record
            written: asyncio.Future[None] = asyncio.get_running_loop().create_future()

            def recorded(*events: Event) -> Awaitable[None]:
                durable = record(*events)
                return written if isinstance(events[0], CycleEnded) else durable

            w.journal.record = recorded  # type: ignore[method-assign]
            w.show("upbit", UPBIT_DEAR)
            await asyncio.sleep(0.5)
            (cycle,) = w.engine.cycles.values()
            assert (executor.open, cycle.state) == ({}, CycleState.HEDGED)
            assert 0.1 < cycle.closed_at < w.clock.monotonic() - 0.2
            assert not executor.quiet.is_set()
            written.set_result(None)
            await asyncio.sleep(0.01)
            assert executor.quiet.is_set()

    run_virtual(main())


def test_legs_that_waited_leave_no_task_behind(tmp_path: Path) -> None:
    async def main() -> None:
        async with triangle_world(tmp_path) as w:
            await asyncio.sleep(1)
            waiting = len(asyncio.all_tasks())
            for fault in (None, Fault(FaultKind.REJECT), None):  # a leg that never fills, too
                w.upbit.core.faults.add(fault)
                await run(w, triangle(w))
                await asyncio.sleep(1)
            assert len(asyncio.all_tasks()) == waiting

    run_virtual(main())


@pytest.mark.parametrize("who", ["the venue", "our own gate"])
def test_a_chain_that_cannot_go_back_any_further_goes_on_instead(who: str, tmp_path: Path) -> None:
    """KRW > BTC > ETH > KRW: ETH is refused once, and sold for BTC again; BTC can then be sold no more, and ETH can."""

    async def main() -> None:
        config = EXECUTION.model_copy(update={"completion_attempts": 0, "max_attempts": 12})
        async with triangle_world(tmp_path, execution=config) as w:

            def is_halted(order: Order) -> bool:
                return order.market is BTC and order.purpose is Purpose.UNWIND

            def looked(order: Order) -> None:
                is_first = order.leg == 2 and order.purpose is Purpose.FOLLOW
                if is_first or (is_halted(order) and who == "the venue"):
                    w.upbit.core.faults.add(Fault(FaultKind.REJECT))

            w.upbit.before_admit = looked
            refuse(w, lambda order: Reason.MESSAGE_AGE if is_halted(order) and who == "our own gate" else None)
            cycle = await run(w, triangle(w))
            sent = [(order.leg, order.purpose, order.state) for order in cycle.orders[3:]]
            back, on, home = (1, U, OrderState.FILLED), (1, C, OrderState.FILLED), (2, C, OrderState.FILLED)
            assert sent == [back, *[(0, U, OrderState.REJECTED)] * (4 if who == "the venue" else 0), on, home]
            assert w.portfolio.left(cycle.account) == {}
            w.agree()

    run_virtual(main())
