"""What the journal keeps of a fill is what its venue keeps of it, field by field, whichever way it became known."""

import asyncio
import dataclasses
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from arbtui.journal.events import FillRecorded, decode
from arbtui.model.order import Fill
from arbtui.model.virtual_loop import run_virtual
from arbtui.simulation.faults import Fault, FaultKind
from tests.execution.world import UPBIT_CHEAP, UPBIT_DEAR, Levels, World, world


def recorded(folder: Path) -> list[FillRecorded]:
    """Every fill in the journal of ``folder``, in order."""
    journal = sqlite3.connect(f"file:{folder / 'journal.db'}?mode=ro", uri=True)
    try:
        rows = journal.execute("SELECT type, version, payload FROM event WHERE type = 'FillRecorded' ORDER BY seq").fetchall()
    finally:
        journal.close()
    events = [decode(*row) for row in rows]
    return [event for event in events if isinstance(event, FillRecorded)]


def told(w: World) -> list[Fill]:
    return [fill for venue in w.venues.values() for fill in venue.core.fills_since(0)]


def compare(journaled: list[FillRecorded], fills: list[Fill], sources: set[str]) -> None:
    assert {event.source for event in journaled} == sources

    def rows(of: list[Fill]) -> list[dict[str, object]]:
        return sorted((dataclasses.asdict(fill) for fill in of), key=lambda row: (str(row["exchange"]), str(row["trade_id"])))

    assert rows([event.fill for event in journaled]) == rows(fills)
    for event in journaled:  # nothing is there by chance
        fill = event.fill
        assert fill.cost == fill.qty * fill.price > 0
        assert fill.fee > 0
        assert fill.fee_currency == (fill.base if (fill.exchange, fill.side) == ("binance", "buy") else fill.quote)
        assert fill.ts_event > 0


#: Each order of about 46 XRP takes two levels.
SOLD_FOR_WON: Levels = ([(3030.0, 20.0), *UPBIT_DEAR[0][1:]], UPBIT_DEAR[1])
BOUGHT_WITH_WON: Levels = (UPBIT_CHEAP[0], [(2961.0, 20.0), *UPBIT_CHEAP[1][1:]])
BOTH_WAYS = pytest.mark.parametrize("levels", [SOLD_FOR_WON, BOUGHT_WITH_WON], ids=["sold for won", "bought with won"])


@BOTH_WAYS
@pytest.mark.parametrize("fault", [None, Fault(FaultKind.ANSWER_LOST)], ids=["answered", "looked up"])
def test_a_run_keeps_what_the_venues_tell(levels: Levels, fault: Fault | None, tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            for venue in w.venues.values():
                venue.core.faults.add(fault)
            await w.trade(levels=levels)
            fills = told(w)
            assert len(fills) == 3
        compare(recorded(tmp_path), fills, {"answer"})

    run_virtual(main())


def _lose_answers(w: World) -> None:
    for venue in w.venues.values():
        venue.core.faults.add(Fault(FaultKind.ANSWER_LOST))


@BOTH_WAYS
@pytest.mark.parametrize("prepare", [lambda _: None, _lose_answers], ids=["before any answer", "answers lost"])
def test_a_recovery_keeps_what_the_venues_tell(levels: Levels, prepare: Callable[[World], None], tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            prepare(w)
            w.show("upbit", levels)
            await asyncio.sleep(0.01)  # both orders are on their way, and nobody waits for them any more
        assert recorded(tmp_path) == []
        async with world(tmp_path) as w:
            fills = told(w)
            assert len(fills) == 3
        compare(recorded(tmp_path), fills, {"recovery"})

    run_virtual(main())
