"""A check that is one pytest node, run longer than the suite runs it."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conftest import REPOSITORY
from tests.proof.check import Options, Outcome, Progress, Verdict


@dataclass(frozen=True)
class PytestCheck:
    """Runs ``node`` with the number of steps in the environment variable ``variable``.

    pytest's own time limit is lifted; the run is ended after ``limit_s`` seconds.
    """

    name: str
    summary: str
    node: str
    variable: str
    steps: int
    limit_s: float
    in_ci: bool = False
    unit: str = "steps"
    tells: tuple[str, ...] = ()  #: how a line begins that the test prints for the result

    def arguments(self, options: Options) -> Mapping[str, Any]:
        """The number of steps."""
        return {"steps": options.steps or self.steps}

    def run(self, options: Options, workspace: Path, progress: Progress) -> Outcome:
        """Run the node; nothing of an interrupted run can be taken up."""
        steps = options.steps or self.steps
        log = workspace / "output.txt"
        progress(f"{steps} {self.unit} of {self.node}, output in {log}")
        command = [sys.executable, "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider", "--timeout=0", "-s", self.node]
        environment = {**os.environ, self.variable: str(steps)}
        with log.open("w") as output:
            try:
                code: int | None = subprocess.run(
                    command, cwd=REPOSITORY, env=environment, stdout=output, stderr=subprocess.STDOUT, check=False, timeout=self.limit_s
                ).returncode
            except subprocess.TimeoutExpired:
                code = None
        said = log.read_text().strip().splitlines()
        told = [line for line in said if self.tells and line.startswith(self.tells)]
        figures: dict[str, Any] = {"steps": steps, "exit_code": code, "last_line": said[-1] if said else ""}
        if self.tells:
            figures["told"] = told
        table = "\n".join([*told, f"{self.name}: {steps} {self.unit}: {figures['last_line']}"])
        return Outcome(Verdict.PASS if code == 0 else Verdict.FAIL, figures, table)
