"""The tracker and the live adapters against the sandbox, with the wire broken on purpose: faults F01 to F16 and F24 of docs/faults.md."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from arbtui.exchanges.ccxt_adapter import CcxtAdapter
from arbtui.exchanges.config import HealthConfig
from arbtui.exchanges.health import ExchangeHealthMonitor
from arbtui.execution.account_sync import AccountSync
from arbtui.execution.cycle import ArbCycle
from arbtui.execution.gate import OrderGate
from arbtui.execution.order_owner import OrderOwner
from arbtui.execution.tracker import OrderTracker
from arbtui.failover.config import ReconcileConfig
from arbtui.failover.reconcile_report import Check
from arbtui.failover.running import RunningReconciler
from arbtui.journal.events import BalanceOpened, CycleOpened, Mark, RunStarted
from arbtui.journal.journal import Journal
from arbtui.marketdata.rate_book import RateBook
from arbtui.model.clock import SystemClock
from arbtui.model.halt import Halt
from arbtui.model.order import Fill, Order, OrderState, Purpose, Side
from arbtui.model.reason import Reason
from arbtui.model.scoped_halts import ScopedHalts
from arbtui.portfolio.ledger import read_ledger
from arbtui.portfolio.marks import LiveMarks
from arbtui.portfolio.portfolio import Portfolio
from arbtui.portfolio.position_sync import CrossExchangePositionSync
from arbtui.portfolio.projections import ProjectingPortfolio
from arbtui.portfolio.restore import restore
from arbtui.portfolio.trading_state import TradingState
from arbtui.risk.config import risk_defaults
from arbtui.risk.guard import RiskGuard
from arbtui.risk.kill_switch import KillSwitch
from arbtui.sandbox.faults import WireFault, WireFaultKind
from tests.exchanges.contract.venues import FACTORIES, VenueUnderTest, run

_K = WireFaultKind
VENUES = pytest.mark.parametrize("exchange", ["upbit", "binance"])


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that nobody announces."""
    while not condition():  # noqa: ASYNC110
        await asyncio.sleep(0.01)


class OpenGate(OrderGate):
    """A gate that lets everything pass: what leaves is not what these tests are about."""

    def last_look(self, cycle: OrderOwner, order: Order) -> None:
        return None


@dataclass
class Desk:
    """A tracker at one venue of the sandbox."""

    v: VenueUnderTest
    tracker: OrderTracker
    portfolio: Portfolio
    journal: Journal
    cycle: ArbCycle
    follower: AccountSync
    late: list[Fill] = field(default_factory=list)
    strays: list[Fill] = field(default_factory=list)

    def fault(self, kind: WireFaultKind, **more: Any) -> None:
        assert self.v.sandbox is not None
        self.v.sandbox.fault(WireFault(venue=self.v.adapter.name, kind=kind, **more))

    def order(self, qty: str = "50", tenths: int = 31, side: Side = Side.BUY) -> Order:
        scale = 1000 if self.v.market.quote == "KRW" else 1
        order = self.v.order(side, qty, str(Decimal(tenths) * scale / 10))
        order.cycle_id = self.cycle.id
        order.purpose = Purpose.COMPLETE  # an entry would not wait for its turn in the venue's limits
        return order

    async def send(self, *orders: Order) -> None:
        async with asyncio.timeout(60):
            self.cycle.orders += orders
            await self.tracker.send(self.cycle, orders, self.tracker.intend(orders))

    async def agree(self) -> None:
        """The venue, the journal and the portfolio tell the same story, every order once."""
        assert self.tracker.open == {}
        balances = {asset: balance.total for asset, balance in (await self.v.adapter.fetch_balances()).items()}
        assert self.portfolio.differences(self.v.adapter.name, balances) == []
        # What is told after its order's end is posted, not waited for: a commit behind it is durable after it.
        await self.journal.commit(*())
        booked = read_ledger(self.journal.path)["fills"]
        truth = self.v.core.fills_since(0)
        assert sorted((row["client_order_id"], Decimal(row["qty"]), Decimal(row["price"])) for row in booked) == sorted(
            (fill.client_order_id, fill.qty, fill.price) for fill in truth
        )
        assert len({row["trade_id"] for row in booked}) == len(booked)


