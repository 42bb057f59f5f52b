"""Settings of the console: table ``[console]``."""

from typing import Literal

from pydantic import Field

from arbtui.model.config import Config


class ConsoleConfig(Config):
    """How the console paints."""

    frame_rate: int = Field(default=10, ge=1, le=20)
    """frames a second at most; falls by itself when the loop lags. Eyes follow no more, and each frame costs the engine."""

    theme: Literal["dark", "light"] = "dark"
    """colours for a dark or a light terminal."""

    on_hangup: Literal["stop"] = "stop"
    """what a closed terminal does: ``stop`` saves and ends with exit code 129."""
