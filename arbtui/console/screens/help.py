"""Help: what each column, each state and each key means."""

from collections.abc import Iterable
from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from arbtui.console.screens.dialog import Dialog

COLUMN_HELP = {
    "SYM": "the asset; one route a direction",
    "BUY@ SELL@": "where it is bought and where the same quantity is sold from stock, at the same moment",
    "BUY px SELL px": "best ask and best bid, each in its venue's currency",
    "EDGE bp": "gross edge at the touch, in basis points, over the exchange rate",
    "NET bp": "edge for the size after depth, fees, rate, rounding and costs",
    "SIZE": "size of the last opportunity, in the asset; - before the first",
    "DEPTH": "the smaller of the two best quantities",
    "AGE": "age of the older of the two books; grey when nothing happens",
    "FILLS": "fills of this route in this run",
    "STATE": "OPEN, READY, or the first reason why not",
}
STATE_HELP = {
    "ARMED": "new cycles may open",
    "PAUSED": "no new entries; open cycles finish",
    "REDUCING": "only what shrinks exposure",
    "HALTED": "latched: nothing is sent but cancels, until a person re-arms (also over a restart)",
    "HALTED_DIRTY": "halted with something left at a venue",
    "OPEN": "a cycle runs on this route",
    "READY": "net edge clears the threshold",
    "IDLE": "no edge: the usual answer",
    "STALE GAPPED NO_BOOK": "the book is not to be believed; clears itself",
    "NO_STOCK NO_CASH": "the inventory on one side is used up",
    "HEDGED UNWOUND RESIDUAL": "how a cycle ended; RESIDUAL needs `a` in Risk",
}


class HelpScreen(Dialog[None]):
    """Scrolls; Esc or ? closes."""

    DEFAULT_CSS = "HelpScreen > #box { width: 100; height: 90%; }"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q", "dismiss", "close", id="help.close", tooltip="Close help"),
        Binding("j,down", "scroll(1)", "down", id="help.down", tooltip="Down", show=False),
        Binding("k,up", "scroll(-1)", "up", id="help.up", tooltip="Up", show=False),
    ]

    def compose(self) -> ComposeResult:
        """Keys first: that is what people open help for."""
        with VerticalScroll(id="box") as box:
            box.border_title = "arbtui"
            box.border_subtitle = "j/k scroll   Esc close"
            yield Static(self._table("KEYS", self._keys()))
            yield Static(self._table("COLUMNS", COLUMN_HELP.items()))
            yield Static(self._table("STATES", STATE_HELP.items()))

    def action_scroll(self, lines: int) -> None:
        """Scroll by a line."""
        self.query_one("#box", VerticalScroll).scroll_relative(y=lines, animate=False)

    def _keys(self) -> Iterable[tuple[str, str]]:
        from arbtui.console.app import ConsoleApp
        from arbtui.console.grid import Grid
        from arbtui.console.screens.main import MainScreen

        for owner in (ConsoleApp, MainScreen, Grid):
            for binding in owner.BINDINGS:
                if isinstance(binding, Binding):
                    keys = [self.app.get_key_display(Binding(key, "")) for key in binding.key.split(",")]
                    shown = binding.key_display or " ".join(keys)
                    yield shown.upper() if shown.startswith("^") else shown, binding.tooltip

    def _table(self, title: str, rows: Iterable[tuple[str, str]]) -> Table:
        variables = self.app.theme_variables
        table = Table.grid(padding=(0, 2))
        table.add_column(min_width=14, no_wrap=True, style=variables["ink-key"])
        table.add_column(style=variables["ink-text"])
        table.add_row(Text(title, style=f"bold {variables['ink-title']}"), "")
        for name, text in rows:
            table.add_row(Text(name), Text(text))
        table.add_row("", "")
        return table
