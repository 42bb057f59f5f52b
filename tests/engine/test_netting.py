"""What cycles leave open of the won is traded back to its band: one priced trade at a time, through the gate, whatever happens to it."""

import asyncio
import dataclasses
from collections.abc import Callable, Mapping
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from arbtui.exchanges.upbit.rules import krw_market
from arbtui.execution.config import NettingConfig
from arbtui.execution.cycle import ArbCycle
from arbtui.journal.events import Adjusted, BalanceDisputed, CycleState
from arbtui.model.book import BookState
from arbtui.model.order import Order, OrderState, Side
from arbtui.model.reason import Reason
from arbtui.model.scoped_halts import Depth, ScopedHalt, write_halt
from arbtui.model.virtual_loop import run_virtual
from arbtui.portfolio.ledger import read_ledger
from arbtui.portfolio.trading_state import TradingState
from arbtui.simulation.faults import Fault, FaultKind
from arbtui.simulation.order_request import OrderRequest
from tests.execution.world import FAIR, FUNDS, UPBIT_CHEAP, UPBIT_DEAR, Levels, World, markets_of, world
from tests.portfolio.auditing import AUDIT, audit

RATE: Levels = ([(1400.0, 1e6)], [(1401.0, 1e6)])
BAND = 60.0
NETTING = NettingConfig(band=BAND, max_open_fx=500.0)
WITH_USDT = {**FUNDS, "upbit": {**FUNDS["upbit"], "USDT": Decimal(1000)}}
#: A cycle leaves about 100 USDT of won open: 40 beyond the band.
BUY, SELL = "USDT/KRW:upbit:buy", "USDT/KRW:upbit:sell"


def nettings(w: World) -> list[ArbCycle]:
    return [cycle for cycle in w.engine.cycles.values() if cycle.plan.route.shrinks_exposure]


def open_usdt(w: World) -> float:
    """What is open of the won, in USDT at the middle of the rate."""
    return float(w.portfolio.open_amount("KRW")) / w.components.rates.markets[0].mid()


def rate(w: World, levels: Levels) -> None:
    book = w.components.rates.markets[0].book
    assert book is not None
    book.replace(*levels)
    w.engine.decider.on_books([book])


async def quiet(w: World, seconds: float = 0.0) -> None:
    """At least so long, and until nothing runs."""
    await asyncio.sleep(seconds)
    await w.engine.executor.quiet.wait()


async def leave_open(w: World, levels: Levels = UPBIT_DEAR, *, netted: bool = True) -> ArbCycle:
    """A hedged cycle, whose won is open at its end; prices then pay nothing any more. Without ``netted`` nobody looks at it meanwhile."""
    look = w.engine.netting.look
    if not netted:
        w.engine.netting.look = lambda now: None  # type: ignore[method-assign]
    cycle = await w.trade("upbit", levels)
    w.quote("upbit", FAIR["upbit"])
    assert cycle.state is CycleState.HEDGED
    w.engine.netting.look = look  # type: ignore[method-assign]
    return cycle


@pytest.mark.parametrize(
    ("levels", "route", "side"), [(UPBIT_DEAR, BUY, Side.BUY), (UPBIT_CHEAP, SELL, Side.SELL)], ids=["too much won", "too little"]
)
def test_beyond_the_band_one_trade_brings_it_back_to_its_edge(tmp_path: Path, levels: Levels, route: str, side: Side) -> None:
    async def main() -> None:
        async with world(tmp_path, netting=NETTING, funds=WITH_USDT) as w:
            await leave_open(w, levels)
            assert abs(open_usdt(w)) > 90
            await quiet(w, 3)
            (netting,) = nettings(w)
            (order,) = netting.orders
            assert (netting.plan.route.id, order.side, order.market.code, order.state) == (route, side, "KRW-USDT", OrderState.FILLED)
            assert order.price == Decimal(1401 if side is Side.BUY else 1400)  # the walk's worst, here the touch
            assert (netting.state, netting.account.value, dict(netting.residual)) == (CycleState.HEDGED, 0.0, {})
            assert abs(open_usdt(w)) == pytest.approx(BAND, abs=0.01)
            assert open_usdt(w) > 0 if side is Side.BUY else open_usdt(w) < 0
            # Its cost is the one predicted when it was decided: half a spread and the fee.
            (won,) = w.portfolio.open_fx()
            assert netting.plan.edge_bps == pytest.approx(-(0.5 / 1400.5 * 1e4 + 5.0), abs=0.01)
            assert float(won.cost) == pytest.approx(-float(won.converted) * netting.plan.edge_bps / 1e4, rel=2e-3)
            assert w.portfolio.state.routes[route].losses == 0
            assert w.engine.netting.blocked is None
            w.agree()
            ledger = read_ledger(w.journal.path)
            assert Decimal(ledger["open_fx"][0]["amount"]) == won.amount
            assert not AUDIT.is_file() or audit(ledger)[0] == 0

    run_virtual(main())


