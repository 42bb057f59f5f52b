"""Cycles that a crash left half done, gone on with by the next run: in each state, of each shape of plan, and through a second crash."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from arbtui.exchanges.adapter import OrderReport
from arbtui.execution.plan import CyclePlan
from arbtui.failover.auto_resume import AutoResume
from arbtui.failover.config import FailoverConfig, Resume
from arbtui.failover.reconciler import Reconciled
from arbtui.journal.events import CycleState, Phase
from arbtui.model.book import BookState
from arbtui.model.order import OrderState, Purpose
from arbtui.model.reason import Reason
from arbtui.model.virtual_loop import run_virtual
from arbtui.portfolio.ledger import read_ledger
from arbtui.portfolio.position_sync import Mismatch
from arbtui.portfolio.trading_state import TradingState
from arbtui.simulation.faults import Fault, FaultKind
from tests.execution.test_plans import THIRD, split, split_world, triangle, triangle_world
from tests.execution.world import EXECUTION, UPBIT_DEAR, Levels, World, world

LOST, REFUSED = Fault(FaultKind.REQUEST_LOST, 1e6), Fault(FaultKind.REJECT)
DEAR: dict[tuple[str, str], Levels] = {("upbit", "KRW-XRP"): UPBIT_DEAR}
FLAT = (CycleState.HEDGED, CycleState.UNWOUND)


def two_legs(folder: Path, **more: Any) -> AbstractAsyncContextManager[World]:
    return world(folder, **{"books": DEAR, **more})


async def cut_off(
    open_world: Callable[..., AbstractAsyncContextManager[World]],
    folder: Path,
    prepare: Callable[[World], object],
    plan: Callable[[World], CyclePlan] | None = None,
    phase: Phase = Phase.WORKING,
    **more: Any,
) -> str:
    """A run that opens one cycle and ends without a word once it is in ``phase`` and waits for an answer that never comes."""
    async with open_world(folder, **more) as w:
        prepare(w)
        if plan is None:
            w.show("upbit", UPBIT_DEAR)
        else:
            assert w.engine.open(plan(w)) is None
        await asyncio.sleep(3)
        (cycle_id,) = w.engine.executor.open
        account = w.portfolio.cycle(cycle_id)
        assert account is not None
        assert account.phase is phase
        assert account.fills, "something has filled"
    return cycle_id


async def ended(w: World, cycle_id: str) -> CycleState:
    """How the resumed cycle has ended."""
    assert w.reconciled.partial == [cycle_id]
    await w.engine.executor.quiet.wait()
    account = w.portfolio.cycle(cycle_id)
    assert account is not None
    return account.state


def lose(*names: str) -> Callable[[World], None]:
    """The first order at each of those venues never comes."""

    def prepare(w: World) -> None:
        for name in names:
            w.venues[name].core.faults.add(LOST)

    return prepare


SHAPES: dict[str, tuple[Any, Any, Any]] = {
    "two legs, the sale is lost": (two_legs, None, lose("upbit")),
    "two legs, the purchase is lost": (two_legs, None, lose("binance")),
    "triangle, the second leg is lost": (triangle_world, triangle, lambda w: w.upbit.core.faults.add(None, LOST)),
    "triangle, the third leg is lost": (triangle_world, triangle, lambda w: w.upbit.core.faults.add(None, None, LOST)),
    "split, a part is lost": (split_world, split, lose(THIRD.exchange)),
    "split, the whole leg is lost": (split_world, split, lose("binance")),
}


@pytest.mark.parametrize("shape", list(SHAPES))
def test_a_working_cycle_goes_on_after_a_crash_and_ends_flat(shape: str, tmp_path: Path) -> None:
    open_world, plan, prepare = SHAPES[shape]

    async def main() -> None:
        cycle_id = await cut_off(open_world, tmp_path, prepare, plan)
        async with open_world(tmp_path, resumes=True) as w:
            account = w.portfolio.cycle(cycle_id)
            assert account is not None
            assert account.is_open
            assert await ended(w, cycle_id) in FLAT
            mine = [order for venue in w.venues.values() for order in venue.placed]
            assert mine
            assert {order.cycle_id for order in mine} == {cycle_id}
            assert {order.purpose for order in mine} <= {Purpose.COMPLETE, Purpose.UNWIND}
            assert {row.kind for row in w.engine.breaches.breaches.values()} >= {"CYCLE_RESUMED"}
            assert w.portfolio.positions == []
            if len(w.venues) == 2:
                w.agree()
            w.same_after_restart()
        async with open_world(tmp_path, resumes=True) as w:
            assert w.reconciled.is_nothing

    run_virtual(main())


def test_a_chain_that_was_going_back_goes_on_going_back(tmp_path: Path) -> None:
    """ETH was refused once and sold for BTC again; how the sale of these went is not known. Bought anew ETH would pay two fees more."""
    undo, complete = (EXECUTION.model_copy(update={"completion_attempts": attempts}) for attempts in (0, 9))

    async def main() -> None:
        def prepare(w: World) -> None:
            w.upbit.core.faults.add(None, None, REFUSED, None, LOST)

        cycle_id = await cut_off(triangle_world, tmp_path, prepare, triangle, Phase.UNWINDING, execution=undo)
        async with triangle_world(tmp_path, resumes=True, execution=complete) as w:
            assert await ended(w, cycle_id) is CycleState.UNWOUND
            assert [(order.market.code, order.purpose) for order in w.upbit.placed] == [("KRW-BTC", Purpose.UNWIND)]
            w.agree()

    run_virtual(main())


@pytest.mark.parametrize("phase", [Phase.HEDGING, Phase.UNWINDING])
def test_a_cycle_that_was_hedging_or_unwinding_goes_on_and_its_orders_count_on(phase: Phase, tmp_path: Path) -> None:
    execution = EXECUTION if phase is Phase.HEDGING else EXECUTION.model_copy(update={"completion_attempts": 0})

    def prepare(w: World) -> None:
        w.upbit.core.faults.add(*((REFUSED, LOST) if phase is Phase.HEDGING else (REFUSED,)))
        if phase is Phase.UNWINDING:
            w.binance.core.faults.add(None, LOST)

    async def main() -> None:
        cycle_id = await cut_off(two_legs, tmp_path, prepare, phase=phase, execution=execution)
        async with two_legs(tmp_path, resumes=True, execution=execution) as w:
            assert await ended(w, cycle_id) is (CycleState.HEDGED if phase is Phase.HEDGING else CycleState.UNWOUND)
            (told,) = [row for row in w.engine.breaches.breaches.values() if row.kind == "CYCLE_RESUMED"]
            assert "1 hedging order of it sent before" in told.detail
            w.agree()

    run_virtual(main())


def test_orders_that_followed_many_fills_are_no_hedging_orders(tmp_path: Path) -> None:
    """The hard leg filled level by level, and the other followed each of its fills; the last of these orders never came."""
    execution = EXECUTION.model_copy(update={"entry_order": "hard leg first"})
    levels: Levels = ([(3040.0 - number, 5.0) for number in range(12)], [(3041.0, 400.0)])
    told = 0

    def one_more(report: OrderReport | None) -> OrderReport | None:
        nonlocal told
        if report is None:
            return None
        told = min(told + 1, 8)
        fills = report.fills[:told]
        return replace(report, fills=fills, filled_qty=sum((fill.qty for fill in fills), Decimal(0)), state=OrderState.PARTIALLY_FILLED)

    async def main() -> None:
        async with world(tmp_path, execution=execution) as w:
            w.upbit.core.faults.add(Fault(FaultKind.ANSWER_LOST))
            w.upbit.bend_look_up = one_more
            w.binance.core.faults.add(*[None] * 7, LOST)
            w.show("upbit", levels)
            (cycle_id,) = w.engine.executor.open
            await asyncio.sleep(60)
            assert len(w.binance.asked) == 8
            account = w.portfolio.cycle(cycle_id)
            assert account is not None
            assert (account.intended, account.hedges) == (9, 0)
        async with two_legs(tmp_path, resumes=True, execution=execution) as w:
            assert await ended(w, cycle_id) in FLAT
            w.agree()

    run_virtual(main())


def test_a_second_crash_in_the_middle_of_going_on_loses_nothing_and_the_count_of_orders_is_not_begun_anew(tmp_path: Path) -> None:
    execution = EXECUTION.model_copy(update={"max_attempts": 3})  # two hedging orders in the life of a cycle

    async def main() -> None:
        cycle_id = await cut_off(two_legs, tmp_path, lose("upbit"), execution=execution)
        for number in (1, 2):
            more = {"resumes": True, "execution": execution}
            async with two_legs(tmp_path, on_open=lambda venues: venues["upbit"].core.faults.add(LOST), **more) as w:
                await asyncio.sleep(3)
                assert list(w.engine.executor.open) == [cycle_id]
                assert len(w.upbit.placed) == 1
                account = w.portfolio.cycle(cycle_id)
                assert account is not None
                assert account.intended == 2 + number
                w.same_after_restart()
        async with two_legs(tmp_path, resumes=True, execution=execution) as w:
            assert await ended(w, cycle_id) is CycleState.RESIDUAL, "its orders are used up: a person decides"
            assert [venue.placed for venue in w.venues.values()] == [[], []]
            ids = [row["client_order_id"] for row in read_ledger(w.journal.path)["orders"]]
            assert len(ids) == len(set(ids)) == 4
            w.same_after_restart()

    run_virtual(main())


def test_nothing_is_sent_before_the_market_is_fresh_and_nothing_at_all_where_it_stays_away(tmp_path: Path) -> None:
    async def main() -> None:
        cycle_id = await cut_off(two_legs, tmp_path, lose("upbit"))
        async with two_legs(tmp_path, resumes=True, failover=FailoverConfig(resume_wait_s=10.0)) as w:
            w.silent.add("upbit")
            w.book("upbit").state = BookState.SYNCING
            await asyncio.sleep(8)
            assert list(w.engine.executor.open) == [cycle_id]
            assert w.upbit.asked == w.binance.asked == []
            await asyncio.sleep(4)
            account = w.portfolio.cycle(cycle_id)
            assert account is not None
            assert account.state is CycleState.RESIDUAL
            assert account.reason in (Reason.NO_BOOK, Reason.STALE, Reason.VENUE_DOWN)
            assert w.upbit.asked == w.binance.asked == []
        async with two_legs(tmp_path, resumes=True) as w:
            assert w.reconciled.partial == [], "it has ended: a person settles it"

    run_virtual(main())


@pytest.mark.parametrize(
    ("what", "reason"),
    [("book", Reason.NO_BOOK), ("venue", Reason.VENUE_DOWN), ("silence", Reason.BOOK_AGE)],
)
def test_what_kept_it_from_going_on_is_said(what: str, reason: Reason, tmp_path: Path) -> None:
    async def main() -> None:
        cycle_id = await cut_off(two_legs, tmp_path, lose("upbit"))
        wait_s = 0.0 if what == "silence" else 2.0  # a quiet book is stale soon
        async with two_legs(tmp_path, resumes=True, failover=FailoverConfig().model_copy(update={"resume_wait_s": wait_s})) as w:
            if what == "book":
                w.book("upbit").state = BookState.SYNCING
            if what == "venue":
                for number in range(w.engine.risk.exchange["upbit"].limits.max_unknown_orders):
                    w.engine.risk.exchange["upbit"].lost_sight(f"other{number}")
            if what == "silence":
                w.fresh = False
                w.book("upbit").ts_init = w.clock.monotonic() - 60.0
            await w.engine.executor.quiet.wait()
            account = w.portfolio.cycle(cycle_id)
            assert account is not None
            assert (account.state, account.reason) == (CycleState.RESIDUAL, reason)
            assert w.upbit.asked == w.binance.asked == []

    run_virtual(main())


def test_it_goes_on_at_once_where_nothing_is_in_the_way(tmp_path: Path) -> None:
    async def main() -> None:
        cycle_id = await cut_off(two_legs, tmp_path, lose("upbit"))
        async with two_legs(tmp_path, resumes=True) as w:
            began = w.clock.monotonic()
            await ended(w, cycle_id)
            (order,) = w.upbit.placed
            assert order.decided_at == began

    run_virtual(main())


def test_the_market_comes_back_and_it_goes_on(tmp_path: Path) -> None:
    async def main() -> None:
        cycle_id = await cut_off(two_legs, tmp_path, lose("upbit"))
        async with two_legs(tmp_path, resumes=True) as w:
            w.book("upbit").state = BookState.SYNCING
            await asyncio.sleep(8)
            assert w.upbit.asked == []
            w.quote("upbit", UPBIT_DEAR).state = BookState.LIVE
            assert await ended(w, cycle_id) is CycleState.HEDGED
            w.agree()

    run_virtual(main())


@pytest.mark.parametrize("why", ["manual", "disarmed", "killed", "too old", "another universe"])
def test_what_is_not_gone_on_with_is_a_position_that_a_person_settles(why: str, tmp_path: Path) -> None:
    async def main() -> None:
        cycle_id = await cut_off(two_legs, tmp_path, lose("upbit"))
        more: dict[str, Any] = {"resumes": True}
        if why == "manual":
            more["unresumed"] = '[failover] resume is "manual"'
        if why == "disarmed":
            more["unconfirmed"] = "nobody has confirmed it"
        if why == "too old":
            more["failover"] = FailoverConfig(resume_age_s=1.0)
        if why == "another universe":
            more |= {"symbols": ("ADA",), "on_open": lambda venues: None, "books": None}
        if why == "killed":
            async with two_legs(tmp_path, resumes=True, unresumed="") as w:
                w.book("upbit").state = BookState.SYNCING
                w.engine.kill_switch.kill("TEST", "while it waits")
                await w.engine.executor.quiet.wait()
        async with two_legs(tmp_path, **more) as w:
            await w.engine.executor.quiet.wait()
            assert [cycle.id for cycle in w.portfolio.positions] == [cycle_id]
            assert list(w.portfolio.open_cycles) == []
            assert w.upbit.asked == w.binance.asked == []
            assert ("RESIDUAL", cycle_id) in [(row.kind, row.scope) for row in w.engine.breaches.breaches.values()]
            if why == "disarmed":
                assert w.engine.state is TradingState.DISARMED
            if why == "killed":
                assert w.engine.state is TradingState.HALTED_DIRTY
                assert w.portfolio.positions[0].reason == Reason.HALTED
            w.same_after_restart()

    run_virtual(main())


@pytest.mark.parametrize(
    ("policy", "is_live", "clean", "other"),
    [
        ("manual", False, False, False),
        ("mode", True, False, False),
        ("mode", False, True, True),
        ("always", True, True, True),
        ("clean", True, True, False),
    ],
)
def test_the_policy_says_whether_half_done_cycles_are_gone_on_with(policy: Resume, is_live: bool, clean: bool, other: bool) -> None:
    """``clean``: where the recovery found nothing else; ``other``: where it did."""
    resume = AutoResume(policy, is_live=is_live)
    found = Reconciled(orders=1, partial=["r1-1"])
    assert (resume.why_not_cycles(found) == "") is clean
    found.mismatches.append(Mismatch("upbit", "XRP", Decimal(1), Decimal(2)))
    assert (resume.why_not_cycles(found) == "") is other
    assert resume.resumes_cycles is clean
