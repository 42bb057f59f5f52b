"""The machine that we run on: a loop that stands still, a slow disk, a full one. Entries wait, and go on by themselves."""

from collections import deque
from dataclasses import dataclass

from arbtui.engine.breaches import BreachBook
from arbtui.model.histogram import Histogram
from arbtui.model.reason import Reason
from arbtui.risk.breach import Severity
from arbtui.risk.guard import RiskGuard
from arbtui.risk.kill_switch import KillSwitch

#: A condition of our own machine that comes more often within an hour, or lasts longer, needs a person.
_MOST_AN_HOUR = 5
_LONGEST_S = 600.0


@dataclass(frozen=True, slots=True)
class MachineSample:
    """One second's measurements; NaN where one is missing."""

    lag_ms: float  #: the longest that the loop was late within ten seconds
    commit_ms: float  #: what 99 of 100 commits of the last half minute did not exceed; 0 without one
    free_disk_mb: float


class MachineWatch:
    """Holds entries back while the machine is not fit, and halts where it is so again and again, or for long."""

    def __init__(self, risk: RiskGuard, breaches: BreachBook, kill_switch: KillSwitch) -> None:
        self._risk = risk
        self._breaches = breaches
        self._kill_switch = kill_switch
        self.last: MachineSample | None = None

    def sampled(self, sample: MachineSample, now: float) -> None:
        """Once a second (monotonic ``now``)."""
        self.last = sample
        limits = self._risk.total.limits
        for reason, is_fine, detail in (
            (Reason.LOOP_LAG, sample.lag_ms <= limits.max_loop_lag_ms, f"the loop stood still for {sample.lag_ms:.0f} ms"),
            (Reason.COMMIT_LATE, sample.commit_ms <= limits.max_commit_ms, f"commits take {sample.commit_ms:.0f} ms"),
            (Reason.DISK_FULL, sample.free_disk_mb >= limits.min_free_disk_mb, f"{sample.free_disk_mb:.0f} MB of disk are left"),
        ):
            if not is_fine:
                self._hold(reason, detail, now)

    def _hold(self, reason: Reason, detail: str, now: float) -> None:
        blocks = self._risk.blocks
        if blocks.hold("", reason, now):
            self._breaches.record(Severity.WARN, reason, "global", detail, "no entries until it is well", every_time=True)
        often, lasting = blocks.begun_last_hour("", reason, now), blocks.lasting("", reason, now)
        if (often > _MOST_AN_HOUR or lasting > _LONGEST_S) and not self._kill_switch.halt.is_closed:
            why = f"{often} times within an hour" if often > _MOST_AN_HOUR else f"for {lasting:.0f} s"
            self._breaches.record(Severity.CRIT, reason, "global", f"{detail}, {why}", "HALT", every_time=True)
            self._kill_switch.kill("GUARD", f"{reason.value} {why}")


class RecentCommits:
    """The 99 % quantile of commits over the last half minute, from a histogram that only grows."""

    def __init__(self, seconds: int = 30) -> None:
        self._earlier: deque[Histogram] = deque(maxlen=seconds)

    def look(self, latency: Histogram) -> float:
        """Once a second: in ms; 0 without a commit."""
        fresh = latency.since(self._earlier[0]) if self._earlier else latency
        self._earlier.append(latency.copy())
        return fresh.quantile(0.99)
