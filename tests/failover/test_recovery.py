"""A run is cut off at every kind of moment; the next one must end what it left, exactly as the venues' fills say."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from arbtui.exchanges.adapter import OrderReport
from arbtui.exchanges.rate_limit import Lane
from arbtui.failover.snapshot import simulator_of
from arbtui.journal.events import BalanceOpened, CycleEnded, Event, FillRecorded, OrderChanged
from arbtui.journal.events import CycleState as S
from arbtui.journal.journal import Journal
from arbtui.model.errors import ArbtuiError, MarketUnknown, VenueFailed
from arbtui.model.order import Balance, Fill, OrderState
from arbtui.model.reason import Reason
from arbtui.model.virtual_loop import run_virtual
from arbtui.portfolio.ledger import read_ledger
from arbtui.portfolio.operator_events import adjustment
from arbtui.portfolio.restore import restore
from arbtui.portfolio.trading_state import TradingState
from arbtui.risk.breach import Severity
from arbtui.runtime.arming import unclean
from arbtui.runtime.startup import reconciler_of
from arbtui.simulation.faults import Fault, FaultKind
from tests.execution.world import FUNDS, UPBIT_DEAR, Levels, Venue, World, world
from tests.portfolio.auditing import audit

_LOST = Fault(FaultKind.REQUEST_LOST, 1e6)
#: The best bid takes 10 of the 46 that are sold.
_THIN: Levels = ([(3030.0, 10.0), (2900.0, 400.0)], [(3031.0, 400.0)])


class Cut(Exception):
    """The process is gone."""


def _cut_at(kind: type[Event], nth: int = 1) -> Callable[[Journal], None]:
    """Makes a journal whose nth record with an event of ``kind`` never happens, nor any after it."""

    def prepare(journal: Journal) -> None:
        record, seen = journal.record, 0

        def cut(*events: Event) -> Awaitable[None]:
            nonlocal seen
            seen += any(isinstance(event, kind) for event in events)
            if seen >= nth:
                raise Cut
            return record(*events)

        journal.record = cut  # type: ignore[method-assign]

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


def test_a_first_start_cut_between_two_venues_is_gone_on_with(tmp_path: Path) -> None:
    """What the second venue holds is its opening, not something that came from outside; also in a run that dies before its first marks."""

    async def main() -> None:
        with pytest.raises(Cut):
            async with world(tmp_path, on_journal=_cut_at(BalanceOpened, 2)):
                pass
        async with world(tmp_path) as w:
            assert w.reconciled.opened == ["binance"]
            assert w.portfolio.state.opening == {name: {k: v for k, v in held.items() if k != "ADA"} for name, held in FUNDS.items()}
            ledger = read_ledger(w.journal.path)
            assert ledger["adjustments"] == []
            assert audit(ledger)[0] == 0, audit(ledger)
            await asyncio.sleep(0.2)  # the marks of the start are taken
            await w.trade()
            ledger = read_ledger(w.journal.path)
            assert ledger["pnl"]["adjustments"] == "0"
            assert audit(ledger)[0] == 0, audit(ledger)
        async with world(tmp_path) as w:
            assert w.reconciled.opened == []
            w.agree()

    run_virtual(main())


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
        (_lose("upbit", "binance"), 0.3, UPBIT_DEAR, S.MISSED, 0),  # intent only
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
            assert w.reconciled.cycles == {ended: 1}
            assert (list(w.portfolio.open_orders), list(w.portfolio.open_cycles)) == ([], [])
            assert len(read_ledger(w.journal.path)["fills"]) == fills
            w.agree()
            assert w.reconciled.mismatches == []
            assert not w.upbit.asked
            assert not w.binance.asked  # nothing is hedged at a start: a person decides
            if ended is S.RESIDUAL:
                assert [cycle.id for cycle in w.portfolio.positions] == [cycle_id]
                assert w.engine.risk.total.unhedged == pytest.approx(abs(float(_net(w))) * 2.14, rel=0.02)
                kinds = [(breach.kind, breach.scope) for breach in w.engine.breaches.breaches.values()]
                assert kinds.count(("RESIDUAL", cycle_id)) == 1
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
            assert len(read_ledger(w.journal.path)["fills"]) == 2
            assert w.reconciled.mismatches == []
            earned = float(w.portfolio.value().so_far.realised)
            assert earned > 0.3
            w.engine.risk.total.measure()
            assert w.engine.risk.total.loss_today == pytest.approx(-earned)  # what recovery booked counts for the day too
            w.agree()

    run_virtual(main())


@pytest.mark.parametrize(("kind", "nth"), [(OrderChanged, 1), (OrderChanged, 2), (CycleEnded, 1)])
def test_f48_a_crash_in_the_midst_of_recovery_twice_changes_nothing(tmp_path: Path, kind: type[Event], nth: int) -> None:
    async def main() -> None:
        await _cut_off(tmp_path, _lose())
        for at in (nth, 1):
            with pytest.raises(Cut):
                async with world(tmp_path, on_journal=_cut_at(kind, at)):
                    pass
        async with world(tmp_path) as w:
            assert w.reconciled.cycles == {S.HEDGED: 1}
            assert len(read_ledger(w.journal.path)["fills"]) == 2
            assert w.reconciled.mismatches == []
            w.agree()

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
            assert len(read_ledger(w.journal.path)["fills"]) == 3
            w.agree()

    run_virtual(main())


def test_reconciling_again_does_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        await _cut_off(tmp_path, _lose("upbit"))
        async with world(tmp_path) as w:
            await asyncio.sleep(0.2)  # the marks of the start are taken
            before, live = w.journal.seq, w.portfolio.dump()
            again = await reconciler_of(w.components, 30.0).run()
            assert (again.orders, again.fills, again.cycles, again.mismatches) == (0, 0, {}, [])
            assert w.journal.seq == before
            assert w.portfolio.dump() == live
        async with world(tmp_path) as w:
            assert w.reconciled.cycles == {}
            assert [cycle.symbol for cycle in w.portfolio.positions] == ["XRP"]

    run_virtual(main())


def test_what_no_fill_explains_is_disputed_until_an_operator_takes_the_venues_word(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            await w.upbit.core._ledger.deposit("upbit", {"KRW": Decimal(-5000), "XRP": Decimal(7)}, "someone", 0)
        for _ in range(2):  # it stays so over a restart
            async with world(tmp_path) as w:
                assert {found.asset: found.theirs - found.ours for found in w.reconciled.mismatches} == {"KRW": -5000, "XRP": 7}
                assert w.portfolio.state.disputes["upbit"].keys() == {"KRW", "XRP"}
                w.show("upbit", UPBIT_DEAR)
                assert w.engine.risk.denials == {Reason.DISPUTED: 1}
        async with world(tmp_path) as w:
            assert w.engine.operator.adjust("upbit", "KRW", "q", "x") == "type the profile's name, p"
            assert w.engine.operator.adjust("upbit", "ETH", "p", "x") == "upbit disputes no balance of ETH"
            for asset in ("KRW", "XRP"):
                assert w.engine.operator.adjust("upbit", asset, "p", "someone moved it") is None
            assert w.engine.breaches.open == 0
            await asyncio.sleep(1)
            assert (await w.trade()).state is S.HEDGED
            w.agree()
        async with world(tmp_path) as w:
            assert w.reconciled.mismatches == []
            ledger = read_ledger(w.journal.path)
            assert [(row["asset"], row["change"], row["by"]) for row in ledger["adjustments"]] == [
                ("KRW", "-5000", "operator"),
                ("XRP", "7", "operator"),
            ]

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
            return replace(report, fills=()) if asked < 7 and report is not None else report

        def bend(venues: object) -> None:
            assert isinstance(venues, dict)
            venues["upbit"].bend_look_up = flaky

        before = asyncio.get_running_loop().time()
        async with world(tmp_path, on_open=bend) as w:
            assert asyncio.get_running_loop().time() - before > 6
            assert w.reconciled.cycles == {S.HEDGED: 1}
            assert len(read_ledger(w.journal.path)["fills"]) == 2

    run_virtual(main())


def test_an_order_that_may_still_arrive_is_not_absent(tmp_path: Path) -> None:
    async def main() -> None:
        await _cut_off(tmp_path, _lose("upbit", "binance"))

        def slow_proof(venues: object) -> None:
            assert isinstance(venues, dict)
            venues["upbit"].absence_proof_s = 20.0

        async with world(tmp_path, on_open=slow_proof) as w:
            reconciler = reconciler_of(w.components, 30.0)
            (unresolved,) = w.reconciled.unresolved
            assert (unresolved.scope, unresolved.disarms) == ("upbit:KRW-XRP", False)
            assert w.clock.monotonic() < 8, "the rest does not wait for the proof"
            (breach,) = [one for one in w.engine.breaches.breaches.values() if one.kind == "ORDER_UNRESOLVED"]
            assert breach.severity is Severity.WARN
            assert w.engine.state is TradingState.ARMED
            while w.portfolio.open_cycles:
                w.engine.on_resolved(await reconciler.again("r2"))
                await asyncio.sleep(1.0)
            assert 20 <= w.clock.monotonic() < 25
            assert w.portfolio.state.tally.outcomes[S.MISSED] == 1
            assert breach.id in w.engine.breaches.acknowledged, "it is over, and needs nobody"
            await asyncio.sleep(1.0)
            assert (await w.trade()).state is S.HEDGED
            w.agree()

    run_virtual(main())


def test_an_open_order_of_a_venue_that_the_profile_lost_leaves_the_run_disarmed_and_is_named(tmp_path: Path) -> None:
    async def main() -> None:
        await _cut_off(tmp_path, _lose())
        async with world(tmp_path, on_open=lambda venues: venues.pop("binance")) as w:  # type: ignore[attr-defined]
            (unresolved,) = w.reconciled.unresolved
            assert (unresolved.scope, unresolved.disarms) == ("binance:XRPUSDT", True)
            assert "exchanges.binance" in unresolved.action
            assert unclean(w.reconciled, live=False) != ""
            assert [breach.scope for breach in w.engine.breaches.breaches.values()] == ["binance:XRPUSDT"]
            assert [order.intent.exchange for order in w.portfolio.open_orders] == ["binance"]

    run_virtual(main())


def test_an_order_of_a_market_that_cannot_be_known_leaves_the_run_disarmed_without_a_wait(tmp_path: Path) -> None:
    """The venue does not list it any more: such a start used to wait for ever."""

    async def main() -> None:
        await _cut_off(tmp_path, _lose())

        def unlisted(venues: object) -> None:
            def bend(report: OrderReport | None) -> OrderReport | None:
                raise MarketUnknown("binance lists no XRPUSDT")

            assert isinstance(venues, dict)
            venues["binance"].bend_look_up = bend

        async with world(tmp_path, on_open=unlisted) as w:
            assert w.clock.monotonic() < 5
            (unresolved,) = w.reconciled.unresolved
            assert (unresolved.scope, unresolved.disarms) == ("binance:XRPUSDT", True)
            assert "binance lists no XRPUSDT" in unresolved.why
            assert "1 order that cannot be resolved (binance:XRPUSDT)" in unclean(w.reconciled, live=False)
            (breach,) = [one for one in w.engine.breaches.breaches.values() if one.kind == "ORDER_UNRESOLVED"]
            assert breach.severity is Severity.CRIT

    run_virtual(main())


def test_a_venue_that_stays_silent_holds_the_start_for_a_bounded_time_and_blocks_what_its_orders_touch_alone(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, symbols=("XRP", "ADA")) as w:
            w.show("upbit", UPBIT_DEAR)
            await asyncio.sleep(0.01)
            (cycle_id,) = w.engine.executor.open

        def silent(venues: object) -> None:
            def bend(report: OrderReport | None) -> OrderReport | None:
                raise VenueFailed("no answer")

            assert isinstance(venues, dict)
            venues["binance"].bend_look_up = bend

        async with world(tmp_path, symbols=("XRP", "ADA"), on_open=silent) as w:
            assert 25 < w.clock.monotonic() < 35
            (unresolved,) = w.reconciled.unresolved
            assert (unresolved.scope, unresolved.disarms) == ("binance:XRPUSDT", False)
            assert [cycle.id for cycle in w.portfolio.open_cycles] == [cycle_id], "it keeps what it had reserved"
            assert w.engine.state is TradingState.ARMED
            await asyncio.sleep(1)
            w.show("upbit", UPBIT_DEAR)
            w.show("upbit", UPBIT_DEAR, "ADA")
            assert [cycle.plan.route.symbol for cycle in w.engine.cycles.values()] == ["ADA"]
            await w.engine.executor.quiet.wait()

    run_virtual(main())


def test_one_look_up_that_misses_an_order_proves_nothing(tmp_path: Path) -> None:
    """A replica that lags says "not here" once; the fill that it missed used to be lost."""

    async def main() -> None:
        await _cut_off(tmp_path, _lose())
        await asyncio.sleep(60)
        misses = iter([True])

        def bend(venues: object) -> None:
            assert isinstance(venues, dict)
            venues["binance"].bend_look_up = lambda report: None if next(misses, False) else report

        async with world(tmp_path, on_open=bend) as w:
            assert w.reconciled.cycles == {S.HEDGED: 1}
            assert w.reconciled.mismatches == []
            w.agree()

    run_virtual(main())


def test_an_order_that_only_the_list_of_fills_knows_is_not_absent(tmp_path: Path) -> None:
    async def main() -> None:
        await _cut_off(tmp_path, _lose())
        await asyncio.sleep(60)

        def bend(venues: object) -> None:
            assert isinstance(venues, dict)
            venues["binance"].bend_look_up = lambda report: None

        async with world(tmp_path, on_open=bend) as w:
            (unresolved,) = w.reconciled.unresolved
            assert "list of fills names it" in unresolved.why
            assert not unresolved.disarms
            assert w.clock.monotonic() < 60 + 35  # the start did not wait for ever
            assert [cycle.symbol for cycle in w.portfolio.open_cycles] == ["XRP"]  # it keeps what it had reserved
            assert w.engine.state is TradingState.ARMED
            w.show("upbit", UPBIT_DEAR)
            assert w.engine.risk.denials == {}  # its asset is not even priced
            assert w.book("upbit") is not None
            venue = w.binance
            venue.bend_look_up = lambda report: report
            w.engine.on_resolved(await reconciler_of(w.components, 0.0).again("r2"))
            assert list(w.portfolio.open_cycles) == []
            await asyncio.sleep(1)
            assert (await w.trade()).state is S.HEDGED
            w.agree()

    run_virtual(main())


def test_fills_of_a_revived_order_are_booked_once_over_a_restart(tmp_path: Path) -> None:
    """An order of an ended cycle was open at a crash: its known fills used to be booked again."""

    async def main() -> None:
        async with world(tmp_path) as w:
            cycle = await w.trade()
            order = cycle.orders[0]
            w.journal.post(OrderChanged(order.client_order_id, OrderState.UNKNOWN, order.venue_order_id, order.filled_qty, "revived"))
        async with world(tmp_path) as w:
            assert w.reconciled.fills == 0
            assert w.reconciled.mismatches == []
            assert read_ledger(w.journal.path)["adjustments"] == []
            w.agree()

    run_virtual(main())


def test_a_coin_first_bought_just_before_a_crash_is_counted_once(tmp_path: Path) -> None:
    """The venue never held it, and the fill was not journaled: it used to be taken for stock, and booked as a fill as well."""

    async def main() -> None:
        funds = {"upbit": {"KRW": Decimal(3_000_000), "XRP": Decimal(1000)}, "binance": {"USDT": Decimal(2000)}}
        with pytest.raises(ExceptionGroup):
            async with world(tmp_path, funds=funds, on_journal=_cut_at(FillRecorded)) as w:
                await w.trade()
        async with world(tmp_path, funds=funds) as w:
            held = w.binance.core.balances()["XRP"].total
            assert held > 40
            assert w.portfolio.total("binance", "XRP") == held
            assert read_ledger(w.journal.path)["adjustments"] == []
            w.agree()

    run_virtual(main())


def test_orders_end_in_the_states_the_venue_tells(tmp_path: Path) -> None:
    async def main() -> None:
        await _cut_off(tmp_path, _lose("binance"), levels=_THIN)
        async with world(tmp_path) as w:
            ledger = read_ledger(w.journal.path)
            assert [(row["state"], row["reason"]) for row in ledger["orders"]] == [("REJECTED", "NOT_PLACED"), ("EXPIRED", "")]
            assert ledger["orders"][1]["filled_qty"] == "10"
            assert [row["source"] for row in ledger["fills"]] == ["recovery"]
            assert [row["qty"] for row in ledger["residuals"]] == ["-10"]

    run_virtual(main())


@pytest.mark.parametrize("payload", ["{}", '{"portfolio": 3}', '{"portfolio": {"seq": "x"}, "simulator": 3}'])
def test_a_snapshot_is_never_needed_to_start(tmp_path: Path, payload: str) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            await w.trade()
            live = w.portfolio.dump()
            await w.journal.snapshot(json.loads(payload))
        _, found = restore(tmp_path / "journal.db")
        assert {**found.dump(), "seq": 0, "marks": 0} == {**live, "seq": 0, "marks": 0}

    run_virtual(main())


def test_a_restart_goes_on_from_the_newest_snapshot(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            await w.trade()
            await w.engine.snapshot({"seed": 1})
            await asyncio.sleep(1)
            await w.trade()
            w.same_after_restart()
            state, _ = restore(w.journal.path)
            assert 0 < state.snapshot_seq < state.seq
            assert simulator_of(state.snapshot) == {"seed": 1}

    run_virtual(main())


async def _miss_a_fill(w: World) -> str:
    """The cycle of an order that counted as not placed, beyond all proof, and had filled."""
    w.binance.core.faults.add(Fault(FaultKind.ANSWER_LOST, 2.0))
    before = dict(await w.binance.fetch_balances())

    async def no_fills(since_ms: int, lane: Lane = Lane.DATA) -> list[Fill]:
        return []

    async def same_balances(lane: Lane = Lane.DATA) -> dict[str, Balance]:
        return before

    w.binance.bend_look_up = lambda _: None
    w.binance.fetch_fills, w.binance.fetch_balances = no_fills, same_balances  # type: ignore[method-assign]
    cycle = await w.trade()
    assert (cycle.state, cycle.orders[0].reason) == (S.HEDGED, "NOT_PLACED")  # bought once more to hedge
    return cycle.id


def test_a_fill_that_an_ended_order_had_while_nothing_ran_is_booked_and_no_dispute(tmp_path: Path) -> None:
    """The next start took it for somebody's trade: a loss that no cycle had."""

    async def main() -> None:
        async with world(tmp_path) as w:
            cycle_id = await _miss_a_fill(w)
        async with world(tmp_path) as w:
            assert (w.reconciled.fills, w.reconciled.mismatches, w.reconciled.residual) == (1, [], [cycle_id])
            assert unclean(w.reconciled, live=True).startswith("1 cycle ended RESIDUAL")
            (position,) = w.portfolio.positions
            assert w.portfolio.left(position) == {"XRP": Decimal("46.6533")}
            assert w.engine.risk.total.unhedged == pytest.approx(100, rel=0.02)
            w.agree()
        async with world(tmp_path) as w:
            assert w.reconciled.fills == 0
            w.agree()

    run_virtual(main())


