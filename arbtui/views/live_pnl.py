"""The PnL that screens show: at live marks, priced once a second however often it is read."""

from collections.abc import Iterator
from decimal import Decimal
from math import inf

from arbtui.model.money import ZERO
from arbtui.model.turns import Turns
from arbtui.portfolio.counters import Baseline
from arbtui.portfolio.marks import LiveMarks
from arbtui.portfolio.portfolio import Portfolio
from arbtui.portfolio.valuation import Pnl, Valuation

_EVERY_S = 1.0
#: Above so many assets it is priced every so many seconds: the loop has better to do.
_MANY, _EVERY_MANY_S = 250, 5.0
#: Assets priced in one step.
_AT_ONCE = 100


class LivePnl:
    """PnL of the run and of the desk's day."""

    def __init__(self, portfolio: Portfolio, marks: LiveMarks) -> None:
        self._portfolio = portfolio
        self._marks = marks
        self._due = -inf
        self._known = (Pnl(), Pnl())
        self.equity = ZERO  #: in the PnL currency, as of the last look; without what :attr:`Pnl.unpriced` names

    def look(self, now: float) -> tuple[Pnl, Pnl]:
        """(session, day) at ``now`` (monotonic seconds)."""
        for _ in self._steps(now):
            pass
        return self._known

    async def look_in_pieces(self, now: float, turns: Turns) -> tuple[Pnl, Pnl]:
        """The same; where there are many assets, the loop has its turn in between."""
        for _ in self._steps(now):
            await turns.pause()
        return self._known

    def _steps(self, now: float) -> Iterator[None]:
        """Price everything anew, where that is due; a thousand assets take a few milliseconds a step."""
        if now < self._due:
            return
        state = self._portfolio.state
        assets = list(state.counters.qty)
        self._due = now + (_EVERY_S if len(assets) <= _MANY else _EVERY_MANY_S)
        prices: dict[str, Decimal] = {}
        for start in range(0, len(assets), _AT_ONCE):
            prices |= self._marks.prices(assets[start : start + _AT_ONCE])
            yield
        worth = self._portfolio.value(prices)
        self.equity = worth.equity
        yield
        run = self._since(state.run, worth) if state.run is not None else Pnl()
        yield
        self._known = (run, self._since(state.day, worth) if state.day is not None else run)

    def _since(self, baseline: Baseline, worth: Valuation) -> Pnl:
        return worth.since(self._portfolio.value_at(baseline))
