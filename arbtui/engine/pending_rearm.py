"""A re-arm that was typed while no engine ran: the engine arms by itself once its checklist is clean, or asks for a person after all."""

from collections.abc import Callable

from arbtui.engine.operator import OperatorVerbs
from arbtui.model.clock import Clock
from arbtui.portfolio.accounts import PendingRearm
from arbtui.portfolio.operator_events import disarmed_since
from arbtui.portfolio.portfolio import Portfolio

#: For how long after the start the checklist may become clean, in s: streams connect, and their usual delays are learned.
_WAIT_S = 120.0
_LOOK_S = 1.0


class RearmOnceChecked:
    """Looks at the checklist once a second while such a re-arm waits.

    Args:
        disarm: called with the reason when the time is over.
    """

    def __init__(self, portfolio: Portfolio, operator: OperatorVerbs, clock: Clock, disarm: Callable[[str], None]) -> None:
        self._portfolio = portfolio
        self._operator = operator
        self._clock = clock
        self._disarm = disarm
        self._until = 0.0  # monotonic s; 0 while nothing waits
        self._look_at = 0.0

    def begin(self, pending: PendingRearm) -> str:
        """Wait from now on; why the engine is DISARMED meanwhile, in words."""
        self._until = self._clock.monotonic() + _WAIT_S
        return f"re-armed by {pending.by} while it was stopped ({pending.reason}): arms as soon as the checklist is clean"

    def look(self) -> None:
        """Arm, give up, or wait on."""
        now = self._clock.monotonic()
        if not self._until or now < self._look_at:
            return
        self._look_at = now + _LOOK_S
        pending = self._portfolio.state.pending_rearm
        if pending is None:  # killed, armed or disarmed by somebody meanwhile
            self._until = 0.0
            return
        failing = [
            check for check in self._operator.checklist() if not check.is_fine and (check.must or check.name not in pending.overridden)
        ]
        if not failing:
            self._until = 0.0
            self._operator.arm_checked(pending)
        elif now >= self._until:
            self._until = 0.0
            told = "; ".join(f"{check.name}: {check.words}" for check in failing)
            why = f"{pending.by} re-armed it while it was stopped, and the checklist is not clean ({told})"
            self._disarm(disarmed_since(self._clock.time_ms(), "the checklist", why))
