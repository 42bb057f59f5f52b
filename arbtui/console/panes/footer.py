"""The keys, the kill key first. What does nothing now is dimmed; pressing it says why."""

from arbtui.console.ink import Inks, Span
from arbtui.console.lines import Lines, width_of
from arbtui.console.panes.header import HALTED_STATES

_KEYS = (
    ("p", "pause", 1),
    ("r", "re-arm", 5),
    ("/", "filter", 2),
    ("s", "sort", 3),
    ("a", "ack", 6),
    ("Tab", "pane", 7),
    ("1-5", "panes", 4),
    ("z", "zoom", 8),
    ("^P", "palette", 9),
    ("?", "help", 0),
    ("^Q", "quit", 0),
)
"""Key, word, and rank: the highest go first when there is no room."""


class Footer(Lines):
    """One line of keys."""

    def __init__(self, inks: Inks) -> None:
        super().__init__(inks, id="footer")

    def tick(self, state: str, active: str) -> None:
        """Paint the keys as they are useful in ``state`` with pane ``active``."""
        halted = state in HALTED_STATES
        dimmed = {"p"} if halted else {"r"}
        if active != "risk":
            dimmed.add("a")
        if active != "routes":
            dimmed.update(("/", "s"))
        keys = [key for key in _KEYS if not (key[0] == "p" and halted)]
        while True:
            spans: list[Span] = [(" ^K KILL", "kill")]
            for key, word, _ in keys:
                shown = "resume" if key == "p" and state == "PAUSED" else word
                off = key in dimmed
                spans += [("   " if self.size.width >= 110 else "  ", "text"), (key, "faint" if off else "key")]
                spans.append((f" {shown}", "faint" if off else "soft"))
            if width_of(spans) <= self.size.width or not keys:
                break
            keys.remove(max(keys, key=lambda key: key[2] - (10 if key[0] == "r" and halted else 0)))
        self.show([(spans, "")])
