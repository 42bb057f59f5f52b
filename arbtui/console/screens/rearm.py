"""Arming, first or anew: the dangerous direction, so it is typed. The profile's name and a reason, which the journal keeps."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from arbtui.console.numbers import clock
from arbtui.console.screens.dialog import Dialog
from arbtui.views import Controls, ReadModel


class RearmScreen(Dialog[bool]):
    """Answers True when the gate is open again."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(False)", "leave it", id="rearm.cancel", tooltip="Leave the gate as it is"),
    ]

    def __init__(self, model: ReadModel, controls: Controls) -> None:
        super().__init__()
        self._model = model
        self._controls = controls

    def compose(self) -> ComposeResult:
        """Cause, what is left, the two fields."""
        h = self._model.header()
        with Vertical(id="box") as box:
            killed = h.state != "DISARMED"
            box.border_title = "Re-arm" if killed else f"Arm {h.mode}{f' {h.scenario}' if h.scenario else ''}"
            box.border_subtitle = "Enter next / re-arm   Esc stay halted" if killed else "Enter next / arm   Esc stay disarmed"
            why = f": {h.halt_reason}" if h.halt_reason else ""
            killed_by = f"{h.state} since {clock(h.halt_ts_ms)}Z by {h.halt_source}{why}"
            yield Static(killed_by if killed else "DISARMED: no order leaves before you arm it", markup=False)
            yield Static(h.halt_detail or "nothing pending is known", markup=False, classes="label")
            yield Static(f"Type the profile's name ({h.profile})", markup=False, classes="label")
            yield Input(id="rearm-name", compact=True)
            yield Static("Reason, for the journal", classes="label")
            yield Input(id="rearm-reason", compact=True)
            yield Static("", id="rearm-problem", classes="problem", markup=False)

    @on(Input.Submitted, "#rearm-name")
    def _next_field(self) -> None:
        self.query_one("#rearm-reason", Input).focus()

    @on(Input.Submitted, "#rearm-reason")
    def _rearm(self) -> None:
        name = self.query_one("#rearm-name", Input).value.strip()
        reason = self.query_one("#rearm-reason", Input).value.strip()
        refusal = self._controls.rearm(name, reason)
        if refusal is None:
            self.dismiss(True)
            return
        self.query_one("#rearm-problem", Static).update(refusal)
        if not name or "name" in refusal:
            self.query_one("#rearm-name", Input).focus()
