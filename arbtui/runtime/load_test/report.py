"""The report: Markdown to read, JSON for scripts, the figure as SVG and PNG."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from arbtui import __version__
from arbtui.model.errors import UsageError
from arbtui.runtime.load_test.plot.figure import figure
from arbtui.runtime.load_test.plot.png import png
from arbtui.runtime.load_test.plot.svg import svg
from arbtui.runtime.load_test.rows import Row, ends, measured, withheld
from arbtui.runtime.load_test.table import growth_table, level_table, table
from arbtui.runtime.load_test.terminal import COLUMNS, LINES
from arbtui.runtime.load_test.verdicts.trading import below, required
from arbtui.runtime.load_test.verdicts.verdict import Verdict

FILES = ("report.md", "report.json", "report.svg", "report.png")


class ReportFolder:
    """The folder of a report; created, and checked to be writable, before the first child starts.

    Raises:
        UsageError: it cannot be created or written, or its path is a file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if path.exists() and not path.is_dir():
            raise UsageError(f"--report {path}: a file stands there; name a folder")
        try:
            path.mkdir(parents=True, exist_ok=True)
            for name in FILES:
                file = path / name
                existed = file.exists()
                os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
                if not existed:
                    file.unlink()
        except OSError as error:
            raise UsageError(f"--report {path}: cannot be written ({error.strerror or error})") from None

    def write(self, report: "Report") -> None:
        """Write all four files.

        Raises:
            UsageError: the disk filled up, or the folder went away, since the start.
        """
        drawing = figure(report.title, report.rows)
        texts = {"report.md": report.markdown(), "report.json": json.dumps(report.as_json(), indent=2) + "\n", "report.svg": svg(drawing)}
        try:
            for name, text in texts.items():
                (self.path / name).write_text(text, encoding="utf-8")
            (self.path / "report.png").write_bytes(png(drawing))
        except OSError as error:
            raise UsageError(f"--report {self.path}: cannot be written ({error.strerror or error})") from None


class Report:
    """The results of a load test.

    Args:
        settings: settings from the environment, by variable; they apply to every child.
    """

    def __init__(
        self,
        *,
        profile: str,
        scenario: str,
        duration_s: float,
        rows: Sequence[Row],
        verdicts: Sequence[Verdict],
        settings: dict[str, str],
    ) -> None:
        self.profile, self.scenario, self.duration_s = profile, scenario, duration_s
        self.rows, self.verdicts, self.settings = rows, verdicts, settings
        self.title = f"arbtui load-test: {profile}, {scenario}, {duration_s:g} s a symbol count"

    def as_json(self) -> dict[str, Any]:
        """Everything, including the children's own summaries."""
        return {
            "arbtui": __version__,
            "profile": self.profile,
            "scenario": self.scenario,
            "duration_s": self.duration_s,
            "machine": machine(),
            "environment": self.settings,
            "verdicts": [asdict(verdict) for verdict in self.verdicts],
            "rows": [asdict(row) for row in self.rows],
        }

    def markdown(self) -> str:
        """The report as Markdown."""
        parts = [
            f"# Load test: {self.profile}, scenario {self.scenario}",
            f"Each row ran in a process of its own, `arbtui --mode sim`, headless or with the console on a terminal of {COLUMNS}x{LINES}, "
            f"from a fresh state folder, for {self.duration_s:g} s. For the capacity another process played the same market at "
            f"`--speed max`. arbtui {__version__}, {machine_in_words()}.",
            "## Verdicts",
            "\n".join(["| verdict | criterion | found |", "| --- | --- | --- |", *(_line(verdict) for verdict in self.verdicts)]),
            *self._busy(),
            "## Figures",
            table(self.rows),
            "![Over the number of symbols](report.svg)",
        ]
        both = ends(self.rows)
        if both is not None:
            parts += [f"## Growth from {both[0].symbols} to {both[1].symbols} symbols", growth_table(*both)]
        for row in measured(self.rows):
            parts += [f"## Levels over the last half: {row.name}", level_table(row)]
        parts += ["## Symbols with too few fills", self._lacking(), "## Settings", self._settings(), "## How to read it", _NOTES]
        return "\n\n".join(parts) + "\n"

    def _busy(self) -> list[str]:
        waits = ", ".join(f"{percent:.0f} % with {name}" for name, percent in withheld(self.rows).items())
        if not waits:
            return []
        return [
            f"**The machine was busy with other work.** Of the time, the loop's thread waited for a core {waits}. Stalls leave that out; "
            "lag, delays, exact ends and capacity do not, and are better on a quiet machine."
        ]

    def _lacking(self) -> str:
        lines = []
        for row in measured(self.rows):
            lacking = below(row.figures)
            names = ", ".join(f"{symbol} {fills}" for symbol, fills in lacking.items())
            lines.append(f"- {row.name}, {required(row.duration_s)} fills asked: {names or 'none'}")
        return "\n".join(lines) or "No child left a summary."

    def _settings(self) -> str:
        lines = [f"- {row.name}: {_variables(row.overrides)}" for row in self.rows if row.overrides]
        if lines:
            lines.insert(0, "Limits on what is open at once over all symbols, raised in proportion above 200 symbols:\n")
        if self.settings:
            lines.append(f"\nFrom the environment: {_variables(self.settings)}")
        return "\n".join(lines) or "The profile's own."


def _line(verdict: Verdict) -> str:
    return f"| **{verdict.outcome}** | {verdict.criterion} | {verdict.found.replace('|', '/')} |"


def _variables(values: Mapping[str, str]) -> str:
    return ", ".join(f"`{name}={value}`" for name, value in values.items())


def machine() -> dict[str, Any]:
    """The machine it ran on, without host names."""
    return {
        "system": platform.system(),
        "release": platform.release(),
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }


def machine_in_words() -> str:
    """The same as one phrase."""
    facts = machine()
    return f"Python {facts['python']}, {facts['system']} on {facts['processor']}, {facts['cores']} cores"


_NOTES = """\
- *Updates offered*: messages of the simulated market as it made them, second by second, whether or not the engine kept up.
- *Due to decided*: from the moment the market's tick (10 ms) was due to the end of the decision on what it brought, one value a
  tick, also for ticks that waited together. It holds the loop's lateness, the wait behind others of its batch, and the work itself.
- *Loop lag*: how late a timer on a 10 ms grid fires; a stall counts once for every slot it swallowed.
- *Longest turn*: the time between two looks for work, less what the thread spent waiting for a core (Linux tells; elsewhere it is
  in it). That wait stands in the next line: it is the machine's, not the program's.
- *CPU* is of one core over the whole life of the engine, start and end included; the simulator's is measured inside it.
- *Memory of the engine* is the largest resident size less that after the imports and less what building the simulator took.
- *Capacity* includes trading: cycles, journal and paper venues, with commits that do not wait for the disk.
- *Levels*: a straight line by least squares through the samples of the last half of the run, with its standard error. Memory of no file
  (`RssAnon`) is what a leak is in; the rest of the resident size are pages of files, the libraries'.
- Exponents: a figure that grows as N^e; below 1 it grows slower than the number of symbols."""
