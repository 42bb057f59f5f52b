"""The PnL that screens show: at live marks, priced once a second however often it is read."""

from math import inf

from arbtui.portfolio.marks import LiveMarks
from arbtui.portfolio.portfolio import Portfolio
from arbtui.portfolio.valuation import Pnl

_EVERY_S = 1.0
#: Above so many assets it is priced every so many seconds: the loop has better to do.
_MANY, _EVERY_MANY_S = 250, 5.0


class LivePnl:
    """PnL of the run and of the desk's day."""

    def __init__(self, portfolio: Portfolio, marks: LiveMarks) -> None:
        self._portfolio = portfolio
        self._marks = marks
        self._due = -inf
        self._known = (Pnl(), Pnl())

    def look(self, now: float) -> tuple[Pnl, Pnl]:
        """(session, day) at ``now`` (monotonic seconds)."""
        state = self._portfolio.state
        if now >= self._due:
            assets = state.counters.qty
            self._due = now + (_EVERY_S if len(assets) <= _MANY else _EVERY_MANY_S)
            prices = self._marks.prices(assets)
            run = self._portfolio.pnl_since(state.run, prices) if state.run is not None else Pnl()
            day = self._portfolio.pnl_since(state.day, prices) if state.day is not None else run
            self._known = (run, day)
        return self._known
