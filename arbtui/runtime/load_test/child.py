"""One child process: started, watched, and always ended."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arbtui.runtime.load_test.terminal import OWN_TERMINAL, Terminal

POLL_S = 0.2
_MERCY_S = 15.0  #: between asking a child to stop and killing it


@dataclass(frozen=True, slots=True)
class Ended:
    """How a child ended. ``exit_code`` is None when it had to be killed."""

    exit_code: int | None
    wall_s: float
    said: str
    summary: Mapping[str, Any] | None


def run_child(
    command: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    within_s: float,
    on_wait: Callable[[], None],
    *,
    on_terminal: bool = False,
) -> Ended:
    """Run ``command`` with ``--json`` into ``folder`` to its end, but no longer than ``within_s`` seconds.

    ``on_terminal``: it gets a terminal of its own, which is read all the time.

    The child has always ended when this returns or raises.
    """
    target = folder / "summary.json"
    whole = [*command, "--json", str(target)]
    run = _on_terminal if on_terminal else _headless
    code, wall, said = run(whole, dict(environment), folder, within_s, on_wait)
    lines = [line for line in said.strip().splitlines() if line.strip()]
    return Ended(code, wall, lines[-1] if lines else "", _summary(target))


def _headless(
    command: list[str], environment: dict[str, str], folder: Path, within_s: float, on_wait: Callable[[], None]
) -> tuple[int | None, float, str]:
    words = folder / "said"
    started = time.monotonic()
    with words.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    code, wall = _to_its_end(process, started, within_s, on_wait)
    return code, wall, words.read_text(encoding="utf-8", errors="replace")


def _on_terminal(
    command: list[str], environment: dict[str, str], folder: Path, within_s: float, on_wait: Callable[[], None]
) -> tuple[int | None, float, str]:
    environment = {name: value for name, value in environment.items() if name not in ("COLUMNS", "LINES")} | {"TERM": "xterm-256color"}
    started = time.monotonic()
    with Terminal() as terminal:
        process = subprocess.Popen(
            [sys.executable, "-c", OWN_TERMINAL, *command],
            env=environment,
            stdin=terminal.slave,
            stdout=terminal.slave,
            stderr=terminal.slave,
            start_new_session=True,
        )
        code, wall = _to_its_end(process, started, within_s, on_wait)
    return code, wall, terminal.last_words()


def _to_its_end(process: subprocess.Popen[bytes], started: float, within_s: float, on_wait: Callable[[], None]) -> tuple[int | None, float]:
    try:
        code = _wait(process, started + within_s, on_wait)
        return code, time.monotonic() - started
    finally:
        _end(process)


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
