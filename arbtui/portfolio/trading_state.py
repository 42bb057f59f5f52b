"""What the engine may do now. Machines only move towards HALTED; moving back is an operator's act."""

from enum import StrEnum
from typing import Final


class TradingState(StrEnum):
    """The engine's state. Latched ones (HALTED, and DISARMED or PAUSED by an operator) outlive a restart."""

    DISARMED = "DISARMED"
    RECOVERING = "RECOVERING"  #: open cycles are being resolved against the venues
    ARMED = "ARMED"
    PAUSED = "PAUSED"  #: no new entries; open cycles are finished
    REDUCING = "REDUCING"  #: only what shrinks exposure
    HALTING = "HALTING"  #: killed; orders under way are being settled
    HALTED = "HALTED"
    HALTED_DIRTY = "HALTED_DIRTY"  #: killed, and something is left at a venue

    @property
    def allows_entries(self) -> bool:
        """True when new cycles may open."""
        return self is _ARMED

    @property
    def allows_hedges(self) -> bool:
        """True when orders that finish an open cycle may be sent."""
        return self in (TradingState.ARMED, TradingState.PAUSED, TradingState.REDUCING)

    @property
    def allows_settling(self) -> bool:
        """True when a person may have a residual traded away: also while nothing trades by itself."""
        return self.allows_hedges or self is TradingState.DISARMED

    @property
    def is_halt(self) -> bool:
        """True for a kill in any stage."""
        return self in (TradingState.HALTING, TradingState.HALTED, TradingState.HALTED_DIRTY)


_ARMED: Final = TradingState.ARMED  #: by a name of its own: every decision asks (:data:`arbtui.model.book.LIVE`)
