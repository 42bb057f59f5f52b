"""``start.json`` in a mode's folder: the steps of its latest start, each as soon as it has begun and ended. Standard library only.

A start that hangs or fails, perhaps before it could open a journal, is read from there by ``arbtui status``.
"""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from arbtui.model.regular_file import read_regular

START_NAME = "start.json"
_LARGEST = 1_000_000


def write_start(mode_folder: Path, facts: dict[str, Any]) -> None:
    """Leave ``facts``; a disk that is full leaves the last ones."""
    part = mode_folder / f".{START_NAME}.{os.getpid()}"
    with suppress(OSError):
        part.write_text(json.dumps(facts))
        part.chmod(0o600)
        part.replace(mode_folder / START_NAME)


def read_start(mode_folder: Path) -> dict[str, Any] | None:
    """What the latest start left; None where none did."""
    with suppress(OSError, ValueError, RecursionError):
        facts = json.loads(read_regular(mode_folder / START_NAME, _LARGEST))
        if isinstance(facts, dict) and isinstance(facts.get("steps"), list):
            return facts
    return None
