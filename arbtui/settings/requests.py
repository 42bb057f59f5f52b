"""Requests of an operator's command to a running engine: a file each in the profile's folder, and a file with the answer.

A file needs no socket and no network, outlives neither side's crash half written (it is renamed into place), and can be
made only by who may write the folder, which is its owner. The engine looks ten times a second. Standard library only.
"""

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

FOLDER = "requests"
#: How long a command waits for an engine that runs, in seconds.
ANSWER_S = 5.0
_LARGEST = 65_536


def ask(profile_folder: Path, request: dict[str, Any], wait_s: float = ANSWER_S) -> dict[str, Any] | None:
    """Put ``request`` before the engine that runs in this folder; its answer, or None when none came in time.

    A request that was not answered is taken back, so that it is not acted on later.

    Raises:
        OSError: the folder cannot be written.
    """
    folder = profile_folder / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    name = f"{time.time_ns()}-{os.getpid()}"
    made, answered = folder / f"{name}.request", folder / f"{name}.answer"
    _write(made, request)
    give_up_at = time.monotonic() + wait_s
    while time.monotonic() < give_up_at:
        with suppress(FileNotFoundError):
            answer: dict[str, Any] = json.loads(answered.read_bytes())
            answered.unlink()
            return answer
        time.sleep(0.02)
    try:
        made.unlink()
    except FileNotFoundError:  # it was taken at the last moment: the answer is being written
        time.sleep(0.2)
        with suppress(FileNotFoundError):
            late: dict[str, Any] = json.loads(answered.read_bytes())
            answered.unlink()
            return late
    return None


def pending(profile_folder: Path) -> Iterator[tuple[dict[str, Any], Callable[[dict[str, Any]], None]]]:
    """Each request that waits, oldest first, with what answers it. A file that is no request is taken away."""
    try:
        files = sorted((profile_folder / FOLDER).glob("*.request"))
    except OSError:
        return
    for file in files:
        request: Any = None
        with suppress(OSError, ValueError, RecursionError):
            if file.stat().st_size <= _LARGEST:
                request = json.loads(file.read_bytes())
        try:
            file.unlink()
        except OSError:
            continue  # taken back meanwhile
        if isinstance(request, dict):
            yield request, lambda answer, file=file: _write(file.with_suffix(".answer"), answer)  # type: ignore[misc]


def _write(path: Path, content: dict[str, Any]) -> None:
    part = path.with_suffix(".part")
    part.touch(mode=0o600)
    part.write_text(json.dumps(content))
    part.replace(path)
