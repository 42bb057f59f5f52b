"""Two legs in docs/faults.md, F21 to F26 and F67: one leg that is gone, both unknown, a race for one balance, a balance that lies."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from arbtui.execution.cycle import ArbCycle
from arbtui.execution.hedging import HedgeStep
from arbtui.execution.plan import CyclePlan
from arbtui.failover.reconcile_report import Check
from arbtui.journal.events import CycleState
from arbtui.model.money import ZERO
from arbtui.model.order import Balance, Order, OrderState, Purpose, Side
from arbtui.model.reason import Reason
from arbtui.portfolio.trading_state import TradingState
from arbtui.sandbox.faults import WireFault, WireFaultKind
from arbtui.simulation.played_venue import DEFAULT_VENUES as VENUES
from tests.faults.desk import DEADLINE_S, RESTS_S, Desk, desk, play
from tests.faults.test_order_path import deaf

K = WireFaultKind
HEDGES = (Purpose.COMPLETE, Purpose.UNWIND)


def on_hedge(d: Desk, purpose: Purpose, fault: WireFault) -> list[Order]:
    """Script ``fault`` as the first hedging order of ``purpose`` is made at its venue; the list holds it then."""
    executor, made = d.engine.executor, list[Order]()
    whole = executor._order

    def order(cycle_id: str, plan: CyclePlan, orders: list[Order], step: HedgeStep) -> Order:
        one = whole(cycle_id, plan, orders, step)
        is_it = step.purpose is purpose and one.market.exchange == fault.venue
        if is_it and (not made or made[0].state is OrderState.ABANDONED):
            if not made:
                fault.symbol = one.market.code
                d.box.fault(fault)
            made[:] = [one]
        return one

    executor._order = order  # type: ignore[method-assign]
    return made


@pytest.mark.parametrize("venue", VENUES)
def test_f21_a_venue_that_is_gone_after_the_other_leg_filled_costs_a_bounded_number_of_orders(venue: str, tmp_path: Path) -> None:
    attempts = 3  # orders for one leg, the first one counted

    async def main() -> None:
        async with desk(tmp_path, settings={"execution": {"max_attempts": attempts}}) as d:
            most = 0.0
            fault = d.fault(venue, K.RESET_BEFORE, seconds=15.0)
            await d.met(fault)

            def is_over() -> bool:
                nonlocal most
                most = max(most, d.engine.risk.total.unhedged)
                return fault.until is not None and d.engine.components.clock.monotonic() > fault.until and not d.engine.executor.open

            await d.until(is_over, "it is over, and every cycle has ended")
            one_legged = [cycle for cycle in d.engine.cycles.values() if {fill.exchange for fill in cycle.fills} == set(VENUES) - {venue}]
            assert one_legged, "one leg filled and the other one's venue was gone"
            for cycle in d.engine.cycles.values():
                assert len([order for order in cycle.orders if order.purpose in HEDGES]) <= attempts - 1
                assert cycle.state is not CycleState.OPEN
            assert 0 < most <= d.engine.risk.total.limits.max_unhedged
            assert any(cycle.state in (CycleState.UNWOUND, CycleState.RESIDUAL) for cycle in one_legged), "taken back, or left to a person"
            await d.agree()

    play(main)


@pytest.mark.parametrize("venue", VENUES)
def test_f22_of_a_leg_whose_rest_is_cancelled_the_other_leg_sells_what_came_and_no_more(venue: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path, settings={"execution": {"entry_order": "hard leg first"}}) as d:
            core = d.box.cores[venue]
            made = d.rest_next(venue, for_s=RESTS_S)
            await d.until(lambda: bool(made) and made[0].state is OrderState.ACCEPTED, "the first leg rests, alone")
            (order,) = made
            cycle = d.engine.cycles[order.cycle_id]
            assert cycle.orders == [order], "the other leg waits for it"
            part = order.market.qty_down(order.qty / 2)
            d.fill_at_venue(order, part)
            await d.until(lambda: order.filled_qty == part, "half of it filled")
            await d.venues.adapters[venue].cancel(order.market.code, order.client_order_id)
            await d.until(lambda: order.state is OrderState.CANCELED, "the rest is cancelled")
            (told,) = [
                one for one in d.box.venues[venue].account.log.orders(None, limit=100_000) if one.client_order_id == order.client_order_id
            ]
            assert ZERO < told.filled_qty < told.qty, "the venue says so, too"
            assert not core.open_orders()
            await d.until(lambda: cycle.is_over, "its cycle has ended")
            assert cycle.state in (CycleState.HEDGED, CycleState.UNWOUND)
            came = sum(
                (fill.qty - (fill.fee if fill.fee_currency == fill.base else ZERO) for fill in cycle.fills if fill.side is Side.BUY), ZERO
            )
            went = sum(
                (fill.qty + (fill.fee if fill.fee_currency == fill.base else ZERO) for fill in cycle.fills if fill.side is Side.SELL), ZERO
            )
            lot = max(leg.lot for leg in cycle.plan.legs)
            assert abs(came - went) < lot, "what is left is dust"
            assert went < order.qty
            await d.agree()

    play(main)


def test_f23_while_both_legs_are_unknown_all_of_it_stays_reserved_and_nothing_more_opens_there(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path, absence_s=20.0) as d:
            deaf(d)
            faults = [
                fault for venue in VENUES for fault in (d.fault(venue, K.TIMEOUT), d.fault(venue, K.ERROR_BEFORE, on="query", count=40))
            ]
            await d.met(faults[0], faults[2])

            def lost() -> ArbCycle | None:
                for cycle in d.engine.executor.open.values():
                    if len(cycle.orders) == 2 and all(order.state is OrderState.UNKNOWN for order in cycle.orders):
                        return cycle
                return None

            await d.until(lambda: lost() is not None, "both legs of one cycle are UNKNOWN")
            cycle = lost()
            assert cycle is not None
            legs = {order.client_order_id for order in cycle.orders}  # once their fate is known, hedges may follow
            portfolio = d.engine.portfolio
            for exchange, asset, amount in cycle.plan.reserved:
                assert cycle.account.still_reserved(exchange, asset) >= amount
                assert portfolio.available(exchange, asset) <= portfolio.total(exchange, asset) - amount
            assert sum(one.value for one in portfolio.open_cycles) >= cycle.account.value > 0, "it counts as exposure, whole"
            route = cycle.plan.route
            assert route.blocked is Reason.ROUTE_BUSY
            others = [
                one for one in d.engine.cycles.values() if one.plan.route is route and one is not cycle and one.opened_at > cycle.opened_at
            ]
            assert others == []
            for fault in d.box.faults.values():
                fault.clear()
            await d.until(lambda: cycle.is_over, "their fate is known")
            assert not [
                one for one in d.engine.cycles.values() if one.plan.route is route and cycle.opened_at < one.opened_at < cycle.closed_at
            ]
            found = d.unknown()
            assert legs <= set(found)
            await d.healthy()
            await d.agree()

    play(main)


@pytest.mark.parametrize("venue", VENUES)
def test_f24_an_unwinding_that_fills_late_is_not_sent_a_second_time_before_its_fate_is_known(venue: str, tmp_path: Path) -> None:
    other = next(name for name in VENUES if name != venue)

    async def main() -> None:
        async with desk(tmp_path, settings={"execution": {"completion_attempts": 0}}) as d:
            deaf(d)
            late = WireFault(venue, K.LATE, ms=4000)
            made = on_hedge(d, Purpose.UNWIND, late)
            lost = d.fault(other, K.RESET_BEFORE)  # the other leg never comes, so this one is taken back
            await d.met(lost)
            await d.until(lambda: bool(made) and made[0].state is OrderState.UNKNOWN, "the unwinding is not answered in time", 60.0)
            (order,) = made
            cycle = d.engine.cycles[order.cycle_id]
            assert order.market.exchange == venue
            sent = len(cycle.orders)
            await d.until(lambda: order.state.is_final, "its fate is known")
            assert len([one for one in cycle.orders[:sent] if one.purpose is Purpose.UNWIND]) == 1
            assert cycle.orders[sent - 1] is order, "nothing was sent for the cycle while it was not known"
            assert late.met == 1, "the venue executed it late"
            await d.until(lambda: cycle.is_over, "the cycle has ended")
            await d.healthy()
            await d.agree()
            assert d.posts[venue, order.client_order_id] == 1

    play(main)


def test_f25_routes_that_race_for_one_balance_never_reserve_more_than_there_is(tmp_path: Path) -> None:
    async def main() -> None:
        symbols = ("XRP", "SOL", "DOGE", "ADA", "AVAX", "LINK", "TRX", "DOT", "UNI", "APT", "SUI", "NEAR")
        async with desk(tmp_path, symbols, start=False, settings={"execution": {"cooldown_ms": 0}}) as d:
            free = d.box.ledger.free("binance", "USDT")
            await d.box.deposit("binance", "USDT", str(-(free - Decimal(150)).quantize(Decimal("0.01"))))  # an order's worth
            for venue in VENUES:  # a cycle keeps its cash for as long: another one that wants it comes meanwhile
                d.fault(venue, K.LATE, ms=700, seconds=DEADLINE_S)
            await d.start()
            engine, short, shared = d.engine, list[str](), 0
            start = engine.executor.start

            def watched(plan: CyclePlan, tasks: asyncio.TaskGroup) -> ArbCycle | Reason:
                nonlocal shared
                opened = start(plan, tasks)
                for exchange, asset in {(exchange, asset) for exchange, asset, _ in plan.reserved}:
                    each = [one.still_reserved(exchange, asset) for one in engine.portfolio.open_cycles]
                    shared += sum(amount > ZERO for amount in each) > 1
                    kept = sum(each, ZERO)
                    if kept > engine.portfolio.total(exchange, asset):
                        short.append(f"{kept} {asset} of {engine.portfolio.total(exchange, asset)} at {exchange}")
                return opened

            engine.executor.start = watched  # type: ignore[method-assign]

            def refused() -> int:
                return sum(engine.risk.denials.get(reason, 0) for reason in (Reason.NO_CASH, Reason.TOO_SMALL))

            # Whether one had to be refused is the market's chance; that several kept something of one balance is not.
            await d.until(lambda: shared >= 10 or (shared > 2 and refused() > 0), "they race")
            await d.cycles(3)
            assert short == []
            await d.agree()
            assert not [row for row in d.ledger()["orders"] if row["state"] == "REJECTED"], (
                "the venue has never had to refuse one for want of cash"
            )

    play(main)


@contextmanager
def lying(d: Desk, venue: str, asset: str, *, reads: int) -> Iterator[list[int]]:
    """So many of the venue's answers about balances leave ``asset`` out; the list has how many did."""
    account, told = d.box.venues[venue].account, [0]
    real = account.balances

    def balances() -> dict[str, Balance]:
        held = real()
        if told[0] < reads:
            told[0] += 1
            held = {name: balance for name, balance in held.items() if name != asset}
        return held

    account.balances = balances  # type: ignore[method-assign]
    try:
        yield told
    finally:
        account.balances = real  # type: ignore[method-assign]


