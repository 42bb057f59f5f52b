"""The text on a terminal under 60x12: the state and the kill key."""

from arbtui.console.keys import KeyNames
from arbtui.console.lines import Lines
from arbtui.console.panes.header import HALTED_STATES
from arbtui.console.styles import Span, Styles
from arbtui.views import HeaderView

LEAST = (60, 12)


class TooSmall(Lines):
    """One line."""

    def __init__(self, inks: Styles, keys: KeyNames) -> None:
        super().__init__(inks, id="too-small")
        self._keys = keys

    def tick(self, h: HeaderView) -> None:
        """State first: it must fit even on the smallest terminal."""
        halted = h.state in HALTED_STATES
        spans: list[Span] = [
            (f" {h.mode} {h.state} ", "halted" if halted else "title"),
            (f" {self._keys['kill']} KILL ", "kill"),
            (f" too small: {LEAST[0]}x{LEAST[1]}", "soft"),
        ]
        self.show([(spans, "")])
