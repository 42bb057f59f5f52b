"""How often a venue's account is asked for what its stream may have missed, and whether it counts as heard."""

import asyncio
import dataclasses
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import pytest

from arbtui.exchanges.adapter import OrderReport
from arbtui.exchanges.config import HealthConfig
from arbtui.exchanges.health import ExchangeHealthMonitor
from arbtui.exchanges.rate_limit import Lane
from arbtui.execution.account_sync import AccountSync
from arbtui.failover.reconcile_report import Check
from arbtui.model.order import Balance, Fill, Order, OrderState, Side
from arbtui.model.reason import Reason
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
        self.version = 1
        self.moves = 0  #: by how much the version rises while balances are asked for
        self.since: list[int] = []
        self.looked_up: list[tuple[str, str]] = []
        self.told: list[object] = []
        self.compared: list[tuple[str, bool]] = []

    async def fetch_fills(self, since_ms: int, lane: Lane) -> list[Fill]:
        self.since.append(since_ms)
        return self.fills

    async def fetch_order(self, code: str, client_order_id: str, lane: Lane) -> OrderReport | None:
        self.looked_up.append((code, client_order_id))
        return self.reports.get(client_order_id)

    async def fetch_open_orders(self, lane: Lane) -> list[OrderReport]:
        return self.standing

    async def fetch_balances(self, lane: Lane) -> dict[str, Balance]:
        self.version += self.moves
        return {"XRP": Balance(Decimal(7))}

    def knows(self, client_order_id: str) -> bool:
        return client_order_id == "known"

    def on_fill(self, fill: Fill) -> None:
        self.told.append(fill)

    def on_order(self, report: OrderReport) -> None:
        self.told.append(report)

    def disputed(self, exchange: str) -> frozenset[str]:
        return frozenset()

    def compare(self, exchange: str, balances: dict[str, Balance], *, whole: bool) -> None:
        self.compared.append((exchange, whole))


def reading_of(asked: Asked) -> tuple[AccountSync, FixedClock]:
    clock = FixedClock()
    health = ExchangeHealthMonitor("upbit", clock, HealthConfig())
    return AccountSync(cast(Any, asked), cast(Any, asked), cast(Any, asked), clock, health), clock


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


@pytest.mark.parametrize("moves", [0, 1])
def test_balances_that_were_asked_for_while_ours_moved_are_not_compared(moves: int) -> None:
    asked = Asked()
    asked.moves = moves
    sync, _ = reading_of(asked)
    run_virtual(sync.read_balances(Lane.CHECK))
    assert asked.compared == ([] if moves else [("upbit", True)])
    assert sync.balances == {"XRP": Balance(Decimal(7))}
