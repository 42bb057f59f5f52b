"""Situations of the money path that once gave wrong figures or lost what a hedge needed; each with its right value."""

import asyncio
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from arbtui.exchanges.adapter import OrderReport
from arbtui.execution.cycle import ArbCycle
from arbtui.journal.events import CycleState, Mark
from arbtui.model.market import FeeTakenIn
from arbtui.model.money import ZERO, decimal_of
from arbtui.model.order import OrderState, Purpose
from arbtui.model.reason import Reason
from arbtui.model.virtual_loop import run_virtual
from arbtui.portfolio.ledger import read_ledger
from arbtui.risk.breach import Severity
from arbtui.simulation.faults import Fault, FaultKind
from tests.execution.world import EXECUTION, UNRESTING, UPBIT_CHEAP, UPBIT_DEAR, World, markets_of, world


def _equity(w: World) -> Decimal:
    """What is held, at the live marks, by hand."""
    marks = w.components.marks
    return sum(
        (amount * (marks.value(asset) or Decimal(0)) for held in w.portfolio.state.balances.values() for asset, amount in held.items()),
        Decimal(0),
    )


@pytest.mark.parametrize("looks", [0, 1, 50])
def test_pnl_is_the_change_of_equity_whoever_asks_and_when(tmp_path: Path, looks: int) -> None:
    """XRP +10 % at both venues, the won 5 % weaker, nothing traded: it used to be zero when only the end was asked for."""

    async def main() -> None:
        async with world(tmp_path) as w:
            await asyncio.sleep(0.2)
            before = _equity(w)
            for _ in range(looks):
                w.engine.pnl()
            w.quote("binance", ([(2.3539, 300.0)], [(2.354, 300.0)]))
            w.quote("upbit", ([(3295.0, 400.0)], [(3297.0, 400.0)]))
            rate = w.components.rates.markets[0].book
            assert rate is not None
            rate.replace([(1470.0, 1e6)], [(1471.0, 1e6)])
            w.components.rates.refresh()
            w.engine.marks.take("end")
            pnl = w.engine.pnl()
            assert pnl.total == _equity(w) - before
            assert [pnl.trading, pnl.fees, pnl.adjustments] == [ZERO] * 3
            assert pnl.fx_stock == pytest.approx(Decimal(3_000_000) * (Decimal(1) / Decimal("1470.5") - Decimal(1) / Decimal("1400.5")))
            assert pnl.inventory == pytest.approx(Decimal(2000) * (3295 / Decimal("1470.5") - 2996 / Decimal("1400.5")))
            ledger = read_ledger(w.journal.path)
            assert ledger["pnl"]["total"] == pnl.payload("USDT")["total"]
            assert read_ledger(w.journal.path, "r1")["pnl"] == ledger["pnl"]

    run_virtual(main())


def test_a_hedge_finds_the_cash_that_its_cycle_has_reserved(tmp_path: Path) -> None:
    """A leg was missed, and another symbol's entry used to take the cash that was given back: UNWOUND at a loss, alone HEDGED."""
    funds = {
        "upbit": {"KRW": Decimal(160_000), "XRP": Decimal(1000), "ADA": Decimal(1000)},
        "binance": {"USDT": Decimal(2000), "XRP": Decimal(1000), "ADA": Decimal(1000)},
    }

    async def main() -> None:
        async with world(tmp_path, symbols=("XRP", "ADA"), funds=funds) as w:
            w.show("upbit", UPBIT_CHEAP)
            await asyncio.sleep(0.001)
            w.quote("upbit", ([(2990.0, 400.0)], [(2991.0, 400.0)]))  # the purchase misses: its book moves while it travels
            for _ in range(60):
                await asyncio.sleep(0.02)
                w.show("upbit", UPBIT_CHEAP, "ADA")
            await w.engine.executor.quiet.wait()
            first = next(iter(w.engine.cycles.values()))
            assert first.state is CycleState.HEDGED
            assert [order.purpose for order in first.orders] == [Purpose.ENTRY, Purpose.ENTRY, Purpose.COMPLETE]
            assert all(cycle.state in (CycleState.HEDGED, CycleState.MISSED) for cycle in w.engine.cycles.values())
            w.agree()

    run_virtual(main())


