"""What a route earns by size, how healthy it is and what its fills have taught: for a screen, and as JSON holds it."""

from collections.abc import Sequence
from dataclasses import asdict
from math import isfinite, nan
from typing import Any

from arbtui.engine.engine import Engine
from arbtui.routes.capacity import CapacityPoint
from arbtui.routes.route import ArbRoute
from arbtui.views.detail import CapacityView, FactorView, HealthView, SizePoint, SlippageView

SAMPLES = 40
"""Sizes of a curve's picture."""

_CURVE_EVERY_S = 0.5
_TOLD = 10
"""Routes that a summary tells of: of tens of thousands, nobody reads more."""


class RouteCosts:
    """Reads the routes of ``engine``; never writes to it. The last curve is kept for a moment: screens ask four times a second."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._curve: tuple[str, float, CapacityView | None] = ("", nan, None)

    def capacity(self, route: ArbRoute, now: float) -> CapacityView | None:
        """The curve of ``route`` at ``now`` (monotonic s); None while its books or its rate are not to be believed."""
        last_id, at, view = self._curve
        if last_id == route.id and 0.0 <= now - at < _CURVE_EVERY_S:
            return view
        curve = route.capacity() if route.data_refusal(now) is None else None
        view = None
        if curve is not None:
            sizes = route.terms.sizes
            found = [point for size in sizes if (point := curve.at(size)) is not None]
            shown = min(sizes[-1], curve.end.value)
            view = CapacityView(
                currency=route.terms.value_currency,
                sizes=sizes,
                points=[_point(one) for one in found],
                best=None if curve.best is None else _point(curve.best),
                end=_point(curve.end),
                profits=[one.profit for one in curve.samples(SAMPLES, shown)],
                shown=shown,
            )
        self._curve = route.id, now, view
        return view

    def health(self, route: ArbRoute, now: float) -> HealthView:
        """Score, factors and weights of ``route`` for the size that its touches hold."""
        scored = self._engine.prioritizer.health
        told = scored.at(route, route.touch_size(), now)
        latency, known = scored.latency_ms(route), scored.learned.of(route.id)
        return HealthView(
            told.score,
            [FactorView(one.name, nan if one.value is None else one.value, one.weight) for one in told.factors],
            nan if latency is None else latency,
            0.0 if known is None else known.gaps,
        )

    def slippage(self, route: ArbRoute) -> SlippageView:
        """What its own fills have cost beyond the expected prices."""
        known = self._engine.prioritizer.health.learned.of(route.id)
        if known is None:
            return SlippageView(0.0, 0, route.learned_bps)
        return SlippageView(known.slippage_bps, known.slippages, route.learned_bps)

    def told(self, now: float) -> Sequence[dict[str, Any]]:
        """The routes with most fills, then the best net edge, ten at most, as JSON can hold them."""
        fills = self._engine.portfolio.state.routes
        routes = sorted(
            self._engine.components.universe.routes,
            key=lambda route: (-(fills[route.id].fills if route.id in fills else 0), -route.touch_edge_bps(), route.id),
        )
        return [_plain(self._facts(route, now)) for route in routes[:_TOLD]]

    def _facts(self, route: ArbRoute, now: float) -> dict[str, Any]:
        falls, capacity = route.waterfall(), self.capacity(route, now)
        steps = None if falls is None else {"gross": falls.gross, "steps": [list(fall) for fall in falls.falls], "net": falls.net}
        return {
            "id": route.id,
            "shape": route.shape,
            "refusal": route.refusal(now),
            "waterfall_bps": steps,
            "capacity": None if capacity is None else {name: one for name, one in asdict(capacity).items() if name != "profits"},
            "health": asdict(self.health(route, now)),
            "slippage": asdict(self.slippage(route)),
        }


def _point(point: CapacityPoint) -> SizePoint:
    return SizePoint(point.value, point.edge_bps, point.profit)


def _plain(value: Any) -> Any:
    """Floats to six digits; NaN and infinities as null."""
    if isinstance(value, float):
        return round(value, 6) if isfinite(value) else None
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list | tuple) else value
