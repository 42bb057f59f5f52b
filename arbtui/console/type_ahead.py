"""Keys typed before the input that they are meant for is there, and keys typed after it has gone: neither may become commands."""

from collections.abc import Callable

from textual import events
from textual.screen import Screen

QUIET_S = 1.0
"""After a dialog was closed under somebody's hands, keys count again once none has come for so long."""

Typed = events.Key | events.Paste


class TypeAhead:
    """Holds keys for a screen whose input has not the focus yet; ``monotonic`` in seconds."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._held: list[tuple[Screen[object], Typed]] = []
        self._deaf_until = float("-inf")

    @property
    def is_waiting(self) -> bool:
        """Whether keys are held."""
        return bool(self._held)

    def hold(self, screen: Screen[object], event: Typed) -> None:
        """Keep ``event`` for ``screen``."""
        self._held.append((screen, event))

    def take(self, screen: Screen[object]) -> list[Typed]:
        """What was typed for ``screen``, in order; what was meant for one that is gone is dropped."""
        held, self._held = self._held, []
        return [event for meant, event in held if meant is screen]

    def cut(self) -> None:
        """A dialog was closed under somebody's hands: what they still type is not meant for the screen below."""
        self._deaf_until = self._monotonic() + QUIET_S

    def swallows(self) -> bool:
        """Whether the key that came now is the rest of what was typed for a dialog that is gone."""
        now = self._monotonic()
        if now >= self._deaf_until:
            return False
        self._deaf_until = now + QUIET_S
        return True
