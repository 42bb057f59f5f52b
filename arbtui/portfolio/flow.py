"""How fast stock flows out of and into a place, and how long it lasts at that: the runway.

A flow is a mean over trading time that forgets: what happened :data:`TIME_CONSTANT_S` ago counts e times less than what happened
now. It is kept in the fold, one small record a place, so a restart goes on with it and any reader of the journal finds the same.
Time in which no run traded does not count.
"""

from dataclasses import dataclass
from math import exp, inf

from msgspec import Struct

#: Seconds of trading time after which a cycle counts e times less.
TIME_CONSTANT_S = 3600.0
#: Fewer cycles than this, after forgetting, are no measurement.
_LEAST_CYCLES = 0.05


class Flow(Struct):
    """What hedged cycles took out of a place and brought in, in units and in cycles, forgotten up to ``at_s`` of trading time."""

    out_qty: float = 0.0
    out_cycles: float = 0.0
    in_qty: float = 0.0
    in_cycles: float = 0.0
    at_s: float = 0.0

    def add(self, change: float, now_s: float) -> None:
        """A hedged cycle changed the stock by ``change`` units at ``now_s`` of trading time."""
        kept = exp(-max(0.0, now_s - self.at_s) / TIME_CONSTANT_S)
        self.out_qty *= kept
        self.out_cycles *= kept
        self.in_qty *= kept
        self.in_cycles *= kept
        self.at_s = max(self.at_s, now_s)
        if change < 0.0:
            self.out_qty -= change
            self.out_cycles += 1.0
        elif change > 0.0:
            self.in_qty += change
            self.in_cycles += 1.0


class TradingTime(Struct):
    """Time in which runs traded, in ms: that of earlier runs, and where the present one began and was last heard of."""

    before_ms: int = 0
    began_ms: int = 0
    last_ms: int = 0

    def start(self, ts_ms: int) -> None:
        """A run begins."""
        self.before_ms += max(0, self.last_ms - self.began_ms)
        self.began_ms = self.last_ms = ts_ms

    def seconds(self, ts_ms: int | None = None) -> float:
        """Trading time up to ``ts_ms`` (wall clock), or to the last event, in seconds."""
        until = self.last_ms if ts_ms is None else max(self.last_ms, ts_ms)
        return (self.before_ms + max(0, until - self.began_ms)) / 1000


@dataclass(frozen=True, slots=True)
class Runway:
    """How long the stock of a place lasts. Rates in units an hour, of hedged cycles; infinite where nothing drains it.

    ``hours``: until it is dry at the net flow, what drains it less what refills it. ``drain_hours``: if only what drains it went on.
    ``cycles``: of the usual size that it still holds. ``refill_first``: the chance that a cycle the other way comes before ``drain_hours``
    are over; None where nothing drains it.
    """

    hours: float = inf
    drain_hours: float = inf
    cycles: float = inf
    out_per_hour: float = 0.0
    in_per_hour: float = 0.0
    refill_first: float | None = None


NO_FLOW = Runway()


def runway(free: float, flow: Flow | None, now_s: float) -> Runway:
    """The runway of ``free`` units at ``now_s`` of trading time.

    Cycles of either direction are taken to come independently at their measured rates, so that each next one drains with the
    chance p = draining / (draining + refilling). The stock is dry after n = free / usual size draining ones in a row: ``p ** n``, and
    ``refill_first`` is the rest.
    """
    if flow is None:
        return NO_FLOW
    kept = exp(-max(0.0, now_s - flow.at_s) / TIME_CONSTANT_S)
    measured_s = TIME_CONSTANT_S * (1.0 - exp(-now_s / TIME_CONSTANT_S))  # of so much time the forgetting sums are the flow
    if measured_s <= 0.0:
        return NO_FLOW
    per_hour = kept * 3600.0 / measured_s
    out_rate, in_rate = flow.out_qty * per_hour, flow.in_qty * per_hour
    if flow.out_cycles * kept < _LEAST_CYCLES or out_rate <= 0.0:
        return Runway(in_per_hour=in_rate)
    left = max(0.0, free)
    cycles = left / (flow.out_qty / flow.out_cycles)
    drains = flow.out_cycles / (flow.out_cycles + flow.in_cycles)
    net = out_rate - in_rate
    return Runway(left / net if net > 0.0 else inf, left / out_rate, cycles, out_rate, in_rate, 1.0 - drains**cycles)
