"""Setting a limit: lowered at any time, raised only while nothing is armed."""

from collections.abc import Iterable

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Input, Static

from arbtui.console.screens.typed import LONGEST, TypedScreen
from arbtui.views import Controls, LimitLine
from arbtui.views.numbers import amount


class LimitScreen(TypedScreen):
    """Sets the limit of ``line``, or of the scope that is typed instead."""

    DEFAULT_CSS = """
    LimitScreen > #box { padding: 0 2; overflow-y: auto; }
    LimitScreen Horizontal { height: 1; }
    LimitScreen Horizontal Static { width: 30; color: $ink-dim; }
    LimitScreen Horizontal Input { width: 1fr; }
    LimitScreen > #box > Static { margin-top: 0; }
    """

    AUTO_FOCUS = "#typed-value"

    def __init__(self, profile: str, line: LimitLine, controls: Controls) -> None:
        super().__init__(profile, "Set a limit", "Enter next / set it   Esc leave it")
        self._line = line
        self._controls = controls

    def lines(self) -> Iterable[str]:
        """What holds now, and what may be typed."""
        line = self._line
        own = "" if line.journal is None else f", set here {amount(line.journal, line.unit)} by {line.by}"
        used = "" if line.used is None else f", used {amount(line.used, line.unit)}"
        yield f"{line.scope}: {amount(line.holds, line.unit)} holds (profile {amount(line.profile, line.unit)}{own}){used}"
        word = "higher" if line.higher_is_stricter else "lower"
        yield f"The stricter of profile and journal holds; {word} is stricter, and possible now. Anything else needs a disarmed engine."
        yield "Another scope may be typed: exchange.NAME.LIMIT, symbol.ASSET.LIMIT, route.ID.LIMIT; an empty value takes yours away."

    def fields(self) -> ComposeResult:
        """Scope and value, then name and reason, a row each."""
        rows = (
            ("Scope", "typed-scope", self._line.scope),
            ("Value", "typed-value", ""),
            ("The profile's name", "typed-name", ""),
            ("Reason, for the journal", "typed-reason", ""),
        )
        for label, field_id, value in rows:
            with Horizontal():
                yield Static(label, markup=False)
                yield Input(value, id=field_id, compact=True, max_length=LONGEST)

    def act(self, name: str, reason: str) -> str | None:
        """Set it."""
        scope, typed = (self.query_one(f"#typed-{field}", Input) for field in ("scope", "value"))
        text = typed.value.strip().replace(",", "")
        try:
            value = float(text) if text else None
        except ValueError:
            self.set_focus(typed, scroll_visible=False)
            return f"{text!r} is no number"
        return self._controls.set_limit(scope.value.strip(), value, name, reason)
