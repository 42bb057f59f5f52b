"""The comparison of the journal with the venues of a run."""

from arbtui.engine.engine import Engine
from arbtui.execution.account_sync import AccountSync
from arbtui.failover.running import RunningReconciler


def running_reconciler(engine: Engine, *, live: bool) -> RunningReconciler:
    """It, for the venues that ``engine`` trades at. ``live``: each has a private stream, and counts as heard only while that is open."""
    parts = engine.components
    accounts = {
        name: AccountSync(
            adapter,
            engine.tracker,
            engine.sync,
            parts.clock,
            engine.risk.exchange[name].health if live else None,
            engine.notices.on_announcement,
        )
        for name, adapter in parts.adapters.items()
    }
    return RunningReconciler(
        accounts,
        engine.tracker,
        engine.sync,
        parts.journal,
        parts.clock,
        parts.reconcile,
        on_silent=engine.on_silent,
        on_behind=engine.on_behind,
    )
