"""Disarming: asks once, for a reason. The name is not typed, since it is the safe direction."""

from collections.abc import Iterable

from textual.app import ComposeResult
from textual.widgets import Input, Static

from arbtui.console.screens.typed import LONGEST, TypedScreen
from arbtui.model.counted import counted
from arbtui.model.printable import printable
from arbtui.views import Controls, HeaderView


class DisarmScreen(TypedScreen):
    """Answers True when it was disarmed.

    Args:
        rearm_key: the key that arms again, as printed.
    """

    AUTO_FOCUS = "#typed-reason"

    def __init__(self, header: HeaderView, controls: Controls, rearm_key: str) -> None:
        super().__init__(header.profile, "Disarm", "Enter disarm   Esc leave it")
        self._header = header
        self._controls = controls
        self._rearm_key = rearm_key

    def lines(self) -> Iterable[str]:
        """What it does, to what waits to be armed, and to coins on their way."""
        h = self._header
        again = f"({self._rearm_key}), by name and reason"
        yield f"No order leaves until somebody arms it again {again}: also after a restart, --confirm or not."
        yield "Meanwhile limits may be raised, and positions settled."
        if h.state == "DISARMED":
            yield f"DISARMED now, but not for good: {h.halt_detail or 'a start may arm it'}. That no longer counts then."
        if h.open_cycles:
            yield f"{counted(h.open_cycles, 'cycle')} in transit: what arrives is sold once it is armed again."

    def fields(self) -> ComposeResult:
        """The reason alone."""
        yield Static("Reason, for the journal; may be empty", classes="label")
        yield Input(id="typed-reason", compact=True, max_length=LONGEST)

    def _act(self) -> None:
        refusal = self._controls.disarm(self.query_one("#typed-reason", Input).value)
        if refusal is None:
            self.dismiss(True)
        else:
            self.query_one("#typed-problem", Static).update(printable(refusal))
