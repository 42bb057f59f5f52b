"""The flash line: one row of what just happened or why a key did nothing. Gone after a few seconds."""

import time
from collections.abc import Callable

from arbtui.console.lines import Lines
from arbtui.console.numbers import fit
from arbtui.console.styles import Styles

SHOWN_S = 8.0


class Flash(Lines):
    """Shows one message at a time, the newest."""

    def __init__(self, inks: Styles, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__(inks, id="flash")
        self._monotonic = monotonic
        self._until = 0.0
        self.text = ""
        self._ink = "text"

    def say(self, text: str, ink: str = "text") -> None:
        """Show ``text`` now."""
        self.text = text
        self._ink = ink
        self._until = self._monotonic() + SHOWN_S
        self._show_text()

    def on_resize(self) -> None:
        """Cut the message anew: one may come before the first layout, when there is no room yet."""
        self._show_text()

    def tick(self) -> None:
        """Clear a message that has been shown long enough."""
        if self.text and self._monotonic() >= self._until:
            self.text = ""
            self._show_text()

    def _show_text(self) -> None:
        line = [(" ", "text"), (fit(self.text, max(0, self.size.width - 2)), self._ink)]
        self.show([(line, "")] if self.text else [])
