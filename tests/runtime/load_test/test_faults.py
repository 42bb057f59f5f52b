"""Whole load tests with real children: a fault planted in the program turns its verdict to FAIL."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from arbtui.runtime.load_test import load_test
from arbtui.runtime.load_test.report import FILES
from arbtui.settings.load import load_profile
from arbtui.settings.options import LoadTestOptions
from tests.runtime.load_test.faulty import FAULTS, MUTE

FAULTY = Path(__file__).with_name("faulty.py")
STEADY, TRADED, PROCESSED, GREW, SETTLED, EXACT = range(6)  #: places of the verdicts


class Found:
    """A load test that was run, and what it reports."""

    def __init__(self, folder: Path, fault: str, duration_s: float, *symbols: int) -> None:
        options = LoadTestOptions(
            settings=load_profile("upbit-binance", {"mode": "sim"}),
            profile="upbit-binance",
            symbols=symbols,
            duration_s=duration_s,
            report=folder / "out",
        )
        self.code = load_test.run_load_test(options, (sys.executable, str(FAULTY), fault))
        self.files = sorted(path.name for path in (folder / "out").iterdir())
        self.report: dict[str, Any] = json.loads((folder / "out" / "report.json").read_text())

    def outcome(self, place: int) -> str:
        return str(self.report["verdicts"][place]["outcome"])

    def found(self, place: int) -> str:
        return str(self.report["verdicts"][place]["found"])


@pytest.fixture(autouse=True)
def small_capacity(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """A short capacity child: it is not what is looked at here."""
    monkeypatch.setattr(load_test, "CAPACITY_S", (1.0, 2.0))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "duration_s", "verdict", "said"),
    [
        ("stall", 2.0, STEADY, "1 stalls, the longest "),
        ("crash", 2.0, STEADY, "exit code -9"),
        ("mute", 12.5, TRADED, f"{MUTE} 0"),
        ("lose", 2.0, PROCESSED, " offered, "),
        ("leak", 4.0, SETTLED, "MB of 2.0 in 2 s"),
        ("late", 2.0, EXACT, "ms too late"),
        ("early", 2.0, EXACT, "stopped for signal"),
    ],
)
def test_a_planted_fault_is_found(tmp_path: Path, fault: str, duration_s: float, verdict: int, said: str) -> None:
    tested = Found(tmp_path, fault, duration_s, 3)
    assert tested.code == 1
    assert tested.outcome(verdict) == "FAIL"
    assert said in tested.found(verdict)
    assert tested.files == sorted(FILES)


def test_every_fault_is_planted_once() -> None:
    marks = test_a_planted_fault_is_found.pytestmark  # type: ignore[attr-defined]
    (cases,) = [mark.args[1] for mark in marks if mark.name == "parametrize"]
    assert {case[0] for case in cases} == set(FAULTS) - {"none"}


@pytest.mark.slow
def test_without_a_fault_the_rows_are_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What depends on the program alone passes; what a busy machine may spoil is only looked at for its presence."""
    tested = Found(tmp_path, "none", 2.0, 2, 4)
    few, many = tested.report["rows"]
    assert (few["symbols"], many["symbols"], few["exit_code"], many["exit_code"]) == (2, 4, 0, 0)
    for row in (few, many):
        assert row["summary"]["symbols"] == row["symbols"]
        assert row["summary"]["messages"]["read"] == row["summary"]["simulator"]["messages"] > 0
        assert row["summary"]["samples"] >= 21
        assert row["capacity"]["updates"] > 0
        assert row["wall_s"] > row["summary"]["runtime_s"] + row["summary"]["drain_s"]
    assert tested.outcome(SETTLED) == "PASS"
    assert tested.outcome(TRADED) == "NOT MEASURED"
    told = capsys.readouterr()
    assert told.out.count("\n") == 13
    assert told.err.count("arbtui: load test: ") == 4
    assert "2 symbols, 2 s" in told.err
