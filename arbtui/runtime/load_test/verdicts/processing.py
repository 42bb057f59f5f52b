"""Everything that was offered was processed, in time."""

from collections.abc import Sequence

from arbtui.runtime.load_test.rows import Row, measured
from arbtui.runtime.load_test.verdicts.verdict import Verdict, judged, not_measured

STALEST_P99_MS = 50.0
"""Five ticks of the market, and a fifth of the age at which the gate drops a decision."""

CRITERION = (
    "Processed = offered: every message of the market is read and decoded, no gap, no stretch of the market left out, "
    f"and from due to decided p99 is under {STALEST_P99_MS:g} ms"
)


def processing(rows: Sequence[Row]) -> Verdict:
    """Messages delivered against messages read, what could not be decoded, and how long they waited."""
    faults: list[str] = []
    fine: list[str] = []
    for row in measured(rows):
        figures = row.figures
        offered, read = figures["simulator"]["messages"], figures["messages"]["read"]
        skipped, stale = figures["simulator"]["skipped_s"], figures["staleness_ms"]["p99"]
        broken = sum(figures["messages"]["malformed"].values())
        here: list[str] = []
        if not offered:
            here.append("nothing was offered")
        if offered != read:
            here.append(f"{offered} offered, {read} read")
        if skipped:
            here.append(f"{skipped:g} s of the market were never played")
        if broken:
            here.append(f"{broken} not decoded")
        if figures["gaps"]:
            here.append(f"{figures['gaps']} updates missing")
        if stale is None:
            here.append("staleness was not measured")
        elif not stale < STALEST_P99_MS:
            here.append(f"staleness p99 {stale:.1f} ms")
        if here:
            faults.append(f"{row.name}: {', '.join(here)}")
        else:
            fine.append(f"{row.name}: {read} of {offered}, p99 {stale:.1f} ms")
    if not faults and not fine:
        return not_measured(CRITERION, "no child left a summary")
    return judged(CRITERION, faults, "; ".join(fine))
