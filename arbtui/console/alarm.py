"""What reaches a person who does not look at the console: the terminal's bell and its title."""

import os
from collections.abc import Callable

from arbtui.model.printable import printable

#: Keeps the terminal's title aside, and brings it back (XTWINOPS, https://invisible-island.net/xterm/ctlseqs/ctlseqs.html).
_KEEP, RESTORE = "\x1b[22;2t", "\x1b[23;2t"
#: Terminals that have no title, and would print what sets one.
_WITHOUT_TITLE = ("linux", "dumb", "unknown", "")
_LONGEST = 80


class Alarm:
    """Rings, and says in the title how many breaches need a person; each can be switched off.

    Args:
        write: to the terminal.
    """

    def __init__(self, write: Callable[[str], None], *, bell: bool, title: bool) -> None:
        self._write = write
        self._bell = bell
        self._title = title and os.environ.get("TERM", "") not in _WITHOUT_TITLE
        self._shown = ""

    def ring(self) -> None:
        """Ring the bell; tmux and most terminals then mark the window."""
        if self._bell:
            self._write("\a")

    def show(self, profile: str, state: str, critical: int) -> bool:
        """Set the title; True the first time, when the one that was there was kept aside."""
        text = printable(f"{f'! {critical} CRIT  ' if critical else ''}arbtui {profile} {state}")[:_LONGEST]
        if not self._title or text == self._shown:
            return False
        is_first = not self._shown
        self._shown = text
        self._write(f"{_KEEP if is_first else ''}\x1b]2;{text}\x07")
        return is_first
