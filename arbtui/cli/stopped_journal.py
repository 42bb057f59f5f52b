"""What a command writes into the journal of a profile on which no engine runs."""

import asyncio
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from arbtui.settings.output import say

if TYPE_CHECKING:
    from arbtui.journal.events import Event
    from arbtui.portfolio.portfolio import Portfolio


def commit_events(path: Path, events_of: "Callable[[Portfolio], Sequence[Event]]") -> None:
    """Commit, in one transaction, what ``events_of`` makes of the portfolio at ``path``. The caller holds the profile's lock.

    An interrupt (Ctrl-C) meanwhile counts once it is done, which takes moments: nobody should wonder whether it was.

    Raises:
        UsageError: the journal in that folder is another profile's or mode's, or cannot be opened.
    """
    with _undivided():
        asyncio.run(_commit(path, events_of))


@contextmanager
def _undivided() -> Iterator[None]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # inherited by the journal's thread
    try:
        yield
        if signal.SIGINT in signal.sigpending():
            say("done, and journaled, before the interrupt")
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


async def _commit(path: Path, events_of: "Callable[[Portfolio], Sequence[Event]]") -> None:
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
