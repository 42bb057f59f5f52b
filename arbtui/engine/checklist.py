"""What an operator should know before arming again: looked at live, item by item."""

from collections.abc import Sequence
from dataclasses import dataclass

from arbtui.engine.components import EngineComponents
from arbtui.execution.executor import CycleExecutor
from arbtui.execution.tracker import OrderTracker
from arbtui.model.counted import counted


@dataclass(frozen=True, slots=True)
class Check:
    """One item. ``must``: nothing is armed while it fails; others may be overridden, with a reason."""

    name: str
    is_fine: bool
    words: str
    must: bool = False


def checklist(parts: EngineComponents, executor: CycleExecutor, tracker: OrderTracker) -> Sequence[Check]:
    """Feeds, clocks, open orders, positions, journal, as of now."""
    now = parts.clock.monotonic()
    checks = []
    for name, guard in parts.risk.exchange.items():
        silence = guard.silence(now)
        checks.append(Check(f"{name} feed", silence is None, "heard" if silence is None else "nothing is heard from it"))
        clock = guard.health
        checks.append(Check(f"{name} clock", clock.is_clock_fine, f"{clock.skew_ms:.0f} ms from ours"))
    under_way = [counted(len(executor.open), "cycle")] if executor.open else []
    under_way += [counted(len(tracker.open), "order")] if tracker.open else []
    checks.append(Check("open orders", not under_way, f"not settled yet: {', '.join(under_way)}" if under_way else "none", must=True))
    portfolio = parts.portfolio
    disputes = [f"{exchange} {asset}" for exchange, assets in portfolio.state.disputes.items() for asset in assets]
    waiting = [cycle.id for cycle in portfolio.positions if not cycle.acknowledged_by]
    earlier = [order for order in portfolio.open_orders if order.run_id != parts.run_id]
    left = [f"{counted(len(earlier), 'order')} of an earlier run not resolved"] if earlier else []
    told = [*(f"disputed {one}" for one in disputes), *(f"residual {one} not seen" for one in waiting), *left]
    checks.append(Check("positions", not told, ", ".join(told) or "reconciled"))
    failure = parts.journal.failure
    checks.append(Check("journal", failure is None, "healthy" if failure is None else str(failure), must=True))
    return checks
