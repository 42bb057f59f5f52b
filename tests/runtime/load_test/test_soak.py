"""What must stay level: the line through the last half, its verdict, and a real soak, short here and an hour in a proof."""

import json
import os
import random
import subprocess
import sys
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest

from arbtui.runtime.load_test.child import run_child
from arbtui.runtime.load_test.slopes import fit, slopes
from arbtui.runtime.load_test.table import level_lines, level_table
from arbtui.runtime.load_test.terminal import COLUMNS, LINES
from arbtui.runtime.load_test.verdicts import judge
from arbtui.runtime.load_test.verdicts.levels import LEAST_S, levels
from arbtui.runtime.load_test.verdicts.memory import memory
from arbtui.runtime.load_test.verdicts.steadiness import steadiness
from arbtui.runtime.load_test.verdicts.verdict import Outcome
from tests.proof.steps import SECONDS
from tests.runtime.load_test import made

HOUR_S = 3600.0


def soaked(console: bool = False, duration_s: float = HOUR_S, **per_hour: Any) -> Any:
    return made.row(50, duration_s=duration_s, console=console, levels=made.levels(duration_s, **per_hour))


def test_the_line_goes_through_the_last_half_only() -> None:
    seconds = [float(second) for second in range(101)]
    values = [second * 5.0 if second < 50 else 250.0 + (second - 50) * 0.5 for second in seconds]
    line = fit("anon_mb", seconds, values)
    assert line.per_hour == pytest.approx(0.5 * 3600)
    assert line.error == pytest.approx(0.0, abs=1e-6)
    assert [line.first, line.last, line.most] == pytest.approx([250.0, 275.0, 275.0])
    assert line.over_s == 50.0


def swinging(draw: random.Random, count: int) -> list[float]:
    """A level that neither rises nor falls, and forgets a tenth of where it is with each sample."""
    return list(accumulate((draw.gauss(0.0, 0.05) for _ in range(count)), lambda value, step: 0.9 * value + step))


def test_how_sure_a_slope_is_counts_that_memory_stays_what_it_was() -> None:
    """A single step of a level line, or one that wanders, looks sure of its slope to whoever takes each sample for a new one."""
    seconds = [10.0 * number for number in range(200)]
    stepped = fit("anon_mb", seconds, [80.0 + (number >= 150) for number in range(200)])
    assert stepped.per_hour > 5 * stepped.error
    assert stepped.error_in_series > 4 * stepped.error
    draw = random.Random(3)
    noise = fit("anon_mb", seconds, [80.0 + draw.gauss(0.0, 0.1) for _ in range(200)])
    assert noise.error <= noise.error_in_series < 1.5 * noise.error
    lines = [fit("anon_mb", seconds, swinging(draw, len(seconds))) for _ in range(200)]
    assert sum(abs(line.per_hour) < 2 * line.error for line in lines) < 100, "half of them look like a rise or a fall"
    assert sum(abs(line.per_hour) < 2 * line.error_in_series for line in lines) > 140


@pytest.mark.parametrize(("seconds", "values"), [([], []), ([1.0], [5.0]), ([1.0, 2.0], [5.0, 6.0])])
def test_a_line_through_too_few_samples_is_level_and_says_nothing(seconds: list[float], values: list[float]) -> None:
    line = fit("fds", seconds, values)
    assert line.per_hour == 0.0
    assert line.error == float("inf")


def test_what_stays_level_passes_and_the_figures_are_told() -> None:
    row = soaked(anon_mb=0.5)
    verdict = levels([row, soaked(console=True)])
    assert verdict.outcome is Outcome.PASS
    assert "50 symbols: memory +0." in verdict.found
    assert "50 symbols with the console: memory" in verdict.found
    assert slopes(row)["anon_mb"].per_hour == pytest.approx(0.5, abs=0.5)
    for text in (level_table(row), level_lines(row)):
        assert "memory of no file, MB" in text
        assert "journal's log, MB" in text
    assert "longest turn of the loop 6.0" in level_lines(row)


