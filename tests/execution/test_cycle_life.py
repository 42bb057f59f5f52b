import asyncio
import dataclasses
import gc
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from decimal import Decimal
from inspect import CORO_CLOSED, getcoroutinestate
from math import ceil
from pathlib import Path
from typing import Any

import pytest

from arbtui.exchanges.adapter import OrderReport
from arbtui.exchanges.rate_limit import Lane
from arbtui.execution.cycle import ArbCycle
from arbtui.execution.order_owner import OrderOwner
from arbtui.execution.plan import Tolerances, compile_plan
from arbtui.journal.events import CycleState
from arbtui.model.book import BookState
from arbtui.model.errors import ArbtuiError, JournalFailed, OrderAbandoned, VenueRefused
from arbtui.model.halt import FLAG_NAME
from arbtui.model.order import Fill, Order, OrderState, Purpose, Side
from arbtui.model.reason import Reason
from arbtui.model.virtual_loop import run_virtual
from arbtui.portfolio.restore import restore
from arbtui.simulation.faults import Fault, FaultKind
from tests.execution.world import EXECUTION, FAIR, UPBIT_CHEAP, UPBIT_DEAR, Levels, World, world

#: No offers within any price that a hedge may pay.
NO_BIDS = ([(2700.0, 500.0)], [(3031.0, 500.0)])
NO_ASKS = ([(2.1399, 500.0)], [(2.5, 500.0)])


def _states(cycle: ArbCycle) -> list[OrderState]:
    return [order.state for order in cycle.orders]


async def _under_way(w: World) -> ArbCycle:
    """A cycle whose orders have left and not arrived yet."""
    w.show("upbit", UPBIT_DEAR)
    await asyncio.sleep(0.01)
    return list(w.engine.cycles.values())[-1]


def _purposes(cycle: ArbCycle) -> list[Purpose]:
    return [order.purpose for order in cycle.orders]


@pytest.mark.parametrize("levels", [UPBIT_DEAR, UPBIT_CHEAP])
def test_both_legs_fill_and_the_cycle_is_hedged(tmp_path: Path, levels: Levels) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            started = w.clock.monotonic()
            cycle = await w.trade(levels=levels)
            assert cycle.state is CycleState.HEDGED
            assert w.clock.monotonic() - started < 0.4  # together, not one after the other
            assert _states(cycle) == [OrderState.FILLED] * 2
            assert cycle.is_flat()
            assert cycle.account.pnl > Decimal("0.3")
            w.agree()

    run_virtual(main())


