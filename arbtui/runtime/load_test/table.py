"""The rows as a table in Markdown: one column a symbol count, one line a figure."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from arbtui.runtime.load_test.rows import Row, engine_memory_mb, exponent
from arbtui.runtime.load_test.slopes import slopes
from arbtui.runtime.load_test.verdicts.trading import below

Figures = Mapping[str, Any]
Line = tuple[str, Callable[[Row], str]]

ENDS = ("hedged", "unwound", "residual")  #: how a cycle ends


def _figure(write: Callable[[Figures], str]) -> Callable[[Row], str]:
    return lambda row: "-" if row.summary is None else write(row.summary)


def _three(values: Mapping[str, float | None]) -> str:
    return " · ".join("-" if value is None else f"{value:,.1f}" for value in (values["p50"], values["p99"], values["max"]))


def _fills_per_exchange(figures: Figures) -> str:
    return ", ".join(f"{name} {fills:,}" for name, fills in figures["fills_per_exchange"].items())


def _denials(figures: Figures) -> str:
    most = sorted(figures["denials"].items(), key=lambda item: -item[1])[:3]
    return ", ".join(f"{reason} {count:,}" for reason, count in most) or "none"


def _capacity(row: Row) -> str:
    if row.capacity is None:
        return "-"
    times = row.capacity.virtual_s / row.capacity.wall_s if row.capacity.wall_s > 0 else 0.0
    return f"{row.capacity.updates_per_s:,.0f} ({times:.1f} x real time)"


def _turns(figures: Figures) -> str:
    turns = figures["loop_turns"]
    return "-" if turns is None else f"{turns['longest_ms']:.1f} ({turns['over_10_ms']} of {turns['count']:,} over 10 ms)"


def _withheld(figures: Figures) -> str:
    turns = figures["loop_turns"]
    return "-" if turns is None else f"{turns['cpu_wait_percent']:.1f} % of the time, {turns['longest_cpu_wait_ms']:.0f} ms at once"


def _fills(figures: Figures) -> str:
    fills = figures["fills_per_symbol"]
    return f"{fills['min']} · {fills['median']:g} · {fills['max']} ({len(below(figures))} too few)"


def _cpu(figures: Figures) -> str:
    return f"{figures['cpu_percent']['avg']:.1f} · {figures['cpu_percent']['max']:.1f}"


LINES: tuple[Line, ...] = (
    ("Updates offered a second", _figure(lambda figures: f"{figures['updates_per_s']:,.0f}")),
    ("Updates processed", _figure(lambda figures: f"{figures['messages']['read']:,} of {figures['simulator']['messages']:,}")),
    ("Capacity, updates a second", _capacity),
    ("Decision, us a batch (p50 · p99 · max)", _figure(lambda figures: _three(figures["decision_us"]))),
    ("Due to decided, ms (p50 · p99 · max)", _figure(lambda figures: _three(figures["staleness_ms"]))),
    ("Loop lag, ms (p50 · p99 · max)", _figure(lambda figures: _three(figures["loop_lag_ms"]))),
    ("Longest turn of the loop, ms", _figure(_turns)),
    ("CPU withheld by the machine", _figure(_withheld)),
    ("CPU of the engine, % of a core", _figure(lambda figures: f"{figures['engine']['cpu_percent']:.1f}")),
    ("CPU of the simulator, %", _figure(lambda figures: f"{figures['simulator']['cpu_percent']:.1f}")),
    ("CPU of the process, % (avg · max)", _figure(_cpu)),
    ("CPU an update, us", _figure(lambda figures: f"{figures['engine']['us_per_update']:.1f}")),
    ("Memory after imports, MB", _figure(lambda figures: f"{figures['rss_mb']['baseline']:.1f}")),
    ("Memory of the engine above that, MB", lambda row: "-" if row.summary is None else f"{engine_memory_mb(row):.1f}"),
    ("Memory of the simulator, MB", _figure(lambda figures: f"{figures['simulator']['rss_mb']:.1f}")),
    ("Memory of the process at most, MB", _figure(lambda figures: f"{figures['rss_mb']['max']:.1f}")),
    ("Samples of CPU and memory", _figure(lambda figures: str(figures["samples"]))),
    ("Orders", _figure(lambda figures: f"{figures['orders']:,}")),
    ("Fills", _figure(lambda figures: f"{figures['fills']:,}")),
    ("Fills per symbol (min · median · max)", _figure(_fills)),
    ("Fills per exchange", _figure(_fills_per_exchange)),
    ("Cycles hedged, unwound, residual", _figure(lambda figures: ", ".join(f"{figures['cycles'][end]:,}" for end in ENDS))),
    ("Denials, the most frequent", _figure(_denials)),
    ("Journal commit, ms (p50 · p99)", _figure(lambda row: " · ".join(f"{row['journal']['commit_ms'][p]:.1f}" for p in ("p50", "p99")))),
    ("Runtime, s", _figure(lambda figures: f"{figures['runtime_s']:.4f}")),
    ("After it, until all cycles had ended, s", _figure(lambda figures: f"{figures['drain_s']:.2f}")),
    ("Process from start to end, s", lambda row: f"{row.wall_s:.1f}"),
    ("Exit code", lambda row: "ended from outside" if row.exit_code is None else str(row.exit_code)),
    ("Load average of the machine before", lambda row: f"{row.load:.1f}"),
)

#: What the growth table follows.
GROWTHS: tuple[tuple[str, Callable[[Row], float]], ...] = (
    ("Updates offered", lambda row: float(row.figures["updates_per_s"])),
    ("CPU of the engine", lambda row: float(row.figures["engine"]["cpu_percent"])),
    ("CPU an update", lambda row: float(row.figures["engine"]["us_per_update"])),
    ("CPU of the simulator", lambda row: float(row.figures["simulator"]["cpu_percent"])),
    ("Memory of the engine", engine_memory_mb),
    ("Memory of the process", lambda row: float(row.figures["rss_mb"]["max"])),
)


def table(rows: Sequence[Row]) -> str:
    """The figures of every row."""
    head = ["", *(f"{row.name}" for row in rows)]
    lines = [head, ["---", *("---:" for _ in rows)], *([name, *(write(row) for row in rows)] for name, write in LINES)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def growth_table(few: Row, many: Row) -> str:
    """How the figures grow between two rows."""
    lines = ["| | times | exponent |", "| --- | ---: | ---: |", f"| Symbols | {many.symbols / few.symbols:.1f} | 1 |"]
    for name, value in GROWTHS:
        low, high = value(few), value(many)
        times = f"{high / low:.1f}" if low > 0 else "-"
        lines.append(f"| {name} | {times} | {exponent((few.symbols, low), (many.symbols, high)):.2f} |")
    return "\n".join(lines)


#: Each level: its name, its unit, its digits.
_LEVELS = (
    ("anon_mb", "memory of no file", "MB", 2),
    ("fds", "descriptors", "", 1),
    ("tasks", "tasks", "", 1),
    ("threads", "threads", "", 1),
    ("wal_mb", "journal's log", "MB", 2),
    ("lag_p99_ms", "loop lag p99", "ms", 2),
)


def _level_cells(row: Row) -> list[list[str]]:
    """Name, value at the middle and at the end by the fitted line, slope, largest; empty where nothing was sampled."""
    lines = slopes(row)
    cells: list[list[str]] = []
    for key, name, unit, digits in _LEVELS:
        line = lines.get(key)
        if line is not None:
            slope = f"{line.per_hour:+.{digits}f} ± {line.error_in_series:.{digits}f}"
            at = [f"{value:.{digits}f}" for value in (line.first, line.last)]
            cells.append([f"{name}{f', {unit}' if unit else ''}", *at, slope, f"{line.most:.{digits}f}"])
    return cells


def level_table(row: Row) -> str:
    """How each level of a run rose over its last half."""
    lines = [["", "at the middle", "at the end", "an hour", "at most"], ["---", *["---:"] * 4], *_level_cells(row)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def level_lines(row: Row) -> str:
    """The same as plain lines, with the longest stop of the loop."""
    head = [row.name, "middle", "end", "an hour", "at most"]
    cells = [head, *_level_cells(row)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(head))]
    text = [
        "  ".join([line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))])
        for line in cells
    ]
    return "\n".join([*text, f"longest turn of the loop {_turns(row.figures)}, CPU withheld {_withheld(row.figures)}"]) + "\n"
