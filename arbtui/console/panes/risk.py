"""Pane 3: risk breaches and residuals. Open ones first; acknowledged ones stay listed, dimmed."""

from arbtui.console.grid import Grid
from arbtui.console.numbers import clock, fit
from arbtui.console.styles import Span, Styles
from arbtui.views import BreachLine, ReadModel


class RiskPane(Grid[BreachLine]):
    """The breaches of ``model``."""

    def __init__(self, inks: Styles, model: ReadModel) -> None:
        super().__init__(inks, 3, "Risk", id="risk")
        self._model = model
        self._seen = -1

    def identity(self, row: BreachLine) -> str:
        """The breach."""
        return row.id

    def version(self, row: BreachLine) -> int:
        """Rises when the breach is acknowledged."""
        return int(row.acknowledged)

    def empty_text(self) -> str:
        """The text without any breach."""
        return "no breach"

    @property
    def open_count(self) -> int:
        """Breaches that are not acknowledged."""
        return sum(not row.acknowledged for row in self.rows)

    def title_left(self) -> list[Span]:
        """How many need the operator."""
        count = self.open_count
        count_span: Span = (f"{count} open", "warn") if count else ("clear", "soft")
        return [count_span, ("   a ack" if count and self.has_focus else "", "key")]

    def spans(self, row: BreachLine, width: int) -> list[Span]:
        """Severity, time, kind, what happened, what was done."""
        at = clock(row.ts_ms)[:8]
        tail = f"  {row.action}" if row.action else ""
        if row.acknowledged:
            return [(fit(f"· {row.severity.lower():4} {at} {row.kind} {row.scope} {row.detail}{tail}  (acked)", width), "faint")]
        severe = row.severity == "CRIT"
        head: Span = ("! CRIT" if severe else "! WARN", "crit" if severe else "warn")
        rest = width - len(head[0]) - len(at) - len(row.kind) - 3
        text = f"{row.scope} {row.detail}"
        action = tail if len(text) + len(tail) <= rest else ""
        body = fit(text, max(0, rest - len(action)))
        return [head, (f" {at} ", "dim"), (f"{row.kind} ", "strong"), (body, "text"), (action, "soft")]

    def tick(self) -> BreachLine | None:
        """Show new breaches; the newest open CRIT among them, for the flash line."""
        seen, fresh = self._model.breaches_version, None
        if seen != self._seen:
            known = {row.id for row in self.rows}
            first = self._seen < 0
            self._seen = seen
            self.set_rows(self._model.breaches())
            new = (row for row in self.rows if row.severity == "CRIT" and not row.acknowledged and row.id not in known)
            fresh = None if first else next(new, None)
        self.paint_changed()
        return fresh
