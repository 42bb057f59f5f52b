"""The breach of an event loop that stood still: for as long, no order, cancel, hedge or deadline was looked at."""

from arbtui.engine.breaches import BreachBook
from arbtui.risk.breach import Severity

CRITICAL_S = 5.0
"""A leg that waits for its hedge for so long is exposed for longer than any profile's deadline."""


def record_stall(breaches: BreachBook, seconds: float) -> None:
    """Record LOOP_STALL: WARN once a minute, CRIT each time from :data:`CRITICAL_S` on."""
    is_critical = seconds >= CRITICAL_S
    detail = f"the event loop stood still for {seconds:.1f} s: orders and deadlines waited for it"
    action = "look at what else runs on this machine"
    breaches.record(Severity.CRIT if is_critical else Severity.WARN, "LOOP_STALL", "global", detail, action, every_time=is_critical)
