"""Pane 5: the log, newest last; follows until the operator scrolls up."""

from arbtui.console.grid import Grid
from arbtui.console.numbers import clock, fit
from arbtui.console.styles import Span, Styles
from arbtui.views import LogLine, ReadModel

_INKS = {"DEBUG": "faint", "INFO": "dim", "WARNING": "warn", "ERROR": "kill", "CRITICAL": "crit"}


class LogPane(Grid[LogLine]):
    """The last lines of ``model``."""

    def __init__(self, inks: Styles, model: ReadModel) -> None:
        super().__init__(inks, 5, "Log", id="log", follow_end=True)
        self._model = model
        self._seen = -1

    def identity(self, row: LogLine) -> str:
        """Lines have no id; time and text distinguish them."""
        return f"{row.ts_ms} {row.text}"

    def version(self, row: LogLine) -> int:
        """Constant: a line never changes."""
        return 0

    def title_left(self) -> list[Span]:
        """Whether new lines move the view."""
        return [("held, G follows" if self.pinned else "", "warn")]

    def spans(self, row: LogLine, width: int) -> list[Span]:
        """Time, level, text."""
        ink = _INKS.get(row.level, "soft")
        quiet = row.level in ("DEBUG", "INFO")
        level = {"WARNING": "WARN", "CRITICAL": "CRIT"}.get(row.level, row.level)
        return [(clock(row.ts_ms), "dim"), (f" {level:5} ", ink), (fit(row.text, max(0, width - 19)), "soft" if quiet else "text")]

    def tick(self) -> None:
        """Show new lines when there are any."""
        seen = self._model.log_version
        if seen != self._seen:
            self._seen = seen
            self.set_rows(self._model.log())
        self.paint_changed()
