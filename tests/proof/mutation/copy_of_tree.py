"""A copy of the source tree in which one module at a time is changed, and the tests that are run there."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import count
from pathlib import Path

from tests.proof.mutation.mutants import Mutant, mutated
from tests.proof.mutation.warm import WarmPytest

_TREES = ("arbtui", "tests", "profiles", "docs")
_FILES = ("pyproject.toml", "README.md")
#: Each change of a file gets a time of its own: Python tells by it, in whole seconds, that a compiled file is out of date.
_times = count(1_600_000_000)


class Fate(StrEnum):
    """What became of a mutant."""

    KILLED = "killed"
    TIMEOUT = "timeout"  #: a test hung: noticed, by the time limit
    SURVIVED = "survived"
    UNTESTED = "untested"  #: no test enters the function: as bad as survived


_FATES = {"passed": Fate.SURVIVED, "failed": Fate.KILLED, "timeout": Fate.TIMEOUT}


@dataclass(frozen=True)
class Trial:
    """How one mutant fared; ``by`` names the first test that failed."""

    fate: Fate
    by: str = ""


class CopyOfTree:
    """A working copy in ``folder``, made anew."""

    def __init__(self, repository: Path, folder: Path) -> None:
        self.folder = folder
        self._warm: WarmPytest | None = None
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name in _TREES:
            shutil.copytree(repository / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in _FILES:
            shutil.copy(repository / name, folder)
        beside = next((place for parent in repository.parents[:2] if (place := parent / "shared").is_dir()), None)
        if beside is not None and not (folder.parent / "shared").exists():  # what developers keep there, some tests use
            (folder.parent / "shared").symlink_to(beside)

    def remove(self) -> None:
        """It is not needed any more."""
        if self._warm is not None:
            self._warm.close()
        shutil.rmtree(self.folder)

    def warm_up(self, tests: Sequence[str]) -> None:
        """Keep a pytest waiting with ``tests`` (files and folders) collected, for whatever mutant can be tried in it."""
        self._warm = WarmPytest(self.folder, tests, self._environment())

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "ARBTUI_", "PROOF_"))}
        return kept | {
            "PYTHONPATH": str(self.folder),
            "HYPOTHESIS_STORAGE_DIRECTORY": str(self.folder / ".hypothesis"),
            "COLUMNS": "400",  # else a failure's reason is cut off
        }

    def pytest(self, arguments: Sequence[str], seconds: float, **environment: str) -> tuple[int | None, str]:
        """Run pytest here; its exit code (None when it had to be ended after ``seconds``) and what it printed."""
        command = [sys.executable, "-m", "pytest", "-q", "--no-header", "--tb=no", "-p", "no:cacheprovider", *arguments]
        process = subprocess.Popen(
            command,
            cwd=self.folder,
            env=self._environment() | environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            printed, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            printed, _ = process.communicate()
            return None, printed
        return process.returncode, printed

    def try_mutant(self, mutant: Mutant, tests: Sequence[str], *, seconds: float, seconds_a_test: float) -> Trial:
        """Make the change that ``mutant`` is, run ``tests`` until the first fails, and take it back.

        Raises:
            RuntimeError: pytest could not run them at all.
        """
        if not tests:
            return Trial(Fate.UNTESTED)
        if self._warm is not None:
            how, by = self._warm.ask(mutant, tests, seconds=seconds, seconds_a_test=seconds_a_test)
            if how in _FATES:
                return Trial(_FATES[how], by[:200])
        path = self.folder / "arbtui" / mutant.module
        original = path.read_text()
        self._put(path, mutated(original, mutant))
        options = ["-x", "-rfE", f"--timeout={seconds_a_test:.0f}"]
        try:
            code, printed = self.pytest([*options, *tests], seconds)
            if code == 4 and "ERROR: not found" in printed:  # tests with other parameters now: the change is in what names them
                code, printed = self.pytest([*options, *dict.fromkeys(test.partition("::")[0] for test in tests)], seconds)
        finally:
            self._put(path, original)
        if code is None:
            return Trial(Fate.TIMEOUT)
        if code == 0:
            return Trial(Fate.SURVIVED)
        named = [line for line in printed.splitlines() if line.startswith(("FAILED ", "ERROR "))]
        # 2 and 4: the module, or what imports it, does not even load. 3: the time limit struck inside another plugin's code.
        if code in (1, 2, 3) or (code == 4 and named):
            by = named[0] if named else "in no test: pytest itself was ended"
            return Trial(Fate.TIMEOUT if "Timeout (>" in (by if named else printed) else Fate.KILLED, by[:200])
        raise RuntimeError(f"pytest ended with {code}:\n{printed[-2000:]}")

    def _put(self, path: Path, source: str) -> None:
        path.write_text(source)
        at = next(_times)
        os.utime(path, (at, at))
