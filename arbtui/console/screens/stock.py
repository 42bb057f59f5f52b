"""What a person does about one asset's stock: a target, a transfer that was made by hand, or how one ended."""

from collections.abc import Iterable, Sequence

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Input, Static

from arbtui.console.screens.typed import LONGEST, TypedScreen
from arbtui.views import Controls, StockWay


class StockScreen(TypedScreen):
    """Lists what can be done, and does the one that is typed.

    Args:
        ways: at least one.
    """

    DEFAULT_CSS = """
    StockScreen > #box { padding: 0 2; overflow-y: auto; }
    StockScreen Horizontal { height: 1; }
    StockScreen Horizontal Static { width: 34; color: $ink-dim; }
    StockScreen Horizontal Input { width: 1fr; }
    StockScreen > #box > Static { margin-top: 0; }
    """

    AUTO_FOCUS = "#typed-way"

    def __init__(self, profile: str, asset: str, ways: Sequence[StockWay], controls: Controls) -> None:
        super().__init__(profile, f"Stock of {asset}", "Enter next / do it   Esc leave it")
        self._asset = asset
        self._ways = ways
        self._controls = controls

    def lines(self) -> Iterable[str]:
        """Every way, numbered."""
        yield "Nothing here trades or sends: you move coins yourself, at the venue."
        for number, way in enumerate(self._ways, 1):
            yield f"{number} {way.text}"

    def fields(self) -> ComposeResult:
        """Which way and how much, then name and reason, a row each."""
        rows = (
            (f"Which (1 to {len(self._ways)})", "typed-way"),
            (f"Amount of {self._asset}, where one is asked", "typed-amount"),
            ("The profile's name", "typed-name"),
            ("Reason, for the journal", "typed-reason"),
        )
        for label, field_id in rows:
            with Horizontal():
                yield Static(label, markup=False)
                yield Input(id=field_id, compact=True, max_length=LONGEST)

    def act(self, name: str, reason: str) -> str | None:
        """Do the one that was typed."""
        typed, amount = self.query_one("#typed-way", Input), self.query_one("#typed-amount", Input)
        way = {str(number): way for number, way in enumerate(self._ways, 1)}.get(typed.value.strip())
        if way is None:
            self.set_focus(typed, scroll_visible=False)
            return f"which one? type 1 to {len(self._ways)}"
        units = amount.value.strip().replace(",", "")
        if units and not way.takes_amount:
            self.set_focus(amount, scroll_visible=False)
            return f"{way.verb} takes no amount: it is about all that is under way"
        if not units and way.takes_amount and not way.amount:
            self.set_focus(amount, scroll_visible=False)
            return f"how many {self._asset} should {way.where} hold? give an amount"
        return self._controls.do_stock_way(way, units, name, reason)
