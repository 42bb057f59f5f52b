"""What a venue tells counts once, whoever tells it, in whatever order: answers, streams, lists of fills."""

import asyncio
import gc
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import pytest

from arbtui.exchanges.adapter import OrderReport
from arbtui.exchanges.rate_limit import Lane
from arbtui.execution.account_sync import AccountSync
from arbtui.execution.cycle import ArbCycle
from arbtui.execution.order_owner import OrderOwner
from arbtui.failover.reconcile_report import Check
from arbtui.failover.running import RunningReconciler
from arbtui.journal.events import CycleState, FillRecorded, OrderChanged
from arbtui.journal.known_orders import KnownOrder
from arbtui.journal.reader import events, reading
from arbtui.model.errors import ArbtuiError, JournalFailed, UsageError
from arbtui.model.order import Fill, Order, OrderState, Purpose, Side
from arbtui.model.virtual_loop import run_virtual
from arbtui.portfolio.ledger import read_ledger
from arbtui.risk.breach import Severity
from arbtui.simulation.faults import Fault, FaultKind
from tests.execution.test_order_cache import fill as forgotten_fill
from tests.execution.test_order_cache import tracked
from tests.execution.world import UPBIT_CHEAP, UPBIT_DEAR, Venue, World, world


@dataclass
class Streaming:
    """The accounts of a world's venues, and what compares them."""

    accounts: dict[str, AccountSync]
    reconciler: RunningReconciler

    def done(self, exchange: str, check: Check) -> int:
        return self.reconciler.report.records[exchange, check].done


@asynccontextmanager
async def streaming(w: World) -> AsyncIterator[Streaming]:
    """The venues' account streams are open, and their accounts have been read once, and are read at their cadences."""
    health = {name: guard.health for name, guard in w.engine.risk.exchange.items()}
    accounts = {name: AccountSync(venue, w.engine.tracker, w.engine.sync, w.clock, health[name]) for name, venue in w.venues.items()}
    engine, parts = w.engine, w.components
    reconciler = RunningReconciler(
        accounts,
        engine.tracker,
        engine.sync,
        w.journal,
        w.clock,
        parts.reconcile,
        on_silent=engine.on_silent,
        on_behind=engine.on_behind,
    )
    task = asyncio.create_task(reconciler.run())
    made = Streaming(accounts, reconciler)
    await asyncio.sleep(2)
    assert [made.done(name, Check.BALANCES) for name in accounts] == [1, 1]
    try:
        yield made
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _breaches(w: World, kind: str) -> list[Severity]:
    return [breach.severity for breach in w.engine.breaches.breaches.values() if breach.kind == kind]


async def _ended(w: World) -> ArbCycle:
    """The last cycle, once it has ended."""
    await w.engine.executor.quiet.wait()
    return list(w.engine.cycles.values())[-1]


@pytest.mark.parametrize("kind", [FaultKind.ANSWER_LATE, FaultKind.ANSWER_LOST])
def test_what_the_stream_tells_first_ends_the_wait_for_an_answer(tmp_path: Path, kind: FaultKind) -> None:
    async def main() -> None:
        async with world(tmp_path) as w, streaming(w):
            requests: list[asyncio.Task[object]] = []
            for venue in w.venues.values():
                venue.core.faults.add(Fault(kind, seconds=20.0))
                venue.before_place = lambda _: requests.append(asyncio.current_task())  # type: ignore[arg-type]
            started = w.clock.monotonic()
            cycle = await w.trade()
            assert cycle.state is CycleState.HEDGED
            assert w.clock.monotonic() - started < 0.5  # nobody waited for the answer, nor for a look-up
            assert [venue.look_ups for venue in w.venues.values()] == [[], []]
            assert [order.state for order in cycle.orders] == [OrderState.FILLED] * 2
            assert {row["source"] for row in read_ledger(w.journal.path)["fills"]} == {"stream"}
            assert [request.done() for request in requests] == [False, False], "to cut them off would close a connection"
            await asyncio.sleep(30)  # the answers come, and change nothing
            assert [request.cancelled() for request in requests] == [False, False]
            w.agree()

    run_virtual(main())


