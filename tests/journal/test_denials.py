"""What kept us from trading, in the journal: kept in steps, replaced, forgotten, summed up, and printed."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from arbtui.journal.denials import SPANS, DenialRow, denial_rows, denial_statements, denials_csv, read_denials
from tests.journal.recorded import record

NOW = 1_767_225_600_000


def row(start_ms: int, span: str = "minute", route: str = "r", reason: str = "PAUSED", times: int = 1, seconds: float = 1.5) -> DenialRow:
    return DenialRow(route, reason, SPANS[span][1], start_ms, times, seconds)


def journal(tmp_path: Path, *writes: tuple[Sequence[DenialRow], int]) -> Path:
    path = tmp_path / "journal.db"
    record(path)
    with closing(sqlite3.connect(path)) as db, db:
        for rows, now_ms in writes:
            for statement, values in denial_statements(rows, now_ms):
                db.execute(statement, values)
    return path


def kept(path: Path) -> list[DenialRow]:
    with closing(sqlite3.connect(path)) as db:
        return denial_rows(db)


def test_nothing_to_add_writes_nothing() -> None:
    assert denial_statements([], NOW) == []


def test_a_step_is_replaced_by_what_is_known_of_it_now(tmp_path: Path) -> None:
    first, more = row(NOW), row(NOW, times=2, seconds=4.0)
    assert kept(journal(tmp_path, ([first], NOW), ([more, row(NOW + 10_000)], NOW + 10_000))) == [more, row(NOW + 10_000)]


@pytest.mark.parametrize("span", list(SPANS))
def test_a_step_goes_when_it_is_as_old_as_its_span(tmp_path: Path, span: str) -> None:
    old, fresh = row(NOW, span), row(NOW + 1, span)
    length_ms = SPANS[span][0]
    later = row(NOW + length_ms, span)
    assert kept(journal(tmp_path, ([old, fresh], NOW + 1), ([later], NOW + length_ms))) == [fresh, later]


def test_each_span_is_summed_by_route_and_reason_with_those_of_all_routes_first_and_the_longest_first(tmp_path: Path) -> None:
    rows = [
        row(NOW - 59_999, times=2, seconds=1.0004),
        row(NOW, times=3, seconds=2.0),
        row(NOW + 1, seconds=100.0),  # not yet
        row(NOW, "hour", times=5, seconds=7.0),
        row(NOW, "day", times=6, seconds=8.0),
        row(NOW, "day", reason="NO_STOCK", times=7, seconds=9.0),
        row(NOW, "day", reason="STALE", times=9, seconds=8.0),
        row(NOW, "day", reason="COOLDOWN", times=6, seconds=8.0),
        row(NOW, "day", route="", reason="LOSSES", times=1, seconds=1.0),
    ]
    found = read_denials(journal(tmp_path, (rows, NOW)), NOW)
    assert [(one["route"], one["reason"]) for one in found] == [
        (None, "LOSSES"), ("r", "NO_STOCK"), ("r", "STALE"), ("r", "COOLDOWN"), ("r", "PAUSED"),
    ]  # fmt: skip
    assert found[-1] == {
        "route": "r",
        "reason": "PAUSED",
        "minute": {"seconds": 3.0, "times": 5},
        "hour": {"seconds": 7.0, "times": 5},
        "day": {"seconds": 8.0, "times": 6},
    }
    assert found[0]["minute"] == {"seconds": 0.0, "times": 0}
    assert denials_csv([found[0], found[-1]]).splitlines() == [
        "route,reason,minute_seconds,minute_times,hour_seconds,hour_times,day_seconds,day_times",
        ",LOSSES,0.0,0,0.0,0,1.0,1",
        "r,PAUSED,3.0,5,7.0,5,8.0,6",
    ]


def test_a_sum_leaves_out_what_is_as_old_as_its_span(tmp_path: Path) -> None:
    path = journal(tmp_path, ([row(NOW, seconds=5.0)], NOW))
    assert read_denials(path, NOW + 59_999)[0]["minute"]["seconds"] == 5.0
    assert read_denials(path, NOW + 60_000) == []


def test_a_journal_of_a_version_without_denials_has_none(tmp_path: Path) -> None:
    path = journal(tmp_path, ([row(NOW)], NOW))
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("DROP TABLE denial")
    assert kept(path) == []
    assert read_denials(path, NOW) == []
