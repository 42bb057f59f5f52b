"""What a command writes into the journal of a profile on which no engine runs."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from arbtui.journal.events import Event
    from arbtui.portfolio.portfolio import Portfolio


async def commit_events(path: Path, events_of: "Callable[[Portfolio], Sequence[Event]]") -> None:
    """Commit, in one transaction, what ``events_of`` makes of the portfolio at ``path``. The caller holds the profile's lock.

    Raises:
        UsageError: the journal in that folder is another profile's or mode's, or cannot be opened.
    """
    from arbtui.journal.journal import Journal
    from arbtui.journal.state import refuse_foreign
    from arbtui.model.clock import SystemClock
    from arbtui.portfolio.projections import ProjectingPortfolio
    from arbtui.portfolio.restore import restore

    refuse_foreign(path, path.parents[1].name, path.parent.name, {})
    journal = await Journal.open(path, clock=SystemClock(), door="aio")
    try:
        portfolio = restore(path)[1]
        journal.fold = ProjectingPortfolio(portfolio)
        await journal.commit(*events_of(portfolio))
    finally:
        await journal.close()
