"""A route's health score and what it is made of, in lines: each factor 0 to 1, those that are not measured yet as a dash."""

from math import isfinite

from arbtui.console.lines import width_of
from arbtui.console.styles import Span
from arbtui.views import HealthView, SlippageView

Row = list[Span]

_LOW = 0.7
"""A factor under it is worth a look."""


def health_rows(health: HealthView | None, slippage: SlippageView | None, width: int, room: int) -> list[Row]:
    """As many lines of ``width`` cells as fit into ``room``: the score, its factors, how long orders take, what slippage was learned."""
    if health is None:
        return []
    cells: list[list[Span]] = []
    for factor in health.factors:
        text = f"{factor.value:.2f}" if isfinite(factor.value) else "-"
        ink = "faint" if text == "-" or factor.weight == 0.0 else "warn" if factor.value < _LOW else "text"
        weight = "" if factor.weight == 1.0 else f"^{factor.weight:g}"
        cells.append([(f" {factor.name} ", "dim"), (text + weight, ink)])
    if isfinite(health.latency_ms):
        cells.append([(" orders take ", "dim"), (f"{health.latency_ms:.0f}ms", "text")])
    if slippage is not None and slippage.cycles:
        off = f", {slippage.applied_bps:.1f} off" if slippage.applied_bps > 0.0 else ", not taken off"
        cells.append([(" slippage ", "dim"), (f"{slippage.learned_bps:+.1f} bp", "text"), (f" of {slippage.cycles:,}{off}", "soft")])
    rows: list[Row] = [[(" health ", "dim"), (f"{health.score:.2f}", "warn" if health.score < _LOW else "strong"), (" =", "dim")]]
    for cell in cells:
        if width_of(rows[-1]) + width_of(cell) > width:
            rows.append([])
        rows[-1] += cell
    return rows[:room]