@pytest.mark.parametrize("netting", [NettingConfig(band=110.0), NettingConfig(band=BAND, enabled=False)])
def test_within_the_band_and_switched_off_nothing_is_sent(tmp_path: Path, netting: NettingConfig) -> None:
    async def main(netting: NettingConfig) -> None:
        async with world(tmp_path, netting=netting, funds=WITH_USDT) as w:
            await leave_open(w)
            await quiet(w, 3)
            assert (nettings(w), w.engine.netting.blocked) == ([], None)
            assert open_usdt(w) > 90

    run_virtual(main(netting))


_BITHUMB_USDT = dataclasses.replace(krw_market("USDT"), exchange="bithumb")
_TWO_WON_VENUES = {**markets_of(["XRP"]), "bithumb": {"KRW-USDT": _BITHUMB_USDT}}
_RICH = {**WITH_USDT, "bithumb": {"KRW": Decimal(3_000_000), "USDT": Decimal(1000)}}
AT_BITHUMB = "USDT/KRW:bithumb:buy"


def _doubt(w: World) -> None:
    w.components.rates.markets[1].doubted = True


def _nothing(w: World) -> None:
    """Leave it as it is."""


@pytest.mark.parametrize(
    ("asked", "held", "spoil", "route"),
    [
        (1400.5, "3000000", _nothing, AT_BITHUMB),
        (1401.5, "3000000", _nothing, BUY),
        (1400.5, "100", _nothing, BUY),
        (1400.5, "3000000", _doubt, BUY),
    ],
    ids=["the better offer", "the worse offer", "no won there", "its rate is doubted"],
)
def test_of_two_won_venues_the_better_one_that_can_takes_what_is_open_over_both(
    tmp_path: Path, asked: float, held: str, spoil: Callable[[World], None], route: str
) -> None:
    """The won came in at Upbit; what is open is over all won venues, so it may be traded back at the other one."""

    async def main() -> None:
        funds = {**_RICH, "bithumb": {"KRW": Decimal(held), "USDT": Decimal(1000)}}
        async with world(tmp_path, netting=NETTING, funds=funds, listed=_TWO_WON_VENUES) as w:
            book = w.components.rates.markets[1].book
            book.replace([(asked - 1.0, 1e6)], [(asked, 1e6)])
            w.engine.decider.on_books([book])
            await leave_open(w, netted=False)
            spoil(w)
            await quiet(w, 3)
            (netting,) = nettings(w)
            assert (netting.plan.route.id, netting.state) == (route, CycleState.HEDGED)
            assert open_usdt(w) == pytest.approx(BAND, abs=0.05)
            assert w.engine.netting.blocked is None
            w.agree()

    run_virtual(main())


def test_a_thin_book_is_walked_as_far_as_allowed_and_the_rest_waits_for_the_next_trade(tmp_path: Path) -> None:
    thin: Levels = ([(1400.0, 1e6)], [(1401.0, 10.0), (1401.5, 10.0), (1450.0, 1e6)])

    async def main() -> None:
        async with world(tmp_path, netting=NETTING, funds=WITH_USDT) as w:
            rate(w, thin)
            await leave_open(w)
            before = open_usdt(w)
            await quiet(w, 0.6)
            first = nettings(w)[0]
            assert (first.orders[0].qty, first.orders[0].price) == (Decimal(20), Decimal("1401.5"))  # 1450 is 350 bps away
            assert [fill.qty for fill in first.fills] == [Decimal(10), Decimal(10)]
            assert open_usdt(w) < before - 20.0
            rate(w, RATE)
            await quiet(w, 3)
            assert open_usdt(w) == pytest.approx(BAND, abs=0.02)
            w.agree()

    run_virtual(main())


def test_one_at_a_time_also_while_the_fate_of_one_is_unknown(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, netting=NETTING, funds=WITH_USDT) as w:
            await leave_open(w)
            w.upbit.core.faults.add(Fault(FaultKind.ANSWER_LOST, 20.0))
            await asyncio.sleep(1.2)
            (netting,) = nettings(w)
            assert netting.orders[0].state is OrderState.UNKNOWN
            asked = len(w.upbit.placed)
            w.upbit.bend_look_up = lambda report: None  # nobody tells of it
            w.quote("upbit", FAIR["upbit"])
            await asyncio.sleep(0.9)
            assert len(w.upbit.placed) == asked
            w.upbit.bend_look_up = lambda report: report
            await quiet(w, 10)
            assert (netting.state, len(nettings(w))) == (CycleState.HEDGED, 1)  # found by its id, and never sent again
            assert open_usdt(w) == pytest.approx(BAND, abs=0.01)
            w.agree()

    run_virtual(main())