def _tells_no_fills(venues: Mapping[str, Venue]) -> None:
    async def fails(since_ms: int, lane: Lane = Lane.DATA) -> list[Fill]:
        raise VenueFailed("binance: no fills today")

    venues["binance"].fetch_fills = fails  # type: ignore[method-assign]


def test_dust_and_what_is_first_seen_are_booked_without_asking_for_fills(tmp_path: Path) -> None:
    """They may be a query for each order of an hour, which a start does not wait for: it would end up with nothing read, and DISARMED."""

    async def main() -> None:
        async with world(tmp_path) as w:
            await w.trade()
            await w.binance.core._ledger.deposit("binance", {"XRP": Decimal("0.00001"), "DROP": Decimal(5)}, "came", 0)
        async with world(tmp_path, on_open=_tells_no_fills) as w:
            assert (w.reconciled.unread, w.reconciled.mismatches) == ({}, [])
            w.agree()

    run_virtual(main())


def test_a_fill_that_is_in_a_balance_that_a_person_has_taken_over_is_not_booked_on_top(tmp_path: Path) -> None:
    """The venue did not tell its fills at first; it does so at a later start, where something else differs."""

    async def main() -> None:
        async with world(tmp_path) as w:
            await _miss_a_fill(w)
        async with world(tmp_path, on_open=_tells_no_fills) as w:
            assert [one.asset for one in w.reconciled.mismatches] == ["USDT", "XRP"]
            for one in w.reconciled.mismatches:
                events = adjustment(w.portfolio, one.exchange, one.asset, "ann", "the venue is right")
                assert not isinstance(events, str)
                await w.journal.commit(*events)
            await w.binance.core._ledger.deposit("binance", {"USDT": Decimal(100)}, "paid in", 0)
        async with world(tmp_path) as w:
            assert w.reconciled.fills == 0
            told = await w.binance.fetch_balances()
            assert w.portfolio.total("binance", "XRP") == told["XRP"].total
            assert [one.theirs - one.ours for one in w.reconciled.mismatches] == [Decimal(100)]

    run_virtual(main())


