"""What is told of an order while it is under way: how long the venue took, why its fate is unknown, and each look-up of it."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from arbtui.exchanges.adapter import OrderReport
from arbtui.exchanges.rate_limit import Lane
from arbtui.execution.cycle import ArbCycle
from arbtui.journal.events import CycleState
from arbtui.model.errors import ArbtuiError, JournalFailed, MarketUnknown
from arbtui.model.order import Order, OrderState
from arbtui.model.reason import Reason
from arbtui.model.virtual_loop import run_virtual
from arbtui.simulation.faults import Fault, FaultKind
from tests.execution.world import EXECUTION, UPBIT_DEAR, World, world


async def under_way(w: World) -> ArbCycle:
    w.show("upbit", UPBIT_DEAR)
    await asyncio.sleep(0.01)
    return list(w.engine.cycles.values())[-1]


def listen(w: World, exchange: str = "upbit") -> list[tuple[bool, float]]:
    """What the venue's health is told of answers from here on: whether it was one, and after how many ms."""
    told: list[tuple[bool, float]] = []

    def on_answer(ok: bool, ms: float, *, poll: bool = False) -> None:
        told.append((ok, ms))

    w.engine.risk.exchange[exchange].health.on_answer = on_answer  # type: ignore[method-assign]
    return told


@pytest.mark.parametrize("fault", [None, Fault(FaultKind.REJECT)])
def test_an_answer_took_as_long_as_its_request_was_away_whatever_it_says(tmp_path: Path, fault: Fault | None) -> None:
    async def main() -> None:
        async with world(tmp_path, execution=EXECUTION.model_copy(update={"max_attempts": 1})) as w:
            told, left = listen(w), list[float]()
            w.upbit.before_admit = lambda order: left.append(w.clock.monotonic())
            w.upbit.core.faults.add(fault)
            cycle = await under_way(w)
            (order,) = [order for order in cycle.orders if order.market.exchange == "upbit"]
            while not order.state.is_final:
                before = w.clock.monotonic()
                await asyncio.sleep(0.0001)
            ((ok, ms),) = told
            assert ok, "a refusal is an answer"
            assert 50 <= ms <= 200
            assert before - left[0] <= ms / 1000 <= w.clock.monotonic() - left[0]
            assert list(w.engine.tracker.answer_ms["upbit"]) == ([] if fault else [ms])
            assert (w.engine.tracker.answers["upbit"].count, w.engine.tracker.answers["upbit"].total_ms) == ((0, 0.0) if fault else (1, ms))
            assert w.engine.tracker.sent == (2 if w.engine.tracker.answer_ms["binance"] else 1)
            await w.engine.executor.quiet.wait()
            assert w.engine.tracker.sent == 2

    run_virtual(main())


@pytest.mark.parametrize("how", ["late", "html", "silent error"])
def test_why_nobody_knows_what_became_of_it_is_said(tmp_path: Path, how: str) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            told, unknown = listen(w), list[tuple[str, str]]()
            was_told = w.engine.tracker.on_unknown

            def on_unknown(order: Order) -> None:
                unknown.append((order.state, order.reason))
                was_told(order)

            w.engine.tracker.on_unknown = on_unknown
            if how == "late":
                w.upbit.core.faults.add(Fault(FaultKind.ANSWER_LATE, 30.0))
            else:

                def fail(report: OrderReport) -> OrderReport:
                    w.upbit.bend = lambda report: report
                    raise ArbtuiError("html" if how == "html" else "")

                w.upbit.bend = fail
            cycle = await w.trade()
            assert unknown == [(OrderState.UNKNOWN, "html" if how == "html" else "no answer in time")]
            assert [ok for ok, _ in told] == [False]
            assert (told[0][1] >= 1000) is (how == "late")
            assert (cycle.state, w.engine.tracker.sent) == (CycleState.HEDGED, 2)
            assert w.engine.tracker.lost == {"upbit": 1, "binance": 0}
            w.agree()

    run_virtual(main())


def test_each_look_up_is_told_with_why_the_venue_did_not_answer_and_what_was_new(tmp_path: Path) -> None:
    """Never came: not listed, no answer, a market that is away for a while, and proved absent at the third time that nothing is found."""

    async def main() -> None:
        async with world(tmp_path, execution=EXECUTION.model_copy(update={"max_attempts": 1})) as w:
            w.upbit.absence_proof_s = 0.0
            w.upbit.core.faults.add(Fault(FaultKind.REQUEST_LOST, 0.5))
            real = w.upbit.fetch_order
            answers = iter(["", "502", "unknown market", ""])
            told: list[tuple[str, bool]] = []
            was_told = w.engine.tracker.on_looked_up

            def on_looked_up(order: Order, why_not: str, news: bool) -> None:
                told.append((why_not, news))
                was_told(order, why_not, news)

            w.engine.tracker.on_looked_up = on_looked_up

            async def fetched(code: str, client_order_id: str, lane: Lane = Lane.HEDGE) -> OrderReport | None:
                answer = next(answers, "")
                if answer == "502":
                    raise ArbtuiError(answer)
                if answer:
                    raise MarketUnknown(answer)
                return await real(code, client_order_id, lane)

            w.upbit.fetch_order = fetched  # type: ignore[method-assign]
            cycle = await w.trade()
            assert told == [("", False), ("the venue does not answer: 502", False), ("", False), ("", True)]
            (lost,) = [order for order in cycle.orders if order.market.exchange == "upbit"]
            assert (lost.state, lost.reason) == (OrderState.REJECTED, "NOT_PLACED")

    run_virtual(main())


