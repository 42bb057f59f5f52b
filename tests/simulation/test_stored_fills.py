"""A venue's fills are a list that costs a page of memory, however many they are, and shows one moment."""

import asyncio
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from arbtui.model.order import Fill, Side
from arbtui.simulation.ledger import VenueLedger, fill_statement
from arbtui.simulation.stored_fills import PAGE
from tests.portfolio.telling import fill_of

FILLS = 25 * PAGE + 7


def filled(number: int, ts_ms: int) -> Fill:
    one = fill_of("upbit", Side.BUY, Decimal("1.5"), Decimal(3000), str(number), client_order_id=f"id-{number}")
    return replace(one, venue_order_id=str(number), ts_event=ts_ms)


def with_ledger(path: Path, fills: Sequence[Fill], look: Callable[[VenueLedger], None]) -> None:
    async def main() -> None:
        ledger = await VenueLedger.open(path, "sync")
        try:
            await ledger.commit([fill_statement(fill) for fill in fills])
            look(ledger)
        finally:
            await ledger.close()

    asyncio.run(main())


def peak(work: Callable[[], object]) -> int:
    """Bytes of Python's that ``work`` needs at once."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("back_ms", [0, 3_600_000], ids=["", "a clock that was put back"])
def test_they_are_what_was_written_in_order_of_their_time(tmp_path: Path, back_ms: int) -> None:
    """Whole, from a moment on, by number, and in slices."""
    half = FILLS // 2
    written = [filled(number, number * 10 - (back_ms if number > half else 0)) for number in range(1, FILLS + 1)]
    expected = sorted(written, key=lambda fill: (fill.ts_event, int(fill.trade_id)))

    def look(ledger: VenueLedger) -> None:
        listed = ledger.fills_since("upbit", -back_ms)
        assert (list(listed), len(listed)) == (expected, FILLS)
        assert (listed[0], listed[-1], listed[PAGE + 3]) == (expected[0], expected[-1], expected[PAGE + 3])
        assert list(listed[PAGE - 2 : 2 * PAGE + 2]) == expected[PAGE - 2 : 2 * PAGE + 2]
        late = [fill for fill in expected if fill.ts_event >= half * 5]
        assert list(ledger.fills_since("upbit", half * 5)) == late
        assert ledger.fills_since("upbit", FILLS * 10 + 1) == []
        assert ledger.fills_since("binance", 0) == []

    with_ledger(tmp_path / "venue.db", written, look)


def test_they_are_those_that_were_there_when_they_were_asked_for(tmp_path: Path) -> None:
    """An answer of the venue is under way while more is traded, and while old ones become sums."""

    async def main() -> None:
        ledger = await VenueLedger.open(tmp_path / "venue.db", "sync")
        await ledger.commit([fill_statement(filled(number, number)) for number in range(1, 11)])
        answer = ledger.fills_since("upbit", 0)
        await ledger.commit([fill_statement(filled(11, 11)), ("DELETE FROM venue_fill WHERE trade_id <= ?", (2,))])
        assert [fill.trade_id for fill in answer] == [str(number) for number in range(3, 11)]
        await ledger.close()

    asyncio.run(main())


def test_going_through_them_takes_the_memory_of_a_page(tmp_path: Path) -> None:
    def look(ledger: VenueLedger) -> None:
        listed = ledger.fills_since("upbit", 0)
        in_turn = peak(lambda: sum(1 for _ in listed))
        at_once = peak(lambda: list(listed))
        assert in_turn < at_once / 10, f"{in_turn} bytes in turn, {at_once} all at once"
        asked = peak(lambda: ledger.fills_since("upbit", 0))
        assert asked < at_once / 10, f"{asked} bytes to ask, {at_once} all at once"

    with_ledger(tmp_path / "venue.db", [filled(number, number) for number in range(1, FILLS + 1)], look)
