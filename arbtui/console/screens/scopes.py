"""Holding back one exchange, symbol or route, and setting it free again: the first is one short dialog, the second is typed."""

from collections.abc import Iterable, Sequence

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Input, Static

from arbtui.console.numbers import duration
from arbtui.console.screens.typed import LONGEST, TypedScreen
from arbtui.model.printable import printable
from arbtui.model.scoped_halts import ScopedHalt
from arbtui.views import Controls, HeaderView

DEPTHS = {"p": "PAUSED", "r": "REDUCING", "h": "HALTED"}
_SHOWN = 3
"""Standing halts that a dialog of 24 rows has room for."""


def standing_in_words(halt: ScopedHalt, now_ms: int) -> str:
    """``symbol.XRP PAUSED 00:02:13 by ann (CLI): reason``."""
    if halt.is_doubt:
        return f"everything {halt.depth}: {halt.reason}"
    age = duration((now_ms - halt.ts_ms) / 1000)
    return f"{halt.scope} {halt.depth} {age} by {halt.by} ({halt.source}): {halt.why}"


class _ScopeScreen(TypedScreen):
    """Rows of a label and a field, so that all of it fits into 24 rows."""

    DEFAULT_CSS = """
    _ScopeScreen > #box { padding: 0 2; overflow-y: auto; }
    _ScopeScreen Horizontal { height: 1; }
    _ScopeScreen Horizontal Static { width: 34; color: $ink-dim; }
    _ScopeScreen Horizontal Input { width: 1fr; }
    _ScopeScreen > #box > Static { margin-top: 0; }
    """

    def rows(self) -> Iterable[tuple[str, str, str]]:
        """Label, id and first value of each field."""
        raise NotImplementedError

    def fields(self) -> ComposeResult:
        """A row each."""
        for label, field_id, value in self.rows():
            with Horizontal():
                yield Static(label, markup=False)
                yield Input(value, id=field_id, compact=True, max_length=LONGEST)

    def typed(self, field_id: str) -> str:
        """What stands in a field."""
        return self.query_one(f"#{field_id}", Input).value.strip()

    def back_to(self, field_id: str, why: str) -> str:
        """The cursor goes to the field that is wrong; ``why``."""
        self.set_focus(self.query_one(f"#{field_id}", Input), scroll_visible=False)
        return why


class HaltScopeScreen(_ScopeScreen):
    """Which part, how deep, and why. Nothing is typed twice: it is the safe direction.

    Args:
        scopes: what is offered by number, the likeliest first.
    """

    AUTO_FOCUS = "#typed-scope"

    def __init__(self, header: HeaderView, scopes: Sequence[str], controls: Controls) -> None:
        super().__init__(header.profile, "Hold back a part", "Enter next / hold back   Esc leave it")
        self._header = header
        self._scopes = scopes
        self._controls = controls

    def lines(self) -> Iterable[str]:
        """What stands already, then what may be held back."""
        standing = [f"stands: {standing_in_words(halt, self._header.now_ms)}" for halt in self._header.scopes]
        more = [f"and {len(standing) - _SHOWN} more, in Risk"] if len(standing) > _SHOWN else []
        return (
            *standing[:_SHOWN],
            *more,
            *(f"{number} {scope}" for number, scope in enumerate(self._scopes, 1)),
            "p PAUSED, r REDUCING: nothing opens, open cycles are finished",
            "h HALTED: nothing is sent there, and its orders are cancelled",
        )

    def rows(self) -> Iterable[tuple[str, str, str]]:
        """The part, the depth and the reason."""
        return (
            (f"Which (1 to {len(self._scopes)}, symbol.XRP, ...)", "typed-scope", "1" if self._scopes else ""),
            ("How deep (p, r or h)", "typed-depth", "p"),
            ("Reason, for whoever sees it", "typed-reason", ""),
        )

    def _act(self) -> None:
        refusal = self._halt()
        if refusal is None:
            self.dismiss(True)
        else:
            self.query_one("#typed-problem", Static).update(printable(refusal))

    def _halt(self) -> str | None:
        which, depth = self.typed("typed-scope"), self.typed("typed-depth").lower()
        scope = {str(number): one for number, one in enumerate(self._scopes, 1)}.get(which, which)
        if not scope or scope.isdigit():
            return self.back_to("typed-scope", f"which? type 1 to {len(self._scopes)}, or a scope such as exchange.upbit")
        chosen = next((word for letter, word in DEPTHS.items() if depth in (letter, word.lower())), None)
        if chosen is None:
            return self.back_to("typed-depth", "how deep? type p, r or h")
        refusal = self._controls.halt_scope(scope, chosen, self.typed("typed-reason"))
        return None if refusal is None else self.back_to("typed-scope", refusal)


class RearmScopeScreen(_ScopeScreen):
    """Which halt, then the profile's name and a reason.

    Args:
        first: the scope that is offered first; empty where none is.
    """

    def __init__(self, header: HeaderView, first: str, controls: Controls) -> None:
        super().__init__(header.profile, "Set a part free", "Enter next / set free   Esc leave it")
        self._now_ms = header.now_ms
        self._halts = sorted(header.scopes, key=lambda halt: halt.scope != first)
        self._controls = controls

    @property
    def AUTO_FOCUS(self) -> str:  # type: ignore[override]
        """The first field that is not filled in already."""
        return "#typed-name" if len(self._halts) == 1 else "#typed-which"

    def lines(self) -> Iterable[str]:
        """Every halt that stands, with who, why and since when."""
        return [f"{number} {standing_in_words(halt, self._now_ms)}" for number, halt in enumerate(self._halts, 1)]

    def rows(self) -> Iterable[tuple[str, str, str]]:
        """The halt, the name and the reason."""
        return (
            (f"Which one (1 to {len(self._halts)})", "typed-which", "1"),
            (f"The profile's name ({self._profile})", "typed-name", ""),
            ("Reason, for the journal", "typed-reason", ""),
        )

    def act(self, name: str, reason: str) -> str | None:
        """Take it away."""
        halt = {str(number): one for number, one in enumerate(self._halts, 1)}.get(self.typed("typed-which"))
        if halt is None:
            return self.back_to("typed-which", f"which one? type 1 to {len(self._halts)}")
        file = halt.reason.partition(":")[0] if halt.is_doubt else halt.scope
        return self._controls.rearm_scope(file, name, reason)
