"""Keys typed before their input exists, and keys typed after it was closed: neither may become commands."""

from collections.abc import Callable

from textual import events
from textual.screen import Screen

QUIET_S = 1.0
"""s without a key after which keys count again, once a dialog was closed while the operator typed."""

Typed = events.Key | events.Paste


class TypeAhead:
    """Holds keys for a screen whose input does not have the focus yet; ``monotonic`` in seconds."""

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
        """The keys typed for ``screen``, in order; those for a closed screen are dropped."""
        held, self._held = self._held, []
        return [event for meant, event in held if meant is screen]

    def cut(self) -> None:
        """A dialog was closed while the operator typed: the rest is not meant for the screen below."""
        self._deaf_until = self._monotonic() + QUIET_S

    def swallows(self) -> bool:
        """Whether this key is still part of what was typed for a closed dialog."""
        now = self._monotonic()
        if now >= self._deaf_until:
            return False
        self._deaf_until = now + QUIET_S
        return True
