"""Arming, at the start or after a halt: typed, since it is the dangerous direction."""

from collections.abc import Iterable

from arbtui.console.numbers import clock
from arbtui.console.screens.typed import TypedScreen
from arbtui.views import Controls, HeaderView


class RearmScreen(TypedScreen):
    """Valid only for the halt that ``header`` shows. Answers None when another kill closed it."""

    def __init__(self, header: HeaderView, controls: Controls) -> None:
        killed = header.state != "DISARMED"
        title = "Re-arm" if killed else f"Arm {header.mode}{f' {header.scenario}' if header.scenario else ''}"
        subtitle = "Enter next / re-arm   Esc stay halted" if killed else "Enter next / arm   Esc stay disarmed"
        super().__init__(header.profile, title, subtitle)
        self._header = header
        self._kills = header.kills
        self._state = header.state
        self._controls = controls

    def lines(self) -> Iterable[str]:
        """Cause, what is left open, and what of the checklist is not fine now."""
        h = self._header
        why = f": {h.halt_reason}" if h.halt_reason else ""
        killed_by = f"{h.state} since {clock(h.halt_ts_ms)}Z by {h.halt_source}{why}"
        return (
            "DISARMED: no order leaves before you arm it" if self._state == "DISARMED" else killed_by,
            h.halt_detail or "nothing pending is known",
            *(f"not fine: {check}" for check in self._controls.failing_checks()),
        )

    def is_outlived(self, header: HeaderView) -> bool:
        """Whether a kill came since it was opened, or the state has changed."""
        return (header.kills, header.state) != (self._kills, self._state)

    def act(self, name: str, reason: str) -> str | None:
        """Open the gate again."""
        return self._controls.rearm(name, reason, self._kills)
