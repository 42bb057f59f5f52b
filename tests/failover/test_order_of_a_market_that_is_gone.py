"""An order was under way when its market went: nobody can ask what became of it, so a person takes the venue's word for the balances."""

import asyncio
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn

import pytest

from arbtui.exchanges.adapter import OrderReport
from arbtui.exchanges.rate_limit import Lane
from arbtui.journal.events import CycleState
from arbtui.model.errors import MarketUnknown, UsageError
from arbtui.model.order import Side, TimeInForce
from arbtui.model.virtual_loop import run_virtual
from arbtui.portfolio.ledger import read_ledger
from arbtui.portfolio.operator_events import end_order, end_order_preview
from arbtui.portfolio.restore import restore
from arbtui.portfolio.trading_state import TradingState
from arbtui.runtime.arming import unclean
from arbtui.runtime.startup import reconciler_of
from arbtui.simulation.order_request import OrderRequest
from tests.execution.world import Venue, World, world
from tests.failover.test_recovery import _cut_off, _lose


def test_what_it_has_moved_is_disputed_and_can_be_taken_over(tmp_path: Path) -> None:
    """The start said "adjust the balance", and raised no dispute that could be adjusted: an order of the asset was open, for ever."""

    async def main() -> None:
        await _cut_off(tmp_path, _lose(), 0.01)  # both legs have filled, and no answer came
        async with world(tmp_path, on_open=_no_market) as w:
            (unresolved,) = w.reconciled.unresolved
            assert unresolved.disarms
            assert "arbtui adjust" in unresolved.action
            assert "1 order that cannot be resolved" in unclean(w.reconciled, live=False)
            found = [(one.exchange, one.asset) for one in w.reconciled.mismatches]
            assert found == [("binance", "USDT"), ("binance", "XRP")]
            for exchange, asset in found:
                assert w.engine.operator.adjust(exchange, asset, "p", "it filled, says the venue") is None
        async with world(tmp_path, on_open=_no_market, unclean="1 order that cannot be resolved") as w:
            assert w.engine.state is TradingState.DISARMED
            assert w.reconciled.mismatches == []
            told = await w.binance.fetch_balances()
            assert w.portfolio.differences("binance", {asset: one.total for asset, one in told.items()}) == []

    run_virtual(main())


def _no_market(venues: Mapping[str, Venue]) -> None:
    async def unknown(code: str, client_order_id: str, lane: Lane = Lane.HEDGE) -> OrderReport | None:
        raise MarketUnknown(f"binance: no market {code}")

    venues["binance"].fetch_order = unknown  # type: ignore[method-assign]


def _lost(w: World) -> str:
    (order,) = w.portfolio.open_orders
    return order.intent.client_order_id


def _kinds(w: World) -> list[str]:
    return [one.kind for one in w.engine.breaches.breaches.values() if one.id not in w.engine.breaches.acknowledged]


def test_a_person_ends_it_once_balances_are_decided_and_a_later_start_arms(tmp_path: Path) -> None:
    """No verb ended it: each start was DISARMED with a breach, for ever, whatever a person had decided."""

    async def main() -> None:
        cycle_id = await _cut_off(tmp_path, _lose(), 0.01)  # both legs have filled, and no answer came
        async with world(tmp_path, on_open=_no_market, resumes=True) as w:
            end, own = w.engine.operator.end_order, _lost(w)
            assert f"arbtui orders end {own}" in w.reconciled.unresolved[0].action
            assert end(own, "p", "it filled") == "binance disputes its balance of XRP: decide that first, with arbtui adjust"
            for asset in ("XRP", "USDT"):
                assert w.engine.operator.adjust("binance", asset, "p", "it filled, says the venue") is None
            assert end(own, "q", "it filled") == "type the profile's name, p"
            assert end("x", "p", "it filled") == f"x is no open order; those whose market is gone: {own}"
            assert end(own, "p", "it filled", "ann") is None
            assert list(w.portfolio.open_orders) == []
            w.engine.on_resolved(await reconciler_of(w.components, 0.0, resumes=True).again("r2"))
            assert _kinds(w) == ["RESIDUAL"], "the other leg, that its fills tell of"
            assert w.portfolio.reserved("binance", "USDT") == 0
            (row,) = [one for one in read_ledger(w.journal.path)["orders"] if one["client_order_id"] == own]
            assert (row["state"], row["reason"]) == ("CANCELED", "TAKEN_OVER by ann: it filled")
            cycle = w.portfolio.cycle(cycle_id)
            assert cycle is not None
            assert cycle.is_position, "it is not hedged on by itself: that could trade once more what was adjusted for"
            assert w.engine.operator.write_off(cycle_id, "p", "the leg that was ended had filled") is None
            await asyncio.sleep(1)
            assert (await w.trade()).state is CycleState.HEDGED
        async with world(tmp_path, on_open=_no_market) as w:
            assert w.reconciled.is_nothing
            assert unclean(w.reconciled, live=True) == ""
            assert w.engine.state is TradingState.ARMED
            w.same_after_restart()

    run_virtual(main())


