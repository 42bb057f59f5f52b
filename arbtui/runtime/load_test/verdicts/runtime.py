"""The run lasted exactly as long as requested."""

from collections.abc import Sequence

from arbtui.runtime.load_test.rows import Row, measured
from arbtui.runtime.load_test.verdicts.verdict import Verdict, judged, not_measured

WITHIN_MS = 5.0

CRITERION = (
    f"The runtime is exact: from the first update to the closing of the gate within {WITHIN_MS:g} ms of what was asked, "
    "beside what a bare timer of the same run was late"
)


def runtime(rows: Sequence[Row]) -> Verdict:
    """Each child's reported runtime, checked against the parent's clock.

    On a busy machine any timer is late. A bare one in the same process waits for the same moment; how late that was excuses as much.
    """
    faults: list[str] = []
    worst = bare_worst = 0.0
    for row in measured(rows):
        figures = row.figures
        late_ms = (figures["runtime_s"] - row.duration_s) * 1000
        bare_ms = max(0.0, figures["bare_timer_late_ms"] or 0.0)
        worst, bare_worst = max(worst, abs(late_ms)), max(bare_worst, bare_ms)
        if figures["stop_reason"] != "max_runtime":
            faults.append(f"{row.name}: stopped for {figures['stop_reason']} after {figures['runtime_s']:.3f} s")
        elif not -WITHIN_MS <= late_ms <= WITHIN_MS + bare_ms:
            told = f" (a bare timer: {bare_ms:.1f} ms)" if late_ms > 0 else ""
            faults.append(f"{row.name}: {abs(late_ms):.1f} ms too {'late' if late_ms > 0 else 'early'}{told}")
        if not row.wall_s >= figures["runtime_s"] + figures["drain_s"]:
            faults.append(f"{row.name}: the process lived {row.wall_s:.3f} s, shorter than the run it tells of")
    if not measured(rows):
        return not_measured(CRITERION, "no child left a summary")
    return judged(CRITERION, faults, f"largest difference {worst:.2f} ms; of a bare timer {bare_worst:.2f} ms")
