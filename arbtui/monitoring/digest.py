"""The daily digest: what the desk's day came to, on one screen of a phone."""

from collections.abc import Sequence
from math import isfinite

from arbtui.journal.day import DayOfCycles
from arbtui.model.counted import counted
from arbtui.portfolio.valuation import Pnl
from arbtui.views.detail import DenialLine
from arbtui.views.model import GaugeView, HeaderView

KIND = "DIGEST"
#: Reasons of not trading that are listed, and those that are not: no edge is the usual answer, and a busy route is one that trades.
_REASONS, _USUAL = 4, ("BELOW_THRESHOLD", "ROUTE_BUSY", "IDLE")


def digest(
    day: str,
    header: HeaderView,
    gauges: GaugeView,
    pnl: Pnl,
    cycles: DayOfCycles,
    denials: Sequence[DenialLine],
    residuals: tuple[int, float],
) -> str:
    """The digest of ``day`` (a date). ``denials``: of the last 24 hours; ``residuals``: how many positions, and their value."""
    currency = header.pnl_currency
    ended = ", ".join(f"{count} {state.lower()}" for state, count in sorted(cycles.ended.items(), key=lambda one: -one[1]))
    lines = [
        f"{day}: PnL {_signed(pnl.total)} {currency} (trading {_signed(pnl.trading)}, fees {_signed(-pnl.fees)}, "
        f"open currency {_signed(pnl.fx_open)}, stock's currency {_signed(pnl.fx_stock)}, coins {_signed(pnl.inventory)}, "
        f"rotation {_signed(pnl.rotation)})",
        f"cycles: {ended or 'none ended'}; open {header.open_cycles}",
        *_routes("best", cycles.best),
        *_routes("worst", cycles.worst),
        f"limited by: {_limits(denials)}",
        f"residuals: {_residuals(*residuals, currency)}; unhedged {header.unhedged:,.2f} {currency}",
        _health(header, gauges, cycles),
    ]
    return "\n".join(lines)


def _signed(amount: object) -> str:
    return f"{float(str(amount)):+,.2f}"


def _routes(word: str, routes: Sequence[tuple[str, float, int]]) -> Sequence[str]:
    told = "; ".join(f"{route} {made:+,.2f} in {count}" for route, made, count in routes)
    return [f"{word}: {told}"] if told else []


def _limits(denials: Sequence[DenialLine]) -> str:
    most = sorted((line for line in denials if line.reason not in _USUAL), key=lambda line: (-line.day.seconds, -line.day.times))
    return (
        ", ".join(f"{line.reason} {_time(line.day.seconds)} ({line.day.times:,} times)" for line in most[:_REASONS]) or "nothing but prices"
    )


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _residuals(count: int, value: float, currency: str) -> str:
    return "none" if not count else f"{counted(count, 'position')} of {f'{value:,.2f} {currency}' if isfinite(value) else 'unknown value'}"


def _health(header: HeaderView, gauges: GaugeView, cycles: DayOfCycles) -> str:
    venues = ", ".join(f"{venue.name} {venue.status}" for venue in header.exchanges)
    breaches = ", ".join(f"{count} {severity}" for severity, count in sorted(cycles.breaches.items())) or "none"
    left = f" ({header.breaches_open} not acknowledged)" if header.breaches_open else ""
    machine = f"loop p99 {gauges.lag_p99_ms:.0f} ms, commit p99 {gauges.journal_p99_ms:.0f} ms, {gauges.rss_mb:.0f} MB"
    doubt = f", not trading: {header.idle}" if header.idle else f", too slow: {header.slow}" if header.slow else ""
    return f"health: {header.state}{doubt}; {venues}; breaches {breaches}{left}; {machine}"