def test_a_request_that_never_came_is_proved_absent_and_tried_anew_later(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, netting=NETTING, funds=WITH_USDT) as w:
            await leave_open(w)
            w.upbit.core.faults.add(Fault(FaultKind.REQUEST_LOST, 20.0))
            await quiet(w, 60)
            states = [cycle.state for cycle in nettings(w)]
            assert states == [CycleState.MISSED, CycleState.HEDGED]
            assert open_usdt(w) == pytest.approx(BAND, abs=0.01)
            w.agree()

    run_virtual(main())


def test_a_refusal_rests_the_market_and_nothing_is_lost_by_it(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, netting=NETTING, funds=WITH_USDT) as w:
            await leave_open(w)
            w.upbit.core.faults.add(Fault(FaultKind.REJECT))
            await quiet(w, 1)
            (netting,) = nettings(w)
            assert (netting.state, netting.orders[0].state) == (CycleState.MISSED, OrderState.REJECTED)
            assert "ORDER_REFUSED" in {breach.kind for breach in w.engine.breaches.breaches.values()}
            await quiet(w, 5)
            assert [cycle.state for cycle in nettings(w)] == [CycleState.MISSED, CycleState.HEDGED]
            w.agree()

    run_virtual(main())


def test_after_misses_it_waits_longer_each_time(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, netting=NETTING, funds=WITH_USDT) as w:
            await leave_open(w)

            def gone(order: Order) -> None:  # the price is gone when the order arrives
                if order.market.code == "KRW-USDT":
                    asyncio.get_running_loop().call_soon(rate, w, ([(1402.0, 1e6)], [(1403.0, 1e6)]))
                    asyncio.get_running_loop().call_later(0.4, rate, w, RATE)

            w.upbit.before_admit = gone
            await asyncio.sleep(40)
            times = [cycle.opened_at for cycle in nettings(w)]
            assert {cycle.state for cycle in nettings(w)} == {CycleState.MISSED}
            gaps = [later - earlier for earlier, later in pairwise(times)]
            assert 4 <= len(gaps) <= 7
            assert all(later > 1.5 * earlier for earlier, later in pairwise(gaps))

    run_virtual(main())


def test_a_late_fill_is_booked_and_leaves_no_residual(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, netting=NETTING, funds=WITH_USDT) as w:
            await leave_open(w)
            w.upbit.core.faults.add(Fault(FaultKind.REQUEST_LOST, 2.0))
            await quiet(w, 8)
            missed = nettings(w)[0]
            (order,) = missed.orders
            assert (missed.state, order.state) == (CycleState.MISSED, OrderState.REJECTED)
            open_before = w.portfolio.open_amount("KRW")
            # It was at the venue after all.
            await w.upbit.core.execute(_request(order))
            found = w.upbit.core.find(order.client_order_id)
            assert found is not None
            w.engine.tracker.on_order(found)
            await asyncio.sleep(1)
            assert (missed.state, w.portfolio.positions) == (CycleState.HEDGED, [])
            assert w.portfolio.open_amount("KRW") < open_before
            await quiet(w, 5)
            w.same_after_restart()

    run_virtual(main())


@pytest.mark.parametrize("lost", ["request", "answer", "the answer to a half fill"])
def test_a_process_that_dies_in_the_middle_of_a_trade_goes_on_where_the_venue_stands(tmp_path: Path, lost: str) -> None:
    """The order has left and nothing was heard of it: the next start looks it up, ends its cycle, and trades what is still open."""

    async def main() -> None:
        async with world(tmp_path, netting=NETTING, funds=WITH_USDT) as w:
            await leave_open(w)
            if lost == "request":
                w.upbit.core.faults.add(Fault(FaultKind.REQUEST_LOST, 1e6))
            await asyncio.sleep(w.step_s)
            (cycle_id,) = w.engine.executor.open
            await asyncio.sleep(0.01)
            if "half" in lost:  # when it arrives, the book has 10 of the 40
                rate(w, ([(1400.0, 1e6)], [(1401.0, 10.0), (1500.0, 1e6)]))
        async with world(tmp_path, netting=NETTING, funds=WITH_USDT) as w:
            ended = CycleState.MISSED if lost == "request" else CycleState.HEDGED
            assert w.reconciled.cycles == {ended: 1}
            assert w.reconciled.mismatches == []
            account = w.portfolio.cycle(cycle_id)
            assert account is not None
            assert (account.state, w.portfolio.positions) == (ended, [])
            if "half" in lost:
                assert account.flows["upbit"]["USDT"] == 10
                assert open_usdt(w) > 85.0
            await quiet(w, 3)
            assert open_usdt(w) == pytest.approx(BAND, abs=0.01)
            assert [cycle.state for cycle in nettings(w)] == ([] if lost == "answer" else [CycleState.HEDGED])
            w.agree()
            assert not AUDIT.is_file() or audit(read_ledger(w.journal.path))[0] == 0

    run_virtual(main())


