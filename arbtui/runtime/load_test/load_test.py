"""`arbtui load-test`: each symbol count in a process of its own, then the report and its verdicts."""

import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType

from arbtui.model.counted import counted
from arbtui.model.errors import ArbtuiError, UsageError
from arbtui.runtime.load_test.child import Ended, run_child
from arbtui.runtime.load_test.limits import raised_limits
from arbtui.runtime.load_test.progress import Progress, progress
from arbtui.runtime.load_test.report import Report, ReportFolder
from arbtui.runtime.load_test.rows import Capacity, Row, measured
from arbtui.runtime.load_test.table import level_lines
from arbtui.runtime.load_test.verdicts import judge
from arbtui.runtime.load_test.verdicts.verdict import Outcome
from arbtui.runtime.stop import SIGNALS
from arbtui.runtime.venues import refuse_unplayable
from arbtui.settings.environment import dotted_key, variable_of
from arbtui.settings.options import LoadTestOptions
from arbtui.settings.output import say, tell
from arbtui.settings.state import make_private

#: The program that the children are; tests plant faults in a driver of their own.
PROGRAM = (sys.executable, "-m", "arbtui")

#: Overrides of the profile: a load test sends no alerts.
QUIET = {variable_of(("telegram", "enabled")): "false"}
#: A child may take this much longer than its duration, for its start, open cycles and its end, before it counts as stuck.
GRACE_S = 90.0
#: Updates that a capacity child plays, and the seconds of the market within which that is kept.
_CAPACITY_UPDATES = 50_000
CAPACITY_S = (5.0, 120.0)
#: Estimates in s for a start and an end, and for a capacity child, in the time left.
_AROUND_S, _CAPACITY_WALL_S = 2.0, 8.0


class Interrupted(ArbtuiError):
    """A signal ended the load test; no report is written."""

    def __init__(self, number: int) -> None:
        super().__init__(f"load test interrupted by {signal.Signals(number).name}; nothing is reported")
        self.exit_code = 128 + number


def run_load_test(options: LoadTestOptions, program: Sequence[str] = PROGRAM) -> int:
    """Run, report, judge; 0 when no verdict is FAIL, else 1.

    Raises:
        UsageError: report or state folder cannot be used, or the profile cannot be simulated.
        Interrupted: a signal came; the child was ended first.
    """
    refuse_unplayable(options.settings)
    folder = None if options.report is None else ReportFolder(options.report)
    with _state(options) as state, _signals():
        rows = _measure(options, program, state)
    scenario = options.settings.simulator.scenario
    verdicts = judge(rows, scenario, is_soak=options.soak)
    environment = {name: value for name, value in sorted(os.environ.items()) if len(dotted_key(name)) > 1}
    report = Report(
        profile=options.settings.name,
        scenario=scenario,
        duration_s=options.duration_s,
        rows=rows,
        verdicts=verdicts,
        settings=environment,
    )
    if folder is not None:
        folder.write(report)
    if options.json is not None:
        options.json.write(report.as_json())
    if options.json is None or options.json.path is not None:
        _tell(report, options)
    return 1 if any(verdict.outcome is Outcome.FAIL for verdict in verdicts) else 0


def _tell(report: Report, options: LoadTestOptions) -> None:
    for verdict in report.verdicts:
        tell(f"{verdict.outcome:<12}  {verdict.criterion}\n{'':<14}{verdict.found}\n")
    if options.soak:
        for row in measured(report.rows):
            tell(level_lines(row))
    if options.report is not None:
        tell(f"{options.report / 'report.md'}\n")


def _measure(options: LoadTestOptions, program: Sequence[str], state: Path) -> list[Row]:
    capacity_s = 0.0 if options.soak else _CAPACITY_WALL_S
    kinds = [True] if options.soak and options.console else [False, True] if options.console else [False]
    rows: list[Row] = []
    with progress(((options.duration_s + _AROUND_S) * len(kinds) + capacity_s) * len(options.symbols)) as shown:
        for symbols in options.symbols:
            for console in kinds:
                child = _Child(options, program, state / str(symbols), symbols, shown, console=console)
                row = child.real_time()
                if not options.soak and not console and row.summary is not None and row.exit_code == 0:
                    row = replace(row, capacity=child.capacity(row))
                rows.append(row)
    return rows


