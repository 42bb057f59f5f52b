"""Arming, at the start or after a halt: typed, since it is the dangerous direction. Name and reason are journaled."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from arbtui.console.numbers import clock
from arbtui.console.screens.dialog import Dialog
from arbtui.model.printable import printable
from arbtui.views import Controls, HeaderView

LONGEST = 500
"""Letters of a name or a reason; the journal keeps the reason for ever."""


class RearmScreen(Dialog[bool]):
    """Valid only for the halt that ``header`` shows.

    Answers True when the gate is open again, False when it was cancelled, and None when another kill closed it.
    """

    AUTO_FOCUS = "#rearm-name"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(False)", "leave it", id="rearm.cancel", tooltip="Leave the gate as it is"),
        # A priority binding moves the focus before the next key of the same burst is given out.
        Binding("enter", "next", "next", id="rearm.next", priority=True, tooltip="The next field; after the last one, arm"),
    ]

    def __init__(self, header: HeaderView, controls: Controls) -> None:
        super().__init__()
        self._header = header
        self._kills = header.kills
        self._state = header.state
        self._controls = controls

    def compose(self) -> ComposeResult:
        """Cause, what is left open, the two fields."""
        h = self._header
        with Vertical(id="box") as box:
            killed = self._state != "DISARMED"
            box.border_title = "Re-arm" if killed else f"Arm {h.mode}{f' {h.scenario}' if h.scenario else ''}"
            box.border_subtitle = "Enter next / re-arm   Esc stay halted" if killed else "Enter next / arm   Esc stay disarmed"
            why = f": {h.halt_reason}" if h.halt_reason else ""
            killed_by = f"{h.state} since {clock(h.halt_ts_ms)}Z by {h.halt_source}{why}"
            yield Static(printable(killed_by) if killed else "DISARMED: no order leaves before you arm it", markup=False)
            yield Static(printable(h.halt_detail) or "nothing pending is known", markup=False, classes="label")
            yield Static(f"Type the profile's name ({h.profile})", markup=False, classes="label")
            yield Input(id="rearm-name", compact=True, max_length=LONGEST)
            yield Static("Reason, for the journal", classes="label")
            yield Input(id="rearm-reason", compact=True, max_length=LONGEST)
            yield Static("", id="rearm-problem", classes="problem", markup=False)

    def is_outlived(self, header: HeaderView) -> bool:
        """Whether a kill came since it was opened, or the state has changed."""
        return (header.kills, header.state) != (self._kills, self._state)

    def action_next(self) -> None:
        """Go from the name to the reason; then arm, once both fields have processed their keys."""
        name, reason = self.query_one("#rearm-name", Input), self.query_one("#rearm-reason", Input)
        if self.focused is name:
            self.set_focus(reason, scroll_visible=False)
        else:
            name.call_later(reason.call_later, self._rearm)

    def _rearm(self) -> None:
        name, reason = self.query_one("#rearm-name", Input), self.query_one("#rearm-reason", Input)
        refusal = self._controls.rearm(name.value.strip(), reason.value.strip(), self._kills)
        if refusal is None:
            self.dismiss(True)
            return
        self.query_one("#rearm-problem", Static).update(refusal)
        if not name.value.strip() or "name" in refusal:
            self.set_focus(name, scroll_visible=False)