def test_it_can_be_ended_where_it_has_moved_nothing(tmp_path: Path) -> None:
    """Nothing was disputed then, so that nothing could be adjusted either."""

    async def main() -> None:
        cycle_id = await _cut_off(tmp_path, _lose("upbit", "binance"), 0.01)  # neither order has come
        async with world(tmp_path, on_open=_no_market) as w:
            assert (len(w.reconciled.unresolved), w.reconciled.mismatches) == (1, [])
            own = _lost(w)
            _, portfolio = restore(tmp_path / "journal.db")
            assert "leaves nothing" in end_order_preview(portfolio, own)
            ended = end_order(portfolio, own, "ann", "the venue shows none", w.clock.time_ms())
            assert not isinstance(ended, str)
            await w.journal.commit(*ended)
        async with world(tmp_path, on_open=_no_market) as w:
            assert w.reconciled.is_nothing
            cycle = w.portfolio.cycle(cycle_id)
            assert cycle is not None
            assert cycle.state is CycleState.MISSED
            assert (w.engine.state, _kinds(w)) == (TradingState.ARMED, [])
            assert w.portfolio.reserved("binance", "USDT") == 0

    run_virtual(main())


def test_an_order_that_can_still_be_asked_for_is_not_ended_by_a_person(tmp_path: Path) -> None:
    async def main() -> None:
        await _cut_off(tmp_path, _lose(), 0.01)
        _, portfolio = restore(tmp_path / "journal.db")
        for order in portfolio.open_orders:
            refusal = end_order(portfolio, order.intent.client_order_id, "ann", "x", 1)
            assert isinstance(refusal, str)
            assert "no venue has said that its market is gone" in refusal

    run_virtual(main())


def test_its_fill_that_the_venue_tells_once_it_lists_the_market_again_is_known_as_taken_over(tmp_path: Path) -> None:
    """It would have been booked on top of the balance that a person had adjusted because of it."""

    async def main() -> None:
        await _cut_off(tmp_path, _lose(), 0.01)
        async with world(tmp_path, on_open=_no_market) as w:
            own = _lost(w)
            for asset in ("XRP", "USDT"):
                assert w.engine.operator.adjust("binance", asset, "p", "it filled, says the venue") is None
            assert w.engine.operator.end_order(own, "p", "it filled") is None
        async with world(tmp_path) as w:
            report = await w.binance.fetch_order("XRPUSDT", own)
            assert report is not None
            assert report.fills
            before = w.portfolio.total("binance", "XRP")
            w.engine.tracker.on_order(report)
            assert w.portfolio.total("binance", "XRP") == before
            assert "FILL_TAKEN_OVER" in _kinds(w)
            told = await w.binance.fetch_balances()
            assert w.portfolio.differences("binance", {asset: one.total for asset, one in told.items()}) == []
        async with world(tmp_path) as w:
            assert (w.reconciled.fills, w.reconciled.mismatches) == (0, [])

    run_virtual(main())


def test_its_fill_is_booked_and_the_balance_disputed_where_a_person_has_adjusted_and_not_ended_it(tmp_path: Path) -> None:
    """Its fate is known then after all: its cycle ends as it really stands, and what was adjusted is told, to be taken back."""

    async def main() -> None:
        await _cut_off(tmp_path, _lose(), 0.01)
        async with world(tmp_path, on_open=_no_market) as w:
            for asset in ("XRP", "USDT"):
                assert w.engine.operator.adjust("binance", asset, "p", "it filled, says the venue") is None
        async with world(tmp_path) as w:
            assert w.reconciled.cycles == {CycleState.HEDGED: 1}
            assert [(one.exchange, one.asset) for one in w.reconciled.mismatches] == [("binance", "USDT"), ("binance", "XRP")]
            assert unclean(w.reconciled, live=True).startswith("2 balances not what the journal held")
            for asset in ("XRP", "USDT"):
                assert w.engine.operator.adjust("binance", asset, "p", "it was found") is None
            w.agree()

    run_virtual(main())