def test_a_request_that_fails_after_the_stream_has_told_its_end_is_nobody_s_trouble(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(report: OrderReport) -> OrderReport:
        raise ArbtuiError("502")

    async def main() -> None:
        async with world(tmp_path) as w, streaming(w):
            w.upbit.core.faults.add(Fault(FaultKind.ANSWER_LATE, seconds=20.0))
            w.upbit.bend = fail
            cycle = await w.trade()
            assert cycle.state is CycleState.HEDGED
            assert w.engine.tracker._background
            await asyncio.sleep(30)
            assert len(w.engine.tracker._background) == 0
            gc.collect()
            w.agree()

    run_virtual(main())
    assert [record.getMessage() for record in caplog.records if "never retrieved" in record.getMessage()] == []


def test_an_answer_is_overdue_only_after_its_request_has_left(tmp_path: Path) -> None:
    """A hedge that waited for the venue's limits was cut off right after it had left, and its fate unknown."""

    async def main() -> None:
        async with world(tmp_path) as w:
            answer_s = w.engine.tracker._answer_s
            venue = w.venues["binance"]
            place, waited = venue.place, []

            async def limited(order: Order, admit: Callable[[], None]) -> OrderReport:
                if order.purpose is not Purpose.ENTRY:
                    waited.append(order.client_order_id)
                    await asyncio.sleep(0.8 * answer_s)
                    venue.core.faults.add(Fault(FaultKind.ANSWER_LATE, seconds=0.5 * answer_s))
                return await place(order, admit)

            venue.place = limited  # type: ignore[method-assign]
            venue.core.faults.add(Fault(FaultKind.REJECT))
            cycle = await w.trade()
            assert waited
            assert cycle.state is CycleState.HEDGED
            assert venue.look_ups == []
            w.agree()

    run_virtual(main())


def test_streams_and_answers_together_count_every_fill_once(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w, streaming(w):
            for _ in range(3):
                cycle = await w.trade()
                assert cycle.state is CycleState.HEDGED
                await asyncio.sleep(1)
                w.freshen()
            await asyncio.sleep(40)  # and the lists of fills are read again
            w.agree()
            assert w.engine.tracker.late_fills == 0

    run_virtual(main())


def _fill(order: Order, trade_id: str, qty: Decimal) -> Fill:
    market = order.market
    cost = qty * order.price
    return Fill(
        market.exchange, trade_id, order.client_order_id, "v1", market.code, market.base, market.quote, order.side, qty, order.price, cost,
        cost * market.fees.taker, market.quote, "taker", 1,
    )  # fmt: skip


def _told(order: Order, parts: int) -> list[OrderReport]:
    """Everything that a venue tells of an order that fills in so many parts: arrival, fills, end."""
    qty = order.market.qty_down(order.qty / parts)
    sizes = [qty] * (parts - 1) + [order.qty - qty * (parts - 1)]
    base = OrderReport(order.market.exchange, order.client_order_id, "v1", OrderState.ACCEPTED, Decimal(0))
    reports, filled = [base], Decimal(0)
    for number, size in enumerate(sizes):
        filled += size
        fills = (_fill(order, f"t{number}", size),)
        reports.append(replace(base, state=OrderState.PARTIALLY_FILLED, filled_qty=filled, fills=fills))
    return [*reports, replace(base, state=OrderState.FILLED, filled_qty=filled)]


@asynccontextmanager
async def silent_leg(w: World) -> AsyncIterator[Order]:
    """A cycle whose order at Upbit got lost, before anything has been told of it."""
    w.upbit.core.faults.add(Fault(FaultKind.REQUEST_LOST, seconds=1e6))
    w.show("upbit", UPBIT_DEAR)
    await asyncio.sleep(0.3)
    (cycle,) = w.engine.cycles.values()
    (order,) = [order for order in cycle.orders if order.market.exchange == "upbit"]
    yield order


@pytest.mark.parametrize("seed", range(24))
def test_however_reports_are_shuffled_and_repeated_each_fill_counts_once(tmp_path: Path, seed: int) -> None:
    async def main() -> None:
        async with world(tmp_path) as w, silent_leg(w) as order:
            before = w.portfolio.total("upbit", "XRP")
            reports = _told(order, 3)
            chance = random.Random(seed)
            reports += chance.choices(reports, k=4)
            chance.shuffle(reports)
            for report in reports:
                w.engine.tracker.on_order(report)
                await asyncio.sleep(chance.choice((0.0, 0.0, 0.01)))
            assert (order.state, order.filled_qty) == (OrderState.FILLED, order.qty)
            assert order.side is Side.SELL
            assert before - w.portfolio.total("upbit", "XRP") == order.qty
            cycle = await _ended(w)
            assert cycle.state is CycleState.HEDGED
            fills = read_ledger(w.journal.path)["fills"]
            assert sum(Decimal(row["qty"]) for row in fills if row["exchange"] == "upbit") == order.qty
            assert list(w.portfolio.open_orders) == []
            w.same_after_restart()
            assert w.portfolio.available("upbit", "XRP") == w.portfolio.total("upbit", "XRP")

    run_virtual(main())


def test_an_end_before_its_last_fill_leaves_the_order_open_until_the_fill_comes(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w, silent_leg(w) as order:
            arrived, first, second, end = _told(order, 2)
            for report in (arrived, first, end):
                w.engine.tracker.on_order(report)
            assert w.engine.tracker.open[order.client_order_id].state is OrderState.UNKNOWN
            w.engine.tracker.on_order(second)
            assert order.state is OrderState.FILLED
            assert (await _ended(w)).state is CycleState.HEDGED

    run_virtual(main())


def test_what_has_ended_is_not_looked_up_once_more(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w, silent_leg(w) as order:
            await asyncio.sleep(2)
            looked_up = len(w.upbit.look_ups)
            assert looked_up
            for report in _told(order, 1):
                w.engine.tracker.on_order(report)
            await asyncio.sleep(10)
            assert (order.state, len(w.upbit.look_ups)) == (OrderState.FILLED, looked_up)

    run_virtual(main())


def test_an_order_of_which_half_a_coin_is_missing_is_neither_filled_nor_at_its_end(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w, silent_leg(w) as order:
            most, half = _fill(order, "t0", order.qty - Decimal("0.5")), _fill(order, "t1", Decimal("0.5"))
            told = OrderReport("upbit", order.client_order_id, "v1", OrderState.PARTIALLY_FILLED, most.qty, (most,), "it stands")
            w.engine.tracker.on_order(told)
            assert (order.state, order.reason) == (OrderState.PARTIALLY_FILLED, "it stands")
            end = replace(told, state=OrderState.FILLED, filled_qty=order.qty, fills=(), reason="done")
            w.engine.tracker.on_order(end)
            assert (order.state, order.reason) == (OrderState.UNKNOWN, "fills of 0.5000 are not told yet")
            w.engine.tracker.on_order(replace(end, fills=(half,)))
            assert (order.state, order.reason) == (OrderState.FILLED, "done")

    run_virtual(main())


def test_an_order_that_the_stream_has_shown_is_never_taken_for_absent(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w, silent_leg(w) as order:
            arrived, filled, end = _told(order, 1)
            w.engine.tracker.on_order(arrived)
            await asyncio.sleep(60)  # every look-up finds nothing
            assert len(w.upbit.look_ups) > 5
            assert not order.state.is_final
            w.engine.tracker.on_order(filled)
            w.engine.tracker.on_order(end)
            assert (await _ended(w)).state is CycleState.HEDGED

    run_virtual(main())


def test_a_fill_after_its_cycle_has_ended_is_booked_and_told_and_the_cycle_is_a_persons(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            cycle = await w.trade()
            order = cycle.orders[0]
            before = w.portfolio.total("binance", "XRP")
            late = _fill(order, "late", Decimal(20))
            report = OrderReport("binance", order.client_order_id, "v1", OrderState.FILLED, order.qty + 20, (late,))
            for _ in range(2):  # told twice, counted once
                w.engine.tracker.on_order(report)
            assert w.portfolio.total("binance", "XRP") - before == 20
            assert cycle.state is CycleState.RESIDUAL
            assert _breaches(w, "LATE_FILL") == [Severity.CRIT]
            assert w.engine.risk.route.has_residual(w.components.universe.of_symbol("XRP")[0])
            assert w.engine.risk.total.unhedged == pytest.approx(20 * 2.14, rel=0.05)
            assert w.engine.tracker.late_fills == 1
            assert _breaches(w, "RESIDUAL") == [Severity.CRIT]
            assert {state: count for state, count in w.portfolio.state.outcomes.items() if count} == {CycleState.RESIDUAL: 1}
            w.same_after_restart()
        async with world(tmp_path) as w:
            assert [account.id for account in w.portfolio.positions] == [cycle.id]
            assert len(read_ledger(w.journal.path)["fills"]) == 3

    run_virtual(main())


def test_an_order_that_counted_as_never_placed_and_fills_after_all_is_followed_to_its_end(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w, silent_leg(w) as order:
            cycle = await _ended(w)  # the missing leg was replaced by another order
            assert (order.state, order.reason) == (OrderState.REJECTED, "NOT_PLACED")
            sent = len(cycle.orders)
            _, first, second, end = _told(order, 2)
            w.engine.tracker.on_order(first)
            assert not order.state.is_final
            assert order.client_order_id in w.engine.tracker.open
            w.engine.tracker.on_order(second)
            w.engine.tracker.on_order(end)
            assert (order.state, order.filled_qty) == (OrderState.FILLED, order.qty)
            assert w.engine.tracker.open == {}
            assert cycle.state is CycleState.RESIDUAL
            assert _breaches(w, "LATE_FILL") == [Severity.CRIT, Severity.CRIT]
            (residual,) = [breach for breach in w.engine.breaches.breaches.values() if breach.kind == "RESIDUAL"]
            assert w.engine.operator.acknowledge(residual.id) is None
            assert not w.engine.risk.route.has_residual(
                w.components.universe.of_symbol("XRP")[0]
            )  # its alarm is silent; the position stays
            assert w.engine.risk.total.unhedged > 0
            await asyncio.sleep(30)
            assert len(cycle.orders) == sent  # a person decides, not the hedging
            assert list(w.portfolio.open_orders) == []

    run_virtual(main())


@pytest.mark.parametrize("why", ["", "LATE"])
def test_an_order_that_stands_again_is_looked_up_until_its_end(tmp_path: Path, why: str) -> None:
    """The stream tells one fill of what had counted as never placed, and no more: the venue is asked for the rest."""

    async def main() -> None:
        async with world(tmp_path) as w, silent_leg(w) as order:
            cycle = await _ended(w)
            tracker = w.engine.tracker
            late: list[tuple[str, str, str]] = []
            on_late = tracker.on_late

            def noted(owner: OrderOwner, of: Order, fill: Fill) -> None:
                late.append((owner.id, of.client_order_id, fill.trade_id))
                on_late(owner, of, fill)

            tracker.on_late = noted
            seen, fills = tracker.late_fills, tracker.fills
            _, first, second, end = _told(order, 2)
            looked = len(w.upbit.look_ups)
            w.upbit.bend_look_up = lambda _: replace(end, fills=(*first.fills, *second.fills), reason="from the venue")
            tracker.on_order(replace(first, reason=why))
            assert (order.state, order.reason) == (OrderState.PARTIALLY_FILLED, why or "it filled after it had counted as not placed")
            await asyncio.sleep(3)
            assert len(w.upbit.look_ups) == looked + 1
            assert (order.state, order.reason, tracker.open) == (OrderState.FILLED, "from the venue", {})
            assert late == [(cycle.id, order.client_order_id, "t0"), (cycle.id, order.client_order_id, "t1")]
            assert (tracker.late_fills, tracker.fills) == (seen + 2, fills + 2)
            assert [fill.trade_id for fill in cycle.fills_of(order.client_order_id)] == ["t0", "t1"]
            assert len(tracker._background) == 0

    run_virtual(main())


def test_a_run_that_ends_looks_up_nothing_any_more_that_stands_again(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w, silent_leg(w) as order:
            await _ended(w)
            _, first, *_ = _told(order, 2)
            w.engine.tracker.on_order(first)
            assert order.state is OrderState.PARTIALLY_FILLED
            looked = len(w.upbit.look_ups)
            w.engine.abandon()
            await asyncio.sleep(60)
            assert len(w.upbit.look_ups) == looked

    run_virtual(main())


def test_what_is_followed_beside_everything_else_is_forgotten_when_it_ends_and_its_failure_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(error: Exception) -> None:
        raise error

    async def main() -> None:
        async with world(tmp_path) as w:
            tracker = w.engine.tracker
            tracker._keep(fail(JournalFailed("the engine knows")))
            tracker._keep(fail(ValueError("a fault of ours")))
            assert len(tracker._background) == 2
            await asyncio.sleep(0.01)
            assert len(tracker._background) == 0

    run_virtual(main())
    (told,) = [record.getMessage() for record in caplog.records if "following" in record.getMessage()]
    assert told == "following an order failed: ValueError('a fault of ours')"


def test_fills_are_counted_by_exchange_and_by_coin(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            tracker = w.engine.tracker
            for count in (1, 2):
                cycle = await w.trade()
                assert len(cycle.fills) == 2
                assert (tracker.fills, tracker.sent, tracker.late_fills) == (2 * count, 2 * count, 0)
                assert (tracker.fills_per_exchange, tracker.fills_per_symbol) == ({"binance": count, "upbit": count}, {"XRP": 2 * count})
                assert tracker.ends == {(name, OrderState.FILLED): count for name in ("binance", "upbit")}
                await asyncio.sleep(1)
            assert tracker.on_fill(_fill(cycle.orders[0], "late", Decimal(1))) == "late fill"
            assert tracker.ends == {(name, OrderState.FILLED): 2 for name in ("binance", "upbit")}, "it has ended once"

    run_virtual(main())


def test_of_how_long_orders_took_the_newest_fifty_are_kept(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            took = w.engine.tracker.answer_ms["upbit"]
            took.extend(range(60))
            assert list(took) == list(range(10, 60))

    run_virtual(main())


def test_what_a_listed_fill_is_is_said(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w, silent_leg(w) as order:
            tracker = w.engine.tracker
            first, rest = _fill(order, "t0", Decimal(5)), _fill(order, "t1", order.qty - 5)
            assert [tracker.on_fill(first), tracker.on_fill(first)] == ["fill", ""]
            assert (order.state, order.filled_qty) == (OrderState.PARTIALLY_FILLED, Decimal(5))
            assert tracker.on_fill(rest) == "fill"
            assert (order.state, order.filled_qty) == (OrderState.FILLED, order.qty)
            late = _fill(order, "t2", Decimal(1))
            assert [tracker.on_fill(late), tracker.on_fill(late), tracker.on_fill(rest)] == ["late fill", "", ""]
            stranger = replace(late, trade_id="x9", client_order_id="web_123")
            assert tracker.on_fill(stranger) == "stray fill"
            tracker._followed.book(stranger)  # as one of an order that is not followed any more
            assert tracker.on_fill(stranger) == ""

    run_virtual(main())


def test_a_fill_that_is_in_the_books_is_known_whoever_has_booked_it(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w, silent_leg(w) as order:
            fill = _fill(order, "t0", Decimal(5))
            w.journal.post(FillRecorded(fill, order.cycle_id, order.leg, "recovery", w.clock.time_ms(), {}))
            booked = w.portfolio.total("upbit", "XRP")
            assert w.engine.tracker.on_fill(fill) == ""
            assert (w.portfolio.total("upbit", "XRP"), order.filled_qty) == (booked, Decimal(0))
            assert w.engine.tracker.on_fill(replace(fill, trade_id="t1")) == "fill"

    run_virtual(main())


def test_a_fill_of_somebody_elses_order_is_told_and_not_booked(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            cycle = await w.trade()
            total = w.portfolio.dump()["balances"]
            fill = replace(_fill(cycle.orders[0], "x9", Decimal(5)), client_order_id="web_123")
            w.engine.tracker.on_fill(fill)
            w.engine.tracker.on_order(OrderReport("binance", "web_123", "9", OrderState.FILLED, Decimal(5), (fill,)))
            assert w.portfolio.dump()["balances"] == total
            assert _breaches(w, "STRAY_FILL") == []
            assert _breaches(w, "ACCOUNT_SHARED") == [Severity.CRIT]

    run_virtual(main())


def test_fills_that_no_stream_and_no_look_up_told_are_found_in_the_list_after_a_reconnect(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            for venue in w.venues.values():
                venue.core.faults.add(Fault(FaultKind.ANSWER_LOST, seconds=1e6))
                venue.bend_look_up = lambda _: None
                venue.absence_proof_s = 1e6
            w.show("upbit", UPBIT_DEAR)
            await asyncio.sleep(3)
            (cycle,) = w.engine.cycles.values()
            assert [order.state for order in cycle.orders] == [OrderState.UNKNOWN] * 2
            async with streaming(w) as followers:
                assert (await _ended(w)).state is CycleState.HEDGED
                assert followers.accounts["upbit"].balances == w.upbit.core.balances()
            w.agree()

    run_virtual(main())


def test_a_reading_that_fails_is_done_again_and_begins_where_the_last_was_whole(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w, streaming(w) as followers:
            asked: list[int] = []

            class Flaky(Venue):
                async def fetch_fills(self, since_ms: int, lane: Lane = Lane.DATA) -> list[Fill]:
                    asked.append(since_ms)
                    if len(asked) < 4:
                        raise TimeoutError
                    return list(await super().fetch_fills(since_ms, lane))

            w.upbit.__class__ = Flaky
            await asyncio.sleep(60)
            assert len(asked) >= 4
            assert len(set(asked[:4])) == 1
            assert followers.done("upbit", Check.TRADES) >= 2

    run_virtual(main())


def test_fills_are_known_for_as_long_as_they_are_asked_for(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            w.engine.tracker.remember_booked(10.0)
            cache = w.engine.tracker._followed
            old = forgotten_fill("old", "x")
            cache.book(old)
            for sent_at, is_known in ((10.9, True), (60.0, True), (70.9, True), (71.0, False)):  # they go a minute at a time
                cache.add(tracked(f"a{sent_at}", sent_at), ())
                cache.book(forgotten_fill(f"b{sent_at}", "x"))
                assert cache.is_stray(old) is not is_known

    run_virtual(main())


def test_only_so_many_fills_of_orders_that_are_not_followed_any_more_are_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arbtui.execution.order_cache._REMEMBERED", 2)
    monkeypatch.setattr("arbtui.execution.order_cache._BOOKED", 2)
    monkeypatch.setattr("arbtui.execution.order_cache._BLOCK", 1)

    async def main() -> None:
        async with world(tmp_path) as w:
            traded = []
            for _ in range(3):
                traded.append(await w.trade())
                await asyncio.sleep(2)
                w.freshen()
            strays = [w.engine.tracker._followed.is_stray(cycle.fills[0]) for cycle in traded]
            assert strays == [True, False, True]  # forgotten, known, and still followed

    run_virtual(main())


def test_a_fill_of_an_order_that_nothing_remembers_any_more_is_booked_once_and_an_old_one_told_again_is_nothing_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the journal knows the order: the tracker follows two, and the portfolio keeps no ended cycle and one fill."""
    monkeypatch.setattr("arbtui.execution.order_cache._REMEMBERED", 2)
    monkeypatch.setattr("arbtui.execution.order_cache._BOOKED", 0)
    monkeypatch.setattr("arbtui.portfolio.portfolio._KEPT_ENDED", 0)
    monkeypatch.setattr("arbtui.portfolio.portfolio._KEPT_FILLS", 1)

    async def main() -> None:
        async with world(tmp_path) as w:
            first = await w.trade()
            await asyncio.sleep(2)
            w.freshen()
            second = await w.trade("upbit", UPBIT_CHEAP)
            assert second is not first
            tracker, order = w.engine.tracker, first.orders[0]
            assert not tracker.knows(order.client_order_id)
            assert w.portfolio.cycle(first.id) is None
            await w.components.journal.commit()
            booked, before = tracker.fills, w.portfolio.dump()["balances"]
            for fill in first.fills:
                tracker.on_fill(fill)  # a venue's list tells them once more
            assert (tracker.fills, w.portfolio.dump()["balances"]) == (booked, before)
            late = replace(_fill(order, "x9", Decimal(5)), venue_order_id=order.venue_order_id)
            for _ in range(3):  # the stream, then two lists; of these one gives no client id
                tracker.on_fill(late)
                await w.components.journal.commit()
                late = replace(late, client_order_id="")
            assert tracker.fills == booked + 1
            (row,) = [one for one in read_ledger(w.components.journal.path)["fills"] if one["trade_id"] == "x9"]
            assert (row["client_order_id"], row["cycle_id"]) == (order.client_order_id, first.id)
            assert _breaches(w, "LATE_FILL") == [Severity.CRIT]
            assert _breaches(w, "RESIDUAL") == [Severity.CRIT]
            assert _breaches(w, "STRAY_FILL") == []
            assert _breaches(w, "ACCOUNT_SHARED") == []

    run_virtual(main())


@pytest.mark.parametrize(
    ("qty", "state"), [("4", OrderState.EXPIRED), ("6.9", OrderState.EXPIRED), ("7", OrderState.FILLED), ("8", OrderState.FILLED)]
)
@pytest.mark.parametrize("venue_order_id", ["77", ""])
def test_a_fill_of_a_forgotten_order_is_told_before_what_it_makes_of_the_order(
    tmp_path: Path, qty: str, state: OrderState, venue_order_id: str
) -> None:
    """3 of 10 had filled when it expired. Whatever the venue calls the order, the journal keeps its own word where it has one."""

    async def main() -> None:
        async with world(tmp_path) as w:
            cycle, tracker = await w.trade(), w.engine.tracker
            sent = cycle.orders[0]
            known = KnownOrder("forgotten", cycle.id, 1, Decimal(10), Decimal(3), OrderState.EXPIRED, venue_order_id, "why")
            fill = replace(_fill(sent, "x9", Decimal(qty)), client_order_id="", venue_order_id="88")
            seq, late, fills = w.journal.seq, tracker.late_fills, tracker.fills
            of_venue = tracker.fills_per_exchange[fill.exchange]
            tracker.book_forgotten(known, fill)
            with reading(w.journal.path) as db:
                booked, changed = [recorded.event for recorded in events(db, seq)][:2]
            assert isinstance(booked, FillRecorded)
            assert booked.fill == replace(fill, client_order_id="forgotten")
            assert (booked.cycle_id, booked.leg, booked.source) == (cycle.id, 1, "recovery")
            assert changed == OrderChanged("forgotten", state, venue_order_id or "88", 3 + Decimal(qty), "why")
            assert (tracker.late_fills, tracker.fills, tracker.fills_per_exchange[fill.exchange]) == (late + 1, fills + 1, of_venue + 1)

    run_virtual(main())


def test_a_fill_that_a_list_tells_under_another_number_is_not_booked_again(tmp_path: Path) -> None:
    """It was booked twice: a position that nobody has, and a person who is asked to trade it away."""

    async def main() -> None:
        async with world(tmp_path) as w, streaming(w):
            fetch = w.upbit.fetch_fills

            async def renumbered(since_ms: int, lane: Lane = Lane.DATA) -> list[Fill]:
                return [replace(fill, trade_id=f"list {fill.trade_id}") for fill in await fetch(since_ms, lane)]

            w.upbit.fetch_fills = renumbered  # type: ignore[method-assign]
            cycle = await w.trade()
            await asyncio.sleep(25)
            assert cycle.state is CycleState.HEDGED
            assert _breaches(w, "FILL_TWICE")[0] is Severity.CRIT
            assert (_breaches(w, "LATE_FILL"), w.portfolio.positions) == ([], [])
            w.agree()

    run_virtual(main())


def test_a_fill_that_two_sources_number_differently_is_hedged_once(tmp_path: Path) -> None:
    """A part of the sale came by the stream, then by the answer under another number: too little was sold afterwards."""

    async def main() -> None:
        async with world(tmp_path) as w:
            w.show("upbit", UPBIT_DEAR)
            (cycle,) = w.engine.executor.open.values()
            sale = next(one for one in cycle.orders if one.market.exchange == "upbit")
            w.quote("upbit", ([(3030.0, 40.0), (2900.0, 400.0)], [(3031.0, 400.0)]))

            def bend(report: OrderReport) -> OrderReport:
                for fill in report.fills:
                    early = replace(fill, trade_id=f"stream {fill.trade_id}")
                    w.engine.tracker.on_order(replace(report, state=OrderState.PARTIALLY_FILLED, fills=(early,), filled_qty=fill.qty))
                w.upbit.bend = lambda other: other
                return report

            w.upbit.bend = bend
            await w.engine.executor.quiet.wait()
            assert sale.filled_qty == Decimal(40)
            assert sum((fill.qty for fill in cycle.fills_of(sale.client_order_id)), Decimal(0)) == 40
            w.quote("upbit", UPBIT_DEAR)
            assert _breaches(w, "FILL_TWICE") == [Severity.CRIT]

    run_virtual(main())


def test_a_fill_of_a_forgotten_order_under_another_number_is_not_booked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arbtui.execution.order_cache._REMEMBERED", 2)

    async def main() -> None:
        async with world(tmp_path) as w:
            first = await w.trade()
            await asyncio.sleep(2)
            w.freshen()
            await w.trade("upbit", UPBIT_CHEAP)
            await w.journal.commit()
            tracker, booked = w.engine.tracker, w.engine.tracker.fills
            for fill in first.fills:
                assert not tracker.knows(fill.client_order_id)
                tracker.on_fill(replace(fill, trade_id=f"list {fill.trade_id}"))
            await w.journal.commit()
            assert tracker.fills == booked
            assert len(_breaches(w, "FILL_TWICE")) == 2
            assert _breaches(w, "LATE_FILL") == []
            w.agree()

    run_virtual(main())


def test_a_fill_of_a_forgotten_order_waits_for_the_next_reading_where_the_journal_cannot_be_read_for_a_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It broke the stream that told it, and with it the run."""
    monkeypatch.setattr("arbtui.execution.order_cache._REMEMBERED", 2)

    async def main() -> None:
        async with world(tmp_path) as w:
            first = await w.trade()
            await asyncio.sleep(2)
            w.freshen()
            await w.trade("upbit", UPBIT_CHEAP)
            await w.journal.commit()
            tracker, booked = w.engine.tracker, w.engine.tracker.fills
            late = _fill(first.orders[0], "x9", Decimal(5))
            with monkeypatch.context() as patch:
                patch.setattr("arbtui.execution.tracker.booked_fills", _unreadable)
                tracker.on_fill(late)
            assert tracker.fills == booked
            tracker.on_fill(late)
            assert tracker.fills == booked + 1

    run_virtual(main())


def _unreadable(path: Path, client_order_id: str) -> list[tuple[Decimal, Decimal]]:
    raise UsageError(f"{path}: unable to open database file")


def test_a_followed_orders_fill_is_known_though_the_portfolio_has_forgotten_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arbtui.portfolio.portfolio._KEPT_ENDED", 0)
    monkeypatch.setattr("arbtui.portfolio.portfolio._KEPT_FILLS", 1)

    async def main() -> None:
        async with world(tmp_path) as w:
            cycle = await w.trade()
            await asyncio.sleep(2)
            assert w.portfolio.cycle(cycle.id) is None
            booked = w.engine.tracker.fills
            assert [w.engine.tracker.on_fill(fill) for fill in cycle.fills] == ["", ""]
            assert w.engine.tracker.fills == booked
            w.agree()

    run_virtual(main())


def test_a_reading_begins_where_the_last_whole_one_ended(tmp_path: Path) -> None:
    """Not at the start of the run: after a day that would be all of the day's fills, every ten seconds."""

    async def main() -> None:
        async with world(tmp_path) as w:
            asked: list[int] = []
            fetch = w.upbit.fetch_fills

            async def fetch_fills(since_ms: int, lane: Lane = Lane.DATA) -> list[Fill]:
                asked.append(since_ms)
                return list(await fetch(since_ms, lane))

            w.upbit.fetch_fills = fetch_fills  # type: ignore[method-assign]
            async with streaming(w):
                await asyncio.sleep(290)  # a full report, after 300, asks for more
            assert len(asked) > 8
            assert asked == sorted(asked)
            assert asked[-1] - asked[0] > 120_000

    run_virtual(main())


def test_before_an_account_is_heard_it_is_not(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            guard = w.engine.risk.exchange["upbit"]
            sync = AccountSync(w.upbit, w.engine.tracker, w.engine.sync, w.clock, guard.health)
            assert not sync.is_connected
            assert guard.unfit(w.clock.monotonic()) is not None

    run_virtual(main())