def _is_completed(cycle: ArbCycle) -> bool:
    """Whether the leg that missed was traded by one hedging order, at a price within what the profile lets a completion cost."""
    bought, missed, hedge = cycle.orders
    worst = missed.price * (1 - decimal_of(cycle.plan.edge_bps + EXECUTION.completion_bps) / 10_000)
    is_sent = (bought.state, missed.filled_qty, hedge.state) == (OrderState.FILLED, ZERO, OrderState.FILLED)
    return is_sent and (hedge.purpose, hedge.qty) == (Purpose.COMPLETE, missed.qty) and hedge.price >= worst


@pytest.mark.parametrize("silence_s", [5.0, 20.0])
def test_a_quiet_book_on_a_live_stream_is_hedged_on(tmp_path: Path, silence_s: float) -> None:
    """The books had not changed for seconds, the streams were alive: the hedge used to be refused by age, for ever."""

    async def main() -> None:
        async with world(tmp_path) as w:
            w.upbit.absence_proof_s = 1.5 * silence_s
            w.upbit.core.faults.add(Fault(FaultKind.REQUEST_LOST, silence_s))
            w.show("upbit", UPBIT_DEAR)
            (cycle,) = w.engine.cycles.values()
            await asyncio.sleep(0.3)
            w.fresh = False
            stop = asyncio.Event()

            async def alive() -> None:
                while not stop.is_set():
                    for watch in w.components.aggregator.watches.values():
                        watch.last_message = w.clock.monotonic()
                    await asyncio.sleep(0.05)

            task = asyncio.create_task(alive())
            await w.engine.executor.quiet.wait()
            assert w.clock.monotonic() > w.book("upbit").ts_init + silence_s, "the book has been quiet for long"
            stop.set()
            await task
            assert cycle.state is CycleState.HEDGED
            assert _is_completed(cycle)
            w.agree()

    run_virtual(main())


@pytest.mark.parametrize(("silent_s", "refusal"), [(1.2, Reason.MESSAGE_AGE), (10.0, Reason.STALE)], ids=["old", "silent"])
def test_a_hedge_on_a_dead_stream_waits_for_the_venues_answer_and_is_sent(tmp_path: Path, silent_s: float, refusal: Reason) -> None:
    limits = UNRESTING.model_copy(update={"exchange": UNRESTING.exchange.model_copy(update={"max_message_age_ms": 1000})})

    async def main() -> None:
        async with world(tmp_path, risk=limits) as w:
            w.upbit.core.faults.add(Fault(FaultKind.REJECT))
            w.show("upbit", UPBIT_DEAR)
            (cycle,) = w.engine.cycles.values()
            await asyncio.sleep(0.01)
            w.fresh = False  # nothing more is heard, and the books are as old as their venues' last messages
            heard = w.clock.monotonic() - silent_s
            for book in w.components.aggregator.books.values():
                book.ts_init = heard - 10.0
            for watch in w.components.aggregator.watches.values():
                watch.last_message = heard
            stop = asyncio.Event()

            async def no_later() -> None:  # the silence does not grow
                while not stop.is_set():
                    for watch in w.components.aggregator.watches.values():
                        watch.last_message = w.clock.monotonic() - silent_s
                    w.components.aggregator.sweep()
                    await asyncio.sleep(0.01)

            task = asyncio.create_task(no_later())
            await asyncio.sleep(1.0)
            assert set(w.engine.risk.denials) == {refusal}
            assert ("upbit", "KRW-XRP") in w.asked_again, "the venue is asked for the book that the hedge needs"
            assert len(cycle.orders) == 2, "nothing is sent on a price that nobody has confirmed"
            w.components.aggregator.confirm("upbit", "KRW-XRP", w.clock.monotonic())
            await w.engine.executor.quiet.wait()
            stop.set()
            await task
            assert cycle.state is CycleState.HEDGED
            assert _is_completed(cycle)
            w.agree()

    run_virtual(main())


def test_a_cycle_that_our_own_gate_dropped_is_abandoned_and_teaches_nothing(tmp_path: Path) -> None:
    """Both orders were dropped for their age: it used to be UNWOUND, and lowered the route's score."""

    async def main() -> None:
        async with world(tmp_path) as w:
            w.binance.before_admit = w.upbit.before_admit = lambda _: setattr(w.engine.gate, "_max_decision_age_s", -1)
            cycle = await w.trade()
            assert cycle.state is CycleState.ABANDONED
            assert [order.state for order in cycle.orders] == [OrderState.ABANDONED] * 2
            assert w.engine.learning.learned.take() == []
            assert w.portfolio.state.routes == {}
            w.agree()

    run_virtual(main())


