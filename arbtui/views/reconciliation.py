"""How journal and venues compare, as names and texts."""

from collections.abc import Sequence

from arbtui.failover.reconcile_report import ReconcileReport
from arbtui.model.clock import iso_ms


def reconcile_lines(report: ReconcileReport, now_ms: int) -> Sequence[tuple[str, str]]:
    """The summary, the differences, newest first, then each venue's checks; a name in capitals begins a part."""
    lines = [("in all", report.summary(now_ms))]
    full = "none yet" if report.reported_ms is None else f"{(now_ms - report.reported_ms) / 1000:.0f} s ago"
    lines.append(("full report", full))
    for exchange in dict.fromkeys(record.exchange for record in report.records.values()):
        lines += [("", ""), (exchange.upper(), "")]
        lines += [(record.check.value, record.in_words(now_ms)) for record in report.records.values() if record.exchange == exchange]
    lines += [("", ""), ("DIFFERENCES", "newest first" if report.differences else "none in this run")]
    lines += [(f"{iso_ms(one.ts_ms)[11:19]}Z", f"{one.exchange} {one.check}: {one.what}") for one in reversed(report.differences)]
    return lines
