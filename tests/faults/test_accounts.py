"""What the comparison with the venues finds while a session trades, of fills that nothing else told (docs/faults.md, F14)."""

from dataclasses import replace
from pathlib import Path

import pytest

from arbtui.exchanges.adapter import OrderReport
from arbtui.exchanges.rate_limit import Lane
from arbtui.failover.reconcile_report import Check
from arbtui.model.money import ZERO
from arbtui.model.order import OrderState
from arbtui.sandbox.faults import WireFaultKind
from arbtui.simulation.played_venue import DEFAULT_VENUES as VENUES
from tests.faults.desk import desk, play
from tests.faults.test_order_path import deaf

K = WireFaultKind


@pytest.mark.parametrize("venue", VENUES)
def test_f14_a_fill_hidden_from_the_stream_and_from_every_answer_about_its_order_is_found_by_the_trades(venue: str, tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path, settings={"reconcile": {"trades_s": 2.0, "balances_s": 600.0}}) as d:
            await d.settle()
            frozen = deaf(d)
            adapter, hidden = d.venues.adapters[venue], dict[str, int]()
            look_up, outcome = adapter.fetch_order, adapter._outcome  # type: ignore[attr-defined]

            def hide(report: OrderReport) -> OrderReport:
                """As if it had ended without a fill."""
                if not hidden and report.filled_qty:
                    hidden[report.client_order_id] = 0
                if report.client_order_id not in hidden:
                    return report
                hidden[report.client_order_id] += 1
                return replace(report, state=OrderState.EXPIRED, filled_qty=ZERO, fills=())

            async def fetch_order(code: str, client_order_id: str, lane: Lane = Lane.HEDGE) -> OrderReport | None:
                report = await look_up(code, client_order_id, lane)
                return None if report is None else hide(report)

            async def answered(order: object, answer: object) -> OrderReport:
                return hide(await outcome(order, answer))

            adapter.fetch_order, adapter._outcome = fetch_order, answered  # type: ignore[attr-defined,method-assign]
            d.resume()
            await d.until(lambda: bool(hidden), "a fill was hidden")
            (lost,) = hidden
            await d.until(lambda: any(lost in one.what for one in d.accounts.differences), "the trades show it")
            assert sum(hidden.values()) >= 1, "an answer said that it had not filled"
            assert sum(fault.met for fault in frozen) > 0, "the stream would have told it"
            (found,) = [one for one in d.accounts.differences if lost in one.what]
            assert (found.exchange, found.check) == (venue, Check.TRADES)
            await d.settle()
            assert d.sources(lost) == {"answer"}
            assert d.breaches("LATE_FILL")
            rows = [row for event in d.events("AccountsReconciled") for row in event["checks"]]
            assert any(row[:2] == [venue, "trades"] and row[4] for row in rows), "journaled, with its counts"
            await d.agree()

    play(main)


def test_the_checks_of_a_session_run_at_their_cadences_and_find_nothing_where_nothing_is_wrong(tmp_path: Path) -> None:
    async def main() -> None:
        async with desk(tmp_path, settings={"reconcile": {"open_orders_s": 1.0, "trades_s": 1.0, "balances_s": 1.0}}) as d:
            await d.cycles(3)
            records = [record for (_, check), record in d.accounts.records.items() if check is not Check.IN_FLIGHT]
            await d.until(lambda: all(record.done >= 5 for record in records), "every check was made")
            assert list(d.accounts.differences) == []
            assert d.events("AccountsReconciled") == []
            assert all(record.failed == 0 for record in records)
            await d.agree()

    play(main)
