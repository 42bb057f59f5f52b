"""Journals prices of what is held: at a run's start and end, at the desk's midnight, every minute, and before each snapshot."""

from math import inf

from arbtui.journal.events import Mark, MarkCause, MarksTaken
from arbtui.journal.journal import Journal
from arbtui.model.clock import Clock
from arbtui.model.money import ZERO
from arbtui.portfolio.config import DeskConfig
from arbtui.portfolio.marks import LiveMarks
from arbtui.portfolio.portfolio import Portfolio

#: Between two takings, in seconds.
_EVERY_S = 60.0
#: How long a run's first prices may be waited for, in seconds: a book that does not come is not waited for.
_FIRST_WAIT_S = 5.0


class MarkTaker:
    """Takes marks when they are due. PnL between any two moments is counted at the last marks before each."""

    def __init__(self, portfolio: Portfolio, marks: LiveMarks, journal: Journal, clock: Clock, desk: DeskConfig) -> None:
        self._portfolio = portfolio
        self._marks = marks
        self._journal = journal
        self._clock = clock
        self._desk = desk
        self._began = clock.monotonic()
        self._due = inf  # monotonic s; from the start's marks on

    def look(self, now: float) -> bool:
        """Take what is due at ``now`` (monotonic s); True when the desk's day has changed.

        A day begins once: a clock that is put back, and on again, gives no second allowance of what a day may lose.
        """
        state = self._portfolio.state
        changed = state.day is not None and state.day.name < self._desk.day_of(self._clock.time_ms())
        if changed:
            self.take("day")
        if not state.run_started and (now - self._began >= _FIRST_WAIT_S or self._all_known()):
            self.take("start")
            self._due = now + _EVERY_S
        elif now >= self._due:
            self._due = now + _EVERY_S
            self.take("time")
        return changed

    def take(self, cause: MarkCause) -> None:
        """Journal the prices that changed since the last time; nothing where nothing did, unless the moment itself matters."""
        known = self._portfolio.state.marks
        changed = {asset: mark for asset, mark in self._held().items() if asset not in known or known[asset].price != mark.price}
        if changed or cause in ("start", "day"):
            self._journal.post(MarksTaken(cause, self._desk.day_of(self._clock.time_ms()), changed))

    def _held(self) -> dict[str, Mark]:
        state = self._portfolio.state
        held = (asset for asset, qty in state.counters.qty.items() if qty != ZERO or asset in state.marks)
        return {asset: mark for asset in held if asset != state.currency and (mark := self._marks.mark(asset)) is not None}

    def _all_known(self) -> bool:
        state = self._portfolio.state
        return all(self._marks.is_live(asset) for asset, qty in state.counters.qty.items() if qty != ZERO and self._marks.has_book(asset))
