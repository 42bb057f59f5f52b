"""What a cycle left is traded away on a person's word: within the price that was shown, never more than is left, and once at a time."""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from arbtui.exchanges.adapter import OrderReport
from arbtui.execution.order_owner import OrderOwner
from arbtui.execution.settler import FIRST_LEG, Settlement
from arbtui.execution.ways_out import WayOut
from arbtui.journal.events import CycleState, OrderIntended, ResidualSettled, SettlementBegan
from arbtui.journal.reader import events, reading
from arbtui.model.book import BookState
from arbtui.model.clock import Clock
from arbtui.model.errors import JournalFailed
from arbtui.model.money import ZERO, plain
from arbtui.model.order import Order, OrderState, Purpose, Side
from arbtui.model.virtual_loop import run_virtual
from arbtui.portfolio.ledger import read_ledger
from arbtui.portfolio.trading_state import TradingState
from arbtui.simulation.faults import Fault, FaultKind
from arbtui.views.live import EngineControls
from tests.execution.world import FAIR, Levels, World, world
from tests.portfolio.auditing import AUDIT, audit, disagreements

#: The best bid at Binance takes 10 of the 46 that are held; what is below it is beyond one percent.
THIN: Levels = ([(2.1399, 10.0), (2.0, 500.0)], [(2.14, 300.0)])
#: Further down than any order may go.
FALLEN: Levels = ([(1.9, 500.0)], [(1.91, 500.0)])


async def residual(w: World) -> str:
    """Leave a residual of XRP: bought at Binance, and neither sold at Upbit nor taken back; its cycle's id."""
    w.upbit.core.faults.add(*[Fault(FaultKind.REJECT)] * 9)
    w.binance.core.faults.add(None, *[Fault(FaultKind.REJECT)] * 9)
    cycle = await w.trade()
    assert cycle.state is CycleState.RESIDUAL
    for name, venue in w.venues.items():
        while venue.core.faults.take() is not None:
            pass
        w.quote(name, FAIR[name])
    return cycle.id


def left(w: World, cycle_id: str) -> Decimal:
    """XRP that it leaves."""
    account = w.portfolio.cycle(cycle_id)
    assert account is not None
    return w.portfolio.left(account).get("XRP", ZERO)


def way(w: World, cycle_id: str, verb: str) -> WayOut:
    (found,) = [way for way in w.engine.operator.ways(cycle_id) if way.verb == verb]
    return found


async def settle(w: World, cycle_id: str, verb: str, worst: Decimal | None = None) -> str:
    """Do it, as the console does, and say how it ended."""
    told: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    refusal = w.engine.operator.settle_position(cycle_id, verb, "", "p", "seen", worst=worst, tell=told.set_result)
    return refusal or await told


def judge(w: World) -> None:
    """Ledger, auditor, venues and a restart agree."""
    w.agree()
    ledger = read_ledger(w.journal.path)
    assert disagreements(ledger) == []
    if AUDIT.is_file():  # a skip in here would be a failure: it comes out of a task group
        code, said = audit(ledger)
        assert code == 0, said


def settled(w: World, cycle_id: str) -> tuple[str, str, str] | None:
    account = w.portfolio.cycle(cycle_id)
    assert account is not None
    assert account.state is CycleState.RESIDUAL  # whatever was done about it
    return None if account.settled is None else (account.settled.how, account.settled.by, account.settled.reason)


def told_residuals(w: World) -> list[str]:
    """What is told of residuals and not acknowledged."""
    rows = w.engine.breaches.breaches.values()
    return [f"{row.scope}: {row.detail}" for row in rows if row.kind == "RESIDUAL" and row.id not in w.engine.breaches.acknowledged]


def told_events(w: World, *kinds: type) -> list[object]:
    with reading(w.journal.path) as db:
        return [at.event for at in events(db, 0, w.journal.seq) if isinstance(at.event, kinds)]


