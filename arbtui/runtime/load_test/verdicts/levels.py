"""A soak: nothing keeps rising."""

from collections.abc import Sequence

from arbtui.runtime.load_test.rows import Row, measured
from arbtui.runtime.load_test.slopes import Slope, slopes
from arbtui.runtime.load_test.verdicts.verdict import Verdict, judged, not_measured

MEMORY_MB_PER_HOUR = 1.0
"""Least-squares slope over the last half."""

LEAST_S = 1800.0
"""Shorter runs warm up for most of their time: caches and everything that is remembered fill up to their bounds first."""

FLAT = 1.0
"""Descriptors, threads and tasks may end the last half so much higher than they begin it, beside twice the line's own error."""

WAL_MB = 64.0
"""Beyond it the journal's log is not taken over into the journal any more."""

CRITERION = (
    f"Nothing keeps rising: over the last half of a run memory that belongs to no file grows by at most {MEMORY_MB_PER_HOUR:g} MB an hour, "
    f"descriptors, threads and tasks not at all, and the journal's log stays under {WAL_MB:g} MB"
)


def levels(rows: Sequence[Row]) -> Verdict:
    """The slopes of each child that ran long enough."""
    faults: list[str] = []
    fine: list[str] = []
    short = 0
    for row in measured(rows):
        if row.duration_s < LEAST_S:
            short += 1
            continue
        lines = slopes(row)
        if not lines:
            faults.append(f"{row.name}: nothing was sampled")
            continue
        memory = lines["anon_mb"]
        found = f"memory {memory.per_hour:+.2f} MB/h (± {memory.error_in_series:.2f})"
        rising = [] if memory.per_hour <= MEMORY_MB_PER_HOUR else [found]
        rising += [f"{name} {_line(lines[name])}" for name in ("fds", "threads", "tasks") if not _is_flat(lines[name])]
        if not lines["wal_mb"].most < WAL_MB:
            rising.append(f"the journal's log reached {lines['wal_mb'].most:.0f} MB")
        (faults if rising else fine).append(f"{row.name}: {', '.join(rising) or found}")
    if not faults and not fine:
        return not_measured(CRITERION, f"no child ran for {LEAST_S / 60:g} minutes; over less, nothing can be told from warming up")
    return judged(CRITERION, faults, "; ".join(fine))


def _is_flat(line: Slope) -> bool:
    return line.risen <= FLAT + 2 * line.error * line.over_s / 3600.0


def _line(line: Slope) -> str:
    return f"rose from {line.first:.1f} to {line.last:.1f}"
