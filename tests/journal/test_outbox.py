"""The outbox: an alert is written with its event or not at all."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from arbtui.journal import outbox as outbox_module
from arbtui.journal.events import (
    AlertGivenUp,
    AlertQueued,
    AlertSent,
    BreachAcknowledged,
    BreachRecorded,
    CommandActed,
    CommandReceived,
    Event,
    Killed,
    Recorded,
    RunStarted,
)
from arbtui.journal.journal import Journal
from arbtui.journal.outbox import CHAT_MOVED, Undelivered, load_outbox, read_undelivered
from arbtui.journal.reader import reading
from arbtui.journal.state import load
from arbtui.model.errors import JournalFailed
from arbtui.model.virtual_loop import run_virtual
from tests.journal.synthetic import FixedClock

START = RunStarted("r1", "desk", "sim", 1, "0", "c", {}, "ARMED")


def loud(recorded: Recorded) -> AlertQueued | None:
    """An alert for every breach and kill."""
    if isinstance(recorded.event, BreachRecorded | Killed):
        return AlertQueued(f"{recorded.run_id}-{recorded.seq}", "CRITICAL", type(recorded.event).__name__, "look")
    return None


def record(path: Path, *groups: tuple[Event, ...]) -> None:
    async def main() -> None:
        journal = await Journal.open(path, clock=FixedClock(), door="sync", salt="salt")
        journal.alert_of = loud
        try:
            for group in groups:
                await journal.commit(*group)
        finally:
            await journal.close()

    run_virtual(main())


def test_an_alert_follows_its_event_in_one_transaction(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    breach = BreachRecorded("b1", "CRIT", "RESIDUAL", "BTC", "0.1", "acknowledge")
    record(path, (START,), (Killed("KEY", "", 1), breach))
    with closing(sqlite3.connect(path)) as db:
        kinds = [kind for (kind,) in db.execute("SELECT type FROM event ORDER BY seq")]
    assert kinds == ["JournalCreated", "RunStarted", "Killed", "AlertQueued", "BreachRecorded", "AlertQueued"]
    assert [alert.alert_id for alert in load_outbox(path).alerts] == ["r1-3", "r1-5"]


def test_an_event_that_cannot_be_written_leaves_no_alert(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with pytest.raises(JournalFailed, match="run_id"):
        record(path, (START,), (Killed("KEY", "", 1), START))
    assert load_outbox(path).alerts == []
    assert load(path).kills == []


def test_what_waits_is_what_no_channel_has_closed(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    queued = [AlertQueued(name, "WARN", "LOSSES", "") for name in "abcd"]
    record(
        path,
        tuple(queued),
        (AlertSent(("a", "b"), "telegram:1", 1, ("a",)), AlertGivenUp(("c",), "telegram:1", 3, "Bad Request", ())),
        (AlertSent(("c",), "telegram:2", 1, ("c",)), AlertGivenUp(("d",), "telegram:1", 3, "Bad Request", ("d",))),
        (CommandReceived(5, 42, "/kill"), CommandReceived(6, 42, "/kill"), CommandReceived(5, 43, "/kill"), CommandActed(5, "killed")),
    )
    outbox = load_outbox(path)
    assert [(alert.alert_id, alert.settled) for alert in outbox.alerts] == [("b", ("telegram:1",))]
    assert outbox.commands == {5: "killed", 6: None}
    with closing(sqlite3.connect(path)) as db:
        states = dict(db.execute("SELECT alert_id, state FROM alert").fetchall())
        assert states == {"a": "SENT", "b": "QUEUED", "c": "SENT", "d": "GIVEN_UP"}
        assert db.execute("SELECT attempts FROM alert WHERE alert_id = 'c'").fetchone() == (4,)


def test_what_is_not_delivered_is_counted_with_its_oldest_of_each_severity(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    kinds = {"a": "CRITICAL", "b": "INFO", "c": "WARN", "d": "CRITICAL", "e": "WARN", "f": "CRITICAL"}

    async def main() -> dict[str, int]:
        clock = FixedClock()
        began = clock.now_ms
        journal = await Journal.open(path, clock=clock, door="sync", salt="salt")
        try:
            await journal.commit(START, BreachRecorded("b1", "WARN", CHAT_MOVED, "telegram:-1", "-2", "set it"))
            for number, (name, severity) in enumerate(kinds.items(), 1):
                clock.now_ms = began + number
                await journal.commit(AlertQueued(name, severity, "LOSSES", ""))
            await journal.commit(AlertSent(("a",), "telegram:1", 1, ("a",)))
        finally:
            await journal.close()
        return {name: began + number for number, name in enumerate(kinds, 1)}

    queued = run_virtual(main())
    assert read_undelivered(path) == Undelivered(5, queued["d"], queued["c"], {"telegram:-1": "-2"})


def test_what_a_start_reads_of_alerts_grows_with_what_waits_and_not_with_what_there_ever_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted in SQLite's own steps. A kill's breach and another one are open, one alert waits, all others are settled."""
    steps: list[int] = []

    @contextmanager
    def counting(path: Path) -> Iterator[sqlite3.Connection]:
        with reading(path) as db:
            count = [0]
            db.set_progress_handler(lambda: count.__setitem__(0, count[0] + 1), 1)
            yield db
            steps.append(count[0])

    monkeypatch.setattr(outbox_module, "reading", counting)
    for settled in (10, 1000):
        path = tmp_path / str(settled) / "live" / "journal.db"
        old = [BreachRecorded(f"b{n}", "CRIT", "RESIDUAL", "BTC", "0.1", "acknowledge") for n in range(settled)]
        sent = [AlertSent((f"r1-{3 + 2 * n}",), "telegram:1", 1, (f"r1-{3 + 2 * n}",)) for n in range(settled)]
        seen = [BreachAcknowledged(one.breach_id, "operator") for one in old]
        new = (Killed("KEY", "", 1), BreachRecorded("k", "CRIT", "KILL", "global", "key", "HALT"))
        record(path, (START,), tuple(old), tuple(sent), tuple(seen), new, (BreachRecorded("z", "CRIT", "RESIDUAL", "ETH", "1", ""),))
        found = load_outbox(path)
        assert [row.kind for row in found.alerts] == ["Killed", "BreachRecorded", "BreachRecorded"]
        assert [row.breaches for row in found.unseen] == [("k",), ("z",)]
    assert steps[1] < steps[0] * 1.5