@asynccontextmanager
async def desk(exchange: str, folder: Path, *, stream: bool, answer_s: float = 1.0) -> AsyncIterator[Desk]:
    clock = SystemClock()
    async with FACTORIES[exchange](folder) as v:
        journal = await Journal.open(folder / "journal.db", clock=clock, door="aio")
        try:
            await journal.commit(RunStarted("r1", "p", "live", None, "0", "c", {exchange: "x"}, "RECOVERING"))
            _, portfolio = restore(journal.path)
            journal.fold = ProjectingPortfolio(portfolio)
            held = await v.adapter.fetch_balances()
            await journal.commit(*(BalanceOpened(exchange, asset, balance.total) for asset, balance in held.items()))
            await journal.commit(CycleOpened("r1-1", "route", "XRP", 0.0, 0.0, (), (), 0))
            halt = Halt(folder)
            quote = v.market.quote
            marks = LiveMarks("USDT", RateBook(), [], clock)
            marks.restore({quote: Mark(Decimal(1), "test", 0)})
            risk = RiskGuard(
                risk_defaults("paper"),
                [exchange],
                portfolio=portfolio,
                marks=marks,
                state=lambda: TradingState.ARMED,
                last_message=lambda _: 0.0,
                health={exchange: ExchangeHealthMonitor(exchange, clock, HealthConfig())},
                throttled={exchange: v.adapter.throttled},
                halts=ScopedHalts(folder),
                time_ms=clock.time_ms,
            )
            gate = OpenGate(
                kill_switch=KillSwitch(halt, clock, lambda: None),
                risk=risk,
                portfolio=portfolio,
                clock=clock,
                enabled=True,
                max_decision_age_s=1e9,
            )
            tracker = OrderTracker(
                adapters={exchange: v.adapter},
                gate=gate,
                risk=risk,
                portfolio=portfolio,
                marks=marks,
                journal=journal,
                clock=clock,
                answer_s=answer_s,
                look_up_s=2.0,
            )
            account = portfolio.cycle("r1-1")
            assert account is not None
            cycle = ArbCycle("r1-1", cast(Any, SimpleNamespace(route=None)), account, ("KRW", "USDT"), 0.0)
            sync = CrossExchangePositionSync(
                adapters={exchange: v.adapter},
                portfolio=portfolio,
                journal=journal,
                clock=clock,
                lots={},
            )
            follower = AccountSync(v.adapter, tracker, sync, clock, ExchangeHealthMonitor(exchange, clock, HealthConfig()))
            made = Desk(v, tracker, portfolio, journal, cycle, follower)
            tracker.on_late = lambda cycle, order, fill: made.late.append(fill)
            tracker.on_stray = made.strays.append
            reconciler = RunningReconciler({exchange: follower}, tracker, sync, journal, clock, ReconcileConfig())
            task = asyncio.create_task(reconciler.run()) if stream else None
            try:
                if stream:
                    await until(lambda: reconciler.report.records[exchange, Check.BALANCES].done > 0)
                yield made
            finally:
                if task is not None:
                    task.cancel()
                    await asyncio.gather(task, return_exceptions=True)
        finally:
            await journal.close()


EXECUTED = [_K.TIMEOUT, _K.RESET_AFTER, _K.ERROR_AFTER, _K.HTML, _K.TRUNCATED, _K.EMPTY]
LOST = [_K.RESET_BEFORE, _K.ERROR_BEFORE]