def test_a_cycle_that_filled_nothing_is_missed_and_teaches_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            w.show("upbit", UPBIT_DEAR)
            (cycle,) = w.engine.cycles.values()
            await asyncio.sleep(0.01)
            w.quote("upbit", ([(2700.0, 500.0)], [(3031.0, 500.0)]))
            w.quote("binance", ([(2.1399, 500.0)], [(2.5, 500.0)]))
            await w.engine.executor.quiet.wait()
            assert cycle.state is CycleState.MISSED
            assert w.engine.learning.learned.take() == []
            w.agree()

    run_virtual(main())


def test_what_a_cycle_reserves_is_its_own_until_it_ends(tmp_path: Path) -> None:
    """Cash of the purchase with what completing may cost beyond, stock of the sale, and what buying a sale back may lose."""

    async def main() -> None:
        async with world(tmp_path) as w:
            w.upbit.core.faults.add(Fault(FaultKind.REJECT))
            w.show("upbit", UPBIT_DEAR)
            (cycle,) = w.engine.cycles.values()
            buy, sell = cycle.plan.legs
            beyond = 1 + (decimal_of(cycle.plan.edge_bps) + 20) / 10_000
            cash = buy.qty * buy.price * Decimal("1.001") * beyond
            loss = sell.qty * sell.price * (Decimal("0.01") + 2 * Decimal("0.0005"))
            assert dict(((e, a), q) for e, a, q in cycle.plan.reserved) == {
                ("binance", "USDT"): cash,
                ("upbit", "XRP"): sell.qty,
                ("upbit", "KRW"): loss,
            }
            assert w.portfolio.available("binance", "USDT") == 2000 - cash
            assert w.portfolio.available("binance", "USDT", cycle.id) == 2000
            await asyncio.sleep(0.25)  # the purchase has filled, the sale was refused
            assert len(cycle.fills) == 1
            spent = cycle.fills[0].cost
            assert w.portfolio.available("binance", "USDT") == 2000 - cash  # what it has not spent stays its own
            assert w.portfolio.available("binance", "XRP") == 1000  # and what it bought is for taking the leg back
            assert w.portfolio.total("binance", "USDT") == 2000 - spent
            await w.engine.executor.quiet.wait()
            w.agree()

    run_virtual(main())


def test_a_cycle_whose_hedge_could_not_be_paid_does_not_open(tmp_path: Path) -> None:
    funds = {"upbit": {"KRW": Decimal(0), "XRP": Decimal(1000)}, "binance": {"USDT": Decimal(2000)}}

    async def main() -> None:
        async with world(tmp_path, funds=funds) as w:
            w.show("upbit", UPBIT_DEAR)
            assert w.engine.cycles == {}
            assert w.engine.risk.denials == {Reason.NO_CASH: 1}
            w.agree()

    run_virtual(main())