def test_a_kill_stops_it_before_and_between_its_orders(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, netting=NETTING, funds=WITH_USDT) as w:
            await leave_open(w)

            def kill(order: Order) -> None:  # after the intent is durable, before the request leaves
                w.engine.kill_switch.kill("TEST")

            w.upbit.before_admit = kill
            placed = len(w.upbit.placed)
            await quiet(w, 3)
            (netting,) = nettings(w)
            assert (netting.state, netting.orders[0].reason) == (CycleState.ABANDONED, Reason.HALTED)
            assert len(w.upbit.placed) == placed
            await asyncio.sleep(5)
            assert (len(nettings(w)), w.engine.state) == (1, TradingState.HALTED)
            assert w.engine.netting.blocked is Reason.HALTED
            assert "NETTING_BLOCKED" not in {breach.kind for breach in w.engine.breaches.breaches.values()}  # a person wanted it so
            w.agree()

    run_virtual(main())


def test_a_rate_that_is_doubted_between_decision_and_request_is_not_traded_on(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, netting=NETTING, funds=WITH_USDT) as w:
            await leave_open(w)

            def doubt(order: Order) -> None:
                w.components.rates.markets[0].doubted = True

            w.upbit.before_admit = doubt
            await quiet(w, 1)
            (netting,) = nettings(w)
            assert (netting.state, netting.orders[0].reason) == (CycleState.ABANDONED, Reason.RATE_DOUBTED)
            await asyncio.sleep(8)
            assert (len(nettings(w)), w.engine.netting.blocked) == (1, Reason.RATE_DOUBTED)
            (told,) = [breach for breach in w.engine.breaches.breaches.values() if breach.kind == "NETTING_BLOCKED"]
            assert (told.scope, told.action) == ("upbit:KRW", "entries that would add to it stop at 500")
            assert "USDT of KRW open and not traded back: RATE_DOUBTED" in told.detail
            w.upbit.before_admit = lambda order: None
            w.components.rates.markets[0].doubted = False
            await quiet(w, 10)
            assert open_usdt(w) == pytest.approx(BAND, abs=0.01)
            assert told.id in w.engine.breaches.acknowledged  # it says by itself that it is over
            w.agree()

    run_virtual(main())


def _stale(w: World) -> None:
    w.fresh = False
    book = w.components.rates.markets[0].book
    assert book is not None
    book.state = BookState.STALE


def _unfit(w: World) -> None:
    for _ in range(40):
        w.engine.risk.exchange["upbit"].health.on_answer(False, 10.0)


def _disputed(w: World) -> None:
    w.journal.post(BalanceDisputed("upbit", "USDT", Decimal(1), Decimal(2)))


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [(_stale, Reason.STALE), (_unfit, Reason.VENUE_DOWN), (_disputed, Reason.DISPUTED), (lambda w: rate(w, ([], [])), Reason.NO_BOOK)],
    ids=["the book is stale", "the venue is unfit", "a balance is disputed", "the book is empty"],
)
def test_what_stands_in_its_way_is_told_with_its_reason(tmp_path: Path, spoil: Callable[[World], None], reason: Reason) -> None:
    async def main() -> None:
        async with world(tmp_path, netting=NETTING, funds=WITH_USDT) as w:
            await leave_open(w, netted=False)
            spoil(w)
            for _ in range(80):
                w.engine.netting.look(w.clock.monotonic())
                await asyncio.sleep(0.1)
            assert (nettings(w), w.engine.netting.blocked) == ([], reason)
            (told,) = [breach for breach in w.engine.breaches.breaches.values() if breach.kind == "NETTING_BLOCKED"]
            assert reason.value in told.detail

    run_virtual(main())