@VENUES
def test_an_order_whose_deadline_comes_before_its_turn_was_never_sent(exchange: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(exchange, tmp_path, stream=False, answer_s=0.2) as d:
            assert isinstance(d.v.adapter, CcxtAdapter)
            limits = d.v.adapter._client.limits
            assert limits is not None
            limits.observe(429, {"Retry-After": "2"})  # a hedge waits that long, its deadline does not
            order = d.order("70", 30)
            await d.send(order)
            assert (order.state, order.reason) == (OrderState.ABANDONED, Reason.DEADLINE)
            assert d.v.core.find(order.client_order_id) is None
            assert d.tracker.open == {}

    run(main)


@VENUES
@pytest.mark.parametrize("stream", [False, True], ids=["asked", "told"])
def test_an_order_that_was_executed_and_not_answered_is_found_and_counts_once(exchange: str, stream: bool, tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(exchange, tmp_path, stream=stream, answer_s=3.0) as d:  # a second of it may pass until the limits allow it
            d.v.book.ask_levels = [(price, 1e5) for price, _ in d.v.book.ask_levels]
            for kind in EXECUTED:
                d.fault(kind)
                order = d.order("70", 30)
                await d.send(order)
                assert (kind, order.state, order.filled_qty) == (kind, OrderState.FILLED, Decimal(70)), order.reason
                await d.agree()
                d.fault(kind)
                nothing = d.order("70", 29)
                await d.send(nothing)
                assert (kind, nothing.state, nothing.filled_qty) == (kind, OrderState.EXPIRED, Decimal(0))
            await d.agree()
            assert len(d.v.core.fills_since(0)) == len(EXECUTED)

    run(main)


@VENUES
@pytest.mark.parametrize("kind", LOST)
def test_an_order_that_never_came_is_proved_absent_after_the_venues_time_and_not_before(
    exchange: str, kind: WireFaultKind, tmp_path: Path
) -> None:
    async def main() -> None:
        async with desk(exchange, tmp_path, stream=True) as d:
            d.v.adapter.absence_proof_s = 3.0  # 30 s in earnest
            d.fault(kind)
            order = d.order()
            started = asyncio.get_running_loop().time()
            await d.send(order)
            assert asyncio.get_running_loop().time() - started >= 3.0
            assert (order.state, order.reason, order.filled_qty) == (OrderState.REJECTED, "NOT_PLACED", Decimal(0))
            assert d.portfolio.available(exchange, d.v.market.quote) == d.portfolio.total(exchange, d.v.market.quote)
            await d.agree()

    run(main)


@VENUES
@pytest.mark.parametrize("stream", [False, True], ids=["asked", "told"])
def test_an_order_that_is_executed_long_after_it_was_given_up_is_found(exchange: str, stream: bool, tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(exchange, tmp_path, stream=stream) as d:
            d.fault(_K.LATE, ms=3000)  # after at least two look-ups that found nothing
            order = d.order()
            await d.send(order)
            assert (order.state, order.filled_qty) == (OrderState.FILLED, Decimal(50))
            await d.agree()

    run(main)


@VENUES
@pytest.mark.parametrize(
    ("kind", "more", "word"),
    [(_K.RATE_LIMIT, {"on": "order", "count": 1}, "RATE_LIMITED"), (_K.BAN, {"seconds": 1.0}, "RATE_LIMITED")],
)
def test_a_throttled_order_is_rejected_at_once(exchange: str, kind: WireFaultKind, more: dict[str, Any], word: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(exchange, tmp_path, stream=False) as d:
            d.fault(kind, **more)
            order = d.order()
            await d.send(order)
            assert order.state is OrderState.REJECTED
            assert order.reason.split()[0] == word
            assert d.v.core.fills_since(0) == []

    run(main)


def test_a_clock_that_is_off_costs_one_order_and_is_then_set(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk("binance", tmp_path, stream=False) as d:
            d.fault(_K.CLOCK_SKEW, ms=120_000)
            first, second = d.order(), d.order()
            await d.send(first)
            assert first.state is OrderState.REJECTED
            assert first.reason.split()[0] == "CLOCK"
            await d.send(second)
            assert second.state is OrderState.FILLED
            await d.agree()

    run(main)


@VENUES
def test_a_revoked_key_is_told_as_such(exchange: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(exchange, tmp_path, stream=False) as d:
            d.fault(_K.REVOKE)
            order = d.order()
            await d.send(order)
            assert order.state is OrderState.REJECTED
            assert order.reason.split()[0] == "KEYS"

    run(main)


@VENUES
@pytest.mark.parametrize("kinds", [[_K.DUPLICATE], [_K.REORDER], [_K.LOSE], [_K.DUPLICATE, _K.REORDER, _K.LOSE]], ids=str)
def test_events_that_come_twice_out_of_order_or_never_change_nothing(exchange: str, kinds: Sequence[WireFaultKind], tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(exchange, tmp_path, stream=True) as d:
            d.v.book.bid_levels = [(price, 1e5) for price, _ in d.v.book.bid_levels]
            for number in range(6):
                for kind in kinds:
                    d.fault(kind, count=2, stream="private")
                if number % 2:
                    d.fault(_K.TIMEOUT)  # the stream, or a look-up, must tell it
                order = d.order("15") if number % 3 else d.order("60", 29, Side.SELL)
                await d.send(order)
                assert order.filled_qty == order.qty
                assert order.state is OrderState.FILLED
            await d.agree()
            assert d.late == []

    run(main)


@VENUES
def test_orders_go_on_while_the_stream_is_cut_again_and_again(exchange: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(exchange, tmp_path, stream=True) as d:
            assert d.follower.is_connected
            for _ in range(4):
                d.fault(_K.DROP, stream="private")
                order = d.order("20")
                await d.send(order)
                assert order.filled_qty == order.qty
            await d.agree()
            assert d.strays == []
            await until(lambda: d.follower.is_connected)

    run(main)


@VENUES
def test_a_venue_that_dies_under_an_order_and_comes_back_is_asked_until_it_tells(exchange: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(exchange, tmp_path, stream=True) as d:
            d.fault(_K.TIMEOUT)
            order = d.order()
            sending = asyncio.create_task(d.send(order))
            await until(lambda: d.v.core.find(order.client_order_id) is not None)
            assert d.v.sandbox is not None
            front = d.v.sandbox.fronts[exchange]
            d.fault(_K.CRASH, seconds=5.0)
            await until(lambda: not front.is_open)
            await sending
            assert (order.state, order.filled_qty) == (OrderState.FILLED, Decimal(50))
            meanwhile = d.order("10")
            await d.send(meanwhile)
            if not front.is_open:  # the machine was quick enough to ask while there was nobody
                assert meanwhile.state is OrderState.REJECTED
                assert meanwhile.reason.split()[0] == "UNREACHABLE"
            await until(lambda: front.is_open)
            later = d.order("10")
            await d.send(later)
            assert later.filled_qty == 10
            await d.agree()

    run(main)