DONE = {"complete": "completed", "flatten": "flattened"}


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize(("verb", "exchange", "side"), [("complete", "upbit", Side.SELL), ("flatten", "binance", Side.SELL)])
def test_a_residual_is_traded_away(tmp_path: Path, verb: str, exchange: str, side: Side, restarted: bool) -> None:
    async def trade(w: World, cycle_id: str) -> None:
        amount = left(w, cycle_id)
        found = way(w, cycle_id, verb)
        assert (found.exchange, found.side, found.why_not) == (exchange, side, "")
        assert ZERO <= amount - found.qty < Decimal("0.1")
        prices = w.components.marks.prices(["XRP", "KRW", "USDT"])
        before = w.portfolio.value(prices).equity
        placed = len(w.venues[exchange].placed)
        said = await settle(w, cycle_id, verb)
        (order,) = w.venues[exchange].placed[placed:]
        assert (order.purpose, order.cycle_id, order.leg, order.side) == (Purpose.SETTLE, cycle_id, FIRST_LEG, side)
        cycle = w.engine.cycles.get(cycle_id)
        assert (cycle is None) is restarted
        if cycle is not None:  # screens show what was done about it with the cycle
            assert (cycle.orders[-1], cycle.fills[-1].client_order_id) == (order, order.client_order_id)
        assert f"sold {found.qty.normalize():f} XRP at {exchange}" in said
        assert f"{cycle_id} is settled" in said
        assert settled(w, cycle_id) == (DONE[verb], "operator", "seen")
        assert w.engine.unsettled == ""
        w.engine.losses.measure()
        assert w.engine.risk.total.unhedged == 0
        assert told_residuals(w) == []
        assert found.cost is not None
        cost = before - w.portfolio.value(prices).equity
        assert float(cost) == pytest.approx(float(found.cost), abs=0.01)  # what was shown is what it cost
        w.engine.risk.total.measure()
        assert w.engine.risk.total.loss_today == pytest.approx(-float(w.portfolio.value().so_far.realised), abs=1e-9)
        judge(w)
        await asyncio.sleep(2)
        assert (await w.trade()).state is CycleState.HEDGED  # and the asset trades again
        judge(w)

    async def main() -> None:
        async with world(tmp_path) as w:
            cycle_id = await residual(w)
            if not restarted:
                await trade(w, cycle_id)
        if restarted:
            async with world(tmp_path) as w:
                await trade(w, cycle_id)
        async with world(tmp_path) as w:
            assert w.portfolio.positions == []
            assert settled(w, cycle_id) is not None
            assert w.portfolio.state.outcomes[CycleState.RESIDUAL] == 1
            assert told_residuals(w) == []

    run_virtual(main())


