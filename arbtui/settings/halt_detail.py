"""What an engine says of its orders at the venues after a kill. Standard library only: ``arbtui kill`` and the guardian ask it."""

import time
from pathlib import Path

from arbtui.settings.requests import ask

_PAUSE_S = 0.1


def halt_detail(folder: Path, within_s: float) -> str | None:
    """What the engine on ``folder`` says once it has settled them; empty while it is still at it; None when it answers nothing.

    Args:
        folder: the profile's.
        within_s: s to wait for an answer, and for the end of what it does.
    """
    give_up_at = time.monotonic() + within_s
    while (left_s := give_up_at - time.monotonic()) > 0:
        try:
            told = ask(folder, {"verb": "halt_detail"}, left_s)
        except OSError:
            told = None
        if told is None:
            return None
        if not told.get("refusal"):
            return str(told.get("detail") or "nothing stood")
        time.sleep(_PAUSE_S)
    return ""
