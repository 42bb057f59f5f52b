"""``arbtui disarm``: the console's ``D`` from another shell, also where no engine runs."""

import time
from typing import TYPE_CHECKING

from arbtui.cli.place import Place
from arbtui.model.errors import UsageError
from arbtui.settings.output import show_progress, tell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from arbtui.journal.events import Event
    from arbtui.portfolio.portfolio import Portfolio

#: s for which it waits for what is open to end, and between two looks.
_PATIENCE_S, _AGAIN_S = 60.0, 0.2


def disarm(place: Place, reason: str) -> int:
    """Have no order leave any more, also after a restart, until somebody re-arms by typing; 0 when done.

    The name is not typed, since it is the safe direction. An engine with open cycles is paused, and disarmed once they have ended.

    Raises:
        UsageError: what is open does not end, a kill holds, it is DISARMED already, or an engine that does not answer.
    """
    began = time.monotonic()
    while place.is_running():
        open_now = place.ask_to("disarm", {}, "", reason).get("open")
        if not open_now:
            break
        if time.monotonic() - began > _PATIENCE_S:
            show_progress("")
            raise UsageError(
                f"{place.name} is PAUSED, also after a restart, and still has {open_now} open after {_PATIENCE_S:g} s;"
                " arbtui status tells why: ask again once nothing is, or resume it with p in the console"
            )
        show_progress(f"{place.name} is PAUSED: DISARMED once nothing is open ({open_now})")
        time.sleep(_AGAIN_S)
    else:
        place.journal_it(reason, _events)
    show_progress("")
    until = f"no order leaves until arbtui rearm --profile {place.name}, or r in the console"
    tell(f"{place.name} is DISARMED in mode {place.mode}, and that is journaled: {until}\n")
    return 0


def _events(portfolio: "Portfolio", by: str, reason: str) -> "Sequence[Event] | str":
    from arbtui.model.clock import SystemClock
    from arbtui.portfolio.operator_events import disarmed

    return disarmed(portfolio, by, "CLI", reason, SystemClock().time_ms())
