"""Quitting while something is open: asks once."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from arbtui.console.screens.dialog import Dialog
from arbtui.model.counted import counted
from arbtui.model.printable import printable
from arbtui.views import HeaderView


class QuitScreen(Dialog[bool]):
    """Answers True to quit."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,enter", "dismiss(True)", "quit", id="quit.yes", tooltip="Quit"),
        Binding("n,escape", "dismiss(False)", "stay", id="quit.no", tooltip="Stay"),
    ]

    def __init__(self, header: HeaderView) -> None:
        super().__init__()
        self._header = header

    def compose(self) -> ComposeResult:
        """What is open and what quitting does about it."""
        h = self._header
        with Vertical(id="box") as box:
            box.border_title = "Quit?"
            box.border_subtitle = "y quit   n stay"
            exposed = f"unhedged {h.unhedged:,.2f} {printable(h.pnl_currency)}"
            yield Static(
                f"{counted(h.open_cycles, 'cycle')} open, {counted(h.orders_in_flight, 'order')} in flight, {exposed}.", markup=False
            )
            yield Static("No new entries; open cycles get their time to finish, all is saved, then the program ends.", classes="label")