@pytest.mark.parametrize(
    ("scope", "depth", "trades"),
    [
        ("global", Depth.REDUCING, True),
        ("exchange.upbit", Depth.REDUCING, True),
        ("global", Depth.PAUSED, False),
        ("symbol.USDT", Depth.PAUSED, False),
        ("exchange.upbit", Depth.HALTED, False),
        (f"route.{BUY}", Depth.HALTED, False),
        ("exchange.binance", Depth.HALTED, True),
    ],
)
def test_it_shrinks_exposure_and_so_trades_under_reducing_but_not_while_paused_or_halted(
    tmp_path: Path, scope: str, depth: Depth, trades: bool
) -> None:
    async def main() -> None:
        async with world(tmp_path, netting=NETTING, funds=WITH_USDT) as w:
            await leave_open(w, netted=False)
            write_halt(w.folder, ScopedHalt(scope, depth, "CLI", "ann", "a test", 1_700_000_000_000))
            await quiet(w, 8)
            assert bool(nettings(w)) is trades
            assert "NETTING_BLOCKED" not in {breach.kind for breach in w.engine.breaches.breaches.values()}

    run_virtual(main())


@pytest.mark.parametrize(("state", "trades"), [(TradingState.REDUCING, True), (TradingState.PAUSED, False), (TradingState.DISARMED, False)])
def test_the_engines_own_state_says_the_same(tmp_path: Path, state: TradingState, trades: bool) -> None:
    async def main() -> None:
        async with world(tmp_path, netting=NETTING, funds=WITH_USDT) as w:
            await leave_open(w, netted=False)
            w.engine.operator.change_state(state, "a test")
            await quiet(w, 3)
            assert bool(nettings(w)) is trades
            assert w.engine.netting.blocked is (None if trades else Reason(state.value))

    run_virtual(main())


def test_a_run_that_ends_begins_no_trade(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, netting=NETTING, funds=WITH_USDT) as w:
            await leave_open(w, netted=False)
            w.engine.gate.closed_for_entries = True
            await quiet(w, 3)
            assert nettings(w) == []

    run_virtual(main())


def test_full_limits_of_entries_do_not_stop_it(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path, netting=NETTING, funds=WITH_USDT) as w:
            await leave_open(w, netted=False)
            w.engine.risk.total.positions_value = w.engine.risk.total.limits.max_unhedged + 1.0  # and more than that is one-sided
            now = w.clock.monotonic()
            assert w.engine.risk.check_entry(w.components.universe.routes[0], 5.0, 100.0, now) is not None
            w.engine.netting.look(now)
            assert len(nettings(w)) == 1
            await quiet(w)
            w.agree()

    run_virtual(main())


@pytest.mark.parametrize(
    ("dry", "levels", "reason"),
    [("USDT", UPBIT_CHEAP, Reason.NO_STOCK), ("KRW", UPBIT_DEAR, Reason.NO_CASH)],
)
def test_dry_it_is_blocked_and_what_is_open_still_counts_in_the_limit(tmp_path: Path, dry: str, levels: Levels, reason: Reason) -> None:
    """Without USDT at the won venue, won that is missing cannot be bought back: entries go on the other way only."""
    other = UPBIT_DEAR if levels is UPBIT_CHEAP else UPBIT_CHEAP

    async def main() -> None:
        funds: Mapping[str, Mapping[str, Decimal]] = {**WITH_USDT, "upbit": {**WITH_USDT["upbit"], "USDT": Decimal(0)}}
        async with world(tmp_path, netting=NettingConfig(band=BAND, max_open_fx=150.0), funds=funds) as w:
            await leave_open(w, levels, netted=False)
            if dry == "KRW":  # somebody takes it all out: the target goes down with it, and what is open stays open
                w.journal.post(Adjusted("upbit", "KRW", -w.portfolio.total("upbit", "KRW"), "taken out", "operator"))
            await asyncio.sleep(7)
            assert (nettings(w), w.engine.netting.blocked) == ([], reason)
            (told,) = [breach for breach in w.engine.breaches.breaches.values() if breach.kind == "NETTING_BLOCKED"]
            assert reason.value in told.detail
            w.show("upbit", levels)
            await quiet(w)
            assert w.engine.risk.denials[Reason.OPEN_FX] == 1
            assert abs(open_usdt(w)) < 150.0
            if dry == "USDT":
                opened = w.portfolio.state.tally.opened
                await w.trade("upbit", other)
                assert w.portfolio.state.tally.opened == opened + 1  # what shrinks it passes

    run_virtual(main())


def _request(order: Order) -> OrderRequest:
    return OrderRequest(order.client_order_id, order.market.code, order.side, order.qty, order.price, order.tif)