def test_intents_and_the_cycle_are_on_disk_before_the_venue_hears_of_an_order(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            seen: list[tuple[int, int]] = []

            def look(order: Order) -> None:
                _, on_disk = restore(w.journal.path)
                (row,) = [row for row in on_disk.open_orders if row.intent.client_order_id == order.client_order_id]
                assert (row.intent.qty, row.intent.price, row.intent.side) == (order.qty, order.price, order.side)
                assert row.state is OrderState.SENDING
                assert [cycle.id for cycle in on_disk.open_cycles] == [order.cycle_id]
                seen.append((order.leg, len(on_disk.open_orders)))

            w.upbit.before_place = w.binance.before_place = look
            w.upbit.core.faults.add(Fault(FaultKind.REJECT))  # so that a hedge is sent too
            await w.trade()
            assert [leg for leg, _ in seen] == [0, 1, 1]
            assert [count for _, count in seen] == [2, 2, 1]
            w.agree()

    run_virtual(main())


def test_an_edge_that_is_gone_on_arrival_leaves_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            cycle = await _under_way(w)
            w.quote("upbit", NO_BIDS)
            w.quote("binance", NO_ASKS)
            await w.engine.executor.quiet.wait()
            assert (cycle.state, cycle.fills) == (CycleState.MISSED, [])
            assert _states(cycle) == [OrderState.EXPIRED] * 2
            w.agree()

    run_virtual(main())


def test_a_missed_leg_is_completed_within_the_edge_while_the_book_allows(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            cycle = await _under_way(w)
            w.quote("upbit", ([(3020.0, 400.0)], [(3031.0, 400.0)]))  # 33 bps lower: a loss of most of the edge, not of money
            await w.engine.executor.quiet.wait()
            assert cycle.state is CycleState.HEDGED
            assert _purposes(cycle) == [Purpose.ENTRY, Purpose.ENTRY, Purpose.COMPLETE]
            assert cycle.account.pnl > 0
            bought = cycle.fills[0]
            unit = float(bought.cost / (bought.qty - bought.fee))
            # The bound: what was bought, sold at this price and changed back, costs nothing at all.
            won = w.components.rates.conversion("KRW", "USDT").value
            break_even = unit / (0.9995 * won)
            assert 0 <= float(cycle.orders[2].price) - break_even < 1.0
            w.agree()

    run_virtual(main())


@pytest.mark.parametrize(("beyond_bps", "purpose"), [(10.0, Purpose.COMPLETE), (19.0, Purpose.COMPLETE), (25.0, Purpose.UNWIND)])
def test_beyond_the_edge_twenty_bps_are_paid_and_then_the_leg_is_undone(tmp_path: Path, beyond_bps: float, purpose: Purpose) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            cycle = await _under_way(w)
            break_even = 2.14 / 0.999 / (0.9995 * w.components.rates.conversion("KRW", "USDT").value)
            w.quote("upbit", ([(float(ceil(break_even * (1 - beyond_bps / 1e4))), 400.0)], [(3031.0, 400.0)]))
            await w.engine.executor.quiet.wait()
            assert _purposes(cycle)[2] is purpose
            assert cycle.state is (CycleState.HEDGED if purpose is Purpose.COMPLETE else CycleState.UNWOUND)
            hedge = cycle.orders[2]
            if purpose is Purpose.UNWIND:
                assert (hedge.market.exchange, hedge.side) == ("binance", Side.SELL)
                assert hedge.price >= Decimal("2.1399") * Decimal("0.99")  # the collar
            w.agree()

    run_virtual(main())


def test_a_sale_that_ran_ahead_is_completed_or_bought_back(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            cycle = await _under_way(w)
            w.quote("binance", ([(2.1399, 300.0)], [(2.155, 300.0)]))  # 70 bps up: within the edge
            await w.engine.executor.quiet.wait()
            assert (cycle.state, _purposes(cycle)[2]) == (CycleState.HEDGED, Purpose.COMPLETE)
            w.agree()
            await asyncio.sleep(1)
            w.quote("binance", FAIR["binance"])
            second = await _under_way(w)
            w.quote("binance", NO_ASKS)
            await w.engine.executor.quiet.wait()
            assert (second.state, _purposes(second)[2]) == (CycleState.UNWOUND, Purpose.UNWIND)
            back = second.orders[2]
            assert (back.market.exchange, back.side) == ("upbit", Side.BUY)
            assert back.price <= Decimal(3031) * Decimal("1.01")
            w.agree()

    run_virtual(main())


def test_what_no_price_can_undo_is_a_residual_for_a_person_after_a_bounded_number_of_orders(tmp_path: Path) -> None:
    async def main() -> None:
        config = EXECUTION.model_copy(update={"max_attempts": 4})
        async with world(tmp_path, execution=config) as w:
            for venue in (w.upbit, w.binance):
                venue.core.faults.add(None, *[Fault(FaultKind.REJECT)] * 50)
            w.upbit.core.faults.take()  # the sale is refused, the purchase fills
            cycle = await w.trade()
            assert cycle.state is CycleState.RESIDUAL
            assert len(cycle.orders) == 2 + 3
            assert cycle.reason.startswith("SCRIPTED")
            assert w.portfolio.positions == [cycle.account]
            assert w.engine.risk.route.has_residual(w.components.universe.of_symbol("XRP")[0])
            assert 90 < w.engine.risk.total.unhedged < 110
            told = [(breach.kind, breach.scope) for breach in w.engine.breaches.breaches.values()]
            assert told == [("RESIDUAL", cycle.id), ("ORDER_REFUSED", "XRP")]
            w.agree()

    run_virtual(main())


def test_a_book_that_is_away_for_a_moment_makes_no_residual(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            w.upbit.core.faults.add(Fault(FaultKind.REJECT))
            cycle = await _under_way(w)
            for name in ("upbit", "binance"):
                w.book(name).state = BookState.GAPPED
            await asyncio.sleep(3)
            assert cycle.id in w.engine.executor.open
            for name in ("upbit", "binance"):
                w.book(name).state = BookState.LIVE
            await w.engine.executor.quiet.wait()
            assert cycle.state in (CycleState.HEDGED, CycleState.UNWOUND)
            w.agree()

    run_virtual(main())


@pytest.mark.parametrize(("how", "reason"), [("gapped", Reason.STALE), ("empty", Reason.NO_BOOK)])
def test_a_book_that_stays_away_makes_a_residual_in_seconds(tmp_path: Path, how: str, reason: Reason) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            w.upbit.core.faults.add(Fault(FaultKind.REJECT))

            def vanish(report: OrderReport) -> OrderReport:
                for name in ("upbit", "binance"):
                    if how == "gapped":
                        w.book(name).state = BookState.GAPPED
                    else:
                        w.quote(name, ([], []))
                return report

            w.binance.bend = vanish
            cycle = await _under_way(w)
            await w.engine.executor.quiet.wait()
            assert cycle.state is CycleState.RESIDUAL
            assert 5 <= w.clock.monotonic() < 7
            assert (cycle.reason, cycle.account.reason) == (reason, reason)
            w.agree()

    run_virtual(main())


def test_a_remainder_under_the_minimum_is_shed_by_a_round_trip(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            cycle = await _under_way(w)
            wanted = float(cycle.plan.legs[1].qty)
            w.quote("upbit", ([(3030.0, wanted - 1.0), (2960.0, 400.0)], [(3031.0, 400.0)]))  # 1 XRP, 3,030 KRW, stays behind
            await asyncio.sleep(0.2)
            w.quote("upbit", ([(3025.0, 400.0)], [(3026.0, 400.0)]))
            await w.engine.executor.quiet.wait()
            assert cycle.state in (CycleState.HEDGED, CycleState.UNWOUND)
            hedges = cycle.orders[2:]
            assert len(hedges) == 2
            assert {order.side for order in hedges} == {Side.BUY, Side.SELL}
            assert all(order.qty * order.price >= order.market.min_cost for order in hedges)
            assert cycle.is_flat()
            w.agree()

    run_virtual(main())


def test_a_lost_answer_is_found_by_client_id_applied_once_and_never_sent_again(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            w.upbit.core.faults.add(Fault(FaultKind.ANSWER_LOST, 0.5))
            cycle = await _under_way(w)
            await asyncio.sleep(0.8)
            assert [order.state for order in cycle.orders] == [OrderState.FILLED, OrderState.UNKNOWN]
            assert w.portfolio.available("upbit", "XRP") == w.portfolio.total("upbit", "XRP") - cycle.orders[1].qty
            assert (w.engine.risk.exchange["upbit"].in_flight, w.engine.risk.exchange["upbit"].unknown) == (1, 1)
            assert w.engine.risk.total.unhedged == pytest.approx(cycle.plan.value)
            assert [row.state for row in restore(w.journal.path)[1].open_orders] == [OrderState.UNKNOWN]
            await w.engine.executor.quiet.wait()
            assert cycle.state is CycleState.HEDGED
            assert w.engine.risk.exchange["upbit"].unknown == 0
            assert [len(w.upbit.asked), len(w.binance.asked)] == [1, 1]
            w.agree()

    run_virtual(main())


def test_a_late_answer_is_an_unknown_that_is_found(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            w.upbit.core.faults.add(Fault(FaultKind.ANSWER_LATE, 30.0))
            cycle = await w.trade()
            assert cycle.state is CycleState.HEDGED
            assert w.clock.monotonic() < 3
            await asyncio.sleep(40)  # and the answer that nobody waits for changes nothing
            w.agree()

    run_virtual(main())


def test_a_lost_request_is_absent_only_after_three_look_ups_and_the_venues_proof_time(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            w.upbit.absence_proof_s = 8.0
            w.upbit.core.faults.add(Fault(FaultKind.REQUEST_LOST, 0.5))
            fetch_fills, listed_since = w.upbit.fetch_fills, []

            async def fetched(since_ms: int, lane: Lane = Lane.HEDGE) -> Sequence[Fill]:
                listed_since.append(since_ms)
                return await fetch_fills(since_ms, lane)

            w.upbit.fetch_fills = fetched  # type: ignore[method-assign]
            sent_ms = w.clock.time_ms()
            cycle = await w.trade()
            lost = cycle.orders[1]
            assert listed_since == [sent_ms - 10_000]  # from when it was sent, and not from when it was given up
            assert w.engine.tracker.sent == 3  # what was lost was sent, for all that is known
            assert (lost.state, lost.reason) == (OrderState.REJECTED, "NOT_PLACED")
            looked = [at for at, client_id in w.upbit.look_ups if client_id == lost.client_order_id]
            assert len(looked) >= 3
            assert looked[-1] >= 8.0
            assert looked[-2] < 8.0
            assert len(w.upbit.asked) == 2  # the lost one and its completion, under another id
            assert len({order.client_order_id for order in w.upbit.asked}) == 2
            assert cycle.state is CycleState.HEDGED
            w.agree()

    run_virtual(main())


def test_few_look_ups_prove_nothing_even_after_the_proof_time(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            w.upbit.absence_proof_s = 0.0
            w.upbit.core.faults.add(Fault(FaultKind.REQUEST_LOST, 0.5))
            await w.trade()
            assert len(w.upbit.look_ups) == 3

    run_virtual(main())


def test_a_look_up_that_fails_or_hangs_says_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            w.upbit.absence_proof_s = 0.0
            w.upbit.core.faults.add(Fault(FaultKind.REQUEST_LOST, 0.5))
            real, failures = w.upbit.fetch_order, iter(["fail", "hang", "fail"])

            async def flaky(code: str, client_order_id: str, lane: Lane = Lane.HEDGE) -> OrderReport | None:
                trouble = next(failures, None)
                if trouble == "fail":
                    raise ArbtuiError("502")
                if trouble == "hang":
                    await asyncio.sleep(1e6)
                return await real(code, client_order_id, lane)

            w.upbit.fetch_order = flaky  # type: ignore[method-assign]
            cycle = await w.trade()
            assert len(w.upbit.look_ups) == 3  # those that said "not here", beside the three that said nothing
            assert cycle.state is CycleState.HEDGED
            w.agree()

    run_virtual(main())


@pytest.mark.parametrize("error", [VenueRefused("401"), ArbtuiError("html")])
def test_an_error_that_is_no_proof_leaves_the_order_unknown(tmp_path: Path, error: ArbtuiError) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:

            def fail(report: OrderReport) -> OrderReport:
                raise error

            w.upbit.bend = fail  # it was executed, and then something broke
            cycle = await w.trade()
            assert cycle.state is CycleState.HEDGED
            assert len(w.upbit.asked) == 1
            w.agree()

    run_virtual(main())


def test_an_answer_told_twice_is_applied_once(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            w.upbit.bend = w.binance.bend = lambda report: dataclasses.replace(report, fills=report.fills * 3)
            cycle = await w.trade()
            assert (cycle.state, len(cycle.fills)) == (CycleState.HEDGED, 2)
            w.agree()

    run_virtual(main())


def test_an_end_that_is_told_before_its_fills_is_not_the_end(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            w.upbit.bend = lambda report: dataclasses.replace(report, fills=())
            late = iter([True, True])
            w.upbit.bend_look_up = lambda report: (
                dataclasses.replace(report, fills=()) if report is not None and next(late, False) else report
            )
            cycle = await w.trade()
            assert cycle.state is CycleState.HEDGED
            assert len(w.upbit.look_ups) == 3
            assert len(w.upbit.asked) == 1
            w.agree()

    run_virtual(main())


def test_an_answer_that_is_not_final_is_followed_to_its_end(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            w.upbit.bend = lambda report: dataclasses.replace(report, state=OrderState.ACCEPTED, filled_qty=Decimal(0), fills=())
            cycle = await w.trade()
            assert cycle.state is CycleState.HEDGED
            assert _states(cycle) == [OrderState.FILLED] * 2
            w.agree()

    run_virtual(main())


def test_rejects_release_what_they_had_reserved_and_nothing_is_left(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            for venue in (w.upbit, w.binance):
                venue.core.faults.add(Fault(FaultKind.REJECT))
            cycle = await w.trade()
            assert _states(cycle) == [OrderState.REJECTED] * 2
            assert (cycle.state, cycle.fills) == (CycleState.MISSED, [])
            w.agree()

    run_virtual(main())


def test_a_kill_with_legs_open_hedges_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            w.upbit.core.faults.add(Fault(FaultKind.REJECT))
            cycle = await _under_way(w)
            w.engine.kill_switch.kill("KEY")
            killed_at = w.clock.monotonic()
            await w.engine.executor.quiet.wait()
            assert w.clock.monotonic() - killed_at < 0.5  # as soon as both orders are answered
            assert (cycle.state, cycle.reason) == (CycleState.RESIDUAL, Reason.HALTED)
            assert [len(w.upbit.asked), len(w.binance.asked)] == [1, 1]
            assert _states(cycle) == [OrderState.FILLED, OrderState.REJECTED]
            w.agree()

    run_virtual(main())


def test_a_kill_lets_both_legs_that_filled_be_hedged(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            cycle = await _under_way(w)
            w.engine.kill_switch.kill("KEY")
            await w.engine.executor.quiet.wait()
            assert cycle.state is CycleState.HEDGED
            w.agree()

    run_virtual(main())


def test_an_abandoned_order_leaves_no_cycle_for_the_garbage_collector(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:

            def kill(order: Order) -> None:
                w.halt.close("KEY")

            w.upbit.before_admit = w.binance.before_admit = kill
            gc.disable()
            try:
                cycle = await w.trade()
                assert {order.state for order in cycle.orders} == {OrderState.ABANDONED}
                await asyncio.sleep(0.5)
                assert [each for each in gc.get_objects() if isinstance(each, OrderAbandoned)] == []
            finally:
                gc.enable()

    run_virtual(main())


@pytest.mark.parametrize("how", ["memory", "flag"])
def test_a_kill_between_intent_and_request_abandons_the_order(tmp_path: Path, how: str) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:

            def kill(order: Order) -> None:
                if how == "memory":
                    w.halt.close("KEY")
                else:
                    (tmp_path / FLAG_NAME).touch()

            w.upbit.before_admit = w.binance.before_admit = kill
            cycle = await w.trade()
            assert [(order.state, order.reason) for order in cycle.orders] == [(OrderState.ABANDONED, Reason.HALTED)] * 2
            assert [len(w.upbit.asked), len(w.upbit.placed), len(w.binance.placed)] == [1, 0, 0]
            assert w.engine.risk.denials[Reason.HALTED] == 2
            assert w.halt.epoch == 1
            await asyncio.sleep(0.5)
            assert [venue.core.find(order.client_order_id) for venue in w.venues.values() for order in cycle.orders] == [None] * 4
            w.agree()

    run_virtual(main())


def test_an_order_of_an_older_epoch_is_void_even_after_rearming(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:

            def kill_and_rearm(order: Order) -> None:
                w.upbit.before_admit = w.binance.before_admit = lambda _: None
                w.halt.close("KEY")
                w.halt.rearm()

            w.upbit.before_admit = w.binance.before_admit = kill_and_rearm
            cycle = await w.trade()
            assert [order.reason for order in cycle.orders] == [Reason.OLD_EPOCH] * 2
            assert not w.upbit.placed
            w.agree()

    run_virtual(main())


def test_with_the_last_place_in_flight_taken_both_legs_go_or_neither(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            guard = w.engine.risk.exchange["upbit"]
            for n in range(guard.limits.max_in_flight_orders - 1):
                guard.admitted(f"other{n}")
            assert (await w.trade()).state is CycleState.HEDGED
            guard.admitted("one more")
            await asyncio.sleep(1)
            w.show("upbit", UPBIT_DEAR)
            await asyncio.sleep(1)
            assert len(w.binance.asked) == 1
            assert w.engine.risk.denials == {Reason.IN_FLIGHT: 1}

    run_virtual(main())


def test_after_the_journal_failed_nothing_is_sent(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            writer = w.journal._writer
            w.upbit.core.faults.add(Fault(FaultKind.REJECT))
            w.show("upbit", UPBIT_DEAR)
            await asyncio.sleep(0.01)  # both legs are under way; one will be refused and ask for a hedge
            writer._connection.close()  # type: ignore[attr-defined]
            await asyncio.sleep(5)
            assert [len(w.upbit.asked), len(w.binance.asked)] == [1, 1]
            assert w.halt.is_closed
            w.show("upbit", UPBIT_DEAR)
            await asyncio.sleep(5)
            assert [len(w.upbit.asked), len(w.binance.asked)] == [1, 1]
            assert isinstance(w.journal.failure, JournalFailed)
            assert w.engine.operator.rearm("p", "looks fine to me", w.halt.kills) is not None

    run_virtual(main())


def test_an_intent_that_cannot_be_committed_is_not_sent(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            w.journal._writer._connection.close()  # type: ignore[attr-defined]
            w.show("upbit", UPBIT_DEAR)
            await asyncio.sleep(5)
            assert [len(w.upbit.asked), len(w.binance.asked)] == [0, 0]
            assert [guard.in_flight for guard in w.engine.risk.exchange.values()] == [0, 0]

    run_virtual(main())


def _all(w: World) -> list[ArbCycle]:
    return list(w.engine.cycles.values())


def test_an_hour_of_faults_leaves_nothing_unexplained(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            kinds = [None, FaultKind.REQUEST_LOST, None, FaultKind.ANSWER_LOST, FaultKind.REJECT, None, FaultKind.ANSWER_LATE]
            for turn in range(60):
                for n, venue in enumerate(w.venues.values()):
                    kind = kinds[(turn * (n + 2)) % len(kinds)]
                    venue.core.faults.add(None if kind is None else Fault(kind, 0.4))
                w.quote("binance", ([(2.1399, 300.0 + turn)], [(2.14, 300.0 + turn)]))
                levels = UPBIT_DEAR if turn % 2 else UPBIT_CHEAP
                w.show("upbit", ([(p, q + turn) for p, q in levels[0]], [(p, q + turn) for p, q in levels[1]]))
                await w.engine.executor.quiet.wait()
                await asyncio.sleep(60)
            assert len(_all(w)) == 60
            assert {cycle.state for cycle in _all(w)} <= {CycleState.HEDGED, CycleState.UNWOUND}
            ids = [order.client_order_id for venue in w.venues.values() for order in venue.asked]
            assert len(ids) == len(set(ids))
            w.agree()

    run_virtual(main())


def _count_requests(w: World) -> list[tuple[str, str]]:
    """What is set aside of each venue's limits for cycles, and given back, from here on."""
    told: list[tuple[str, str]] = []
    for name, venue in w.venues.items():
        reserve = venue.reserve_orders

        def reserved(cycle_id: str, entries: int, name: str = name, reserve: Callable[[str, int], str | None] = reserve) -> str | None:
            told.append((name, "kept"))
            return reserve(cycle_id, entries)

        def released(cycle_id: str, name: str = name) -> None:
            told.append((name, "given back"))

        venue.reserve_orders, venue.release_orders = reserved, released  # type: ignore[method-assign]
    return told


@pytest.mark.parametrize("how", ["ends", "another venue's limits are spent", "the journal fails"])
def test_what_a_cycle_keeps_of_the_limits_is_given_back(tmp_path: Path, how: str) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            if how == "another venue's limits are spent":
                w.upbit.reserve_orders = lambda cycle_id, entries: "spent"  # type: ignore[method-assign]
            told = _count_requests(w)
            if how == "the journal fails":
                failure = JournalFailed("the disk is full")

                def fail(*events: object) -> None:
                    raise failure

                w.journal.record = fail  # type: ignore[method-assign, assignment]
            w.show("upbit", UPBIT_DEAR)
            await w.engine.executor.quiet.wait()
            assert len(w.upbit.asked) == (1 if how == "ends" else 0)
            kept = {name for name, what in told if what == "kept"}
            assert kept == {"upbit", "binance"}
            assert {name for name, what in told if what == "given back"} == kept

    run_virtual(main())


def test_an_ended_cycle_leaves_nothing_behind(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            await asyncio.sleep(1)
            waiting = len(asyncio.all_tasks())
            for _ in range(3):
                cycle = await w.trade()
                for order in cycle.orders:
                    (fill,) = cycle.fills_of(order.client_order_id)
                    assert fill.client_order_id == order.client_order_id
                await asyncio.sleep(2)
                w.freshen()
            assert len(asyncio.all_tasks()) == waiting
            assert w.engine.executor._gate._looked == {}
            tracker = w.engine.tracker
            assert (tracker.sent, tracker.fills) == (6, 6)
            assert tracker.fills_per_exchange == {"binance": 3, "upbit": 3}
            assert tracker.fills_per_symbol == {"XRP": 6}

    run_virtual(main())


def test_what_was_uncovered_is_summed_and_the_most_of_any_cycle_is_kept(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            one_legged = await w.trade()
            w.upbit.core.faults.add(Fault(FaultKind.REJECT))
            await asyncio.sleep(2)
            w.freshen()
            slower = await w.trade()
            value_s, largest = w.engine.executor.naked()
            assert value_s == pytest.approx(one_legged.naked_value_s + slower.naked_value_s)
            assert slower.naked_value_s > 0
            assert largest == max(one_legged.largest_naked, slower.largest_naked) > 0

    run_virtual(main())


def test_what_is_uncovered_to_the_end_counts_to_the_end(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, execution=EXECUTION.model_copy(update={"max_attempts": 3})) as w:
            for venue in (w.upbit, w.binance):
                venue.core.faults.add(None, *[Fault(FaultKind.REJECT)] * 9)
            w.upbit.core.faults.take()  # the sale is refused, the purchase fills
            since, on_booked = list[float](), w.engine.tracker.on_booked

            def booked(owner: OrderOwner, fill: Fill) -> None:
                since.append(w.clock.monotonic())
                on_booked(owner, fill)

            w.engine.tracker.on_booked = booked
            cycle = await w.trade()
            assert cycle.state is CycleState.RESIDUAL
            assert cycle.closed_at - since[0] > 0.1
            assert w.engine.executor.naked()[0] == pytest.approx(cycle.largest_naked * (cycle.closed_at - since[0]))

    run_virtual(main())


@pytest.mark.parametrize("state", [BookState.GAPPED, BookState.LIVE])
def test_a_cycle_that_is_gone_on_with_without_any_time_to_wait_looks_at_its_market_once(tmp_path: Path, state: BookState) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            cycle = await w.trade()
            ended: list[float] = []
            w.engine.executor._on_end = lambda ended_one: ended.append(w.clock.monotonic())
            w.book("upbit").state = state
            begun = w.clock.monotonic()
            w.engine.executor.resume(cycle, 0, 0.0, w.engine._tasks)
            await w.engine.executor.quiet.wait()
            assert ended == [begun]
            assert cycle.reason == (Reason.GAPPED if state is BookState.GAPPED else "")

    run_virtual(main())


def test_what_is_uncovered_now_counts_with_what_was(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            executor = w.engine.executor
            assert executor.naked() == (0.0, 0.0)
            w.upbit.core.faults.add(Fault(FaultKind.ANSWER_LOST, 0.5))
            first = await _under_way(w)
            await asyncio.sleep(0.8)
            assert first.fills, "bought, and nobody knows whether it was sold"
            at_once = first.largest_naked
            assert executor.naked() == (first.naked_until(w.clock.monotonic()), at_once)
            assert at_once == pytest.approx(first.plan.value, rel=0.02)
            await executor.quiet.wait()
            so_far = first.naked_value_s
            assert executor.naked() == (so_far, at_once)
            await asyncio.sleep(1)
            w.upbit.core.faults.add(Fault(FaultKind.ANSWER_LOST, 0.5))
            second = await _under_way(w)
            await asyncio.sleep(0.8)
            value_s, largest = executor.naked()
            assert value_s == pytest.approx(so_far + second.naked_until(w.clock.monotonic()))
            assert largest == max(at_once, second.largest_naked)
            assert value_s > so_far > 0

    run_virtual(main())


def test_what_is_begun_while_the_run_ends_with_an_error_is_left_to_the_next_start(tmp_path: Path) -> None:
    """A task group that is over takes no task: nobody may think that the cycle is under way, and nothing of it is sent."""

    async def main() -> None:
        async with world(tmp_path) as w:
            w.quote("upbit", UPBIT_DEAR)
            found = w.components.universe.by_id["XRP:binance>upbit"].evaluate(w.clock.monotonic())
            assert found is not None
            tasks, kept = asyncio.TaskGroup(), list[Coroutine[Any, Any, None]]()
            run = w.engine.executor._run

            def begun(cycle: ArbCycle, durable: Awaitable[None]) -> Coroutine[Any, Any, None]:
                kept.append(run(cycle, durable))
                return kept[0]

            w.engine.executor._run = begun  # type: ignore[method-assign]
            with pytest.raises(RuntimeError):
                w.engine.executor.start(compile_plan(found, 1.0, Tolerances(20.0, 100.0)), tasks)
            assert getcoroutinestate(kept[0]) == CORO_CLOSED
            await asyncio.sleep(1)
            assert (w.upbit.asked, w.binance.asked) == ([], [])
            assert [order.state for order in w.portfolio.open_orders] == [OrderState.SENDING] * 2

    run_virtual(main())


def test_a_cycle_is_journaled_as_it_was_decided_under_a_number_of_its_own(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            for number in (1, 2):
                cycle = await w.trade()
                account, plan = cycle.account, cycle.plan
                assert cycle.id == f"r1-{number}"
                assert (account.route, account.symbol) == (plan.route.id, "XRP")
                assert (account.edge_bps, account.value) == (round(plan.edge_bps, 6), round(plan.value, 6))
                assert account.opened_ms == round(plan.decided_at * 1000) + w.clock.time_ms() - round(w.clock.monotonic() * 1000)
                await asyncio.sleep(1)
            w.freshen()
            w.quote("upbit", UPBIT_DEAR)
            found = w.components.universe.by_id["XRP:binance>upbit"].evaluate(w.clock.monotonic())
            assert found is not None
            odd = dataclasses.replace(compile_plan(found, 1.0, Tolerances(20.0, 100.0)), edge_bps=80.123456789, value=100.123456789)
            assert w.engine.open(odd) is None
            assert w.portfolio.cycle("r1-3") is (account := list(w.engine.cycles.values())[-1].account)
            assert (account.edge_bps, account.value) == (80.123457, 100.123457)
            await w.engine.executor.quiet.wait()

    run_virtual(main())
