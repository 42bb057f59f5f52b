"""How often a venue's account is asked for what its stream may have missed, and whether it counts as heard."""

import asyncio
import dataclasses
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest

from arbtui.exchanges.adapter import OrderReport
from arbtui.exchanges.announcements import Announcement
from arbtui.exchanges.config import HealthConfig
from arbtui.exchanges.health import ExchangeHealthMonitor
from arbtui.exchanges.rate_limit import Lane
from arbtui.execution.account_sync import AccountSync
from arbtui.failover.reconcile_report import Check
from arbtui.model.ids import client_order_id
from arbtui.model.order import Balance, Fill, Order, OrderState, Side
from arbtui.model.reason import Reason
from arbtui.model.turns import PIECE_S
from arbtui.model.virtual_loop import run_virtual
from tests.execution.test_tracker import streaming
from tests.execution.world import world
from tests.journal.synthetic import FixedClock
from tests.portfolio.telling import fill_of
from tests.simulation.worlds import BINANCE_XRP, UPBIT_XRP, order


def test_an_account_whose_stream_is_broken_is_asked_often_and_is_not_heard_until_it_is_open_and_read(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w, streaming(w) as followers:
            sync, guard = followers.accounts["upbit"], w.engine.risk.exchange["upbit"]

            def unfit() -> Reason | None:
                return guard.unfit(w.clock.monotonic())

            def connected() -> bool:
                return sync.is_connected

            await asyncio.sleep(1)
            assert connected()
            assert unfit() is None

            def read() -> tuple[int, int, int]:
                return tuple(followers.done("upbit", check) for check in (Check.TRADES, Check.OPEN_ORDERS, Check.BALANCES))  # type: ignore[return-value]

            sync.on_disconnected("upbit")
            assert not connected()
            assert unfit() is Reason.VENUE_DEGRADED
            before = read()
            await asyncio.sleep(60)
            assert all(9 <= now - then <= 12 for then, now in zip(before, read(), strict=True)), "everything, every 5 s"
            assert unfit() is Reason.VENUE_DEGRADED  # asked and answered, and still deaf

            before = read()
            sync.on_reconnected("upbit")
            assert unfit() is Reason.VENUE_DEGRADED  # what was missed is not known yet
            await asyncio.sleep(2)
            assert connected()
            assert all(now - then >= 1 for then, now in zip(before, read(), strict=True)), "at once"
            await asyncio.sleep(30)
            assert unfit() is None

    run_virtual(main())


class Asked:
    """A venue, a tracker and a comparison in one, as a reading sees them; notes what it is asked and told."""

    name = "upbit"

    def __init__(self) -> None:
        self.fills: list[Fill] = []
        self.reports: dict[str, OrderReport | None] = {}
        self.open: dict[str, Order] = {}
        self.standing: list[OrderReport] = []  #: open orders by the venue's word
        self.holds = {"XRP": Decimal(7)}  #: by our books
        self.since: list[int] = []
        self.looked_up: list[tuple[str, str]] = []
        self.told: list[object] = []
        self.compared: list[tuple[str, dict[str, Decimal] | None]] = []  #: with what we held when the venue was asked
        self.is_what = ""  #: what a fill is, by the tracker's word
        self.disputes: list[str] = []  #: before anything is compared; XRP, too, once something was

    async def fetch_fills(self, since_ms: int, lane: Lane) -> list[Fill]:
        self.since.append(since_ms)
        return self.fills

    async def fetch_order(self, code: str, client_order_id: str, lane: Lane) -> OrderReport | None:
        self.looked_up.append((code, client_order_id))
        return self.reports.get(client_order_id)

    async def fetch_open_orders(self, lane: Lane) -> list[OrderReport]:
        return self.standing

    async def fetch_balances(self, lane: Lane) -> dict[str, Balance]:
        self.holds = {"XRP": Decimal(8)}
        return {"XRP": Balance(Decimal(7))}

    def knows(self, client_order_id: str) -> bool:
        return client_order_id == "known"

    def on_fill(self, fill: Fill) -> str:
        self.told.append(fill)
        return self.is_what

    def on_order(self, report: OrderReport) -> None:
        self.told.append(report)
        followed = self.open.get(report.client_order_id)
        if followed is not None:
            followed.state, followed.filled_qty = report.state, report.filled_qty

    def disputed(self, exchange: str) -> list[str]:
        return self.disputes if not self.compared else [*self.disputes, "XRP"]

    def held(self, exchange: str) -> dict[str, Decimal]:
        return self.holds

    def compare(self, exchange: str, balances: dict[str, Balance]) -> None:
        self.compared.append((exchange, None))

    def compare_answer(self, exchange: str, balances: dict[str, Balance], asked: dict[str, Decimal]) -> None:
        self.compared.append((exchange, asked))


def reading_of(asked: Asked) -> tuple[AccountSync, FixedClock]:
    clock = FixedClock()
    health = ExchangeHealthMonitor("upbit", clock, HealthConfig())
    return AccountSync(cast(Any, asked), cast(Any, asked), cast(Any, asked), clock, health), clock


def test_everything_else_has_its_turn_while_thousands_of_fills_are_compared() -> None:
    """An account's report lists five minutes of them: no order may wait until all were looked at."""
    asked = Asked()
    sync, clock = reading_of(asked)
    old = fill_of("upbit", Side.BUY, Decimal(1), Decimal(3000), "t1")
    looked_at: list[int] = []
    turns: list[int] = []

    def listed() -> Iterator[Fill]:
        for number in range(5):
            looked_at.append(number)
            time.sleep(2 * PIECE_S)
            yield dataclasses.replace(old, ts_event=clock.time_ms() - 3_600_000)

    async def others() -> None:
        while True:
            turns.append(len(looked_at))
            await asyncio.sleep(0)

    async def main() -> None:
        asked.fills = listed()  # type: ignore[assignment]
        beside = asyncio.create_task(others())
        await sync.read_trades(Lane.CHECK)
        beside.cancel()

    asyncio.run(main())
    assert {1, 2, 3, 4} <= set(turns)


@pytest.mark.parametrize("step_ms", [3_600_000, -3_600_000, -86_400_000])
def test_f57_a_wall_clock_that_is_put_ahead_or_back_hides_no_fill(step_ms: int) -> None:
    """The venue dates its fills by its own clock: asked from an hour ahead it would tell none of the last hour."""
    asked = Asked()
    sync, clock = reading_of(asked)
    start = clock.now_ms

    async def main() -> None:
        clock.now_ms = start + 600_000
        clock.step_ms = step_ms
        await sync.read_trades(Lane.CHECK)
        clock.now_ms += 30_000
        await sync.read_trades(Lane.CHECK)

    run_virtual(main())
    assert asked.since[-1] <= start + 600_000 - 60_000


def test_each_reading_begins_a_minute_before_the_last_complete_one_and_never_long_before_the_start() -> None:
    asked = Asked()
    sync, clock = reading_of(asked)
    start = clock.now_ms

    async def main() -> None:
        for after_s in (0, 100, 200):
            clock.now_ms = start + after_s * 1000
            await sync.read_trades(Lane.CHECK)

    run_virtual(main())
    assert asked.since == [start - 5_000, start - 5_000, start + 40_000]


def test_fills_of_this_run_and_of_orders_that_are_followed_are_passed_on() -> None:
    asked = Asked()
    sync, clock = reading_of(asked)

    def fill(trade_id: str, at_ms: int, client_order_id: str) -> Fill:
        made = fill_of("upbit", Side.SELL, Decimal(1), Decimal(3000), trade_id, client_order_id=client_order_id)
        return dataclasses.replace(made, ts_event=at_ms)

    old, known, new = fill("a", clock.now_ms - 1, "x"), fill("b", clock.now_ms - 1, "known"), fill("c", clock.now_ms, "x")
    asked.fills = [old, known, new]
    run_virtual(sync.read_trades(Lane.CHECK))
    assert asked.told == [known, new]


def test_open_orders_of_the_venue_are_asked_for_once_their_request_is_over() -> None:
    asked = Asked()
    sync, _ = reading_of(asked)
    for name, market, state in (
        ("sending", UPBIT_XRP, OrderState.SENDING),
        ("open", UPBIT_XRP, OrderState.ACCEPTED),
        ("lost", UPBIT_XRP, OrderState.UNKNOWN),
        ("other", BINANCE_XRP, OrderState.ACCEPTED),
    ):
        asked.open[name] = order(market, Side.SELL, "10", "3000", name)
        asked.open[name].state = state
    asked.reports["open"] = OrderReport("upbit", "open", "v", OrderState.FILLED, Decimal(10))
    run_virtual(sync.read_open_orders(Lane.CHECK))
    assert asked.looked_up == [("KRW-XRP", "open"), ("KRW-XRP", "lost")]
    assert asked.told == [asked.reports["open"]], "one that is not there proves nothing"


@pytest.mark.parametrize(("back_s", "since_s"), [(0.0, 540), (30.0, 540), (100.0, 500), (3600.0, -5)])
def test_a_reading_may_go_further_back_and_never_less_far(back_s: float, since_s: int) -> None:
    """A complete answer 600 s after the start, and the next reading 60 s later: by itself from a minute before that answer."""
    asked = Asked()
    sync, clock = reading_of(asked)
    start = clock.now_ms

    async def main() -> None:
        clock.now_ms = start + 600_000
        await sync.read_trades(Lane.CHECK)
        clock.now_ms = start + 660_000
        await sync.read_trades(Lane.CHECK, round(back_s * 1000))

    run_virtual(main())
    assert asked.since == [start - 5_000, start + since_s * 1000]


@pytest.mark.parametrize(
    ("what", "age_ms", "is_told"),
    [("", 60_000, False), ("fill", 60_000, True), ("fill", 2_001, True), ("fill", 2_000, False), ("fill", 0, False),
     ("late fill", 0, True), ("stray fill", 60_000, True)],
)  # fmt: skip
def test_a_fill_that_nobody_had_told_is_told_once_unless_it_may_still_be_on_its_way(what: str, age_ms: int, is_told: bool) -> None:
    asked = Asked()
    sync, clock = reading_of(asked)
    start, asked.is_what = clock.now_ms, what
    clock.now_ms = start + 100_000
    made = fill_of("upbit", Side.SELL, Decimal("1.50"), Decimal(3000), "t7", client_order_id="x")
    asked.fills = [dataclasses.replace(made, ts_event=clock.now_ms - age_ms)]
    words = f"{what} sell 1.5 XRP at 3000 KRW of order x, that nobody had told"
    assert run_virtual(sync.read_trades(Lane.CHECK)) == ([words] if is_told else [])
    assert run_virtual(sync.read_trades(Lane.CHECK)) == []
    if is_told:
        asked.fills = [dataclasses.replace(asked.fills[0], trade_id="t8", client_order_id="")]
        assert run_virtual(sync.read_trades(Lane.CHECK)) == [words.replace("order x", "order vx")]


def test_so_many_differences_are_remembered_and_then_the_oldest_is_news_again() -> None:
    asked = Asked()
    sync, clock = reading_of(asked)
    asked.is_what = "stray fill"
    one = fill_of("upbit", Side.SELL, Decimal(1), Decimal(3000), "0", client_order_id="x")
    asked.fills = [dataclasses.replace(one, trade_id=str(number), ts_event=clock.now_ms) for number in range(1001)]
    assert len(run_virtual(sync.read_trades(Lane.CHECK))) == 1001
    asked.fills = asked.fills[1:]
    assert run_virtual(sync.read_trades(Lane.CHECK)) == []
    asked.fills = [dataclasses.replace(one, ts_event=clock.now_ms)]
    assert len(run_virtual(sync.read_trades(Lane.CHECK))) == 1


def test_what_stands_there_and_was_not_sent_by_this_run_is_told_and_named_once_where_it_is_made_as_ours_are() -> None:
    asked = Asked()
    sync, _ = reading_of(asked)
    ours = client_order_id("5a17", "r1-1", 0, 0)
    asked.standing = [OrderReport("upbit", name, "v", OrderState.ACCEPTED, Decimal(0)) for name in (ours, "known", "a person's own")]
    for named in ([f"order {ours} stands, and this run has not sent it"], []):
        asked.told.clear()
        assert run_virtual(sync.read_open_orders(Lane.CHECK)) == named
        assert asked.told == [asked.standing[0], asked.standing[2]]


@pytest.mark.parametrize(
    ("state", "filled", "listed", "asks"),
    [
        (OrderState.ACCEPTED, "0", "0", False),
        (OrderState.PARTIALLY_FILLED, "4", "4", False),
        (OrderState.PARTIALLY_FILLED, "4", "3", False),
        (OrderState.PARTIALLY_FILLED, "4", "4.1", True),
        (OrderState.UNKNOWN, "0", "0", True),
        (OrderState.ACCEPTED, "0", None, True),
    ],
)
def test_an_order_of_ours_that_is_listed_as_we_hold_it_is_not_asked_for(
    state: OrderState, filled: str, listed: str | None, asks: bool
) -> None:
    asked = Asked()
    sync, _ = reading_of(asked)
    asked.open["known"] = ours = order(UPBIT_XRP, Side.SELL, "10", "3000", "known")
    ours.state, ours.filled_qty = state, Decimal(filled)
    if listed is not None:
        asked.standing = [OrderReport("upbit", "known", "v", OrderState.PARTIALLY_FILLED, Decimal(listed))]
    run_virtual(sync.read_open_orders(Lane.CHECK))
    assert asked.looked_up == ([("KRW-XRP", "known")] if asks else [])


@pytest.mark.parametrize(("age_s", "changes", "is_told"), [(2.1, True, True), (2.0, True, False), (60.0, False, False)])
def test_what_an_order_has_become_is_told_where_no_answer_can_still_be_on_its_way(age_s: float, changes: bool, is_told: bool) -> None:
    asked = Asked()
    sync, clock = reading_of(asked)
    asked.open["known"] = ours = order(UPBIT_XRP, Side.SELL, "10", "3000", "known")
    ours.state, ours.decided_at = OrderState.UNKNOWN, clock.monotonic() - age_s
    asked.reports["known"] = OrderReport(
        "upbit", "known", "v", OrderState.FILLED if changes else OrderState.UNKNOWN, Decimal(10 if changes else 0)
    )
    told = ["order known was UNKNOWN here and is FILLED, 10 filled"] if is_told else []
    assert run_virtual(sync.read_open_orders(Lane.CHECK)) == told


def test_new_disputes_are_told_and_those_from_before_are_not() -> None:
    asked = Asked()
    sync, _ = reading_of(asked)
    asked.disputes = ["KRW"]
    assert run_virtual(sync.read_balances(Lane.CHECK)) == ["balance of XRP disputed"]
    assert run_virtual(sync.read_balances(Lane.CHECK)) == []


@pytest.mark.parametrize("has_stream", [True, False])
def test_a_stream_tells_orders_parts_of_the_balances_and_notices_and_only_one_that_is_needed_can_be_deaf(has_stream: bool) -> None:
    asked, clock, announced = Asked(), FixedClock(), list[Announcement]()
    health = ExchangeHealthMonitor("upbit", clock, HealthConfig()) if has_stream else None
    heard: list[bool] = []
    if health is not None:
        health.on_account = lambda is_open: heard.append(is_open)  # type: ignore[method-assign]
    sync = AccountSync(cast(Any, asked), cast(Any, asked), cast(Any, asked), clock, health, announced.append)
    assert (sync.listens, sync.is_deaf, sync.is_connected, sync.wanted.is_set()) == (has_stream, has_stream, False, False)
    report = OrderReport("upbit", "known", "v", OrderState.FILLED, Decimal(10))
    sync.on_order(report)
    sync.on_balances("upbit", {"XRP": Balance(Decimal(3))})
    assert (asked.told, asked.compared, sync.balances) == ([report], [("upbit", None)], {"XRP": Balance(Decimal(3))})
    notice = Announcement("upbit", "1", "XRP is suspended", "", "", (), 1_800_000_000_000, 9)
    sync.on_announcement(notice)
    assert announced == [notice]
    sync.on_reconnected("upbit")
    assert (sync.is_deaf, sync.wanted.is_set()) == (False, True)
    sync.heard()
    sync.wanted.clear()
    sync.on_disconnected("upbit")
    assert (sync.is_deaf, sync.wanted.is_set()) == (has_stream, True)
    sync.heard()
    assert heard == ([False, True, False, False] if has_stream else [])


def test_balances_are_compared_with_what_was_held_when_they_were_asked_for() -> None:
    asked = Asked()
    sync, _ = reading_of(asked)
    asyncio.run(sync.read_balances(Lane.DATA))
    assert asked.compared == [("upbit", {"XRP": Decimal(7)})]
