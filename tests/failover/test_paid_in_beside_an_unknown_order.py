"""An order never came, and somebody has paid some of its coin in, or taken some out, meanwhile: no fill moves one side alone."""

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest

from arbtui.journal.events import CycleState
from arbtui.model.virtual_loop import run_virtual
from tests.execution.world import Venue, world
from tests.failover.test_recovery import _cut_off, _lose


@pytest.mark.parametrize(
    ("lost", "moved", "proved"),
    [
        ("binance", {"XRP": Decimal(3)}, True),
        ("upbit", {"XRP": Decimal(-3)}, True),
        ("binance", {"XRP": Decimal(3), "USDT": Decimal(-6)}, False),
        ("binance", {"XRP": Decimal(3), "USDT": Decimal(6)}, False),
    ],
    ids=["paid in", "taken out", "as bought", "paid in both"],
)
def test_its_absence_is_proved_where_the_other_side_is_what_it_was(
    lost: str, moved: Mapping[str, Decimal], proved: bool, tmp_path: Path
) -> None:
    """It counted as a trace of the order for ever: the cycle stayed open, and no dispute let anybody take the balance over."""

    async def main() -> None:
        tasks = []

        def pay(venues: Mapping[str, Venue]) -> None:
            tasks.append(asyncio.create_task(venues[lost].core._ledger.deposit(lost, dict(moved), "by hand", 0)))

        await _cut_off(tmp_path, _lose(lost), 0.3)
        async with world(tmp_path, on_open=pay) as w:
            if not proved:
                (unresolved,) = w.reconciled.unresolved
                assert "as if it had filled" in unresolved.why
                assert w.reconciled.mismatches == []
                return
            assert w.reconciled.unresolved == []
            assert w.reconciled.cycles == {CycleState.RESIDUAL: 1}
            assert [(one.exchange, one.asset, one.theirs - one.ours) for one in w.reconciled.mismatches] == [(lost, "XRP", moved["XRP"])]
            assert list(w.portfolio.open_orders) == []

    run_virtual(main())
