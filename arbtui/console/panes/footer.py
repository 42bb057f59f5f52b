"""The keys, the kill key first. Keys without effect now are dimmed; pressing one shows why."""

from arbtui.console.keys import KeyNames
from arbtui.console.lines import Lines, width_of
from arbtui.console.panes.header import HALTED_STATES
from arbtui.console.styles import Span, Styles

_KEYS = (
    ("pause", "pause", 1),
    ("rearm", "re-arm", 6),
    ("detail", "detail", 2),
    ("filter", "filter", 3),
    ("sort", "sort", 5),
    ("route.toggle", "disable", 9),
    ("acknowledge", "ack", 5),
    ("settle", "settle", 6),
    ("risk.view", "view", 10),
    ("limit", "limit", 10),
    ("scope", "hold", 14),
    ("disarm", "disarm", 15),
    ("copy", "copy", 10),
    ("freeze", "freeze", 7),
    ("pane.next", "pane", 11),
    ("panes", "panes", 4),
    ("zoom", "zoom", 12),
    ("palette", "palette", 13),
    ("help", "help", 0),
    ("quit", "quit", 0),
)
"""Id, word, and rank: when there is no room those of other panes are dropped first, then the highest."""

_OPENS = {"fills": "legs", "risk": "read", "log": "read", "stock": "places"}
"""What Enter opens in other panes than Routes."""

_ONLY_IN = {
    "acknowledge": ("risk",),
    "settle": ("risk", "stock"),
    "risk.view": ("risk",),
    "limit": ("risk",),
    "filter": ("routes", "stock"),
    "sort": ("routes", "stock"),
    "detail": ("routes", *_OPENS),
    "route.toggle": ("routes", "detail"),
    "copy": ("routes", "fills", "risk", "log", "detail", "stock"),
}
"""Panes in which a key works; everywhere else it shows where."""


class Footer(Lines):
    """One line of keys."""

    def __init__(self, inks: Styles, keys: KeyNames) -> None:
        super().__init__(inks, id="footer")
        self._names = keys

    def tick(self, state: str, active: str, frozen: bool = False) -> None:
        """Paint the keys that are useful in ``state`` with pane ``active``."""
        halted = state in (*HALTED_STATES, "DISARMED")
        dimmed = {name for name, panes in _ONLY_IN.items() if active not in panes}
        dimmed.add("pause" if halted else "rearm")
        if frozen:
            dimmed |= {"filter", "sort", "detail"}
        keys = [key for key in _KEYS if not (key[0] in ("pause", "disarm") and halted)]
        while True:
            spans: list[Span] = [(f" {self._names['kill']} KILL", "kill")]
            for name, word, _ in keys:
                shown = self._word(name, word, state, active, frozen)
                off = name in dimmed
                spans += [("   " if self.size.width >= 175 else "  ", "text"), (self._key_of(name), "faint" if off else "key")]
                spans.append((f" {shown}", "faint" if off else "soft"))
            if width_of(spans) <= self.size.width or not keys:
                break
            keys.remove(max(keys, key=lambda key: self._rank(key, state, active, frozen)))
        self.show([(spans, "")])

    def _word(self, name: str, word: str, state: str, active: str, frozen: bool) -> str:
        if name == "pause" and state == "PAUSED":
            return "resume"
        if name == "rearm" and state == "DISARMED":
            return "arm"
        if name == "freeze" and frozen:
            return "go on"
        return _OPENS.get(active, word) if name == "detail" else word

    def _key_of(self, name: str) -> str:
        return f"{self._names['pane.routes']}-{self._names['pane.stock']}" if name == "panes" else self._names[name]

    def _rank(self, key: tuple[str, str, int], state: str, active: str, frozen: bool) -> tuple[bool, int]:
        """Keys that a state calls for outrank the rest, in other panes than their own too."""
        name, _, rank = key
        asked = {"rearm": state in (*HALTED_STATES, "DISARMED"), "freeze": frozen, "settle": state == "HALTED_DIRTY"}.get(name, False)
        return (name in _ONLY_IN and active not in _ONLY_IN[name] and not asked, rank - (12 if asked else 0))
