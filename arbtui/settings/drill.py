"""What the last rehearsed kill of a profile has measured: ``kill.drill.json`` in its folder, left by ``arbtui kill --drill``."""

import json
from pathlib import Path
from typing import Any

from arbtui.model.regular_file import read_regular

DRILL_NAME = "kill.drill.json"


def read_drill(folder: Path, now_ms: int) -> dict[str, Any] | None:
    """The last drill on ``folder``, with its age in s as of ``now_ms``; None when there was none, or its file cannot be read."""
    try:
        facts = json.loads(read_regular(folder / DRILL_NAME))
        return {**facts, "age_s": max(0.0, (now_ms - int(facts["ts_ms"])) / 1000), "words": drill_words(facts)}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def drill_words(facts: dict[str, Any]) -> str:
    """What was measured, for a person."""
    cancel = facts["cancel_began_ms"]
    cancels = f"first cancels {cancel:.0f} ms later" if cancel is not None else "when its cancels began is not known"
    return f"gate closed within {facts['gate_ms']:.0f} ms, {cancels}"
