"""Bought at one venue, moved over a network by a person, sold at another on arrival: each way that it can go, and over a restart."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from arbtui.execution.cycle import ArbCycle
from arbtui.journal.events import CycleState, Event, Phase, TransferBegun
from arbtui.journal.reader import events, reading
from arbtui.model.money import ONE
from arbtui.model.order import Order, OrderState, Purpose
from arbtui.model.reason import Reason
from arbtui.model.virtual_loop import run_virtual
from arbtui.portfolio.ledger import read_ledger
from arbtui.portfolio.operator_events import Transfer
from arbtui.portfolio.portfolio import Portfolio
from arbtui.portfolio.transfers import TransferAccount
from arbtui.routes.rules import RouteRules
from arbtui.routes.transfer_route import TransferRoute
from arbtui.runtime.played_person import PlayedPerson
from tests.execution.world import FAIR, FUNDS, UPBIT_DEAR, Levels, World, world
from tests.portfolio.auditing import AUDIT, audit, disagreements

ROUTE = "XRP:binance>chain>upbit"
#: Nobody at Upbit buys where it was dear a moment ago.
UPBIT_FALLEN: Levels = ([(2990.0, 400.0), (2989.0, 500.0)], [(2997.0, 400.0), (2998.0, 500.0)])


#: Nothing to sell at Upbit, so that only what is moved there pays.
NO_STOCK = {**FUNDS, "upbit": {**FUNDS["upbit"], "XRP": Decimal(0)}}
UPBIT_HIGHER: Levels = ([(2997.0, 400.0), (2996.0, 500.0)], [(2998.0, 400.0), (2999.0, 500.0)])


@asynccontextmanager
async def chain_world(
    folder: Path, *, person: bool = True, warm: bool = True, shapes: Sequence[str] = ("cross_chain",), **more: Any
) -> AsyncIterator[World]:
    """Two venues, as usual without trade from stock, with a person who makes transfers; the price has been measured."""
    async with world(folder, rules=RouteRules(shapes), **more) as w:
        w.step_s = 1.0
        await w.engine.wallets.refresh()
        tasks = [asyncio.create_task(_compare(w))]
        if person:
            tasks.append(asyncio.create_task(PlayedPerson(w.engine, w.upbit.core._ledger, w.clock).run()))
        if warm:
            await measured(w)
        yield w
        for task in tasks:
            task.cancel()


async def measured(w: World) -> None:
    """Some minutes in which the price moves by a price unit: only what has moved has a mark."""
    for turn in range(6):
        w.quote("upbit", UPBIT_HIGHER if turn % 2 else FAIR["upbit"])
        await asyncio.sleep(62)
    w.quote("upbit", FAIR["upbit"])


async def _compare(w: World) -> None:
    """As the running comparison of balances does."""
    while True:
        await asyncio.sleep(2.0)
        await w.components.sync.check()


async def until(done: Callable[[], bool], most_s: float = 600.0) -> None:
    async with asyncio.timeout(most_s):
        while not done():  # noqa: ASYNC110 virtual time: a look costs nothing, and the fold tells nobody
            await asyncio.sleep(0.5)


def opened(w: World, levels: Levels = UPBIT_DEAR) -> ArbCycle:
    """Show the gap, and the cycle that it opened."""
    w.show("upbit", levels)
    (cycle,) = w.engine.executor.open.values()
    return cycle


def transfer(w: World) -> TransferAccount:
    (found,) = w.portfolio.state.transfers.values()
    return found


def audited(w: World) -> dict[str, Any]:
    """The ledger, after the auditors have agreed: balances, PnL against the change of equity, and every cycle."""
    w.engine.marks.take("end")
    ledger = read_ledger(w.journal.path)
    assert disagreements(ledger) == []
    pnl, equity = ledger["pnl"], ledger["equity"]
    assert Decimal(pnl["total"]) == pytest.approx(Decimal(equity["end"]) - Decimal(equity["start"]), abs=Decimal("0.000001"))
    if AUDIT.is_file():
        code, said = audit(ledger)
        assert code == 0, said
    return ledger


def told(cycle: ArbCycle) -> list[tuple[int, Purpose, OrderState]]:
    return [(order.leg, order.purpose, order.state) for order in cycle.orders]


def test_a_route_whose_wallet_is_gated_is_held_back_at_once(tmp_path: Path) -> None:
    async def main() -> None:
        async with chain_world(tmp_path) as w:
            route = next(route for route in w.components.universe.routes if route.transfers)
            assert w.engine.operator.scopes.halt("wallet.upbit:XRP", "paused", "CLI", "ann", "closed") is None
            assert route.blocked is Reason.SCOPE_PAUSED
            assert w.engine.risk.scoped(route) is Reason.SCOPE_PAUSED
            assert w.engine.operator.scopes.rearm("wallet.upbit:XRP", "p", "open", "ann") is None
            assert route.blocked is None

    run_virtual(main())


def test_a_gap_is_bought_moved_and_sold_on_arrival(tmp_path: Path) -> None:
    async def main() -> None:
        async with chain_world(tmp_path) as w:
            w.engine.marks.take("start")
            held = {name: w.portfolio.total(name, "XRP") for name in ("binance", "upbit")}
            cycle = opened(w)
            await w.engine.executor.quiet.wait()
            assert (cycle.phase, list(w.engine.executor.moving)) == (Phase.IN_TRANSIT, [cycle.id])
            assert transfer(w).cycle_id == cycle.id
            await until(lambda: transfer(w).state == "IN_TRANSIT")
            assert cycle.residual == {"XRP": transfer(w).qty}
            assert w.portfolio.in_transit() == {"XRP": transfer(w).qty}
            assert w.portfolio.available("binance", "XRP") == w.portfolio.total("binance", "XRP")
            assert w.engine.in_transit
            assert not w.engine.unsettled
            audited(w)
            w.same_after_restart()
            await until(lambda: not cycle.account.is_open)
            assert cycle.state is CycleState.HEDGED
            assert told(cycle) == [(0, Purpose.ENTRY, OrderState.FILLED), (1, Purpose.FOLLOW, OrderState.FILLED)]
            assert cycle.account.network_fees == {"XRP": transfer(w).fee}
            assert cycle.account.held("XRP")["in transit"] == 0, "what the network kept is nobody's any more"
            assert 0.5 < cycle.account.pnl < 1.0  # 1 % of 100 USDT, less 20 bps of fees and 10 of the network
            ledger = audited(w)
            (row,) = ledger["cycles"]
            assert (row["state"], row["route"]) == ("HEDGED", ROUTE)
            assert Decimal(row["pnl"]["total"]) == pytest.approx(Decimal(ledger["pnl"]["trading"]) - Decimal(ledger["pnl"]["fees"]))
            assert Decimal(ledger["pnl"]["rotation"]) == 0
            for name in held:  # less than a lot of either venue is left of it
                assert abs(w.portfolio.total(name, "XRP") - held[name]) < Decimal("0.1")
            w.agree()

    run_virtual(main())


def test_on_their_way_coins_keep_nothing_of_the_limits_and_are_sold_whatever_the_venue_that_they_left_does(tmp_path: Path) -> None:
    async def main() -> None:
        async with chain_world(tmp_path) as w:
            executor, given_back = w.engine.executor, list[tuple[str, str]]()
            for name, venue in w.venues.items():
                release = venue.release_orders

                def released(cycle_id: str, name: str = name, release: Callable[[str], None] = release) -> None:
                    given_back.append((name, cycle_id))
                    release(cycle_id)

                venue.release_orders = released  # type: ignore[method-assign]
            cycle = opened(w)
            await executor.quiet.wait()
            assert list(executor.moving) == [cycle.id]
            assert sorted(given_back) == [("binance", cycle.id), ("upbit", cycle.id)]
            assert w.engine.gate._looked == {}
            w.silent.add("binance")
            await until(lambda: not cycle.account.is_open)
            assert cycle.state is CycleState.HEDGED
            assert executor.moving == {}
            assert executor.naked()[0] == pytest.approx(cycle.naked_value_s), "it counts once"
            w.agree()

    run_virtual(main())


def test_coins_are_on_their_way_when_that_is_on_disk(tmp_path: Path) -> None:
    async def main() -> None:
        async with chain_world(tmp_path, person=False) as w:
            executor, record = w.engine.executor, w.journal.record
            written: asyncio.Future[None] = asyncio.get_running_loop().create_future()

            def recorded(*events: Event) -> Awaitable[None]:
                durable = record(*events)
                return written if isinstance(events[0], TransferBegun) else durable

            w.journal.record = recorded  # type: ignore[method-assign]
            cycle = opened(w)
            await until(lambda: bool(executor.moving))
            await asyncio.sleep(1)
            assert (list(executor.moving), executor.open, executor.quiet.is_set()) == ([cycle.id], {}, False)
            written.set_result(None)
            await asyncio.sleep(0.01)
            assert executor.quiet.is_set()

    run_virtual(main())


def test_a_run_that_ends_in_transit_leaves_it_to_the_next_which_sells_what_has_come(tmp_path: Path) -> None:
    async def main() -> None:
        async with chain_world(tmp_path) as w:
            cycle_id = opened(w).id
            await until(lambda: bool(w.portfolio.state.transfers) and transfer(w).state == "IN_TRANSIT")
        async with chain_world(tmp_path, warm=False) as w:
            account = w.portfolio.cycle(cycle_id)
            assert account is not None
            assert (account.phase, account.awaits) == (Phase.IN_TRANSIT, transfer(w).id)
            assert w.engine.in_transit
            w.quote("upbit", UPBIT_DEAR)
            await until(lambda: not account.is_open)
            assert account.state is CycleState.HEDGED
            audited(w)
            w.agree()

    run_virtual(main())


def test_what_came_while_nothing_ran_is_sold_at_the_start(tmp_path: Path) -> None:
    async def main() -> None:
        async with chain_world(tmp_path, person=False) as w:
            cycle_id = opened(w).id
            await w.engine.executor.quiet.wait()
            moved = transfer(w)
            await w.binance.core._ledger.deposit("binance", {"XRP": -moved.qty}, "out", w.clock.time_ms())
            await until(lambda: moved.state == "IN_TRANSIT")
            await w.upbit.core._ledger.deposit("upbit", {"XRP": moved.qty - moved.fee}, "in", w.clock.time_ms())
        async with chain_world(tmp_path, person=False, warm=False) as w:
            assert transfer(w).state == "ARRIVED"
            account = w.portfolio.cycle(cycle_id)
            assert account is not None
            assert account.is_open
            w.quote("upbit", UPBIT_DEAR)
            await until(lambda: not account.is_open)
            assert account.state is CycleState.HEDGED
            w.agree()

    run_virtual(main())


def test_a_price_that_fell_on_the_way_is_taken_within_the_collar(tmp_path: Path) -> None:
    async def main() -> None:
        async with chain_world(tmp_path) as w:
            cycle = opened(w)
            await w.engine.executor.quiet.wait()
            w.quote("upbit", UPBIT_FALLEN)
            await until(lambda: not cycle.account.is_open)
            assert cycle.state is CycleState.HEDGED
            assert cycle.account.pnl < 0
            assert told(cycle)[-1][1:] == (Purpose.COMPLETE, OrderState.FILLED)
            assert {order.market.exchange for order in cycle.orders[1:]} == {"upbit"}
            audited(w)
            w.agree()

    run_virtual(main())


@pytest.mark.parametrize(
    ("how", "state"), [("cancelled", CycleState.UNWOUND), ("returned", CycleState.UNWOUND), ("lost", CycleState.RESIDUAL)]
)
def test_a_person_settles_a_transfer_that_does_not_come(how: str, state: CycleState, tmp_path: Path) -> None:
    async def main() -> None:
        async with chain_world(tmp_path, person=False) as w:
            cycle = opened(w)
            await w.engine.executor.quiet.wait()
            moved = transfer(w)
            if how != "cancelled":
                await w.binance.core._ledger.deposit("binance", {"XRP": -moved.qty}, "out", w.clock.time_ms())
                await until(lambda: moved.state == "IN_TRANSIT")
            await asyncio.sleep(moved.minutes * 60 * 2 + 5)
            assert [b.kind for b in w.engine.breaches.breaches.values() if b.scope == moved.id] == ["TRANSFER_LATE"]
            if how == "returned":
                await w.binance.core._ledger.deposit("binance", {"XRP": moved.qty}, "back", w.clock.time_ms())
            assert w.engine.operator.settle_transfer(moved.id, how, "p", "asked the venue") is None
            await until(lambda: not cycle.account.is_open)
            assert cycle.state is state
            if how == "lost":
                assert cycle.account.settled is not None
                assert (cycle.account.settled.how, w.portfolio.positions) == ("lost", [])
                assert cycle.account.pnl == pytest.approx(-100, rel=Decimal("0.01"))
            else:
                assert told(cycle)[-1] == (0, Purpose.UNWIND, OrderState.FILLED)
            audited(w)
            w.agree()

    run_virtual(main())


def test_too_little_to_move_is_sold_where_it_was_bought(tmp_path: Path) -> None:
    async def main() -> None:
        async with chain_world(tmp_path) as w:
            said: list[str] = []

            def dry(order: Order) -> None:  # a moment before the order arrives most of the offer is gone
                if order.purpose is Purpose.ENTRY:
                    w.quote("binance", ([(2.1399, 300.0)], [(2.14, 3.0), (2.9, 500.0)]))
                else:
                    said.append(cycle.reason)

            w.binance.before_admit = dry
            cycle = opened(w)
            await until(lambda: not cycle.account.is_open)
            assert said == [Reason.BELOW_THRESHOLD], "while it is taken back it says why"
            assert cycle.state is CycleState.UNWOUND
            assert not w.portfolio.state.transfers
            assert {order.market.exchange for order in cycle.orders} == {"binance"}
            w.agree()

    run_virtual(main())


def test_nothing_is_sold_while_killed_and_what_came_is_sold_after_the_re_arm(tmp_path: Path) -> None:
    async def main() -> None:
        async with chain_world(tmp_path) as w:
            cycle = opened(w)
            await until(lambda: bool(w.portfolio.state.transfers) and transfer(w).state == "IN_TRANSIT")
            w.halt.close("KEY", "", w.clock.time_ms())
            await until(lambda: transfer(w).state == "ARRIVED")
            await asyncio.sleep(30)
            assert cycle.account.is_open
            assert len(cycle.orders) == 1
            assert w.engine.state == "HALTED_DIRTY"
            assert "in transit" in w.engine.halt_detail
            assert w.engine.operator.rearm("p", "it has come", w.halt.kills) is None
            await until(lambda: not cycle.account.is_open)
            assert cycle.state is CycleState.HEDGED
            w.agree()

    run_virtual(main())


def test_what_is_not_known_of_its_network_is_a_reason(tmp_path: Path) -> None:
    async def main() -> None:
        async with chain_world(tmp_path, person=False, warm=False) as w:
            route = w.components.universe.by_id[ROUTE]
            assert isinstance(route, TransferRoute)
            w.show("upbit", UPBIT_DEAR)
            assert route.refusal(w.clock.monotonic()) is Reason.NETWORK_UNKNOWN
            await asyncio.sleep(11)
            w.freshen()
            assert route.refusal(w.clock.monotonic()) is Reason.TRANSFER_RISK
            w.show("upbit", UPBIT_DEAR)
            await measured(w)
            assert not w.engine.cycles
            w.quote("upbit", FAIR["upbit"])
            await asyncio.sleep(11)
            assert route.refusal(w.clock.monotonic()) is Reason.BELOW_THRESHOLD
            await asyncio.sleep(1900)
            assert route.refusal(w.clock.monotonic()) is Reason.NETWORK_UNKNOWN, "nobody has asked the venues since"

    run_virtual(main())


def test_coins_on_their_way_are_in_nobodys_way_and_are_limited(tmp_path: Path) -> None:
    async def main() -> None:
        async with chain_world(tmp_path, person=False, shapes=("two_leg", "cross_chain"), funds=NO_STOCK) as w:
            cycle = opened(w)
            await w.engine.executor.quiet.wait()
            route = w.components.universe.by_id[ROUTE]
            await asyncio.sleep(5)
            assert route.blocked is Reason.ROUTE_BUSY, "two transfers that look alike could not be told apart"
            assert w.components.universe.by_id["XRP:upbit>chain>binance"].blocked is Reason.ROUTE_BUSY, "at one place, one at a time"
            assert w.components.universe.by_id["XRP:binance>upbit"].blocked is None, "what is traded from stock goes on"
            rows = {row.scope: row.used for row in w.engine.limits.rows()}
            assert rows["global.max_uncovered_in_transit"] == rows["global.max_asset_in_transit"] == cycle.account.value
            assert rows["global.max_in_transit"] == cycle.account.value
            assert w.engine.risk.total.unhedged == cycle.account.value

    run_virtual(main())


def test_a_refill_under_way_is_told_apart_by_its_amount_and_what_a_cycle_moves_comes_and_is_sold_beside_it(tmp_path: Path) -> None:
    """A wanted coin is brought as stock, too, all the time that it is wanted: routes over networks must not wait for that."""

    async def main() -> None:
        async with chain_world(tmp_path, person=False) as w:

            async def booked(exchange: str, amount: Decimal, state: tuple[str, str]) -> None:
                await w.venues[exchange].core._ledger.deposit(exchange, {"XRP": amount}, f"{state}", w.clock.time_ms())
                await until(lambda: (refill.state, moved.state) == state)

            w.engine.marks.take("start")
            assert (
                w.engine.operator.begin_transfer(Transfer("XRP", "binance", "upbit", Decimal(300), "XRP", ONE, 2.0), "p", "refill") is None
            )
            refill = moved = transfer(w)
            await booked("binance", Decimal(-300), ("IN_TRANSIT", "IN_TRANSIT"))
            cycle = opened(w)
            await w.engine.executor.quiet.wait()
            moved = next(one for one in w.portfolio.open_transfers if one.cycle_id == cycle.id)
            await booked("binance", -moved.qty, ("IN_TRANSIT", "IN_TRANSIT"))
            await booked("upbit", Decimal(30), ("PARTIAL", "IN_TRANSIT"))  # less than the cycle's, and none of it
            assert cycle.account.is_open
            await booked("upbit", moved.qty - moved.fee, ("PARTIAL", "ARRIVED"))
            await until(lambda: not cycle.account.is_open)
            assert cycle.state is CycleState.HEDGED
            await booked("upbit", Decimal(269), ("ARRIVED", "ARRIVED"))
            ledger = audited(w)
            assert not any(w.portfolio.state.disputes.values())
            assert Decimal(ledger["pnl"]["rotation"]) < 0, "the refill's fee, and not the cycle's"
            w.same_after_restart()
            w.agree()

    run_virtual(main())


def test_beside_a_refill_of_about_as_much_nothing_is_bought_to_be_moved(tmp_path: Path) -> None:
    async def main() -> None:
        async with chain_world(tmp_path / "free", person=False) as w:
            opened(w)
            await w.engine.executor.quiet.wait()
            qty = transfer(w).qty
        async with chain_world(tmp_path / "alike", person=False) as w:
            move = Transfer("XRP", "binance", "upbit", qty, "XRP", ONE, 2.0)
            assert w.engine.operator.begin_transfer(move, "p", "refill") is None
            w.show("upbit", UPBIT_DEAR)
            assert not w.engine.executor.open
            assert w.engine.risk.denials[Reason.ROUTE_BUSY] == 1

    run_virtual(main())


def test_where_the_market_is_away_on_arrival_the_coins_wait_for_it(tmp_path: Path) -> None:
    async def main() -> None:
        async with chain_world(tmp_path) as w:
            cycle = opened(w)
            await w.engine.executor.quiet.wait()
            w.silent.add("upbit")
            await until(lambda: transfer(w).state == "ARRIVED")
            await asyncio.sleep(120)
            assert (cycle.account.is_open, len(cycle.orders)) == (True, 1)
            w.silent.clear()
            await until(lambda: not cycle.account.is_open)
            assert cycle.state is CycleState.HEDGED
            w.agree()

    run_virtual(main())


@pytest.mark.parametrize(("resumes", "state"), [(True, CycleState.UNWOUND), (False, CycleState.RESIDUAL)])
def test_a_crash_before_the_transfer_began_leaves_the_coins_where_they_were_bought(
    resumes: bool, state: CycleState, tmp_path: Path
) -> None:
    async def main() -> None:
        async with chain_world(tmp_path, person=False) as w:
            whole = w.engine.executor._work

            async def killed(cycle: ArbCycle, durable: Awaitable[None]) -> None:
                await whole(cycle, durable)
                await asyncio.Event().wait()

            w.engine.executor._work = killed  # type: ignore[method-assign]
            cycle_id = opened(w).id
            await until(lambda: bool(w.portfolio.cycle(cycle_id).fills) and not w.portfolio.open_orders)  # type: ignore[union-attr]
        async with chain_world(tmp_path, person=False, warm=False, resumes=resumes) as w:
            account = w.portfolio.cycle(cycle_id)
            assert account is not None
            await until(lambda: not account.is_open)
            assert account.state is state
            assert not w.portfolio.state.transfers
            if resumes:
                w.agree()
            else:
                assert account.held("XRP").keys() == {"binance"}

    run_virtual(main())


@pytest.mark.parametrize("last", ["TransferBegun", "TransferLeft", "TransferArrived"])
def test_a_journal_cut_off_after_any_step_goes_on_from_there(last: str, tmp_path: Path) -> None:
    """What a kill -9 leaves is the journal up to some event: from each step of the transfer on, the fold knows whose the coins are."""

    async def main() -> None:
        async with chain_world(tmp_path) as w:
            cycle_id = opened(w).id
            await until(lambda: not w.portfolio.open_cycles)
            path = w.journal.path
        cut = Portfolio()
        with reading(path) as db:
            for recorded in events(db):
                cut.apply(recorded)
                if type(recorded.event).__name__ == last:
                    break
        cycle = Portfolio.load(cut.dump()).cycle(cycle_id)
        assert cycle is not None
        (moved,) = cut.state.transfers.values()
        where = {"TransferBegun": "binance", "TransferLeft": "in transit", "TransferArrived": "upbit"}[last]
        held = {place: amount for place, amount in cycle.held("XRP").items() if amount}
        assert held == {where: moved.qty - (moved.fee if last == "TransferArrived" else 0)}
        assert (cycle.phase, bool(cycle.awaits)) == (Phase.IN_TRANSIT, last != "TransferArrived")
        assert cut.left(cycle).keys() == {"XRP"}
        for name in ("binance", "upbit"):  # nobody else may use them, and nothing more is kept than they are
            kept = cut.reserved(name, "XRP")
            assert kept == (held.get(name, 0)), name

    run_virtual(main())
