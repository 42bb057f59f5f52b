"""Settling what only an operator can: a one-sided position, or a balance that a venue disputes."""

from collections.abc import Callable, Iterable, Sequence

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Input, Static

from arbtui.console.screens.typed import LONGEST, TypedScreen
from arbtui.views import BreachLine, Controls, SettlementWay


class SettleScreen(TypedScreen):
    """Lists the ways to settle what ``breach`` is about, with their costs, and does the one that is typed.

    Args:
        ways: at least one.
        tell: called with how it ended, in words; it may be long after this screen has gone.
    """

    DEFAULT_CSS = """
    SettleScreen > #box { padding: 0 2; overflow-y: auto; }
    SettleScreen Horizontal { height: 1; }
    SettleScreen Horizontal Static { width: 34; color: $ink-dim; }
    SettleScreen Horizontal Input { width: 1fr; }
    SettleScreen > #box > Static { margin-top: 0; }
    """

    def __init__(
        self, profile: str, breach: BreachLine, ways: Sequence[SettlementWay], controls: Controls, tell: Callable[[str], None]
    ) -> None:
        super().__init__(profile, f"Settle {breach.kind}", "Enter next / settle   Esc leave it")
        self._breach = breach
        self._ways = ways
        self._controls = controls
        self._tell = tell

    @property
    def AUTO_FOCUS(self) -> str:  # type: ignore[override]
        """The first field that is not filled in already."""
        return "#typed-name" if len(self._ways) == 1 else "#typed-way"

    def lines(self) -> Iterable[str]:
        """What happened, and every way with what it costs."""
        return (self._breach.detail, *(f"{number} {way.text}; {way.price_tag}" for number, way in enumerate(self._ways, 1)))

    def fields(self) -> ComposeResult:
        """Which way, then name and reason, a row each: all of it fits into 24 rows."""
        rows = (
            (f"Which way (1 to {len(self._ways)})", "typed-way", "1" if len(self._ways) == 1 else ""),
            ("The profile's name", "typed-name", ""),
            ("Reason, for the journal", "typed-reason", ""),
        )
        for label, field_id, value in rows:
            with Horizontal():
                yield Static(label, markup=False)
                yield Input(value, id=field_id, compact=True, max_length=LONGEST)

    def act(self, name: str, reason: str) -> str | None:
        """Settle it by the way that was typed."""
        typed = self.query_one("#typed-way", Input)
        chosen = {str(number): way for number, way in enumerate(self._ways, 1)}.get(typed.value.strip())
        if chosen is None or not chosen.possible:
            self.set_focus(typed, scroll_visible=False)
            return f"which way? type 1 to {len(self._ways)}" if chosen is None else f"{chosen.verb} {chosen.exchange}: {chosen.price_tag}"
        return self._controls.settle(chosen, name, reason, self._tell)
