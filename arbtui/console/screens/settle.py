"""Settling what only an operator can: a one-sided position, or a balance that a venue disputes."""

from collections.abc import Iterable

from arbtui.console.screens.typed import TypedScreen
from arbtui.views import BreachLine, Controls


class SettleScreen(TypedScreen):
    """Says what would be done about ``breach`` (``preview``), and does it."""

    def __init__(self, profile: str, breach: BreachLine, preview: str, controls: Controls) -> None:
        super().__init__(profile, f"Settle {breach.kind}", "Enter next / settle   Esc leave it")
        self._breach = breach
        self._preview = preview
        self._controls = controls

    def lines(self) -> Iterable[str]:
        """What happened, and what settling it does."""
        return self._breach.detail, self._preview

    def act(self, name: str, reason: str) -> str | None:
        """Settle it."""
        return self._controls.settle(self._breach.id, name, reason)
