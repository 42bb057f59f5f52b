"""A fill that nobody told before its order counted as ended: the next start books it, and says how its cycle stands then."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from arbtui.exchanges.adapter import StandingOrder
from arbtui.exchanges.rate_limit import Lane
from arbtui.journal.events import Adjusted, CycleEnded, CycleState, Event, FillRecorded, OrderChanged, OrderIntended, RunStarted
from arbtui.journal.journal import Journal
from arbtui.journal.known_orders import KnownOrder, known_order
from arbtui.journal.open_items import adjusted_at, is_taken_over, last_intended
from arbtui.journal.reader import events, reading
from arbtui.model.order import Balance, Fill, OrderState, Side
from arbtui.model.virtual_loop import run_virtual
from arbtui.portfolio.operator_events import adjustment
from arbtui.runtime.arming import unclean
from arbtui.simulation.faults import Fault, FaultKind
from tests.execution.world import Venue, world
from tests.failover.test_recovery import Cut, _cut_at, _cut_off, _lose
from tests.journal.synthetic import SyntheticRun
from tests.portfolio.archived import _snapshot, archive, grow, with_journal
from tests.portfolio.recorded import record
from tests.portfolio.telling import fill_of


async def _hide(venue: Venue) -> Callable[[], None]:
    """The venue's next order fills, and neither its answer nor anything that is asked for shows it; gives what shows it again."""
    venue.core.faults.add(Fault(FaultKind.ANSWER_LOST, 2.0))
    before = dict(await venue.fetch_balances())

    async def no_fills(since_ms: int, lane: Lane = Lane.DATA) -> list[Fill]:
        return []

    async def same_balances(lane: Lane = Lane.DATA) -> dict[str, Balance]:
        return before

    told = (venue.bend_look_up, venue.fetch_fills, venue.fetch_balances)
    venue.bend_look_up = lambda _: None
    venue.fetch_fills, venue.fetch_balances = no_fills, same_balances  # type: ignore[method-assign]

    def show() -> None:
        venue.bend_look_up, venue.fetch_fills, venue.fetch_balances = told  # type: ignore[method-assign]

    return show


