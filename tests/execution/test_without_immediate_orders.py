"""A venue that takes no immediate orders: limit orders that we cancel ourselves at their deadline."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from arbtui.exchanges.adapter import OrderReport
from arbtui.exchanges.capabilities import Capabilities
from arbtui.execution.cycle import ArbCycle
from arbtui.journal.events import CycleState
from arbtui.model.errors import VenueFailed
from arbtui.model.order import Order, OrderState, TimeInForce
from arbtui.model.virtual_loop import run_virtual
from arbtui.portfolio.ledger import read_ledger
from arbtui.simulation.faults import Fault, FaultKind
from tests.execution.world import EXECUTION, FAIR, UPBIT_DEAR, Levels, Venue, World, world

NO_IOC = Capabilities(immediate_orders=False)
#: Nobody buys at our price any more, but for a part of the order.
GONE: Levels = ([(2996.0, 400.0)], [(3031.0, 400.0)])
A_PART: Levels = ([(3030.0, 20.0), (2900.0, 500.0)], [(3031.0, 400.0)])


def _without(venues: Mapping[str, Venue]) -> None:
    venues["upbit"].capabilities = NO_IOC


def _shown_on_arrival(w: World, levels: Levels) -> None:
    """The book is ``levels`` when an order of ours leaves for Upbit."""
    before = w.upbit.before_admit

    def shown(order: Order) -> None:
        before(order)
        w.quote("upbit", levels)

    w.upbit.before_admit = shown


def _leg(cycle: ArbCycle, exchange: str) -> Order:
    return next(order for order in cycle.orders if order.market.exchange == exchange)


def _no_immediate_order_went_there(w: World) -> None:
    assert w.upbit.placed
    assert {order.tif for order in w.upbit.placed} == {TimeInForce.GTC}
    assert {order.tif for order in w.binance.placed} <= {TimeInForce.IOC}


def test_both_legs_fill_and_nothing_waits_for_a_deadline(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, on_open=_without) as w:
            started = w.clock.monotonic()
            cycle = await w.trade()
            assert cycle.state is CycleState.HEDGED
            assert w.clock.monotonic() - started < EXECUTION.leg_deadline_ms / 1000
            _no_immediate_order_went_there(w)
            rows = {row["client_order_id"]: row["tif"] for row in read_ledger(w.journal.path)["orders"]}
            assert rows[_leg(cycle, "upbit").client_order_id] == "gtc"  # the journal holds what was sent
            w.agree()

    run_virtual(main())


def test_a_leg_that_does_not_fill_is_cancelled_at_its_deadline_and_the_other_one_taken_back(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, on_open=_without) as w:
            _shown_on_arrival(w, GONE)
            await asyncio.sleep(3)
            w.freshen()
            started, asked = w.clock.monotonic(), list[float]()
            cancel = w.upbit.cancel

            async def cancelled(code: str, client_order_id: str) -> None:
                asked.append(w.clock.monotonic())
                await cancel(code, client_order_id)

            w.upbit.cancel = cancelled  # type: ignore[method-assign]
            cycle = await w.trade()
            order = _leg(cycle, "upbit")
            assert (order.state, order.filled_qty) == (OrderState.CANCELED, Decimal(0))
            assert asked[0] == pytest.approx(order.deadline) == started + EXECUTION.leg_deadline_ms / 1000
            assert cycle.state in (CycleState.UNWOUND, CycleState.HEDGED)
            assert list(await w.upbit.fetch_open_orders()) == []
            _no_immediate_order_went_there(w)
            w.agree()

    run_virtual(main())


def test_what_filled_before_the_cancel_counts_and_the_rest_is_hedged(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, on_open=_without) as w:
            _shown_on_arrival(w, A_PART)
            cycle = await w.trade()
            order = _leg(cycle, "upbit")
            assert (order.state, order.filled_qty) == (OrderState.CANCELED, Decimal(20))
            assert cycle.state in (CycleState.UNWOUND, CycleState.HEDGED)
            assert list(await w.upbit.fetch_open_orders()) == []
            w.agree()

    run_virtual(main())


def test_a_part_that_filled_is_priced_while_the_rest_is_open(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, on_open=_without) as w:
            _shown_on_arrival(w, A_PART)
            w.show("upbit", UPBIT_DEAR)
            (cycle,) = w.engine.cycles.values()
            order = _leg(cycle, "upbit")
            while not (order.filled_qty and _leg(cycle, "binance").state.is_final):
                cycle.changed.clear()
                await cycle.changed.wait()
            assert (order.state, order.filled_qty) == (OrderState.PARTIALLY_FILLED, Decimal(20))
            left = _leg(cycle, "binance").filled_qty - order.filled_qty
            exposure = cycle.exposure()["XRP"]
            assert (exposure.covered, exposure.pending) == (Decimal(20), -order.leaves_qty)
            assert exposure.uncovered == pytest.approx(left, rel=Decimal("0.002"))  # less the fee that was taken in the coin
            price = cycle.account.references["XRP"]
            now = w.clock.monotonic()
            worth_s = cycle.naked_until(now + 1.0) - cycle.naked_until(now)
            assert worth_s == pytest.approx(float(exposure.uncovered * price), rel=1e-9)
            assert w.engine.risk.total.unhedged >= worth_s

    run_virtual(main())


def test_a_cancel_without_an_answer_is_sent_again_until_the_order_has_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with world(tmp_path, on_open=_without) as w:
            _shown_on_arrival(w, GONE)
            asked: list[str] = []
            real = w.upbit.cancel

            async def lossy(code: str, client_order_id: str) -> None:
                asked.append(client_order_id)
                if len(asked) < 3:
                    raise VenueFailed("upbit: no answer")
                await real(code, client_order_id)

            monkeypatch.setattr(w.upbit, "cancel", lossy)
            cycle = await w.trade()
            order = _leg(cycle, "upbit")
            assert asked[:3] == [order.client_order_id] * 3
            assert order.state is OrderState.CANCELED
            w.agree()

    run_virtual(main())


def test_a_cancel_without_an_answer_is_sent_again_though_no_look_up_shows_the_order_either(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, on_open=_without) as w:
            _shown_on_arrival(w, GONE)
            asked: list[str] = []
            real, lagging = w.upbit.cancel, iter([True, True])

            async def lossy(code: str, client_order_id: str) -> None:
                asked.append(client_order_id)
                if len(asked) < 3:
                    raise VenueFailed("upbit: no answer")
                await real(code, client_order_id)

            w.upbit.cancel = lossy  # type: ignore[method-assign]
            w.upbit.bend_look_up = lambda report: None if next(lagging, False) else report
            order = _leg(await w.trade(), "upbit")
            assert (order.state, asked, len(w.upbit.look_ups)) == (OrderState.CANCELED, [order.client_order_id] * 3, 3)
            w.agree()

    run_virtual(main())


@pytest.mark.parametrize(("shows", "cancels"), [("nothing", 1), ("it open", 3)])
def test_an_answered_cancel_is_repeated_only_while_the_venue_shows_the_order_open(tmp_path: Path, shows: str, cancels: int) -> None:
    """Two look-ups lag behind."""

    async def main() -> None:
        async with world(tmp_path, on_open=_without) as w:
            _shown_on_arrival(w, GONE)
            asked: list[str] = []
            cancel, lagging = w.upbit.cancel, iter([True, True])

            async def cancelled(code: str, client_order_id: str) -> None:
                asked.append(client_order_id)
                await cancel(code, client_order_id)

            def lags(report: OrderReport | None) -> OrderReport | None:
                if report is None or not next(lagging, False):
                    return report
                return replace(report, state=OrderState.ACCEPTED, reason="") if shows == "it open" else None

            w.upbit.cancel = cancelled  # type: ignore[method-assign]
            w.upbit.bend_look_up = lags
            order = _leg(await w.trade(), "upbit")
            assert (order.state, asked) == (OrderState.CANCELED, [order.client_order_id] * cancels)
            w.agree()

    run_virtual(main())


def test_an_order_whose_fate_is_not_known_is_cancelled_at_once_whatever_its_deadline(tmp_path: Path) -> None:
    async def main() -> None:
        config = EXECUTION.model_copy(update={"leg_deadline_ms": 60_000})
        async with world(tmp_path, on_open=_without, execution=config) as w:
            _shown_on_arrival(w, GONE)
            w.upbit.core.faults.add(Fault(FaultKind.ANSWER_LOST, 0.5))
            unknown, asked = list[float](), list[float]()
            cancel = w.upbit.cancel

            async def cancelled(code: str, client_order_id: str) -> None:
                asked.append(w.clock.monotonic())
                await cancel(code, client_order_id)

            w.upbit.cancel = cancelled  # type: ignore[method-assign]
            w.engine.tracker.on_unknown = lambda _: unknown.append(w.clock.monotonic())
            order = _leg(await w.trade(), "upbit")
            assert (order.state, asked[:1]) == (OrderState.CANCELED, unknown)
            w.agree()

    run_virtual(main())


def test_an_order_that_rests_and_fills_before_its_deadline_is_neither_cancelled_nor_looked_up(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, on_open=_without) as w:
            filled, cancelled = list[OrderReport](), list[str]()

            def rests(report: OrderReport) -> OrderReport:
                filled.append(report)
                return replace(report, state=OrderState.ACCEPTED, filled_qty=Decimal(0), fills=())

            async def cancel(code: str, client_order_id: str) -> None:
                cancelled.append(client_order_id)

            w.upbit.bend, w.upbit.cancel = rests, cancel  # type: ignore[method-assign]
            w.show("upbit", UPBIT_DEAR)
            await asyncio.sleep(0.5)
            (cycle,) = w.engine.executor.open.values()
            assert _leg(cycle, "upbit").state is OrderState.ACCEPTED
            w.engine.tracker.on_order(filled[0])  # by the stream
            await w.engine.executor.quiet.wait()
            assert (cycle.state, cycle.closed_at) == (CycleState.HEDGED, w.clock.monotonic())
            await asyncio.sleep(5)
            assert (cancelled, w.upbit.look_ups) == ([], [])
            w.agree()

    run_virtual(main())


def test_an_order_that_ended_by_itself_is_not_cancelled_though_its_deadline_has_passed(tmp_path: Path) -> None:
    """It waited for the venue's limits for nearly all of its second, and its answer, that it has filled, came after that."""

    async def main() -> None:
        config = EXECUTION.model_copy(update={"max_decision_age_ms": 1000})
        async with world(tmp_path, on_open=_without, execution=config) as w:
            place, cancelled = w.upbit.place, list[str]()

            async def waits(order: Order, admit: Callable[[], None]) -> OrderReport:
                await asyncio.sleep(0.99)
                return await place(order, admit)

            async def cancel(code: str, client_order_id: str) -> None:
                cancelled.append(client_order_id)

            w.upbit.place, w.upbit.cancel = waits, cancel  # type: ignore[method-assign]
            cycle = await w.trade()
            order = _leg(cycle, "upbit")
            assert (order.state, order.tif, cycle.state) == (OrderState.FILLED, TimeInForce.GTC, CycleState.HEDGED)
            assert cycle.closed_at > order.deadline
            assert (cancelled, w.upbit.look_ups) == ([], [])
            w.agree()

    run_virtual(main())


def test_an_order_that_a_run_left_open_is_cancelled_by_the_next_one(tmp_path: Path) -> None:
    async def leave() -> str:
        async with world(tmp_path, on_open=_without) as w:
            _shown_on_arrival(w, GONE)
            w.show("upbit", UPBIT_DEAR)
            cycle = next(iter(w.engine.cycles.values()))
            while not await w.upbit.fetch_open_orders():  # it rests there; then the process is gone
                pass
            return _leg(cycle, "upbit").client_order_id

    async def go_on(left: str) -> None:
        async with world(tmp_path, on_open=_without, books={("upbit", "KRW-XRP"): FAIR["upbit"]}) as w:
            assert w.reconciled.unresolved == []
            assert list(await w.upbit.fetch_open_orders()) == []
            rows = {row["client_order_id"]: row["state"] for row in read_ledger(w.journal.path)["orders"]}
            assert rows[left] == "CANCELED"

    left = run_virtual(leave())
    run_virtual(go_on(left))