class _Child:
    """The processes of one symbol count."""

    def __init__(
        self, options: LoadTestOptions, program: Sequence[str], folder: Path, symbols: int, shown: Progress, *, console: bool
    ) -> None:
        self._console = console
        self._options = options
        self._program = program
        self._folder = folder
        self._symbols = symbols
        self._shown = shown
        self._raised = raised_limits(options.settings, symbols)

    def real_time(self) -> Row:
        """The row without its capacity."""
        duration = self._options.duration_s
        load = os.getloadavg()[0]
        with_it = ", console" if self._console else ""
        self._shown.begin(f"{counted(self._symbols, 'symbol')}{with_it}, {duration:g} s")
        ended = self._run("real", duration, duration + GRACE_S)
        self._shown.end(duration + _AROUND_S)
        return Row(
            symbols=self._symbols,
            duration_s=duration,
            exit_code=ended.exit_code,
            wall_s=ended.wall_s,
            said=ended.said,
            summary=ended.summary,
            overrides=self._raised,
            load=load,
            console=self._console,
        )

    def capacity(self, row: Row) -> Capacity | None:
        """The same market as fast as possible; None when that child failed, which is reported."""
        low, high = CAPACITY_S
        virtual_s = round(max(low, min(high, _CAPACITY_UPDATES / max(1.0, row.figures["updates_per_s"]))), 1)
        self._shown.begin(f"{counted(self._symbols, 'symbol')}, capacity")
        ended = self._run("max", virtual_s, virtual_s * 10 + GRACE_S)
        self._shown.end(_CAPACITY_WALL_S)
        if ended.summary is None or ended.exit_code != 0:
            say(
                f"load test: the capacity of {counted(self._symbols, 'symbol')} was not measured: exit code {ended.exit_code}, {ended.said}"
            )
            return None
        return Capacity(ended.summary["updates"], ended.summary["wall_s"], ended.summary["runtime_s"])

    def _run(self, speed: str, seconds: float, within_s: float) -> Ended:
        folder = make_private(self._folder / ("console" if self._console else speed))
        flags = {
            "--profile": self._options.profile,
            "--mode": "sim",
            "--symbols": str(self._symbols),
            "--max-runtime": repr(seconds),
            "--speed": speed,
            "--state-dir": str(folder / "state"),
        }
        look = () if self._console else ("--headless",)
        command = [*self._program, *look, *(word for flag in flags.items() for word in flag)]
        environment = {**os.environ, **self._raised, **QUIET}
        return run_child(command, environment, folder, within_s, self._shown.tick, on_terminal=self._console)


@contextmanager
def _state(options: LoadTestOptions) -> Iterator[Path]:
    """Where the children's state goes: a temporary folder, or the one that was named, if no earlier test's state is in it.

    Raises:
        UsageError: a symbol count has state there, from which its child would continue.
    """
    if options.state_root is None:
        with tempfile.TemporaryDirectory(prefix="arbtui-load-test-") as folder:
            yield Path(folder)
        return
    used = [symbols for symbols in options.symbols if (options.state_root / str(symbols)).exists()]
    if used:
        raise UsageError(
            f"--state-dir {options.state_root}: an earlier load test left {used[0]} there, and a child starts from nothing; name another"
        )
    yield make_private(options.state_root)


@contextmanager
def _signals() -> Iterator[None]:
    """Turn the first signal into :class:`Interrupted`, so that no child keeps running; later ones change nothing."""

    def interrupt(number: int, _: FrameType | None) -> None:
        for each in before:
            signal.signal(each, signal.SIG_IGN)
        raise Interrupted(number)

    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number in before:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
