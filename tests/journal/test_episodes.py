"""Gaps in the journal: what is kept of each, which are read, and how they are printed."""

import sqlite3
from contextlib import closing
from pathlib import Path

from arbtui.journal.episodes import KEPT, EpisodeRecord, episode_statements, episodes_csv, read_episodes
from tests.journal.recorded import record

ONE = EpisodeRecord("XRP:a>b", "XRP", 1_000, 3_000, "BELOW_THRESHOLD", 12.345678, 46.6533, 0, "PAUSED", (True, False, None, None))


def journal(tmp_path: Path, **runs: list[EpisodeRecord]) -> Path:
    path = tmp_path / "journal.db"
    record(path)
    with closing(sqlite3.connect(path)) as db, db:
        for run_id, episodes in runs.items():
            for statement, values in episode_statements(run_id, episodes):
                db.execute(statement, values)
    return path


def test_nothing_seen_writes_nothing() -> None:
    assert episode_statements("r1", []) == []


def test_an_episode_is_told_as_it_was_seen(tmp_path: Path) -> None:
    (told,) = read_episodes(journal(tmp_path, r1=[ONE]))
    assert told == {
        "run_id": "r1", "route": "XRP:a>b", "symbol": "XRP", "start": "1970-01-01T00:00:01.000Z", "end": "1970-01-01T00:00:03.000Z",
        "ended_by": "BELOW_THRESHOLD", "best_edge_bps": 12.3457, "size": "46.6533", "cycles": 0, "gate": "PAUSED",
        "would_fill": {"50": True, "100": False, "200": None, "500": None},
    }  # fmt: skip
    assert episodes_csv([told]).splitlines() == [
        "run_id,route,symbol,start,end,ended_by,best_edge_bps,size,cycles,gate,would_fill_50,would_fill_100,would_fill_200,would_fill_500",
        "r1,XRP:a>b,XRP,1970-01-01T00:00:01.000Z,1970-01-01T00:00:03.000Z,BELOW_THRESHOLD,12.3457,46.6533,0,PAUSED,1,0,,",
    ]


def test_they_are_read_by_run_and_by_when_they_began_both_ends_included(tmp_path: Path) -> None:
    def at(ms: int) -> EpisodeRecord:
        return EpisodeRecord("r", "XRP", ms, ms + 1, "STALE", 1.0, 1.0, 1, "", (None,) * 4)

    path = journal(tmp_path, r1=[at(3_000), at(1_000)], r2=[at(2_000)])

    def began(**asked: int | str) -> list[str]:
        return [one["start"][-6:-1] for one in read_episodes(path, **asked)]  # type: ignore[arg-type]

    assert began() == ["1.000", "2.000", "3.000"]
    assert began(run="r1") == ["1.000", "3.000"]
    assert began(since_ms=2_000) == ["2.000", "3.000"]
    assert began(until_ms=2_000) == ["1.000", "2.000"]
    assert began(since_ms=2_001, until_ms=2_999) == []


def test_only_the_newest_are_kept(tmp_path: Path) -> None:
    path = journal(tmp_path, r1=[ONE] * (KEPT - 1), r2=[ONE] * 2)
    assert len(read_episodes(path)) == KEPT
    assert len(read_episodes(path, run="r2")) == 2


def test_a_journal_of_a_version_without_episodes_has_none(tmp_path: Path) -> None:
    path = journal(tmp_path, r1=[ONE])
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("DROP TABLE episode")
    assert read_episodes(path) == []
