"""How a run ended, in the one line that every run leaves on standard error."""

from arbtui.execution.executor import ENDINGS
from arbtui.journal.events import CycleState
from arbtui.model.counted import counted
from arbtui.runtime.summary import Run

#: Endings that are named also when there was none.
_ALWAYS = (CycleState.HEDGED, CycleState.UNWOUND, CycleState.RESIDUAL)


def exit_summary(run: Run, stop_reason: str) -> str:
    """Why, how long from the first update to the closing of the gate, what was traded, and what is left behind."""
    engine = run.engine
    parts, tally = engine.components, engine.portfolio.state.tally
    started = run.update_metrics.first_at
    lasted = 0.0 if started is None else run.closed_at - started
    told_states = [state for state in ENDINGS if state in _ALWAYS or tally.outcomes.get(state)]
    left = ", ".join(words for words in (engine.unsettled, engine.in_transit) if words)
    told = [
        f"run {parts.run_id} of {parts.profile} {run.settings.mode} ended by {stop_reason} after {lasted:,.1f} s",
        f"cycles: {', '.join(f'{tally.outcomes.get(state, 0):,} {state.value.lower()}' for state in told_states)}",
        counted(engine.tracker.fills, "fill"),
        f"PnL {engine.pnl().total:+,.4f} {engine.portfolio.state.currency}",
        f"left: {left}" if left else "nothing left open",
    ]
    if parts.halt.is_closed:
        told.append("kill latched")
    return "; ".join(told)
