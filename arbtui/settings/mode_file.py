"""Files in a mode's folder that a session leaves for ``arbtui status``, each replaced as a whole. Standard library only.

``start.json``: the steps of its latest start, each as soon as it has begun and ended: a start that hangs or fails, perhaps before it
could open a journal, is read from there. ``reconcile.json``: how journal and venues compare, every few seconds.
"""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from arbtui.model.regular_file import read_regular

START_NAME = "start.json"
RECONCILE_NAME = "reconcile.json"
_LARGEST = 1_000_000


def write_start(mode_folder: Path, facts: dict[str, Any]) -> None:
    """Leave the ``facts`` of a start."""
    _write(mode_folder, START_NAME, facts)


def read_start(mode_folder: Path) -> dict[str, Any] | None:
    """What the latest start left; None where none did."""
    return _read(mode_folder, START_NAME, "steps")


def write_reconciliation(mode_folder: Path, facts: dict[str, Any]) -> None:
    """Leave the ``facts`` of how journal and venues compare."""
    _write(mode_folder, RECONCILE_NAME, facts)


def read_reconciliation(mode_folder: Path) -> dict[str, Any] | None:
    """What the latest run left of how journal and venues compared; None where none did."""
    return _read(mode_folder, RECONCILE_NAME, "checks")


def _write(mode_folder: Path, name: str, facts: dict[str, Any]) -> None:
    """Replace the file; a disk that is full leaves the last one."""
    part = mode_folder / f".{name}.{os.getpid()}"
    with suppress(OSError):
        part.write_text(json.dumps(facts))
        part.chmod(0o600)
        part.replace(mode_folder / name)


def _read(mode_folder: Path, name: str, rows: str) -> dict[str, Any] | None:
    with suppress(OSError, ValueError, RecursionError):
        facts = json.loads(read_regular(mode_folder / name, _LARGEST))
        if isinstance(facts, dict) and isinstance(facts.get(rows), list):
            return facts
    return None
