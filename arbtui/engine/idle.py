"""Why an armed engine opens nothing, in words: what is true beats what it is called."""

from collections.abc import Mapping

from arbtui.engine.components import EngineComponents
from arbtui.execution.gate import OrderGate
from arbtui.model.reason import Reason

#: What of the whole desk stands in the way, in words.
_WORDS: Mapping[Reason, str] = {
    Reason.JOURNAL: "the journal failed",
    Reason.OPEN_CYCLES: "as many cycles are open as the limit allows",
    Reason.UNHEDGED: "as much is at risk as the limit allows",
    Reason.LOSS_HOUR: "the limit of the last hour's loss is reached",
    Reason.DRAWDOWN: "the result is as far below its best as the limit allows",
    Reason.ORDER_PACE: "as many orders as may have left",
    Reason.UNATTENDED: "nobody has looked for as many cycles as may be: p twice, or acknowledge a breach",
    Reason.LOOP_LAG: "our own loop stood still",
    Reason.COMMIT_LATE: "the journal's disk is slow",
    Reason.DISK_FULL: "the journal's disk is almost full",
    Reason.FACTOR: "as much stock as the limit allows has moved one way",
    Reason.LOSS_DAY: "the limit of the day's loss is reached",
    Reason.LEARNING: "the streams' usual delays are not known yet",
    Reason.NO_RATE: "there is no exchange rate",
    Reason.RATE_OLD: "the exchange rate is too old",
    Reason.RATE_DOUBTED: "the exchange rate is doubted",
    Reason.SCOPE_PAUSED: "every route is paused",
    Reason.SCOPE_REDUCING: "every route is held back: only what shrinks exposure",
    Reason.SCOPE_HALTED: "every route is halted",
}


def why_idle(components: EngineComponents, gate: OrderGate, value: float) -> str:
    """Why no route may open a cycle of ``value`` (in the PnL currency) now; empty where one may, or prices alone are in the way."""
    now = components.clock.monotonic()
    if not components.execution.enabled:
        return "[execution] enabled is false"
    if gate.closed_for_entries:
        return "the run is ending"
    refusal = components.risk.total.check(value) or components.risk.blocks.standing(("",), now)
    if refusal is not None:
        return _WORDS.get(refusal, refusal.value)
    routes = components.universe.routes
    if not routes:
        return "no asset is traded at two venues"
    if all(route.unfit is not None for route in routes):
        guards = components.risk.exchange
        return ", ".join(f"{name} {guard.why_unfit(now)}" for name, guard in guards.items() if guard.unfit(now) is not None)
    shared: Reason | None = None
    for route in routes:  # a route that may trade, or another reason, ends it at once
        said = components.risk.scoped(route) or components.risk.symbol.check(route, now) or route.data_refusal(now)
        if said not in _WORDS or shared not in (None, said):
            return ""
        shared = said
    return _WORDS[shared] if shared is not None else ""
