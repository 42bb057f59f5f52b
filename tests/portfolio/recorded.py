"""A journal on disk with the portfolio that follows it, as an engine has it."""

from collections.abc import Sequence
from pathlib import Path

from arbtui.journal.events import Event
from arbtui.portfolio.portfolio import Portfolio
from arbtui.portfolio.projections import ProjectingPortfolio
from arbtui.portfolio.restore import restore
from tests.journal import recorded


def record(path: Path, *groups: Sequence[Event], step_ms: int = 7) -> Portfolio:
    """Commit each of ``groups`` at once, going on where the journal stands; what the events mean together."""
    if not path.exists():
        recorded.record(path)
    portfolio = restore(path)[1]
    recorded.record(path, *groups, fold=ProjectingPortfolio(portfolio), step_ms=step_ms)
    return portfolio
