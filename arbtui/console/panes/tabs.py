"""The line of panes on small terminals, where one table is shown at a time: ``[1 Routes 412] 2 Fills  3 Risk!1 ...``."""

from arbtui.console.lines import Lines, justify, width_of
from arbtui.console.numbers import fit
from arbtui.console.styles import Span, Styles

PANES = ("routes", "fills", "risk", "system", "log", "detail", "stock")
"""In the order of their digits, from 1."""


class Tabs(Lines):
    """The line of tabs."""

    def __init__(self, inks: Styles) -> None:
        super().__init__(inks, id="tabs")

    def tick(self, active: str, routes: int, breaches_open: int, filter_text: str, order: str) -> None:
        """Paint the panes, and filter and order of the active table at the right."""
        spans: list[Span] = [(" ", "text")]
        for number, pane in enumerate(PANES, 1):
            text = f"{number} {pane.capitalize()}"
            if pane == "routes":
                text += f" {routes}"
            marked: Span = (f"!{breaches_open}" if pane == "risk" and breaches_open else "", "warn")
            if pane == active:
                spans += [(f"[{text}{marked[0]}]", "tab"), (" ", "text")]
            else:
                spans += [(f" {text}", "soft"), marked, (" ", "text")]
        right: list[Span] = [(f"/{filter_text} " if filter_text else "", "warn"), (f"{order} ", "soft")]
        room = self.size.width - width_of(spans) - 1
        if width_of(right) > room:  # the filter hides rows, so it stays, cut, and the order goes
            right = [(fit(right[0][0].rstrip(), room), "warn")] if filter_text else []
        self.show([(justify(spans, right if active in ("routes", "stock") else [], self.size.width), "")])
