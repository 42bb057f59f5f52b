"""A frozen display while the engine goes on: prices, fills and log, never the header, the risks or the kill key."""

from arbtui.console.numbers import duration


class Freeze:
    """Whether and since when (monotonic seconds) the display is frozen."""

    def __init__(self) -> None:
        self._since: float | None = None

    @property
    def is_on(self) -> bool:
        """Whether the display is frozen."""
        return self._since is not None

    def toggle(self, now: float) -> bool:
        """Freeze or unfreeze; whether it is frozen now."""
        self._since = now if self._since is None else None
        return self.is_on

    def banner(self, now: float) -> str:
        """``DISPLAY FROZEN 00:12``; empty while it is not."""
        if self._since is None:
            return ""
        shown = duration(now - self._since)
        return f"DISPLAY FROZEN {shown.removeprefix('00:')}"
