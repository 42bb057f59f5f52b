"""What the console's dialogs look like."""

from typing import TypeVar

from textual.screen import ModalScreen

Result = TypeVar("Result")


class Dialog(ModalScreen[Result]):
    """A box in the middle, over a screen that keeps painting; the header above it stays in sight."""

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
