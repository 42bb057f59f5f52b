"""The look of the console's dialogs."""

from typing import TypeVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen

Result = TypeVar("Result")


class Dialog(ModalScreen[Result]):
    """A box in the middle, over a screen that keeps painting; the header above it stays visible."""

    DEFAULT_CSS = """
    Dialog { align: center middle; background: $background 30%; }
    Dialog > #box {
        width: 76; max-width: 100%; height: auto; max-height: 90%; margin-top: 2;
        padding: 1 2; background: $surface; border: round $border-blurred;
        border-title-color: $ink-title; scrollbar-size-vertical: 1; border-title-style: bold;
        border-subtitle-color: $ink-dim;
    }
    Dialog Static { width: 1fr; height: auto; }
    Dialog .label { color: $ink-dim; margin-top: 1; }
    Dialog .problem { color: $ink-warn; margin-top: 1; }
    Dialog Input { border: none; height: 1; padding: 0 1; background: $panel; }
    Dialog Input:focus { background: $panel; border: none; }
    """


class ScrollDialog(Dialog[None]):
    """A dialog whose box scrolls by lines."""

    def action_scroll(self, lines: int) -> None:
        """Scroll by ``lines``; negative is up."""
        self.query_one("#box", VerticalScroll).scroll_relative(y=lines, animate=False)


def scroll_bindings(name: str, close: str, tooltip: str) -> list[BindingType]:
    """The keys of a scrolling dialog; ids begin with ``name``, ``close`` are the keys that close it."""
    return [
        Binding(close, "dismiss", "close", id=f"{name}.close", tooltip=tooltip),
        Binding("j,down", "scroll(1)", "down", id=f"{name}.down", tooltip="Down", show=False),
        Binding("k,up", "scroll(-1)", "up", id=f"{name}.up", tooltip="Up", show=False),
    ]
