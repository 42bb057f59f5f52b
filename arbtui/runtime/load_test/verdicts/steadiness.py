"""No child crashed or stalled."""

from collections.abc import Sequence

from arbtui.monitoring.loop_profiler import STALL_MS
from arbtui.runtime.load_test.rows import Row
from arbtui.runtime.load_test.verdicts.verdict import Verdict, judged

WORST_LAG_MS = 1000.0
"""A loop that was this late, for whatever reason, gives no valid measurement."""

CRITERION = (
    f"No crash, no stall: every child ends with code 0, no turn of its loop holds it for {STALL_MS:g} ms "
    f"(waits for the CPU apart), and the loop is never {WORST_LAG_MS:g} ms late"
)


def steadiness(rows: Sequence[Row]) -> Verdict:
    """Exit codes, the longest turn of each loop, the largest lag."""
    faults: list[str] = []
    longest = latest = 0.0
    for row in rows:
        if row.exit_code is None:
            faults.append(f"{row.name}: did not end by itself within {row.wall_s:.0f} s")
        elif row.exit_code != 0 or row.summary is None:
            faults.append(f"{row.name}: exit code {row.exit_code}{f' ({row.said})' if row.said else ''}")
        if row.summary is None:
            continue
        turns, lag = row.summary["loop_turns"], row.summary["loop_lag_ms"]["max"]
        if turns is None or lag is None:
            faults.append(f"{row.name}: the loop was not timed")
            continue
        longest, latest = max(longest, turns["longest_ms"]), max(latest, lag)
        if not turns["longest_ms"] < STALL_MS:
            at = f"the longest {turns['longest_ms']:.1f} ms after {turns['longest_at_s']:.1f} s"
            faults.append(f"{row.name}: {turns['stalls']} stalls, {at}")
        if not lag < WORST_LAG_MS:
            faults.append(f"{row.name}: the loop was {lag:.0f} ms late")
    return judged(CRITERION, faults, f"{len(rows)} children; longest turn {longest:.1f} ms, largest lag {latest:.1f} ms")
