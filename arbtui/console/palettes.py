"""Palettes: which colours mean up, down and the states. Sign, arrow and word always accompany them.

Each is a set of changes to the western one (see :mod:`arbtui.console.theme`), for a dark and a light terminal.
"""

from collections.abc import Mapping

Styles = Mapping[str, str]

DESCRIPTIONS: Mapping[str, str] = {
    "western": "green up, orange down",
    "korean": "red up, blue down",
    "cvd": "blue up, orange down: distinguishable for colour-blind eyes",
    "mono": "no colour: signs, arrows, words and weight",
}
"""By name, as in ``[console] palette``."""

_MONO_DARK: Styles = {
    "on-page": "#101010", "ink-text": "#cccccc", "ink-strong": "#f0f0f0", "ink-soft": "#9c9c9c", "ink-dim": "#767676",
    "ink-faint": "#5f5f5f", "ink-rule": "#333333", "ink-title": "#b2b2b2", "ink-focus": "#ffffff", "ink-head": "#868686",
    "ink-sorted": "#cccccc", "ink-key": "#ffffff", "ink-kill": "#ffffff", "ink-up": "#ffffff", "ink-down": "#a8a8a8",
    "ink-warn": "#f0f0f0", "ink-spark": "#6a6a6a", "ink-armed": "#ffffff", "ink-paused": "#101010", "on-paused": "#b8b8b8",
    "ink-frozen": "#101010", "on-frozen": "#9a9a9a",
    "ink-halted": "#000000", "on-halted": "#ffffff", "ink-crit": "#000000", "on-crit": "#ffffff", "ink-live": "#000000",
    "ink-live-block": "#dddddd", "on-live": "#dddddd", "ink-paper": "#f0f0f0", "on-paper": "#5a5a5a", "ink-sim": "#c8c8c8",
    "on-sim": "#2c2c2c", "ink-tab": "#f0f0f0", "on-tab": "#303030", "on-cursor": "#262626",
    "input-cursor-background": "#cccccc", "border": "#cccccc", "border-blurred": "#333333",
    "block-cursor-background": "#444444", "block-cursor-foreground": "#f0f0f0", "scrollbar": "#333333", "scrollbar-background": "#101010",
}  # fmt: skip
_MONO_LIGHT: Styles = {
    "on-page": "#f5f5f5", "ink-text": "#262626", "ink-strong": "#000000", "ink-soft": "#545454", "ink-dim": "#757575",
    "ink-faint": "#949494", "ink-rule": "#cacaca", "ink-title": "#414141", "ink-focus": "#000000", "ink-head": "#6b6b6b",
    "ink-sorted": "#262626", "ink-key": "#000000", "ink-kill": "#000000", "ink-up": "#000000", "ink-down": "#5c5c5c",
    "ink-warn": "#1a1a1a", "ink-spark": "#a0a0a0", "ink-armed": "#000000", "ink-paused": "#1a1a1a", "on-paused": "#b4b4b4",
    "ink-frozen": "#f5f5f5", "on-frozen": "#5a5a5a",
    "ink-halted": "#ffffff", "on-halted": "#000000", "ink-crit": "#ffffff", "on-crit": "#000000", "ink-live": "#ffffff",
    "ink-live-block": "#3a3a3a", "on-live": "#3a3a3a", "ink-paper": "#111111", "on-paper": "#c2c2c2", "ink-sim": "#414141",
    "on-sim": "#e0e0e0", "ink-tab": "#000000", "on-tab": "#d8d8d8", "on-cursor": "#e2e2e2",
    "input-cursor-background": "#262626", "border": "#262626", "border-blurred": "#cacaca",
    "block-cursor-background": "#cacaca", "block-cursor-foreground": "#000000", "scrollbar": "#cacaca", "scrollbar-background": "#f5f5f5",
}  # fmt: skip

DARK: Mapping[str, Styles] = {
    "western": {},
    "korean": {"ink-up": "#f0666b", "ink-down": "#6ea8fe"},
    "cvd": {"ink-up": "#5aa9f0", "ink-down": "#e69f4c", "ink-armed": "#5aa9f0", "ink-warn": "#e8d66a", "on-paused": "#e8d66a"},
    "mono": _MONO_DARK,
}
LIGHT: Mapping[str, Styles] = {
    "western": {},
    "korean": {"ink-up": "#c8232c", "ink-down": "#1a56b8"},
    "cvd": {"ink-up": "#0b62b0", "ink-down": "#a85b00", "ink-armed": "#0b62b0", "ink-warn": "#6f6200", "on-paused": "#ecd94f"},
    "mono": _MONO_LIGHT,
}
