"""The report: everything in it, refused where it cannot be written."""

import json
import os
from pathlib import Path

import pytest

from arbtui.model.errors import UsageError
from arbtui.runtime.load_test.report import FILES, Report, ReportFolder
from arbtui.runtime.load_test.rows import Row
from arbtui.runtime.load_test.table import LINES, table
from arbtui.runtime.load_test.verdicts import judge
from tests.runtime.load_test.made import DURATION_S, fills, row


def report(rows: list[Row], settings: dict[str, str] | None = None) -> Report:
    return Report(profile="p", scenario="busy", duration_s=DURATION_S, rows=rows, verdicts=judge(rows, "busy"), settings=settings or {})


def test_all_four_files_are_written(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    ReportFolder(folder).write(report([row(10), row(50)]))
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)
    told = json.loads((folder / "report.json").read_text())
    assert [one["symbols"] for one in told["rows"]] == [10, 50]
    assert told["rows"][0]["summary"]["fills_by_symbol"]["A0"] == 60
    assert {one["outcome"] for one in told["verdicts"]} == {"PASS"}
    assert told["machine"]["cores"] == os.cpu_count()
    page = (folder / "report.md").read_text()
    assert page.count("**PASS**") == 6
    assert "(report.svg)" in page
    assert "## Growth from 10 to 50 symbols" in page


def test_a_second_report_replaces_the_first(tmp_path: Path) -> None:
    ReportFolder(tmp_path).write(report([row(10), row(50)]))
    ReportFolder(tmp_path).write(report([row(20)]))
    assert [one["symbols"] for one in json.loads((tmp_path / "report.json").read_text())["rows"]] == [20]


def test_a_failure_is_said_with_its_symbols() -> None:
    page = report([row(10), row(50, fills_by_symbol=fills(row(50), A7=3))]).markdown()
    assert page.count("**FAIL**") == 1
    assert "- 50 symbols, 20 fills asked: A7 3" in page
    assert "- 10 symbols, 20 fills asked: none" in page


def test_one_row_says_that_growth_was_not_measured() -> None:
    page = report([row(10)]).markdown()
    assert "**NOT MEASURED** | CPU and memory" in page
    assert "## Growth" not in page


def test_a_busy_machine_is_told() -> None:
    assert "busy" not in report([row(10)]).markdown().split("## Figures")[0].split("## Verdicts")[1].replace("scenario busy", "")
    page = report([row(10), row(50, loop_turns__cpu_wait_percent=38.7)]).markdown()
    assert "The machine was busy with other work" in page
    assert "39 % with 50 symbols." in page


def test_a_child_that_died_still_has_a_column() -> None:
    page = report([row(10), row(50, summary=None, exit_code=-9, capacity=None)]).markdown()
    assert "| Exit code | 0 | -9 |" in page
    assert "| Orders | 700 | - |" in page


def test_every_line_has_a_cell_for_every_row() -> None:
    lines = table([row(10), row(50), row(200, summary=None, exit_code=None, capacity=None)]).splitlines()
    assert len(lines) == len(LINES) + 2
    assert {line.count("|") for line in lines} == {5}


def test_raised_limits_and_settings_are_told() -> None:
    raised = row(1000, overrides={"ARBTUI_RISK__GLOBAL__MAX_UNHEDGED": "10000.0"})
    page = report([row(10), raised], {"ARBTUI_EXECUTION__ORDER_VALUE": "50"}).markdown()
    assert "- 1000 symbols: `ARBTUI_RISK__GLOBAL__MAX_UNHEDGED=10000.0`" in page
    assert "From the environment: `ARBTUI_EXECUTION__ORDER_VALUE=50`" in page


def test_a_file_in_the_folders_place(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("precious")
    with pytest.raises(UsageError, match="a file stands there"):
        ReportFolder(tmp_path / "out")
    assert (tmp_path / "out").read_text() == "precious"


def test_a_file_above_the_folder(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("precious")
    with pytest.raises(UsageError, match="cannot be written"):
        ReportFolder(tmp_path / "out" / "deeper")


def test_a_folder_in_a_files_place(tmp_path: Path) -> None:
    (tmp_path / "report.png").mkdir()
    with pytest.raises(UsageError, match="cannot be written"):
        ReportFolder(tmp_path)


def test_looking_leaves_an_earlier_report_alone(tmp_path: Path) -> None:
    (tmp_path / "report.md").write_text("earlier")
    ReportFolder(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["report.md"]
    assert (tmp_path / "report.md").read_text() == "earlier"


def test_a_folder_that_went_away_is_said(tmp_path: Path) -> None:
    folder = ReportFolder(tmp_path / "out")
    (tmp_path / "out").rmdir()
    with pytest.raises(UsageError, match="cannot be written"):
        folder.write(report([row(10)]))
