"""Keys that come faster than anybody types: text pasted into a terminal that does not say so (no bracketed paste).

Run in the input thread, where keys have the moment at which they were read, however busy the loop is.
"""

from collections.abc import Sequence

from textual.events import Event, Key

GAP_S = 0.005
"""Keys that follow one another within this time belong together. A person leaves 30 ms and more, a held key about as much."""

MOST_KEYS = 3
"""So many at once may be a person's (two keys struck together, an input method's); more are a burst."""


class KeyBurst(Event):
    """Keys that came at once."""

    def __init__(self, keys: Sequence[Key]) -> None:
        super().__init__()
        self.keys = tuple(keys)


class KeyGroups:
    """Holds each key for :data:`GAP_S`, and tells single keys from bursts. Times in monotonic seconds."""

    def __init__(self) -> None:
        self._held: list[Key] = []
        self._last = float("-inf")
        self._is_burst = False

    @property
    def is_holding(self) -> bool:
        """Whether :meth:`take` has something to give later."""
        return bool(self._held)

    def add(self, key: Key, now: float) -> None:
        """A key that was read at ``now``; call :meth:`take` with the same time before, and after the whole read."""
        self._held.append(key)
        self._last = now
        self._is_burst = self._is_burst or len(self._held) > MOST_KEYS

    def take(self, now: float) -> list[Event]:
        """What can be given on at ``now``: nothing while more may belong to the keys that are held, unless they are a burst already."""
        is_over = now - self._last > GAP_S
        events: list[Event] = []
        if is_over or self._is_burst:
            events = self.flush()
        self._is_burst = self._is_burst and not is_over
        return events

    def flush(self) -> list[Event]:
        """What is held, whether or not more belongs to it."""
        held, self._held = self._held, []
        if self._is_burst and held:
            return [KeyBurst(held)]
        return list(held)
