"""A run is cut off at every kind of moment; the next one must end what it left, exactly as the venues' fills say."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from arbtui.exchanges.adapter import OrderReport
from arbtui.failover.reconciler import Reconciler
from arbtui.failover.snapshot import StateSnapshot
from arbtui.journal.events import CycleEnded, Event, FillRecorded, OrderChanged
from arbtui.journal.events import CycleState as S
from arbtui.journal.journal import Journal
from arbtui.model.errors import ArbtuiError, UsageError
from arbtui.model.order import OrderState
from arbtui.model.virtual_loop import run_virtual
from arbtui.simulation.faults import Fault, FaultKind
from tests.execution.world import UPBIT_DEAR, Levels, World, world

_LOST = Fault(FaultKind.REQUEST_LOST, 1e6)
#: The best bid takes 10 of the 46 that are sold.
_THIN: Levels = ([(3030.0, 10.0), (2900.0, 400.0)], [(3031.0, 400.0)])


class Cut(Exception):
    """The process is gone."""


def _cut_at(kind: type[Event], nth: int = 1) -> Callable[[Journal], None]:
    """Makes a journal whose nth commit with an event of ``kind`` never happens, nor any after it."""

    def prepare(journal: Journal) -> None:
        commit, seen = journal.commit, 0

        async def cut(*events: Event) -> None:
            nonlocal seen
            seen += any(isinstance(event, kind) for event in events)
            if seen >= nth:
                raise Cut
            await commit(*events)

        journal.commit = cut  # type: ignore[method-assign]

    return prepare


async def _cut_off(folder: Path, prepare: Callable[[World], None], after_s: float = 0.01, levels: Levels = UPBIT_DEAR) -> str:
    """A run that opens one cycle and ends ``after_s`` later without a word; what had left still arrives at the venues."""
    async with world(folder) as w:
        prepare(w)
        w.show("upbit", UPBIT_DEAR)
        await asyncio.sleep(0.001)
        w.quote("upbit", levels)
        await asyncio.sleep(after_s)
        (cycle_id,) = w.engine.executor.open
    return cycle_id


def _lose(*venues: str) -> Callable[[World], None]:
    def prepare(w: World) -> None:
        for name in venues:
            w.venues[name].core.faults.add(_LOST)

    return prepare


def _net(w: World) -> Decimal:
    """XRP won or lost at both venues together since the beginning."""
    return sum((venue.core.balances()["XRP"].total for venue in w.venues.values()), Decimal(0)) - 2000


@pytest.mark.parametrize(
    ("prepare", "after_s", "levels", "ended", "fills"),
    [
        (_lose("upbit", "binance"), 0.3, UPBIT_DEAR, S.UNWOUND, 0),  # intent only
        (_lose(), 0.01, UPBIT_DEAR, S.HEDGED, 2),  # filled, and no answer came
        (_lose("upbit"), 0.01, UPBIT_DEAR, S.RESIDUAL, 1),  # one leg
        (_lose("binance"), 0.01, UPBIT_DEAR, S.RESIDUAL, 1),
        (_lose("upbit"), 0.9, UPBIT_DEAR, S.RESIDUAL, 1),  # one leg answered and booked, one never placed
        (_lose("upbit"), 1.1, UPBIT_DEAR, S.RESIDUAL, 1),  # and known to be unknown
        (_lose(), 0.01, _THIN, S.RESIDUAL, 2),  # partial
    ],
)
def test_a_cycle_ends_as_its_fills_say(
    tmp_path: Path, prepare: Callable[[World], None], after_s: float, levels: Levels, ended: S, fills: int
) -> None:
    async def main() -> None:
        cycle_id = await _cut_off(tmp_path, prepare, after_s, levels)
        async with world(tmp_path) as w:
            assert [cycle.cycle_id for cycle in w.remembered.open_cycles] == [cycle_id]
            assert w.reconciled.cycles == {ended: 1}
            state = w.journal.load()
            assert (state.fills, state.open_orders, state.open_cycles) == (fills, [], [])
            told = [fill for venue in w.venues.values() for fill in venue.core.fills_since(0)]
            assert len(told) == fills
            for name, venue in w.venues.items():
                assert {asset: state.balances[name, asset].total for asset in venue.core.balances()} == {
                    asset: balance.total for asset, balance in venue.core.balances().items()
                }
            assert w.reconciled.mismatches == []
            assert not w.upbit.asked
            assert not w.binance.asked  # nothing is hedged at a start: a person decides
            if ended is S.RESIDUAL:
                assert w.engine.risk.route.residual == {"XRP": cycle_id}
                assert w.engine.risk.total.unhedged == pytest.approx(abs(float(_net(w))) * 2.14, rel=0.02)
                kinds = [(breach.kind, breach.scope) for breach in w.engine.breaches.breaches.values()]
                assert kinds.count(("RESIDUAL", "XRP")) == 1
            else:
                assert abs(_net(w)) < Decimal("0.1")
                assert w.engine.risk.total.unhedged == 0
                await asyncio.sleep(1)
                assert (await w.trade()).state is S.HEDGED  # and life goes on

    run_virtual(main())


@pytest.mark.parametrize(
    ("kind", "nth", "ended"),
    [(OrderChanged, 1, S.HEDGED), (OrderChanged, 2, S.HEDGED), (FillRecorded, 1, S.HEDGED), (CycleEnded, 1, S.HEDGED)],
)
def test_a_run_cut_off_between_two_commits(tmp_path: Path, kind: type[Event], nth: int, ended: S) -> None:
    async def main() -> None:
        with pytest.raises(ExceptionGroup):
            async with world(tmp_path, on_journal=_cut_at(kind, nth)) as w:
                await w.trade()
        async with world(tmp_path) as w:
            assert w.reconciled.cycles == {ended: 1}
            assert w.journal.load().fills == 2
            assert w.reconciled.mismatches == []
            (earned, again) = (w.journal.load().pnl, w.engine.risk.total.pnl_day)
            assert again == pytest.approx(float(earned["USDT"]["total"]))  # what recovery booked counts for the day too

    run_virtual(main())


@pytest.mark.parametrize(("kind", "nth"), [(OrderChanged, 1), (OrderChanged, 2), (CycleEnded, 1)])
def test_a_crash_in_the_midst_of_recovery_twice_changes_nothing(tmp_path: Path, kind: type[Event], nth: int) -> None:
    async def main() -> None:
        await _cut_off(tmp_path, _lose())
        for at in (nth, 1):
            with pytest.raises(Cut):
                async with world(tmp_path, on_journal=_cut_at(kind, at)):
                    pass
        async with world(tmp_path) as w:
            assert w.reconciled.cycles == {S.HEDGED: 1}
            assert w.journal.load().fills == 2
            assert w.reconciled.mismatches == []
            for name, venue in w.venues.items():
                assert w.components.positions.inventory.differences(name, venue.core.balances()) == []

    run_virtual(main())


def test_fills_that_were_booked_before_the_crash_are_not_booked_again(tmp_path: Path) -> None:
    async def main() -> None:
        two_levels: Levels = ([(3030.0, 10.0), (3029.0, 400.0)], [(3031.0, 400.0)])
        async with world(tmp_path) as w:
            w.upbit.bend = lambda report: replace(report, fills=report.fills[:1])
            w.upbit.bend_look_up = lambda report: None if report is None else replace(report, fills=report.fills[:1])
            w.show("upbit", two_levels)
            await asyncio.sleep(5)
            (cycle,) = w.engine.executor.open.values()
            assert cycle.orders[1].state is OrderState.UNKNOWN
            assert len(cycle.fills) == 2  # one of each venue; the sale's second is still to come
        async with world(tmp_path) as w:
            assert w.reconciled.fills == 1
            assert w.reconciled.cycles == {S.HEDGED: 1}
            assert w.reconciled.mismatches == []
            assert w.journal.load().fills == 3

    run_virtual(main())


def _reconciler(w: World) -> Reconciler:
    markets = {(market.exchange, market.code): market for market in w.components.universe.markets}
    return Reconciler(adapters=w.venues, markets=markets, positions=w.components.positions, journal=w.journal, clock=w.clock)


def test_reconciling_again_does_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        await _cut_off(tmp_path, _lose("upbit"))
        async with world(tmp_path) as w:
            before, totals = w.journal.seq, w.components.positions.inventory.totals()
            again = await _reconciler(w).run(w.journal.load())
            assert (again.orders, again.fills, again.cycles, again.mismatches) == (0, 0, {}, [])
            assert w.journal.seq == before
            assert w.components.positions.inventory.totals() == totals
        async with world(tmp_path) as w:
            assert w.reconciled.cycles == {}
            assert list(w.engine.risk.route.residual) == ["XRP"]

    run_virtual(main())


def test_what_no_fill_explains_is_adjusted_to_the_venues_word_and_told(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            await w.upbit.core._ledger.deposit("upbit", {"KRW": Decimal(-5000), "XRP": Decimal(7)}, "someone", 0)
        async with world(tmp_path) as w:
            assert {found.asset: found.theirs - found.ours for found in w.reconciled.mismatches} == {"KRW": -5000, "XRP": 7}
            assert len(w.engine.breaches.breaches) == 2
            w.agree()
        async with world(tmp_path) as w:
            assert w.reconciled.mismatches == []

    run_virtual(main())


def test_a_venue_that_does_not_answer_holds_the_start_until_it_does(tmp_path: Path) -> None:
    async def main() -> None:
        await _cut_off(tmp_path, _lose())
        asked = 0

        def flaky(report: OrderReport | None) -> OrderReport | None:
            nonlocal asked
            asked += 1
            if asked < 5:
                raise ArbtuiError("503")
            # Then it knows the order's end, but not yet its fills.
            return replace(report, fills=()) if asked < 8 and report is not None else report

        def bend(venues: object) -> None:
            assert isinstance(venues, dict)
            venues["upbit"].bend_look_up = flaky

        before = asyncio.get_running_loop().time()
        async with world(tmp_path, on_open=bend) as w:
            assert asyncio.get_running_loop().time() - before > 6
            assert w.reconciled.cycles == {S.HEDGED: 1}
            assert w.journal.load().fills == 2

    run_virtual(main())


def test_an_order_that_may_still_arrive_is_not_absent(tmp_path: Path) -> None:
    async def main() -> None:
        await _cut_off(tmp_path, _lose("upbit", "binance"))

        def slow_proof(venues: object) -> None:
            assert isinstance(venues, dict)
            venues["upbit"].absence_proof_s = 20.0

        async with world(tmp_path, on_open=slow_proof) as w:
            assert w.clock.monotonic() >= 20
            assert w.reconciled.cycles == {S.UNWOUND: 1}

    run_virtual(main())


def test_an_open_order_of_a_venue_that_the_profile_lost_is_the_operators_to_mend(tmp_path: Path) -> None:
    async def main() -> None:
        await _cut_off(tmp_path, _lose())
        with pytest.raises(UsageError, match=r"exchanges\.binance"):
            async with world(tmp_path, on_open=lambda venues: venues.pop("binance")):  # type: ignore[attr-defined]
                pass

    run_virtual(main())


def test_orders_end_in_the_states_the_venue_tells(tmp_path: Path) -> None:
    async def main() -> None:
        await _cut_off(tmp_path, _lose("binance"), levels=_THIN)
        async with world(tmp_path) as w:
            (cycle,) = w.journal.load().residual_cycles
            assert [(order.state, order.reason) for order in cycle.orders] == [
                (OrderState.REJECTED, "NOT_PLACED"),
                (OrderState.EXPIRED, ""),
            ]
            assert cycle.orders[1].filled_qty == 10
            assert [row.source for row in cycle.fills] == ["recovery"]

    run_virtual(main())


@pytest.mark.parametrize("payload", [None, {}, {"marks": None}, {"marks": {"XRP": "rubbish", "ADA": None}}, {"simulator": 3, "marks": [1]}])
def test_a_snapshot_is_never_needed_to_start(payload: dict[str, object] | None) -> None:
    assert StateSnapshot.of(payload) == StateSnapshot()


def test_a_snapshot_comes_back_as_it_went() -> None:
    snapshot = StateSnapshot({"seed": 1}, {"XRP": Decimal("2.1400")})
    assert StateSnapshot.of(snapshot.payload()) == snapshot
