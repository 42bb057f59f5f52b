"""A real engine is shot while a cycle of it is half done; the next one hedges it on where the policy says so, and leaves it where not."""

import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from arbtui.portfolio.restore import restore
from tests.lifecycle.live import LiveDesk, live_desk
from tests.lifecycle.programs import running
from tests.lifecycle.test_live import await_cycles, count
from tests.lifecycle.waiting import until


@pytest.fixture
def desk(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveDesk]:
    with live_desk(tmp_path, monkeypatch) as made:
        yield made


def half_done(desk: LiveDesk) -> str:
    """An open cycle that has filled at one venue, while the fate of its order at the other one is not known; empty where there is none."""
    sql = """SELECT c.cycle_id FROM cycle c JOIN order_ o ON o.cycle_id = c.cycle_id AND o.state = 'UNKNOWN' AND o.exchange = 'binance'
        JOIN fill f ON f.cycle_id = c.cycle_id WHERE c.state = 'OPEN'"""
    with closing(sqlite3.connect(f"file:{desk.journal}?mode=ro", uri=True)) as db:
        row = db.execute(sql).fetchone()
    return "" if row is None else str(row[0])


def shot_half_done(desk: LiveDesk, folder: Path) -> str:
    """An engine trades, loses an order's request after the other leg has filled, and is shot; the cycle's id."""
    with running(*desk.arguments(), folder=folder) as engine:
        await_cycles(desk, engine, 1)
        lost = 0

        def is_half_done() -> str:
            nonlocal lost
            unknown = count(desk, "order_", "exchange = 'binance' AND (state = 'UNKNOWN' OR reason = 'NOT_PLACED')")
            if unknown >= lost and not half_done(desk):  # none yet, or one of a cycle whose other leg missed
                desk.script(venue="binance", kind="reset_before", on="order", count=1)
                lost += 1
            return half_done(desk) if engine.alive() else ""

        cycle_id = until(is_half_done, "a cycle is half done")
        engine.signal(signal.SIGKILL)
        engine.ended()
    return cycle_id


@pytest.mark.parametrize("policy", ["always", "manual"])
def test_a_half_done_cycle_is_hedged_on_after_a_kill_9_only_where_the_policy_says_so(
    desk: LiveDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, policy: str
) -> None:
    cycle_id = shot_half_done(desk, tmp_path / "first")
    assert half_done(desk) == cycle_id
    monkeypatch.setenv("ARBTUI_FAILOVER__RESUME", policy)
    with running(*desk.arguments(), folder=tmp_path / "second") as engine:
        until(lambda: engine.alive() and not count(desk, "cycle", f"cycle_id = '{cycle_id}' AND state = 'OPEN'"), "it has ended")
        resumed = count(desk, "breach", f"kind = 'CYCLE_RESUMED' AND detail LIKE '{cycle_id} %'")
        hedges = count(desk, "order_", f"cycle_id = '{cycle_id}' AND run_id = 'r2'")
        (state,) = _column(desk, f"SELECT state FROM cycle WHERE cycle_id = '{cycle_id}'")
        engine.signal(signal.SIGTERM)
        engine.ended()
    if policy == "always":
        assert resumed == 1
        assert hedges >= 1
        assert state in ("HEDGED", "UNWOUND")
        assert cycle_id not in [cycle.id for cycle in restore(desk.journal)[1].positions]
    else:
        assert (resumed, hedges, state) == (0, 0, "RESIDUAL")
        assert [cycle.id for cycle in restore(desk.journal)[1].positions] == [cycle_id]
    desk.assert_agrees(tmp_path)


def _column(desk: LiveDesk, sql: str) -> list[str]:
    with closing(sqlite3.connect(f"file:{desk.journal}?mode=ro", uri=True)) as db:
        return [str(row[0]) for row in db.execute(sql)]
