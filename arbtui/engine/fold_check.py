"""Folds the journal a second time, from its file, and compares: *live = fold(journal)*, at each snapshot of a simulated run."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec

from arbtui.engine.breaches import BreachBook
from arbtui.journal.reader import events, reading
from arbtui.portfolio.portfolio import Portfolio
from arbtui.risk.breach import Severity
from arbtui.risk.kill_switch import KillSwitch

#: Events folded before other work gets its turn: about a millisecond.
_SLICE = 50


class FoldCheck:
    """Goes on from the last snapshot that agreed."""

    def __init__(self, path: Path, breaches: BreachBook, kill_switch: KillSwitch) -> None:
        self._path = path
        self._breaches = breaches
        self._kill_switch = kill_switch
        self._folded = Portfolio()
        self.agreed = 0  #: snapshots that were compared and agreed

    async def compare(self, live: bytes, last: int) -> None:
        """Compare ``live``, encoded as of the event ``last``, which is on disk. A difference halts: no figure can be believed then."""
        while self._folded.state.seq < last:
            with reading(self._path) as db:
                for recorded in events(db, self._folded.state.seq, min(last, self._folded.state.seq + _SLICE)):
                    self._folded.apply(recorded)
            await asyncio.sleep(0)
        folded = self._folded.encode()
        if folded == live:  # the usual case, and nothing is made of it
            self.agreed += 1
            return
        parts = _differing(msgspec.json.decode(live), msgspec.json.decode(folded))
        if not parts:  # one in another order
            self.agreed += 1
            return
        detail = f"at event {last} the engine and its journal differ in: {', '.join(parts)}"
        self._breaches.record(Severity.CRIT, "FOLD_MISMATCH", "global", detail, "HALT", every_time=True)
        self._kill_switch.kill("GUARD", detail)


def _differing(live: dict[str, Any], folded: dict[str, Any]) -> list[str]:
    """What two dumps differ in, by name."""
    return sorted(name for name in live if folded.get(name) != live[name])
