"""Keys typed before the input that they are meant for is there, and keys typed after it has gone: neither may become commands."""

from collections.abc import Callable, Iterator, Sequence

from textual import events
from textual.screen import Screen
from textual.widgets import Input

QUIET_S = 1.0
"""After a dialog was closed under somebody's hands, keys count again once none has come for so long."""

BURST_QUIET_S = 0.3
"""After a burst: a paste over a slow line comes in pieces, and its last letter alone looks like a key."""

Typed = events.Key | events.Paste


class TypeAhead:
    """Holds keys for a screen whose input has not the focus yet; ``monotonic`` in seconds."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._held: list[tuple[Screen[object], Typed]] = []
        self._deaf_until = float("-inf")
        self._quiet_s = QUIET_S

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

    def cut(self, quiet_s: float = QUIET_S) -> None:
        """What is still being typed is not meant for the screen that gets it: a dialog was closed under somebody's hands, say."""
        self._quiet_s = quiet_s
        self._deaf_until = self._monotonic() + quiet_s

    def swallows(self) -> bool:
        """Whether the key that came now is the rest of what was typed before."""
        now = self._monotonic()
        if now >= self._deaf_until:
            return False
        self._deaf_until = now + self._quiet_s
        return True


def as_pasted(keys: Sequence[events.Key]) -> Iterator[Typed]:
    """``keys`` for an input: the printable ones in a row as one paste, since thousands one by one would hold the loop."""
    text: list[str] = []
    for key in keys:
        if key.character is not None and key.is_printable:
            text.append(key.character)
            continue
        if text:
            yield events.Paste("".join(text))
            text.clear()
        yield key
    if text:
        yield events.Paste("".join(text))


def fitting(text: str, field: Input) -> str:
    """As much of ``text`` as ``field`` has room for; Textual would refuse all of it."""
    return text if field.max_length is None else text[: max(0, field.max_length - len(field.value) + len(field.selected_text))]