def test_the_ledger_lists_it_as_settled(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            cycle_id = await residual(w)
            (row,) = read_ledger(w.journal.path)["residuals"]
            assert (row["exchange"], row["asset"], row["settled"]) == ("binance", "XRP", None)
            await settle(w, cycle_id, "flatten")
            ledger = read_ledger(w.journal.path)
            (told,) = ledger["residuals"]
            assert (told["cycle_id"], told["qty"], told["since"]) == (cycle_id, row["qty"], row["since"])
            assert {key: told["settled"][key] for key in ("how", "by", "reason")} == {
                "how": "flattened",
                "by": "operator",
                "reason": "seen",
            }
            (cycle,) = ledger["cycles"]
            assert (cycle["state"], cycle["settled"]) == ("RESIDUAL", told["settled"])
            assert {fill["cycle_id"] for fill in ledger["fills"]} == {cycle_id}
            assert told["settled"]["ts"].endswith("Z")

    run_virtual(main())


def test_it_is_journaled_that_it_began_before_its_order_leaves(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            cycle_id = await residual(w)
            seen: list[object] = []

            def look(order: Order) -> None:
                seen.extend(told_events(w, SettlementBegan))
                assert [each.client_order_id for each in told_events(w, OrderIntended) if isinstance(each, OrderIntended)][-1] == (
                    order.client_order_id
                )

            w.binance.before_place = look
            await settle(w, cycle_id, "flatten")
            assert seen == [SettlementBegan(cycle_id, "flatten", "binance", "operator", "seen")]
            assert told_events(w, ResidualSettled) == []  # that it is gone is what its fills say

    run_virtual(main())


def test_a_part_leaves_a_smaller_position_and_the_rest_is_settled_by_a_second_one_in_the_same_run(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            cycle_id = await residual(w)
            amount = left(w, cycle_id)
            w.quote("binance", THIN)
            found = way(w, cycle_id, "flatten")
            assert (found.shown, "book shows 10" in found.price_tag) == (Decimal(10), True)

            def then_fall(report: OrderReport) -> OrderReport:
                w.quote("binance", FALLEN)
                return report

            w.binance.bend = then_fall
            said = await settle(w, cycle_id, "flatten")
            rest = left(w, cycle_id)
            assert rest == amount - 10
            assert f"sold 10 XRP at binance for 2.1399 USDT (the price, 1.9 USDT, is beyond {found.price}: look again)" in said
            assert said.startswith(f"{cycle_id} still leaves {rest.normalize():f} XRP: ")
            assert settled(w, cycle_id) is None
            assert "1 residual (XRP)" in w.engine.unsettled
            w.engine.losses.measure()
            assert w.engine.risk.total.unhedged == pytest.approx(float(rest) * 1.9, rel=0.15)
            (told,) = told_residuals(w)
            assert f"leaves {rest.normalize():f} XRP" in told
            (row,) = read_ledger(w.journal.path)["residuals"]
            assert (Decimal(row["qty"]), row["settled"]) == (rest, None)
            judge(w)
            w.quote("binance", FAIR["binance"])
            w.binance.bend = lambda report: report
            assert f"{cycle_id} is settled" in await settle(w, cycle_id, "flatten")
            assert settled(w, cycle_id) == ("flattened", "operator", "seen")
            ids = [each.client_order_id for each in told_events(w, OrderIntended) if isinstance(each, OrderIntended)]
            assert len(set(ids)) == len(ids)
            judge(w)

    run_virtual(main())


async def missing(w: World) -> str:
    """Leave XRP sold at Upbit that were neither bought at Binance nor taken back; its cycle's id."""
    w.binance.core.faults.add(*[Fault(FaultKind.REJECT)] * 9)
    w.upbit.core.faults.add(None, *[Fault(FaultKind.REJECT)] * 9)
    cycle = await w.trade()
    assert cycle.state is CycleState.RESIDUAL
    for name, venue in w.venues.items():
        while venue.core.faults.take() is not None:
            pass
        w.quote(name, FAIR[name])
    return cycle.id


@pytest.mark.parametrize("stricter", [True, False])
@pytest.mark.parametrize("side", list(Side))
def test_the_stricter_of_the_price_that_was_shown_and_the_bound_of_now_holds(tmp_path: Path, side: Side, stricter: bool) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            cycle_id = await (missing(w) if side is Side.BUY else residual(w))
            verb = "complete" if side is Side.BUY else "flatten"
            found = way(w, cycle_id, verb)
            assert (found.exchange, found.side) == ("binance", side)
            assert found.price is not None
            shown = found.price + (Decimal("0.001") if stricter is (side is Side.SELL) else Decimal("-0.001"))
            assert f"{cycle_id} is settled" in await settle(w, cycle_id, verb, shown)
            (order,) = [order for order in w.binance.placed if order.purpose is Purpose.SETTLE]
            assert order.price == (shown if stricter else found.price)

    run_virtual(main())


def test_what_is_bought_back_is_grossed_up_for_a_fee_in_the_coin_and_never_more_than_is_missing(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            cycle_id = await missing(w)
            amount = left(w, cycle_id)
            assert amount < -40  # sold at Upbit, not bought at Binance
            found = way(w, cycle_id, "complete")
            assert (found.exchange, found.side) == ("binance", Side.BUY)
            kept = found.qty * Decimal("0.999")
            assert ZERO <= -amount - kept < Decimal("0.1")

            w.quote("binance", ([(2.1399, 300.0)], [(2.14, 10.0), (2.1401, 20.0), (2.5, 500.0)]))
            thin = way(w, cycle_id, "complete")
            assert thin.price is not None
            assert (thin.qty, thin.shown) == (found.qty, Decimal(30))  # 2.5 is beyond any price that it may pay
            unit = w.components.marks.value("XRP")
            assert unit is not None
            paid = 10 * Decimal("2.14") + 20 * Decimal("2.1401") + (thin.qty - 30) * thin.price
            assert thin.cost is not None
            assert thin.cost == pytest.approx(paid - kept * unit, abs=Decimal("0.0001"))
            assert thin.price_tag == f"costs {plain(thin.cost)} USDT, book shows 30"
            assert replace(thin, cost=None).price_tag == "cost unknown"
            w.quote("binance", FAIR["binance"])
            await settle(w, cycle_id, "complete")
            assert settled(w, cycle_id) is not None
            judge(w)

    run_virtual(main())


def test_what_the_book_did_not_show_at_first_is_sold_by_a_second_order_of_the_same_settlement(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            cycle_id = await residual(w)
            w.quote("binance", THIN)
            placed = len(w.binance.placed)
            told: asyncio.Future[str] = asyncio.get_running_loop().create_future()
            assert w.engine.operator.settle_position(cycle_id, "flatten", "", "p", "seen", tell=told.set_result) is None
            await asyncio.sleep(0.3)
            w.quote("binance", FAIR["binance"])  # it is full again
            assert f"{cycle_id} is settled" in await told
            first, second = w.binance.placed[placed:]
            assert (first.filled_qty, second.attempt) == (Decimal(10), 1)
            assert second.qty == first.qty - first.filled_qty
            judge(w)

    run_virtual(main())


def test_three_orders_at_most_and_what_the_venue_said_last_is_told(tmp_path: Path) -> None:
    """The first sells what the book shows; it is full again, and the venue refuses what is sent for the rest."""

    async def main() -> None:
        async with world(tmp_path) as w:
            settler = w.engine.settler
            assert settler.quiet.is_set()
            cycle_id = await residual(w)
            amount = left(w, cycle_id)
            w.quote("binance", THIN)
            w.binance.core.faults.add(None, *[Fault(FaultKind.REJECT)] * 9)
            sent: list[float] = []
            w.binance.before_place = lambda order: sent.append(w.clock.monotonic())
            told: asyncio.Future[str] = asyncio.get_running_loop().create_future()
            settlement = settler.begin(cycle_id, "flatten", "", "operator", "seen", tell=told.set_result)
            assert isinstance(settlement, Settlement)
            assert settler.open == {cycle_id: settlement}
            assert (settlement.is_over, settler.quiet.is_set()) == (False, False)
            await asyncio.sleep(0.3)
            w.quote("binance", FAIR["binance"])
            said = await told
            rest = plain(amount - 10)
            why = "SCRIPTED the fault script refuses this order"
            assert said == f"{cycle_id} still leaves {rest} XRP: sold 10 XRP at binance for 2.1399 USDT ({why})"
            assert settler.said == {cycle_id: said}
            assert (settlement.is_over, settler.quiet.is_set(), settler.open) == (True, True, {})
            assert [(order.leg, order.attempt) for order in settlement.orders] == [(FIRST_LEG, 0), (FIRST_LEG, 1), (FIRST_LEG, 2)]
            assert len({order.client_order_id for order in settlement.orders}) == 3
            assert [order.state for order in settlement.orders[1:]] == [OrderState.REJECTED] * 2
            assert all(0.5 <= after - before < 1.0 for before, after in pairwise(sent))
            while w.binance.core.faults.take() is not None:
                pass
            began = w.clock.monotonic()
            following = settler.begin(cycle_id, "flatten", "", "operator", "seen")
            assert isinstance(following, Settlement)
            assert settler.said == {}, "of a settlement under way nobody says how an earlier one ended"
            await settler.quiet.wait()
            assert w.clock.monotonic() - began < 0.5, "nothing is left: nothing is waited for"
            assert [(order.leg, order.attempt) for order in following.orders] == [(FIRST_LEG + 1, 0)]
            assert settler.said == {cycle_id: f"{cycle_id} is settled: sold {plain(following.filled)} XRP at binance for 2.1399 USDT"}
            judge(w)

    run_virtual(main())


def _note_when(told: asyncio.Future[float], clock: Clock, how: str) -> None:
    told.set_result(clock.monotonic())


def test_it_waits_five_seconds_for_a_book_within_its_price(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            cycle_id = await residual(w)
            for back_after_s, orders in ((6.0, 1), (4.0, 2)):
                w.quote("binance", THIN)
                began = w.clock.monotonic()
                told: asyncio.Future[float] = asyncio.get_running_loop().create_future()
                tell = partial(_note_when, told, w.clock)
                settlement = w.engine.settler.begin(cycle_id, "flatten", "", "operator", "seen", tell=tell)
                assert isinstance(settlement, Settlement)
                await asyncio.sleep(0.3)
                w.quote("binance", FALLEN)
                await asyncio.sleep(back_after_s - 0.3)
                assert settlement.is_over is (orders == 1)
                w.quote("binance", FAIR["binance"])
                ended = await told - began
                assert 5.0 <= ended < 5.6 if orders == 1 else 4.0 < ended < 4.8
                assert len(settlement.orders) == orders
            assert settled(w, cycle_id) is not None
            judge(w)

    run_virtual(main())


def test_once_its_time_is_over_no_further_order_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arbtui.execution.settler._LASTS_S", 0.0)

    async def main() -> None:
        async with world(tmp_path) as w:
            cycle_id = await residual(w)

            async def answered_at_once(cycle: OrderOwner, orders: Sequence[Order], durable: Awaitable[None]) -> None:
                await durable

            w.engine.tracker.send = answered_at_once  # type: ignore[method-assign]
            began = w.clock.monotonic()
            settlement = w.engine.settler.begin(cycle_id, "flatten", "", "p", "x")
            assert isinstance(settlement, Settlement)
            await w.engine.settler.quiet.wait()
            assert (w.clock.monotonic() - began, len(settlement.orders)) == (0.0, 1)

    run_virtual(main())


def test_what_settles_nothing_is_said_before_anything_is_looked_at(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            cycle_id = await residual(w)
            settler, gate = w.engine.settler, w.engine.gate
            assert settler.begin(cycle_id, "sell", "", "p", "x") == "'sell' trades nothing: there are complete and flatten"
            assert settler.begin(cycle_id, "flatten", "", "p", "x", market="KRW-XRP") == (
                f"there is no flatten of {cycle_id} of KRW-XRP: see arbtui positions"
            )
            gate.closed_for_entries = True
            assert settler.begin(cycle_id, "flatten", "", "p", "x") == "the run is ending: start again to settle it"
            assert (settler.open, settler.said) == ({}, {})

    run_virtual(main())


@pytest.mark.parametrize(
    ("then", "why"),
    [(FAIR["binance"], "under the venue's minimum of 5 USDT"), (([], []), "its book is empty")],
    ids=["too little", "no book"],
)
def test_what_keeps_the_next_order_from_leaving_is_told(tmp_path: Path, then: Levels, why: str) -> None:
    """All but one coin is sold, which is less than the venue takes; or the book is gone before it could be."""

    async def main() -> None:
        async with world(tmp_path) as w:
            cycle_id = await residual(w)
            sold = way(w, cycle_id, "flatten").qty - 1
            rest = left(w, cycle_id) - sold
            w.quote("binance", ([(2.1399, float(sold)), (2.0, 500.0)], [(2.14, 300.0)]))

            def changes(report: OrderReport) -> OrderReport:
                w.quote("binance", then)
                return report

            w.binance.bend = changes
            assert await settle(w, cycle_id, "flatten") == (
                f"{cycle_id} still leaves {plain(rest)} XRP: sold {plain(sold)} XRP at binance for 2.1399 USDT ({why})"
            )

    run_virtual(main())


def test_a_settlement_that_cannot_be_journaled_does_not_begin(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            cycle_id = await residual(w)
            asked, record = len(w.binance.asked), w.journal.record

            def full(*_: object) -> None:
                raise JournalFailed("the disk is full")

            w.journal.record = full  # type: ignore[method-assign, assignment]
            assert w.engine.settler.begin(cycle_id, "flatten", "", "p", "x") == "nothing was sent: JOURNAL"
            w.journal.record = record  # type: ignore[method-assign]
            await asyncio.sleep(1)
            assert (w.engine.settler.open, w.engine.settler.quiet.is_set(), len(w.binance.asked)) == ({}, True, asked)

    run_virtual(main())


def test_what_a_stricter_price_makes_too_little_for_the_venue_is_said(tmp_path: Path) -> None:
    """What is missing costs 100.9 USDT at the bound of the book, and 99.9 at the price that was shown."""

    async def main() -> None:
        async with world(tmp_path) as w:
            cycle_id = await missing(w)
            found = way(w, cycle_id, "complete")
            assert found.market is not None
            object.__setattr__(found.market, "min_cost", Decimal("100.5"))
            assert way(w, cycle_id, "complete").why_not == ""
            assert await settle(w, cycle_id, "complete", Decimal("2.14")) == "nothing was sent: under the venue's minimum of 100.5 USDT"

    run_virtual(main())


def test_a_journal_that_fails_meanwhile_is_said(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            cycle_id = await residual(w)
            w.quote("binance", THIN)
            told: asyncio.Future[str] = asyncio.get_running_loop().create_future()
            w.engine.settler.begin(cycle_id, "flatten", "", "p", "x", tell=told.set_result)
            await asyncio.sleep(0.01)
            w.journal._writer._connection.close()  # type: ignore[attr-defined]
            assert (await told).endswith(" (JOURNAL)")

    run_virtual(main())


def test_how_the_newest_hundred_ended_can_be_asked_for(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            cycle_id = await residual(w)
            settler = w.engine.settler
            for number in range(99):
                settler.said[f"old {number}"] = "settled"
            w.quote("binance", THIN)
            for kept in (["old 0", "old 1"], ["old 0", "old 1"]):
                await settle(w, cycle_id, "flatten")
                assert [*settler.said][:2] == kept
            settler.said.pop(cycle_id)
            settler.said["old 99"] = "settled"
            await settle(w, cycle_id, "flatten")
            assert (next(iter(settler.said)), [*settler.said][-1], len(settler.said)) == ("old 1", cycle_id, 100)

    run_virtual(main())


def test_what_the_venue_said_of_the_only_order_is_told(tmp_path: Path) -> None:
    """A kill while it is under way leaves no other one."""

    async def main() -> None:
        async with world(tmp_path) as w:
            cycle_id = await residual(w)
            w.binance.core.faults.add(Fault(FaultKind.REJECT))
            told: asyncio.Future[str] = asyncio.get_running_loop().create_future()
            assert isinstance(w.engine.settler.begin(cycle_id, "flatten", "", "p", "x", tell=told.set_result), Settlement)
            await asyncio.sleep(0.01)
            w.engine.kill_switch.kill("KEY")
            assert (await told).endswith(" XRP: nothing was traded (SCRIPTED the fault script refuses this order)")

    run_virtual(main())


def test_a_run_that_ends_waits_for_no_settlement(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            cycle_id = await residual(w)
            w.binance.core.faults.add(Fault(FaultKind.REQUEST_LOST, 1e6))
            assert isinstance(w.engine.settler.begin(cycle_id, "flatten", "", "p", "x"), Settlement)
            await asyncio.sleep(0.3)
            (task,) = [task for task in asyncio.all_tasks() if task.get_name() == f"settle {cycle_id}"]
            w.engine.settler.abandon()
            await asyncio.sleep(0.01)
            assert task.cancelled()

    run_virtual(main())


def test_what_the_gate_refuses_is_said_and_nothing_begins(tmp_path: Path) -> None:
    """The book stands and the venue has gone silent: nobody knows whether its prices are of now."""

    async def main() -> None:
        async with world(tmp_path) as w:
            cycle_id = await residual(w)
            w.silent.add("binance")
            await asyncio.sleep(4)
            w.book("binance").state = BookState.LIVE
            asked_again = len(w.asked_again)
            refused = w.engine.operator.settle_position(cycle_id, "flatten", "", "p", "seen")
            assert refused == "nothing was sent: MESSAGE_AGE"
            assert w.asked_again[asked_again:] == [("binance", "XRPUSDT")]
            assert told_events(w, SettlementBegan) == []
            assert w.engine.settler.open == {}

    run_virtual(main())


def test_each_order_of_a_settlement_passes_the_gate(tmp_path: Path) -> None:
    """The book shows a part; before the next order for what has come since, the gate closes: the book is asked for, and nothing leaves."""

    async def main() -> None:
        async with world(tmp_path) as w:
            cycle_id = await residual(w)
            w.quote("binance", THIN)
            told: asyncio.Future[str] = asyncio.get_running_loop().create_future()
            assert w.engine.operator.settle_position(cycle_id, "flatten", "", "p", "x", tell=told.set_result) is None
            settlement = w.engine.settler.open[cycle_id]
            await asyncio.sleep(0.4)
            w.engine.operator.change_state(TradingState.HALTING, "")
            w.quote("binance", FAIR["binance"])
            asked_again = len(w.asked_again)
            assert f"still leaves {plain(left(w, cycle_id))} XRP: sold 10 XRP" in await told
            assert settlement.reason == "HALTED"
            assert [order.purpose for order in w.binance.asked].count(Purpose.SETTLE) == 1
            assert set(w.asked_again[asked_again:]) == {("binance", "XRPUSDT")}
            (first,) = settlement.orders
            assert settlement.fills_of(first.client_order_id) == settlement.fills
            assert settlement.fills_of("another") == []
            assert (settlement.filled, settlement.is_over) == (Decimal(10), True)

    run_virtual(main())


#: Touches that are beyond the prices of before, for either side; what was shown before lies within the spread.
WIDE: dict[str, Levels] = {"upbit": ([(2700.0, 500.0)], [(3300.0, 500.0)]), "binance": ([(1.9, 500.0)], [(2.4, 500.0)])}


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("verb", ["complete", "flatten"])
def test_a_price_beyond_the_one_that_was_shown_sends_nothing(tmp_path: Path, verb: str, side: Side) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            cycle_id = await (missing(w) if side is Side.BUY else residual(w))
            found = way(w, cycle_id, verb)
            assert found.side is side
            assert found.market is not None
            assert found.price is not None
            w.quote(found.exchange, WIDE[found.exchange])
            asked = len(w.binance.asked) + len(w.upbit.asked)
            (touch, _), *_ = WIDE[found.exchange][side is Side.BUY]
            assert await settle(w, cycle_id, verb, found.price) == (
                f"nothing was sent: the price, {touch:g} {found.market.quote}, is beyond {plain(found.price)}: look again"
            )
            assert len(w.binance.asked) + len(w.upbit.asked) == asked
            assert told_events(w, SettlementBegan) == []
            assert abs(left(w, cycle_id)) > 40
            judge(w)

    run_virtual(main())


@pytest.mark.parametrize("side", list(Side))
def test_a_price_that_is_the_touch_itself_is_traded_at_and_once_nothing_is_left_nothing_is_waited_for(tmp_path: Path, side: Side) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            cycle_id, verb = (await missing(w), "complete") if side is Side.BUY else (await residual(w), "flatten")
            touch = Decimal("2.14") if side is Side.BUY else Decimal("2.1399")
            began = w.clock.monotonic()
            assert f"{cycle_id} is settled" in await settle(w, cycle_id, verb, touch)
            assert w.clock.monotonic() - began < 0.5
            (order,) = [order for order in w.binance.placed if order.purpose is Purpose.SETTLE]
            assert (order.side, order.price, order.deadline) == (side, touch, order.decided_at + 1.0)

    run_virtual(main())


def test_nothing_leaves_after_a_kill_and_what_is_under_way_sends_no_more(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            cycle_id = await residual(w)
            w.quote("binance", THIN)
            told: list[str] = []
            assert w.engine.operator.settle_position(cycle_id, "flatten", "", "p", "x", tell=told.append) is None
            await asyncio.sleep(0.4)
            assert len([order for order in w.binance.placed if order.purpose is Purpose.SETTLE]) == 1
            w.engine.kill_switch.kill("KEY")
            await w.engine.quiescence()
            await asyncio.sleep(0.01)
            assert len([order for order in w.binance.asked if order.purpose is Purpose.SETTLE]) == 1
            assert "still leaves" in told[0]
            for verb in ("complete", "flatten"):
                assert await settle(w, cycle_id, verb) == "nothing was sent: HALTED"
            assert len([order for order in w.binance.asked if order.purpose is Purpose.SETTLE]) == 1
            judge(w)

    run_virtual(main())


@pytest.mark.parametrize("state", [TradingState.PAUSED, TradingState.DISARMED])
def test_a_person_may_settle_while_nothing_trades_by_itself(tmp_path: Path, state: TradingState) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            cycle_id = await residual(w)
            w.engine.operator.change_state(state, "x", latched=True)
            assert "is settled" in await settle(w, cycle_id, "flatten")
            judge(w)

    run_virtual(main())


def test_no_cycle_whose_order_is_unknown_is_settled_nor_twice_at_once(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            cycle_id = await residual(w)
            w.binance.core.faults.add(Fault(FaultKind.ANSWER_LOST, 1e6))
            told: list[str] = []
            operator = w.engine.operator
            assert operator.settle_position(cycle_id, "flatten", "", "p", "x", tell=told.append) is None
            for verb in ("flatten", "complete", "write-off"):
                assert operator.settle_position(cycle_id, verb, "", "p", "x") == f"{cycle_id} is being settled already"
            await asyncio.sleep(1.1)
            (order,) = w.engine.tracker.open.values()
            assert order.state is OrderState.UNKNOWN
            assert all("is UNKNOWN" in found.why_not for found in operator.ways(cycle_id) if found.verb in DONE)
            free = w.portfolio.total("binance", "XRP") - order.qty
            assert w.portfolio.available("binance", "XRP") == free  # no cycle may use what it may have sold
            await w.engine.quiescence()
            await asyncio.sleep(0.01)
            assert "is settled" in told[0]
            judge(w)

    run_virtual(main())


@pytest.mark.parametrize(("lost", "after_s"), [(FaultKind.ANSWER_LOST, 0.3), (FaultKind.REQUEST_LOST, 0.3)])
def test_a_crash_in_the_middle_leaves_what_the_venue_says(tmp_path: Path, lost: FaultKind, after_s: float) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            cycle_id = await residual(w)
            amount = left(w, cycle_id)
            w.binance.core.faults.add(Fault(lost, 1e6))
            assert w.engine.operator.settle_position(cycle_id, "flatten", "", "p", "x") is None
            await asyncio.sleep(after_s)
            w.same_after_restart()
        async with world(tmp_path) as w:
            assert list(w.portfolio.open_orders) == []
            if lost is FaultKind.ANSWER_LOST:
                assert settled(w, cycle_id) == ("flattened", "operator", "x")
                assert w.engine.unsettled == ""
                assert told_residuals(w) == []
            else:
                assert settled(w, cycle_id) is None
                assert left(w, cycle_id) == amount
                assert [told.partition(":")[0] for told in told_residuals(w)] == [cycle_id]
                assert "is settled" in await settle(w, cycle_id, "complete")
            judge(w)

    run_virtual(main())


@pytest.mark.parametrize("restarted", [False, True])
def test_a_balance_that_differs_by_the_residual_is_offered_as_its_settlement(tmp_path: Path, restarted: bool) -> None:
    async def take(w: World, cycle_id: str, target: Decimal) -> None:
        disputes = [row.id for row in w.engine.breaches.breaches.values() if row.kind == "BALANCE_MISMATCH"]
        both = w.engine.operator.ways_of_breach(disputes[0])
        assert [(found.verb, found.cycle_id) for found in both] == [("adjust", cycle_id), ("adjust", "")]
        assert both[0].qty == both[1].qty == left(w, cycle_id)
        assert [(found.cost, found.price_tag) for found in both] == [(ZERO, "nothing is traded")] * 2
        assert way(w, cycle_id, "adjust").exchange == "binance"
        assert "adjusted" in await settle(w, cycle_id, "adjust")
        assert settled(w, cycle_id) == ("adjusted", "operator", "seen")
        assert w.portfolio.state.disputes["binance"] == {}
        assert w.portfolio.state.targets["binance"]["XRP"] == target == w.portfolio.total("binance", "XRP")
        assert w.engine.unsettled == ""
        assert set(disputes) <= set(w.engine.breaches.acknowledged)
        w.same_after_restart()
        assert not AUDIT.is_file() or audit(read_ledger(w.journal.path))[0] == 0

    async def main() -> None:
        async with world(tmp_path) as w:
            cycle_id = await residual(w)
            target, amount = w.portfolio.state.targets["binance"]["XRP"], left(w, cycle_id)
            assert {found.verb for found in w.engine.operator.ways(cycle_id)} == {"complete", "flatten", "write-off"}
            refused = await settle(w, cycle_id, "adjust")
            assert refused == f"no disputed balance differs by what {cycle_id} leaves; see arbtui adjust"
            await w.binance.core._ledger.deposit("binance", {"XRP": -amount}, "sold by hand", 0)
            for _ in range(5):
                await asyncio.sleep(1.1)
                await w.engine.compare_positions()
            if not restarted:
                await take(w, cycle_id, target)
        if restarted:
            async with world(tmp_path) as w:
                await take(w, cycle_id, target)

    run_virtual(main())


def test_what_cannot_be_traded_says_why(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, symbols=("XRP", "ADA")) as w:
            cycle_id = await residual(w)
            w.quote("binance", ([], []))
            assert way(w, cycle_id, "flatten").why_not == "its book is empty"
            w.quote("binance", FAIR["binance"])
            ways = w.engine.operator.ways("no such cycle")
            assert ways == []
            assert await settle(w, "no such cycle", "flatten") == "no such cycle leaves no position"
            assert await settle(w, cycle_id, "sell") == "no verb 'sell': there are complete, flatten, write-off, adjust"
            assert w.engine.operator.settle_position(cycle_id, "flatten", "okx", "p", "x") == (
                f"there is no flatten of {cycle_id} at okx: see arbtui positions"
            )
            assert w.engine.operator.settle_position(cycle_id, "flatten", "", "q", "x") == "type the profile's name, p"
        async with world(tmp_path, symbols=("ADA",)) as w:  # the asset is not traded in this run
            assert [(found.verb, found.why_not) for found in w.engine.operator.ways(cycle_id)] == [
                ("flatten", "XRP is not among the symbols of this run: start with it to trade it"),
                ("write-off", ""),
            ]

    run_virtual(main())


@pytest.mark.parametrize("verb", ["flatten", "write-off"])
def test_a_fill_that_comes_after_it_was_settled_is_a_position_again(tmp_path: Path, verb: str) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            cycle_id = await residual(w)
            cycle = w.engine.cycles[cycle_id]
            bought = cycle.orders[0]
            dust = left(w, cycle_id) - way(w, cycle_id, "flatten").qty
            await settle(w, cycle_id, verb)
            assert told_residuals(w) == []
            if verb == "flatten":
                assert cycle.orders[-1].purpose is Purpose.SETTLE  # screens show it with its cycle
                assert cycle.fills[-1].client_order_id == cycle.orders[-1].client_order_id
            else:
                dust = ZERO  # it went with the rest
            fill = replace(cycle.fills[0], trade_id="late", qty=Decimal(20), cost=Decimal("42.8"), fee=ZERO)
            filled = bought.filled_qty + 20
            w.engine.tracker.on_order(OrderReport("binance", bought.client_order_id, "v", OrderState.FILLED, filled, (fill,)))
            assert settled(w, cycle_id) is None
            assert left(w, cycle_id) == 20 + dust
            assert len(told_residuals(w)) == 1
            w.engine.losses.measure()
            assert w.engine.risk.total.unhedged == pytest.approx(42.8, rel=0.01)  # what was settled does not count again
            w.same_after_restart()
            assert "is settled" in await settle(w, cycle_id, "write-off")
            assert settled(w, cycle_id) == ("written off", "operator", "seen")
            w.same_after_restart()

    run_virtual(main())


def test_the_price_of_the_bound_is_within_the_collar(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            cycle_id = await residual(w)
            await settle(w, cycle_id, "flatten")
            (order,) = [order for order in w.binance.placed if order.purpose is Purpose.SETTLE]
            assert 2.1399 * 0.99 <= float(order.price) < 2.1399 * 0.99 + 0.0002  # one percent under the bid, never a bare market order

    run_virtual(main())


def test_the_console_trades_at_the_price_that_it_showed(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            cycle_id = await residual(w)
            controls = EngineControls(w.engine)
            (breach,) = [row for row in w.engine.breaches.breaches.values() if row.kind == "RESIDUAL"]
            (shown,) = [found for found in controls.ways(breach.id) if found.verb == "flatten"]
            assert (shown.cycle_id, shown.exchange, shown.asset, shown.possible) == (cycle_id, "binance", "XRP", True)
            w.quote("binance", ([(2.13, 500.0)], [(2.131, 500.0)]))  # worse, and within the bound that was shown
            told: asyncio.Future[str] = asyncio.get_running_loop().create_future()
            assert controls.settle(shown, "p", "seen", told.set_result) is None
            assert "at binance for 2.13 USDT" in await told
            (order,) = [order for order in w.binance.placed if order.purpose is Purpose.SETTLE]
            assert order.price == Decimal(shown.worst)
            assert controls.ways(breach.id) == []
            judge(w)

    run_virtual(main())


@pytest.mark.parametrize("worst", ["NaN", "sNaN", "-1", "0", "Infinity", "a lot"])
def test_a_request_with_nonsense_for_a_price_is_refused(tmp_path: Path, worst: str) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            cycle_id = await residual(w)
            request = {"verb": "settle", "how": "flatten", "cycle_id": cycle_id, "worst": worst, "confirm": "p", "reason": "x"}
            assert w.engine.operator.request(request) == {"refusal": f"worst {worst!r} is no price"}
            assert w.engine.operator.request({**request, "journal": "/elsewhere/journal.db"})["refusal"].startswith(
                "the engine that runs has"
            )
            assert w.engine.settler.open == {}

    run_virtual(main())
