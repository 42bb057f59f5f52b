"""Settings of the console: table ``[console]``."""

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field, field_validator

from arbtui.console import keys as keymap
from arbtui.model.config import Config

PaletteName = Literal["western", "korean", "cvd", "mono"]
Ground = Literal["dark", "light"]


class ConsoleConfig(Config):
    """How the console paints."""

    frame_rate: int = Field(default=10, ge=1, le=20)
    """frames a second at most; falls by itself when the loop lags. More cannot be read, and each frame costs the engine."""

    theme: Ground = "dark"
    """colours for a dark or a light terminal."""

    palette: PaletteName = "western"
    """which colours mean up and down: ``western`` green and orange, ``korean`` red and blue, ``cvd`` blue and orange for
    colour-blind eyes, ``mono`` none (also with NO_COLOR); sign and arrow stand beside every colour."""

    bell: bool = True
    """rings the terminal's bell at a breach that is CRIT and at a halt, so that tmux and most terminals mark the window; false: silent."""

    title: bool = True
    """sets the terminal's title: profile, state, and how many CRIT breaches wait; it is put back at the end. false leaves it alone."""

    on_hangup: Literal["stop"] = "stop"
    """what a closed terminal does: ``stop`` saves and ends with exit code 129."""

    keys: dict[str, str] = Field(default_factory=dict)
    """other keys by the id that help shows, such as pause = "f5"; the kill key stays ctrl and a letter: it works where one types."""

    @field_validator("keys", mode="before")
    @classmethod
    def _flatten(cls, remapping: Any) -> Any:
        """TOML reads an unquoted ``pane.next`` as a table in a table."""
        return dict(_flat(remapping, "")) if isinstance(remapping, dict) else remapping

    @field_validator("keys")
    @classmethod
    def _can_work(cls, remapping: dict[str, str]) -> dict[str, str]:
        keymap.check(remapping)
        return remapping


def _flat(table: dict[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value
