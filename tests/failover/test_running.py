"""The comparison with the venues while a run goes on: its cadences, what it finds, and what it does where a venue does not answer."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from arbtui.exchanges.rate_limit import Lane, RateLimit, VenueLimits
from arbtui.exchanges.rate_limits import RateLimitManager
from arbtui.execution.account_sync import AccountSync
from arbtui.failover.config import ReconcileConfig
from arbtui.failover.reconcile_report import Check, CheckRecord, ReconcileReport
from arbtui.failover.running import RunningReconciler
from arbtui.journal.events import AccountsReconciled, CycleState, decode
from arbtui.journal.reader import reading
from arbtui.model.clock import Clock
from arbtui.model.errors import VenueFailed
from arbtui.model.order import Balance, OrderState
from arbtui.model.virtual_loop import run_virtual
from arbtui.portfolio.ledger import read_ledger
from arbtui.simulation.faults import Fault, FaultKind
from tests.execution.world import UPBIT_DEAR, World, world

#: What :func:`counted` counts of each check.
ASKS = {Check.TRADES: "fetch_fills", Check.OPEN_ORDERS: "fetch_open_orders", Check.BALANCES: "fetch_balances"}


def counted(w: World, name: str) -> dict[Check, list[tuple[float, Lane]]]:
    """From now on, when and in which lane each question is put to a venue."""
    asked: dict[Check, list[tuple[float, Lane]]] = {check: [] for check in ASKS}
    for check, method in ASKS.items():
        real: Callable[..., Any] = getattr(w.venues[name], method)

        async def ask(*args: Any, check: Check = check, real: Callable[..., Any] = real) -> Any:
            asked[check].append((w.clock.monotonic(), args[-1]))
            return await real(*args)

        setattr(w.venues[name], method, ask)
    return asked


def reconciler(w: World, config: ReconcileConfig) -> RunningReconciler:
    """Without streams, as over venues that are played here."""
    accounts = {name: AccountSync(venue, w.engine.tracker, w.engine.sync, w.clock, None) for name, venue in w.venues.items()}
    return RunningReconciler(accounts, w.engine.tracker, w.engine.sync, w.journal, w.clock, config, on_silent=w.engine.on_silent)


async def during(one: RunningReconciler, seconds: float) -> None:
    task = asyncio.create_task(one.run())
    await asyncio.sleep(seconds)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def journaled(w: World) -> list[AccountsReconciled]:
    with reading(w.journal.path) as db:
        rows = db.execute("SELECT payload FROM event WHERE type = 'AccountsReconciled' ORDER BY seq").fetchall()
    events = [decode("AccountsReconciled", 1, row[0]) for row in rows]
    return [event for event in events if isinstance(event, AccountsReconciled)]


@pytest.mark.parametrize(("check", "every_s"), [(Check.OPEN_ORDERS, 5.0), (Check.TRADES, 10.0), (Check.BALANCES, 30.0)])
def test_each_check_has_its_own_cadence_and_the_lowest_lane(check: Check, every_s: float, tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            asked = counted(w, "upbit")
            one = reconciler(w, ReconcileConfig())
            began = w.clock.monotonic()
            await during(one, 299.0)
            times = [at - began for at, _ in asked[check]]
            assert times == pytest.approx([every_s * n for n in range(1, len(times) + 1)], abs=0.5)
            assert len(times) in (int(299 / every_s), int(299 / every_s) - 1)
            assert {lane for _, lane in asked[check]} == {Lane.CHECK}
            record = one.report.records["upbit", check]
            assert (record.done, record.failed, record.found) == (len(times), 0, 0)
            assert not record.is_behind
            assert journaled(w) == [], "nothing differed, so nothing is journaled"

    run_virtual(main())


def test_what_a_connection_asks_for_waits_for_no_more_room_than_an_entry(tmp_path: Path) -> None:
    """Nothing opens there before it is answered: in the last lane a start that followed others waited for the minute's end."""

    async def main() -> None:
        async with world(tmp_path) as w:
            asked = counted(w, "upbit")
            one = reconciler(w, ReconcileConfig())
            account = one._accounts["upbit"]
            catching_up = asyncio.create_task(one._catch_up(account))
            account.on_reconnected("upbit")
            await asyncio.sleep(3.0)
            catching_up.cancel()
            assert all(asked[check] for check in (Check.TRADES, Check.OPEN_ORDERS, Check.BALANCES))
            assert {lane for times in asked.values() for _, lane in times} == {Lane.ENTRY}

    run_virtual(main())


