"""The real program in processes of its own: run to its end, or started and left running."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import warm_start
from tests.lifecycle.waiting import DEADLINE_S


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended: code (negative: by that signal) and everything it said."""

    code: int
    out: str
    err: str


def run(*arguments: str, program: Path | None = None, within: float = DEADLINE_S, cold: bool = False) -> Ended:
    """Run the command line (or the file ``program``) to its end, without a terminal; ``cold`` as in tests/warm_start.py."""
    if program is None:
        return Ended(*warm_start.run("arbtui", *arguments, within=within, cold=cold))
    command = [sys.executable, str(program), *arguments]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=within)
    return Ended(done.returncode, done.stdout, done.stderr)


class Running:
    """A headless engine that runs. Its output goes to files: nobody need read a pipe."""

    def __init__(self, arguments: tuple[str, ...], folder: Path, program: tuple[str, ...], before: tuple[str, ...], *, cold: bool) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._out, self._err = folder / "out", folder / "err"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            streams: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": out, "stderr": err}
            if before:
                self.process = subprocess.Popen([*before, sys.executable, "-m", *program, *arguments, "--headless"], **streams)
            else:
                self.process = warm_start.popen(*program, *arguments, "--headless", cold=cold, **streams)

    @property
    def pid(self) -> int:
        return self.process.pid

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def ended(self) -> Ended:
        """Wait for its end; one that does not end fails the test with what it said."""
        try:
            code = self.process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still runs after {DEADLINE_S:.0f} s: {self._err.read_text()}") from None
        return Ended(code, self._out.read_text(), self._err.read_text())

    def alive(self) -> bool:
        """Whether it still runs; an engine that ended by itself fails the test with what it said."""
        assert self.process.poll() is None, f"ended with {self.process.returncode}: {self._err.read_text()}"
        return True


@contextmanager
def running(
    *arguments: str, folder: Path, program: tuple[str, ...] = ("arbtui",), before: tuple[str, ...] = (), cold: bool = False
) -> Iterator[Running]:
    """A headless engine (module and first arguments in ``program``); killed when the test leaves it behind.

    ``before``: what stands before it on the command line, as another program that runs it; ``cold`` as in tests/warm_start.py.
    """
    engine = Running(arguments, folder, program, before, cold=cold)
    try:
        yield engine
    finally:
        if engine.process.poll() is None:
            engine.process.kill()
        engine.process.wait()
