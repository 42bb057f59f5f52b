"""Cycles given up because their decisions were too old when their orders were to leave: a machine that is too slow to trade on."""

from collections import deque

from arbtui.engine.breaches import BreachBook
from arbtui.execution.cycle import ArbCycle
from arbtui.model.clock import Clock
from arbtui.model.reason import Reason
from arbtui.risk.breach import Severity

_SPAN_S = 60.0
#: The breach begins at this number and this share of the cycles that ended in the last minute; it ends at the lower share.
_LEAST, _SHARE, _SHARE_OVER = 3, 0.10, 0.02
_ACTION = "end what else runs on this machine, give the journal a faster disk, or trade fewer symbols"


class LateDecisions:
    """Counts them over a minute, and keeps one breach for as long as they are many; it acknowledges itself once they are few.

    Args:
        max_age_ms: that a decision may have when an order leaves.
    """

    def __init__(self, breaches: BreachBook, clock: Clock, max_age_ms: float) -> None:
        self._breaches = breaches
        self._clock = clock
        self._max_age_ms = max_age_ms
        self._ended: deque[tuple[float, bool]] = deque()  # monotonic s of each cycle's end in the last minute, and whether it was late
        self._late = 0  # of them
        self._stands = any(breach.kind == Reason.DECISION_AGE for breach in breaches.breaches.values())  # of an earlier run

    @property
    def words(self) -> str:
        """What share of the last minute's was given up, in words; empty while it is small."""
        return f"{self._late} of {len(self._ended)} cycles given up" if self._stands and self._late else ""

    def on_end(self, cycle: ArbCycle) -> None:
        """``cycle`` has ended, whether it was given up or not."""
        late = any(order.reason == Reason.DECISION_AGE for order in cycle.orders)
        self._ended.append((self._clock.monotonic(), late))
        self._late += late
        self.look()

    def look(self) -> None:
        """Tell of it, or that it is over."""
        since = self._clock.monotonic() - _SPAN_S
        while self._ended and self._ended[0][0] <= since:
            self._late -= self._ended.popleft()[1]
        if self._stands:
            if self._late <= _SHARE_OVER * len(self._ended):
                self._stands = False
                self._breaches.acknowledge_all(Reason.DECISION_AGE, "global", "recovered")
        elif self._late >= _LEAST and self._late >= _SHARE * len(self._ended):
            self._stands = True
            why = f"were given up because decisions were over {self._max_age_ms:g} ms old: this machine is too slow"
            detail = f"{self._late} of {len(self._ended)} cycles of the last minute {why}"
            self._breaches.record(Severity.WARN, Reason.DECISION_AGE, "global", detail, _ACTION, every_time=True)
