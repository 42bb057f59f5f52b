"""Folds the journal a second time, from its file, and compares: *live = fold(journal)*.

At each snapshot of a simulated run; in other modes when old events are due to leave the file, since a snapshot then stands for them.
"""

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from arbtui.engine.breaches import BreachBook
from arbtui.journal.events import Recorded
from arbtui.journal.journal import Journal
from arbtui.journal.reader import events, is_damage, reading
from arbtui.model.errors import UsageError
from arbtui.portfolio.portfolio import Portfolio
from arbtui.risk.breach import Severity
from arbtui.risk.kill_switch import KillSwitch

#: Events folded before other work gets its turn: about a millisecond.
_SLICE = 50

#: Events that are folded from the first one on: some seven seconds of work beside a run.
_WHOLE = 100_000


class FoldCheck:
    """Goes on from the last snapshot that agreed.

    Begins with the first event, or, where those are many, with what the start has restored: what that costs must not grow with the
    journal's age.
    """

    def __init__(self, journal: Journal, restored: Portfolio, breaches: BreachBook, kill_switch: KillSwitch) -> None:
        self._journal = journal
        self._live = restored
        self._breaches = breaches
        self._kill_switch = kill_switch
        self._folded = Portfolio()
        if restored.state.seq > _WHOLE:
            self._folded = Portfolio.load(msgspec.json.decode(restored.encode()))
        self.agreed = 0  #: snapshots that were compared and agreed
        self.agreed_seq = 0  #: the last event that one of them covers
        self.wanted = False  #: whether the next snapshot should be compared in any mode

    async def compare(self, live: bytes, last: int, pause_s: float = 0.0) -> None:
        """Compare ``live``, encoded as of the event ``last``, which is on disk. A difference halts: no figure can be believed then.

        What the engine keeps beside that, so that no check has to add it up, is compared with what it holds now.

        Where the file cannot be opened now (no descriptor is left, say), or an archive is missing, nothing is compared, which is told; the
        next snapshot tries again.

        ``pause_s``: s that other work has after each slice, a few ms long.

        Raises:
            UsageError: the journal is damaged.
        """
        try:
            await self._fold(last, pause_s)
        except UsageError as error:
            if is_damage(error):
                raise
            self._breaches.record(Severity.WARN, "FOLD_UNCHECKED", "global", str(error), "tried again at the next snapshot")
            return
        folded = self._folded.encode()
        parts = self._live.out_of_step()
        if folded != live:  # seldom: then everything is decoded
            parts += _differing(msgspec.json.decode(live), msgspec.json.decode(folded))
        if not parts:  # one in another order
            self._agree(last)
            return
        detail = f"at event {last} the engine and its journal differ in: {', '.join(parts)}"
        self._breaches.record(Severity.CRIT, "FOLD_MISMATCH", "global", detail, "HALT", every_time=True)
        self._kill_switch.kill("GUARD", detail)

    async def _fold(self, last: int, pause_s: float) -> None:
        while self._folded.state.seq < last:
            for recorded in await self._journal.aside(partial(_read, self._journal.path, self._folded.state.seq, last)):
                self._folded.apply(recorded)
            await asyncio.sleep(pause_s)

    def _agree(self, last: int) -> None:
        self.agreed += 1
        self.agreed_seq, self.wanted = last, False


def _read(path: Path, after: int, last: int) -> list[Recorded]:
    """The next events above ``after``: a disk that is slow to answer keeps nothing else waiting."""
    with reading(path) as db:
        return list(events(db, after, min(last, after + _SLICE)))


def _differing(live: dict[str, Any], folded: dict[str, Any]) -> list[str]:
    """What two dumps differ in, by name."""
    return sorted(name for name in live if folded.get(name) != live[name])
