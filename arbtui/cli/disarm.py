"""``arbtui disarm``: the console's ``D`` from another shell, also where no engine runs."""

from typing import TYPE_CHECKING

from arbtui.cli.place import Place
from arbtui.settings.output import tell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from arbtui.journal.events import Event
    from arbtui.portfolio.portfolio import Portfolio


def disarm(place: Place, reason: str) -> int:
    """Have no order leave any more, also after a restart, until somebody re-arms by typing; 0 when done.

    The name is not typed, since it is the safe direction.

    Raises:
        UsageError: a cycle or a settlement is open, a kill holds, it is DISARMED already, or an engine that does not answer.
    """
    if place.is_running():
        place.ask_to("disarm", {}, "", reason)
    else:
        place.journal_it(reason, _events)
    until = f"no order leaves until arbtui rearm --profile {place.name}, or r in the console"
    tell(f"{place.name} is DISARMED in mode {place.mode}, and that is journaled: {until}\n")
    return 0


def _events(portfolio: "Portfolio", by: str, reason: str) -> "Sequence[Event] | str":
    from arbtui.model.clock import SystemClock
    from arbtui.portfolio.operator_events import disarmed

    return disarmed(portfolio, by, "CLI", reason, SystemClock().time_ms())
