"""``arbtui guardian`` in a process of its own."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import warm_start
from tests.lifecycle.programs import run
from tests.lifecycle.waiting import DEADLINE_S, until


@dataclass
class Guarding:
    """A guardian that runs; what it says goes to a file."""

    process: subprocess.Popen[bytes]
    arguments: tuple[str, ...]
    err: Path

    @property
    def said(self) -> str:
        return self.err.read_text()

    def says(self, words: str) -> None:
        """Wait until it has said ``words``."""
        until(lambda: self.alive() and words in self.said, words)

    def alive(self) -> bool:
        assert self.process.poll() is None, f"ended with {self.process.returncode}: {self.said}"
        return True

    def facts(self) -> dict[str, Any]:
        """What ``arbtui guardian --json`` tells of it."""
        told: dict[str, Any] = json.loads(run("guardian", *self.arguments, "--json").out)
        return told


@contextmanager
def guarding(*arguments: str, folder: Path, env: dict[str, str] | None = None) -> Iterator[Guarding]:
    """A guardian of the profile that ``arguments`` name; it watches when the block begins, and is ended with it."""
    folder.mkdir(parents=True, exist_ok=True)
    err = folder / "guardian.err"
    with err.open("wb") as file:
        streams: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": file, "stderr": file}
        process = warm_start.popen("arbtui", "guardian", *arguments, **streams, env=env, start_new_session=True)
    made = Guarding(process, arguments, err)
    try:
        made.says("watches")
        yield made
        made.alive()
        process.terminate()
        assert process.wait(DEADLINE_S) == 128 + 15, made.said
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