def test_one_that_a_person_ended_and_that_stands_there_all_the_same_is_cancelled_and_told(tmp_path: Path) -> None:
    async def main() -> None:
        await _cut_off(tmp_path, _lose("upbit", "binance"), 0.01)
        async with world(tmp_path, on_open=_no_market) as w:
            own = _lost(w)
            typed = {"order": own, "confirm": "p", "reason": "the venue shows none", "by": "ann"}
            assert w.engine.operator.request({"verb": "end_order", **typed}) == {"refusal": None}
            request = OrderRequest(own, "XRPUSDT", Side.BUY, Decimal(50), Decimal(1), TimeInForce.GTC)
            await w.binance.core.execute(request)
        async with world(tmp_path) as w:
            assert [(one.order.client_order_id, one.is_gone) for one in w.reconciled.orphans] == [(own, True)]
            assert await w.binance.fetch_open_orders() == ()

    run_virtual(main())


def test_one_that_a_person_ends_while_it_is_looked_up_stays_ended(tmp_path: Path) -> None:
    async def main() -> None:
        await _cut_off(tmp_path, _lose("upbit", "binance"), 0.01)
        async with world(tmp_path, on_open=_no_market) as w:
            own = _lost(w)

            async def asked(code: str, client_order_id: str, lane: Lane = Lane.HEDGE) -> OrderReport | None:
                assert w.engine.operator.end_order(own, "p", "the venue shows none") is None
                raise MarketUnknown(f"binance: no market {code}")

            w.binance.fetch_order = asked  # type: ignore[method-assign]
            found = await reconciler_of(w.components, 0.0).again("r2")
            assert found.unresolved == []
            w.engine.on_resolved(found)
            assert _kinds(w) == []
            states = {row["client_order_id"]: row["state"] for row in read_ledger(w.journal.path)["orders"]}
            assert states[own] == "CANCELED"

    run_virtual(main())


def test_one_that_a_person_ends_while_its_booked_fills_are_read_stays_ended(tmp_path: Path) -> None:
    """Its market was listed again: what it had filled was booked on top of the balances that had been adjusted for it."""

    async def main() -> None:
        await _cut_off(tmp_path, _lose(), 0.01)
        async with world(tmp_path, on_open=_no_market) as w:
            own = _lost(w)
            for asset in ("XRP", "USDT"):
                assert w.engine.operator.adjust("binance", asset, "p", "it filled, says the venue") is None
            aside = w.journal.aside

            async def ended_meanwhile(work: Callable[[], Any]) -> Any:
                found = await aside(work)
                assert w.engine.operator.end_order(own, "p", "it filled") is None
                return found

            del w.binance.fetch_order  # the market is there again
            w.journal.aside = ended_meanwhile  # type: ignore[method-assign]
            found = await reconciler_of(w.components, 0.0).again("r2")
            assert (found.unresolved, found.fills) == ([], 0)
            told = await w.binance.fetch_balances()
            assert w.portfolio.differences("binance", {asset: one.total for asset, one in told.items()}) == []

    run_virtual(main())


def test_a_journal_that_cannot_be_read_for_a_moment_leaves_an_order_to_the_next_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ended the run: nobody waits there for an error that is no failed write."""

    async def main() -> None:
        await _cut_off(tmp_path, _lose(), 0.01)
        async with world(tmp_path, on_open=_no_market) as w:
            own, resolves = _lost(w), reconciler_of(w.components, 0.0)
            del w.binance.fetch_order  # the market is there again

            def refused(path: Path, client_order_id: str) -> NoReturn:
                raise UsageError(f"{path}: unable to open database file")

            with monkeypatch.context() as patch:
                patch.setattr("arbtui.failover.reconciler.booked_fills", refused)
                found = await resolves.again("r2")
            assert ([one.client_order_id for one in found.unresolved], found.fills) == ([own], 0)
            assert found.unresolved[0].why.endswith("unable to open database file")
            found = await resolves.again("r2")
            assert (found.unresolved, found.fills) == ([], 1)

    run_virtual(main())