@pytest.mark.parametrize(
    ("per_hour", "told"),
    [
        ({"anon_mb": 4.0}, "memory +3"),
        ({"fds": 8.0}, "fds rose from"),
        ({"tasks": 8.0}, "tasks rose from"),
        ({"threads": 4.0}, "threads rose from"),
        ({"wal_mb": 70.0}, "the journal's log reached 7"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_each_level_that_keeps_rising_fails(per_hour: dict[str, Any], told: str) -> None:
    verdict = levels([soaked(**per_hour)])
    assert verdict.outcome is Outcome.FAIL
    assert told in verdict.found
    assert levels([soaked(), soaked(console=True, **per_hour)]).outcome is Outcome.FAIL


def test_a_run_that_is_all_warming_up_is_not_judged_and_one_without_samples_fails() -> None:
    assert levels([soaked(duration_s=LEAST_S - 1, anon_mb=100.0)]).outcome is Outcome.NOT_MEASURED
    assert levels([made.row(50, duration_s=HOUR_S, levels={"columns": [], "rows": []})]).outcome is Outcome.FAIL


def test_a_soak_is_judged_by_its_levels_and_a_load_test_by_growth_over_symbols() -> None:
    assert any(verdict.criterion.startswith("Nothing keeps rising") for verdict in judge([soaked()], "busy", is_soak=True))
    assert not any(verdict.criterion.startswith("Nothing keeps rising") for verdict in judge([soaked()], "busy"))


def test_memory_and_stalls_are_judged_with_the_console_too() -> None:
    grown = made.row(50, console=True, resources=[[float(second), 10.0, 50.0 + 0.2 * second] for second in range(121)])
    verdict = memory([made.row(50), grown])
    assert verdict.outcome is Outcome.FAIL
    assert "50 symbols with the console" in verdict.found
    stalled = steadiness([made.row(50), made.row(50, console=True, loop_turns__longest_ms=80.0, loop_turns__stalls=1)])
    assert stalled.outcome is Outcome.FAIL
    assert "50 symbols with the console: 1 stalls" in stalled.found


def test_a_child_on_a_terminal_has_one_of_an_operators_size_and_what_it_says_last_is_kept(tmp_path: Path) -> None:
    writes = "import json,os,sys; json.dump(list(os.get_terminal_size()), open(sys.argv[sys.argv.index('--json') + 1] + '.size', 'w'))"
    says = "print('\\x1b[31m' + 'x' * 3_000_000); print('last words'); sys.exit(5 if os.isatty(0) and os.isatty(2) else 6)"
    ended = run_child([sys.executable, "-c", f"{writes}; {says}"], os.environ, tmp_path, 60, lambda: None, on_terminal=True)
    assert (ended.exit_code, ended.said) == (5, "last words")
    assert json.loads((tmp_path / "summary.json.size").read_text()) == [COLUMNS, LINES]


def test_one_that_hangs_on_its_terminal_is_ended(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import time; time.sleep(600)"]
    assert run_child(command, os.environ, tmp_path, 1.0, lambda: None, on_terminal=True).exit_code is None


@pytest.mark.parametrize("console", [False, True], ids=["headless", "console"])
@pytest.mark.timeout(0 if SECONDS in os.environ else 180)
def test_a_soak_samples_every_level_and_nothing_keeps_rising(tmp_path: Path, console: bool) -> None:
    """Short here: that everything is sampled and told. In a proof, an hour: the verdict holds."""
    seconds = float(os.environ.get(SECONDS, "8"))
    symbols = "50" if seconds >= LEAST_S else "5"
    target = tmp_path / "soak.json"
    flags = ["--profile", "upbit-binance", "--symbols", symbols, "--soak", f"{seconds:g}", "--json", str(target)]
    command = [sys.executable, "-m", "arbtui", "load-test", *flags, *(["--console"] if console else [])]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode in (0, 1), done.stderr  # 1: a verdict of timing, on a machine that is shared
    told = json.loads(target.read_text())
    (row,) = told["rows"]
    assert (row["exit_code"], row["console"]) == (0, console)
    sampled = row["summary"]["levels"]
    series = dict(zip(sampled["columns"], zip(*sampled["rows"], strict=True), strict=True))
    assert series["second"][-1] > seconds / 2
    for name in ("anon_mb", "tasks", "threads", "wal_mb"):
        assert min(series[name]) > 0, name
    assert max(series["fds"]) > 0
    for verdict in told["verdicts"]:
        print(
            f"SOAK {'console' if console else 'headless'}: {verdict['outcome']}: {verdict['criterion'].split(':')[0]}: {verdict['found']}"
        )
    for line in done.stdout.splitlines():
        print(f"SOAK {line}")
    if seconds >= LEAST_S:
        (levelled,) = [verdict for verdict in told["verdicts"] if verdict["criterion"].startswith("Nothing keeps rising")]
        assert levelled["outcome"] == "PASS", levelled["found"]
