"""The `--json` summary of a run, one shape for sessions, load-test rows and replays."""

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from arbtui.engine.engine import Engine
from arbtui.execution.executor import ENDINGS
from arbtui.journal.events import Phase
from arbtui.routes.rules import SHAPES
from arbtui.views.route_costs import RouteCosts


def _middle(values: Sequence[int]) -> float:
    return float(median(values)) if values else 0.0


def engine_summary(engine: Engine) -> dict[str, Any]:
    """What the engine itself can tell: routes, cycles, fills, denials, PnL, journal."""
    parts = engine.components
    per_symbol = [engine.tracker.fills_per_symbol.get(symbol, 0) for symbol in parts.universe.symbols]
    pnl = engine.pnl().payload(engine.portfolio.state.currency)
    stats = parts.journal.stats
    tally = engine.portfolio.state.tally
    naked_value_s, largest_naked = engine.executor.naked()
    return {
        "symbols": len(parts.universe.symbols),
        "markets": len(parts.universe.markets),
        "routes": len(parts.universe.routes),
        "routes_by_shape": _by_shape(Counter(route.shape for route in parts.universe.routes)),
        "evaluations": engine.decider.evaluations,
        "opportunities": engine.decider.opportunities,
        "cycles": {
            "opened": tally.opened,
            **{state.value.lower(): tally.outcomes.get(state, 0) for state in ENDINGS},
        },
        "in_transit": {"cycles": _in_transit(engine), "value": round(engine.risk.in_transit.uncovered(), 6)},
        "cycles_by_shape": _by_shape(engine.cycles_by_shape),
        "naked_exposure": {"value_s": round(naked_value_s, 6), "largest": round(largest_naked, 6)},
        "orders": engine.tracker.sent,
        "fills": engine.tracker.fills,
        "fills_per_symbol": {"min": min(per_symbol, default=0), "median": _middle(per_symbol), "max": max(per_symbol, default=0)},
        "fills_by_symbol": dict(zip(parts.universe.symbols, per_symbol, strict=True)),
        "fills_per_exchange": {name: engine.tracker.fills_per_exchange.get(name, 0) for name in parts.adapters},
        "denials": {reason.value: count for reason, count in sorted(engine.risk.denials.items())},
        "open_fx": [
            {
                "asset": one.asset,
                "currency": one.currency,
                "amount": float(one.amount),
                "value": None if one.value is None else float(one.value),
                "age_s": None if one.since_ms is None else (parts.clock.time_ms() - one.since_ms) / 1000,
                "converted": float(one.converted),
                "cost": float(one.cost),
            }
            for one in engine.portfolio.open_fx(since=engine.portfolio.state.run)
        ],
        "pnl": {name: float(part) if name != "currency" else part for name, part in pnl.items()},
        "top_routes": RouteCosts(engine).told(parts.clock.monotonic()),
        "journal": {"events": stats.events, "commit_ms": {"p50": stats.commit_p50_ms, "p99": stats.commit_p99_ms}},
    }


def _in_transit(engine: Engine) -> int:
    return sum(1 for cycle in engine.portfolio.open_cycles if cycle.phase is Phase.IN_TRANSIT)


def _by_shape(counts: Mapping[str, int]) -> dict[str, int]:
    """Every shape that there is, also those without any."""
    return {shape: counts.get(shape, 0) for shape in SHAPES}


def messages_summary(engine: Engine) -> dict[str, Any]:
    """What was read, decoded and only named, over all exchanges (replay), and the gaps."""
    read = decoded = gaps = outside = 0
    named: dict[str, int] = {}
    malformed: dict[str, int] = {}
    for counts in engine.components.aggregator.counts.values():
        read += counts.read
        decoded += counts.decoded
        gaps += counts.gaps
        outside += counts.outside
        _add(named, counts.named)
        _add(malformed, counts.malformed)
    return {"messages": {"read": read, "decoded": decoded, "outside": outside, "named": named, "malformed": malformed}, "gaps": gaps}


def _add(total: dict[str, int], part: Mapping[str, int]) -> None:
    for kind, count in part.items():
        total[kind] = total.get(kind, 0) + count
