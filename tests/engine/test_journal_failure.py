"""When nothing can be written any more: the gate is shut at once and for good, and what may be lost is named."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from arbtui.journal.events import Killed
from arbtui.model.errors import JournalFailed
from arbtui.model.halt import read_flag
from arbtui.model.virtual_loop import run_virtual
from arbtui.portfolio.trading_state import TradingState
from tests.execution.world import UPBIT_DEAR, World, armed, world
from tests.journal.synthetic import SyntheticRun


def _fail(w: World) -> int:
    """Record what SQLite refuses, as it would on a full disk; the number of the last event that is safe."""
    known = w.journal.durable_seq
    intent = SyntheticRun("other").intents(0)[1]
    w.journal.post(Killed("KEY", "lost with the rest of its transaction", 1), intent, intent)
    return known


def test_the_gate_shuts_at_once_and_says_after_which_event_all_is_in_doubt(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            await w.trade()
            assert armed(w)
            known = _fail(w)
            sent = [len(venue.asked) for venue in w.venues.values()]
            cause = w.halt.cause
            assert cause is not None
            assert (cause.source, cause.reason.partition(":")[0]) == ("JOURNAL", f"IN DOUBT after seq {known}")
            assert w.engine.halt_detail == cause.reason
            assert w.engine.state is TradingState.HALTED
            with closing(sqlite3.connect(w.journal.path)) as db:
                assert db.execute("SELECT max(seq) FROM event").fetchone() == (known,)
            w.show("upbit", UPBIT_DEAR)
            assert (len(w.engine.cycles), [len(venue.asked) for venue in w.venues.values()]) == (1, sent)
            with pytest.raises(JournalFailed):
                await w.engine.snapshot(None)
            refusal = w.engine.operator.rearm("p", "never mind", w.halt.kills)
            assert refusal == "the journal failed: stop, mend the disk, and start again"
        kept = read_flag(tmp_path)
        assert kept is not None, "the halt outlives the process"
        assert kept.reason == cause.reason

    run_virtual(main())


def test_the_next_start_goes_on_from_what_is_on_disk_and_stays_halted(tmp_path: Path) -> None:
    async def main() -> None:
        async with world(tmp_path) as w:
            await w.trade()
            known = _fail(w)
        async with world(tmp_path) as w:
            assert w.remembered.seq == known
            assert w.engine.state is TradingState.HALTED
            w.agree()

    run_virtual(main())