def test_a_balance_that_differs_is_disputed_where_the_venue_does_not_tell_its_fills(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            await w.trade()
            await w.binance.core._ledger.deposit("binance", {"XRP": Decimal(-5)}, "gone", 0)

        async with world(tmp_path, on_open=_tells_no_fills) as w:
            assert [(one.exchange, one.asset) for one in w.reconciled.mismatches] == [("binance", "XRP")]
            assert w.reconciled.unread == {"binance": "binance: no fills today"}

    run_virtual(main())


def test_a_fill_that_a_look_up_tells_under_another_number_than_the_stream_is_not_booked_again(tmp_path: Path) -> None:
    def renumber(venues: Mapping[str, Venue]) -> None:
        def renumbered(report: OrderReport | None) -> OrderReport | None:
            if report is None:
                return None
            return replace(report, fills=tuple(replace(fill, trade_id=f"list {fill.trade_id}") for fill in report.fills))

        venues["upbit"].bend_look_up = renumbered

    def told_by_stream(w: World) -> None:
        def tell(report: OrderReport) -> OrderReport:
            w.engine.tracker.on_order(replace(report, state=OrderState.PARTIALLY_FILLED))
            raise ArbtuiError("no usable answer")

        w.upbit.bend = tell
        w.upbit.bend_look_up = lambda _: None

    async def main() -> None:
        await _cut_off(tmp_path, told_by_stream, 0.5, _THIN)
        async with world(tmp_path, on_open=renumber) as w:
            assert (w.reconciled.orders, w.reconciled.mismatches) == (1, [])
            assert len([row for row in read_ledger(w.journal.path)["fills"] if row["exchange"] == "upbit"]) == 1
            balances = {asset: balance.total for asset, balance in w.upbit.core.balances().items()}
            assert w.portfolio.differences("upbit", balances) == []

    run_virtual(main())


@pytest.mark.parametrize("ahead_ms", [0, 3_600_000])
def test_f57_a_clock_that_is_put_ahead_between_two_runs_makes_no_order_old_enough_to_be_absent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ahead_ms: int
) -> None:
    """An order of a second before, which the venue might execute yet, counted as never placed."""

    def put_ahead(venues: Mapping[str, Venue]) -> None:
        venues["upbit"].absence_proof_s = 20.0
        venues["upbit"].core._clock._epoch_ms += ahead_ms  # type: ignore[attr-defined]

    async def main() -> None:
        await _cut_off(tmp_path, _lose("upbit"))
        sent = asyncio.get_running_loop().time()
        monkeypatch.setattr(Venue, "clock_skew_ms", ahead_ms)
        async with world(tmp_path, on_open=put_ahead) as w:
            assert [one.scope for one in w.reconciled.unresolved] == ["upbit:KRW-XRP"]
            reconciler = reconciler_of(w.components, 30.0)
            while w.portfolio.open_orders:
                await reconciler.again("r2")
                await asyncio.sleep(1.0)
            assert 20 <= w.clock.monotonic() - sent < 25
            assert [cycle.reason for cycle in w.portfolio.positions] == ["RECOVERED"]

    run_virtual(main())