def test_the_profile_sets_the_cadences(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            asked = counted(w, "binance")
            await during(reconciler(w, ReconcileConfig(open_orders_s=60.0, trades_s=30.0, balances_s=20.0)), 125.0)
            assert {check: len(times) for check, times in asked.items()} == {Check.OPEN_ORDERS: 2, Check.TRADES: 4, Check.BALANCES: 6}

    run_virtual(main())


def test_the_full_report_compares_everything_once_more_with_trades_back_to_the_last_one(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            since: list[int] = []
            real = w.upbit.fetch_fills

            async def fetch_fills(since_ms: int, lane: Lane = Lane.DATA) -> Any:
                since.append(w.clock.time_ms() - since_ms)
                return await real(since_ms, lane)

            w.upbit.fetch_fills = fetch_fills  # type: ignore[method-assign]
            one = reconciler(w, ReconcileConfig())
            await during(one, 905.0)
            back = [ms for ms in since if ms > 200_000]
            assert len(back) == 3, "at 300, 600 and 900 s"
            assert back[-1] == pytest.approx(360_000, abs=1_000)
            assert one.report.reported_ms is not None

    run_virtual(main())


def test_an_order_whose_end_is_not_known_is_looked_up_every_two_seconds(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            one = reconciler(w, ReconcileConfig())  # it does not run: what is seen here is the tracker's own
            w.upbit.core.faults.add(Fault(FaultKind.REQUEST_LOST, 0.5))
            w.upbit.absence_proof_s = 40.0
            w.show("upbit", UPBIT_DEAR)
            await asyncio.sleep(30)
            times = [at for at, _ in w.upbit.look_ups]
            later = [b - a for a, b in pairwise(times) if a - times[0] > 5]
            assert len(later) > 8
            assert all(2.0 <= apart < 2.6 for apart in later), "two seconds, and the way there and back"
            record = one.report.records["upbit", Check.IN_FLIGHT]
            assert record.done >= 10
            await asyncio.sleep(20)  # the proof of absence is there
            assert record.found == 1
            assert [found.check for found in one.report.differences] == [Check.IN_FLIGHT]

    run_virtual(main())


def test_a_fill_that_neither_answer_nor_stream_nor_look_up_told_is_found_by_the_trades_and_journaled(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            untold = 0

            def no_fill(report: Any) -> Any:
                nonlocal untold
                untold += 1
                if untold > 1:
                    return report
                return replace(report, state=OrderState.EXPIRED, filled_qty=Decimal(0), fills=())

            w.upbit.bend = no_fill
            cycle = await w.trade()
            assert untold, "the venue filled it and said that it had not"
            assert cycle.state is CycleState.HEDGED, "it sold once more"
            one = reconciler(w, ReconcileConfig())
            one._accounts["upbit"]._started_ms = 0  # made after the order was sent, here
            booked = w.engine.tracker.fills
            await during(one, 10.5)
            (difference,) = [one for one in one.report.differences if one.check is Check.TRADES]
            assert "that nobody had told" in difference.what
            assert w.engine.tracker.fills == booked + 1
            (event,) = journaled(w)
            assert [(row.exchange, row.check, row.found) for row in event.checks if row.found] == [("upbit", "trades", 1)]
            assert [row["source"] for row in read_ledger(w.journal.path)["fills"]][-1] == "answer"
            assert any(row.kind == "LATE_FILL" for row in w.engine.breaches.breaches.values())
            w.same_after_restart()

    run_virtual(main())


def test_a_question_that_is_not_answered_is_neither_none_nor_zero_and_is_put_again(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            cycle = await w.trade()
            assert cycle.state is CycleState.HEDGED
            fails = True
            for method in ASKS.values():
                real: Callable[..., Any] = getattr(w.upbit, method)

                async def ask(*args: Any, real: Callable[..., Any] = real) -> Any:
                    if fails:
                        raise VenueFailed("upbit: no answer")
                    return await real(*args)

                setattr(w.upbit, method, ask)
            one = reconciler(w, ReconcileConfig())
            before = w.portfolio.dump()["balances"]
            task = asyncio.create_task(one.run())
            await asyncio.sleep(100)
            records = [one.report.records["upbit", check] for check in ASKS]
            assert all(record.done == 0 and record.failed > 3 and record.why == "upbit: no answer" for record in records)
            assert not one.report.is_fine
            assert w.portfolio.dump()["balances"] == before
            assert w.portfolio.state.disputes.get("upbit", {}) == {}
            assert [(row.kind, row.scope) for row in w.engine.breaches.breaches.values() if row.kind == "ACCOUNT_UNREAD"]
            fails = False
            await asyncio.sleep(5)
            assert all(record.done and not record.why for record in records)
            assert one.report.differences == one.report.differences.__class__()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    run_virtual(main())


def test_where_the_rate_limits_leave_no_room_a_check_waits_comes_less_often_and_that_is_told(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            limits = RateLimitManager("upbit", w.clock, VenueLimits([RateLimit("weight", "weight", 100, 60.0)]))
            real = w.upbit.fetch_fills

            async def fetch_fills(since_ms: int, lane: Lane = Lane.DATA) -> Any:
                await limits.turn(lane, {"weight": 20})
                return await real(since_ms, lane)

            w.upbit.fetch_fills = fetch_fills  # type: ignore[method-assign]
            told: list[tuple[str, str]] = []
            one = reconciler(w, ReconcileConfig())
            one._on_behind = lambda exchange, words: told.append((exchange, words))
            task = asyncio.create_task(one.run())
            await asyncio.sleep(200)
            record = one.report.records["upbit", Check.TRADES]
            assert record.failed == 0
            assert 2 <= record.done <= 5, "once a minute, not every ten seconds: 20 of the 30 that comparisons may use"
            assert record.is_behind
            assert told
            assert "not 10" in told[0][1]
            assert "less often than set" in one.report.summary(w.clock.time_ms())
            assert one.report.records["upbit", Check.OPEN_ORDERS].done > 35, "the others go on"
            assert limits.refusal(Lane.ENTRY, {"weight": 30}) is None, "what trades has its room"
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    run_virtual(main())


def test_balances_that_differ_are_read_again_after_a_second_and_disputed_after_three_reads(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            real = w.upbit.fetch_balances
            asked: list[float] = []

            async def fetch_balances(lane: Lane = Lane.DATA) -> Mapping[str, Balance]:
                asked.append(w.clock.monotonic())
                return {**await real(lane), "XRP": Balance(Decimal(900))}

            w.upbit.fetch_balances = fetch_balances  # type: ignore[method-assign]
            one = reconciler(w, ReconcileConfig())
            await during(one, 40.0)
            assert [round(b - a) for a, b in pairwise(asked)][:2] == [1, 1]
            assert w.portfolio.state.disputes["upbit"].keys() == {"XRP"}
            assert [one.what for one in one.report.differences] == ["balance of XRP disputed"]

    run_virtual(main())


class _CountedClock:
    """A clock that ends the test where it is asked again and again without anything else happening."""

    def __init__(self, real: Clock) -> None:
        self._real = real
        self._asked, self._at = 0, -1.0

    def monotonic(self) -> float:
        now = self._real.monotonic()
        self._asked, self._at = (self._asked + 1 if now == self._at else 0), now
        assert self._asked < 1_000, "a check goes round without waiting"
        return now

    def time_ms(self) -> int:
        return self._real.time_ms()


def test_a_doubt_while_a_stream_is_broken_lets_everything_else_go_on(tmp_path: Path) -> None:
    """Balances are due at once then, and are not asked for while the stream is broken: the check must wait, or nothing else runs."""

    async def main() -> None:
        async with world(tmp_path) as w:
            one = reconciler(w, ReconcileConfig())
            one._clock = _CountedClock(w.clock)
            task = asyncio.create_task(one.run())
            await asyncio.sleep(40.0)
            one._accounts["upbit"].listens = True  # and no stream is connected
            theirs = await w.venues["binance"].fetch_balances(Lane.CHECK)
            other = theirs["USDT"]
            w.engine.sync.compare("binance", {**theirs, "USDT": Balance(other.free + 5, other.locked)})
            assert w.engine.sync.has_doubts
            await asyncio.sleep(60.0)
            assert not task.done(), task.exception()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    run_virtual(main())


def test_a_report_says_when_each_check_was_answered_and_what_it_found() -> None:
    report = ReconcileReport(["upbit"], ReconcileConfig(), 0)
    assert report.summary(0) == "0 of 3 checks made, no difference"
    for check in Check:
        record = report.records["upbit", check]
        report.add(record, 10_000, ["a fill"] if check is Check.TRADES else [])
    assert report.summary(12_000) == "compared within 2 s, 1 found"
    event = report.take(12_000)
    assert event is not None
    assert [(row.check, row.done, row.found) for row in event.checks] == [
        ("in flight", 1, 0),
        ("open orders", 1, 0),
        ("trades", 1, 1),
        ("balances", 1, 0),
    ]
    assert report.take(13_000) is None
    report.fail(report.records["upbit", Check.TRADES], "502")
    assert "upbit does not answer" in report.summary(14_000)
    row = next(row for row in report.facts()["checks"] if row["check"] == "trades")
    assert (row["done"], row["failed"], row["found"], row["why"]) == (1, 1, 1, "502")
    late = CheckRecord("upbit", Check.TRADES, 10.0, real_s=31.0, took_s=22.0)
    assert late.in_words(0).startswith("every 31 s, not 10 ")
