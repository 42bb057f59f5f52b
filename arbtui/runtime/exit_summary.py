"""How a run ended, in the one line that every run leaves on standard error."""

from arbtui.journal.events import CycleState
from arbtui.model.counted import counted
from arbtui.runtime.summary import Run


def exit_summary(run: Run, stop_reason: str) -> str:
    """Why, how long from the first update to the closing of the gate, what was traded, and what is left behind."""
    engine = run.engine
    parts, ended = engine.components, engine.executor.ended
    started = run.meter.first_at
    lasted = 0.0 if started is None else run.closed_at - started
    states = (CycleState.HEDGED, CycleState.UNWOUND, CycleState.RESIDUAL)
    told = [
        f"run {parts.run_id} of {parts.profile} {run.settings.mode} ended by {stop_reason} after {lasted:,.1f} s",
        f"cycles: {', '.join(f'{ended[state]:,} {state.value.lower()}' for state in states)}",
        counted(engine.tracker.fills, "fill"),
        f"PnL {parts.positions.pnl().total:+,.4f} {parts.positions.marks.currency}",
        f"left: {engine.unsettled}" if engine.unsettled else "nothing left open",
    ]
    if parts.halt.is_closed:
        told.append("kill latched")
    return "; ".join(told)
