"""F49: another process holds an old state of the journal open: it is told, trading goes on, and the log is used anew afterwards."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from arbtui.runtime import periodic_tasks
from tests.faults.desk import desk, play

_MOST_MB = 0.5


def test_f49_a_reader_that_holds_an_old_state_is_told_and_costs_no_trade(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(periodic_tasks, "_LOG_MOST_MB", _MOST_MB)
    monkeypatch.setattr(periodic_tasks, "_TIP_S", 0.2)

    async def main() -> None:
        async with desk(tmp_path, settings={"journal": {"snapshot_interval_s": 1.0}}) as d:
            path = d.folder / "live" / "journal.db"
            log = path.with_name("journal.db-wal")
            with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)) as reader:
                await d.cycles(1)
                reader.execute("BEGIN")
                (before,) = reader.execute("SELECT max(seq) FROM event").fetchone()
                await d.until(lambda: bool(d.breaches("JOURNAL_LOG")), "the log is large, and somebody is told")
                assert log.stat().st_size > _MOST_MB * 1e6
                await d.cycles(1)
                assert reader.execute("SELECT max(seq) FROM event").fetchone() == (before,), "it still reads the old state"
                reader.execute("ROLLBACK")
            await d.cycles(2)
            (done,) = (breach.detail for breach in d.breaches("JOURNAL_LOG"))
            assert "only grows" in done
            await d.agree()

    play(main)
