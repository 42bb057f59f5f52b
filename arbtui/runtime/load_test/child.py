"""One child process: started, watched, and always ended."""

import json
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

POLL_S = 0.2
_MERCY_S = 15.0  #: between asking a child to stop and killing it


@dataclass(frozen=True, slots=True)
class Ended:
    """How a child ended. ``exit_code`` is None when it had to be killed."""

    exit_code: int | None
    wall_s: float
    said: str
    summary: Mapping[str, Any] | None


def run_child(command: Sequence[str], environment: Mapping[str, str], folder: Path, within_s: float, on_wait: Callable[[], None]) -> Ended:
    """Run ``command`` with ``--json`` into ``folder`` to its end, but no longer than ``within_s`` seconds.

    The child has always ended when this returns or raises.
    """
    target, words = folder / "summary.json", folder / "said"
    started = time.monotonic()
    with words.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--json", str(target)], env=dict(environment), stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        code = _wait(process, started + within_s, on_wait)
        wall = time.monotonic() - started
    finally:
        _end(process)
    lines = words.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return Ended(code, wall, lines[-1] if lines else "", _summary(target))


def _wait(process: subprocess.Popen[bytes], until: float, on_wait: Callable[[], None]) -> int | None:
    while True:
        try:
            return process.wait(POLL_S)
        except subprocess.TimeoutExpired:
            on_wait()
        if time.monotonic() >= until:
            return None


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(_MERCY_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _summary(target: Path) -> Mapping[str, Any] | None:
    try:
        read = json.loads(target.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # it died before writing, which the row shows
        return None
    return read if isinstance(read, dict) else None
