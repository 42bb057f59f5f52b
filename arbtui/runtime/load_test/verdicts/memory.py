"""Memory settles: no child keeps growing."""

from collections.abc import Sequence
from statistics import median

from arbtui.runtime.load_test.rows import Row, measured
from arbtui.runtime.load_test.verdicts.verdict import Verdict, judged, not_measured

LEAST_SAMPLES = 21
ALLOWED_MB, ALLOWED_MB_A_SYMBOL = 2.0, 0.01
"""Growth in the second half of a run: tapes, blotter and page caches still fill up to their bounds for some minutes."""

CRITERION = (
    f"Memory settles: at least {LEAST_SAMPLES} samples, and between the middle of the run and its end resident memory grows by "
    f"no more than {ALLOWED_MB:g} MB and {ALLOWED_MB_A_SYMBOL * 1000:g} kB a symbol"
)


def grown_mb(row: Row) -> float:
    """From the middle tenth of the samples to the last tenth, by medians, in MB."""
    sizes: list[float] = [rss_mb for _, _, rss_mb in row.figures["resources"]]
    tenth = max(1, len(sizes) // 10)
    half = len(sizes) // 2
    return median(sizes[-tenth:]) - median(sizes[half : half + tenth])


def memory(rows: Sequence[Row]) -> Verdict:
    """The second half of each child's series of samples."""
    faults: list[str] = []
    fine: list[str] = []
    for row in measured(rows):
        if row.figures["samples"] < LEAST_SAMPLES:
            faults.append(f"{row.name}: {row.figures['samples']} samples")
            continue
        grown, allowed = grown_mb(row), ALLOWED_MB + ALLOWED_MB_A_SYMBOL * row.symbols
        found = f"{row.name}: {grown:+.1f} MB of {allowed:.1f} in {row.duration_s / 2:g} s"
        (fine if grown <= allowed else faults).append(found)
    if not faults and not fine:
        return not_measured(CRITERION, "no child left a summary")
    return judged(CRITERION, faults, "; ".join(fine))
