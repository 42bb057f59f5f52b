"""The themes: a palette on a dark or a light ground.

Saturated colour is reserved for edge, PnL and state; a red background means HALTED or CRIT and nothing else.
"""

from collections.abc import Mapping

from textual.theme import Theme

from arbtui.console.palettes import DARK as DARK_PALETTES
from arbtui.console.palettes import LIGHT as LIGHT_PALETTES

DARK = Theme(
    name="arbtui-dark",
    dark=True,
    primary="#6cb6d9",
    secondary="#8a97a5",
    accent="#6cb6d9",
    warning="#d8b25f",
    error="#e5484d",
    success="#5cc48d",
    foreground="#c8d0d8",
    background="#0f1317",
    surface="#151a20",
    panel="#1b222a",
    variables={
        "on-page": "#0f1317",
        "ink-text": "#c8d0d8",
        "ink-strong": "#eef2f5",
        "ink-soft": "#929da8",
        "ink-dim": "#6c7782",
        "ink-faint": "#56606a",
        "ink-rule": "#2b343d",
        "ink-title": "#aab4be",
        "ink-focus": "#6cb6d9",
        "ink-head": "#7b8794",
        "ink-sorted": "#c8d0d8",
        "ink-key": "#6cb6d9",
        "ink-kill": "#ff6b6f",
        "ink-up": "#5cc48d",
        "ink-down": "#e8935c",
        "ink-warn": "#d8b25f",
        "ink-spark": "#3f6f87",
        "ink-armed": "#5cc48d",
        "ink-paused": "#17130a",
        "on-paused": "#d8b25f",
        "ink-frozen": "#0f1317",
        "on-frozen": "#8fb9d0",
        "ink-halted": "#ffffff",
        "on-halted": "#b4232b",
        "ink-crit": "#ffffff",
        "on-crit": "#b4232b",
        "ink-live": "#1b1204",
        "ink-live-block": "#e0982e",
        "on-live": "#e0982e",
        "ink-paper": "#d5e8f4",
        "on-paper": "#23506b",
        "ink-sim": "#c0cad4",
        "on-sim": "#2a333d",
        "ink-tab": "#eef2f5",
        "on-tab": "#2a333d",
        "on-cursor": "#1e2a35",
        "input-cursor-background": "#6cb6d9",
        "border": "#6cb6d9",
        "border-blurred": "#2b343d",
        "block-cursor-background": "#24445a",
        "block-cursor-foreground": "#eef2f5",
        "scrollbar": "#2b343d",
        "scrollbar-background": "#0f1317",
    },
)

LIGHT = Theme(
    name="arbtui-light",
    dark=False,
    primary="#1d5f8a",
    secondary="#59636d",
    accent="#1d5f8a",
    warning="#8a6200",
    error="#b4232b",
    success="#0f7340",
    foreground="#23282d",
    background="#f7f6f2",
    surface="#efede7",
    panel="#e7e4dc",
    variables={
        "on-page": "#f7f6f2",
        "ink-text": "#23282d",
        "ink-strong": "#000000",
        "ink-soft": "#545d66",
        "ink-dim": "#747c84",
        "ink-faint": "#92999f",
        "ink-rule": "#cfcbc0",
        "ink-title": "#3f474f",
        "ink-focus": "#1d5f8a",
        "ink-head": "#6a727a",
        "ink-sorted": "#23282d",
        "ink-key": "#1d5f8a",
        "ink-kill": "#b4232b",
        "ink-up": "#0f7340",
        "ink-down": "#b5480f",
        "ink-warn": "#8a6200",
        "ink-spark": "#8fb3c9",
        "ink-armed": "#0f7340",
        "ink-paused": "#2b2000",
        "on-paused": "#e8c35a",
        "ink-frozen": "#f7f6f2",
        "on-frozen": "#2b6a8f",
        "ink-halted": "#ffffff",
        "on-halted": "#b4232b",
        "ink-crit": "#ffffff",
        "on-crit": "#b4232b",
        "ink-live": "#241500",
        "ink-live-block": "#eba23c",
        "on-live": "#eba23c",
        "ink-paper": "#123a52",
        "on-paper": "#c4dcea",
        "ink-sim": "#3f474f",
        "on-sim": "#dedacf",
        "ink-tab": "#000000",
        "on-tab": "#dcd8cc",
        "on-cursor": "#dde7ee",
        "input-cursor-background": "#1d5f8a",
        "border": "#1d5f8a",
        "border-blurred": "#cfcbc0",
        "block-cursor-background": "#c4dcea",
        "block-cursor-foreground": "#000000",
        "scrollbar": "#cfcbc0",
        "scrollbar-background": "#f7f6f2",
    },
)

_OF_TEXTUAL = {"primary": "ink-key", "accent": "ink-key", "warning": "ink-warn", "error": "on-halted", "success": "ink-armed"}
"""Textual's own colours (the command palette, inputs) by the ink used for them."""


def _themed(ground: str, base: Theme, palette: str, inks: Mapping[str, str]) -> Theme:
    variables = base.variables | dict(inks)
    mono = palette == "mono"
    own = {name: variables[ink] for name, ink in _OF_TEXTUAL.items()} if inks else {}
    colors = {
        "primary": base.primary,
        "secondary": variables["ink-soft"] if mono else base.secondary,
        "accent": base.accent,
        "warning": base.warning,
        "error": base.error,
        "success": base.success,
        "foreground": variables["ink-text"] if mono else base.foreground,
        "background": variables["on-page"] if mono else base.background,
        "surface": variables["on-cursor"] if mono else base.surface,
        "panel": variables["on-sim"] if mono else base.panel,
    } | own
    return Theme(name=f"arbtui-{palette}-{ground}", dark=base.dark, variables=variables, **colors)  # type: ignore[arg-type]


THEMES: Mapping[tuple[str, str], Theme] = {
    (palette, ground): _themed(ground, base, palette, inks)
    for ground, base, palettes in (("dark", DARK, DARK_PALETTES), ("light", LIGHT, LIGHT_PALETTES))
    for palette, inks in palettes.items()
}
"""By name, as in ``[console] palette`` and ``theme``."""
