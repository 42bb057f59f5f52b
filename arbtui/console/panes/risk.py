"""Pane 3: breaches and residuals, limits as used of allowed, why nothing was traded, or what venues have announced.

Open breaches come first; acknowledged ones stay listed, dimmed.
"""

from collections.abc import Sequence
from typing import Literal, get_args

from arbtui.console.grid import Grid
from arbtui.console.keys import KeyNames
from arbtui.console.numbers import clock, fit
from arbtui.console.panes.limits import limit_spans, limits_head
from arbtui.console.panes.notices import notice_spans, notices_head
from arbtui.console.panes.why_not import why_not_head, why_not_spans
from arbtui.console.styles import Span, Styles
from arbtui.views import HALT, BreachLine, DenialLine, LimitLine, NoticeLine, ReadModel

View = Literal["breaches", "limits", "why not", "notices"]
VIEWS: Sequence[View] = get_args(View)
_HEADS = {"limits": limits_head, "why not": why_not_head, "notices": notices_head}
_EMPTY = {
    "breaches": "no breach",
    "limits": "no limit",
    "why not": "nothing kept us from a gap in the last day",
    "notices": "no notice about what is traded",
}
_EVERYTHING = "global"
"""A scope that says nothing on the line of a breach; of a halt it says what is held back."""

RiskRow = BreachLine | LimitLine | DenialLine | NoticeLine


class RiskPane(Grid[RiskRow]):
    """The breaches of ``model``, or what else :attr:`view` names."""

    def __init__(self, inks: Styles, model: ReadModel, keys: KeyNames) -> None:
        super().__init__(inks, 3, "Risk", id="risk")
        self._model = model
        self._keys = keys
        self._seen = -1
        self._breaches: Sequence[BreachLine] = ()
        self.view: View = "breaches"

    def identity(self, row: RiskRow) -> str:
        """The breach or notice, the scope, or the reason."""
        return row.id if isinstance(row, BreachLine | NoticeLine) else row.scope if isinstance(row, LimitLine) else row.reason

    def version(self, row: RiskRow) -> int:
        """Changes when the breach is acknowledged, or a figure moves."""
        return int(row.acknowledged) if isinstance(row, BreachLine) else hash(row)

    def empty_text(self) -> str:
        """The text without any row."""
        return _EMPTY.get(self.view, "")

    def head(self, width: int) -> list[Span]:
        """The heads of the view's columns."""
        return _HEADS[self.view](width) if self.view in _HEADS else []

    @property
    def breach(self) -> BreachLine | None:
        """The breach under the cursor, where breaches are shown."""
        row = self.current
        return row if isinstance(row, BreachLine) else None

    @property
    def limit(self) -> LimitLine | None:
        """The limit under the cursor, where limits are shown."""
        row = self.current
        return row if isinstance(row, LimitLine) else None

    @property
    def open_count(self) -> int:
        """Breaches that are not acknowledged."""
        return sum(not row.acknowledged for row in self._breaches)

    @property
    def critical_count(self) -> int:
        """Of those, the ones that need a person."""
        return sum(row.severity == "CRIT" and not row.acknowledged for row in self._breaches)

    def next_view(self) -> None:
        """Show the next view."""
        self.show(VIEWS[(VIEWS.index(self.view) + 1) % len(VIEWS)])

    def show(self, view: View) -> None:
        """Show ``view``."""
        self.view = view
        self._has_head = self.view != "breaches"
        self.pinned = None
        self.set_rows(self._rows())
        self.repaint()

    def title_left(self) -> list[Span]:
        """How many breaches need the operator, which view this is, and the keys."""
        count = self.open_count
        count_span: Span = (f"{count} open", "warn") if count else ("clear", "soft")
        shown: Span = (f"  {self.view}" if self.view != "breaches" else "", "strong")
        following = VIEWS[(VIEWS.index(self.view) + 1) % len(VIEWS)]
        keys = "   a ack" if count and self.view == "breaches" else f"   {self._keys['limit']} set" if self.view == "limits" else ""
        keys += f"   {self._keys['risk.view']} {following}"
        return [count_span, shown, (keys if self.has_focus else "", "key")]

    def spans(self, row: RiskRow, width: int) -> list[Span]:
        """One row of the view."""
        if isinstance(row, BreachLine):
            return _breach_spans(row, width)
        if isinstance(row, NoticeLine):
            return notice_spans(row, width)
        return limit_spans(row, width) if isinstance(row, LimitLine) else why_not_spans(row, width)

    def tick(self) -> BreachLine | None:
        """Show new rows; the newest open CRIT among new breaches, for the flash line."""
        seen, fresh = self._model.breaches_version, None
        if seen != self._seen:
            known = {row.id for row in self._breaches}
            first = self._seen < 0
            self._seen = seen
            self._breaches = self._model.breaches()
            if self.view == "breaches":
                self.set_rows(self._breaches)
            new = (row for row in self._breaches if row.severity == "CRIT" and not row.acknowledged and row.id not in known)
            fresh = None if first else next(new, None)
        if self.view != "breaches":
            self.set_rows(self._rows())
        self.paint_changed()
        return fresh

    def _rows(self) -> Sequence[RiskRow]:
        if self.view == "breaches":
            return self._breaches
        if self.view == "notices":
            return self._model.notices()
        return self._model.limits() if self.view == "limits" else self._model.denials()


def _breach_spans(row: BreachLine, width: int) -> list[Span]:
    """Severity, time, kind, what happened, what was done."""
    at = clock(row.ts_ms)[:8]
    tail = f"  {row.action}" if row.action else ""
    text = row.detail if row.scope == _EVERYTHING and row.kind != HALT else f"{row.scope} {row.detail}"
    if row.acknowledged:
        return [(fit(f"· {row.severity.lower():4} {at} {row.kind} {text}{tail}  (acked)", width), "faint")]
    severe = row.severity == "CRIT"
    head: Span = ("! CRIT" if severe else "! WARN", "crit" if severe else "warn")
    rest = width - len(head[0]) - len(at) - len(row.kind) - 3
    action = tail if len(text) + len(tail) <= rest else ""
    body = fit(text, max(0, rest - len(action)))
    return [head, (f" {at} ", "dim"), (f"{row.kind} ", "strong"), (body, "text"), (action, "soft")]