OFTEN = {"reconcile": {"balances_s": 1.0}}


@pytest.mark.parametrize("venue", VENUES)
def test_f26_one_reading_of_a_balance_that_is_wrong_changes_nothing_and_three_are_a_dispute(venue: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path, settings=OFTEN) as d:
            await d.cycles(1)
            await d.settle()
            before = d.engine.portfolio.total(venue, "XRP")
            available = d.engine.portfolio.available(venue, "XRP")
            read = d.accounts.records[venue, Check.BALANCES].done
            with lying(d, venue, "XRP", reads=1) as told:
                await d.until(
                    lambda: told[0] == 1 and d.accounts.records[venue, Check.BALANCES].done >= read + 4,
                    "one answer lied, later ones did not",
                )
            assert (d.engine.portfolio.total(venue, "XRP"), d.engine.portfolio.available(venue, "XRP")) == (before, available)
            assert d.engine.portfolio.state.disputes.get(venue, {}) == {}
            assert d.breaches("BALANCE_MISMATCH") == []
            with lying(d, venue, "XRP", reads=1000) as told:
                await d.until(lambda: bool(d.breaches("BALANCE_MISMATCH")), "it is disputed")
                assert told[0] >= 3
                assert d.engine.portfolio.total(venue, "XRP") == before, "nothing is taken from the venue's word"
            await d.until(lambda: d.engine.portfolio.state.disputes.get(venue, {}) == {}, "the venue says the same again")
            d.resume()
            await d.healthy()
            await d.agree()

    play(main)


def test_f67_a_wrong_reading_moves_no_equity_and_halts_nothing(tmp_path: Path) -> None:
    """What the limits of losses count comes from fills and marks; a balance that is read as nothing is no loss."""

    async def main() -> None:
        async with desk(tmp_path, settings=OFTEN) as d:
            await d.cycles(1)
            with lying(d, "binance", "USDT", reads=2) as told:
                await d.until(lambda: told[0] == 2, "two answers lied")
                await d.cycles(1)
            assert d.engine.state is TradingState.ARMED
            assert not d.engine.components.halt.is_closed
            assert abs(d.engine.pnl_today().total) < Decimal(100), "70,000 USDT read as nothing would be a loss"
            await d.settle()
            assert d.breaches("BALANCE_MISMATCH") == []
            await d.agree()

    play(main)
