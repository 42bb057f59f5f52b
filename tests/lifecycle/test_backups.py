"""A live engine backs its journal up by itself while it trades, and when it stops in order."""

import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from arbtui.journal.backup_files import backups_of
from arbtui.portfolio.verification import verify
from tests.lifecycle.live import LiveDesk, live_desk
from tests.lifecycle.programs import running
from tests.lifecycle.waiting import until

pytestmark = pytest.mark.slow


@pytest.fixture
def desk(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveDesk]:
    with live_desk(tmp_path, monkeypatch) as made:
        yield made


def test_backups_are_made_while_it_trades_and_at_a_clean_stop(desk: LiveDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARBTUI_JOURNAL__BACKUP_INTERVAL_MIN", "0.02")
    with running(*desk.arguments(), folder=tmp_path / "run") as engine:
        until(lambda: engine.alive() and len(backups_of(desk.journal)) >= 2, "two backups")
        engine.signal(signal.SIGTERM)
        ended = engine.ended()
    assert ended.code == 128 + signal.SIGTERM, ended.err
    first, *_, last = backups_of(desk.journal)
    with closing(sqlite3.connect(desk.journal)) as db:
        (events,) = db.execute("SELECT max(seq) FROM event").fetchone()
        (failed,) = db.execute("SELECT count(*) FROM breach WHERE kind = 'BACKUP_FAILED'").fetchone()
    assert first.seq < last.seq == events
    assert not failed
    assert verify(last.path).events == events