def test_every_field_of_a_booked_fill_comes_back_from_the_ledger(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            cycle = await w.trade()
            rows = {(row["exchange"], row["trade_id"]): row for row in read_ledger(w.journal.path)["fills"]}
            for fill in cycle.fills:
                row = rows[fill.exchange, fill.trade_id]
                again = {name: row[name] for name in ("exchange", "client_order_id", "venue_order_id", "market", "base", "quote")}
                assert again == {name: getattr(fill, name) for name in again}
                assert [Decimal(row[name]) for name in ("qty", "price", "cost", "fee")] == [fill.qty, fill.price, fill.cost, fill.fee]
                assert (row["side"], row["fee_currency"], row["liquidity"]) == (fill.side, fill.fee_currency, fill.liquidity)

    run_virtual(main())


def test_a_fee_in_a_third_coin_counts_at_its_mark(tmp_path: Path) -> None:
    """The venue takes its fee in a coin that no leg trades: it used to be worth nothing."""

    async def main() -> None:
        async with world(tmp_path, symbols=("XRP", "ADA")) as w:
            ada = w.components.marks.value("ADA")
            assert ada is not None
            real = w.binance.bend

            def in_ada(report: object) -> object:
                fills = tuple(replace(fill, fee=Decimal("0.05"), fee_currency="ADA") for fill in report.fills)  # type: ignore[attr-defined]
                return real(replace(report, fills=fills))  # type: ignore[type-var, arg-type]

            w.binance.bend = in_ada  # type: ignore[assignment]
            w.binance.bend_look_up = in_ada  # type: ignore[assignment]
            cycle = await w.trade()
            bought = next(fill for fill in cycle.fills if fill.exchange == "binance")
            assert bought.fee_currency == "ADA"
            sold = [fill for fill in cycle.fills if fill.exchange == "upbit"]
            won = w.components.marks.value("KRW") or Decimal(0)
            expected = Decimal("0.05") * ada * sum(1 for fill in cycle.fills if fill.exchange == "binance")
            expected += sum((fill.fee * won for fill in sold), Decimal(0))
            assert cycle.account.fees == pytest.approx(expected)
            assert w.portfolio.total("binance", "ADA") < 1000

    run_virtual(main())


def test_a_fee_in_a_coin_that_nothing_prices_stops_entries_at_that_venue_until_the_next_start(tmp_path: Path) -> None:
    """The account was switched to another coin while the run lasts: the fee counted as nothing, and entries went on."""

    def in_bnb(report: OrderReport | None) -> OrderReport | None:
        if report is None:
            return None
        return replace(report, fills=tuple(replace(fill, fee=Decimal("0.0002"), fee_currency="BNB") for fill in report.fills))

    async def main() -> None:
        async with world(tmp_path) as w:
            w.binance.bend = w.binance.bend_look_up = in_bnb  # type: ignore[assignment]
            assert (await w.trade()).state is CycleState.HEDGED
            (told,) = [breach for breach in w.engine.breaches.breaches.values() if breach.kind == Reason.NO_MARK]
            assert (told.scope, told.severity) == ("binance", Severity.CRIT)
            assert "0.0002 BNB" in told.detail
            await asyncio.sleep(1)
            w.show("upbit", UPBIT_CHEAP)
            w.show("upbit", UPBIT_DEAR)
            assert not w.engine.executor.open
            assert {route.denied for route in w.components.universe.routes if route.denied} == {Reason.NO_MARK}
            assert w.engine.risk.exchange["upbit"].unpriced_fees() is None
        async with world(tmp_path) as w:  # a start has read what fees are paid in
            assert (await w.trade()).state is CycleState.HEDGED

    run_virtual(main())


def test_fees_that_the_venue_s_coin_no_longer_pays_are_told_once(tmp_path: Path) -> None:
    """None of the coin is left, so the venue takes its fee out of what is bought: stock fell by it each cycle, and nobody was told."""
    listed = markets_of(("XRP",))
    (usual,) = listed["binance"].values()
    fees = replace(usual.fees, taken_in=FeeTakenIn.COIN, coin="BNB")
    listed["binance"] = {usual.code: replace(usual, fees=fees)}
    left = [2]  # reports whose fees the coin still pays

    def in_turn(report: OrderReport) -> OrderReport:
        left[0] -= 1
        fee, asset = (Decimal("0.0001"), "BNB") if left[0] >= 0 else (Decimal("0.04"), "XRP")
        return replace(report, fills=tuple(replace(fill, fee=fee, fee_currency=asset) for fill in report.fills))

    async def main() -> None:
        async with world(tmp_path, listed=listed) as w:
            w.components.marks.restore({"BNB": Mark(Decimal(600), "binance:BNBUSDT", 0)})
            w.binance.bend = in_turn
            for number in range(4):
                await w.trade()
                told = [
                    (breach.severity, breach.scope) for breach in w.engine.breaches.breaches.values() if breach.kind == "FEE_COIN_SPENT"
                ]
                assert told == ([] if number < 2 else [(Severity.WARN, "binance")])
                await asyncio.sleep(61)  # as long as one kind is told once
            (breach,) = [breach for breach in w.engine.breaches.breaches.values() if breach.kind == "FEE_COIN_SPENT"]
            assert "0.04 XRP on XRPUSDT is not taken in BNB" in breach.detail
            assert "pay BNB in" in breach.action

    run_virtual(main())