def test_a_look_up_that_finds_it_is_news_once(tmp_path: Path) -> None:
    """It rests for two look-ups, as far as the venue tells, and then it has filled."""

    async def main() -> None:
        async with world(tmp_path) as w:
            w.upbit.core.faults.add(Fault(FaultKind.ANSWER_LOST, 0.5))
            told: list[tuple[str, bool]] = []
            w.engine.tracker.on_looked_up = lambda order, why_not, news: told.append((why_not, news))
            resting = iter([True, True])

            def bend(report: OrderReport | None) -> OrderReport | None:
                if report is None or not next(resting, False):
                    return report
                return OrderReport("upbit", report.client_order_id, report.venue_order_id, OrderState.ACCEPTED, report.filled_qty * 0)

            async def cancel(code: str, client_order_id: str) -> None:
                raise AssertionError("an immediate order ends by itself")

            w.upbit.cancel = cancel  # type: ignore[method-assign]
            w.upbit.bend_look_up = bend
            cycle = await w.trade()
            assert told == [("", False), ("", False), ("", True)]
            assert cycle.state is CycleState.HEDGED
            w.agree()

    run_virtual(main())


def test_an_order_that_nobody_waits_for_any_more_is_counted_as_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            told = listen(w)
            cycle = await under_way(w)
            (task,) = [task for task in asyncio.all_tasks() if task.get_name() == cycle.id]
            w.engine.abandon()
            await asyncio.sleep(1)
            assert task.cancelled()
            assert (w.engine.tracker.sent, told, w.engine.tracker.fills) == (0, [], 0)
            assert [len(venue.asked) for venue in w.venues.values()] == [1, 1]

    run_virtual(main())


@pytest.mark.parametrize("error", [JournalFailed("the disk is full"), asyncio.CancelledError()])
def test_what_could_not_be_committed_is_not_sent_and_is_on_its_way_no_more(tmp_path: Path, error: BaseException) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            cycle = await w.trade()
            tracker, guard = w.engine.tracker, w.engine.risk.exchange["upbit"]
            (done,) = [order for order in cycle.orders if order.market.exchange == "upbit"]
            order = replace(done, client_order_id="never sent", state=OrderState.SENDING)
            guard.admitted(order.client_order_id)
            assert guard.in_flight == 1

            async def fails() -> None:
                raise error

            with pytest.raises(type(error)):
                await tracker.send(cycle, [order], fails())
            assert guard.in_flight == 0
            assert (len(w.upbit.asked), tracker.sent, tracker.knows("never sent")) == (1, 2, False)

    run_virtual(main())


def test_an_order_that_waited_too_long_for_the_venue_s_limits_never_left(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, execution=EXECUTION.model_copy(update={"max_attempts": 1})) as w:
            told = listen(w)
            real = w.upbit.place

            async def waits(order: Order, admit: Callable[[], None]) -> OrderReport:
                await asyncio.sleep(60)
                return await real(order, admit)

            w.upbit.place = waits  # type: ignore[method-assign]
            began = w.clock.monotonic()
            cycle = await w.trade()
            assert w.clock.monotonic() - began == pytest.approx(1.0)
            (order,) = [order for order in cycle.orders if order.market.exchange == "upbit"]
            assert (order.state, order.reason) == (OrderState.ABANDONED, Reason.DEADLINE)
            assert (w.engine.tracker.sent, told, w.upbit.placed) == (1, [], [])
            assert w.engine.tracker.open == {}
            assert list(w.portfolio.open_orders) == []
            assert cycle.state is CycleState.RESIDUAL
            w.same_after_restart()

    run_virtual(main())


def test_while_an_order_is_looked_up_nothing_else_waits_for_its_end(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            w.upbit.core.faults.add(Fault(FaultKind.REQUEST_LOST, 1e6))
            cycle = await under_way(w)
            await asyncio.sleep(2)
            (order,) = [order for order in cycle.orders if order.market.exchange == "upbit"]
            assert order.state is OrderState.UNKNOWN
            assert [task for task in asyncio.all_tasks() if "Event.wait" in repr(task.get_coro())] == []

    run_virtual(main())


def test_it_is_looked_up_soon_at_first_and_then_as_often_as_the_profile_says(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            tracker = w.engine.tracker
            tracker._look_up_after = (*tracker._look_up_after[:-1], 7.0)
            w.upbit.absence_proof_s = 1e6
            w.upbit.core.faults.add(Fault(FaultKind.REQUEST_LOST, 0.5))
            asked: list[float] = []
            tracker.on_unknown = lambda _: asked.append(w.clock.monotonic())
            real = w.upbit.fetch_order

            async def fetched(code: str, client_order_id: str, lane: Lane = Lane.HEDGE) -> OrderReport | None:
                asked.append(w.clock.monotonic())
                return await real(code, client_order_id, lane)

            w.upbit.fetch_order = fetched  # type: ignore[method-assign]
            await under_way(w)
            await asyncio.sleep(30)
            pauses = [0.25, 0.5, 1.0, 2.0, 7.0, 7.0, 7.0]
            latencies = [after - before - pause for (before, after), pause in zip(pairwise(asked), pauses, strict=True)]
            assert latencies[0] == pytest.approx(0.0)
            assert all(0.0 < latency <= 0.41 for latency in latencies[1:]), "the venue takes 50 to 200 ms each way"

    run_virtual(main())