def _archive_all(path: Path, parts: int = 1) -> None:
    """Everything that may go is in archives, and no order of ours has a row."""
    with_journal(path, _snapshot)
    with reading(path) as db:
        (last,) = db.execute("SELECT max(seq) FROM event").fetchone()
    with_journal(path, _snapshot)
    assert archive(path, keep=0, portion=(last - 1) // parts) >= parts
    with reading(path) as db:
        assert db.execute("SELECT count(*) FROM order_").fetchone()[0] == 0


def test_it_is_booked_when_every_order_of_the_venue_has_been_archived(tmp_path: Path) -> None:
    """The start found no last order to begin with, asked for no fills, and disputed the balance."""

    async def miss() -> None:
        async with world(tmp_path) as w:
            await _hide(w.binance)
            assert (await w.trade()).state is CycleState.HEDGED

    expected: list[Collection[str]] = []

    def watch(venues: Mapping[str, Venue]) -> None:
        venues["binance"].expect_fills = expected.append  # type: ignore[assignment, method-assign]

    async def find() -> None:
        async with world(tmp_path, on_open=watch) as w:
            assert [set(assets) for assets in expected] == [{"USDT", "XRP"}], "so a venue with many markets knows where to look"
            assert (w.reconciled.fills, w.reconciled.mismatches) == (1, [])
            assert len(w.reconciled.residual) == 1
            assert [w.portfolio.left(one) for one in w.portfolio.positions] == [{"XRP": Decimal("46.6533")}]
            w.agree()
        async with world(tmp_path) as w:
            assert w.reconciled.fills == 0
            w.agree()

    run_virtual(miss())
    _archive_all(tmp_path / "journal.db")
    run_virtual(find())


def test_archives_are_read_beside_the_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty of them hold up the loop, and every task of the start with it, for a second."""
    read: list[tuple[str, bool]] = []
    is_aside = False

    def beside(journal: Journal) -> None:
        usual = journal.aside

        async def aside(work: Callable[[], Any]) -> Any:
            nonlocal is_aside
            is_aside = True
            try:
                return await usual(work)
            finally:
                is_aside = False

        journal.aside = aside  # type: ignore[method-assign]

    for reads in (last_intended, known_order):

        def watched(*given: Any, reads: Callable[..., Any] = reads) -> Any:
            read.append((reads.__name__, is_aside))
            return reads(*given)

        monkeypatch.setattr(f"arbtui.failover.reconciler.{reads.__name__}", watched)

    async def miss() -> None:
        async with world(tmp_path) as w:
            await _hide(w.binance)
            await w.trade()

    async def find() -> None:
        async with world(tmp_path, on_journal=beside) as w:
            assert w.reconciled.fills == 1

    run_virtual(miss())
    _archive_all(tmp_path / "journal.db")
    run_virtual(find())
    assert read[0] == ("last_intended", True)
    assert set(read) == {("last_intended", True), ("known_order", True)}


def test_a_fill_that_was_booked_meanwhile_is_not_booked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the journal was looked through beside the loop, the venue's stream told it."""
    booked: list[Fill] = []

    def late(journal: Journal) -> None:
        usual = journal.aside

        async def aside(work: Callable[[], Any]) -> Any:
            found = await usual(work)
            if isinstance(found, KnownOrder) and not found.is_booked and not booked:
                (fill,) = [one for one in asked if one.client_order_id == found.client_order_id]
                booked.append(fill)
                await journal.commit(FillRecorded(fill, found.cycle_id, found.leg, "stream", 0, {}))
            return found

        journal.aside = aside  # type: ignore[method-assign]

    asked: list[Fill] = []

    def watch(venues: Mapping[str, Venue]) -> None:
        usual = venues["binance"].fetch_fills

        async def fetch_fills(since_ms: int, lane: Lane = Lane.DATA) -> list[Fill]:
            asked[:] = await usual(since_ms, lane)
            return asked

        venues["binance"].fetch_fills = fetch_fills  # type: ignore[method-assign]

    async def miss() -> None:
        async with world(tmp_path) as w:
            await _hide(w.binance)
            await w.trade()

    async def find() -> None:
        async with world(tmp_path, on_open=watch, on_journal=late) as w:
            assert len(booked) == 1
            assert w.reconciled.fills == 0
            w.agree()

    run_virtual(miss())
    run_virtual(find())


def test_what_a_person_has_taken_over_is_not_booked_on_top_when_that_was_archived(tmp_path: Path) -> None:
    """The word of a person was looked for among the events, which an archive takes away: the fill was booked twice."""

    async def miss() -> None:
        async with world(tmp_path) as w:
            await _hide(w.binance)
            await w.trade()

    async def nothing(since_ms: int, lane: Lane = Lane.DATA) -> list[Fill]:
        return []

    def tell_nothing(venues: Mapping[str, Venue]) -> None:
        venues["binance"].fetch_fills = nothing  # type: ignore[method-assign]

    async def take_over() -> None:
        async with world(tmp_path, on_open=tell_nothing) as w:
            assert [one.asset for one in w.reconciled.mismatches] == ["USDT", "XRP"]
            for one in w.reconciled.mismatches:
                taken = adjustment(w.portfolio, one.exchange, one.asset, "ann", "the venue is right")
                assert not isinstance(taken, str)
                await w.journal.commit(*taken)
            await w.binance.core._ledger.deposit("binance", {"USDT": Decimal(100)}, "paid in", 0)

    async def find() -> None:
        async with world(tmp_path) as w:
            assert w.reconciled.fills == 0
            assert [(one.asset, one.theirs - one.ours) for one in w.reconciled.mismatches] == [("USDT", Decimal(100))]

    run_virtual(miss())
    run_virtual(take_over())
    _archive_all(tmp_path / "journal.db")
    run_virtual(find())


def test_the_last_order_and_what_was_taken_over_are_known_from_archives(tmp_path: Path) -> None:
    path, run = tmp_path / "sim" / "journal.db", SyntheticRun()
    taken = [
        Adjusted("binance", "ABC", Decimal(1), "the venue is right", "operator", "ann"),
        Adjusted("upbit", "KRW", Decimal(1), "", "dust"),
    ]
    record(path, run.start(), taken)
    grow(path, 0, 60, run)
    whole = {name: (last_intended(path, name), adjusted_at(path, name)) for name in ("binance", "upbit", "bithumb")}
    assert whole["binance"][1].keys() == {"ABC"}
    assert (whole["upbit"][1], whole["bithumb"]) == ({}, (None, {}))
    _archive_all(path)
    assert {name: (last_intended(path, name), adjusted_at(path, name)) for name in whole} == whole
    record(path, run.cycle(60), step_ms=1000)
    with reading(path) as db:
        newest = {row[0]: row[1] for row in db.execute("SELECT exchange, intended_ms FROM order_")}
    assert {name: last_intended(path, name) for name in newest} == newest
    assert len(newest) == 2


def test_an_archived_order_is_found_by_a_number_that_another_venue_uses_too(tmp_path: Path) -> None:
    """The first order with that number was looked at alone, whatever its venue: a fill of the other one was nobody's."""
    path, run = tmp_path / "sim" / "journal.db", SyntheticRun()
    numbered = [msgspec.structs.replace(one, venue_order_id="77") if isinstance(one, OrderChanged) else one for one in run.cycle(0)]
    record(path, run.start(), numbered)
    grow(path, 1, 60, run)
    _archive_all(path)
    for exchange, own in (("binance", "r1-0-0"), ("upbit", "r1-0-1")):
        found = known_order(path, exchange, "", "77")
        assert found is not None
        assert found.client_order_id == own
    assert known_order(path, "bithumb", "", "77") is None


def test_a_cycle_that_it_makes_flat_ends_flat_and_keeps_no_start_from_arming(tmp_path: Path) -> None:
    """The cycle had ended RESIDUAL a moment before, and went on counting as that: live stayed DISARMED for a position that was none."""

    async def crash() -> None:
        async with world(tmp_path, on_journal=_cut_at(OrderIntended, 2)) as w:  # before the order that would hedge
            await _hide(w.binance)
            await w.trade()

    async def main() -> None:
        with pytest.raises(ExceptionGroup) as cut:
            await crash()
        assert isinstance(cut.value.exceptions[0], Cut)
        async with world(tmp_path) as w:
            assert w.reconciled.fills == 1
            assert (w.reconciled.cycles, w.reconciled.residual) == ({CycleState.HEDGED: 1}, [])
            assert unclean(w.reconciled, live=True) == ""
            assert w.portfolio.positions == []
            w.agree()

    run_virtual(main())


def test_an_ended_cycle_that_an_open_order_s_fill_leaves_one_sided_waits_for_a_person(tmp_path: Path) -> None:
    """Only cycles that were open counted: live armed itself beside a position that nobody had seen."""

    async def main() -> None:
        async with world(tmp_path) as w:
            show = await _hide(w.binance)
            cycle = await w.trade()
            missed = cycle.orders[0]
            assert missed.reason == "NOT_PLACED"
            w.journal.post(OrderChanged(missed.client_order_id, OrderState.UNKNOWN, "", Decimal(0), "revived"))
            show()
        async with world(tmp_path) as w:
            assert (w.reconciled.fills, w.reconciled.residual) == (1, [cycle.id])
            assert unclean(w.reconciled, live=True).startswith("1 cycle ended RESIDUAL")
            w.agree()
            with reading(w.journal.path) as db:
                sources = [one.event.source for one in events(db) if isinstance(one.event, FillRecorded)]
            assert sources.count("recovery") == 1

    run_virtual(main())


def test_an_archived_order_that_stands_at_a_venue_whose_lists_name_no_ids_of_ours_is_ours(tmp_path: Path) -> None:
    """It was known by the newest rows of a table alone: archived, it counted as a stranger's, was left standing and told nowhere."""
    standing: list[StandingOrder] = []
    numbers: dict[str, str] = {}
    expected: list[tuple[str, str, str]] = []

    async def trade() -> None:
        async with world(tmp_path) as w:
            cycle = await w.trade()
            numbers.update({order.venue_order_id: order.client_order_id for order in cycle.orders if order.market.exchange == "binance"})
            assert {order.venue_order_id for order in cycle.orders} == set(numbers), "the other venue's order has the same number"
            standing.extend(StandingOrder("XRPUSDT", "", number) for number in (*numbers, "999999"))

    async def listed() -> list[StandingOrder]:
        return list(standing)

    async def cancel(order: StandingOrder) -> None:
        standing.remove(StandingOrder(order.code, "", order.venue_order_id))

    def names_none(venues: Mapping[str, Venue]) -> None:
        venue = venues["binance"]
        venue.capabilities = replace(venue.capabilities, lists_name_our_ids=False)
        venue.list_standing, venue.cancel_standing = listed, cancel  # type: ignore[method-assign]
        venue.expect = lambda *order: expected.append(order)  # type: ignore[method-assign]

    async def start() -> None:
        async with world(tmp_path, on_open=names_none) as w:
            ((number, own),) = numbers.items()
            assert [(one.order.client_order_id, one.order.venue_order_id, one.is_gone) for one in w.reconciled.orphans] == [
                (own, number, True)
            ]
            assert [one.client_order_id for one in w.reconciled.foreign] == [""]
            assert expected == [("XRPUSDT", own, number)], "the adapter names it in later lists"

    run_virtual(trade())
    _archive_all(tmp_path / "journal.db")
    run_virtual(start())


def _cut_after(kind: type[Event]) -> Callable[[Journal], None]:
    """Makes a journal that takes nothing any more once it has recorded an event of ``kind``."""

    def prepare(journal: Journal) -> None:
        record, is_over = journal.record, False

        def cut(*made: Event) -> Awaitable[None]:
            nonlocal is_over
            if is_over:
                raise Cut
            is_over = any(isinstance(event, kind) for event in made)
            return record(*made)

        journal.record = cut  # type: ignore[method-assign]

    return prepare


@pytest.mark.parametrize("kind", [FillRecorded, CycleEnded])
@pytest.mark.parametrize("cuts", [1, 2])
def test_a_position_that_a_start_found_is_told_by_the_next_one_where_that_start_died_before_it_armed(
    tmp_path: Path, kind: type[Event], cuts: int
) -> None:
    """The journal held it by then, so the next start found nothing, and live armed beside a position that nobody had seen."""

    async def main() -> None:
        if kind is FillRecorded:
            async with world(tmp_path) as w:
                await _hide(w.binance)
                cycle_id = (await w.trade()).id
        else:
            cycle_id = await _cut_off(tmp_path, _lose("upbit"))
        with pytest.raises((Cut, ExceptionGroup)):
            async with world(tmp_path, on_journal=_cut_after(kind)):
                pass
        for _ in range(cuts - 1):
            with pytest.raises((Cut, ExceptionGroup)):
                async with world(tmp_path, on_journal=_cut_after(RunStarted)):
                    pass
        async with world(tmp_path) as w:
            assert (w.reconciled.fills, w.reconciled.residual) == (0, [cycle_id])
            assert not w.reconciled.is_nothing
            assert unclean(w.reconciled, live=True).startswith("1 cycle ended RESIDUAL")
            assert [row.scope for row in w.engine.breaches.breaches.values() if row.kind == "RESIDUAL"] == [cycle_id]
        async with world(tmp_path) as w:
            assert w.reconciled.is_nothing, "it has been told, and is a position like any other"

    run_virtual(main())


@pytest.mark.parametrize(("ts_event", "held"), [(0, False), (1, True), (500, True), (501, False)])
@pytest.mark.parametrize("asset", ["XRP", "KRW", "ADA"])
def test_a_balance_that_was_adjusted_holds_the_fills_before_it_and_none_whose_time_nobody_tells(
    asset: str, ts_event: int, held: bool
) -> None:
    fill = replace(fill_of("upbit", Side.BUY, Decimal(10), Decimal(3000), "t1"), ts_event=ts_event)
    assert is_taken_over(fill, {asset: 500}) is (held and asset != "ADA")
